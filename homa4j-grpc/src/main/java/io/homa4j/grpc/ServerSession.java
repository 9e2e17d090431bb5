package io.homa4j.grpc;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.InternalChannelz.SocketStats;
import io.grpc.InternalLogId;
import io.grpc.SecurityLevel;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import io.grpc.internal.GrpcAttributes;
import io.grpc.internal.ServerTransport;
import io.grpc.internal.ServerTransportListener;
import io.homa4j.HomaBuffer;
import io.homa4j.Request;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A client's session at the server: gRPC's transport. Begins with the client's first message after its HELLO, ends when it or
 * the server wants it to, or when the client has been silent for the lease. What happened under {@link #lock} is told to
 * gRPC after it.
 */
final class ServerSession implements ServerTransport {
    private enum State {
        OPEN,
        /** Takes no new streams; open ones go on. */
        DRAINING,
        OVER
    }

    private final ServerEndpoint endpoint;
    private final HomaTransportServer server;
    final long id;
    private final InternalLogId logId;
    private final long clientWindowBytes;
    private final InetSocketAddress remote;
    private final InetSocketAddress local;
    final Stats stats;
    private @Nullable ServerTransportListener listener;
    private Attributes attributes;
    private volatile long heardNs = System.nanoTime();

    private final Object lock = new Object();
    private State state = State.OPEN;
    private final Map<Integer, ServerCall> calls = new HashMap<>();
    private final SeenStreams seen = new SeenStreams();
    /** The client's LISTEN that is not answered. */
    private @Nullable Request listen;

    /** Whether gRPC's listener is there; before, the session does not end, though it may be told to at once. */
    private boolean hasBegun;

    private boolean isGoAwaySent;
    /** Ended with what was open in it. */
    private boolean isKilled;

    private @Nullable ScheduledFuture<?> ageTimer;
    private @Nullable ScheduledFuture<?> idleTimer;

    ServerSession(
            ServerEndpoint endpoint,
            HomaTransportServer server,
            long id,
            InetSocketAddress remote,
            InetSocketAddress local,
            long clientWindowBytes) {
        this.endpoint = endpoint;
        this.server = server;
        this.id = id;
        this.remote = remote;
        this.local = local;
        this.clientWindowBytes = clientWindowBytes;
        this.stats = new Stats(server.options().tracers());
        this.logId = InternalLogId.allocate(getClass(), remote.toString());
        this.attributes = Attributes.newBuilder()
                .set(Grpc.TRANSPORT_ATTR_REMOTE_ADDR, remote)
                .set(Grpc.TRANSPORT_ATTR_LOCAL_ADDR, local)
                .set(GrpcAttributes.ATTR_SECURITY_LEVEL, SecurityLevel.NONE)
                .build();
    }

    /** Tells gRPC; before any message. */
    void begin() {
        ServerTransportListener created = server.listener().transportCreated(this);
        listener = created;
        attributes = created.transportReady(attributes);
        synchronized (lock) {
            hasBegun = true;
            if (state == State.OPEN) {
                long ageNs = options().maxAgeNs();
                if (ageNs != Long.MAX_VALUE) {
                    ageTimer = timer().schedule(this::onMaxAge, ageNs, TimeUnit.NANOSECONDS);
                }
                watchIdle();
            }
        }
        terminateIfDone();
    }

    // ---- messages, in the order in which the engine gives them

    void onListen(Request request) {
        Request answered;
        int kind = Frames.EMPTY;
        synchronized (lock) {
            answered = listen;
            listen = request;
            if (state == State.OVER) {
                listen = null;
                kind = isKilled ? Frames.NO_SESSION : Frames.GOAWAY;
            } else if (state == State.DRAINING && !isGoAwaySent) {
                isGoAwaySent = true;
                listen = null;
                kind = Frames.GOAWAY;
            }
        }
        if (answered != null) {
            answers().small(answered, Frames.EMPTY);
        }
        if (kind != Frames.EMPTY) {
            answers().small(request, kind);
        }
    }

    void onStream(Request request, byte[] message) throws ProtocolException {
        Reader in = new Reader(message, Frames.STREAM_AT, message.length);
        int number = in.i32();
        int sequence = in.i32();
        long limit = in.i64();
        if (number < 1 || (sequence < 0 && sequence != Frames.NO_SEQUENCE) || limit < 0) {
            throw new ProtocolException("stream " + number + ", sequence " + sequence + ", limit " + limit);
        }
        boolean isCancel = !in.isAtEnd() && message[in.position()] == Frames.CANCEL;
        ServerCall call;
        int refusal = Frames.EMPTY;
        synchronized (lock) {
            call = calls.get(number);
            if (call == null) {
                refusal = begin(number, isCancel);
                if (refusal == Frames.STREAM) {
                    call = new ServerCall(this, number);
                    calls.put(number, call);
                    ScheduledFuture<?> timer = idleTimer;
                    if (timer != null) {
                        timer.cancel(false);
                        idleTimer = null;
                    }
                }
            }
        }
        if (call == null) {
            answers().small(request, refusal);
        } else {
            call.onMessage(request, sequence, limit, message, isCancel);
        }
    }

    /** STREAM if this stream may begin; else the kind of the answer. */
    private int begin(int number, boolean isCancel) {
        if (state == State.OVER && isKilled) {
            return Frames.NO_SESSION;
        }
        if (seen.isSeen(number)) {
            return Frames.GONE;
        }
        seen.mark(number);
        if (isCancel) {
            return Frames.EMPTY;
        }
        return state != State.OPEN || calls.size() >= options().maxCallsPerSession() ? Frames.REFUSED : Frames.STREAM;
    }

    /** A message of the client has arrived. */
    void heard() {
        heardNs = System.nanoTime();
    }

    boolean isSilent(long nowNs) {
        return nowNs - heardNs > options().lease().toNanos();
    }

    // ---- for its calls

    void callEnded(ServerCall call) {
        synchronized (lock) {
            calls.remove(call.id, call);
            watchIdle();
        }
        terminateIfDone();
    }

    void streamEnded(HomaServerStream stream) {
        stats.end(stream.tracer());
    }

    ServerOptions options() {
        return server.options();
    }

    List<? extends ServerStreamTracer.Factory> tracerFactories() {
        return options().tracerFactories();
    }

    Answers answers() {
        return endpoint.answers();
    }

    @Nullable
    HomaBuffer take(int bytes) {
        return endpoint.homa().buffers().tryTake(bytes);
    }

    long clientWindowBytes() {
        return clientWindowBytes;
    }

    Attributes attributes() {
        return attributes;
    }

    ServerTransportListener listener() {
        ServerTransportListener own = listener;
        if (own == null) {
            throw new IllegalStateException("not begun");
        }
        return own;
    }

    // ---- gRPC's side, and the end

    @Override
    public void shutdown() {
        Request told = null;
        synchronized (lock) {
            if (state != State.OPEN) {
                return;
            }
            state = State.DRAINING;
            if (listen != null) {
                told = listen;
                listen = null;
                isGoAwaySent = true;
            }
        }
        if (told != null) {
            answers().small(told, Frames.GOAWAY);
        }
        terminateIfDone();
    }

    @Override
    public void shutdownNow(Status reason) {
        List<ServerCall> open;
        Request told;
        synchronized (lock) {
            if (state == State.OVER || isKilled) {
                return;
            }
            state = State.DRAINING;
            isKilled = true;
            open = List.copyOf(calls.values());
            told = listen;
            listen = null;
        }
        if (told != null) {
            answers().small(told, Frames.NO_SESSION);
        }
        for (ServerCall call : open) {
            call.sessionEnded(reason);
        }
        terminateIfDone();
    }

    private void terminateIfDone() {
        Request told;
        int kind;
        synchronized (lock) {
            if (!hasBegun || state != State.DRAINING || !calls.isEmpty()) {
                return;
            }
            state = State.OVER;
            told = listen;
            listen = null;
            // The last answers may be on their way still: a client that heard of no session would not wait for them.
            kind = isKilled ? Frames.NO_SESSION : Frames.GOAWAY;
            cancel(ageTimer);
            cancel(idleTimer);
        }
        if (told != null) {
            answers().small(told, kind);
        }
        listener().transportTerminated();
        endpoint.sessionOver(this, kind == Frames.GOAWAY);
    }

    private static void cancel(@Nullable ScheduledFuture<?> timer) {
        if (timer != null) {
            timer.cancel(false);
        }
    }

    private void onMaxAge() {
        shutdown();
        long graceNs = options().maxAgeGraceNs();
        if (graceNs == Long.MAX_VALUE) {
            return;
        }
        synchronized (lock) {
            if (state != State.OVER) {
                ageTimer = timer().schedule(
                                () -> shutdownNow(Status.UNAVAILABLE.withDescription("the session is too old")),
                                graceNs,
                                TimeUnit.NANOSECONDS);
            }
        }
    }

    /** Counts the time without calls; under the lock. */
    private void watchIdle() {
        long idleNs = options().maxIdleNs();
        if (idleNs != Long.MAX_VALUE && calls.isEmpty() && state == State.OPEN && idleTimer == null) {
            idleTimer = timer().schedule(this::shutdown, idleNs, TimeUnit.NANOSECONDS);
        }
    }

    private ScheduledExecutorService timer() {
        return endpoint.timer();
    }

    @Override
    public ScheduledExecutorService getScheduledExecutorService() {
        return endpoint.timer();
    }

    @Override
    public ListenableFuture<SocketStats> getStats() {
        List<SynchronizationContext> open;
        synchronized (lock) {
            open = calls.values().stream().map(call -> call.serial).toList();
        }
        return stats.socketStats(open, endpoint.homa(), local, remote);
    }

    @Override
    public InternalLogId getLogId() {
        return logId;
    }

    @Override
    public String toString() {
        return "homa session " + logId + " of " + remote;
    }
}
