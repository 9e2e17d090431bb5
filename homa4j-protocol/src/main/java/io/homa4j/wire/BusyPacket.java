package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * A BUSY packet as a value (spec/protocol.md 2.7).
 *
 * @param extra bytes behind the header, which receivers ignore
 */
public record BusyPacket(Common common, Bytes extra) implements Packet {
    static BusyPacket read(MemorySegment packet, long at, int length) {
        return new BusyPacket(Common.read(packet, at), Bytes.read(packet, at + CommonHeader.LENGTH, at + length));
    }

    @Override
    public int length() {
        return CommonHeader.LENGTH + extra.length();
    }

    @Override
    public void encode(MemorySegment packet, long at) {
        common.write(packet, at);
        extra.write(packet, at + CommonHeader.LENGTH);
    }
}
