package io.homa4j.sim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FabricTest {
    private static FabricPlan plan(String workload, double load, int hosts, long measuredPs) {
        FabricPlan plan = new FabricPlan();
        plan.workload = Workload.sigcomm18(workload);
        plan.load = load;
        plan.hosts = hosts;
        plan.measuredPs = measuredPs;
        plan.warmUpPs = measuredPs / 4;
        plan.drainPs = 20 * measuredPs;
        return plan;
    }

    private static String text(FabricResult result) {
        int classes = result.plan().workload.classes();
        return result.messages() + " " + result.unfinished() + " " + result.events() + " " + result.endPs() + " "
                + result.samples().mean(0, classes) + " " + result.samples().quantile(0, classes, 0.99) + " "
                + result.network().torDown().meanQueueBytes() + " "
                + result.network().torDown().shareByLevel();
    }

    @Test
    void theSameSeedGivesTheSameRunBitForBit() {
        FabricPlan plan = plan("w3", 0.6, 24, Simulation.MS / 2);
        String first = text(new Fabric(plan).run());
        assertThat(text(new Fabric(plan).run())).isEqualTo(first);
        plan.seed = 2;
        assertThat(text(new Fabric(plan).run())).isNotEqualTo(first);
    }

    @ParameterizedTest
    @EnumSource
    void allMessagesArriveWhateverTheRules(FabricPlan.Rules rules) {
        FabricPlan plan = plan("w3", 0.4, 20, Simulation.MS);
        plan.rules = rules;
        FabricResult result = new Fabric(plan).run();
        assertThat(result.messages()).isGreaterThan(1_000);
        assertThat(result.unfinished()).isZero();
        assertThat(result.samples().count(0, plan.workload.classes())).isEqualTo(result.messages());
        assertThat(result.samples().quantile(0, plan.workload.classes(), 0.5)).isBetween(1.0, 3.0);
    }

    /** An undisturbed message takes what its packets take that follow each other without a gap, also if most is granted. */
    @ParameterizedTest
    @ValueSource(ints = {1, 17, 18, 100, 1_000, 1_442, 2_000, 2_884, 9_328, 9_329, 20_000, 300_000})
    void aSingleMessageTakesTheTimeOfItsPackets(int bytes) {
        for (int hostsPerRack = 1; hostsPerRack <= 2; hostsPerRack++) {
            FabricPlan plan = plan("w4", 1, 2, 200 * Simulation.MS);
            plan.hostsPerRack = hostsPerRack;
            plan.workload = Workload.fixed(bytes);
            // A message of each host in 10 ms on average.
            plan.load = bytes * 8.0 / 0.01 / 10e9 / plan.loadFactor();
            FabricResult result = new Fabric(plan).run();
            assertThat(result.unfinished()).isZero();
            boolean sameRack = hostsPerRack == 2;
            double expected = (double) undisturbedPs(bytes, sameRack) / Slowdown.idealPs(bytes, sameRack);
            assertThat(result.samples().quantile(0, 1, 0.5))
                    .as("%d bytes, same rack: %s", bytes, sameRack)
                    .isBetween(0.997 * expected, 1.003 * expected);
        }
    }

    /**
     * Packets one behind the other over all links, each stored whole before it is sent on. (Over different spines a much
     * smaller one could overtake; no size here makes one.)
     */
    private static long undisturbedPs(int bytes, boolean sameRack) {
        long[] psPerByte = sameRack ? new long[] {800, 800} : new long[] {800, 200, 200, 800};
        long[] idlePs = new long[psPerByte.length];
        long arrivedPs = 0;
        for (int at = 0; at < bytes; ) {
            boolean unscheduled = at < 9_328;
            int data = unscheduled ? Math.min(1_442, Math.min(bytes, 9_328) - at) : Math.min(1_456, bytes - at);
            int wire = Framing.ethernet(data + (unscheduled ? 30 : 16));
            arrivedPs = 0;
            for (int link = 0; link < psPerByte.length; link++) {
                idlePs[link] = Math.max(idlePs[link], arrivedPs) + wire * psPerByte[link];
                arrivedPs = idlePs[link];
            }
            at += data;
        }
        return arrivedPs + 1_500_000 + (sameRack ? 250_000 : 750_000);
    }

    @Test
    void theLeastTimeOfTheSmallestMessageToAnotherRackIsThePapers() {
        // 2.42 us (SIGCOMM 2018).
        assertThat(Slowdown.idealPs(1, false) / 1e6).isBetween(2.41, 2.43);
        assertThat(Slowdown.idealPs(1_472, false)).isEqualTo(1_538 * 800 * 2 + 1_538 * 400 + 2_250_000);
    }

    @ParameterizedTest
    @CsvSource({"w1, 187.4, 0.1", "w2, 440.8, 0.1", "w3, 2927.4, 0.1", "w4, 127796.6, 0.1", "w5, 2515863, 2"})
    void theDistributionsHaveThePublishedMeans(String name, double mean, double within) {
        assertThat(Workload.sigcomm18(name).meanBytes()).isBetween(mean - within, mean + within);
    }

    @ParameterizedTest
    @CsvSource({"w1, 7", "w2, 5", "w3, 4", "w4, 1", "w5, 1"})
    void cutoffsRiseTowardsLowerLevelsAndTheLowestUnscheduledTakesAll(String name, int levels) {
        int[] table = Cutoffs.table(Workload.sigcomm18(name), 8, levels, 9_328);
        for (int level = 7; level > 8 - levels; level--) {
            assertThat(table[level]).isPositive().isLessThan(table[level - 1]);
        }
        assertThat(table[8 - levels]).isEqualTo(Integer.MAX_VALUE);
        for (int level = 0; level < 8 - levels; level++) {
            assertThat(table[level]).isZero();
        }
    }

    @Test
    void switchingOffThePartsOfTheProtocolMakesItWorse() {
        FabricPlan plan = plan("w2", 0.8, 20, Simulation.MS);
        double p99 = new Fabric(plan).run().samples().quantile(0, plan.workload.classes(), 0.99);
        plan.levels = false;
        assertThat(new Fabric(plan).run().samples().quantile(0, plan.workload.classes(), 0.99))
                .isGreaterThan(1.5 * p99);
    }
}
