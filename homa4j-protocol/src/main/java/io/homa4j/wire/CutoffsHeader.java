package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/** CUTOFFS: which level to use for unscheduled packets sent to the sender of this packet (spec/protocol.md 2.8). */
public final class CutoffsHeader {
    public static final int LENGTH = 62;

    public static final int CUTOFFS = 28;
    public static final int VERSION = 60;

    /** Entries in the table, one per priority level. */
    public static final int LEVELS = 8;

    private CutoffsHeader() {}

    /** Largest length of the messages that use this level, 0 to 7; any value. */
    public static int cutoff(MemorySegment packet, long at, int level) {
        return BigEndian.i32(packet, at + CUTOFFS + 4L * level);
    }

    /** Version of the table, to be echoed in DATA; 0 to 65535. */
    public static int version(MemorySegment packet, long at) {
        return BigEndian.u16(packet, at + VERSION);
    }

    /** @param cutoffs one entry per level, lowest level first: {@link #LEVELS} entries */
    public static void write(
            MemorySegment packet, long at, int sourcePort, int targetPort, long senderId, int[] cutoffs, int version) {
        CommonHeader.write(packet, at, PacketType.CUTOFFS, sourcePort, targetPort, 0, senderId);
        for (int level = 0; level < LEVELS; level++) {
            BigEndian.i32(packet, at + CUTOFFS + 4L * level, cutoffs[level]);
        }
        BigEndian.u16(packet, at + VERSION, version);
    }
}
