package io.homa4j.grpc;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.common.util.concurrent.SettableFuture;
import io.grpc.InternalChannelz.SocketOptions;
import io.grpc.InternalChannelz.SocketStats;
import io.grpc.InternalChannelz.TransportStats;
import io.grpc.SynchronizationContext;
import io.grpc.internal.TransportTracer;
import io.homa4j.Homa;
import java.net.SocketAddress;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What channelz shows of a session. Streams are worked on by many threads, and gRPC's tracer counts right for one only; so each
 * stream has a tracer of its own, and the sums are formed here. Any thread.
 */
final class Stats {
    private final TransportTracer.Factory factory;
    private final Set<TransportTracer> live = new HashSet<>();
    /** Of streams that are over. */
    private TransportStats over = new TransportStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    private long keepAlivesSent;

    Stats(TransportTracer.Factory factory) {
        this.factory = factory;
    }

    synchronized TransportTracer begin() {
        TransportTracer tracer = factory.create();
        live.add(tracer);
        return tracer;
    }

    /** The stream is over, and nothing more is counted for it. */
    synchronized void end(TransportTracer tracer) {
        if (live.remove(tracer)) {
            over = sum(over, tracer.getStats());
        }
    }

    synchronized void keepAliveSent() {
        keepAlivesSent++;
    }

    private synchronized TransportStats all() {
        TransportStats sum = new TransportStats(0, 0, 0, 0, 0, 0, 0, keepAlivesSent, 0, 0, 0, 0);
        sum = sum(sum, over);
        for (TransportTracer tracer : live) {
            sum = sum(sum, tracer.getStats());
        }
        return sum;
    }

    /**
     * The sums as they are when all these streams have done what was given them before; so they hold whatever the application has
     * seen happen.
     */
    ListenableFuture<SocketStats> socketStats(
            Collection<SynchronizationContext> streams,
            Homa homa,
            @Nullable SocketAddress local,
            @Nullable SocketAddress remote) {
        SettableFuture<SocketStats> result = SettableFuture.create();
        AtomicInteger left = new AtomicInteger(streams.size() + 1);
        Runnable one = () -> {
            if (left.decrementAndGet() == 0) {
                result.set(socketStats(homa, local, remote));
            }
        };
        for (SynchronizationContext stream : streams) {
            stream.execute(one);
        }
        one.run();
        return result;
    }

    private SocketStats socketStats(Homa homa, @Nullable SocketAddress local, @Nullable SocketAddress remote) {
        return new SocketStats(all(), local, remote, options(homa), null);
    }

    /** The socket's limits under the names that TCP has for them. */
    static SocketOptions options(Homa homa) {
        var config = homa.config();
        return new SocketOptions.Builder()
                .setSocketOptionLingerSeconds(1)
                .addOption("SO_SNDBUF", Long.toString(homa.buffers().limitBytes()))
                .addOption("timeout_ticks", config.timeoutTicks)
                .build();
    }

    private static TransportStats sum(TransportStats a, TransportStats b) {
        return new TransportStats(
                a.streamsStarted + b.streamsStarted,
                Math.max(a.lastLocalStreamCreatedTimeNanos, b.lastLocalStreamCreatedTimeNanos),
                Math.max(a.lastRemoteStreamCreatedTimeNanos, b.lastRemoteStreamCreatedTimeNanos),
                a.streamsSucceeded + b.streamsSucceeded,
                a.streamsFailed + b.streamsFailed,
                a.messagesSent + b.messagesSent,
                a.messagesReceived + b.messagesReceived,
                a.keepAlivesSent + b.keepAlivesSent,
                Math.max(a.lastMessageSentTimeNanos, b.lastMessageSentTimeNanos),
                Math.max(a.lastMessageReceivedTimeNanos, b.lastMessageReceivedTimeNanos),
                -1,
                -1);
    }
}
