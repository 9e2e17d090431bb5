package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * DATA: a segment of a message, on its way from the message's sender to its receiver (spec/protocol.md 2.4). The
 * segment follows the header; its length is the transport length minus {@link #LENGTH}, and has no field of its own.
 */
public final class DataHeader {
    public static final int LENGTH = 56;

    public static final int MESSAGE_LENGTH = 28;
    public static final int INCOMING = 32;
    public static final int ACK_CLIENT_ID = 36;
    public static final int ACK_SERVER_PORT = 44;
    public static final int CUTOFF_VERSION = 46;
    public static final int RETRANSMIT = 48;
    /**
     * Three bytes that other implementations send as 0 and ignore (2.4: pad). In a request homa4j may put there how many
     * bytes of the response shall come without grants.
     */
    public static final int PAD = 49;

    public static final int SEGMENT_OFFSET = 52;

    /** The segment offset that means "see sequence" (2.4). */
    public static final int OFFSET_IN_SEQUENCE = -1;

    private DataHeader() {}

    /** Bytes in the whole message as the packet claims: anything; above 1,000,000 unsigned is illegal (1.4). */
    public static int messageLength(MemorySegment packet, long at) {
        return BigEndian.i32(packet, at + MESSAGE_LENGTH);
    }

    /** The sender will send {@code [0, incoming)} without more grants. Hostile values are to be clipped (4.1). */
    public static int incoming(MemorySegment packet, long at) {
        return BigEndian.i32(packet, at + INCOMING);
    }

    /** Client id of an RPC whose server may forget it, or 0 for none. */
    public static long ackClientId(MemorySegment packet, long at) {
        return BigEndian.i64(packet, at + ACK_CLIENT_ID);
    }

    /** Server port of the RPC of {@link #ackClientId}, 0 to 65535. */
    public static int ackServerPort(MemorySegment packet, long at) {
        return BigEndian.u16(packet, at + ACK_SERVER_PORT);
    }

    /** Version of the CUTOFFS the sender last got from the receiver, 0 for none; 0 to 65535. */
    public static int cutoffVersion(MemorySegment packet, long at) {
        return BigEndian.u16(packet, at + CUTOFF_VERSION);
    }

    /** Whether the packet answers a RESEND or RPC_UNKNOWN; for statistics. Any value but 0 counts. */
    public static boolean retransmit(MemorySegment packet, long at) {
        return BigEndian.u8(packet, at + RETRANSMIT) != 0;
    }

    /** Bytes of the response that may be sent without grants, 0 for no wish; 0 to 16,777,215 (see {@link #PAD}). */
    public static int responseLimit(MemorySegment packet, long at) {
        return BigEndian.u24(packet, at + PAD);
    }

    /** Puts the wish into a packet just written; 0 to 16,777,215. */
    public static void responseLimit(MemorySegment packet, long at, int bytes) {
        BigEndian.u24(packet, at + PAD, bytes);
    }

    /** The field as it stands, perhaps {@link #OFFSET_IN_SEQUENCE}. */
    public static int segmentOffset(MemorySegment packet, long at) {
        return BigEndian.i32(packet, at + SEGMENT_OFFSET);
    }

    /** Offset of the segment in its message, by the offset rule of 2.4 (P-076). A hostile sender's may be negative. */
    public static int offset(MemorySegment packet, long at) {
        int segmentOffset = segmentOffset(packet, at);
        return segmentOffset != OFFSET_IN_SEQUENCE ? segmentOffset : CommonHeader.sequence(packet, at);
    }

    /**
     * Writes all 56 bytes, the pad as 0. The offset goes into both fields, which every receiver understands, also those that do not
     * know the offset rule (2.4, D-1).
     */
    public static void write(
            MemorySegment packet,
            long at,
            int sourcePort,
            int targetPort,
            long senderId,
            int offset,
            int messageLength,
            int incoming,
            long ackClientId,
            int ackServerPort,
            int cutoffVersion,
            boolean retransmit) {
        CommonHeader.write(packet, at, PacketType.DATA, sourcePort, targetPort, offset, senderId);
        BigEndian.i32(packet, at + MESSAGE_LENGTH, messageLength);
        BigEndian.i32(packet, at + INCOMING, incoming);
        BigEndian.i64(packet, at + ACK_CLIENT_ID, ackClientId);
        BigEndian.u16(packet, at + ACK_SERVER_PORT, ackServerPort);
        BigEndian.u16(packet, at + CUTOFF_VERSION, cutoffVersion);
        BigEndian.i32(packet, at + RETRANSMIT, retransmit ? 1 << 24 : 0);
        BigEndian.i32(packet, at + SEGMENT_OFFSET, offset);
    }
}
