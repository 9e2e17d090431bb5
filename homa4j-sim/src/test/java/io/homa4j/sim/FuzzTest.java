package io.homa4j.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A fixed set of seeds holds all that the checkers ask, and a seed means the same each time. */
class FuzzTest {
    private static final int SEEDS = 1_200;

    @Test
    void nothingThatMustNotHappenHappensInAFixedSetOfSeeds() throws InterruptedException {
        Fuzz fuzz = new Fuzz(1, SEEDS, 2);
        fuzz.run();

        assertThat(fuzz.failures()).isEmpty();
        assertThat(fuzz.coverage().runs()).isEqualTo(SEEDS);
        assertThat(fuzz.coverage().missing())
                .as("faults and results that did not occur")
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 17, 92, 239, 434})
    void seedMeansTheSameEachTime(long seed) {
        List<String> lines = new ArrayList<>();
        Fuzz.Run read = Fuzz.run(seed, lines::add);
        Fuzz.Run again = Fuzz.run(seed, null);

        assertThat(again.hash()).isEqualTo(read.hash());
        assertThat(again.coverage().text()).isEqualTo(read.coverage().text());
        assertThat(lines).hasSizeGreaterThan(20);
        assertThat(Fuzz.run(seed + 1, null).hash()).isNotEqualTo(read.hash());
    }

    @Test
    void threadsChangeNothing() throws InterruptedException {
        Fuzz alone = new Fuzz(5_000, 60, 1);
        alone.run();
        Fuzz together = new Fuzz(5_000, 60, 3);
        together.run();

        assertThat(together.hash()).isEqualTo(alone.hash());
        assertThat(together.coverage().text()).isEqualTo(alone.coverage().text());
    }

    @Test
    void stoppedCampaignEndsEarly() throws InterruptedException {
        Fuzz fuzz = new Fuzz(1, Long.MAX_VALUE, 1);
        fuzz.stop();
        fuzz.run();

        assertThat(fuzz.finished()).isZero();
    }
}
