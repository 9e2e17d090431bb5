package io.homa4j.grpc;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ClientStreamTracer;
import io.grpc.Grpc;
import io.grpc.InternalChannelz.SocketStats;
import io.grpc.InternalLogId;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.SecurityLevel;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import io.grpc.internal.ClientStream;
import io.grpc.internal.ClientStreamListener.RpcProgress;
import io.grpc.internal.ConnectionClientTransport;
import io.grpc.internal.DisconnectError;
import io.grpc.internal.FailingClientStream;
import io.grpc.internal.GrpcAttributes;
import io.grpc.internal.GrpcUtil;
import io.grpc.internal.InUseStateAggregator;
import io.grpc.internal.KeepAliveManager;
import io.grpc.internal.SimpleDisconnectError;
import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaBuffer;
import io.homa4j.HomaException;
import io.homa4j.HomaRpcException;
import io.homa4j.Reason;
import io.homa4j.Reply;
import java.lang.System.Logger;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A channel's session with one server: gRPC's transport. A HELLO opens it. From then on one RPC, LISTEN, is always open: with it
 * the server tells that it shuts down, and the engine finds out within a second or two when the server has died or was
 * restarted. A new LISTEN every third of the server's lease shows the server that the client lives.
 *
 * <p>The fields under {@link #lock} change together; what follows from a change for the listener happens in the order of
 * {@link #events}, outside of the lock.
 */
final class ClientSession implements ConnectionClientTransport {
    private static final Logger LOG = System.getLogger(ClientSession.class.getName());

    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final Duration FOR_EVER = Duration.ofDays(40_000);
    private static final Duration SMALL_DEADLINE = Duration.ofSeconds(20);
    private static final long RETRY_MS = 1;

    /** Either of the later ones can follow any earlier one. */
    private enum State {
        NEW,
        CONNECTING,
        READY,
        /** Takes no new streams; open ones go on. */
        SHUTDOWN,
        TERMINATED
    }

    private final ClientOptions options;
    private final Homa homa;
    private final HomaAddress server;
    private final InetSocketAddress serverAddress;
    private final String authority;
    private final String userAgent;
    private final InternalLogId logId;
    final Stats stats;

    private final SynchronizationContext events = new SynchronizationContext((thread, error) ->
            LOG.log(Logger.Level.ERROR, "a listener of the session with " + serverText() + " failed", error));
    private final InUseStateAggregator<HomaClientStream> inUse = new InUseStateAggregator<>() {
        @Override
        protected void handleInUse() {
            listener().transportInUse(true);
        }

        @Override
        protected void handleNotInUse() {
            listener().transportInUse(false);
        }
    };
    private final AtomicInteger streamIds = new AtomicInteger();
    private @Nullable Listener listener;
    private volatile Attributes attributes;
    private volatile @Nullable SocketAddress localAddress;
    private volatile @Nullable KeepAliveManager keepAlive;

    /** The server's number for the session; 0: none yet. */
    private volatile long id;

    private volatile int serverWindowBytes = Frames.MAX_MESSAGE_BYTES;

    private final Object lock = new Object();
    private State state = State.NEW;
    /** Why there are no new streams; null while there are. */
    private @Nullable Status shutdownStatus;

    private final Set<HomaClientStream> streams = new HashSet<>();
    private boolean isToldToGo;
    private @Nullable CompletableFuture<Reply> hello;
    private @Nullable CompletableFuture<Reply> listen;
    private @Nullable ScheduledFuture<?> heartbeat;

    ClientSession(
            ClientOptions options,
            Homa homa,
            InetSocketAddress address,
            String authority,
            @Nullable String userAgent,
            Attributes eagAttributes) {
        this.options = options;
        this.homa = homa;
        this.serverAddress = address;
        this.server = HomaAddress.of(address);
        this.authority = authority;
        this.userAgent = GrpcUtil.getGrpcUserAgent("homa", userAgent);
        this.stats = new Stats(options.tracers());
        this.logId = InternalLogId.allocate(getClass(), address.toString());
        this.attributes = Attributes.newBuilder()
                .set(GrpcAttributes.ATTR_SECURITY_LEVEL, SecurityLevel.NONE)
                .set(GrpcAttributes.ATTR_CLIENT_EAG_ATTRS, eagAttributes)
                .set(Grpc.TRANSPORT_ATTR_REMOTE_ADDR, address)
                .build();
    }

    // ---- gRPC's side

    @Override
    public @Nullable Runnable start(Listener listener) {
        this.listener = listener;
        byte[] dialled = serverText().getBytes(StandardCharsets.UTF_8);
        ByteBuffer message = ByteBuffer.allocate(20 + dialled.length);
        message.put((byte) Frames.VERSION).put((byte) Frames.HELLO).putLong(0).putLong(options.windowBytes());
        message.putShort((short) dialled.length).put(dialled);
        synchronized (lock) {
            if (state != State.NEW) {
                return null;
            }
            state = State.CONNECTING;
        }
        CompletableFuture<Reply> rpc = homa.callAsync(server, message.array(), options.connectTimeout());
        keep(rpc, true);
        var _ = rpc.whenComplete((reply, failure) -> {
            if (reply == null) {
                lost(rpcStatus(failure));
                return;
            }
            try {
                onWelcome(take(reply));
            } catch (ProtocolException e) {
                lost(Status.UNAVAILABLE.withDescription(
                        serverText() + " does not answer as a gRPC server over Homa does: " + e.getMessage()));
            }
        });
        return null;
    }

    @Override
    public ClientStream newStream(
            MethodDescriptor<?, ?> method, Metadata headers, CallOptions callOptions, ClientStreamTracer[] tracers) {
        Status refusal;
        synchronized (lock) {
            refusal = shutdownStatus;
        }
        if (refusal != null) {
            return new FailingClientStream(refusal, RpcProgress.MISCARRIED, tracers);
        }
        return HomaClientStream.create(this, method, headers, callOptions, tracers);
    }

    @Override
    public void ping(PingCallback callback, Executor executor) {
        Status refusal = null;
        synchronized (lock) {
            if (state == State.TERMINATED) {
                refusal = shutdownStatus;
            }
        }
        if (refusal != null) {
            Status why = refusal;
            executor.execute(() -> callback.onFailure(why));
            return;
        }
        long startNs = System.nanoTime();
        var _ = homa.callAsync(server, small(Frames.PING), SMALL_DEADLINE).whenComplete((reply, failure) -> {
            long roundTripNs = System.nanoTime() - startNs;
            if (reply == null) {
                Status status = rpcFailed(failure);
                executor.execute(() -> callback.onFailure(status));
                return;
            }
            byte[] answer = take(reply);
            heard();
            if (answer.length > 1 && answer[1] == Frames.NO_SESSION) {
                Status status = noSession();
                lost(status);
                executor.execute(() -> callback.onFailure(status));
            } else {
                executor.execute(() -> callback.onSuccess(roundTripNs));
            }
        });
    }

    @Override
    public void shutdown(Status reason) {
        shutdown(reason, SimpleDisconnectError.SUBCHANNEL_SHUTDOWN);
    }

    @Override
    public void shutdownNow(Status reason) {
        end(reason, SimpleDisconnectError.SUBCHANNEL_SHUTDOWN);
    }

    @Override
    public Attributes getAttributes() {
        return attributes;
    }

    @Override
    public ListenableFuture<SocketStats> getStats() {
        List<SynchronizationContext> open;
        synchronized (lock) {
            open = streams.stream()
                    .map(stream -> stream.transportState().serial)
                    .toList();
        }
        return stats.socketStats(open, homa, localAddress, serverAddress);
    }

    @Override
    public InternalLogId getLogId() {
        return logId;
    }

    @Override
    public String toString() {
        return "homa session " + logId + " with " + serverText();
    }

    // ---- opening

    private void onWelcome(byte[] reply) throws ProtocolException {
        Reader in = new Reader(reply, 0, reply.length);
        int version = in.u8();
        int kind = in.u8();
        if (version != Frames.VERSION || kind == Frames.BAD_VERSION) {
            throw new ProtocolException("it speaks version " + version + ", this is version " + Frames.VERSION);
        }
        if (kind == Frames.REFUSED) {
            lost(Status.UNAVAILABLE.withDescription("the server at " + serverText() + " shuts down or has no room"));
            return;
        }
        if (kind != Frames.WELCOME) {
            throw new ProtocolException("reply of kind " + kind);
        }
        long session = in.i64();
        long window = in.i64();
        int leaseMs = in.i32();
        String seenAs = in.text(in.u16());
        if (session == 0 || window < Frames.MAX_PIECE_BYTES || leaseMs < 1) {
            throw new ProtocolException("session " + session + ", window " + window + ", lease " + leaseMs + " ms");
        }
        Attributes.Builder all = attributes.toBuilder();
        InetSocketAddress local = AddressText.parse(seenAs);
        if (local != null) {
            localAddress = local;
            all.set(Grpc.TRANSPORT_ATTR_LOCAL_ADDR, local);
        }
        boolean isWanted;
        synchronized (lock) {
            serverWindowBytes = (int) Math.min(window, Integer.MAX_VALUE);
            id = session;
            isWanted = state == State.CONNECTING;
            if (isWanted) {
                state = State.READY;
            }
            long thirdMs = Math.max(1, leaseMs / 3);
            if (isWanted) {
                heartbeat = options.timer().scheduleAtFixedRate(this::listen, thirdMs, thirdMs, TimeUnit.MILLISECONDS);
            }
        }
        if (!isWanted) {
            tell(small(Frames.BYE));
            return;
        }
        Attributes complete = all.build();
        events.execute(() -> {
            attributes = listener().filterTransport(complete);
            listener().transportReady();
            startKeepAlive();
        });
        listen();
    }

    /** Sends a new LISTEN; the server answers the one before. */
    private void listen() {
        synchronized (lock) {
            if (state == State.TERMINATED) {
                return;
            }
        }
        CompletableFuture<Reply> rpc = homa.callAsync(server, small(Frames.LISTEN), FOR_EVER);
        keep(rpc, false);
        var _ = rpc.whenComplete((reply, failure) -> {
            if (reply != null) {
                onNews(take(reply));
            } else if (!isSendLimit(failure)) {
                rpcFailed(failure);
            }
        });
    }

    /** Remembers an RPC of the session itself, to be given up with it. */
    private void keep(CompletableFuture<Reply> rpc, boolean isHello) {
        boolean isLate;
        synchronized (lock) {
            isLate = state == State.TERMINATED;
            if (isHello) {
                hello = rpc;
            } else {
                listen = rpc;
            }
        }
        if (isLate) {
            rpc.cancel(false);
        }
    }

    private void onNews(byte[] reply) {
        heard();
        int kind = reply.length < 2 ? Frames.NO_SESSION : reply[1];
        if (kind == Frames.GOAWAY) {
            boolean isFirst;
            synchronized (lock) {
                isFirst = !isToldToGo;
                isToldToGo = true;
            }
            onGoAway();
            if (isFirst) {
                // Streams are open perhaps, and the server may die meanwhile. A second time it has nothing open.
                listen();
            }
        } else if (kind == Frames.NO_SESSION) {
            lost(noSession());
        }
    }

    private void startKeepAlive() {
        if (options.keepAliveNs() == Long.MAX_VALUE) {
            return;
        }
        KeepAliveManager manager = new KeepAliveManager(
                new KeepAlivePinger(),
                options.timer(),
                options.keepAliveNs(),
                options.keepAliveTimeoutNs(),
                options.keepAliveWithoutCalls());
        synchronized (lock) {
            if (state == State.TERMINATED) {
                return;
            }
            keepAlive = manager;
        }
        manager.onTransportStarted();
    }

    private final class KeepAlivePinger implements KeepAliveManager.KeepAlivePinger {
        @Override
        public void ping() {
            stats.keepAliveSent();
            ClientSession.this.ping(
                    new PingCallback() {
                        @Override
                        public void onSuccess(long roundTripTimeNanos) {
                            KeepAliveManager manager = keepAlive;
                            if (manager != null) {
                                manager.onDataReceived();
                            }
                        }

                        @Override
                        public void onFailure(Status cause) {
                            end(cause, SimpleDisconnectError.CONNECTION_TIMED_OUT);
                        }
                    },
                    Runnable::run);
        }

        @Override
        public void onPingTimeout() {
            end(
                    Status.UNAVAILABLE.withDescription("keepalive failed: " + serverText() + " does not answer"),
                    SimpleDisconnectError.CONNECTION_TIMED_OUT);
        }
    }

    // ---- for streams

    /** Counts the stream as open; a status if it may not be. */
    @Nullable
    Status register(HomaClientStream stream) {
        boolean isFirst;
        synchronized (lock) {
            if (shutdownStatus != null) {
                return shutdownStatus;
            }
            isFirst = streams.isEmpty();
            streams.add(stream);
        }
        if (stream.shouldBeCountedForInUse()) {
            events.execute(() -> inUse.updateObjectInUse(stream, true));
        }
        KeepAliveManager manager = keepAlive;
        if (isFirst && manager != null) {
            manager.onTransportActive();
        }
        return null;
    }

    /** The stream needs the session no more. */
    void unregister(HomaClientStream stream) {
        boolean isLast;
        synchronized (lock) {
            if (!streams.remove(stream)) {
                return;
            }
            isLast = streams.isEmpty();
        }
        if (stream.shouldBeCountedForInUse()) {
            events.execute(() -> inUse.updateObjectInUse(stream, false));
        }
        if (isLast) {
            KeepAliveManager manager = keepAlive;
            if (manager != null) {
                manager.onTransportIdle();
            }
            terminateIfDone();
        }
    }

    int nextStreamId() {
        int next = streamIds.incrementAndGet();
        if (next == Integer.MAX_VALUE - 1_000_000) {
            // The numbers run out: gRPC opens a new session, this one drains.
            onGoAway();
        }
        return next;
    }

    /** Memory for a message; null if all is in use. */
    @Nullable
    HomaBuffer take(int bytes) {
        return homa.buffers().tryTake(bytes);
    }

    CompletableFuture<Reply> call(HomaBuffer message) {
        return homa.callAsync(server, message, FOR_EVER);
    }

    /** The bytes of a reply, which is given back. */
    static byte[] take(Reply reply) {
        try (reply) {
            return reply.bytes();
        }
    }

    /** Sends a message whose answer does not matter. */
    void tell(byte[] message) {
        var _ = homa.callAsync(server, message, SMALL_DEADLINE).whenComplete((reply, failure) -> {
            if (reply != null) {
                reply.close();
            } else if (isSendLimit(failure)) {
                later(() -> tell(message));
            } else {
                LOG.log(Logger.Level.DEBUG, "a message to " + serverText() + " got no answer", failure);
            }
        });
    }

    void preamble(MemorySegment message, int kind) {
        message.set(ValueLayout.JAVA_BYTE, 0, (byte) Frames.VERSION);
        message.set(ValueLayout.JAVA_BYTE, 1, (byte) kind);
        message.set(LONG, Frames.SESSION_AT, id);
    }

    /** Tries something again that had no send memory. */
    void later(Runnable task) {
        var _ = options.timer().schedule(task, RETRY_MS, TimeUnit.MILLISECONDS);
    }

    /** The server has answered something. */
    void heard() {
        KeepAliveManager manager = keepAlive;
        if (manager != null) {
            manager.onDataReceived();
        }
    }

    String authority() {
        return authority;
    }

    String userAgent() {
        return userAgent;
    }

    int windowBytes() {
        return options.windowBytes();
    }

    int serverWindowBytes() {
        return serverWindowBytes;
    }

    int maxInboundMessageBytes() {
        return options.maxInboundMessageBytes();
    }

    int maxInboundMetadataBytes() {
        return options.maxInboundMetadataBytes();
    }

    // ---- the end

    /** What the failure of an RPC means for the one it belonged to; a server that is not there ends the session. */
    Status rpcFailed(@Nullable Throwable failure) {
        Status status = rpcStatus(failure);
        HomaException cause = homaException(failure);
        if (cause != null) {
            switch (cause.reason()) {
                case TIMEOUT, NO_SERVER, PROTOCOL_UNSUPPORTED, HOST_UNREACHABLE, OUTCOME_UNKNOWN, CLOSED, INTERNAL ->
                    lost(status);
                default -> {}
            }
        }
        return status;
    }

    /** The server takes no new streams. */
    void onGoAway() {
        shutdown(
                Status.UNAVAILABLE.withDescription("the server at " + serverText() + " shuts down"),
                SimpleDisconnectError.CONNECTION_RESET);
    }

    /** The session is of no use any more. */
    void lost(Status status) {
        end(
                status,
                status.getDescription() != null && status.getCause() != null
                        ? SimpleDisconnectError.CONNECTION_TIMED_OUT
                        : SimpleDisconnectError.CONNECTION_RESET);
    }

    private void end(Status status, DisconnectError error) {
        shutdown(status, error);
        Set<HomaClientStream> open;
        synchronized (lock) {
            open = Set.copyOf(streams);
        }
        for (HomaClientStream stream : open) {
            stream.sessionEnded(status);
        }
    }

    private void shutdown(Status status, DisconnectError error) {
        synchronized (lock) {
            if (shutdownStatus != null) {
                return;
            }
            shutdownStatus = status;
            if (state != State.TERMINATED) {
                state = State.SHUTDOWN;
            }
        }
        events.execute(() -> listener().transportShutdown(status, error));
        terminateIfDone();
    }

    private void terminateIfDone() {
        CompletableFuture<Reply> openHello;
        CompletableFuture<Reply> openListen;
        ScheduledFuture<?> timer;
        synchronized (lock) {
            if (state != State.SHUTDOWN || !streams.isEmpty()) {
                return;
            }
            state = State.TERMINATED;
            openHello = hello;
            openListen = listen;
            timer = heartbeat;
        }
        if (timer != null) {
            timer.cancel(false);
        }
        if (openHello != null) {
            openHello.cancel(false);
        }
        if (openListen != null) {
            openListen.cancel(false);
        }
        KeepAliveManager manager = keepAlive;
        if (manager != null) {
            manager.onTransportTermination();
        }
        if (id != 0 && !homa.isClosed()) {
            tell(small(Frames.BYE));
        }
        events.execute(() -> listener().transportTerminated());
    }

    // ---- small parts

    private Listener listener() {
        Listener own = listener;
        if (own == null) {
            throw new IllegalStateException("not started");
        }
        return own;
    }

    private byte[] small(int kind) {
        byte[] message = new byte[Frames.STREAM_AT];
        preamble(MemorySegment.ofArray(message), kind);
        return message;
    }

    private String serverText() {
        return server.toString();
    }

    private Status noSession() {
        return Status.UNAVAILABLE.withDescription(
                "the server at " + serverText() + " does not know the session: it was restarted or shut down");
    }

    private static @Nullable HomaException homaException(@Nullable Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        return cause instanceof HomaException homaException ? homaException : null;
    }

    private static boolean isSendLimit(@Nullable Throwable failure) {
        HomaException cause = homaException(failure);
        return cause != null && cause.reason() == Reason.SEND_LIMIT;
    }

    private Status rpcStatus(@Nullable Throwable failure) {
        HomaException cause = homaException(failure);
        if (cause instanceof HomaRpcException) {
            return Status.UNAVAILABLE.withDescription(cause.getMessage()).withCause(cause);
        }
        return Status.UNAVAILABLE
                .withDescription("the call to " + serverText() + " failed: "
                        + (cause != null ? cause.getMessage() : String.valueOf(failure)))
                .withCause(failure);
    }
}
