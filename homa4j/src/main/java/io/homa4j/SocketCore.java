package io.homa4j;

import io.homa4j.driver.DriverException;
import io.homa4j.protocol.Address;
import io.homa4j.protocol.Message;
import io.homa4j.protocol.Status;
import java.lang.System.Logger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * One socket: its port, its receive region, who waits for it, what is open on it. {@link HomaSocket}, {@link HomaServer} and
 * the calls of {@link Homa} are faces of it. Methods belong to the owner unless they say otherwise.
 */
@SuppressWarnings("NonAtomicVolatileUpdate") // volatile counters here have one writer: the owner
final class SocketCore {
    private static final Logger LOG = System.getLogger(SocketCore.class.getName());
    private static final byte POISON = (byte) 0xDB;

    final EngineLoop loop;
    final int number;
    /** The UDP port. */
    final int port;

    private final Arena arena;
    private final MemorySegment region;
    private final CountDownLatch closedLatch = new CountDownLatch(1);
    private volatile boolean isClosed;
    private volatile boolean isClosing;

    /** What the server makes of a request; null for a socket without a server. */
    private @Nullable HomaServer server;
    /** Called when a shared message is ready. */
    private @Nullable Runnable readable;

    /** Threads in receive, newest first: its caches are warm (spec api 7). */
    private final ArrayDeque<ReceiveOp> waiters = new ArrayDeque<>();

    final DeferredSends deferredSends = new DeferredSends();
    /** Open private calls, newest first. */
    private @Nullable PendingCall calls;

    private int openCalls;
    /** Requests the application has and has not answered. */
    private volatile int inService;

    private long closeByNs;
    private boolean keepsAttention;

    /** Pieces of the region the application has, oldest first. */
    private @Nullable Lease oldestHeld;

    private @Nullable Lease newestHeld;
    private int heldCount;
    private long heldBytes;
    private @Nullable Lease freeLeases;

    private SocketCore(EngineLoop loop, int number, int port, Arena arena, MemorySegment region) {
        this.loop = loop;
        this.number = number;
        this.port = port;
        this.arena = arena;
        this.region = region;
    }

