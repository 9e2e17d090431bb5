package io.homa4j.grpc;

import io.grpc.Status;
import io.grpc.internal.GrpcUtil;
import io.grpc.internal.SharedResourceHolder;
import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaException;
import io.homa4j.HomaServer;
import io.homa4j.Request;
import java.io.IOException;
import java.lang.System.Logger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One served port: brings each message to its session. New sessions go to the gRPC server that listens now; sessions of one that
 * was shut down go on, so a server can be replaced on its port while the old one drains. The port is given up with the last of
 * them.
 *
 * <p>A HELLO costs nothing but a number until the client uses it: the number went to the address it claims, so whoever
 * uses it has received it there. Numbers not used yet are bounded, the oldest go first.
 */
final class ServerEndpoint {
    private static final Logger LOG = System.getLogger(ServerEndpoint.class.getName());

    private static final int MAX_PENDING = 4096;
    private static final int MAX_DRAINED = 256;
    private static final long CLOSING_WAIT_S = 10;

    private record Key(Homa homa, int port) {}

    /** Nobody may wait for the engine with this lock in hand: its thread takes it. */
    private static final Map<Key, ServerEndpoint> OPEN = new HashMap<>();
    /** Ports being opened; under the lock of {@link #OPEN}. */
    private static final Set<Key> OPENING = new HashSet<>();

    /** What a HELLO told; until its number is used. */
    private record Pending(
            HomaTransportServer server, InetSocketAddress remote, InetSocketAddress local, long windowBytes) {}

    private final Homa homa;
    private final ScheduledExecutorService timer;
    private final Answers answers;
    private final SecureRandom random = new SecureRandom();
    private final Map<Long, ServerSession> sessions = new ConcurrentHashMap<>();
    private final AtomicLong malformed = new AtomicLong();
    private final CompletableFuture<@Nullable Void> closed = new CompletableFuture<>();
    private final HomaServer port;
    private final ScheduledFuture<?> leases;

