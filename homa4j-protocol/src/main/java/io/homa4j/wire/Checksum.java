package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * The TCP checksum over a Homa packet (spec/protocol.md 2.1 item 4). The pseudo-header says protocol 6 even where IP
 * says 146. Nobody verifies it with protocol 146, so it may be left 0; a hijacked packet must carry it.
 *
 * <p>The one's-complement sum does not care how its words are grouped, and the 0xFFFF of a mapped IPv4 address counts
 * as zero in it. So IPv4 addresses in mapped form give the sum of the IPv4 pseudo-header, and one method serves both.
 */
public final class Checksum {
    private static final int PROTOCOL_TCP = 6;

    private Checksum() {}

    /**
     * The value for the checksum field of a packet; what stands there now does not matter.
     *
     * @param length transport length of the packet, at least {@link CommonHeader#LENGTH}
     * @param sourceHigh first eight bytes of the source address, IPv4 in mapped form
     * @param sourceLow last eight bytes
     */
    public static int compute(
            MemorySegment packet,
            long at,
            int length,
            long sourceHigh,
            long sourceLow,
            long targetHigh,
            long targetLow) {
        long sum = packetSum(packet, at, length) - CommonHeader.checksum(packet, at);
        return ~fold(sum + pseudoHeaderSum(length, sourceHigh, sourceLow, targetHigh, targetLow)) & 0xFFFF;
    }

    /** As above, with addresses of 4 or 16 bytes. */
    public static int compute(MemorySegment packet, long at, int length, byte[] source, byte[] target) {
        return compute(packet, at, length, high(source), low(source), high(target), low(target));
    }

    /** Whether the checksum field holds what {@link #compute} gives. */
    public static boolean verify(
            MemorySegment packet,
            long at,
            int length,
            long sourceHigh,
            long sourceLow,
            long targetHigh,
            long targetLow) {
        long sum =
                packetSum(packet, at, length) + pseudoHeaderSum(length, sourceHigh, sourceLow, targetHigh, targetLow);
        return fold(sum) == 0xFFFF;
    }

    /** As above, with addresses of 4 or 16 bytes. */
    public static boolean verify(MemorySegment packet, long at, int length, byte[] source, byte[] target) {
        return verify(packet, at, length, high(source), low(source), high(target), low(target));
    }

    /** Sum of the packet's 32-bit words; a 64-bit sum of a packet cannot overflow, so carries wait for {@link #fold}. */
    private static long packetSum(MemorySegment packet, long at, int length) {
        long sum = 0;
        int i = 0;
        for (; i <= length - 4; i += 4) {
            sum += Integer.toUnsignedLong(BigEndian.i32(packet, at + i));
        }
        if (i <= length - 2) {
            sum += BigEndian.u16(packet, at + i);
            i += 2;
        }
        if (i < length) {
            sum += BigEndian.u8(packet, at + i) << 8;
        }
        return sum;
    }

    private static long pseudoHeaderSum(int length, long sourceHigh, long sourceLow, long targetHigh, long targetLow) {
        return words(sourceHigh) + words(sourceLow) + words(targetHigh) + words(targetLow) + length + PROTOCOL_TCP;
    }

    private static long words(long address) {
        return (address >>> 32) + (address & 0xFFFF_FFFFL);
    }

    private static int fold(long sum) {
        while (sum > 0xFFFF) {
            sum = (sum >>> 16) + (sum & 0xFFFF);
        }
        return (int) sum;
    }

    private static long high(byte[] address) {
        return address.length == 4 ? 0 : number(address, 0, 8);
    }

    private static long low(byte[] address) {
        return address.length == 4 ? 0xFFFFL << 32 | number(address, 0, 4) : number(address, 8, 16);
    }

    private static long number(byte[] address, int start, int end) {
        long value = 0;
        for (int i = start; i < end; i++) {
            value = value << 8 | Byte.toUnsignedLong(address[i]);
        }
        return value;
    }
}