    /**
     * Binds a port and opens a socket on it. Any thread.
     *
     * @param port 0 for a free one
     * @throws HomaOpenException if the port cannot be had
     */
    static SocketCore open(
            EngineLoop loop, @Nullable InetAddress local, int port, boolean acceptsRequests, long regionBytes) {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("port " + port + " is not between 0 and 65535");
        }
        loop.checkStack();
        if (loop.isClosed()) {
            throw loop.closedException("this Homa");
        }
        int bound;
        try {
            bound = loop.driver.bind(local, port);
        } catch (DriverException e) {
            throw new HomaOpenException(e);
        }
        Arena arena = newArena();
        Object opened = null;
        try {
            MemorySegment region = arena.allocate(regionBytes, 64);
            opened = loop.ask(
                    () -> open(loop, bound, acceptsRequests, arena, region), loop.closedException("this Homa"));
        } finally {
            if (!(opened instanceof SocketCore)) {
                arena.close();
                loop.ask(
                        () -> {
                            loop.driver.unbind(bound);
                            return null;
                        },
                        null);
            }
        }
        if (opened instanceof SocketCore socket) {
            return socket;
        }
        throw (HomaException) opened;
    }

    @SuppressWarnings("MustBeClosedChecker") // closed with the socket
    private static Arena newArena() {
        return Arena.ofShared();
    }

    /** A socket, or the exception that says why there is none. */
    private static Object open(EngineLoop loop, int port, boolean acceptsRequests, Arena arena, MemorySegment region) {
        int number = loop.endpoint.openSocket(port, acceptsRequests, region);
        if (number < 0) {
            return new HomaOpenException(port, Status.of(number));
        }
        loop.driver.attach(port, number);
        SocketCore socket = new SocketCore(loop, number, port, arena, region);
        loop.sockets.add(socket);
        return socket;
    }

    // ---- messages

    /** Takes the oldest ready shared message; null if there is none. */
    @Nullable
    HomaMessage receive(long nowNs) {
        Message message = loop.turn.message;
        if (isClosed || !loop.endpoint.receive(number, message, nowNs)) {
            return null;
        }
        loop.turn.touch();
        Lease lease = message.status == Status.OK ? lease(message, nowNs) : null;
        if (message.isRequest && lease != null) {
            Request request = new Request(this, message.id, message.handle, lease);
            inService = inService + 1;
            return request;
        }
        SharedRequest sent = (SharedRequest) message.attachment;
        HomaAddress peer = sent == null ? HomaAddress.of(message.peerHi, message.peerLo, message.peerPort) : sent.to();
        Object cookie = sent == null ? null : sent.cookie;
        HomaRpcException failure = lease != null
                ? null
                : new HomaRpcException(
                        Reason.of(message.status),
                        message.id,
                        peer,
                        cookie,
                        message.abortCode,
                        message.status == Status.NO_RECEIVE_SPACE ? describeHeld(nowNs) : "");
        return new Reply(message.id, peer, cookie, lease, failure);
    }

    /** The engine has a shared message. */
    void onReadable(long nowNs) {
        HomaServer serving = server;
        if (serving != null) {
            serving.pump(nowNs);
            return;
        }
        for (ReceiveOp waiter = waiters.peek(); waiter != null; waiter = waiters.peek()) {
            HomaMessage message = receive(nowNs);
            if (message == null) {
                return;
            }
            removeWaiter(waiter);
            loop.deadlines.remove(waiter);
            waiter.succeed(message);
        }
        Runnable callback = readable;
        if (callback != null) {
            loop.turn.enterApplication();
            try {
                callback.run();
            } catch (Throwable e) {
                loop.applicationErrors.ofCallbacks.report(
                        () -> "the onReadable callback of port " + port + " failed", e);
            } finally {
                loop.turn.leaveApplication();
            }
        }
    }

    /** A request is answered or dismissed. */
    void answered(Request request, long nowNs) {
        inService = inService - 1;
        HomaServer serving = server;
        if (serving != null) {
            serving.answered(request, nowNs);
        }
    }

    void addWaiter(ReceiveOp waiter) {
        waiters.push(waiter);
        loop.addAttention(1);
    }

    void removeWaiter(ReceiveOp waiter) {
        if (waiters.remove(waiter)) {
            loop.addAttention(-1);
        }
    }

    void readable(@Nullable Runnable callback, long nowNs) {
        readable = callback;
        keepAttention(callback != null);
        if (callback != null) {
            onReadable(nowNs);
        }
    }

    void server(HomaServer serving) {
        server = serving;
        keepAttention(true);
    }

    /** Whether the engine has to be turned for this socket at any time. */
    void keepAttention(boolean wanted) {
        if (wanted != keepsAttention) {
            keepsAttention = wanted;
            loop.addAttention(wanted ? 1 : -1);
        }
    }

    // ---- calls

    void opened(PendingCall call) {
        call.next = calls;
        call.previous = null;
        if (calls != null) {
            calls.previous = call;
        }
        calls = call;
        openCalls++;
        loop.addAttention(1);
    }

    void over(PendingCall call) {
        if (call.previous == null && calls != call) {
            return;
        }
        if (call.previous == null) {
            calls = call.next;
        } else {
            call.previous.next = call.next;
        }
        if (call.next != null) {
            call.next.previous = call.previous;
        }
        call.next = null;
        call.previous = null;
        openCalls--;
        loop.addAttention(-1);
    }

    void failCalls(long nowNs) {
        for (PendingCall call = calls; call != null; call = calls) {
            call.onClose(loop, nowNs);
        }
    }

    // ---- receive memory

    /** The application gets the message just received. */
    Lease lease(Message message, long nowNs) {
        Lease lease = freeLeases;
        if (lease == null) {
            lease = new Lease(this);
        } else {
            freeLeases = lease.next;
        }
        lease.regionOffset = message.regionOffset;
        lease.length = message.length;
        lease.takenNs = nowNs;
        lease.isRequest = message.isRequest;
        lease.peerHi = message.peerHi;
        lease.peerLo = message.peerLo;
        lease.peerPort = message.peerPort;
        lease.taken = loop.debug ? new Throwable("taken here") : null;
        lease.next = null;
        lease.previous = newestHeld;
        if (newestHeld == null) {
            oldestHeld = lease;
        } else {
            newestHeld.next = lease;
        }
        newestHeld = lease;
        heldCount++;
        heldBytes += lease.length;
        return lease;
    }

    /** The application has given the piece back. */
    void release(Lease lease, long nowNs) {
        if (isClosed) {
            return;
        }
        if (loop.debug) {
            lease.segment().fill(POISON);
        }
        loop.endpoint.release(number, lease.regionOffset, nowNs);
        loop.turn.touch();
        if (lease.previous == null) {
            oldestHeld = lease.next;
        } else {
            lease.previous.next = lease.next;
        }
        if (lease.next == null) {
            newestHeld = lease.previous;
        } else {
            lease.next.previous = lease.previous;
        }
        heldCount--;
        heldBytes -= lease.length;
        lease.previous = null;
        lease.taken = null;
        lease.next = freeLeases;
        freeLeases = lease;
    }

    /** Who has the receive memory, in one line. */
    String describeHeld(long nowNs) {
        Lease oldest = oldestHeld;
        String held = String.format(
                Locale.ROOT,
                "the application holds %d messages with %,d of %,d bytes of port %d",
                heldCount,
                heldBytes,
                region.byteSize(),
                port);
        if (oldest == null) {
            return held + ", the rest is held by messages on their way";
        }
        String where = "";
        if (oldest.taken != null && oldest.taken.getStackTrace().length > 0) {
            where = ", taken at " + oldest.taken.getStackTrace()[0];
        }
        return held
                + String.format(
                        Locale.ROOT,
                        "; the oldest is a %s %s %s:%d, %d bytes, for %.1f s%s",
                        oldest.isRequest ? "request" : "reply",
                        "from",
                        Address.text(oldest.peerHi, oldest.peerLo),
                        oldest.peerPort,
                        oldest.length,
                        (nowNs - oldest.takenNs) / 1e9,
                        where);
    }

    /** Any thread; throws when touched after the socket was closed. */
    MemorySegment region() {
        return region;
    }

    // ---- closing

    /** No new requests in or out; those in progress have until then. */
    void beginClose(long nowNs, long lingerNs) {
        long byNs = nowNs + lingerNs;
        if (isClosing) {
            closeByNs = byNs - closeByNs < 0 ? byNs : closeByNs;
            return;
        }
        isClosing = true;
        closeByNs = byNs;
        loop.endpoint.beginClose(number, nowNs);
        for (ReceiveOp waiter = waiters.peek(); waiter != null; waiter = waiters.peek()) {
            removeWaiter(waiter);
            loop.deadlines.remove(waiter);
            waiter.refuse(loop);
        }
        loop.sockets.addClosing(this);
    }

    /** Whether nothing is left that closing would lose. */
    boolean isDrained() {
        return openCalls == 0 && inService == 0 && loop.endpoint.isDrained(number);
    }

    long closeByNs() {
        return closeByNs;
    }

    /** Everything is over: the port is free, the memory too. */
    void closed() {
        keepAttention(false);
        isClosing = true;
        isClosed = true;
        deferredSends.refuseAll(loop);
        try {
            arena.close();
        } catch (IllegalStateException e) {
            LOG.log(
                    Logger.Level.WARNING,
                    "a view of a received message is in use by an operation; the receive region of port " + port
                            + " stays allocated",
                    e);
        }
        closedLatch.countDown();
        HomaServer serving = server;
        if (serving != null) {
            serving.closed();
        }
    }

    /** The engine is broken: lets nobody wait, without asking it. */
    void abandon() {
        isClosing = true;
        for (PendingCall call = calls; call != null; call = calls) {
            over(call);
            call.refuse(loop);
        }
        for (ReceiveOp waiter = waiters.poll(); waiter != null; waiter = waiters.poll()) {
            waiter.refuse(loop);
        }
        closed();
    }

    // ---- any thread

    boolean isClosed() {
        return isClosed;
    }

    boolean isClosing() {
        return isClosing;
    }

    int inService() {
        return inService;
    }

    /** Closes and waits for the end, unless this is the thread that turns the engine. */
    void close(Duration linger) {
        long lingerNs = linger.toNanos();
        loop.ask(
                () -> {
                    if (!isClosed) {
                        beginClose(loop.turn.nowNs(), lingerNs);
                    }
                    return null;
                },
                null);
        if (!loop.isOwner()) {
            loop.awaitEnd(closedLatch);
        }
    }

    void awaitClosed() throws InterruptedException {
        loop.awaitLatch(closedLatch);
    }

    int checkLength(long length) {
        if (length < 1 || length > loop.config.maxMessageBytes) {
            throw new IllegalArgumentException(
                    "a message of " + length + " bytes: it must have 1 to " + loop.config.maxMessageBytes);
        }
        return (int) length;
    }

    /**
     * Send memory; waits for it.
     *
     * @throws HomaLimitException if there is none until the deadline, or at once on the thread that turns the engine
     */
    private SendBuffer takeBuffer(int length, boolean isResponse, long deadlineNs) throws InterruptedException {
        SendBuffer buffer = loop.sendSpace.tryTake(length, isResponse);
        if (buffer != null) {
            return buffer;
        }
        if (!loop.isOwner()) {
            MemoryOp op = new MemoryOp(length, isResponse, deadlineNs);
            boolean interrupted = loop.executeQuietly(op);
            buffer = op.buffer();
            if (interrupted) {
                if (buffer != null) {
                    loop.sendSpace.giveBack(buffer);
                }
                throw new InterruptedException();
            }
            if (buffer != null) {
                return buffer;
            }
            if (loop.isClosed()) {
                throw loop.closedException("this Homa");
            }
        }
        throw new HomaLimitException(Reason.SEND_LIMIT, "send memory of " + loop.sendSpace.limitBytes() + " bytes");
    }

    /** Send memory with a copy of a request; waits for it as long as that. */
    SendBuffer copyRequest(MemorySegment message, int length, long deadlineNs) throws InterruptedException {
        return copy(message, length, false, deadlineNs);
    }

    /** Send memory with a copy of a response; waits for it. */
    SendBuffer copyResponse(MemorySegment message, int length) throws InterruptedException {
        return copy(message, length, true, Op.NO_DEADLINE);
    }

    private SendBuffer copy(MemorySegment message, int length, boolean isResponse, long deadlineNs)
            throws InterruptedException {
        SendBuffer buffer = takeBuffer(length, isResponse, deadlineNs);
        loop.sendSpace.copy(message, buffer, length);
        return buffer;
    }

    /** A blocking private RPC. */
    Reply call(HomaAddress to, SendBuffer buffer, int length, long deadlineNs) throws InterruptedException {
        PendingCall call = PendingCall.of(this, to, buffer, length, deadlineNs);
        if (loop.executeQuietly(call)) {
            call.discard();
            throw new InterruptedException();
        }
        return call.outcome();
    }

    /** A private RPC as a future. */
    CompletableFuture<Reply> callAsync(HomaAddress to, SendBuffer buffer, int length, long deadlineNs) {
        PendingCall call = PendingCall.of(this, to, buffer, length, deadlineNs);
        CallFuture future = call.asFuture();
        loop.submit(call);
        return future;
    }

    /** For callers that must not be on the thread that turns the engine. */
    void checkMayBlock() {
        if (loop.isOwner()) {
            throw new IllegalStateException(
                    "blocking call on the thread that turns the engine: use the asynchronous form in"
                            + " short handlers and callbacks");
        }
    }
}
