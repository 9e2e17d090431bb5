package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which messages are granted at a time, and at which level (spec scheduling 3, 6, 7.1, 10). */
class GrantActiveSetTest {
    private final Config config = GrantBench.config();

    // ---- start of a message

    @Test
    @Pins("S-001")
    void allSlotsAreEmptyAtFirst() {
        GrantBench bench = new GrantBench(Config.module());
        assertThat(bench.granter.active()).isZero();
        assertThat(bench.granter.managed()).isZero();
        assertThat(bench.granter.totalIncoming()).isZero();
        assertThat(bench.config.grantFifoFraction).isEqualTo(50);
        for (int slot = 0; slot < 8; slot++) {
            assertThat(bench.add("m" + slot, slot, 20_000).in.slot).isEqualTo(slot);
        }
    }

    @Test
    @Pins("S-002")
    void messageWithScheduledBytesIsGrantable() {
        GrantBench bench = new GrantBench(config);
        Rpc message = bench.begin("a", 1, 2000, 800);
        assertThat(message.in.isGrantable).isTrue();
        assertThat(message.in.granted).isEqualTo(800);
        assertThat(message.in.slot).isEqualTo(-1);
    }

    @Test
    @Pins("S-003")
    void messageAnnouncedWholeIsNeverGranted() {
        GrantBench bench = new GrantBench(config);
        Rpc message = bench.add("a", 1, 2000, 3000);
        assertThat(message.in.granted).isEqualTo(2000);
        assertThat(message.in.isGrantable).isFalse();
        bench.receive(message, 1000);
        assertThat(message.in.slot).isEqualTo(-1);
        assertThat(bench.granter.totalIncoming()).isZero();
        assertThat(bench.grants()).isEmpty();
    }

    // ---- slots

    @Test
    @Pins("S-004")
    void enteringASlotRecordsTheBytesToComeAndSwitchesTheWindow() {
        config.window = 0;
        config.maxIncoming = 120_000;
        GrantBench bench = new GrantBench(config);
        assertThat(bench.granter.window()).isEqualTo(120_000);
        Rpc message = bench.begin("a", 1, 20_000, 1000);
        bench.receive(message, 400);
        assertThat(message.in.slot).isZero();
        assertThat(message.in.rankedRemaining).isEqualTo(19_600);
        assertThat(message.peer.host.activeMessages).isEqualTo(1);
        assertThat(bench.granter.active()).isEqualTo(1);
        assertThat(bench.granter.window()).isEqualTo(60_000);
        Rpc second = bench.add("b", 1, 20_000);
        assertThat(second.in.slot).isEqualTo(1);
        assertThat(message.peer.host.activeMessages).isEqualTo(2);
        assertThat(bench.granter.window()).isEqualTo(40_000);
    }

    @Test
    @Pins({"S-005", "S-027"})
    void messageThatNeedsNoGrantsAnyMoreTakesNoSlot() {
        GrantBench bench = new GrantBench(config);
        Rpc message = bench.begin("a", 1, 2000, 800);
        bench.granter.forget(message);
        bench.granter.check(message);
        assertThat(message.in.slot).isEqualTo(-1);
        assertThat(bench.granter.active()).isZero();
        assertThat(message.peer.host.queued.size()).isZero();
        assertThat(message.peer.host.grantPlace).isEqualTo(-1);
    }

    @Test
    @Pins("S-006")
    void leavingASlotEmptiesItAndSwitchesTheWindowBack() {
        config.window = 0;
        config.maxIncoming = 120_000;
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.add("a", 1, 20_000);
        bench.add("b", 1, 20_000);
        bench.granter.forget(a);
        assertThat(a.in.slot).isEqualTo(-1);
        assertThat(a.peer.host.activeMessages).isEqualTo(1);
        assertThat(bench.granter.active()).isEqualTo(1);
        assertThat(bench.granter.window()).isEqualTo(60_000);
        assertThat(bench.active()).isEqualTo("- b");
    }

    @Test
    @Pins("S-007")
    void fewerBytesToComeOutrankMoreAndEarlierBirthDecidesTies() {
        GrantBench bench = new GrantBench(config);
        Rpc early = bench.begin("early", 1, 20_000, 0);
        Rpc late = bench.begin("late", 2, 20_000, 0);
        Rpc shorter = bench.begin("shorter", 3, 19_999, 0);
        assertThat(Granter.outranks(shorter, early)).isTrue();
        assertThat(Granter.outranks(early, shorter)).isFalse();
        assertThat(Granter.outranks(early, late)).isTrue();
        assertThat(Granter.outranks(late, early)).isFalse();
        late.in.birthNs = early.in.birthNs;
        assertThat(Granter.outranks(early, late)).isFalse();
        assertThat(Granter.outranks(late, early)).isFalse();
        // the bytes still to come count, not the length
        late.in.take(0, 5000);
        assertThat(Granter.outranks(late, shorter)).isTrue();
    }

    // ---- levels

