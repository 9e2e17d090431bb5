package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/** GRANT: the receiver of a message lets its sender send more of it (spec/protocol.md 2.5). */
public final class GrantHeader {
    public static final int LENGTH = 33;

    public static final int OFFSET = 28;
    public static final int PRIORITY = 32;

    private GrantHeader() {}

    /** Everything below this offset may be sent; compared as signed, to be clipped to the message. */
    public static int offset(MemorySegment packet, long at) {
        return BigEndian.i32(packet, at + OFFSET);
    }

    /** Level of all later scheduled packets of the message, 0 to 255: to be clipped to the levels in use (D-9). */
    public static int priority(MemorySegment packet, long at) {
        return BigEndian.u8(packet, at + PRIORITY);
    }

    public static void write(
            MemorySegment packet, long at, int sourcePort, int targetPort, long senderId, int offset, int priority) {
        CommonHeader.write(packet, at, PacketType.GRANT, sourcePort, targetPort, 0, senderId);
        BigEndian.i32(packet, at + OFFSET, offset);
        BigEndian.u8(packet, at + PRIORITY, priority);
    }
}
