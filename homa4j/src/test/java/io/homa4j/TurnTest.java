package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.driver.Driver;
import io.homa4j.protocol.PacketBatch;
import java.lang.foreign.MemorySegment;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Single turns of an engine that this thread owns, at times the test chooses. */
class TurnTest {
    private static final long MS = 1_000_000;

    private final Loopback net = new Loopback();
    /** The driver always has a full batch more, of packets too short to be any. */
    private final AtomicBoolean isFlooded = new AtomicBoolean();

    @AfterEach
    void close() {
        net.close();
    }

    private Driver flooded(Driver inner) {
        return new DriverAround(inner) {
            @Override
            public int receive(PacketBatch batch) {
                if (!isFlooded.get()) {
                    return super.receive(batch);
                }
                batch.clear();
                batch.count = batch.capacity;
                return batch.count;
            }
        };
    }

    @Test
    void timersWaitForPacketsInTheDriverButNotForLong() throws Exception {
        try (DatagramSocket silent = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            Homa homa = net.homa(options -> options.invoker().driver(this::flooded));
            HomaSocket socket = homa.openSocket();
            EngineLoop loop = socket.core().loop;
            CompletableFuture<Reply> call = socket.callAsync(
                    HomaAddress.of("127.0.0.1", silent.getLocalPort()), new byte[10], Loopback.PATIENCE);
            assertThat(loop.baton.tryTake()).isTrue();
            long nowNs = System.nanoTime();
            loop.turn.make(nowNs);
            isFlooded.set(true);
            // The first RESEND is due after 5 ms; turns as frequent as a busy engine's, on the test's own clock.
            for (int i = 0; i < 49; i++) {
                nowNs += MS;
                loop.turn.make(nowNs);
                assertThat(resends(loop)).as("after %d ms", i + 1).isZero();
            }
            for (int i = 0; i < 60 && resends(loop) == 0; i++) {
                nowNs += MS;
                loop.turn.make(nowNs);
            }
            assertThat(resends(loop)).as("the flood does not end").isEqualTo(1);
            loop.baton.layDown();
            assertThat(call).isNotDone();
        }
    }

    private static long resends(EngineLoop loop) {
        return loop.endpoint.counters().value("packets_sent_RESEND");
    }

    @Test
    void aCancelThatComesLateDoesNotHarmTheNextUserOfAPooledCall() throws Exception {
        HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
        Homa homa = net.homa(Homa.Builder::invoker);
        HomaSocket socket = homa.openSocket();
        SocketCore core = socket.core();
        PendingCall first = pooled(core, server.address());
        CancelOp late = new CancelOp(first);
        assertThat(core.loop.executeQuietly(first)).isFalse();
        first.outcome().close();
        Loopback.until("its memory is back", () -> {
            homa.doWork(Duration.ofMillis(1));
            return homa.buffers().usedBytes() == 0;
        });
        PendingCall second = pooled(core, server.address());
        assertThat(second).as("the same object").isSameAs(first);
        core.loop.submit(late);
        assertThat(second.isDone()).isFalse();
        core.loop.executeQuietly(second);
        try (Reply reply = second.outcome()) {
            assertThat(reply.length()).isEqualTo(1);
        }
    }

    private static PendingCall pooled(SocketCore core, HomaAddress to) throws InterruptedException {
        return PendingCall.of(
                core, to, core.copyRequest(MemorySegment.ofArray(new byte[1]), 1, Op.NO_DEADLINE), 1, Op.NO_DEADLINE);
    }
}
