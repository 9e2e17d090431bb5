package io.homa4j.wire;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;

/**
 * An ACK packet as a value (spec/protocol.md 2.9).
 *
 * @param count valid slots as the packet claims, perhaps more than there are
 * @param slots all five, also those not valid
 * @param extra bytes behind the header, which receivers ignore
 */
public record AckPacket(Common common, int count, List<Slot> slots, Bytes extra) implements Packet {
    /**
     * An RPC whose server may forget it.
     *
     * @param clientId unsigned, even
     */
    public record Slot(long clientId, int serverPort) {}

    public AckPacket {
        slots = List.copyOf(slots);
        if (slots.size() != AckHeader.MAX_COUNT) {
            throw new IllegalArgumentException(slots.size() + " slots");
        }
    }

    static AckPacket read(MemorySegment packet, long at, int length) {
        return new AckPacket(
                Common.read(packet, at),
                AckHeader.claimedCount(packet, at),
                IntStream.range(0, AckHeader.MAX_COUNT)
                        .mapToObj(i -> new Slot(AckHeader.clientId(packet, at, i), AckHeader.serverPort(packet, at, i)))
                        .toList(),
                Bytes.read(packet, at + AckHeader.LENGTH, at + length));
    }

    /** The slots a receiver reads (P-135). */
    public List<Slot> validSlots() {
        return slots.subList(0, Math.min(count, AckHeader.MAX_COUNT));
    }

    @Override
    public int length() {
        return AckHeader.LENGTH + extra.length();
    }

    @Override
    public void encode(MemorySegment packet, long at) {
        common.write(packet, at);
        BigEndian.u16(packet, at + AckHeader.COUNT, count);
        for (int i = 0; i < AckHeader.MAX_COUNT; i++) {
            AckHeader.slot(packet, at, i, slots.get(i).clientId(), slots.get(i).serverPort());
        }
        extra.write(packet, at + AckHeader.LENGTH);
    }
}
