package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The small share of the oldest message (spec scheduling 11), and the parameters of granting. */
class FifoGrantsTest {
    private static final int INTERVAL_NS = 10_000;

    private final Config config = GrantBench.config();

    @BeforeEach
    void grantsOf20000BytesEachTenMicroseconds() {
        config.grantFifoFraction = 500;
        config.linkMbps = 32_000;
        config.fifoGrantIncrement = 20_000;
        config.window = 1000;
    }

    /** A message whose window is used up by 5000 announced bytes: a trigger when it has received 4001 or more. */
    private static Rpc trigger(GrantBench bench) {
        return bench.add("trigger", 9, 10_000, 5000);
    }

    /** A normal grant to the trigger, after which FIFO grants are looked at; what was granted. */
    private static String pull(GrantBench bench) {
        Rpc trigger = bench.message("trigger");
        bench.receive(trigger, trigger.in.granted - trigger.in.receivedBytes() - 999);
        return bench.grants().replaceFirst("trigger \\d+ p\\d+(, )?", "");
    }

    /** A stream of short messages exhausts it by what they send unasked. */
    @Test
    void oldestHasItsShareWhenHeadroomIsExhaustedOutsideProfileModule() {
        assertThat(grantsWithoutHeadroom(true)).isEmpty();
        assertThat(grantsWithoutHeadroom(false)).isEqualTo("oldest 45000 p6");
    }

    /** The link may be a thousand times slower than the one assumed. */
    @Test
    void whileTheRateIsUnknownTheOldestHasItsShareOfWhatComesInOutsideProfileModule() {
        config.moduleProfile = false;
        config.linkMbps = 0;
        config.grantFifoFraction = 50;
        config.fifoGrantIncrement = 10_000;
        GrantBench bench = new GrantBench(config);
        bench.add("oldest", 1, 990_000, 5_000);
        Rpc other = bench.add("other", 2, 900_000, 5_000);
        bench.grants();
        int fifo = 0;
        for (int i = 0; i < 80; i++) {
            bench.pass(INTERVAL_NS);
            bench.receive(other, 10_000);
            fifo += bench.grants().contains("p6") ? 1 : 0;
        }
        assertThat(fifo).as("a twentieth of 800 kB").isEqualTo(4);
        bench.pass(10_000_000);
        bench.receive(other, 3_000);
        assertThat(bench.grants())
                .as("others have had their time")
                .contains("oldest")
                .contains("p6");
    }

    private String grantsWithoutHeadroom(boolean profileModule) {
        config.moduleProfile = profileModule;
        config.maxIncoming = 10_000;
        GrantBench bench = new GrantBench(config);
        bench.add("oldest", 1, 990_000, 5_000);
        Rpc other = bench.add("other", 2, 50_000, 40_000);
        bench.grants();
        bench.pass(2 * INTERVAL_NS);
        bench.receive(other, 1_400);
        return bench.grants();
    }

    // ---- who

    @Test
    @Pins({"S-080", "S-088"})
    void earliestBornQueuedMessageIsTheOldestWhateverItsLength() {
        config.maxOvercommit = 1;
        GrantBench bench = new GrantBench(config);
        Rpc oldest = bench.begin("oldest", 1, 990_000, 5000);
        Rpc other = bench.begin("other", 2, 950_000, 5000);
        trigger(bench);
        bench.granter.check(other);
        bench.granter.check(oldest);
        assertThat(bench.active()).isEqualTo("trigger");
        assertThat(pull(bench)).isEqualTo("oldest 25000 p6");
    }

    @Test
    @Pins("S-081")
    void messageWithAWindowAndTwoIncrementsOutIsPassedOver() {
        config.maxOvercommit = 1;
        for (int unanswered : new int[] {40_999, 41_000}) {
            GrantBench bench = new GrantBench(config);
            Rpc oldest = bench.begin("oldest", 1, 990_000, unanswered);
            Rpc other = bench.begin("other", 2, 950_000, 5000);
            trigger(bench);
            bench.granter.check(other);
            bench.granter.check(oldest);
            assertThat(pull(bench)).isEqualTo(unanswered < 41_000 ? "oldest 60999 p6" : "other 25000 p6");
        }
    }

