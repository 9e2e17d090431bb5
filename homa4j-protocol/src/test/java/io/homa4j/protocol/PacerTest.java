package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.homa4j.conformance.Pins;
import org.junit.jupiter.api.Test;

/** The estimate of what is queued below the engine (spec scheduling 19, 20). */
class PacerTest {
    /** IPv4 and Ethernet bytes around a Homa packet. */
    private static final int AROUND = 20 + 42;

    private final Config config = Config.module();
    private final Turn turn;

    PacerTest() {
        // one byte per ns
        config.linkMbps = 8000;
        config.maxLinkUsage = 100;
        turn = new Turn(config, 7_000_000_000L);
    }

    /** A pacer that has been charged so many ns. */
    private Pacer charged(int backlogNs) {
        Pacer pacer = new Pacer(config, turn);
        pacer.charge(backlogNs - AROUND, true);
        return pacer;
    }

    /** Time from now until the estimate is back at the limit. */
    private long waitNs(Pacer pacer) {
        return pacer.maySendNs() - turn.nowNs;
    }

    @Test
    @Pins("S-102")
    void backlogExactlyAtTheLimitLetsAPacketPassAndChargesIt() {
        Pacer pacer = charged(5000);
        assertThat(pacer.maySend(2000)).isTrue();
        pacer.charge(1500 - AROUND, true);
        assertThat(waitNs(pacer)).isEqualTo(1500);
    }

    @Test
    @Pins("S-103")
    void backlogAboveTheLimitRefusesAndChargesNothing() {
        Pacer pacer = charged(5001);
        assertThat(pacer.maySend(2000)).isFalse();
        assertThat(waitNs(pacer)).isEqualTo(1);
        turn.now(turn.nowNs + 1);
        assertThat(pacer.maySend(2000)).isTrue();
    }

    @Test
    @Pins({"S-105", "S-180"})
    void chargeOfAnIdleLinkStartsNow() {
        Pacer pacer = charged(3000);
        turn.now(turn.nowNs + 1_000_000);
        pacer.charge(1000, true);
        assertThat(waitNs(pacer)).isEqualTo(1000 + 20 + 42 - 5000);
        turn.now(turn.nowNs + 1_000_000);
        pacer.charge(1000, false);
        assertThat(waitNs(pacer)).isEqualTo(1000 + 40 + 42 - 5000);
    }

    @Test
    @Pins("S-181")
    void chargeOfABusyLinkComesOnTop() {
        config.maxNicEstBacklogUsecs = 99;
        assertThat(charged(100_000).maySend(2000)).isFalse();
        config.maxNicEstBacklogUsecs = 110;
        Pacer pacer = charged(100_000);
        assertThat(pacer.maySend(2000)).isTrue();
        pacer.charge(20_000 - AROUND, true);
        assertThat(waitNs(pacer)).isEqualTo(120_000 - 110_000);
    }

    @Test
    @Pins("S-119")
    void costFollowsFromTheRate() {
        config.maxLinkUsage = 99;
        double[][] costs = {{10_000, 0.808}, {1000, 8.08}, {40_000, 0.202}};
        for (double[] cost : costs) {
            config.linkMbps = (int) cost[0];
            Pacer pacer = charged(1_000_000);
            assertThat(waitNs(pacer) + 5000).isCloseTo((long) (cost[1] * 1_000_000), within((long) (cost[1] * 200)));
        }
    }

    @Test
    void packetThatWasNotHandedOverIsTakenBack() {
        Pacer pacer = charged(5000);
        pacer.charge(1500, true);
        pacer.takeBack(1500, true);
        assertThat(waitNs(pacer)).isZero();
    }
}
