package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import io.homa4j.wire.CutoffsPacket;
import org.junit.jupiter.api.Test;

/** This host's own table of unscheduled cutoffs: changes, what follows from them, and tuning (spec scheduling 16.1, 17). */
class CutoffsTest {
    private final Config config = Rig.config();
    private final Counters counters = new Counters();

    private Priorities priorities() {
        config.normalize();
        return new Priorities(config, counters, new KeyedHash(1), 0);
    }

    @Test
    void defaultsAreThoseOfTheModule() {
        Priorities priorities = priorities();
        assertThat(priorities.cutoffs()).containsExactly(0, 0, 0, 0, 1_000_000, 15_000, 2_800, 200);
        assertThat(priorities.maxScheduledLevel()).isEqualTo(3);
        assertThat(priorities.epoch()).isEqualTo(1);
    }

    @Test
    @Pins("P-246")
    void changeWithSixLevelsSetsWhatFollows() {
        config.numPriorities = 6;
        Priorities priorities = priorities();
        priorities.install(new int[] {10, 20, 30, 1_000_000, 500, 400, 300, 200});
        assertThat(priorities.cutoffs()).containsExactly(Integer.MAX_VALUE, 20, 30, 1_000_000, 500, 400, 0, 0);
        assertThat(priorities.maxScheduledLevel()).isEqualTo(2);
        assertThat(priorities.epoch()).isEqualTo(2);
        assertThat(priorities.controlLevel()).isEqualTo(5);
        assertThat(priorities.secondLevel()).isEqualTo(4);
    }

    @Test
    @Pins("P-247")
    void moreThanEightLevelsAreEight() {
        config.numPriorities = 9;
        priorities();
        assertThat(config.numPriorities).isEqualTo(8);
    }

    @Test
    @Pins("P-248")
    void levelZeroTakesWhatNoEntryCovers() {
        Priorities priorities = priorities();
        priorities.install(new int[] {0, 0, 0, 0, 999_999, 15_000, 2_800, 200});
        assertThat(priorities.cutoffs()[0]).isEqualTo(Integer.MAX_VALUE);
        assertThat(priorities.maxScheduledLevel()).isZero();
        // Told to a sender, such a table gives the longest messages level 0.
        Rig rig = new Rig();
        rig.node.receive(rig.peer.cutoffs(1, 2, priorities.cutoffs()));
        rig.request(1_000_000);
        assertThat(rig.node.send().getFirst().level()).isZero();
    }

    /** A change reaches peers as soon as they send data with the old version (capture 07a). */
    @Test
    void changedTableIsToldWithItsNewVersion() {
        Rig rig = new Rig(config);
        rig.caller.data(1000, 5_000).bytes(1400).cutoffVersion(1).go();
        assertThat(rig.node.sends()).isEmpty();
        Config changed = config.copy();
        changed.unschedCutoffs = new int[] {0, 0, 0, 1_000_000, 9_000, 7_000, 5_000, 3_000};
        rig.node.engine.reconfigure(changed, rig.node.nowNs);
        rig.caller.data(1000, 5_000).at(1400).bytes(1400).cutoffVersion(1).go();
        CutoffsPacket cutoffs = (CutoffsPacket) rig.node.send().getFirst().packet();
        assertThat(cutoffs.version()).isEqualTo(2);
        assertThat(cutoffs.cutoffs()).containsExactly(Integer.MAX_VALUE, 0, 0, 1_000_000, 9_000, 7_000, 5_000, 3_000);
    }

    // ---- tuning from the sizes of incoming messages (spec scheduling 17)

    private Priorities tuning() {
        config.tuneCutoffs = true;
        config.tuneCutoffsMinMessages = 100;
        return priorities();
    }

    private void messages(int count, int length) {
        for (int i = 0; i < count; i++) {
            counters.message(length);
        }
    }

    /**
     * 10000 messages of 128 bytes and 10000 of 640 bytes: all bytes are unscheduled, so all eight levels are, each for an
     * eighth of 7.68 MB. The first class of 1.28 MB fills more than one eighth (960001), then the other takes the rest.
     */
    @Test
    void levelsAreDividedByBytes() {
        Priorities priorities = tuning();
        messages(10_000, 128);
        messages(10_000, 640);
        priorities.tune(40_000, config.tuneCutoffsIntervalNs);
        assertThat(priorities.epoch()).isEqualTo(2);
        assertThat(priorities.cutoffs())
                .containsExactly(
                        Integer.MAX_VALUE, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 128);
        assertThat(priorities.maxScheduledLevel()).isEqualTo(5);
    }

    /**
     * With 1024 unscheduled bytes of each message long ones count for little: of 8.5 MB unscheduled 6.4 MB are of the shortest, more than
     * half, and two levels are for all. Counted in whole, those of 10240 bytes would have a level too.
     */
    @Test
    void onlyUnscheduledBytesOfLongMessagesCount() {
        Priorities priorities = tuning();
        messages(10_000, 640);
        messages(1_000, 10_240);
        messages(1_000, 20_480);
        priorities.tune(1_024, config.tuneCutoffsIntervalNs);
        assertThat(priorities.cutoffs())
                .containsExactly(
                        Integer.MAX_VALUE, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 640);
    }

    @Test
    void tooFewMessagesOrTooLittleDriftChangeNothing() {
        Priorities priorities = tuning();
        messages(50, 128);
        priorities.tune(40_000, config.tuneCutoffsIntervalNs);
        assertThat(priorities.epoch()).as("too few").isEqualTo(1);
        messages(1_000, 128);
        priorities.tune(40_000, config.tuneCutoffsIntervalNs);
        assertThat(priorities.epoch()).as("not yet time").isEqualTo(1);
        priorities.tune(40_000, 2 * config.tuneCutoffsIntervalNs);
        assertThat(priorities.epoch()).isEqualTo(2);
        messages(1_000, 128);
        priorities.tune(40_000, 3 * config.tuneCutoffsIntervalNs);
        assertThat(priorities.epoch()).as("sizes are what they were").isEqualTo(2);
        messages(1_000, 50_000);
        priorities.tune(40_000, 4 * config.tuneCutoffsIntervalNs);
        assertThat(priorities.epoch()).isEqualTo(3);
    }
}
