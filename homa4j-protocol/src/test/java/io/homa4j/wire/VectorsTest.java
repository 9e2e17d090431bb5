package io.homa4j.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The packets of spec/protocol.md appendix A, written field by field and read back, off-heap and at odd addresses. */
class VectorsTest {
    private static final int CLIENT_PORT = 32768;
    private static final int SERVER_PORT = 99;
    private static final byte[] CLIENT = {10, 0, 0, 1};
    private static final byte[] SERVER = {10, 0, 0, 2};
    private static final byte[] CLIENT_V6 = HexFormat.of().parseHex("fd000000000000000000000000000001");
    private static final byte[] SERVER_V6 = HexFormat.of().parseHex("fd000000000000000000000000000002");

    /** Nothing is aligned there. */
    private static final long AT = 3;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment packet = arena.allocate(AT + 100).fill((byte) 0xEE);

    @AfterEach
    void close() {
        arena.close();
    }

    /** As the module sends it: the vector has the offset in {@code sequence} alone, which we never write. */
    @Test
    @Pins("P-008")
    void dataFromClientWithOffsetInSequence() {
        DataHeader.write(packet, AT, CLIENT_PORT, SERVER_PORT, 2, 0, 5, 5, 0, 0, 0, false);
        BigEndian.i32(packet, AT + DataHeader.SEGMENT_OFFSET, DataHeader.OFFSET_IN_SEQUENCE);
        MemorySegment.copy(
                MemorySegment.ofArray("hello".getBytes(StandardCharsets.US_ASCII)),
                0,
                packet,
                AT + DataHeader.LENGTH,
                5);
        assertIsVector(61, CLIENT, SERVER, """
                80000063 00000000 00000010 e0060000 8de3b97d 00000000 00000002 00000005 00000005 00000000 00000000
                00000000 00000000 ffffffff 68656c6c 6f""");
        assertThat(DataHeader.offset(packet, AT)).isZero();
    }

    @Test
    void dataHeaderWithAckAndTrueOffset() {
        DataHeader.write(packet, AT, CLIENT_PORT, SERVER_PORT, 4, 1424, 3000, 3000, 2, SERVER_PORT, 1, false);
        assertIsVector(DataHeader.LENGTH, CLIENT, SERVER, """
                80000063 00000590 00000010 e0060000 aeccb97d 00000000 00000004 00000bb8 00000bb8 00000000 00000002
                00630001 00000000 00000590""");
        assertThat(DataHeader.offset(packet, AT)).isEqualTo(1424);
        assertThat(DataHeader.messageLength(packet, AT)).isEqualTo(3000);
        assertThat(DataHeader.incoming(packet, AT)).isEqualTo(3000);
        assertThat(DataHeader.ackClientId(packet, AT)).isEqualTo(2);
        assertThat(DataHeader.ackServerPort(packet, AT)).isEqualTo(SERVER_PORT);
        assertThat(DataHeader.cutoffVersion(packet, AT)).isEqualTo(1);
        assertThat(DataHeader.retransmit(packet, AT)).isFalse();
    }

    @Test
    @Pins("P-006")
    void grantFromServer() {
        GrantHeader.write(packet, AT, SERVER_PORT, CLIENT_PORT, 3, 50000, 2);
        assertIsVector(
                GrantHeader.LENGTH,
                SERVER,
                CLIENT,
                "00638000 00000000 00000011 50060000 9c89b97d 00000000 00000003 0000c350 02");
        assertThat(GrantHeader.offset(packet, AT)).isEqualTo(50000);
        assertThat(GrantHeader.priority(packet, AT)).isEqualTo(2);
    }

    @Test
    void resendFromClient() {
        ResendHeader.write(packet, AT, CLIENT_PORT, SERVER_PORT, 2, 0, ResendHeader.ALL_SENT, 7);
        assertIsVector(
                ResendHeader.LENGTH,
                CLIENT,
                SERVER,
                "80000063 00000000 00000012 50060000 5ad6b97d 00000000 00000002 00000000 ffffffff 07");
        assertThat(ResendHeader.offset(packet, AT)).isZero();
        assertThat(ResendHeader.length(packet, AT)).isEqualTo(-1);
        assertThat(ResendHeader.priority(packet, AT, ResendHeader.LENGTH, 5)).isEqualTo(7);
    }

