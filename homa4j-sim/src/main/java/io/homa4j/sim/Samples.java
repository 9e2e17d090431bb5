package io.homa4j.sim;

import java.util.Arrays;

/**
 * Slowdowns of messages by class of size: for each class a histogram with 512 steps per factor of two, so that a quantile is
 * exact to a fifth of a percent, and the exact sum. Samples of several runs can be added up.
 */
public final class Samples {
    private static final int STEP_BITS = 9;
    /** Slowdowns from 1/2 to 2^15; what lies outside counts as the limit. */
    private static final int BUCKETS = 16 << STEP_BITS;

    private static final long FIRST = Double.doubleToLongBits(0.5) >>> (52 - STEP_BITS);

    private static final int[] NONE = {};

    /** By class; {@link #NONE} while it has no message. */
    private final int[][] counts;

    private final double[] sum;
    private final double[] max;
    private final long[] count;

    public Samples(int classes) {
        counts = new int[classes][];
        Arrays.fill(counts, NONE);
        sum = new double[classes];
        max = new double[classes];
        count = new long[classes];
    }

    public void add(int sizeClass, double slowdown) {
        int[] row = counts[sizeClass];
        if (row.length == 0) {
            row = new int[BUCKETS];
            counts[sizeClass] = row;
        }
        long bucket = (Double.doubleToLongBits(slowdown) >>> (52 - STEP_BITS)) - FIRST;
        row[Math.clamp(bucket, 0, BUCKETS - 1)]++;
        sum[sizeClass] += slowdown;
        max[sizeClass] = Math.max(max[sizeClass], slowdown);
        count[sizeClass]++;
    }

    /** Adds everything of another run. */
    public void addAll(Samples other) {
        for (int c = 0; c < count.length; c++) {
            int[] from = other.counts[c];
            if (from.length == 0) {
                continue;
            }
            int[] row = counts[c];
            if (row.length == 0) {
                row = new int[BUCKETS];
                counts[c] = row;
            }
            for (int i = 0; i < BUCKETS; i++) {
                row[i] += from[i];
            }
            sum[c] += other.sum[c];
            max[c] = Math.max(max[c], other.max[c]);
            count[c] += other.count[c];
        }
    }

    /** Messages in the classes from {@code from} to {@code to - 1}. */
    public long count(int from, int to) {
        long total = 0;
        for (int c = from; c < to; c++) {
            total += count[c];
        }
        return total;
    }

    /** Mean slowdown in the classes from {@code from} to {@code to - 1}; NaN if there is no message. */
    public double mean(int from, int to) {
        double total = 0;
        for (int c = from; c < to; c++) {
            total += sum[c];
        }
        return total / count(from, to);
    }

    public double max(int from, int to) {
        double most = 0;
        for (int c = from; c < to; c++) {
            most = Math.max(most, max[c]);
        }
        return most;
    }

    /** The least slowdown that at least this fraction of the messages does not exceed; NaN if there is no message. */
    public double quantile(int from, int to, double fraction) {
        long total = count(from, to);
        if (total == 0) {
            return Double.NaN;
        }
        long wanted = Math.max(1, (long) StrictMath.ceil(total * fraction));
        long seen = 0;
        for (int i = 0; i < BUCKETS; i++) {
            for (int c = from; c < to; c++) {
                int[] row = counts[c];
                seen += row.length == 0 ? 0 : row[i];
            }
            if (seen >= wanted) {
                // The middle of the step.
                return Double.longBitsToDouble(((FIRST + i) << (52 - STEP_BITS)) + (1L << (51 - STEP_BITS)));
            }
        }
        throw new AssertionError("counts do not add up");
    }
}
