package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * A packet as a value: for people, tests and tools, never for the packet path, which reads and writes in place. Each
 * record keeps every field, so that encoding what was decoded gives the same bytes.
 */
public sealed interface Packet
        permits DataPacket,
                GrantPacket,
                ResendPacket,
                RpcUnknownPacket,
                BusyPacket,
                CutoffsPacket,
                FreezePacket,
                NeedAckPacket,
                AckPacket {

    /**
     * Decodes a packet of {@code length} bytes.
     *
     * @throws IllegalArgumentException if {@link PacketType#check} finds it short or unknown
     */
    static Packet decode(MemorySegment packet, long at, int length) {
        return switch (PacketType.check(packet, at, length)) {
            case PacketType.DATA -> DataPacket.read(packet, at, length);
            case PacketType.GRANT -> GrantPacket.read(packet, at, length);
            case PacketType.RESEND -> ResendPacket.read(packet, at, length);
            case PacketType.RPC_UNKNOWN -> RpcUnknownPacket.read(packet, at, length);
            case PacketType.BUSY -> BusyPacket.read(packet, at, length);
            case PacketType.CUTOFFS -> CutoffsPacket.read(packet, at, length);
            case PacketType.FREEZE -> FreezePacket.read(packet, at, length);
            case PacketType.NEED_ACK -> NeedAckPacket.read(packet, at, length);
            case PacketType.ACK -> AckPacket.read(packet, at, length);
            case PacketType.UNKNOWN ->
                throw new IllegalArgumentException("unknown type " + PacketType.name(CommonHeader.type(packet, at)));
            default -> throw new IllegalArgumentException("too short: " + length + " bytes");
        };
    }

    /** The header that every packet has. */
    Common common();

    /** Transport length: the bytes {@link #encode} writes. */
    int length();

    /** Writes the packet, {@link #length} bytes of it. */
    void encode(MemorySegment packet, long at);
}
