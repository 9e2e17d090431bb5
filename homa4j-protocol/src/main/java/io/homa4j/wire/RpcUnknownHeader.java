package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/** RPC_UNKNOWN: the answer to a RESEND for an RPC that does not exist; the common header alone (spec/protocol.md 2.7). */
public final class RpcUnknownHeader {
    public static final int LENGTH = CommonHeader.LENGTH;

    private RpcUnknownHeader() {}

    public static void write(MemorySegment packet, long at, int sourcePort, int targetPort, long senderId) {
        CommonHeader.write(packet, at, PacketType.RPC_UNKNOWN, sourcePort, targetPort, 0, senderId);
    }

    /** Writes the answer to a received packet: its ports exchanged, its id XOR 1 (P-009). */
    public static void writeAnswer(MemorySegment packet, long at, MemorySegment received, long receivedAt) {
        int peerPort = CommonHeader.sourcePort(received, receivedAt);
        int ownPort = CommonHeader.targetPort(received, receivedAt);
        write(packet, at, ownPort, peerPort, CommonHeader.senderId(received, receivedAt) ^ 1);
    }
}
