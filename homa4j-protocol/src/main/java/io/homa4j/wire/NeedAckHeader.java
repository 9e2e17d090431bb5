package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/** NEED_ACK: a server wants to hear that its response has arrived; the common header alone (spec/protocol.md 2.7). */
public final class NeedAckHeader {
    public static final int LENGTH = CommonHeader.LENGTH;

    private NeedAckHeader() {}

    public static void write(MemorySegment packet, long at, int sourcePort, int targetPort, long senderId) {
        CommonHeader.write(packet, at, PacketType.NEED_ACK, sourcePort, targetPort, 0, senderId);
    }
}
