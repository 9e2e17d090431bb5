package io.homa4j;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A request to be answered: once, by any thread, within the handler or later. Answering also gives the request's memory
 * back. If the client has lost interest meanwhile, the answer goes nowhere, silently.
 */
public final class Request extends HomaMessage {
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Request.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final int OPEN = 0;
    private static final int ANSWERED = 1;

    final SocketCore socket;
    final long handle;
    private final long peerHi;
    private final long peerLo;
    private final int peerPort;
    private @Nullable HomaAddress peer;

    @SuppressWarnings("unused") // through STATE
    private volatile int state = OPEN;

    // The server's list of requests in service, oldest first. Owner.
    long startedNs;

    @Nullable
    Request previous;

    @Nullable
    Request next;

    boolean isInService;

    Request(SocketCore socket, long id, long handle, Lease lease) {
        super(id, lease);
        this.socket = socket;
        this.handle = handle;
        this.peerHi = lease.peerHi;
        this.peerLo = lease.peerLo;
        this.peerPort = lease.peerPort;
    }

    @Override
    public HomaAddress peer() {
        HomaAddress known = peer;
        if (known == null) {
            known = HomaAddress.of(peerHi, peerLo, peerPort);
            peer = known;
        }
        return known;
    }

    /**
     * Answers with a copy of the bytes. Waits while the send limit is reached.
     *
     * @param response 1 to 1,000,000 bytes
     * @throws IllegalStateException if the request was answered or dismissed before
     * @throws HomaLimitException if the send limit is reached and this is the thread that turns the engine
     */
    public void reply(byte[] response) {
        reply(MemorySegment.ofArray(response));
    }

    /** As {@link #reply(byte[])}, from any memory: heap, native, or this request's own. */
    public void reply(MemorySegment response) {
        int length = socket.checkLength(response.byteSize());
        checkUnanswered();
        try {
            send(socket.copyResponse(response, length), length);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HomaLimitException(Reason.SEND_LIMIT, "interrupted while waiting to answer " + peer());
        }
    }

    /** As {@link #reply(byte[])}, without a copy: the buffer goes back to its pool when the client has the answer. */
    public void reply(HomaBuffer response) {
        int length = socket.checkLength(response.length());
        checkUnanswered();
        send(response.consume(), length);
    }

    /**
     * As {@link #reply(byte[])}, without waiting.
     *
     * @return false if the send limit is reached: nothing was done
     */
    public boolean tryReply(byte[] response) {
        int length = socket.checkLength(response.length);
        checkUnanswered();
        SendBuffer buffer = socket.loop.sendSpace.tryCopy(MemorySegment.ofArray(response), length, true);
        if (buffer == null) {
            return false;
        }
        send(buffer, length);
        return true;
    }

    /** Ends the RPC without an answer; the client fails within its timeout. Does nothing after an answer. */
    public void dismiss() {
        if (STATE.compareAndSet(this, OPEN, ANSWERED)) {
            socket.loop.submit(new DismissOp(this));
        }
    }

    /** Whether it was answered or dismissed. */
    public boolean isAnswered() {
        return state == ANSWERED;
    }

    private void checkUnanswered() {
        if (isAnswered()) {
            throw new IllegalStateException("the request from " + peer() + " was already answered");
        }
    }

    /** Of two threads that answer at once, one does. */
    private void send(SendBuffer buffer, int length) {
        ReplyOp op = ReplyOp.of(this, buffer, length);
        if (!STATE.compareAndSet(this, OPEN, ANSWERED)) {
            op.refuse(socket.loop);
            checkUnanswered();
        }
        socket.loop.submit(op);
    }

    /** Ends the RPC on the owner. */
    private static final class DismissOp extends Command {
        private final Request request;

        DismissOp(Request request) {
            this.request = request;
        }

        @Override
        void run(EngineLoop loop, long nowNs) {
            request.closeByOwner(nowNs);
            if (!request.socket.isClosed()) {
                loop.endpoint.dismiss(request.handle, nowNs);
            }
            request.socket.answered(request, nowNs);
        }

        @Override
        void refuse(EngineLoop loop) {
            // Ended with the engine.
        }
    }
}
