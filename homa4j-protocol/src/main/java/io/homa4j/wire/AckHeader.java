package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * ACK: a client's word that responses have arrived, so that the server may forget their RPCs (spec/protocol.md 2.9).
 * Names the RPC of its header and those of up to five slots; 80 bytes however many slots are used.
 */
public final class AckHeader {
    public static final int LENGTH = 80;

    public static final int COUNT = 28;
    public static final int SLOTS = 30;
    public static final int SLOT_LENGTH = 10;

    /** Slots in a packet. */
    public static final int MAX_COUNT = 5;

    private static final int SLOT_SERVER_PORT = 8;

    private AckHeader() {}

    /** Slots to read, 0 to 5, whatever the packet claims (P-135). */
    public static int count(MemorySegment packet, long at) {
        return Math.min(claimedCount(packet, at), MAX_COUNT);
    }

    /** The slots the packet claims to have, 0 to 65535; for people only. */
    public static int claimedCount(MemorySegment packet, long at) {
        return BigEndian.u16(packet, at + COUNT);
    }

    /** Client id, an even number, of the RPC in slot {@code i}, 0 to 4. */
    public static long clientId(MemorySegment packet, long at, int i) {
        return BigEndian.i64(packet, slotAt(at, i));
    }

    /** Server port of the RPC in slot {@code i}, 0 to 4. */
    public static int serverPort(MemorySegment packet, long at, int i) {
        return BigEndian.u16(packet, slotAt(at, i) + SLOT_SERVER_PORT);
    }

    /** Writes all 80 bytes, every slot empty; {@link #slot} fills them. */
    public static void write(MemorySegment packet, long at, int sourcePort, int targetPort, long senderId, int count) {
        CommonHeader.write(packet, at, PacketType.ACK, sourcePort, targetPort, 0, senderId);
        BigEndian.u16(packet, at + COUNT, count);
        for (int i = 0; i < MAX_COUNT; i++) {
            slot(packet, at, i, 0, 0);
        }
    }

    /** Fills slot {@code i}, 0 to 4. */
    public static void slot(MemorySegment packet, long at, int i, long clientId, int serverPort) {
        BigEndian.i64(packet, slotAt(at, i), clientId);
        BigEndian.u16(packet, slotAt(at, i) + SLOT_SERVER_PORT, serverPort);
    }

    private static long slotAt(long at, int i) {
        return at + SLOTS + (long) SLOT_LENGTH * i;
    }
}
