package io.homa4j.protocol;

import java.util.Arrays;

/**
 * The gaps of all incoming messages of an engine: half-open ranges in lists linked by number, so that a message costs
 * nothing for gaps it does not have and nothing is allocated once the pool has its size.
 */
final class GapPool {
    /** No gap: the end of a list. */
    static final int NONE = -1;

    /** Gaps of all messages together; a limit for peers that make many on purpose. */
    private static final int MAX_GAPS = 1 << 20;

    private int inUse;
    private int[] start = new int[64];
    private int[] end = new int[64];
    private int[] next = new int[64];
    private int made;
    private int spare = NONE;

    int start(int gap) {
        return start[gap];
    }

    int end(int gap) {
        return end[gap];
    }

    /** The next gap of the same message, at higher offsets. */
    int next(int gap) {
        return next[gap];
    }

    void start(int gap, int offset) {
        start[gap] = offset;
    }

    void end(int gap, int offset) {
        end[gap] = offset;
    }

    void next(int gap, int following) {
        next[gap] = following;
    }

    /** Gaps of all messages together. */
    int inUse() {
        return inUse;
    }

    /** Whether no message may open one more gap. */
    boolean isFull() {
        return inUse >= MAX_GAPS;
    }

    /** A gap that precedes {@code following} in its list. */
    int take(int startOffset, int endOffset, int following) {
        inUse++;
        int gap = spare;
        if (gap != NONE) {
            spare = next[gap];
        } else {
            if (made == start.length) {
                start = Arrays.copyOf(start, 2 * made);
                end = Arrays.copyOf(end, 2 * made);
                next = Arrays.copyOf(next, 2 * made);
            }
            gap = made++;
        }
        start[gap] = startOffset;
        end[gap] = endOffset;
        next[gap] = following;
        return gap;
    }

    void give(int gap) {
        inUse--;
        next[gap] = spare;
        spare = gap;
    }
}
