package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * RESEND: the receiver of a message wants part of it again (spec/protocol.md 2.6). Always sent with 37 bytes; stripped
 * peers send 36, without the priority, and are understood (12).
 */
public final class ResendHeader {
    public static final int LENGTH = 37;
    /** Length without the priority byte. */
    public static final int STRIPPED_LENGTH = 36;

    public static final int OFFSET = 28;
    public static final int RANGE_LENGTH = 32;
    public static final int PRIORITY = 36;

    /** The {@link #length} that means "everything you have sent so far". */
    public static final int ALL_SENT = -1;

    private ResendHeader() {}

    /** First byte wanted; any value. */
    public static int offset(MemorySegment packet, long at) {
        return BigEndian.i32(packet, at + OFFSET);
    }

    /** Bytes wanted, or {@link #ALL_SENT}; any value, so add it to the offset as a long (D-16). */
    public static int length(MemorySegment packet, long at) {
        return BigEndian.i32(packet, at + RANGE_LENGTH);
    }

    /** Level for the retransmitted packets, 0 to 255, to be clipped; {@code ifAbsent} where the packet has none. */
    public static int priority(MemorySegment packet, long at, int packetLength, int ifAbsent) {
        return packetLength >= LENGTH ? BigEndian.u8(packet, at + PRIORITY) : ifAbsent;
    }

    public static void write(
            MemorySegment packet,
            long at,
            int sourcePort,
            int targetPort,
            long senderId,
            int offset,
            int length,
            int priority) {
        CommonHeader.write(packet, at, PacketType.RESEND, sourcePort, targetPort, 0, senderId);
        BigEndian.i32(packet, at + OFFSET, offset);
        BigEndian.i32(packet, at + RANGE_LENGTH, length);
        BigEndian.u8(packet, at + PRIORITY, priority);
    }
}
