package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * Super-packets: several segments of a message behind one DATA header, which a network card (or the kernel in its
 * place) cuts into ordinary DATA packets (spec/protocol.md 2.11). There are two layouts, told apart by the {@code doff}
 * field:
 *
 * <pre>
 * without hijacking   | 52 bytes | offset, segment 0 | offset, segment 1 | ...   the first 52 bytes are repeated,
 *                                                                                each segment brings its offset
 * with hijacking      | 56 bytes | segment 0 | segment 1 | ...                   the first 56 bytes are repeated,
 *                                                                                and {@code sequence} counts on
 * </pre>
 *
 * Here each layout is a number of repeated bytes followed by units of one size, the last one shorter. {@code
 * segmentBytes} is the data of a full segment; a super-packet does not say it, the card is told apart.
 */
public final class SuperPacket {
    private static final int OFFSET_LENGTH = DataHeader.LENGTH - DataHeader.SEGMENT_OFFSET;

    private SuperPacket() {}

    /**
     * Largest super-packet in bytes, IP header included; never below the MTU (P-017, P-018).
     *
     * @param deviceLimit what the network card accepts
     * @param maxGsoSize the module's parameter of that name
     */
    public static int maxBytes(int mtu, int deviceLimit, int maxGsoSize) {
        return Math.max(mtu, Math.min(deviceLimit, maxGsoSize));
    }

    /** Segments that fit into a super-packet of {@code maxBytes} with its IP header, at least 1 (P-019, P-020). */
    public static int maxSegments(int maxBytes, int ipHeaderBytes, int segmentBytes, boolean hijacking) {
        int unitBytes = unitBytes(segmentBytes, hijacking);
        return Math.max(1, (maxBytes - ipHeaderBytes - repeatedBytes(hijacking)) / unitBytes);
    }

    /** Bytes at which the card cuts, behind the repeated ones. */
    public static int unitBytes(int segmentBytes, boolean hijacking) {
        return segmentBytes + DataHeader.LENGTH - repeatedBytes(hijacking);
    }

    /** Whether a DATA packet has the layout for hijacking, which is also that of an ordinary packet. */
    public static boolean isHijackLayout(MemorySegment packet, long at) {
        return CommonHeader.doff(packet, at) != CommonHeader.SUPER_PACKET_DOFF;
    }

    /**
     * Puts data behind a header that {@link DataHeader#write} has written, and makes that the header of a super-packet.
     * A single segment is laid out as an ordinary packet either way, but keeps its true offset without hijacking.
     *
     * @return the transport length
     */
    public static int fill(
            MemorySegment packet,
            long at,
            MemorySegment data,
            long dataAt,
            int dataBytes,
            int segmentBytes,
            boolean hijacking) {
        if (hijacking || dataBytes <= segmentBytes) {
            if (hijacking) {
                BigEndian.i32(packet, at + DataHeader.SEGMENT_OFFSET, DataHeader.OFFSET_IN_SEQUENCE);
            }
            MemorySegment.copy(data, dataAt, packet, at + DataHeader.LENGTH, dataBytes);
            return DataHeader.LENGTH + dataBytes;
        }
        int offset = DataHeader.offset(packet, at);
        BigEndian.u8(packet, at + CommonHeader.DOFF, CommonHeader.SUPER_PACKET_DOFF);
        long unitAt = at + DataHeader.SEGMENT_OFFSET;
        for (int done = 0; done < dataBytes; done += segmentBytes) {
            int bytes = Math.min(segmentBytes, dataBytes - done);
            BigEndian.i32(packet, unitAt, offset + done);
            MemorySegment.copy(data, dataAt + done, packet, unitAt + OFFSET_LENGTH, bytes);
            unitAt += OFFSET_LENGTH + bytes;
        }
        return (int) (unitAt - at);
    }

    /** Segments in a super-packet of this transport length; leftovers too short for a segment do not count. */
    public static int segments(MemorySegment packet, long at, int length, int segmentBytes) {
        boolean hijacking = isHijackLayout(packet, at);
        int unitBytes = unitBytes(segmentBytes, hijacking);
        int leastUnitBytes = hijacking ? 1 : OFFSET_LENGTH;
        return Math.max(1, (length - repeatedBytes(hijacking) + unitBytes - leastUnitBytes) / unitBytes);
    }

    /** Offset in the message of segment {@code i}. */
    public static int segmentOffset(MemorySegment packet, long at, int segmentBytes, int i) {
        return isHijackLayout(packet, at)
                ? DataHeader.offset(packet, at) + i * segmentBytes
                : BigEndian.i32(packet, segmentPosition(packet, at, segmentBytes, i) - OFFSET_LENGTH);
    }

    /** Where in {@code packet} the data of segment {@code i} starts. */
    public static long segmentPosition(MemorySegment packet, long at, int segmentBytes, int i) {
        return at + DataHeader.LENGTH + (long) unitBytes(segmentBytes, isHijackLayout(packet, at)) * i;
    }

    /** Data bytes of segment {@code i} in a super-packet of this transport length. */
    public static int segmentLength(MemorySegment packet, long at, int length, int segmentBytes, int i) {
        return (int) Math.min(segmentBytes, at + length - segmentPosition(packet, at, segmentBytes, i));
    }

    /**
     * Cuts segment {@code i} out as the DATA packet that would go on the wire. Its checksum is 0; a hijacked packet
     * needs one from {@link Checksum}. Without hijacking its {@code sequence} is that of the first segment (2.4).
     *
     * @return the transport length of that packet
     */
    public static int cut(
            MemorySegment packet, long at, int length, int segmentBytes, int i, MemorySegment target, long targetAt) {
        boolean hijacking = isHijackLayout(packet, at);
        int repeatedBytes = repeatedBytes(hijacking);
        int dataBytes = segmentLength(packet, at, length, segmentBytes, i);
        int behindRepeated = DataHeader.LENGTH - repeatedBytes + dataBytes;
        long behindRepeatedAt = segmentPosition(packet, at, segmentBytes, i) + dataBytes - behindRepeated;
        MemorySegment.copy(packet, at, target, targetAt, repeatedBytes);
        MemorySegment.copy(packet, behindRepeatedAt, target, targetAt + repeatedBytes, behindRepeated);
        if (hijacking) {
            int sequence = CommonHeader.sequence(packet, at) + i * segmentBytes;
            BigEndian.i32(target, targetAt + CommonHeader.SEQUENCE, sequence);
        }
        CommonHeader.checksum(target, targetAt, 0);
        return repeatedBytes + behindRepeated;
    }

    private static int repeatedBytes(boolean hijacking) {
        return hijacking ? DataHeader.LENGTH : DataHeader.SEGMENT_OFFSET;
    }
}