    /** The last sessions that have drained. */
    private final Map<Long, ServerSession> drained = Collections.synchronizedMap(new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, ServerSession> eldest) {
            return size() > MAX_DRAINED;
        }
    });

    /** In the order of their coming; touched by the thread that turns the engine only. */
    private final Map<Long, Pending> pending = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Pending> eldest) {
            return size() > MAX_PENDING;
        }
    };

    /** Who gets new sessions; null: nobody. Changed under the lock of {@link #OPEN}. */
    private volatile @Nullable HomaTransportServer acceptor;

    private boolean isClosing;

    private ServerEndpoint(Homa homa, int wantedPort, HomaTransportServer first) {
        this.homa = homa;
        this.timer = SharedResourceHolder.get(GrpcUtil.TIMER_SERVICE);
        this.answers = new Answers(homa, timer);
        this.acceptor = first;
        boolean isOpen = false;
        try {
            this.port = homa.server(wantedPort)
                    .shortHandler()
                    .maxInService(Engines.MAX_IN_SERVICE)
                    .open(this::handle);
            isOpen = true;
        } finally {
            if (!isOpen) {
                SharedResourceHolder.release(GrpcUtil.TIMER_SERVICE, timer);
            }
        }
        long quarterNs = first.options().lease().toNanos() / 4;
        this.leases = timer.scheduleWithFixedDelay(this::endSilent, quarterNs, quarterNs, TimeUnit.NANOSECONDS);
    }

    /**
     * Lets a server listen on a port; 0: a free one.
     *
     * @throws IOException if the port cannot be had, or another server listens on it
     */
    static ServerEndpoint listen(Homa homa, int port, HomaTransportServer server) throws IOException {
        Key key = new Key(homa, port);
        for (ServerEndpoint ending = join(key, server); ending != null; ending = join(key, server)) {
            if (!ending.isClosing()) {
                return ending;
            }
            try {
                ending.closed.get(CLOSING_WAIT_S, TimeUnit.SECONDS);
            } catch (TimeoutException | ExecutionException e) {
                throw new IOException("port " + port + " is being given up; try again later", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while port " + port + " is being given up", e);
            }
        }
        try {
            return open(key, server);
        } finally {
            synchronized (OPEN) {
                OPENING.remove(key);
            }
        }
    }

    /** The open endpoint, which the server has joined or which is closing; null if it is to be opened. */
    private static @Nullable ServerEndpoint join(Key key, HomaTransportServer server) throws IOException {
        if (key.port == 0) {
            return null;
        }
        synchronized (OPEN) {
            ServerEndpoint open = OPEN.get(key);
            if (open == null ? !OPENING.add(key) : !open.isClosing && open.acceptor != null) {
                throw new IOException("a gRPC server of this process listens on port " + key.port + " already");
            }
            if (open != null && !open.isClosing) {
                open.acceptor = server;
            }
            return open;
        }
    }

    private static ServerEndpoint open(Key key, HomaTransportServer server) throws IOException {
        try {
            ServerEndpoint fresh = new ServerEndpoint(key.homa, key.port, server);
            synchronized (OPEN) {
                OPEN.put(new Key(key.homa, fresh.port()), fresh);
            }
            return fresh;
        } catch (HomaException e) {
            throw new IOException("cannot listen on port " + key.port + ": " + e.getMessage(), e);
        }
    }

    private boolean isClosing() {
        synchronized (OPEN) {
            return isClosing;
        }
    }

    /** The server takes no more new sessions; those it has go on. */
    void stopListening(HomaTransportServer server) {
        synchronized (OPEN) {
            if (acceptor == server) {
                acceptor = null;
            }
        }
        closeIfUnused();
    }

    /** Calls back when the port is given up. */
    void whenClosed(Runnable callback) {
        var _ = closed.thenRun(callback);
    }

    int port() {
        return port.port();
    }

    Homa homa() {
        return homa;
    }

    Answers answers() {
        return answers;
    }

    ScheduledExecutorService timer() {
        return timer;
    }

    /** A session that has drained is asked for a while yet, by a client that does not know. */
    void sessionOver(ServerSession session, boolean hasDrained) {
        if (hasDrained) {
            drained.put(session.id, session);
        }
        sessions.remove(session.id, session);
        closeIfUnused();
    }

    private void closeIfUnused() {
        synchronized (OPEN) {
            if (isClosing || acceptor != null || !sessions.isEmpty()) {
                return;
            }
            isClosing = true;
        }
        leases.cancel(false);
        // Closing waits until the last answers have arrived, and this may be the thread that sends them.
        Thread.ofVirtual().name("homa-grpc-close").start(() -> {
            try {
                port.close();
            } finally {
                synchronized (OPEN) {
                    OPEN.remove(new Key(homa, port()), this);
                }
                SharedResourceHolder.release(GrpcUtil.TIMER_SERVICE, timer);
                closed.complete(null);
            }
        });
    }

    // ---- messages; on the thread that turns the engine

    private void handle(Request request) {
        byte[] message = request.bytes();
        // Its memory is for other messages now; it may take long until it is answered.
        request.close();
        try {
            Reader in = new Reader(message, 0, message.length);
            int version = in.u8();
            int kind = in.u8();
            if (version != Frames.VERSION) {
                answers.small(request, Frames.BAD_VERSION);
                return;
            }
            long session = in.i64();
            if (kind == Frames.HELLO) {
                onHello(request, in);
            } else {
                onMessage(request, kind, session, message);
            }
        } catch (ProtocolException e) {
            long count = malformed.incrementAndGet();
            LOG.log(
                    Logger.Level.DEBUG,
                    () -> "malformed message " + count + " from " + request.peer() + ": " + e.getMessage());
            request.dismiss();
        }
    }

    private void onHello(Request request, Reader in) throws ProtocolException {
        long windowBytes = in.i64();
        String dialled = in.text(in.u16());
        HomaTransportServer server = acceptor;
        if (windowBytes < Frames.MAX_PIECE_BYTES) {
            throw new ProtocolException("a window of " + windowBytes);
        }
        if (server == null || sessions.size() >= server.options().maxSessions()) {
            answers.small(request, Frames.REFUSED);
            return;
        }
        HomaAddress peer = request.peer();
        long number;
        do {
            number = random.nextLong();
        } while (number == 0 || sessions.containsKey(number) || pending.containsKey(number));
        InetSocketAddress remote = new InetSocketAddress(peer.address(), peer.port());
        pending.put(number, new Pending(server, remote, localAddress(dialled), windowBytes));

        byte[] seenAs = AddressText.of(peer).getBytes(StandardCharsets.UTF_8);
        ByteBuffer answer = ByteBuffer.allocate(24 + seenAs.length);
        answer.put((byte) Frames.VERSION).put((byte) Frames.WELCOME).putLong(number);
        answer.putLong(server.options().windowBytes());
        answer.putInt((int) Math.min(server.options().lease().toMillis(), Integer.MAX_VALUE));
        answer.putShort((short) seenAs.length).put(seenAs);
        answers.bytes(request, answer.array());
    }

    /** The address the client dialled, if it is one of this host; with a translation on the way it need not be. */
    private InetSocketAddress localAddress(String dialled) {
        InetSocketAddress claimed = AddressText.parse(dialled);
        try {
            if (claimed != null
                    && claimed.getPort() == port()
                    && NetworkInterface.getByInetAddress(claimed.getAddress()) != null) {
                return claimed;
            }
        } catch (SocketException e) {
            LOG.log(Logger.Level.DEBUG, "the interfaces of this host cannot be read", e);
        }
        return new InetSocketAddress(anyAddress(), port());
    }

    static InetAddress anyAddress() {
        return new InetSocketAddress(0).getAddress();
    }

    private void onMessage(Request request, int kind, long number, byte[] message) throws ProtocolException {
        ServerSession session = sessions.get(number);
        if (session == null) {
            session = drained.get(number);
        }
        if (session == null) {
            session = begin(number);
        }
        if (session == null) {
            answers.small(request, kind == Frames.BYE ? Frames.EMPTY : Frames.NO_SESSION);
            return;
        }
        session.heard();
        switch (kind) {
            case Frames.STREAM -> session.onStream(request, message);
            case Frames.LISTEN -> session.onListen(request);
            case Frames.PING -> answers.small(request, Frames.EMPTY);
            case Frames.BYE -> {
                answers.small(request, Frames.EMPTY);
                session.shutdownNow(Status.CANCELLED.withDescription("the client has ended its session"));
            }
            default -> throw new ProtocolException("message of kind " + kind);
        }
    }

    private @Nullable ServerSession begin(long number) {
        Pending hello = pending.remove(number);
        ServerSession session;
        synchronized (OPEN) {
            if (hello == null || isClosing || hello.server != acceptor) {
                return null;
            }
            session = new ServerSession(this, hello.server, number, hello.remote, hello.local, hello.windowBytes);
            sessions.put(number, session);
        }
        session.begin();
        return session;
    }

    private void endSilent() {
        long nowNs = System.nanoTime();
        for (ServerSession session : sessions.values()) {
            if (session.isSilent(nowNs)) {
                session.shutdownNow(Status.UNAVAILABLE.withDescription("the client has been silent for too long"));
            }
        }
    }
}
