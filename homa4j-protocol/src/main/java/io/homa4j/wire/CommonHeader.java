package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * The 28 bytes every packet starts with (spec/protocol.md 2.2). The first 20 are laid out like a TCP header, so that
 * network cards can segment and checksum a Homa packet; only ports, sequence, type and id mean something to Homa.
 *
 * <p>Here as in all header classes: {@code packet} and {@code at} say where the packet starts, reads presume that
 * {@link PacketType#check} has passed, writes that {@code LENGTH} bytes are there. No method keeps the segment.
 */
public final class CommonHeader {
    public static final int LENGTH = 28;

    public static final int SOURCE_PORT = 0;
    public static final int TARGET_PORT = 2;
    public static final int SEQUENCE = 4;
    /** Three bytes at the place of TCP's acknowledgement number, always 0. */
    public static final int UNUSED = 8;

    public static final int TYPE = 11;
    public static final int DOFF = 12;
    public static final int FLAGS = 13;
    public static final int WINDOW = 14;
    public static final int CHECKSUM = 16;
    public static final int URGENT = 18;
    public static final int SENDER_ID = 20;

    /** The flags of every packet, SYN and RST: half of the hijack marker (2.12). */
    public static final int HOMA_FLAGS = 6;
    /** The urgent field of every packet: the other half of the hijack marker (2.12). */
    public static final int HOMA_URGENT = 0xB97D;

    /** DATA: 14 words, the whole header, are repeated when a network card cuts a super-packet. */
    public static final int DATA_DOFF = 0xE0;
    /** DATA of a super-packet without hijacking: 13 words, since each segment brings its own offset (2.11). */
    public static final int SUPER_PACKET_DOFF = 0xD0;
    /** Control packets: 5 words, as some network cards drop anything else when hijacking is on (2.3). */
    public static final int CONTROL_DOFF = 0x50;

    private CommonHeader() {}

    /** Port of the sending socket, 0 to 65535. */
    public static int sourcePort(MemorySegment packet, long at) {
        return BigEndian.u16(packet, at + SOURCE_PORT);
    }

    /** Port of the socket the packet is for, 0 to 65535. */
    public static int targetPort(MemorySegment packet, long at) {
        return BigEndian.u16(packet, at + TARGET_PORT);
    }

    /** In DATA a candidate for the message offset, to be read through {@link DataHeader#offset}; else 0. */
    public static int sequence(MemorySegment packet, long at) {
        return BigEndian.i32(packet, at + SEQUENCE);
    }

    /** What kind of packet it is, 0 to 255: see {@link PacketType}. */
    public static int type(MemorySegment packet, long at) {
        return BigEndian.u8(packet, at + TYPE);
    }

    /** TCP's data offset; says something to network cards only. Receivers ignore it. */
    public static int doff(MemorySegment packet, long at) {
        return BigEndian.u8(packet, at + DOFF);
    }

    /** TCP's flags. Receivers ignore them except in {@link #isHijackMarked}. */
    public static int flags(MemorySegment packet, long at) {
        return BigEndian.u8(packet, at + FLAGS);
    }

    /** TCP's window, unused. */
    public static int window(MemorySegment packet, long at) {
        return BigEndian.u16(packet, at + WINDOW);
    }

    /** TCP's checksum, see {@link Checksum}. Receivers ignore it. */
    public static int checksum(MemorySegment packet, long at) {
        return BigEndian.u16(packet, at + CHECKSUM);
    }

    /** TCP's urgent pointer. Receivers ignore it except in {@link #isHijackMarked}. */
    public static int urgent(MemorySegment packet, long at) {
        return BigEndian.u16(packet, at + URGENT);
    }

    /** The RPC's id at the sender, unsigned: even at the client; XOR 1 gives the id at the receiver (1.2). */
    public static long senderId(MemorySegment packet, long at) {
        return BigEndian.i64(packet, at + SENDER_ID);
    }

    /**
     * Whether a packet that came as TCP is Homa's: flags and urgent field both match, which real TCP never sends
     * (spec/protocol.md 2.12). Needs 20 readable bytes only.
     */
    public static boolean isHijackMarked(MemorySegment packet, long at) {
        return flags(packet, at) == HOMA_FLAGS && urgent(packet, at) == HOMA_URGENT;
    }

    /**
     * Writes all 28 bytes with the kernel module's constants and a checksum of 0.
     *
     * @param sequence the message offset in DATA, 0 in control packets
     * @param senderId the RPC's id at this host
     */
    public static void write(
            MemorySegment packet, long at, int type, int sourcePort, int targetPort, int sequence, long senderId) {
        int doff = type == PacketType.DATA ? DATA_DOFF : CONTROL_DOFF;
        BigEndian.u16(packet, at + SOURCE_PORT, sourcePort);
        BigEndian.u16(packet, at + TARGET_PORT, targetPort);
        BigEndian.i32(packet, at + SEQUENCE, sequence);
        BigEndian.i32(packet, at + UNUSED, type & 0xFF);
        BigEndian.i32(packet, at + DOFF, doff << 24 | HOMA_FLAGS << 16);
        BigEndian.i32(packet, at + CHECKSUM, HOMA_URGENT);
        BigEndian.i64(packet, at + SENDER_ID, senderId);
    }

    /** Writes the checksum field: a value of {@link Checksum#compute}, or 0 for none. */
    public static void checksum(MemorySegment packet, long at, int value) {
        BigEndian.u16(packet, at + CHECKSUM, value);
    }
}
