package io.homa4j.protocol;

/**
 * Reception of one message: which bytes are here, which are missing, how many are granted (spec protocol 4). It decides
 * what to do with the bytes of a DATA packet; copying, grants and RESENDs are done by others from what it says.
 */
final class InboundMessage {
    /** Value of {@link #regionAt} while the message has no place. */
    static final long NO_SPACE = -1;

    /** Whether a DATA packet has told the length (spec protocol 4.1). */
    boolean isKnown;
    /** Bytes of the message. */
    int length;
    /** Bytes not yet received. */
    int remaining;
    /** The sender may start packets below this offset; grows with GRANTs sent. */
    int granted;
    /** One past the highest byte received. */
    int receivedEnd;
    /** Place of the message in the socket's receive region, or {@link #NO_SPACE}. */
    long regionAt = NO_SPACE;
    /** Time of the first DATA packet, ns. */
    long birthNs;

    // ---- granting (Granter)

    /** The sender needs grants for part of the message; set at most once, cleared for good. */
    boolean isGrantable;
    /** In the active set or a queue of the Granter. */
    boolean isManaged;
    /** Contribution to the Granter's total of expected bytes. */
    int expectedBytes;
    /** Slot in the active set, -1 if none. */
    int slot = -1;
    /** Rank where packets are granted one by one. */
    long grantRank;
    /** The rank's remaining bytes where profile module takes snapshots. */
    int rankedRemaining;
    /** Offset and time of a GRANT whose first byte will tell the round trip; -1 if none is out. */
    int probeOffset = -1;

    long probeNs;

    // ---- gaps below receivedEnd, sorted by offset

    private final GapPool pool;
    private int firstGap = GapPool.NONE;
    private int lastGap = GapPool.NONE;
    private int gaps;

    InboundMessage(GapPool pool) {
        this.pool = pool;
    }

    /** Starts reception; {@code incoming} is the sender's announcement, clipped here (spec protocol 4.1). */
    void begin(int length, int incoming, long nowNs) {
        isKnown = true;
        this.length = length;
        remaining = length;
        granted = Math.clamp(incoming, 0, length);
        receivedEnd = 0;
        birthNs = nowNs;
        isGrantable = granted < length;
        isManaged = false;
        expectedBytes = 0;
        slot = -1;
        probeOffset = -1;
        clearGaps();
    }

    /** Forgets the message. The place in the region has been given back or away before. */
    void clear() {
        isKnown = false;
        length = 0;
        remaining = 0;
        granted = 0;
        receivedEnd = 0;
        isGrantable = false;
        isManaged = false;
        expectedBytes = 0;
        slot = -1;
        probeOffset = -1;
        regionAt = NO_SPACE;
        clearGaps();
    }

    boolean isComplete() {
        return isKnown && remaining == 0;
    }

    boolean hasSpace() {
        return regionAt != NO_SPACE;
    }

    int receivedBytes() {
        return length - remaining;
    }

    int gaps() {
        return gaps;
    }

    /** Whether it may open one more gap: neither it nor all messages together have too many. */
    boolean mayOpenGap(int maxGaps) {
        return gaps < maxGaps && !pool.isFull();
    }

    /** The gap at the lowest offset, {@link GapPool#NONE} if there is none. */
    int firstGap() {
        return firstGap;
    }

    /** The gap behind this one, {@link GapPool#NONE} if it is the last. */
    int nextGap(int gap) {
        return pool.next(gap);
    }

    int gapStart(int gap) {
        return pool.start(gap);
    }

    int gapEnd(int gap) {
        return pool.end(gap);
    }

    int gapBytes() {
        int bytes = 0;
        for (int gap = firstGap; gap != GapPool.NONE; gap = pool.next(gap)) {
            bytes += pool.end(gap) - pool.start(gap);
        }
        return bytes;
    }

    /**
     * The first missing range that intersects {@code [start, end)}, cut to it: its start, or -1 if nothing of the range
     * is missing. {@link #missingEnd} gives its end.
     */
    int missingStart(int start, int end) {
        for (int gap = firstGap; gap != GapPool.NONE; gap = pool.next(gap)) {
            if (pool.end(gap) > start) {
                if (pool.start(gap) >= end) {
                    break;
                }
                return Math.max(start, pool.start(gap));
            }
        }
        return end > receivedEnd ? Math.max(start, receivedEnd) : -1;
    }

