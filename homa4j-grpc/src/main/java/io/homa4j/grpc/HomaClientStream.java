package io.homa4j.grpc;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ClientStreamTracer;
import io.grpc.InternalStatus;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import io.grpc.internal.AbstractClientStream;
import io.grpc.internal.ClientStreamListener.RpcProgress;
import io.grpc.internal.GrpcUtil;
import io.grpc.internal.ReadableBuffers;
import io.grpc.internal.StatsTraceContext;
import io.grpc.internal.TransportTracer;
import io.grpc.internal.WritableBuffer;
import io.homa4j.HomaBuffer;
import io.homa4j.Reply;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A call at the client. A unary call is one RPC; the messages of a stream are RPCs of their own, a few at a time. At least one
 * RPC is always open, for the server to answer with; two while it sends data.
 *
 * <p>Everything happens in the order of {@link State#serial}, on whichever thread brings it: the application's, or the one that
 * turns the engine. Nothing blocks.
 */
final class HomaClientStream extends AbstractClientStream {
    /** RPCs of one stream at a time. While so many are open, messages gather and go out together. */
    private static final int MAX_OPEN = 8;
    /** RPCs kept open for a server that sends data: while one answer is on its way the next can start. */
    private static final int OPEN_FOR_DATA = 2;

    private final ClientSession session;
    private final MethodDescriptor<?, ?> method;
    private final StatsTraceContext stats;
    private final State state;
    private final Sink sink = new Sink();
    private String authority;

    HomaClientStream(
            ClientSession session,
            MethodDescriptor<?, ?> method,
            Metadata headers,
            CallOptions options,
            StatsTraceContext stats,
            TransportTracer tracer) {
        super(HeapBuffer::allocate, stats, tracer, headers, options, false);
        this.session = session;
        this.method = method;
        this.stats = stats;
        this.authority = session.authority();
        this.state = new State(options, stats, tracer);
    }

    static HomaClientStream create(
            ClientSession session,
            MethodDescriptor<?, ?> method,
            Metadata headers,
            CallOptions options,
            ClientStreamTracer[] tracers) {
        StatsTraceContext stats = StatsTraceContext.newClientContext(tracers, session.getAttributes(), headers);
        return new HomaClientStream(session, method, headers, options, stats, session.stats.begin());
    }

    @Override
    public void setAuthority(String authority) {
        this.authority = authority;
    }

    @Override
    public Attributes getAttributes() {
        return session.getAttributes();
    }

    @Override
    protected State transportState() {
        return state;
    }

    @Override
    protected Sink abstractClientStreamSink() {
        return sink;
    }

    /** The session is over; with {@code progress} MISCARRIED if nothing of this stream can have reached the server. */
    void sessionEnded(Status status) {
        state.serial.execute(() -> state.sessionEnded(status));
    }

    /** One RPC that the server has not answered. */
    private static final class Rpc {
        final CompletableFuture<Reply> future;

        Rpc(CompletableFuture<Reply> future) {
            this.future = future;
        }
    }

    /** What gRPC's framer and the application give; on the application's thread. */
    final class Sink implements AbstractClientStream.Sink {
        @Override
        public void writeHeaders(Metadata metadata, byte @Nullable [] payload) {
            stats.clientOutboundHeaders();
            state.serial.execute(() -> state.start(metadata));
        }

        @Override
        public void writeFrame(@Nullable WritableBuffer frame, boolean endOfStream, boolean flush, int numMessages) {
            HeapBuffer buffer = (HeapBuffer) frame;
            if (buffer != null && buffer.length > 0) {
                onSendingBytes(buffer.length);
            }
            state.serial.execute(() -> state.write(buffer, endOfStream, flush, numMessages));
        }

        @Override
        public void cancel(Status status) {
            state.serial.execute(() -> state.cancel(status));
        }
    }

    final class State extends AbstractClientStream.TransportState {
        final SynchronizationContext serial = new SynchronizationContext((thread, error) -> failed(error));

        private final TransportTracer tracer;
        private final Outbox outbox;
        private final Inbox inbox;
        /** RPCs sent and not answered. */
        private final List<Rpc> open = new ArrayList<>(2);
        /** 0: nothing was sent. */
        private int id;

        /**
         * A call with one request leaves as a whole when the application has ended it, which is right behind the request. What is
         * flushed before (gRPC does so when it may retry) waits, else the end would be an RPC of its own.
         */
        private final boolean isHeldToEnd = method.getType().clientSendsOneMessage();

        private boolean isStarted;
        private boolean hasData;
        /** The server says that it has nothing more to say; what it said may be on its way. */
        private boolean isGone;
        /** Nothing is sent or received any more. */
        private boolean isOver;

        private boolean isPumpQueued;
        private boolean isRetryQueued;

        State(CallOptions options, StatsTraceContext stats, TransportTracer tracer) {
            super(session.maxInboundMessageBytes(), stats, tracer, options);
            this.tracer = tracer;
            this.outbox = new Outbox(Frames.REQUEST_RECORDS_AT, session.serverWindowBytes());
            this.inbox = new Inbox(session.windowBytes());
        }

        // ---- from the application

        private void start(Metadata metadata) {
            isStarted = true;
            onStreamAllocated();
            Status refusal = session.register(HomaClientStream.this);
            if (refusal != null) {
                over();
                transportReportStatus(refusal, RpcProgress.MISCARRIED, true, new Metadata());
                return;
            }
            tracer.reportLocalStreamStarted();
            metadata.discardAll(GrpcUtil.CONTENT_TYPE_KEY);
            metadata.discardAll(GrpcUtil.TE_HEADER);
            metadata.discardAll(GrpcUtil.USER_AGENT_KEY);
            metadata.put(GrpcUtil.USER_AGENT_KEY, session.userAgent());
            byte[] fields;
            try {
                fields = MetadataCodec.encode(metadata);
            } catch (MetadataCodec.TooLargeException e) {
                end(Status.RESOURCE_EXHAUSTED.withDescription(e.getMessage()), RpcProgress.PROCESSED);
                return;
            }
            byte[] path = method.getFullMethodName().getBytes(StandardCharsets.UTF_8);
            byte[] host = authority.getBytes(StandardCharsets.UTF_8);
            ByteBuffer body = ByteBuffer.allocate(4 + path.length + host.length + fields.length);
            body.putShort((short) path.length)
                    .put(path)
                    .putShort((short) host.length)
                    .put(host)
                    .put(fields);
            // To any other call the server may speak first.
            outbox.headers(body.array(), !isHeldToEnd);
            pump();
        }

        private void write(@Nullable HeapBuffer frame, boolean isEnd, boolean flush, int messages) {
            if (messages > 0) {
                tracer.reportMessageSent(messages);
            }
            if (isOver) {
                sent(frame == null ? 0 : frame.length);
                return;
            }
            if (frame != null && frame.length > 0) {
                outbox.frame(frame);
            }
            if (isEnd) {
                outbox.end(Frames.END);
            } else if (flush && !isHeldToEnd) {
                outbox.flush();
            }
            pump();
        }

        private void cancel(Status status) {
            if (!isOver) {
                tellCancel();
                over();
            }
            if (isStarted) {
                transportReportStatus(status, true, new Metadata());
            }
        }

        @Override
        public void bytesRead(int bytes) {
            inbox.consumed(bytes);
            if (!isOver && !isPumpQueued && inbox.isLimitWorthTelling()) {
                isPumpQueued = true;
                serial.execute(this::queuedPump);
            }
        }

        @Override
        public void deframeFailed(Throwable cause) {
            failed(cause);
        }

        @Override
        public void runOnTransportThread(Runnable task) {
            serial.execute(task);
        }

        @Override
        public void deframerClosed(boolean hasPartialMessage) {
            super.deframerClosed(hasPartialMessage);
            session.stats.end(tracer);
        }

        private void failed(Throwable cause) {
            cancel(Status.fromThrowable(cause));
        }

        // ---- sending

        private void queuedPump() {
            isPumpQueued = false;
            pump();
        }

        /** Sends what can be sent, and asks for more. */
        private void pump() {
            while (!isOver && open.size() < MAX_OPEN && outbox.plan()) {
                if (!sendPlanned()) {
                    return;
                }
            }
            if (isOver || id == 0) {
                return;
            }
            if (isGone) {
                if (open.isEmpty()) {
                    end(Status.CANCELLED.withDescription("the server ended the call without a status"));
                }
                return;
            }
            int wanted = hasData ? OPEN_FOR_DATA : 1;
            while (open.size() < wanted || (inbox.isLimitWorthTelling() && open.size() < MAX_OPEN)) {
                if (!sendPull()) {
                    return;
                }
            }
        }

        private boolean sendPlanned() {
            HomaBuffer message = session.take(outbox.plannedBytes());
            if (message == null) {
                retryLater();
                return false;
            }
            int data = outbox.plannedDataBytes();
            begin();
            preamble(message.segment(), outbox.plannedSequence());
            outbox.take(message.segment());
            send(message);
            sent(data);
            return true;
        }

        private boolean sendPull() {
            HomaBuffer message = session.take(Frames.REQUEST_RECORDS_AT);
            if (message == null) {
                retryLater();
                return false;
            }
            preamble(message.segment(), Frames.NO_SEQUENCE);
            send(message);
            return true;
        }

        /** Numbers are given when streams begin to send, so that the server sees them nearly in order. */
        private void begin() {
            if (id == 0) {
                id = session.nextStreamId();
            }
        }

        private void preamble(MemorySegment message, int sequence) {
            session.preamble(message, Frames.STREAM);
            message.set(ClientSession.INT, Frames.STREAM_AT, id);
            message.set(ClientSession.INT, Frames.REQUEST_SEQUENCE_AT, sequence);
            message.set(ClientSession.LONG, Frames.REQUEST_LIMIT_AT, inbox.tellLimit());
        }

        private void send(HomaBuffer message) {
            CompletableFuture<Reply> future = session.call(message);
            Rpc rpc = new Rpc(future);
            open.add(rpc);
            var _ = future.whenComplete((reply, failure) -> {
                byte @Nullable [] bytes = reply == null ? null : ClientSession.take(reply);
                serial.execute(() -> onOutcome(rpc, bytes, failure));
            });
        }

        private void sent(int bytes) {
            if (bytes > 0) {
                onSentBytes(bytes);
            }
        }

        /** All send memory is in use. */
        private void retryLater() {
            if (!isRetryQueued) {
                isRetryQueued = true;
                session.later(() -> serial.execute(this::retry));
            }
        }

        private void retry() {
            isRetryQueued = false;
            pump();
        }

        private void tellCancel() {
            if (id == 0) {
                return;
            }
            byte[] message = new byte[Frames.REQUEST_RECORDS_AT + Frames.RECORD_HEADER_BYTES];
            MemorySegment segment = MemorySegment.ofArray(message);
            preamble(segment, Frames.NO_SEQUENCE);
            segment.set(ValueLayout.JAVA_BYTE, Frames.REQUEST_RECORDS_AT, (byte) Frames.CANCEL);
            session.tell(message);
        }

        // ---- receiving

        private void onOutcome(Rpc rpc, byte @Nullable [] reply, @Nullable Throwable failure) {
            open.remove(rpc);
            if (isOver) {
                return;
            }
            if (reply == null) {
                Status status = session.rpcFailed(failure);
                end(status);
                return;
            }
            session.heard();
            try {
                onReply(reply);
            } catch (ProtocolException e) {
                tellCancel();
                end(Status.INTERNAL.withDescription("the server's answer makes no sense: " + e.getMessage()));
                return;
            }
            pump();
        }

        private void onReply(byte[] reply) throws ProtocolException {
            Reader in = new Reader(reply, 0, reply.length);
            int version = in.u8();
            int kind = in.u8();
            if (version != Frames.VERSION) {
                throw new ProtocolException("version " + version);
            }
            switch (kind) {
                case Frames.STREAM -> {
                    int sequence = in.i32();
                    outbox.limit(in.i64());
                    if (sequence != Frames.NO_SEQUENCE) {
                        inbox.add(sequence, reply, Frames.REPLY_RECORDS_AT);
                        receive();
                    }
                }
                case Frames.EMPTY -> {}
                case Frames.REFUSED -> {
                    session.onGoAway();
                    end(
                            Status.UNAVAILABLE.withDescription("the server takes no new calls in this session"),
                            RpcProgress.REFUSED);
                }
                case Frames.NO_SESSION -> {
                    Status status = Status.UNAVAILABLE.withDescription(
                            "the server does not know the session: it was restarted or shut down");
                    session.lost(status);
                    end(status);
                }
                case Frames.GONE -> isGone = true;
                default -> throw new ProtocolException("reply of kind " + kind);
            }
        }

        private void receive() throws ProtocolException {
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
            switch (type) {
                case Frames.HEADERS -> {
                    Metadata headers = metadata(bytes, at, length);
                    if (headers != null) {
                        inboundHeadersReceived(headers);
                    }
                }
                case Frames.DATA -> {
                    inbox.received(length);
                    hasData = true;
                    inboundDataReceived(ReadableBuffers.wrap(bytes, at, length));
                }
                case Frames.TRAILERS -> {
                    Metadata trailers = metadata(bytes, at, length);
                    if (trailers != null) {
                        over();
                        Status status = trailers.get(InternalStatus.CODE_KEY);
                        if (status == null) {
                            throw new ProtocolException("trailers without a status");
                        }
                        String message = trailers.get(InternalStatus.MESSAGE_KEY);
                        trailers.discardAll(InternalStatus.CODE_KEY);
                        trailers.discardAll(InternalStatus.MESSAGE_KEY);
                        inboundTrailersReceived(trailers, message == null ? status : status.withDescription(message));
                    }
                }
                case Frames.CANCEL -> end(Status.CANCELLED.withDescription("the server cancelled the call"));
                default -> throw new ProtocolException("record of type " + type);
            }
        }

        /** Null: it was too large, and the stream is over. */
        private @Nullable Metadata metadata(byte[] bytes, int at, int length) throws ProtocolException {
            try {
                return MetadataCodec.decode(new Reader(bytes, at, at + length), session.maxInboundMetadataBytes());
            } catch (MetadataCodec.TooLargeException e) {
                tellCancel();
                end(Status.RESOURCE_EXHAUSTED.withDescription(e.getMessage()));
                return null;
            }
        }

        // ---- the end

        private void sessionEnded(Status status) {
            if (!isOver) {
                end(status, id == 0 ? RpcProgress.MISCARRIED : RpcProgress.PROCESSED);
            }
        }

        private void end(Status status) {
            end(status, RpcProgress.PROCESSED);
        }

        private void end(Status status, RpcProgress progress) {
            over();
            transportReportStatus(status, progress, true, new Metadata());
        }

        /** Nothing is sent or expected any more. */
        private void over() {
            isOver = true;
            inbox.discard();
            outbox.discard();
            List<Rpc> abandoned = List.copyOf(open);
            open.clear();
            for (Rpc rpc : abandoned) {
                rpc.future.cancel(false);
            }
            session.unregister(HomaClientStream.this);
        }
    }
}
