package io.homa4j.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.homa4j.conformance.Pins;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the vectors and captures do not show: offset rule, hijack marker, hostile fields, stripped peers. */
class HeadersTest {
    private final MemorySegment packet = MemorySegment.ofArray(new byte[100]);

    @Test
    @Pins("P-076")
    void segmentOffsetWinsOverSequenceUnlessItIsMinusOne() {
        DataHeader.write(packet, 0, 1, 2, 4, 1400, 5000, 5000, 0, 0, 0, false);
        BigEndian.i32(packet, CommonHeader.SEQUENCE, 99);
        assertThat(DataHeader.offset(packet, 0)).isEqualTo(1400);
        BigEndian.i32(packet, DataHeader.SEGMENT_OFFSET, 0);
        assertThat(DataHeader.offset(packet, 0)).isZero();
        BigEndian.i32(packet, DataHeader.SEGMENT_OFFSET, -1);
        assertThat(DataHeader.offset(packet, 0)).isEqualTo(99);
        assertThat(DataHeader.segmentOffset(packet, 0)).isEqualTo(DataHeader.OFFSET_IN_SEQUENCE);
        assertThat(((DataPacket) Packet.decode(packet, 0, 56)).offset()).isEqualTo(99);
    }

    @Test
    void trueOffsetsGoIntoBothFields() {
        DataHeader.write(packet, 0, 1, 2, 4, 2800, 5000, 5000, 0, 0, 0, true);
        assertThat(CommonHeader.sequence(packet, 0)).isEqualTo(2800);
        assertThat(DataHeader.segmentOffset(packet, 0)).isEqualTo(2800);
        assertThat(DataHeader.retransmit(packet, 0)).isTrue();
    }

    /** The marker is in every packet, hijacked or not; the IP protocol alone tells them apart. */
    @Test
    @Pins({"P-252", "P-255"})
    void bothMarkerFieldsMustMatch() {
        for (int type = PacketType.DATA; type <= PacketType.ACK; type++) {
            CommonHeader.write(packet, 0, type, 1, 2, 0, 4);
            assertThat(CommonHeader.flags(packet, 0)).isEqualTo(6);
            assertThat(CommonHeader.urgent(packet, 0)).isEqualTo(0xB97D);
            assertThat(CommonHeader.isHijackMarked(packet, 0)).isTrue();
        }
        BigEndian.u8(packet, CommonHeader.FLAGS, 0x16);
        assertThat(CommonHeader.isHijackMarked(packet, 0)).isFalse();
        BigEndian.u8(packet, CommonHeader.FLAGS, 6);
        BigEndian.u16(packet, CommonHeader.URGENT, 0xB97C);
        assertThat(CommonHeader.isHijackMarked(packet, 0)).isFalse();
    }

    @Test
    void fieldsAreUnsignedWhereTheSpecificationSaysSo() {
        CommonHeader.write(packet, 0, PacketType.BUSY, 65535, 40000, -1, -2L);
        assertThat(CommonHeader.sourcePort(packet, 0)).isEqualTo(65535);
        assertThat(CommonHeader.targetPort(packet, 0)).isEqualTo(40000);
        assertThat(CommonHeader.sequence(packet, 0)).isEqualTo(-1);
        assertThat(CommonHeader.senderId(packet, 0)).isEqualTo(-2L);
        GrantHeader.write(packet, 0, 1, 2, 4, Integer.MIN_VALUE, 200);
        assertThat(GrantHeader.offset(packet, 0)).isEqualTo(Integer.MIN_VALUE);
        assertThat(GrantHeader.priority(packet, 0)).isEqualTo(200);
        CutoffsHeader.write(packet, 0, 1, 2, 4, new int[] {-1, 1, 2, 3, 4, 5, 6, 7}, 65535);
        assertThat(CutoffsHeader.cutoff(packet, 0, 0)).isEqualTo(-1);
        assertThat(CutoffsHeader.version(packet, 0)).isEqualTo(65535);
    }

