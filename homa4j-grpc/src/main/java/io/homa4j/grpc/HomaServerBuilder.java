package io.homa4j.grpc;

import io.grpc.ForwardingServerBuilder;
import io.grpc.ServerBuilder;
import io.grpc.ServerStreamTracer;
import io.grpc.internal.GrpcUtil;
import io.grpc.internal.InternalServer;
import io.grpc.internal.ObjectPool;
import io.grpc.internal.ServerImplBuilder;
import io.grpc.internal.TransportTracer;
import io.homa4j.Homa;
import java.io.File;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Builds gRPC servers that are called over Homa. Everything else about the server is as gRPC has it.
 *
 * <pre>{@code
 * Server server = HomaServerBuilder.forPort(4000).addService(new Greeter()).build().start();
 * }</pre>
 *
 * <p>A server can be started on the port of one that was shut down and still drains, if both use the same {@link Homa}. With {@code
 * directExecutor()} your services run on the thread that turns the engine: they must be short and must not block.
 */
public final class HomaServerBuilder extends ForwardingServerBuilder<HomaServerBuilder> {
    private static final long AS_GOOD_AS_NEVER_NS = TimeUnit.DAYS.toNanos(1000);

    private final ServerImplBuilder delegate = new ServerImplBuilder(new Servers());
    private final int port;
    private ObjectPool<Homa> engines = Engines.server();
    private int windowBytes = HomaChannelBuilder.DEFAULT_WINDOW_BYTES;
    private int maxInboundMessageBytes = GrpcUtil.DEFAULT_MAX_MESSAGE_SIZE;
    private int maxInboundMetadataBytes = GrpcUtil.DEFAULT_MAX_HEADER_LIST_SIZE;
    private int maxCallsPerSession = 100_000;
    private int maxSessions = 10_000;
    private Duration lease = Duration.ofSeconds(30);
    private long maxIdleNs = Long.MAX_VALUE;
    private long maxAgeNs = Long.MAX_VALUE;
    private long maxAgeGraceNs = Long.MAX_VALUE;
    private TransportTracer.Factory tracers = TransportTracer.getDefaultFactory();

    private HomaServerBuilder(int port) {
        this.port = port;
    }

