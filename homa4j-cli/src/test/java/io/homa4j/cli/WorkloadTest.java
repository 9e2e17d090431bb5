package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.homa4j.sim.Workload;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine.TypeConversionException;

/** The published workloads against the figures of spec tools 7 (points, smallest, median, mean cut at 1,000,000 bytes). */
class WorkloadTest {
    /** The reference counts one point more where lengths are cut: its class of exactly the largest message. */
    @ParameterizedTest
    @CsvSource({
        "w1, 157, 8, 27, 192.8",
        "w2, 95, 8, 269, 440.8",
        "w3, 113, 8, 268, 2567.7",
        "w4, 225, 53, 662, 61008.1",
        "w5, 109, 1430, 72030, 386161.4"
    })
    void classesAreThoseOfTheReference(String name, int classes, int smallest, int median, double mean) {
        Workload workload = Workload.named(name);
        assertThat(workload.classes()).isEqualTo(classes);
        assertThat(workload.bytes(0)).isEqualTo(smallest);
        assertThat(workload.meanBytes()).isCloseTo(mean, within(0.05));
        for (int i = 1; i < classes; i++) {
            assertThat(workload.bytes(i)).isGreaterThan(workload.bytes(i - 1)).isLessThanOrEqualTo(1_000_000);
        }
        SplittableRandom random = new SplittableRandom(7);
        int[] draws = new int[100_001];
        for (int i = 0; i < draws.length; i++) {
            draws[i] = workload.bytes(workload.draw(random));
        }
        java.util.Arrays.sort(draws);
        // The median of a sample of 100,001 lies within half a percent of the messages around the true one.
        assertThat(median).isBetween(draws[49_500], draws[50_500]);
    }

    @ParameterizedTest
    @CsvSource({"w1", "w2", "w3", "w4", "w5"})
    void samplesHaveTheMeanOfTheTable(String name) {
        Workload workload = Workload.named(name);
        long seed = 42;
        SplittableRandom random = new SplittableRandom(seed);
        int samples = 400_000;
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < samples; i++) {
            double bytes = workload.bytes(workload.draw(random));
            sum += bytes;
            squares += bytes * bytes;
        }
        double mean = sum / samples;
        double error = Math.sqrt((squares / samples - mean * mean) / samples);
        assertThat(mean).as("seed " + seed).isCloseTo(workload.meanBytes(), within(4 * error));
    }

    @Test
    void threeTenthsOfTheMessagesOfW5HaveTheLargestLength() {
        Workload workload = Workload.named("w5");
        SplittableRandom random = new SplittableRandom(3);
        int largest = 0;
        for (int i = 0; i < 100_000; i++) {
            largest += workload.bytes(workload.draw(random)) == 1_000_000 ? 1 : 0;
        }
        assertThat(largest / 100_000.0).isCloseTo(0.3, within(0.01));
    }

    @Test
    void aNumberIsAFixedSize() {
        Workload workload = Workload.fixed(500_000);
        assertThat(workload.classes()).isOne();
        assertThat(workload.bytes(workload.draw(new SplittableRandom(1)))).isEqualTo(500_000);
        assertThat(workload.meanBytes()).isEqualTo(500_000);
    }

    @Test
    void unknownNamesAreRefused() {
        assertThatThrownBy(() -> new WorkloadConverter().convert("w6"))
                .isInstanceOf(TypeConversionException.class)
                .hasMessageContaining("w6");
        assertThat(new WorkloadConverter().convert("W3").name()).isEqualTo("w3");
    }
}
