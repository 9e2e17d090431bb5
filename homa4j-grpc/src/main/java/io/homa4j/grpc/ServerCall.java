package io.homa4j.grpc;

import io.grpc.InternalStatus;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import io.grpc.internal.ReadableBuffers;
import io.homa4j.HomaBuffer;
import io.homa4j.Request;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * A call at the server: its RPCs, in and out. Requests that are not answered yet are kept, oldest first: each answer takes what
 * is ready. More than {@link #KEPT} are not kept; those are answered with nothing but the limit, which is the client's credit.
 *
 * <p>It begins with whichever message of the client comes first; the {@link HomaServerStream} above it begins with the headers.
 * Everything happens in the order of {@link #serial}, on whichever thread brings it: the one that turns the engine, or the
 * application's. Nothing blocks.
 */
final class ServerCall {
    private static final int KEPT = 2;

    final SynchronizationContext serial = new SynchronizationContext((thread, error) -> failed(error));

    private final ServerSession session;
    final int id;
    private final Inbox inbox;
    private final Outbox outbox;
    /** Requests not answered. */
    private final ArrayDeque<Request> kept = new ArrayDeque<>(KEPT + 1);
    /** Null before the headers. */
    private @Nullable HomaServerStream stream;

    private boolean isClientEnded;
    private boolean isOver;
    private boolean isPumpQueued;
    private boolean isRetryQueued;

    ServerCall(ServerSession session, int id) {
        this.session = session;
        this.id = id;
        this.inbox = new Inbox(session.options().windowBytes());
        this.outbox = new Outbox(Frames.REPLY_RECORDS_AT, session.clientWindowBytes());
    }

    // ---- from the client

    /** A message of this stream; any thread. */
    void onMessage(Request request, int sequence, long limit, byte[] message, boolean isCancel) {
        serial.execute(() -> receive(request, sequence, limit, message, isCancel));
    }

    private void receive(Request request, int sequence, long limit, byte[] message, boolean isCancel) {
        if (isOver) {
            session.answers().small(request, Frames.GONE);
            return;
        }
        if (isCancel) {
            session.answers().small(request, Frames.EMPTY);
            abort(Status.CANCELLED.withDescription("the client cancelled the call"), Frames.GONE);
            return;
        }
        kept.add(request);
        outbox.limit(limit);
        try {
            if (sequence != Frames.NO_SEQUENCE) {
                inbox.add(sequence, message, Frames.REQUEST_RECORDS_AT);
                drain();
            }
        } catch (ProtocolException e) {
            cancel(Status.INTERNAL.withDescription("the client's message makes no sense: " + e.getMessage()));
        }
        pump();
    }

    private void drain() throws ProtocolException {
        for (Inbox.Message next = inbox.poll(); next != null && !isOver; next = inbox.poll()) {
            byte[] bytes = next.bytes;
            Reader in = new Reader(bytes, next.recordsAt, bytes.length);
            while (!in.isAtEnd() && !isOver) {
                int type = in.u8();
                int length = in.length();
                int at = in.position();
                in.skip(length);
                record(type, bytes, at, length);
            }
        }
    }

    private void record(int type, byte[] bytes, int at, int length) throws ProtocolException {
        if (type == Frames.HEADERS) {
            begin(new Reader(bytes, at, at + length));
            return;
        }
        HomaServerStream open = stream;
        if (open == null) {
            if (isOver || outbox.isEnded()) {
                return;
            }
            throw new ProtocolException("record of type " + type + " before the headers");
        }
        if (isClientEnded) {
            throw new ProtocolException("record of type " + type + " after the end");
        }
        switch (type) {
            case Frames.DATA -> {
                inbox.received(length);
                open.transportState().inboundDataReceived(ReadableBuffers.wrap(bytes, at, length), false);
            }
            case Frames.END -> {
                isClientEnded = true;
                open.transportState().inboundDataReceived(ReadableBuffers.empty(), true);
            }
            default -> throw new ProtocolException("record of type " + type);
        }
    }

    private void begin(Reader in) throws ProtocolException {
        if (stream != null) {
            throw new ProtocolException("headers came twice");
        }
        String method = in.text(in.u16());
        String authority = in.text(in.u16());
        Metadata headers;
        try {
            headers = MetadataCodec.decode(in, session.options().maxInboundMetadataBytes());
        } catch (MetadataCodec.TooLargeException e) {
            refuse(Status.RESOURCE_EXHAUSTED.withDescription(e.getMessage()));
            return;
        }
        HomaServerStream fresh = HomaServerStream.create(this, session, method, authority, headers);
        stream = fresh;
        session.listener().streamCreated(fresh, method, headers);
        fresh.transportState().onStreamAllocated();
    }

    /** Answers a call that the application never sees. */
    private void refuse(Status status) {
        Metadata trailers = new Metadata();
        trailers.put(InternalStatus.CODE_KEY, status);
        String description = status.getDescription();
        if (description != null) {
            trailers.put(InternalStatus.MESSAGE_KEY, description);
        }
        outbox.end(Frames.TRAILERS, encode(trailers));
    }

    // ---- from the application, in the order of serial

    void headers(Metadata headers, boolean flush) {
        if (isOver) {
            return;
        }
        try {
            outbox.headers(MetadataCodec.encode(headers), flush);
        } catch (MetadataCodec.TooLargeException e) {
            cancel(Status.RESOURCE_EXHAUSTED.withDescription(e.getMessage()));
        }
        pump();
    }

    /** A frame, to be sent at once if {@code flush}. */
    void frame(HeapBuffer frame, boolean flush) {
        if (isOver) {
            sent(frame.length);
            return;
        }
        if (frame.length > 0) {
            outbox.frame(frame);
        }
        if (flush) {
            outbox.flush();
            pump();
        }
    }

    void flush() {
        if (!isOver) {
            outbox.flush();
            pump();
        }
    }

    void trailers(Metadata trailers) {
        if (!isOver) {
            outbox.end(Frames.TRAILERS, encode(trailers));
            pump();
        }
    }

    private static byte[] encode(Metadata trailers) {
        try {
            return MetadataCodec.encode(trailers);
        } catch (MetadataCodec.TooLargeException e) {
            Metadata instead = new Metadata();
            instead.put(InternalStatus.CODE_KEY, Status.RESOURCE_EXHAUSTED);
            instead.put(InternalStatus.MESSAGE_KEY, "trailers: " + e.getMessage());
            try {
                return MetadataCodec.encode(instead);
            } catch (MetadataCodec.TooLargeException impossible) {
                throw new AssertionError(impossible);
            }
        }
    }

    /** The application, or what is wrong with the call, ends it without a status for the client. */
    void cancel(Status status) {
        if (isOver) {
            return;
        }
        Request request = kept.poll();
        if (request != null) {
            byte[] answer = new byte[Frames.REPLY_RECORDS_AT + Frames.RECORD_HEADER_BYTES];
            MemorySegment message = MemorySegment.ofArray(answer);
            preamble(message, outbox.plannedSequence());
            message.set(ValueLayout.JAVA_BYTE, Frames.REPLY_RECORDS_AT, (byte) Frames.CANCEL);
            session.answers().bytes(request, answer);
        }
        abort(status, Frames.GONE);
    }

    void consumed(int bytes) {
        inbox.consumed(bytes);
        if (!isOver && !isPumpQueued && inbox.isLimitWorthTelling()) {
            isPumpQueued = true;
            serial.execute(this::queuedPump);
        }
    }

    // ---- sending

    private void queuedPump() {
        isPumpQueued = false;
        pump();
    }

    /** Answers what can be answered. */
    private void pump() {
        if (isOver) {
            return;
        }
        while (!kept.isEmpty() && outbox.plan()) {
            if (!answerPlanned()) {
                return;
            }
        }
        if (outbox.isDone()) {
            HomaServerStream closed = stream;
            over(Frames.GONE);
            if (closed != null) {
                session.streamEnded(closed);
            }
            return;
        }
        while (kept.size() > KEPT || (!kept.isEmpty() && !isClientEnded && inbox.isLimitWorthTelling())) {
            byte[] credit = new byte[Frames.REPLY_RECORDS_AT];
            preamble(MemorySegment.ofArray(credit), Frames.NO_SEQUENCE);
            session.answers().bytes(kept.remove(), credit);
        }
    }

    private boolean answerPlanned() {
        HomaBuffer message = session.take(outbox.plannedBytes());
        if (message == null) {
            if (!isRetryQueued) {
                isRetryQueued = true;
                session.answers().later(() -> serial.execute(this::retry));
            }
            return false;
        }
        int data = outbox.plannedDataBytes();
        preamble(message.segment(), outbox.plannedSequence());
        outbox.take(message.segment());
        sent(data);
        HomaServerStream open = stream;
        if (outbox.isDone() && open != null) {
            // Before the client can know: what it does next comes after the end of this call, for tracers too.
            open.transportState().complete();
        }
        kept.remove().reply(message);
        return true;
    }

    private void retry() {
        isRetryQueued = false;
        pump();
    }

    private void preamble(MemorySegment message, int sequence) {
        message.set(ValueLayout.JAVA_BYTE, 0, (byte) Frames.VERSION);
        message.set(ValueLayout.JAVA_BYTE, 1, (byte) Frames.STREAM);
        message.set(ClientSession.INT, Frames.REPLY_SEQUENCE_AT, sequence);
        message.set(ClientSession.LONG, Frames.REPLY_LIMIT_AT, inbox.tellLimit());
    }

    private void sent(int bytes) {
        HomaServerStream open = stream;
        if (open != null && bytes > 0) {
            open.transportState().onSentBytes(bytes);
        }
    }

    // ---- the end

    private void failed(Throwable error) {
        cancel(Status.INTERNAL.withDescription("the server's transport failed").withCause(error));
    }

    /** The session ends; any thread. */
    void sessionEnded(Status status) {
        serial.execute(() -> {
            if (!isOver) {
                abort(status, Frames.NO_SESSION);
            }
        });
    }

    /** Ends the call other than by its trailers. */
    private void abort(Status status, int lastAnswer) {
        HomaServerStream aborted = stream;
        over(lastAnswer);
        if (aborted != null) {
            aborted.transportState().transportReportStatus(status);
            session.streamEnded(aborted);
        }
    }

    private void over(int lastAnswer) {
        isOver = true;
        inbox.discard();
        outbox.discard();
        for (Request request = kept.poll(); request != null; request = kept.poll()) {
            session.answers().small(request, lastAnswer);
        }
        session.callEnded(this);
    }
}
