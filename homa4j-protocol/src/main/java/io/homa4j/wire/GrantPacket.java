package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * A GRANT packet as a value (spec/protocol.md 2.5).
 *
 * @param extra bytes behind the header, which receivers ignore
 */
public record GrantPacket(Common common, int offset, int priority, Bytes extra) implements Packet {
    static GrantPacket read(MemorySegment packet, long at, int length) {
        return new GrantPacket(
                Common.read(packet, at),
                GrantHeader.offset(packet, at),
                GrantHeader.priority(packet, at),
                Bytes.read(packet, at + GrantHeader.LENGTH, at + length));
    }

    @Override
    public int length() {
        return GrantHeader.LENGTH + extra.length();
    }

    @Override
    public void encode(MemorySegment packet, long at) {
        common.write(packet, at);
        BigEndian.i32(packet, at + GrantHeader.OFFSET, offset);
        BigEndian.u8(packet, at + GrantHeader.PRIORITY, priority);
        extra.write(packet, at + GrantHeader.LENGTH);
    }
}
