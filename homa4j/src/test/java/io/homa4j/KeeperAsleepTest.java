package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.DatagramSocket;
import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A caller that turns the engine itself, while the engine's own thread sleeps in the driver without an end. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class KeeperAsleepTest {
    @Test
    void timersOfABlockingCallRunAlthoughNoPacketEverComes() throws Exception {
        try (DatagramSocket silent = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                Homa homa = Homa.builder().set("poll_usecs", "0").open()) {
            HomaAddress nobody = HomaAddress.of("127.0.0.1", silent.getLocalPort());
            // Long calls hand the baton to the engine's thread, which then goes to sleep again.
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> homa.call(nobody, new byte[100], Duration.ofMillis(300)))
                        .isInstanceOf(HomaRpcException.class)
                        .satisfies(
                                e -> assertThat(((HomaRpcException) e).reason()).isEqualTo(Reason.DEADLINE));
            }
            assertThatThrownBy(() -> homa.call(nobody, new byte[100], Duration.ofSeconds(30)))
                    .isInstanceOf(HomaRpcException.class)
                    .satisfies(e -> assertThat(((HomaRpcException) e).reason()).isEqualTo(Reason.TIMEOUT));
            assertThat(homa.counters().get("packets_sent_RESEND"))
                    .as("asked again and again")
                    .isPositive();
        }
    }
}
