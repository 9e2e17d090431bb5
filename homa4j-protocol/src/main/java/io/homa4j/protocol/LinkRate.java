package io.homa4j.protocol;

/**
 * Finds out how fast the uplink is from what the driver refuses (design 6, link rate; ARCHITECTURE.md, "Finding the rate of
 * the link"). A driver that has taken some data and refuses the rest is full to the brim. Between two brims between which its
 * queue was never empty, it has taken what the link delivered; nothing else counts, so that neither an idle application nor a
 * slow receiver nor a lack of grants can be taken for a slow link. Such brims in a row make a streak. Only its ends can be
 * wrong: by when the driver was asked, and by how it counts packets of different kinds; so only a long one tells the rate, or
 * several shorter ones that agree.
 * A rate once found is raised when data have long waited for the {@link Pacer} without the queue below having filled.
 *
 * <p>It never decides whether a packet may leave; it only tells the pacer a rate.
 */
final class LinkRate {
    /** A streak this long is a measurement, ns and in what the queue holds. */
    static final long SAMPLE_NS = 20_000_000;

    private static final int SAMPLE_QUEUES = 4;
    /** This part of it confirms the rate found, for short messages wait in a full queue; and so does a number of such in a row. */
    private static final int SHORT_STREAK = 4;

    private static final int AGREEING_STREAKS = 3;
    /** Without a refusal for so long a measurement is over. */
    private static final long FORGET_NS = 50_000_000;
    /** The driver may have taken this part of its queue since the last brim; more, and the queue may have been empty. */
    private static final double SURELY_BUSY = 0.8;
    /** How much faster than the rate found data leave while it is measured or tested: the queue below bounds what that costs. */
    private static final double PROBE_GAIN = 4;
    /** A rate that has held data back for so long is tested, ns; twice as long after each test that has confirmed it. */
    private static final long PROBE_AFTER_NS = 1_000_000_000;

    private static final long MAX_PROBE_AFTER_NS = 16_000_000_000L;
    /** Rates that differ by no more are the same. */
    private static final double SAME = 0.05;
    /** A test hands over so many times what the queue below holds beyond the rate, and takes so long at least. */
    private static final double PROBE_QUEUES = 2;

    private static final long PROBE_MIN_NS = 10_000_000;
    /** Data that wait are looked at so often at least; a longer time between two looks counts for this much. */
    private static final long MAX_HELD_STEP_NS = 5_000_000;

    /** Longest and shortest queue asked of the driver, bytes, and its length in time once the rate is known. */
    private static final long MAX_QUEUE_BYTES = 1 << 20;

    private static final long MIN_QUEUE_BYTES = 64_000;
    private static final long QUEUE_NS = 4_000_000;
    /** How long a full queue may take while the rate is unknown. */
    private static final long UNKNOWN_QUEUE_NS = 10_000_000;
    /** A queue of unknown rate that may run empty within this time, or while the owner is late, is too short to measure with, ns. */
    private static final long TOO_SHORT_NS = 1_000_000;
    /** If it did so often in a row. */
    private static final int TOO_SHORT_TIMES = 2;

    private final Turn turn;

    /** Bytes with all headers per ns; 0 = not found yet. */
    private double rate;
    /** It comes from a long streak. */
    private boolean isExact;
    /** What the driver's queue holds, bytes; 0 = unknown, then nothing can be found. */
    private long queueBytes;
    /** What it was last asked to hold; small differences do not count. */
    private long wantedQueueBytes = MIN_QUEUE_BYTES;
    /** What it should hold while the rate is unknown: enough for a fast link after a few refusals, and little on a slow one. */
    private long unknownQueueBytes = MIN_QUEUE_BYTES;
    // ---- measuring: brims in a row

    private boolean isMeasuring;
    private boolean hasRefused;
    private long refusedNs;
    private boolean hasBrim;
    private long brimNs;
    /** Taken since the last brim: all bytes, and those of data. */
    private long takenBytes;

    private long takenDataBytes;
    /** The streak up to the last brim. */
    private long streakBytes;

    private long streakNs;
    /** Streaks in a row that agree, though none of them is long, and what they are together. */
    private int agreeing;