    @Test
    void rpcUnknownFromServer() {
        RpcUnknownHeader.write(packet, AT, SERVER_PORT, CLIENT_PORT, 3);
        assertIsVector(
                RpcUnknownHeader.LENGTH,
                SERVER,
                CLIENT,
                "00638000 00000000 00000013 50060000 61ddb97d 00000000 00000003");
    }

    @Test
    void cutoffsWithDefaultTable() {
        int[] cutoffs = {0, 0, 0, 0, 1_000_000, 15_000, 2_800, 200};
        CutoffsHeader.write(packet, AT, SERVER_PORT, CLIENT_PORT, 3, cutoffs, 1);
        assertIsVector(CutoffsHeader.LENGTH, SERVER, CLIENT, """
                00638000 00000000 00000015 50060000 d918b97d 00000000 00000003 00000000 00000000 00000000 00000000
                000f4240 00003a98 00000af0 000000c8 0001""");
        for (int level = 0; level < CutoffsHeader.LEVELS; level++) {
            assertThat(CutoffsHeader.cutoff(packet, AT, level)).isEqualTo(cutoffs[level]);
        }
        assertThat(CutoffsHeader.version(packet, AT)).isEqualTo(1);
    }

    @Test
    void ackWithTwoSlots() {
        AckHeader.write(packet, AT, CLIENT_PORT, SERVER_PORT, 12, 2);
        AckHeader.slot(packet, AT, 0, 2, SERVER_PORT);
        AckHeader.slot(packet, AT, 1, 4, SERVER_PORT);
        assertIsVector(AckHeader.LENGTH, CLIENT, SERVER, """
                80000063 00000000 00000018 50060000 60cdb97d 00000000 0000000c 00020000 00000000 00020063 00000000
                00000004 00630000 00000000 00000000 00000000 00000000 00000000 00000000 00000000""");
        assertThat(AckHeader.count(packet, AT)).isEqualTo(2);
        assertThat(AckHeader.clientId(packet, AT, 1)).isEqualTo(4);
        assertThat(AckHeader.serverPort(packet, AT, 1)).isEqualTo(SERVER_PORT);
    }

    @Test
    @Pins("P-005")
    void needAckOverIpv6() {
        NeedAckHeader.write(packet, AT, SERVER_PORT, CLIENT_PORT, 13);
        assertIsVector(
                NeedAckHeader.LENGTH,
                SERVER_V6,
                CLIENT_V6,
                "00638000 00000000 00000017 50060000 7bcdb97d 00000000 0000000d");
    }

    /** No vectors for these two: the common header with their type. */
    @Test
    void busyAndFreezeAreTheCommonHeaderAlone() {
        BusyHeader.write(packet, AT, SERVER_PORT, CLIENT_PORT, 5);
        assertThat(hex(BusyHeader.LENGTH)).isEqualTo("0063800000000000000000145006000000" + "00b97d0000000000000005");
        FreezeHeader.write(packet, AT, CLIENT_PORT, 0, 0);
        assertThat(hex(FreezeHeader.LENGTH)).isEqualTo("8000000000000000000000165006000000" + "00b97d0000000000000000");
    }

    /** Writes the checksum, compares bytes, and takes the packet through its record. */
    private void assertIsVector(int length, byte[] source, byte[] target, String vector) {
        String expected = vector.replaceAll("\\s", "");
        assertThat(CommonHeader.checksum(packet, AT)).isZero();
        CommonHeader.checksum(packet, AT, Checksum.compute(packet, AT, length, source, target));
        assertThat(hex(length)).isEqualTo(expected);
        assertThat(Checksum.verify(packet, AT, length, source, target)).isTrue();
        assertThat(List.of(packet.get(ValueLayout.JAVA_BYTE, AT - 1), packet.get(ValueLayout.JAVA_BYTE, AT + length)))
                .as("bytes around the packet")
                .containsOnly((byte) 0xEE);

        byte[] encoded = new byte[length];
        Packet.decode(packet, AT, length).encode(MemorySegment.ofArray(encoded), 0);
        assertThat(HexFormat.of().formatHex(encoded)).isEqualTo(expected);
    }

    private String hex(int length) {
        return HexFormat.of().formatHex(packet.asSlice(AT, length).toArray(ValueLayout.JAVA_BYTE));
    }
}
