package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.homa4j.driver.Driver;
import io.homa4j.protocol.PacketBatch;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** When what the engine stands on breaks, nobody is left waiting, and everybody is told why. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BrokenDriverTest {
    enum Where {
        RECEIVE,
        SEND,
        AWAIT
    }

    private volatile boolean isBroken;

    private Driver breaking(Driver inner, Where where) {
        return new DriverAround(inner) {
            private void breakIf(Where here) {
                if (isBroken && where == here) {
                    throw new IllegalStateException("broken, as the test wants");
                }
            }

            @Override
            public int receive(PacketBatch batch) {
                breakIf(Where.RECEIVE);
                return super.receive(batch);
            }

            @Override
            public int send(PacketBatch batch) {
                breakIf(Where.SEND);
                return super.send(batch);
            }

            @Override
            public void await(long timeoutNs) {
                breakIf(Where.AWAIT);
                super.await(timeoutNs);
            }
        };
    }

    private static <T> CompletableFuture<T> start(Thread.Builder threads, Callable<T> action) {
        CompletableFuture<T> outcome = new CompletableFuture<>();
        threads.start(() -> {
            try {
                outcome.complete(action.call());
            } catch (Throwable e) {
                outcome.completeExceptionally(e);
            }
        });
        return outcome;
    }

    @ParameterizedTest
    @EnumSource
    void nobodyWaitsForABrokenEngine(Where where) throws Exception {
        try (DatagramSocket silent = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                Homa homa =
                        Homa.builder().driver(inner -> breaking(inner, where)).open()) {
            HomaAddress nobody = HomaAddress.of("127.0.0.1", silent.getLocalPort());
            HomaSocket socket = homa.openSocket(0);
            List<CompletableFuture<?>> waiting = new ArrayList<>();
            waiting.add(start(Thread.ofPlatform(), socket::receive));
            waiting.add(start(Thread.ofVirtual(), socket::receive));
            waiting.add(start(Thread.ofVirtual(), () -> homa.call(nobody, new byte[1])));
            waiting.add(homa.callAsync(nobody, new byte[1]));
            isBroken = true;
            // Asks for packets to be sent, so that a broken send is noticed too.
            waiting.add(start(Thread.ofPlatform(), () -> homa.call(nobody, new byte[1])));
            for (CompletableFuture<?> outcome : waiting) {
                assertThatThrownBy(outcome::get)
                        .cause()
                        .isInstanceOfSatisfying(
                                HomaException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INTERNAL))
                        .hasMessageContaining("broken, as the test wants");
            }
            assertThat(homa.isClosed()).isTrue();
            assertThatThrownBy(() -> homa.call(nobody, new byte[1])).isInstanceOf(HomaException.class);
        }
    }
}