    private long agreedBytes;
    private long agreedNs;
    /** Times in a row that the queue may have been empty after a short time. */
    private int tooShortTimes;

    // ---- testing

    private boolean isProbing;
    private long probeStartNs;
    private long probeBytes;
    /** Time for which data have waited for the pacer since the rate was last confirmed, ns. */
    private long heldNs;
    /** What that time is until the next test. */
    private long probeAfterNs = PROBE_AFTER_NS;

    private long heldSeenNs;
    private boolean isHeld;

    LinkRate(Turn turn) {
        this.turn = turn;
        refusedNs = turn.nowNs;
        heldSeenNs = turn.nowNs;
    }

    /** The rate found, Mbit/s; 0 = none yet. */
    double mbps() {
        return rate * 8_000;
    }

    /** Factor by which the pacer may exceed the rate now. */
    double gain() {
        return isMeasuring || isProbing ? PROBE_GAIN : 1;
    }

    /** The driver's queue holds so many bytes before it takes no more; 0 = unknown. */
    void queueBytes(long bytes) {
        if (bytes != queueBytes) {
            queueBytes = bytes;
            streakBytes = 0;
            stopMeasuring();
            isProbing = false;
            // What it has taken before says nothing of how full it is now.
            takenBytes = 0;
            takenDataBytes = 0;
        }
    }

    long queueBytes() {
        return queueBytes;
    }

    /** How long a packet may wait in the driver's queue now, ns: 0 if that has not been full lately. */
    long queueNs() {
        if (queueBytes == 0 || !hasRefused || turn.nowNs - refusedNs > FORGET_NS) {
            return 0;
        }
        return rate == 0 ? UNKNOWN_QUEUE_NS : (long) (queueBytes / rate);
    }

    /** How many bytes the driver's queue should hold: long enough to keep the link busy, short enough to wait in. */
    long wantedQueueBytes(long latenessNs) {
        long wanted = rate == 0
                ? unknownQueueBytes
                : Math.clamp((long) (rate * Math.max(QUEUE_NS, 2 * latenessNs)), MIN_QUEUE_BYTES, MAX_QUEUE_BYTES);
        if (Math.abs(wanted - wantedQueueBytes) > wantedQueueBytes / 4) {
            wantedQueueBytes = wanted;
        }
        return wantedQueueBytes;
    }

    /**
     * The driver has taken packets.
     *
     * @param bytes of all packets with all headers
     * @param dataBytes of those that carry data; others leave whether there is room or not
     * @param isRefused it was offered more data
     * @return whether the rate or the gain has changed
     */
    boolean taken(long bytes, long dataBytes, boolean isRefused) {
        takenBytes += bytes;
        takenDataBytes += dataBytes;
        probeBytes += bytes;
        if (queueBytes == 0) {
            return false;
        }
        if (isRefused) {
            return refused();
        }
        return isMeasuring && turn.nowNs - refusedNs > FORGET_NS ? giveUpMeasuring() : isProbing && checkProbe();
    }

    private boolean refused() {
        boolean wasMeasuring = isMeasuring;
        if (hasRefused && turn.nowNs - refusedNs > FORGET_NS) {
            unknownQueueBytes = MIN_QUEUE_BYTES;
        }
        isMeasuring = true;
        isProbing = false;
        hasRefused = true;
        refusedNs = turn.nowNs;
        if (takenDataBytes > 0 && brim()) {
            stopMeasuring();
            return true;
        }
        double measured = (double) streakBytes / Math.max(1, streakNs);
        boolean isLong = streakNs >= SAMPLE_NS && streakBytes >= SAMPLE_QUEUES * queueBytes;
        if (isLong || isExact && isShortStreak() && isSame(measured, rate)) {
            found(isLong ? measured : rate);
            isExact = true;
            stopMeasuring();
            return true;
        }
        return !wasMeasuring;
    }

    private boolean isShortStreak() {
        return streakNs >= SAMPLE_NS / SHORT_STREAK && streakBytes >= queueBytes;
    }

    private static boolean isSame(double measured, double than) {
        return Math.abs(measured - than) <= SAME * than;
    }

