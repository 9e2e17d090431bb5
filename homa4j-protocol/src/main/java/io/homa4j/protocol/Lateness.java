package io.homa4j.protocol;

/**
 * How late the owner turns when data wait for the link: the 99th percentile of lately, which says how much has to be queued
 * below so that the link does not stand still (design 6, backlog limit). Late by more than the longest lateness counted
 * means a pause of the process, for which no queue should be kept.
 */
final class Lateness {
    /** No lateness is taken for longer than this, ns. */
    static final long LONGEST_NS = 4_000_000;

    /** Steps per doubling. */
    private static final int STEPS = 4;
    /** Shorter lateness is none. */
    private static final long SHORTEST_NS = 1_000;

    private static final int CLASSES = 12 * STEPS + 1;
    /** Wake-ups between two looks at the histogram; older ones count half each time. */
    private static final int PERIOD = 256;

    private final int[] count = new int[CLASSES];
    private int total;
    private int sinceLook;
    private long p99Ns;
    private boolean isKnown;

    /** The 99th percentile, ns, rounded up to the next class; 0 while little is known. */
    long p99Ns() {
        return p99Ns;
    }

    /** Whether wake-ups enough for a percentile have been seen. */
    boolean isKnown() {
        return isKnown;
    }

    /** A wake-up was so late. */
    void add(long ns) {
        count[classOf(ns)]++;
        total++;
        if (++sinceLook == PERIOD) {
            sinceLook = 0;
            p99Ns = percentile();
            isKnown = true;
            age();
        }
    }

    private static int classOf(long ns) {
        if (ns < SHORTEST_NS) {
            return 0;
        }
        long units = Math.min(ns, LONGEST_NS) / SHORTEST_NS;
        int doublings = 63 - Long.numberOfLeadingZeros(units);
        int step = (int) ((units << 2 >> doublings) & (STEPS - 1));
        return Math.min(CLASSES - 1, doublings * STEPS + step + 1);
    }

    private static long upperNs(int c) {
        if (c == 0) {
            return 0;
        }
        int doublings = (c - 1) / STEPS;
        int step = (c - 1) % STEPS;
        return Math.min(LONGEST_NS, (SHORTEST_NS << doublings) * (STEPS + step + 1) / STEPS);
    }

    private long percentile() {
        int beyond = 0;
        int c = CLASSES - 1;
        while (c > 0 && beyond + count[c] <= total / 100) {
            beyond += count[c];
            c--;
        }
        return upperNs(c);
    }

    private void age() {
        total = 0;
        for (int c = 0; c < CLASSES; c++) {
            count[c] >>= 1;
            total += count[c];
        }
    }
}
