package io.homa4j.grpc;

import io.grpc.ChannelCredentials;
import io.grpc.ChannelLogger;
import io.grpc.internal.ClientTransportFactory;
import io.grpc.internal.ConnectionClientTransport;
import io.grpc.internal.GrpcUtil;
import io.grpc.internal.ObjectPool;
import io.grpc.internal.SharedResourceHolder;
import io.homa4j.Homa;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Makes the sessions of one channel, and holds what they share: the engine and the timer. */
final class ClientSessions implements ClientTransportFactory {
    private final ObjectPool<Homa> engines;
    private final Homa homa;
    private final ScheduledExecutorService timer;
    private final ClientOptions options;
    private boolean isClosed;

    ClientSessions(ObjectPool<Homa> engines, Function<ScheduledExecutorService, ClientOptions> options) {
        this.engines = engines;
        this.homa = engines.getObject();
        this.timer = SharedResourceHolder.get(GrpcUtil.TIMER_SERVICE);
        this.options = options.apply(timer);
    }

    @Override
    public ConnectionClientTransport newClientTransport(
            SocketAddress address, ClientTransportOptions transport, ChannelLogger logger) {
        InetSocketAddress inet =
                address instanceof HomaSocketAddress homaAddress ? homaAddress.address() : (InetSocketAddress) address;
        return new ClientSession(
                options, homa, inet, transport.getAuthority(), transport.getUserAgent(), transport.getEagAttributes());
    }

    @Override
    public ScheduledExecutorService getScheduledExecutorService() {
        return timer;
    }

    @Override
    public @Nullable SwapChannelCredentialsResult swapChannelCredentials(ChannelCredentials credentials) {
        return null;
    }

    @Override
    public synchronized void close() {
        if (!isClosed) {
            isClosed = true;
            engines.returnObject(homa);
            SharedResourceHolder.release(GrpcUtil.TIMER_SERVICE, timer);
        }
    }

    @Override
    public Collection<Class<? extends SocketAddress>> getSupportedSocketAddressTypes() {
        return List.of(HomaSocketAddress.class, InetSocketAddress.class);
    }
}
