package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * A RESEND packet as a value (spec/protocol.md 2.6).
 *
 * @param rangeLength bytes wanted, or {@link ResendHeader#ALL_SENT}
 * @param priority level of the retransmission, or {@link #NO_PRIORITY} in a packet of 36 bytes
 * @param extra bytes behind the header, which receivers ignore
 */
public record ResendPacket(Common common, int offset, int rangeLength, int priority, Bytes extra) implements Packet {
    /** The priority of a packet that has none, as stripped peers send it (12). */
    public static final int NO_PRIORITY = -1;

    public ResendPacket {
        if (priority == NO_PRIORITY && extra.length() > 0) {
            throw new IllegalArgumentException("bytes behind a header that ends before its priority");
        }
    }

    static ResendPacket read(MemorySegment packet, long at, int length) {
        return new ResendPacket(
                Common.read(packet, at),
                ResendHeader.offset(packet, at),
                ResendHeader.length(packet, at),
                ResendHeader.priority(packet, at, length, NO_PRIORITY),
                Bytes.read(packet, at + Math.min(length, ResendHeader.LENGTH), at + length));
    }

    @Override
    public int length() {
        return (priority == NO_PRIORITY ? ResendHeader.STRIPPED_LENGTH : ResendHeader.LENGTH) + extra.length();
    }

    @Override
    public void encode(MemorySegment packet, long at) {
        common.write(packet, at);
        BigEndian.i32(packet, at + ResendHeader.OFFSET, offset);
        BigEndian.i32(packet, at + ResendHeader.RANGE_LENGTH, rangeLength);
        if (priority != NO_PRIORITY) {
            BigEndian.u8(packet, at + ResendHeader.PRIORITY, priority);
            extra.write(packet, at + ResendHeader.LENGTH);
        }
    }
}
