package io.homa4j.cli;

import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaMessage;
import io.homa4j.HomaRpcException;
import io.homa4j.HomaSocket;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Homa with the calling thread as its engine: a socket of its own, and every turn of the load is one of the engine. Outcomes
 * are taken in the socket's callback, where sending and receiving cost no hand-over.
 */
final class HomaTransport implements LoadTransport {
    /** Timer slack of the kernel and the time to wake up. */
    private static final long OVERSLEEP_NS = 100_000;
    /** A selector sleeps whole milliseconds, and then has to wake up. */
    private static final long PORTABLE_OVERSLEEP_NS = 2_000_000;

    private final Homa homa;
    private final HomaSocket socket;
    private final HomaAddress[] servers;
    private final boolean ownsHoma;
    private @Nullable Outcomes outcomes;
    private int delivered;

    /**
     * @param homa in invoker mode; closed with this object
     */
    HomaTransport(Homa homa, HomaAddress server) {
        this(homa, new HomaAddress[] {server}, true);
    }

    /**
     * @param homa in invoker mode; stays open
     */
    HomaTransport(Homa homa, List<HomaAddress> servers) {
        this(homa, servers.toArray(HomaAddress[]::new), false);
    }

    private HomaTransport(Homa homa, HomaAddress[] servers, boolean ownsHoma) {
        this.homa = homa;
        this.servers = servers;
        this.ownsHoma = ownsHoma;
        this.socket = homa.openSocket();
        socket.onReadable(this::deliverAll);
    }

    @Override
    public boolean start(byte[] request, Call call) {
        return socket.trySend(servers[call.target], request, call) != 0;
    }

    @Override
    public long oversleepNs() {
        return homa.datapath().startsWith("datapath portable") ? PORTABLE_OVERSLEEP_NS : OVERSLEEP_NS;
    }

    @Override
    public int turn(Outcomes to) {
        outcomes = to;
        delivered = 0;
        return homa.doWork() + delivered;
    }

    @Override
    public int await(long waitNs, Outcomes to) {
        outcomes = to;
        delivered = 0;
        return homa.doWork(Duration.ofNanos(waitNs)) + delivered;
    }

    private void deliverAll() {
        Outcomes to = outcomes;
        while (to != null && deliverOne(to)) {
            delivered++;
        }
    }

    private boolean deliverOne(Outcomes to) {
        try (HomaMessage message = socket.poll()) {
            if (message == null) {
                return false;
            }
            Call call = (Call) message.cookie();
            HomaRpcException failure = message.failure();
            if (call == null) {
                throw new IllegalStateException("an outcome without its call");
            } else if (failure != null) {
                to.failed(call, failure.reason().name().toLowerCase(Locale.ROOT));
            } else {
                to.answered(call, message.segment());
            }
            return true;
        }
    }

    @Override
    public void close() {
        outcomes = null;
        socket.closeNow();
        if (ownsHoma) {
            homa.close();
        }
    }
}