    /** So many active messages, each shorter than the one before; the grants that 16,500 more bytes of each draw. */
    private static String levels(GrantBench bench, int messages) {
        Rpc[] all = new Rpc[messages];
        for (int i = 0; i < messages; i++) {
            all[i] = bench.add("m" + i, i, 200_000 - 20_000 * i);
        }
        bench.grants();
        for (int i = messages - 1; i >= 0; i--) {
            bench.receive(all[i], 16_500);
        }
        return bench.grants().replaceAll("m\\d+ \\d+ ", "");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Pins("S-008")
    void levelsFallWithTheRankAndNeverBelowZero(boolean profileModule) {
        config.moduleProfile = profileModule;
        config.unschedCutoffs = new int[] {0, 0, 0, 0, 0, 0, 0, 1_000_000};
        assertThat(levels(new GrantBench(config.copy()), 7)).isEqualTo("p6, p5, p4, p3, p2, p1, p0");
        assertThat(levels(new GrantBench(config.copy()), 8)).isEqualTo("p6, p5, p4, p3, p2, p1, p0, p0");
    }

    @Test
    @Pins("S-009")
    void fewMessagesUseTheLowestLevelsThatSuffice() {
        config.unschedCutoffs = new int[] {0, 0, 0, 0, 0, 0, 0, 1_000_000};
        assertThat(levels(new GrantBench(config.copy()), 4)).isEqualTo("p3, p2, p1, p0");
        assertThat(levels(new GrantBench(config.copy()), 1)).isEqualTo("p0");
    }

    // ---- a slot or a victim

    @Test
    @Pins("S-010")
    void emptySlotIsTakenBeforeAnybodyIsEvicted() {
        config.maxOvercommit = 3;
        GrantBench bench = new GrantBench(config);
        bench.add("a", 1, 50_000);
        Rpc b = bench.add("b", 2, 40_000);
        bench.add("c", 3, 60_000);
        bench.granter.forget(b);
        bench.add("d", 1, 10_000);
        assertThat(bench.active()).isEqualTo("a d c");
    }

    @Test
    @Pins("S-011")
    void slotsBeyondMaxOvercommitDoNotCount() {
        config.maxOvercommit = 2;
        GrantBench bench = new GrantBench(config);
        bench.add("a", 1, 20_000);
        bench.add("b", 2, 30_000);
        bench.add("c", 3, 10_000);
        assertThat(bench.active()).isEqualTo("a c");
        config.maxOvercommit = 1;
        bench.add("d", 4, 5000);
        assertThat(bench.active()).isEqualTo("d c");
        // nor is such a slot filled again
        bench.granter.forget(bench.message("c"));
        assertThat(bench.active()).isEqualTo("d");
    }

    @Test
    @Pins({"S-012", "S-013"})
    void victimBelongsToThePeerWithMostActiveMessages() {
        config.maxOvercommit = 4;
        GrantBench bench = new GrantBench(config);
        bench.add("longest", 1, 60_000);
        bench.add("a", 2, 20_000);
        bench.add("b", 2, 30_000);
        bench.add("long", 3, 50_000);
        bench.add("new", 4, 10_000);
        assertThat(bench.active()).isEqualTo("longest a new long");
    }

    @Test
    @Pins("S-014")
    void newcomerCountsForItsOwnPeer() {
        config.maxOvercommit = 3;
        GrantBench bench = new GrantBench(config);
        bench.add("a", 1, 40_000);
        bench.add("own", 2, 20_000);
        bench.add("b", 3, 30_000);
        bench.add("new", 2, 10_000);
        assertThat(bench.active()).isEqualTo("a new b");
    }

    @Test
    @Pins("S-015")
    void latestBornIsTheVictimAmongEquals() {
        config.maxOvercommit = 2;
        GrantBench bench = new GrantBench(config);
        Rpc early = bench.begin("early", 1, 20_000, 0);
        bench.add("late", 1, 20_000);
        bench.granter.check(early);
        assertThat(bench.active()).isEqualTo("late early");
        bench.add("new", 2, 10_000);
        assertThat(bench.active()).isEqualTo("new early");
    }

    @Test
    @Pins("S-016")
    void longerNewcomerOfAPeerWithoutActiveMessagesWinsAgainstAPeerWithTwo() {
        config.maxOvercommit = 2;
        GrantBench bench = new GrantBench(config);
        bench.add("a", 1, 60_000);
        bench.add("b", 1, 50_000);
        bench.add("new", 2, 80_000);
        assertThat(bench.active()).isEqualTo("new b");
    }

    @Test
    @Pins("S-017")
    void newcomerMustOutrankTheVictimOfAPeerThatHasNoMore() {
        config.maxOvercommit = 1;
        GrantBench bench = new GrantBench(config);
        bench.add("a", 1, 20_000);
        bench.add("longer", 2, 30_000);
        assertThat(bench.active()).isEqualTo("a");
        bench.add("shorter", 3, 10_000);
        assertThat(bench.active()).isEqualTo("shorter");
    }

    @Test
    @Pins("S-018")
    void equallyLongNewcomerWinsOnlyIfBornEarlier() {
        config.maxOvercommit = 1;
        GrantBench bench = new GrantBench(config);
        Rpc earlier = bench.begin("earlier", 1, 20_000, 0);
        bench.add("a", 2, 20_000);
        bench.add("later", 3, 20_000);
        assertThat(bench.active()).isEqualTo("a");
        bench.granter.check(earlier);
        assertThat(bench.active()).isEqualTo("earlier");
    }

    @Test
    @Pins("S-019")
    void shorterMessageReplacesTheLongestOfItsOwnPeer() {
        config.maxOvercommit = 2;
        GrantBench bench = new GrantBench(config);
        bench.add("a", 1, 30_000);
        bench.add("b", 1, 40_000);
        bench.add("new", 1, 10_000);
        assertThat(bench.active()).isEqualTo("a new");
    }

    /** Spec scheduling 24: the module compares with what the others had left when they got their slots. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void victimIsChosenByLiveCountsUnlessTheModuleIsReproduced(boolean profileModule) {
        config.moduleProfile = profileModule;
        config.maxOvercommit = 1;
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.add("a", 1, 20_000, 20_000 - 1);
        bench.receive(a, 15_000);
        bench.add("new", 2, 10_000);
        assertThat(bench.active()).isEqualTo(profileModule ? "new" : "a");
    }
}
