package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SoakPlanTest {
    private static final long SEED = 20_261_122;

    private final SoakPlan plan = new SoakPlan(SEED);

    @Test
    void theNumberComesOutOfTheSeedAgain() {
        for (long number = 0; number < 100_000; number++) {
            if (plan.requestLength(number) >= SoakPlan.NUMBERED) {
                assertThat(plan.number(plan.requestSeed(number))).isEqualTo(number);
            }
        }
        assertThat(SoakPlan.unscramble(SoakPlan.scramble(Long.MIN_VALUE))).isEqualTo(Long.MIN_VALUE);
    }

    @Test
    void sizesAreLogUniformFromOneToAMillion() {
        int[] decades = new int[6];
        for (long number = 0; number < 60_000; number++) {
            int request = plan.requestLength(number);
            int response = plan.responseLength(plan.requestSeed(number), request);
            assertThat(request).isBetween(1, 1_000_000);
            assertThat(response).isBetween(1, 1_000_000);
            decades[(int) Math.min(5, Math.log10(request))]++;
        }
        // A standard deviation is about 90.
        assertThat(decades).satisfies(counts -> {
            for (int count : counts) {
                assertThat(count).isBetween(9_500, 10_500);
            }
        });
    }

    @Test
    void messagesOfAllLengthsAreMadeAndRecognised() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int length : new int[] {1, 2, 3, 7, 8, 9, 100, 1416, 65_536, 1_000_000}) {
            long number = random.nextInt(1_000_000);
            MemorySegment message = MemorySegment.ofArray(new byte[length]);
            long seed = SoakPlan.scramble(number) & (length < 8 ? (1L << 8 * length) - 1 : -1);
            plan.fill(message, seed);
            assertThat(SoakPlan.seed(message)).isEqualTo(seed);
            assertThat(plan.isIntact(message, seed)).isTrue();
            assertThat(plan.isIntact(message, seed ^ 1)).isFalse();
        }
    }

    @Test
    void damagedShiftedAndForeignBytesAreFound() {
        byte[] bytes = new byte[20_000];
        MemorySegment message = MemorySegment.ofArray(bytes);
        long seed = plan.requestSeed(5);
        plan.fill(message, seed);
        byte[] original = bytes.clone();

        for (int at : new int[] {0, 7, 8, 9, 10_000, 19_999}) {
            bytes[at] ^= 0x10;
            assertThat(plan.isIntact(message, seed)).as("byte " + at).isFalse();
            bytes[at] = original[at];
        }
        System.arraycopy(original, 5_000, bytes, 5_001, 5_000);
        assertThat(plan.isIntact(message, seed)).isFalse();

        byte[] other = new byte[bytes.length];
        plan.fill(MemorySegment.ofArray(other), plan.requestSeed(6));
        System.arraycopy(original, 0, bytes, 0, bytes.length);
        System.arraycopy(other, 5_000, bytes, 5_000, 1_416);
        assertThat(plan.isIntact(message, seed)).isFalse();
    }

    @Test
    void bothEndsHaveTheSamePlanAndOtherRunsAnother() {
        SoakPlan same = new SoakPlan(SEED);
        SoakPlan other = new SoakPlan(SEED + 1);
        MemorySegment message = MemorySegment.ofArray(new byte[1000]);
        plan.fill(message, plan.requestSeed(9));
        assertThat(same.requestSeed(9)).isEqualTo(plan.requestSeed(9));
        assertThat(same.isIntact(message, plan.requestSeed(9))).isTrue();
        assertThat(other.isIntact(message, plan.requestSeed(9))).isFalse();
    }
}