    private void found(double measured) {
        probeAfterNs = isSame(measured, rate) ? Math.min(2 * probeAfterNs, MAX_PROBE_AFTER_NS) : PROBE_AFTER_NS;
        rate = measured;
        heldNs = 0;
        agreeing = 0;
        streakBytes = 0;
        streakNs = 0;
    }

    /**
     * The queue holds just what it may: it took data, so not too much, as after it was made shorter, and refused some.
     *
     * @return whether the rate has been found
     */
    private boolean brim() {
        boolean isFound = false;
        long gapNs = turn.nowNs - brimNs;
        if (hasBrim && takenBytes <= SURELY_BUSY * queueBytes) {
            streakBytes += takenBytes;
            streakNs += gapNs;
            tooShortTimes = 0;
        } else {
            isFound = endStreak();
            boolean isTooShort = hasBrim && gapNs <= Math.max(TOO_SHORT_NS, turn.lateness.p99Ns());
            tooShortTimes = isTooShort ? tooShortTimes + 1 : 0;
            if (tooShortTimes == TOO_SHORT_TIMES) {
                tooShortTimes = 0;
                unknownQueueBytes = Math.min(2 * unknownQueueBytes, MAX_QUEUE_BYTES);
            }
        }
        hasBrim = true;
        brimNs = turn.nowNs;
        takenBytes = 0;
        takenDataBytes = 0;
        return isFound;
    }

    /** A streak is over; if it was long enough to count, it may be the last that was missing. */
    private boolean endStreak() {
        boolean isFound = false;
        if (isShortStreak()) {
            double measured = (double) streakBytes / streakNs;
            if (agreeing == 0 || !isSame(measured, (double) agreedBytes / agreedNs)) {
                agreeing = 0;
                agreedBytes = 0;
                agreedNs = 0;
            }
            agreedBytes += streakBytes;
            agreedNs += streakNs;
            isFound = ++agreeing == AGREEING_STREAKS;
        }
        if (isFound) {
            found((double) agreedBytes / agreedNs);
            isExact = false;
        }
        streakBytes = 0;
        streakNs = 0;
        return isFound;
    }

    /** Too few data for a streak. Not at once again, for the next test may end in the same way. */
    private boolean giveUpMeasuring() {
        heldNs = Math.min(heldNs, probeAfterNs / 2);
        return stopMeasuring();
    }

    private boolean stopMeasuring() {
        boolean was = isMeasuring;
        isMeasuring = false;
        hasBrim = false;
        endStreak();
        return was;
    }

    /**
     * Data wait for the pacer, or do no longer; to be told whenever packets are asked for.
     *
     * @return whether the gain has changed
     */
    boolean held(boolean isHeldNow) {
        long sinceNs = turn.nowNs - heldSeenNs;
        heldSeenNs = turn.nowNs;
        if (isHeld) {
            heldNs += Math.min(sinceNs, MAX_HELD_STEP_NS);
        }
        isHeld = isHeldNow;
        if (rate == 0 || queueBytes == 0) {
            return false;
        }
        if (isProbing && !isHeldNow && turn.nowNs - probeStartNs > PROBE_MIN_NS) {
            // Nothing to send: no test. Not at once again, or short bursts would all leave too fast.
            isProbing = false;
            heldNs = probeAfterNs / 2;
            return true;
        }
        if (!isProbing && !isMeasuring && isHeldNow && heldNs >= probeAfterNs) {
            startProbe();
            return true;
        }
        return false;
    }

    private void startProbe() {
        isProbing = true;
        probeStartNs = turn.nowNs;
        probeBytes = 0;
    }

    /** More than the link could have taken at the rate and the queue could hold has been taken: the link is as fast as that. */
    private boolean checkProbe() {
        long ns = turn.nowNs - probeStartNs;
        if (ns < PROBE_MIN_NS || probeBytes - rate * ns < PROBE_QUEUES * queueBytes) {
            return false;
        }
        rate = (double) (probeBytes - queueBytes) / ns;
        probeAfterNs = PROBE_AFTER_NS;
        startProbe();
        return true;
    }
}
