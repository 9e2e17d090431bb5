package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * A DATA packet as a value (spec/protocol.md 2.4).
 *
 * @param ackClientId unsigned; 0 for none
 * @param retransmit the byte as it stands: 1 if the packet answers a RESEND or RPC_UNKNOWN, else 0
 * @param pad three bytes, 0 from every known sender
 * @param segmentOffset the field as it stands, perhaps {@link DataHeader#OFFSET_IN_SEQUENCE}
 * @param data the segment of the message
 */
public record DataPacket(
        Common common,
        int messageLength,
        int incoming,
        long ackClientId,
        int ackServerPort,
        int cutoffVersion,
        int retransmit,
        int pad,
        int segmentOffset,
        Bytes data)
        implements Packet {

    static DataPacket read(MemorySegment packet, long at, int length) {
        return new DataPacket(
                Common.read(packet, at),
                DataHeader.messageLength(packet, at),
                DataHeader.incoming(packet, at),
                DataHeader.ackClientId(packet, at),
                DataHeader.ackServerPort(packet, at),
                DataHeader.cutoffVersion(packet, at),
                BigEndian.u8(packet, at + DataHeader.RETRANSMIT),
                BigEndian.u24(packet, at + DataHeader.PAD),
                DataHeader.segmentOffset(packet, at),
                Bytes.read(packet, at + DataHeader.LENGTH, at + length));
    }

    /** Offset of the data in its message, by the offset rule of 2.4. */
    public int offset() {
        return segmentOffset != DataHeader.OFFSET_IN_SEQUENCE ? segmentOffset : common.sequence();
    }

    @Override
    public int length() {
        return DataHeader.LENGTH + data.length();
    }

    @Override
    public void encode(MemorySegment packet, long at) {
        common.write(packet, at);
        BigEndian.i32(packet, at + DataHeader.MESSAGE_LENGTH, messageLength);
        BigEndian.i32(packet, at + DataHeader.INCOMING, incoming);
        BigEndian.i64(packet, at + DataHeader.ACK_CLIENT_ID, ackClientId);
        BigEndian.u16(packet, at + DataHeader.ACK_SERVER_PORT, ackServerPort);
        BigEndian.u16(packet, at + DataHeader.CUTOFF_VERSION, cutoffVersion);
        BigEndian.u8(packet, at + DataHeader.RETRANSMIT, retransmit);
        BigEndian.u24(packet, at + DataHeader.PAD, pad);
        BigEndian.i32(packet, at + DataHeader.SEGMENT_OFFSET, segmentOffset);
        data.write(packet, at + DataHeader.LENGTH);
    }
}
