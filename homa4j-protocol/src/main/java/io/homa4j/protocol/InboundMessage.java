package io.homa4j.protocol;

import java.util.Arrays;

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
    /** The rank's remaining bytes where profile module takes snapshots. */
    int rankedRemaining;
    /** Offset and time of a GRANT whose first byte will tell the round trip; -1 if none is out. */
    int probeOffset = -1;

    long probeNs;

    // ---- gaps below receivedEnd, sorted by offset, half-open

    private int gaps;
    private int[] gapStart = new int[8];
    private int[] gapEnd = new int[8];

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
        gaps = 0;
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
        gaps = 0;
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

    int gapStart(int i) {
        return gapStart[i];
    }

    int gapEnd(int i) {
        return gapEnd[i];
    }

    int gapBytes() {
        int bytes = 0;
        for (int i = 0; i < gaps; i++) {
            bytes += gapEnd[i] - gapStart[i];
        }
        return bytes;
    }

    /**
     * The first missing range that intersects {@code [start, end)}, cut to it: its start, or -1 if nothing of the range
     * is missing. {@link #missingEnd} gives its end.
     */
    int missingStart(int start, int end) {
        for (int i = 0; i < gaps; i++) {
            if (gapEnd[i] > start) {
                if (gapStart[i] >= end) {
                    break;
                }
                return Math.max(start, gapStart[i]);
            }
        }
        return end > receivedEnd ? Math.max(start, receivedEnd) : -1;
    }

    /** End of the missing range that begins at or around {@code start} (a result of {@link #missingStart}), cut to {@code end}. */
    int missingEnd(int start, int end) {
        for (int i = 0; i < gaps; i++) {
            if (start >= gapStart[i] && start < gapEnd[i]) {
                return Math.min(end, gapEnd[i]);
            }
        }
        return end;
    }

    /**
     * Whether the module's acceptance rule takes {@code [start, end)} whole (spec protocol 4.3): at or beyond
     * {@link #receivedEnd}, or inside one gap. The range lies within the message and is not empty.
     */
    boolean acceptsWhole(int start, int end) {
        if (start >= receivedEnd) {
            return true;
        }
        for (int i = 0; i < gaps; i++) {
            if (start >= gapStart[i] && end <= gapEnd[i]) {
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
        for (int i = 0; i < gaps; i++) {
            if (start > gapStart[i] && end < gapEnd[i]) {
                return true;
            }
        }
        return false;
    }

    /** Records {@code [start, end)} as received; it must be missing in whole. Returns true if a new gap appeared. */
    boolean take(int start, int end) {
        remaining -= end - start;
        if (start >= receivedEnd) {
            boolean gap = start > receivedEnd;
            if (gap) {
                insertGap(gaps, /* start= */ receivedEnd, /* end= */ start);
            }
            receivedEnd = end;
            return gap;
        }
        for (int i = 0; i < gaps; i++) {
            if (start >= gapStart[i] && end <= gapEnd[i]) {
                if (start == gapStart[i] && end == gapEnd[i]) {
                    removeGap(i);
                } else if (start == gapStart[i]) {
                    gapStart[i] = end;
                } else if (end == gapEnd[i]) {
                    gapEnd[i] = start;
                } else {
                    insertGap(i + 1, end, gapEnd[i]);
                    gapEnd[i] = start;
                }
                return false;
            }
        }
        throw new AssertionError("range " + start + ".." + end + " is not missing");
    }

    private void insertGap(int at, int start, int end) {
        if (gaps == gapStart.length) {
            gapStart = Arrays.copyOf(gapStart, 2 * gaps);
            gapEnd = Arrays.copyOf(gapEnd, 2 * gaps);
        }
        System.arraycopy(gapStart, at, gapStart, at + 1, gaps - at);
        System.arraycopy(gapEnd, at, gapEnd, at + 1, gaps - at);
        gapStart[at] = start;
        gapEnd[at] = end;
        gaps++;
    }

    private void removeGap(int at) {
        gaps--;
        System.arraycopy(gapStart, at + 1, gapStart, at, gaps - at);
        System.arraycopy(gapEnd, at + 1, gapEnd, at, gaps - at);
    }
}