    /**
     * A server on a UDP port.
     *
     * @param port 1 to 65535; 0 for a free one ({@link io.grpc.Server#getPort})
     */
    public static HomaServerBuilder forPort(int port) {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("port " + port + " is not between 0 and 65535");
        }
        return new HomaServerBuilder(port);
    }

    /** Called by gRPC, with one argument or, in later versions, two: hence no override. */
    private final class Servers implements ServerImplBuilder.ClientTransportServersBuilder {
        @SuppressWarnings({"MissingOverride", "unused"})
        public InternalServer buildClientTransportServers(List<? extends ServerStreamTracer.Factory> factories) {
            return buildTransportServers(factories);
        }

        @SuppressWarnings({"MissingOverride", "unused"})
        public InternalServer buildClientTransportServers(
                List<? extends ServerStreamTracer.Factory> factories, io.grpc.MetricRecorder metrics) {
            return buildTransportServers(factories);
        }
    }

    @Override
    protected ServerBuilder<?> delegate() {
        return delegate;
    }

    /** The engine to use instead of the one that all servers of the process share. It stays the caller's, to be closed after them. */
    public HomaServerBuilder homa(Homa homa) {
        engines = Engines.of(homa);
        return this;
    }

    /**
     * How many bytes a client may send for one stream before the application takes them.
     *
     * @param bytes 1,000,000 or more; default 2,000,000
     */
    public HomaServerBuilder flowControlWindow(int bytes) {
        windowBytes = HomaChannelBuilder.checkWindow(bytes);
        return this;
    }

    @Override
    public HomaServerBuilder maxInboundMessageSize(int bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("maxInboundMessageSize " + bytes + " is negative");
        }
        maxInboundMessageBytes = bytes;
        return this;
    }

    /**
     * The largest headers taken, counted as HTTP/2 does.
     *
     * @param bytes 1 to 500,000; default 8192
     */
    @Override
    public HomaServerBuilder maxInboundMetadataSize(int bytes) {
        maxInboundMetadataBytes = HomaChannelBuilder.checkMetadata(bytes);
        return this;
    }

    /** Most calls open in one session; more are refused, and clients may try again. Default 100,000. */
    public HomaServerBuilder maxConcurrentCallsPerConnection(int calls) {
        if (calls < 1) {
            throw new IllegalArgumentException("maxConcurrentCallsPerConnection " + calls + " is less than 1");
        }
        maxCallsPerSession = calls;
        return this;
    }

    /** Most sessions, that is connected channels; more are refused. Default 10,000. */
    public HomaServerBuilder maxSessions(int sessions) {
        if (sessions < 1) {
            throw new IllegalArgumentException("maxSessions " + sessions + " is less than 1");
        }
        maxSessions = sessions;
        return this;
    }

    /**
     * A client that has been silent for so long counts as dead: its calls are cancelled. Clients show themselves every third of it.
     * Default 30 s, at least 100 ms.
     */
    public HomaServerBuilder sessionLease(Duration silence) {
        if (silence.compareTo(Duration.ofMillis(100)) < 0 || silence.compareTo(Duration.ofDays(20)) > 0) {
            throw new IllegalArgumentException("sessionLease " + silence + " is not between 100 ms and 20 days");
        }
        lease = silence;
        return this;
    }

    @Override
    public HomaServerBuilder maxConnectionIdle(long time, TimeUnit unit) {
        maxIdleNs = positive("maxConnectionIdle", time, unit);
        return this;
    }

    @Override
    public HomaServerBuilder maxConnectionAge(long time, TimeUnit unit) {
        maxAgeNs = positive("maxConnectionAge", time, unit);
        return this;
    }

    @Override
    public HomaServerBuilder maxConnectionAgeGrace(long time, TimeUnit unit) {
        maxAgeGraceNs = positive("maxConnectionAgeGrace", time, unit);
        return this;
    }

    /** Nothing to do: clients need no permission, their signs of life are part of the session. */
    @Override
    public HomaServerBuilder permitKeepAliveTime(long time, TimeUnit unit) {
        return this;
    }

    /** Nothing to do: clients need no permission, their signs of life are part of the session. */
    @Override
    public HomaServerBuilder permitKeepAliveWithoutCalls(boolean permit) {
        return this;
    }

    private static long positive(String name, long time, TimeUnit unit) {
        if (time <= 0) {
            throw new IllegalArgumentException(name + " " + time + " is not positive");
        }
        long ns = unit.toNanos(time);
        return ns >= AS_GOOD_AS_NEVER_NS ? Long.MAX_VALUE : ns;
    }

    /** @throws UnsupportedOperationException always */
    @Override
    public HomaServerBuilder useTransportSecurity(File certChain, File privateKey) {
        throw new UnsupportedOperationException("there is no encryption over Homa yet");
    }

    /** Whether the statistics that gRPC finds by itself are taken; for tests that bring their own. */
    HomaServerBuilder setStatsEnabled(boolean on) {
        delegate.setStatsEnabled(on);
        return this;
    }

    HomaServerBuilder setTransportTracerFactory(TransportTracer.Factory factory) {
        tracers = factory;
        return this;
    }

    InternalServer buildTransportServers(List<? extends ServerStreamTracer.Factory> factories) {
        return new HomaTransportServer(
                engines,
                port,
                new ServerOptions(
                        windowBytes,
                        maxInboundMessageBytes,
                        maxInboundMetadataBytes,
                        maxCallsPerSession,
                        maxSessions,
                        lease,
                        maxIdleNs,
                        maxAgeNs,
                        maxAgeGraceNs,
                        factories,
                        tracers));
    }
}