    @Test
    @Pins({"S-082", "S-092"})
    void fullyGrantedMessageIsPassedOver() {
        config.maxOvercommit = 1;
        GrantBench bench = new GrantBench(config);
        Rpc oldest = bench.begin("oldest", 1, 22_000, 5000);
        Rpc other = bench.begin("other", 2, 50_000, 5000);
        trigger(bench);
        bench.granter.check(oldest);
        bench.granter.check(other);
        assertThat(pull(bench)).isEqualTo("oldest 22000 p6");
        assertThat(bench.count(Counters.FIFO_GRANT_BYTES)).isEqualTo(17_000);
        bench.pass(INTERVAL_NS);
        assertThat(pull(bench)).isEqualTo("other 25000 p6");
    }

    @Test
    @Pins("S-083")
    void activeMessagesAreCandidates() {
        GrantBench bench = new GrantBench(config);
        bench.add("oldest", 1, 50_000, 5000);
        bench.add("other", 2, 40_000, 5000);
        trigger(bench);
        assertThat(pull(bench)).isEqualTo("oldest 25000 p6");
    }

    @Test
    @Pins({"S-084", "S-091"})
    void activeMessageThatDoesNotAnswerItsGrantsIsPassedOver() {
        GrantBench bench = new GrantBench(config);
        bench.add("oldest", 1, 500_000, 5000);
        bench.add("other", 2, 400_000, 5000);
        trigger(bench);
        assertThat(pull(bench)).isEqualTo("oldest 25000 p6");
        bench.pass(INTERVAL_NS);
        assertThat(pull(bench)).isEqualTo("oldest 45000 p6");
        bench.pass(INTERVAL_NS);
        assertThat(pull(bench)).isEqualTo("other 25000 p6");
    }

    @Test
    @Pins({"S-085", "S-092"})
    void fullyGrantedActiveMessageIsPassedOver() {
        GrantBench bench = new GrantBench(config);
        bench.add("oldest", 1, 20_000, 5000);
        bench.add("other", 2, 40_000, 5000);
        trigger(bench);
        assertThat(pull(bench)).isEqualTo("oldest 20000 p6");
        assertThat(bench.count(Counters.FIFO_GRANT_BYTES)).isEqualTo(15_000);
        bench.pass(INTERVAL_NS);
        assertThat(pull(bench)).isEqualTo("other 25000 p6");
    }

    @Test
    @Pins({"S-086", "S-093"})
    void withoutCandidateNothingIsGranted() {
        GrantBench bench = new GrantBench(config);
        bench.add("oldest", 1, 50_000, 41_000);
        Rpc trigger = bench.add("trigger", 9, 5900, 5000);
        // its normal grant reaches its end
        bench.receive(trigger, 4900);
        assertThat(bench.grants()).isEqualTo("trigger 5900 p1");
        assertThat(bench.count(Counters.FIFO_GRANT_BYTES)).isZero();
        // nobody has been remembered in its place
        bench.pass(INTERVAL_NS);
        Rpc young = bench.add("young", 2, 50_000);
        assertThat(bench.grants()).isEqualTo("young 1000 p0, young 21000 p6");
        assertThat(young.in.expectedBytes).isEqualTo(21_000);
    }

    @Test
    @Pins({"S-042", "S-094"})
    void oldestMessageThatHasEndedIsNotGranted() {
        GrantBench bench = new GrantBench(config);
        Rpc oldest = bench.add("oldest", 1, 500_000, 5000);
        Rpc trigger = bench.add("trigger", 9, 6000, 5000);
        bench.receive(trigger, 4001);
        assertThat(bench.grants()).isEqualTo("trigger 5001 p1, oldest 25000 p6");
        bench.receive(trigger, 999);
        bench.granter.forget(oldest);
        bench.grants();
        bench.pass(INTERVAL_NS);
        // the module's repetition of a complete grant is a normal grant
        bench.receive(trigger, 1);
        assertThat(bench.grants()).isEqualTo("trigger 6000 p0");
        assertThat(bench.count(Counters.FIFO_GRANT_BYTES)).isEqualTo(20_000);
        Rpc next = bench.add("next", 2, 50_000);
        bench.pass(INTERVAL_NS);
        bench.receive(next, 1);
        assertThat(bench.grants()).endsWith("next 21001 p6");
    }

    // ---- how much and when

    @Test
    @Pins("S-066")
    void grantIsFollowedByOneToTheOldest() {
        config.numPriorities = 2;
        GrantBench bench = new GrantBench(config);
        bench.add("oldest", 1, 500_000, 5000);
        bench.add("a", 2, 50_000);
        assertThat(bench.grants()).isEqualTo("a 1000 p0, oldest 25000 p0");
    }

