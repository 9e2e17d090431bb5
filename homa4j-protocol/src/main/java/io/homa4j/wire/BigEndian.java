package io.homa4j.wire;

import static java.nio.ByteOrder.BIG_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Numbers in network order at any address. The layouts are static finals, so that each access compiles to one machine
 * instruction and a byte swap; nothing is allocated.
 */
final class BigEndian {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(BIG_ENDIAN);

    private BigEndian() {}

    /** An unsigned byte, 0 to 255. */
    static int u8(MemorySegment packet, long at) {
        return Byte.toUnsignedInt(packet.get(ValueLayout.JAVA_BYTE, at));
    }

    /** An unsigned 16-bit number, 0 to 65535. */
    static int u16(MemorySegment packet, long at) {
        return Short.toUnsignedInt(packet.get(SHORT, at));
    }

    /** An unsigned 24-bit number. */
    static int u24(MemorySegment packet, long at) {
        return u16(packet, at) << 8 | u8(packet, at + 2);
    }

    static int i32(MemorySegment packet, long at) {
        return packet.get(INT, at);
    }

    static long i64(MemorySegment packet, long at) {
        return packet.get(LONG, at);
    }

    static void u8(MemorySegment packet, long at, int value) {
        packet.set(ValueLayout.JAVA_BYTE, at, (byte) value);
    }

    static void u16(MemorySegment packet, long at, int value) {
        packet.set(SHORT, at, (short) value);
    }

    static void u24(MemorySegment packet, long at, int value) {
        u16(packet, at, value >>> 8);
        u8(packet, at + 2, value);
    }

    static void i32(MemorySegment packet, long at, int value) {
        packet.set(INT, at, value);
    }

    static void i64(MemorySegment packet, long at, long value) {
        packet.set(LONG, at, value);
    }
}
