package io.homa4j.grpc;

import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.InternalChannelz;
import io.grpc.InternalChannelz.SocketStats;
import io.grpc.InternalInstrumented;
import io.grpc.InternalLogId;
import io.grpc.internal.InternalServer;
import io.grpc.internal.ObjectPool;
import io.grpc.internal.ServerListener;
import io.homa4j.Homa;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What gRPC's server listens with: takes a port while it runs. */
final class HomaTransportServer implements InternalServer {
    private final ObjectPool<Homa> engines;
    private final int wantedPort;
    private final ServerOptions options;
    private @Nullable Homa homa;
    private @Nullable ServerEndpoint endpoint;
    private @Nullable ServerListener listener;
    /** The port as channelz knows it; null while it is not open. */
    private @Nullable ListenStats listenStats;

    private volatile @Nullable InetSocketAddress address;

    HomaTransportServer(ObjectPool<Homa> engines, int port, ServerOptions options) {
        this.engines = engines;
        this.wantedPort = port;
        this.options = options;
    }

    @Override
    public synchronized void start(ServerListener listener) throws IOException {
        Homa engine = engines.getObject();
        boolean isOpen = false;
        this.listener = listener;
        try {
            ServerEndpoint open = ServerEndpoint.listen(engine, wantedPort, this);
            homa = engine;
            endpoint = open;
            InetSocketAddress bound = new InetSocketAddress(ServerEndpoint.anyAddress(), open.port());
            address = bound;
            ListenStats stats = new ListenStats(engine, bound);
            listenStats = stats;
            InternalChannelz.instance().addListenSocket(stats);
            isOpen = true;
        } finally {
            if (!isOpen) {
                engines.returnObject(engine);
            }
        }
    }

    @Override
    public void shutdown() {
        ServerEndpoint open;
        Homa engine;
        ListenStats stats;
        synchronized (this) {
            open = endpoint;
            engine = homa;
            stats = listenStats;
            endpoint = null;
            homa = null;
            listenStats = null;
        }
        if (stats != null) {
            InternalChannelz.instance().removeListenSocket(stats);
        }
        if (open == null || engine == null) {
            return;
        }
        open.stopListening(this);
        listener().serverShutdown();
        open.whenClosed(() -> engines.returnObject(engine));
    }

    ServerOptions options() {
        return options;
    }

    ServerListener listener() {
        ServerListener own = listener;
        if (own == null) {
            throw new IllegalStateException("not started");
        }
        return own;
    }

    @Override
    public SocketAddress getListenSocketAddress() {
        InetSocketAddress bound = address;
        return bound == null ? new InetSocketAddress(ServerEndpoint.anyAddress(), wantedPort) : bound;
    }

    @Override
    public List<? extends SocketAddress> getListenSocketAddresses() {
        return List.of(getListenSocketAddress());
    }

    @Override
    public synchronized @Nullable InternalInstrumented<SocketStats> getListenSocketStats() {
        return listenStats;
    }

    @Override
    public @Nullable List<InternalInstrumented<SocketStats>> getListenSocketStatsList() {
        InternalInstrumented<SocketStats> one = getListenSocketStats();
        return one == null ? null : List.of(one);
    }

    /** What channelz shows of the port. */
    private static final class ListenStats implements InternalInstrumented<SocketStats> {
        private final Homa homa;
        private final SocketAddress address;
        private final InternalLogId logId;

        ListenStats(Homa homa, SocketAddress address) {
            this.homa = homa;
            this.address = address;
            this.logId = InternalLogId.allocate("homa-port", address.toString());
        }

        @Override
        public ListenableFuture<SocketStats> getStats() {
            return Futures.immediateFuture(new SocketStats(null, address, null, Stats.options(homa), null));
        }

        @Override
        public InternalLogId getLogId() {
            return logId;
        }
    }
}
