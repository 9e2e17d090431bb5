package io.homa4j.grpc;

import io.grpc.CallCredentials;
import io.grpc.ChannelCredentials;
import io.grpc.ForwardingChannelBuilder2;
import io.grpc.ManagedChannelBuilder;
import io.grpc.internal.ClientTransportFactory;
import io.grpc.internal.GrpcUtil;
import io.grpc.internal.KeepAliveManager;
import io.grpc.internal.ManagedChannelImplBuilder;
import io.grpc.internal.ObjectPool;
import io.grpc.internal.TransportTracer;
import io.homa4j.Homa;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Builds channels whose calls travel over Homa. Everything else about the channel is as gRPC has it.
 *
 * <pre>{@code
 * ManagedChannel channel = HomaChannelBuilder.forAddress("db7", 4000).build();
 * }</pre>
 *
 * <p>Targets may be {@code homa:///host:port}, {@code dns:///host:port}, {@code host:port}, or those of a name resolver of your own that
 * gives {@link InetSocketAddress}es or {@link HomaSocketAddress}es. There is no encryption yet.
 *
 * <p>With {@code directExecutor()} your callbacks run on the thread that turns the engine: they must be short and must not block.
 */
public final class HomaChannelBuilder extends ForwardingChannelBuilder2<HomaChannelBuilder> {
    /** Two of the largest pieces: while the application takes one, the other is on its way. */
    static final int DEFAULT_WINDOW_BYTES = 2 * Frames.MAX_MESSAGE_BYTES;

    private final ManagedChannelImplBuilder delegate;
    private ObjectPool<Homa> engines = Engines.client();
    private int windowBytes = DEFAULT_WINDOW_BYTES;
    private int maxInboundMessageBytes = GrpcUtil.DEFAULT_MAX_MESSAGE_SIZE;
    private int maxInboundMetadataBytes = GrpcUtil.DEFAULT_MAX_HEADER_LIST_SIZE;
    private Duration connectTimeout = Duration.ofSeconds(20);
    private long keepAliveNs = Long.MAX_VALUE;
    private long keepAliveTimeoutNs = GrpcUtil.DEFAULT_KEEPALIVE_TIMEOUT_NANOS;
    private boolean keepAliveWithoutCalls;
    private TransportTracer.Factory tracers = TransportTracer.getDefaultFactory();

    private HomaChannelBuilder(
            String target, @Nullable ChannelCredentials credentials, @Nullable CallCredentials callCredentials) {
        delegate = credentials == null
                ? new ManagedChannelImplBuilder(target, this::buildTransportFactory, null)
                : new ManagedChannelImplBuilder(
                        target, credentials, callCredentials, this::buildTransportFactory, null);
    }

    /** A channel to a host by name or address, and a UDP port. */
    public static HomaChannelBuilder forAddress(String host, int port) {
        return forTarget(GrpcUtil.authorityFromHostAndPort(host, port));
    }

    /** A channel to a target in the form that gRPC's name resolvers understand. */
    public static HomaChannelBuilder forTarget(String target) {
        return new HomaChannelBuilder(target, null, null);
    }

    static HomaChannelBuilder forTarget(
            String target, ChannelCredentials credentials, @Nullable CallCredentials callCredentials) {
        return new HomaChannelBuilder(target, credentials, callCredentials);
    }

    @Override
    protected ManagedChannelBuilder<?> delegate() {
        return delegate;
    }

    /**
     * The engine to use instead of the one that all channels of the process share. It stays the caller's, to be closed after the
     * channel. Open it with {@link Homa.Builder#shortCompletions}: a hand-off less for each call.
     */
    public HomaChannelBuilder homa(Homa homa) {
        engines = Engines.of(homa);
        return this;
    }

    /**
     * How many bytes a server may send for one stream before the application takes them.
     *
     * @param bytes 1,000,000 or more; default 2,000,000
     */
    public HomaChannelBuilder flowControlWindow(int bytes) {
        windowBytes = checkWindow(bytes);
        return this;
    }

    static int checkWindow(int bytes) {
        if (bytes < Frames.MAX_MESSAGE_BYTES) {
            throw new IllegalArgumentException(
                    "flowControlWindow " + bytes + ": it must hold the largest Homa message, 1000000 bytes");
        }
        return bytes;
    }

    /** How long a server may take to answer the first RPC; default 20 s, though one that is not there is known in about a second. */
    public HomaChannelBuilder connectTimeout(Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("connectTimeout " + timeout + ": it must be positive");
        }
        connectTimeout = timeout;
        return this;
    }

    @Override
    public HomaChannelBuilder maxInboundMessageSize(int bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("maxInboundMessageSize " + bytes + " is negative");
        }
        maxInboundMessageBytes = bytes;
        return this;
    }

    /**
     * The largest headers and trailers taken, counted as HTTP/2 does.
     *
     * @param bytes 1 to 500,000; default 8192
     */
    @Override
    public HomaChannelBuilder maxInboundMetadataSize(int bytes) {
        maxInboundMetadataBytes = checkMetadata(bytes);
        return this;
    }

    static int checkMetadata(int bytes) {
        if (bytes < 1 || bytes > Frames.MAX_METADATA_BYTES) {
            throw new IllegalArgumentException(
                    "maxInboundMetadataSize " + bytes + " is not between 1 and " + Frames.MAX_METADATA_BYTES);
        }
        return bytes;
    }

    /**
     * Asks a silent server for a sign of life. Seldom of use: while a session is open, the engine knows within a second or two whether
     * the server lives.
     */
    @Override
    public HomaChannelBuilder keepAliveTime(long time, TimeUnit unit) {
        if (time <= 0) {
            throw new IllegalArgumentException("keepAliveTime " + time + " is not positive");
        }
        keepAliveNs = unit.toNanos(time) >= TimeUnit.DAYS.toNanos(1000)
                ? Long.MAX_VALUE
                : KeepAliveManager.clampKeepAliveTimeInNanos(unit.toNanos(time));
        return this;
    }

    @Override
    public HomaChannelBuilder keepAliveTimeout(long timeout, TimeUnit unit) {
        if (timeout <= 0) {
            throw new IllegalArgumentException("keepAliveTimeout " + timeout + " is not positive");
        }
        keepAliveTimeoutNs = KeepAliveManager.clampKeepAliveTimeoutInNanos(unit.toNanos(timeout));
        return this;
    }

    @Override
    public HomaChannelBuilder keepAliveWithoutCalls(boolean enable) {
        keepAliveWithoutCalls = enable;
        return this;
    }

    /** Nothing to do: there is nothing but plain text yet. */
    @Override
    public HomaChannelBuilder usePlaintext() {
        return this;
    }

    /** @throws UnsupportedOperationException always */
    @Override
    public HomaChannelBuilder useTransportSecurity() {
        throw new UnsupportedOperationException("there is no encryption over Homa yet");
    }

    /** Whether the statistics that gRPC finds by itself are taken; for tests that bring their own. */
    HomaChannelBuilder setStatsEnabled(boolean on) {
        delegate.setStatsEnabled(on);
        return this;
    }

    HomaChannelBuilder setTransportTracerFactory(TransportTracer.Factory factory) {
        tracers = factory;
        return this;
    }

    ClientTransportFactory buildTransportFactory() {
        return new ClientSessions(
                engines,
                timer -> new ClientOptions(
                        windowBytes,
                        maxInboundMessageBytes,
                        maxInboundMetadataBytes,
                        connectTimeout,
                        keepAliveNs,
                        keepAliveTimeoutNs,
                        keepAliveWithoutCalls,
                        timer,
                        tracers));
    }
}