    /** End of the missing range that holds {@code start} (a result of {@link #missingStart}), cut to {@code end}. */
    int missingEnd(int start, int end) {
        for (int gap = firstGap; gap != GapPool.NONE; gap = pool.next(gap)) {
            if (start >= pool.start(gap) && start < pool.end(gap)) {
                return Math.min(end, pool.end(gap));
            }
        }
        return end;
    }

    /**
     * Whether the module's acceptance rule takes {@code [start, end)} whole (spec protocol 4.3): at or beyond
     * {@link #receivedEnd}, or inside one gap. The range lies within the message.
     */
    boolean acceptsWhole(int start, int end) {
        if (start >= receivedEnd) {
            return true;
        }
        for (int gap = firstGap; gap != GapPool.NONE; gap = pool.next(gap)) {
            if (start >= pool.start(gap) && end <= pool.end(gap)) {
                return true;
            }
        }
        return false;
    }

    /** Whether taking {@code [start, end)} would open one more gap. */
    boolean opensGap(int start, int end) {
        if (start > receivedEnd) {
            return true;
        }
        for (int gap = firstGap; gap != GapPool.NONE; gap = pool.next(gap)) {
            if (start > pool.start(gap) && end < pool.end(gap)) {
                return true;
            }
        }
        return false;
    }

    /** Records {@code [start, end)} as received; it must be missing in whole. Returns true if a new gap appeared. */
    boolean take(int start, int end) {
        remaining -= end - start;
        if (start >= receivedEnd) {
            boolean opens = start > receivedEnd;
            if (opens) {
                append(receivedEnd, start);
            }
            receivedEnd = end;
            return opens;
        }
        int previous = GapPool.NONE;
        for (int gap = firstGap; gap != GapPool.NONE; gap = pool.next(gap)) {
            if (start >= pool.start(gap) && end <= pool.end(gap)) {
                shrink(previous, gap, start, end);
                return false;
            }
            previous = gap;
        }
        throw new AssertionError("range " + start + ".." + end + " is not missing");
    }

    /** A gap loses {@code [start, end)}: at its start, at its end, in whole, or in its middle, which splits it. */
    private void shrink(int previous, int gap, int start, int end) {
        if (start == pool.start(gap) && end == pool.end(gap)) {
            remove(previous, gap);
        } else if (start == pool.start(gap)) {
            pool.start(gap, end);
        } else if (end == pool.end(gap)) {
            pool.end(gap, start);
        } else {
            int upper = pool.take(end, pool.end(gap), pool.next(gap));
            pool.end(gap, start);
            pool.next(gap, upper);
            lastGap = lastGap == gap ? upper : lastGap;
            gaps++;
        }
    }

    private void append(int from, int to) {
        int gap = pool.take(from, to, GapPool.NONE);
        if (lastGap == GapPool.NONE) {
            firstGap = gap;
        } else {
            pool.next(lastGap, gap);
        }
        lastGap = gap;
        gaps++;
    }

    private void remove(int previous, int gap) {
        int next = pool.next(gap);
        if (previous == GapPool.NONE) {
            firstGap = next;
        } else {
            pool.next(previous, next);
        }
        lastGap = lastGap == gap ? previous : lastGap;
        pool.give(gap);
        gaps--;
    }

    /** Gaps are sorted, below {@link #receivedEnd} and as many as counted; with the tail they are what is missing. */
    void audit(Audit audit, Rpc rpc) {
        int count = 0;
        int missing = length - receivedEnd;
        int from = 0;
        boolean isSorted = true;
        for (int gap = firstGap; gap != GapPool.NONE; gap = pool.next(gap)) {
            isSorted &= pool.start(gap) >= from && pool.end(gap) > pool.start(gap) && pool.end(gap) <= receivedEnd;
            from = pool.end(gap);
            missing += pool.end(gap) - pool.start(gap);
            count++;
        }
        if (!isSorted) {
            audit.wrong("gaps of RPC " + rpc.id + " are out of order");
        }
        audit.equal("gaps of RPC " + rpc.id, count, gaps);
        audit.equal("missing bytes of RPC " + rpc.id, missing, remaining);
        if (granted > length || isManaged && (!isGrantable || remaining == 0)) {
            audit.wrong("RPC " + rpc.id + " is granted " + granted + " of " + length + ", " + remaining + " remaining");
        }
    }

    private void clearGaps() {
        for (int gap = firstGap; gap != GapPool.NONE; ) {
            int next = pool.next(gap);
            pool.give(gap);
            gap = next;
        }
        firstGap = GapPool.NONE;
        lastGap = GapPool.NONE;
        gaps = 0;
    }
}
