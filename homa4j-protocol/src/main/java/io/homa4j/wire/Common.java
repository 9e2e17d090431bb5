package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * The common header of a packet as a value, every field as it stands (spec/protocol.md 2.2).
 *
 * @param sequence as signed 32-bit number
 * @param unused the three bytes before the type, 0 from every known sender
 * @param senderId unsigned
 */
public record Common(
        int sourcePort,
        int targetPort,
        int sequence,
        int unused,
        int type,
        int doff,
        int flags,
        int window,
        int checksum,
        int urgent,
        long senderId) {

    /** A header with the kernel module's constants and checksum 0, as {@link CommonHeader#write} makes it. */
    public static Common of(int type, int sourcePort, int targetPort, int sequence, long senderId) {
        int doff = type == PacketType.DATA ? CommonHeader.DATA_DOFF : CommonHeader.CONTROL_DOFF;
        return new Common(
                sourcePort,
                targetPort,
                sequence,
                0,
                type,
                doff,
                CommonHeader.HOMA_FLAGS,
                0,
                0,
                CommonHeader.HOMA_URGENT,
                senderId);
    }

    /** Reads {@link CommonHeader#LENGTH} bytes; works for unknown types, too. */
    public static Common read(MemorySegment packet, long at) {
        return new Common(
                CommonHeader.sourcePort(packet, at),
                CommonHeader.targetPort(packet, at),
                CommonHeader.sequence(packet, at),
                BigEndian.u24(packet, at + CommonHeader.UNUSED),
                CommonHeader.type(packet, at),
                CommonHeader.doff(packet, at),
                CommonHeader.flags(packet, at),
                CommonHeader.window(packet, at),
                CommonHeader.checksum(packet, at),
                CommonHeader.urgent(packet, at),
                CommonHeader.senderId(packet, at));
    }

    void write(MemorySegment packet, long at) {
        BigEndian.u16(packet, at + CommonHeader.SOURCE_PORT, sourcePort);
        BigEndian.u16(packet, at + CommonHeader.TARGET_PORT, targetPort);
        BigEndian.i32(packet, at + CommonHeader.SEQUENCE, sequence);
        BigEndian.u24(packet, at + CommonHeader.UNUSED, unused);
        BigEndian.u8(packet, at + CommonHeader.TYPE, type);
        BigEndian.u8(packet, at + CommonHeader.DOFF, doff);
        BigEndian.u8(packet, at + CommonHeader.FLAGS, flags);
        BigEndian.u16(packet, at + CommonHeader.WINDOW, window);
        BigEndian.u16(packet, at + CommonHeader.CHECKSUM, checksum);
        BigEndian.u16(packet, at + CommonHeader.URGENT, urgent);
        BigEndian.i64(packet, at + CommonHeader.SENDER_ID, senderId);
    }
}
