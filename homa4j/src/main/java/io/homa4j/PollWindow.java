package io.homa4j;

/**
 * How long to poll before sleeping: up to {@code poll_usecs} while that pays, less when it does not. Packets that come soon
 * after a thread went to sleep open the window; polling in vain before a long sleep halves it. So a busy engine answers at
 * once, and one that is asked every few milliseconds does not burn a core between. Owner.
 */
final class PollWindow {
    private static final long CLOSED_BELOW_NS = 1_000;

    private final long maxNs;
    private long windowNs;

    PollWindow(long maxNs) {
        this.maxNs = maxNs;
        this.windowNs = maxNs;
    }

    /** Whether polling is switched off. */
    boolean isNever() {
        return maxNs == 0;
    }

    /** Whether to poll on, so long after the last sign of work. */
    boolean isOpen(long sinceWorkNs) {
        return sinceWorkNs < windowNs;
    }

    /** A sleep is over that began {@code sinceWorkNs} after the last work and took {@code sleptNs}. */
    void slept(long sinceWorkNs, long sleptNs) {
        // Waking up takes about as long as polling is allowed to.
        if (sinceWorkNs + sleptNs <= 2 * maxNs) {
            windowNs = maxNs;
        } else if (sinceWorkNs >= windowNs) {
            windowNs = windowNs / 2 < CLOSED_BELOW_NS ? 0 : windowNs / 2;
        }
    }
}
