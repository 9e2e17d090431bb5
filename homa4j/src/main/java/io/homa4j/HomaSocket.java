package io.homa4j;

import io.homa4j.protocol.SocketInfo;
import io.homa4j.protocol.Status;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The module's socket API (spec api) in Java: one socket can be client and server at once and talk to any number of peers.
 *
 * <p>A <i>shared</i> request is sent with {@link #send}; its outcome comes out of {@link #receive}, together with the requests
 * of others, in the order in which they became ready, with the cookie given. A <i>private</i> request is a {@link #call}: its
 * outcome goes to its caller alone.
 *
 * <p>What differs from the module, on purpose: only whole messages are announced, so a ready socket always gives a message;
 * arguments are checked before anything happens, so a wrong response does not destroy its RPC; an RPC that failed is an
 * ordinary result of {@code receive} with a {@link HomaMessage#failure}, while a call that failed throws; aborting an unknown
 * RPC returns false. As in the module, nobody tells the peer of an abort, and a response is acknowledged when it is received
 * by the application. Any thread.
 */
public final class HomaSocket implements AutoCloseable {
    private final SocketCore core;
    private final EngineLoop loop;
    private final Duration defaultDeadline;
    private final Duration linger;

    HomaSocket(SocketCore core, Duration defaultDeadline, Duration linger) {
        this.core = core;
        this.loop = core.loop;
        this.defaultDeadline = defaultDeadline;
        this.linger = linger;
    }

    SocketCore core() {
        return core;
    }

    /** The UDP port. */
    public int port() {
        return core.port;
    }

    /** Whether requests of others are taken; RPCs in progress are not affected. */
    public void acceptRequests(boolean accept) {
        loop.ask(
                () -> {
                    if (!core.isClosing()) {
                        loop.endpoint.acceptRequests(core.number, accept);
                        core.keepAttention(accept);
                    }
                    return null;
                },
                null);
    }

    // ---- shared requests

    /**
     * Sends a shared request with a copy of the bytes; waits while the send limit is reached, not for the outcome.
     *
     * @param request 1 to 1,000,000 bytes
     * @param cookie comes back with the outcome
     * @return the RPC's id
     * @throws HomaClosedException if the socket is or gets closed
     * @throws HomaAddressException if the address names an encapsulation that this {@link Homa} does not have
     */
    public long send(HomaAddress to, byte[] request, @Nullable Object cookie) throws InterruptedException {
        return send(to, MemorySegment.ofArray(request), cookie);
    }

    /** As {@link #send(HomaAddress, byte[], Object)}, from heap or native memory. */
    public long send(HomaAddress to, MemorySegment request, @Nullable Object cookie) throws InterruptedException {
        loop.checkStack();
        to.checkFits(loop.config);
        int length = core.checkLength(request.byteSize());
        return send(to, core.copyRequest(request, length, Op.NO_DEADLINE), length, cookie);
    }

    /** As {@link #send(HomaAddress, byte[], Object)}, without a copy. */
    public long send(HomaAddress to, HomaBuffer request, @Nullable Object cookie) throws InterruptedException {
        loop.checkStack();
        to.checkFits(loop.config);
        return send(to, request.consume(), request.length(), cookie);
    }

    private long send(HomaAddress to, SendBuffer buffer, int length, @Nullable Object cookie)
            throws InterruptedException {
        SharedRequest op = new SharedRequest(core, to, buffer, length, cookie, !loop.isOwner());
        if (loop.executeQuietly(op) && op.isRefusedForLimit()) {
            throw new InterruptedException();
        }
        return op.id();
    }

    /**
     * As {@link #send(HomaAddress, byte[], Object)}, without waiting.
     *
     * @return the RPC's id; 0 if the send limit is reached: nothing was done
     */
    public long trySend(HomaAddress to, byte[] request, @Nullable Object cookie) {
        loop.checkStack();
        to.checkFits(loop.config);
        int length = core.checkLength(request.length);
        SendBuffer buffer = loop.sendSpace.tryCopy(MemorySegment.ofArray(request), length, false);
        if (buffer == null) {
            return 0;
        }
        SharedRequest op = new SharedRequest(core, to, buffer, length, cookie, false);
        if (loop.executeQuietly(op)) {
            Thread.currentThread().interrupt();
        }
        return op.isRefusedForLimit() ? 0 : op.id();
    }

    // ---- private requests

    /** A private RPC with the default deadline; see {@link Homa#call(HomaAddress, byte[])}. */
    public Reply call(HomaAddress to, byte[] request) throws InterruptedException {
        return call(to, request, defaultDeadline);
    }

    /** A private RPC; see {@link Homa#call(HomaAddress, byte[], Duration)}. */
    public Reply call(HomaAddress to, byte[] request, Duration deadline) throws InterruptedException {
        return call(to, MemorySegment.ofArray(request), deadline);
    }

    /** A private RPC from heap or native memory, which is copied. */
    public Reply call(HomaAddress to, MemorySegment request, Duration deadline) throws InterruptedException {
        to.checkFits(loop.config);
        int length = core.checkLength(request.byteSize());
        core.checkMayBlock();
        long deadlineNs = deadlineNs(deadline);
        return core.call(to, core.copyRequest(request, length, deadlineNs), length, deadlineNs);
    }

    /** A private RPC without a copy. */
    public Reply call(HomaAddress to, HomaBuffer request, Duration deadline) throws InterruptedException {
        to.checkFits(loop.config);
        core.checkMayBlock();
        return core.call(to, request.consume(), request.length(), deadlineNs(deadline));
    }

    /** A private RPC with the default deadline; see {@link Homa#callAsync(HomaAddress, byte[])}. */
    public CompletableFuture<Reply> callAsync(HomaAddress to, byte[] request) {
        return callAsync(to, request, defaultDeadline);
    }

    /** A private RPC; see {@link Homa#callAsync(HomaAddress, byte[], Duration)}. */
    public CompletableFuture<Reply> callAsync(HomaAddress to, byte[] request, Duration deadline) {
        return callAsync(to, MemorySegment.ofArray(request), deadline);
    }

    /** A private RPC from heap or native memory, which is copied. */
    public CompletableFuture<Reply> callAsync(HomaAddress to, MemorySegment request, Duration deadline) {
        to.checkFits(loop.config);
        int length = core.checkLength(request.byteSize());
        if (loop.isClosed()) {
            return CompletableFuture.failedFuture(loop.closedException("the socket"));
        }
        SendBuffer buffer = loop.sendSpace.tryCopy(request, length, false);
        if (buffer == null) {
            return CompletableFuture.failedFuture(new HomaLimitException(Reason.SEND_LIMIT, "call to " + to));
        }
        return core.callAsync(to, buffer, length, deadlineNs(deadline));
    }

    /** A private RPC without a copy. */
    public CompletableFuture<Reply> callAsync(HomaAddress to, HomaBuffer request, Duration deadline) {
        to.checkFits(loop.config);
        return core.callAsync(to, request.consume(), request.length(), deadlineNs(deadline));
    }

    // ---- receiving

    /**
     * The next shared message: a {@link Request} to be answered, or the outcome of a {@link #send}. Waits for it; of several
     * waiting threads the newest gets the next message.
     *
     * @throws HomaClosedException if the socket is or gets closed
     */
    public HomaMessage receive() throws InterruptedException {
        return Objects.requireNonNull(receive(Op.NO_DEADLINE));
    }

    /** As {@link #receive()}; null if none comes in time. */
    public @Nullable HomaMessage receive(Duration wait) throws InterruptedException {
        return receive(deadlineNs(wait));
    }

    private @Nullable HomaMessage receive(long deadlineNs) throws InterruptedException {
        core.checkMayBlock();
        ReceiveOp op = new ReceiveOp(core, true, deadlineNs);
        boolean interrupted = loop.executeQuietly(op);
        HomaMessage message = op.message();
        if (interrupted) {
            if (message == null) {
                throw new InterruptedException();
            }
            // It was handed over in the same moment: no message is lost, the interrupt is kept for later.
            Thread.currentThread().interrupt();
        }
        return message;
    }

    /** The next shared message if there is one, else null. */
    public @Nullable HomaMessage poll() {
        loop.checkStack();
        if (loop.isOwner()) {
            return core.receive(loop.turn.nowNs());
        }
        ReceiveOp op = new ReceiveOp(core, false, Op.NO_DEADLINE);
        if (loop.executeQuietly(op)) {
            Thread.currentThread().interrupt();
        }
        return op.message();
    }

    /**
     * Calls back when a shared message is ready and no thread waits for it; the callback should {@link #poll} until null. It
     * runs on the thread that turns the engine: it must be short and must not block. Null ends it.
     */
    public void onReadable(@Nullable Runnable callback) {
        loop.ask(
                () -> {
                    if (!core.isClosing()) {
                        core.readable(callback, loop.turn.nowNs());
                    }
                    return null;
                },
                null);
    }

    /** Answers a request of this socket; see {@link Request#reply(byte[])}. */
    public void reply(HomaMessage request, byte[] response) {
        asRequest(request).reply(response);
    }

    /** Answers a request of this socket; see {@link Request#reply(MemorySegment)}. */
    public void reply(HomaMessage request, MemorySegment response) {
        asRequest(request).reply(response);
    }

    /** Answers a request of this socket; see {@link Request#reply(HomaBuffer)}. */
    public void reply(HomaMessage request, HomaBuffer response) {
        asRequest(request).reply(response);
    }

    private static Request asRequest(HomaMessage message) {
        if (message instanceof Request request) {
            return request;
        }
        throw new IllegalArgumentException("only a request can be answered, and this is the outcome of one");
    }

    // ---- abort

    /**
     * Ends an own request: nothing is delivered for it. The server is not told.
     *
     * @return false if there is no such RPC (any more)
     */
    public boolean abort(long id) {
        return loop.ask(() -> !core.isClosed() && loop.endpoint.forget(id, loop.turn.nowNs()) >= 0, false);
    }

    /**
     * Ends an own request; its outcome is a failure with {@link Reason#ABORTED} and this code, even if the response was there.
     *
     * @return false if there is no such RPC (any more)
     */
    public boolean abort(long id, int code) {
        return loop.ask(
                () -> !core.isClosed() && loop.endpoint.abort(id, Status.ABORTED, code, loop.turn.nowNs()) >= 0, false);
    }

    /**
     * Ends all own requests of this socket, private ones too, with {@link Reason#ABORTED} and this code.
     *
     * @return how many there were
     */
    public int abortAll(int code) {
        return loop.ask(
                () -> core.isClosed()
                        ? 0
                        : Math.max(0, loop.endpoint.abortAll(core.number, Status.ABORTED, code, loop.turn.nowNs())),
                0);
    }

    /** What the engine knows about the socket and its RPCs. */
    public SocketInfo info() {
        SocketInfo info = loop.ask(() -> core.isClosed() ? null : loop.endpoint.socketInfo(core.number), null);
        if (info == null) {
            throw loop.closedException("the socket");
        }
        return info;
    }

    // ---- the end

    /**
     * The module's shutdown: all RPCs end at once, waiting threads and calls fail with {@link HomaClosedException}, the port
     * is free. Messages received remain readable only until then. Same as {@link #closeNow}.
     */
    public void shutdown() {
        closeNow();
    }

    /**
     * Takes no more requests, lets calls and responses in progress finish for up to {@link Homa.Builder#closeLinger}, then
     * ends. Idempotent. From within a handler or callback it returns at once.
     */
    @Override
    public void close() {
        core.close(linger);
    }

    /** Ends at once. */
    public void closeNow() {
        core.close(Duration.ZERO);
    }

    static long deadlineNs(Duration wait) {
        if (wait.isNegative() || wait.isZero()) {
            throw new IllegalArgumentException("a deadline of " + wait + ": it must be positive");
        }
        // Beyond a century it is for ever.
        return wait.compareTo(Duration.ofDays(36_500)) > 0 ? Op.NO_DEADLINE : System.nanoTime() + wait.toNanos();
    }
}
