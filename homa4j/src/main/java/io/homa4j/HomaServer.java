package io.homa4j;

import io.homa4j.protocol.SocketInfo;
import java.lang.System.Logger;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * A port with a handler behind it. At most {@link Builder#maxInService} requests are in the handler's hands at a time; more
 * wait in the engine, and their clients are told to be patient. Any thread.
 */
public final class HomaServer implements AutoCloseable {
    private static final Logger LOG = System.getLogger(HomaServer.class.getName());

    /** Options of a server; to be finished with {@link #open}. */
    public static final class Builder {
        private final Homa homa;
        private final int port;
        private @Nullable Executor executor;
        private boolean isShort;
        private int maxInService = 10_000;
        private long serviceLimitNs;
        private long regionBytes;

        Builder(Homa homa, int port, long regionBytes) {
            this.homa = homa;
            this.port = port;
            this.regionBytes = regionBytes;
        }

        /**
         * The handler takes microseconds and never blocks: it runs on the thread that turns the engine, without a hand-off.
         * All packets wait while it runs.
         */
        public Builder shortHandler() {
            isShort = true;
            return this;
        }

        /** Runs the handler on this executor instead of a new virtual thread per request. */
        public Builder executor(Executor handlers) {
            executor = Homa.Builder.given(handlers, "executor");
            return this;
        }

        /** Most requests handed to the handler and not answered; default 10,000. */
        public Builder maxInService(int requests) {
            if (requests < 1) {
                throw new IllegalArgumentException("maxInService " + requests + " is less than 1");
            }
            maxInService = requests;
            return this;
        }

        /** Requests not answered for so long are given up, with a log line; default: never. */
        public Builder serviceTimeLimit(Duration limit) {
            serviceLimitNs = Homa.Builder.given(limit, "serviceTimeLimit").toNanos();
            return this;
        }

        /** Bytes of the receive region; default that of the {@link Homa}. */
        public Builder receiveRegion(long bytes) {
            regionBytes = Homa.Builder.checkRegion(bytes);
            return this;
        }

        /**
         * Begins to serve.
         *
         * @throws HomaOpenException if the port cannot be had
         */
        public HomaServer open(Handler handler) {
            Objects.requireNonNull(handler, "a server needs a handler");
            SocketCore core = homa.openCore(port, true, regionBytes);
            HomaServer server = new HomaServer(homa, core, handler, this);
            core.loop.ask(
                    () -> {
                        core.server(server);
                        if (server.serviceLimitNs > 0) {
                            core.loop.sockets.addTimed(server);
                        }
                        server.pump(core.loop.turn.nowNs());
                        return null;
                    },
                    null);
            return server;
        }
    }

    private final SocketCore core;
    private final Handler handler;
    private final @Nullable Executor executor;
    private final boolean isShort;
    private final int maxInService;
    private final long serviceLimitNs;
    private final Duration linger;
    private final @Nullable InetAddress local;

    // ---- owner's: requests in service, oldest first

    private @Nullable Request oldest;
    private @Nullable Request newest;
    private int inService;
    private boolean isPumping;

    private HomaServer(Homa homa, SocketCore core, Handler handler, Builder options) {
        this.core = core;
        this.handler = handler;
        this.executor = options.executor;
        this.isShort = options.isShort;
        this.maxInService = options.maxInService;
        this.serviceLimitNs = options.serviceLimitNs;
        this.linger = homa.linger();
        this.local = homa.local();
    }

    SocketCore core() {
        return core;
    }

    // ---- owner

    /** Takes ready requests as far as the limit of requests in service allows. */
    void pump(long nowNs) {
        if (isPumping) {
            return;
        }
        isPumping = true;
        try {
            while (inService < maxInService) {
                HomaMessage message = core.receive(nowNs);
                if (message == null) {
                    return;
                }
                if (message instanceof Request request) {
                    begin(request, nowNs);
                } else {
                    message.close();
                }
            }
        } finally {
            isPumping = false;
        }
    }

    private void begin(Request request, long nowNs) {
        request.startedNs = nowNs;
        request.isInService = true;
        request.previous = newest;
        if (newest == null) {
            oldest = request;
        } else {
            newest.next = request;
        }
        newest = request;
        inService++;
        if (isShort) {
            core.loop.turn.enterApplication();
            try {
                handle(request);
            } finally {
                core.loop.turn.leaveApplication();
            }
            return;
        }
        try {
            Executor handlers = executor;
            if (handlers == null) {
                Thread.ofVirtual().name("homa-handler").start(() -> handle(request));
            } else {
                handlers.execute(() -> handle(request));
            }
        } catch (Throwable e) {
            core.loop.applicationErrors.ofExecutors.report(
                    () -> "the executor of port " + core.port + " refuses the request from " + request.peer()
                            + ", which stays unanswered",
                    e);
            request.dismiss();
        }
    }

    /** A request is answered or dismissed. */
    void answered(Request request, long nowNs) {
        if (!request.isInService) {
            return;
        }
        request.isInService = false;
        if (request.previous == null) {
            oldest = request.next;
        } else {
            request.previous.next = request.next;
        }
        if (request.next == null) {
            newest = request.previous;
        } else {
            request.next.previous = request.previous;
        }
        request.previous = null;
        request.next = null;
        inService--;
        pump(nowNs);
    }

    /** When the oldest request has been in service for too long. */
    long limitNs() {
        Request first = oldest;
        return first == null ? Long.MAX_VALUE : first.startedNs + serviceLimitNs;
    }

    void onTime(long nowNs) {
        for (Request first = oldest; first != null && first.startedNs + serviceLimitNs - nowNs <= 0; first = oldest) {
            Request late = first;
            LOG.log(
                    Logger.Level.WARNING,
                    () -> "the handler of port " + core.port + " has not answered " + late.peer() + " within "
                            + Duration.ofNanos(serviceLimitNs) + "; the request is given up");
            late.dismiss();
            if (oldest == late) {
                // Answered this very moment by another thread, whose command is on its way.
                answered(late, nowNs);
            }
        }
    }

    void closed() {
        oldest = null;
        newest = null;
    }

    // ---- handler threads

    private void handle(Request request) {
        try {
            handler.handle(request);
        } catch (Throwable e) {
            if (e instanceof HomaClosedException || core.isClosed()) {
                LOG.log(Logger.Level.DEBUG, "a handler was still at work when its server was closed", e);
            } else {
                core.loop.applicationErrors.ofHandlers.report(
                        () -> "the handler of port " + core.port + " failed; the request from " + request.peer()
                                + " stays unanswered",
                        e);
            }
            request.dismiss();
        }
    }

    // ---- any thread

    public int port() {
        return core.port;
    }

    /** Where a client on this host finds the server: the address it is bound to, or the loopback address. */
    public HomaAddress address() {
        InetAddress host = local == null ? InetAddress.getLoopbackAddress() : local;
        return HomaAddress.of(host.getHostAddress(), core.port);
    }

    /** Requests handed to the handler and not answered. */
    public int inService() {
        return core.inService();
    }

    /** What the engine knows about the socket and its RPCs. */
    public SocketInfo info() {
        SocketInfo info =
                core.loop.ask(() -> core.isClosed() ? null : core.loop.endpoint.socketInfo(core.number), null);
        if (info == null) {
            throw core.loop.closedException("the server");
        }
        return info;
    }

    /** Waits until the server is closed. */
    public void awaitClosed() throws InterruptedException {
        core.awaitClosed();
    }

    /**
     * Takes no more requests, lets handlers finish and responses arrive for up to {@link Homa.Builder#closeLinger}, then ends.
     * Idempotent. From within a short handler it returns at once.
     */
    @Override
    public void close() {
        core.close(linger);
    }

    /** Ends at once; clients with open requests fail within their timeouts. */
    public void closeNow() {
        core.close(Duration.ZERO);
    }
}
