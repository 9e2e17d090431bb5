package io.homa4j.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The checkers bite: each fault that nothing excuses is caught within a few seeds, by the checker that is meant to. */
class SabotageTest {
    private static final int SEEDS = 300;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            EXECUTES_TWICE     | runs a request again
            FORGETS_ENDED_RPCS | runs a request again
            LOSES_RELEASED     | was released 0 times
            RELEASES_TWICE     | has released the
            FLIPS_PAYLOAD      | is wrong
            LOSES_OUTCOMES     | has released the request
            LEAKS_MEMORY       | has something left
            STOPS_TIMERS       | turns in a millisecond
            INFLATES_GRANTS    | are granted
            LOSES_UNCOUNTED    | packets were sent
            TRUSTS_STRANGERS   | to an unproven peer
            SENDS_UNTAKEN      | packets sent
            STARVES_THE_OLDEST | the oldest message starved
            """)
    void eachIsCaught(Sabotage sabotage, String found) {
        Regions regions = new Regions();
        for (long seed = 1; seed <= SEEDS; seed++) {
            Fuzz.Run run = Fuzz.run(seed, regions, sabotage, null);
            if (run.failure() != null && run.failure().contains(found)) {
                return;
            }
        }
        throw new AssertionError(sabotage + " was not caught by " + SEEDS + " seeds");
    }

    @ParameterizedTest
    @CsvSource("NONE")
    void withoutSabotageTheSameSeedsPass(Sabotage none) {
        Regions regions = new Regions();
        for (long seed = 1; seed <= 50; seed++) {
            Fuzz.Run run = Fuzz.run(seed, regions, none, null);
            assertThat(Objects.requireNonNullElse(run.failure(), ""))
                    .as("seed %d", seed)
                    .isEmpty();
        }
    }
}
