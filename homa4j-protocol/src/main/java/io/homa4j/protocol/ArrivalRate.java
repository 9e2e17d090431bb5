package io.homa4j.protocol;

/**
 * How fast packets come in while they wait for each other on the way: then what arrives is what the narrowest link delivers, as a
 * rule this host's own. Where nothing waits nothing is found, for then no rate limits anything. It says nothing about packets;
 * it only measures.
 */
final class ArrivalRate {
    /** Round trips longer than the shortest by so much are a sign of a queue, ns. */
    static final long QUEUE_NS = 2_000_000;

    /** Length of a measurement, ns; longer by as much as the owner turns late. */
    private static final long WINDOW_NS = 10_000_000;
    /**
     * The least of so many measurements in a row counts: what has gathered while the owner did not turn makes one of them too
     * high, not all.
     */
    private static final int IN_A_ROW = 3;
    /** And only if they agree so well: a full link delivers evenly, applications do not send so. */
    private static final double STEADY = 0.9;
    /** A sign of a queue is good for so long. */
    private static final long SIGN_NS = 50_000_000;
    /** What has not been reached for one or two of these is forgotten. */
    private static final long MEMORY_NS = 10_000_000_000L;
    /** The link is busy if so much of its rate was used in the last {@link #RECENT_NS}. */
    private static final double BUSY = 0.7;

    private static final long RECENT_NS = 4_000_000;

    private final Turn turn;

    private long windowStartNs;
    private long windowBytes;
    private final double[] last = new double[IN_A_ROW];
    private int next;

    private boolean hasSign;
    private long signNs;

    /** Bytes per ns: the highest in this stretch of {@link #MEMORY_NS} and in the one before. */
    private double highest;

    private double highestBefore;
    private long stretchNs;

    private long recentStartNs;
    private long recentBytes;
    private long busyNs;

    ArrivalRate(Turn turn) {
        this.turn = turn;
        windowStartNs = turn.nowNs;
        stretchNs = turn.nowNs;
        recentStartNs = turn.nowNs;
    }

    /** Mbit/s with all headers; 0 = not found, or nothing has waited lately. */
    double mbps() {
        return Math.max(highest, highestBefore) * 8_000;
    }

    /** A round trip was longer than the shortest by so much. */
    void queueing(long ns) {
        if (ns >= QUEUE_NS) {
            hasSign = true;
            signNs = turn.nowNs;
        }
    }

    /**
     * How long the link has been busy in all, ns. While it is, what waits for its turn in the queues of the network is not lost
     * because it does not come.
     */
    long busyNs() {
        return busyNs;
    }

    /**
     * Packets of so many bytes with all headers have arrived; to be told of every turn's at once.
     *
     * @return whether the rate has changed
     */
    boolean arrived(long bytes) {
        windowBytes += bytes;
        recentBytes += bytes;
        long ns = turn.nowNs - recentStartNs;
        if (ns >= RECENT_NS) {
            double rate = Math.max(highest, highestBefore);
            if (rate > 0 && recentBytes >= BUSY * rate * ns) {
                busyNs += ns;
            }
            recentStartNs = turn.nowNs;
            recentBytes = 0;
        }
        ns = turn.nowNs - windowStartNs;
        if (ns < WINDOW_NS) {
            return false;
        }
        last[next++ % IN_A_ROW] = (double) windowBytes / ns;
        windowStartNs = turn.nowNs;
        windowBytes = 0;
        return remember();
    }

    private boolean remember() {
        double before = Math.max(highest, highestBefore);
        if (turn.nowNs - stretchNs >= MEMORY_NS) {
            highestBefore = turn.nowNs - stretchNs >= 2 * MEMORY_NS ? 0 : highest;
            highest = 0;
            stretchNs = turn.nowNs;
        }
        if (hasSign && turn.nowNs - signNs <= SIGN_NS) {
            double least = last[0];
            double greatest = last[0];
            for (double each : last) {
                least = Math.min(least, each);
                greatest = Math.max(greatest, each);
            }
            if (least >= STEADY * greatest) {
                highest = Math.max(highest, least);
            }
        }
        return Math.max(highest, highestBefore) != before;
    }
}