    @Test
    void resendWithoutPriorityIsUnderstood() {
        ResendHeader.write(packet, 0, 1, 2, 4, 100, 200, 5);
        assertThat(PacketType.check(packet, 0, ResendHeader.STRIPPED_LENGTH)).isEqualTo(PacketType.RESEND);
        assertThat(PacketType.check(packet, 0, ResendHeader.STRIPPED_LENGTH - 1))
                .isEqualTo(PacketType.SHORT);
        assertThat(ResendHeader.priority(packet, 0, ResendHeader.STRIPPED_LENGTH, 7))
                .isEqualTo(7);
        assertThat(ResendHeader.priority(packet, 0, ResendHeader.LENGTH, 7)).isEqualTo(5);

        ResendPacket stripped = (ResendPacket) Packet.decode(packet, 0, ResendHeader.STRIPPED_LENGTH);
        assertThat(stripped.priority()).isEqualTo(ResendPacket.NO_PRIORITY);
        assertThat(stripped.offset()).isEqualTo(100);
        assertThat(stripped.rangeLength()).isEqualTo(200);
        assertThat(stripped.length()).isEqualTo(ResendHeader.STRIPPED_LENGTH);
    }

    @Test
    @Pins("P-135")
    void moreThanFiveAckSlotsAreReadAsFive() {
        AckHeader.write(packet, 0, 1, 2, 4, 6);
        assertThat(AckHeader.count(packet, 0)).isEqualTo(5);
        AckHeader.write(packet, 0, 1, 2, 4, 65535);
        assertThat(AckHeader.count(packet, 0)).isEqualTo(5);
        AckPacket ack = (AckPacket) Packet.decode(packet, 0, AckHeader.LENGTH);
        assertThat(ack.count()).isEqualTo(65535);
        assertThat(ack.validSlots()).hasSize(5);
    }

    @Test
    void writingAnAckEmptiesEverySlot() {
        packet.fill((byte) 0xFF);
        AckHeader.write(packet, 0, 1, 2, 4, 5);
        for (int i = 0; i < AckHeader.MAX_COUNT; i++) {
            assertThat(AckHeader.clientId(packet, 0, i)).isZero();
            assertThat(AckHeader.serverPort(packet, 0, i)).isZero();
        }
        AckHeader.slot(packet, 0, 4, 10, 65535);
        assertThat(AckHeader.clientId(packet, 0, 4)).isEqualTo(10);
        assertThat(AckHeader.serverPort(packet, 0, 4)).isEqualTo(65535);
        assertThat(AckHeader.clientId(packet, 0, 3)).isZero();
    }

    @Test
    @Pins("P-009")
    void rpcUnknownExchangesPortsAndFlipsTheId() {
        MemorySegment received = MemorySegment.ofArray(new byte[40]);
        ResendHeader.write(received, 3, 40000, 99, 99990, 0, -1, 7);
        RpcUnknownHeader.writeAnswer(packet, 5, received, 3);
        assertThat(Packet.decode(packet, 5, RpcUnknownHeader.LENGTH))
                .isEqualTo(new RpcUnknownPacket(Common.of(PacketType.RPC_UNKNOWN, 99, 40000, 0, 99991), Bytes.EMPTY));
    }

    /** The shortest packet is 28 bytes long, so the padding to 26 of spec/protocol.md 2.1 never happens. */
    @Test
    void noPacketNeedsPadding() {
        for (int type = PacketType.DATA; type <= PacketType.ACK; type++) {
            assertThat(PacketType.minLength(type)).isGreaterThanOrEqualTo(26);
        }
    }

    @Test
    void recordsRefuseWhatTheWireCannotCarry() {
        Common common = Common.of(PacketType.ACK, 1, 2, 0, 4);
        assertThatIllegalArgumentException().isThrownBy(() -> new AckPacket(common, 0, List.of(), Bytes.EMPTY));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new CutoffsPacket(common, Collections.nCopies(7, 0), 1, Bytes.EMPTY));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ResendPacket(common, 0, 0, ResendPacket.NO_PRIORITY, Bytes.of((byte) 1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Packet.decode(packet, 0, 27))
                .withMessage("too short: 27 bytes");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Packet.decode(packet, 0, 28))
                .withMessage("unknown type 0x00");
    }

    @Test
    void bytesAreValues() {
        byte[] array = {1, 2, 3};
        Bytes bytes = Bytes.of(array);
        array[0] = 9;
        assertThat(bytes).isEqualTo(Bytes.of((byte) 1, (byte) 2, (byte) 3)).isNotEqualTo(Bytes.of(array));
        assertThat(bytes).hasSameHashCodeAs(Bytes.of((byte) 1, (byte) 2, (byte) 3));
        assertThat(bytes).hasToString("3 bytes 010203");
        assertThat(Bytes.of(new byte[20])).hasToString("20 bytes 00000000000000000000000000000000...");
        assertThat(bytes.toArray()).containsExactly(1, 2, 3);
    }
}