    @Test
    @Pins({"S-088", "S-089"})
    void fifoGrantIsDueOncePerInterval() {
        config.numPriorities = 5;
        config.maxOvercommit = 8;
        GrantBench bench = new GrantBench(config);
        Rpc oldest = bench.add("oldest", 1, 500_000, 5000);
        trigger(bench);
        long total = bench.granter.totalIncoming();
        assertThat(pull(bench)).isEqualTo("oldest 25000 p3");
        assertThat(oldest.in.expectedBytes).isEqualTo(25_000);
        assertThat(bench.count(Counters.FIFO_GRANT_BYTES)).isEqualTo(20_000);
        // the trigger has 1999 bytes out now instead of 5000
        assertThat(bench.granter.totalIncoming()).isEqualTo(total + 20_000 - 4000);
        bench.pass(INTERVAL_NS - 1);
        assertThat(pull(bench)).isEmpty();
        bench.pass(1);
        assertThat(pull(bench)).isEqualTo("oldest 45000 p3");
    }

    @Test
    @Pins("S-090")
    void withoutIncrementNothingIsGrantedButTheDueTimeMovesOn() {
        config.fifoGrantIncrement = 0;
        GrantBench bench = new GrantBench(config);
        bench.add("oldest", 1, 500_000, 5000);
        trigger(bench);
        assertThat(pull(bench)).isEmpty();
        config.fifoGrantIncrement = 20_000;
        bench.granter.linkMbps(config.linkMbps);
        bench.pass(999_999_999);
        assertThat(pull(bench)).isEmpty();
        bench.pass(1);
        assertThat(pull(bench)).isEqualTo("oldest 25000 p6");
    }

    // ---- parameters

    @Test
    @Pins("S-096")
    void atMostEightMessagesAreActive() {
        config.maxOvercommit = 9;
        GrantBench bench = new GrantBench(config);
        assertThat(bench.config.maxOvercommit).isEqualTo(8);
        for (int i = 0; i < 9; i++) {
            bench.add("m" + i, i, 20_000);
        }
        assertThat(bench.granter.active()).isEqualTo(8);
        assertThat(bench.message("m8").in.slot).isEqualTo(-1);
    }

    @Test
    @Pins("S-097")
    void oldestMessageGetsAtMostHalf() {
        config.grantFifoFraction = 501;
        GrantBench bench = new GrantBench(config);
        assertThat(bench.config.grantFifoFraction).isEqualTo(500);
    }

    @Test
    @Pins("S-098")
    void intervalFollowsFromRateShareAndIncrement() {
        config.linkMbps = 8000;
        GrantBench bench = new GrantBench(config);
        bench.add("oldest", 1, 500_000, 5000);
        trigger(bench);
        assertThat(pull(bench)).isEqualTo("oldest 25000 p6");
        bench.pass(39_999);
        assertThat(pull(bench)).isEmpty();
        bench.pass(1);
        assertThat(pull(bench)).isEqualTo("oldest 45000 p6");
    }

    @Test
    @Pins("S-099")
    void withoutShareTheTimerIsLookedAtOnceASecond() {
        config.grantFifoFraction = 0;
        GrantBench bench = new GrantBench(config);
        bench.add("oldest", 1, 500_000, 5000);
        trigger(bench);
        assertThat(pull(bench)).isEmpty();
        config.grantFifoFraction = 500;
        bench.granter.linkMbps(config.linkMbps);
        bench.pass(999_999_999);
        assertThat(pull(bench)).isEmpty();
        bench.pass(1);
        assertThat(pull(bench)).isEqualTo("oldest 25000 p6");
    }

    @Test
    @Pins("S-100")
    void fixedWindowHoldsForEveryNumberOfActiveMessages() {
        config.window = 5000;
        GrantBench bench = new GrantBench(config);
        for (int i = 0; i < 8; i++) {
            bench.add("m" + i, i, 20_000);
            assertThat(bench.granter.window()).isEqualTo(5000);
        }
    }

    @Test
    @Pins("S-101")
    void dynamicWindowSharesTheAllowance() {
        config.window = 0;
        config.maxIncoming = 100_000;
        GrantBench bench = new GrantBench(config);
        int[] windows = {50_000, 33_333, 25_000, 20_000, 16_666, 14_285, 12_500, 11_111};
        for (int i = 0; i < 8; i++) {
            bench.add("m" + i, i, 20_000);
            assertThat(bench.granter.window()).isEqualTo(windows[i]);
        }
    }
}
