package io.homa4j.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SuperPacketTest {
    private static final int MESSAGE = 20000;

    private final MemorySegment packet = MemorySegment.ofArray(new byte[70000]);
    private final MemorySegment data = MemorySegment.ofArray(message(MESSAGE));

    /** The figures of spec/protocol.md 2.11 item 1. */
    @ParameterizedTest
    @CsvSource({"1500, 20, 1424, 45", "1500, 40, 1404, 46", "9000, 20, 8924, 7", "9000, 40, 8904, 7"})
    void segmentsPerSuperPacketOf64KiB(int mtu, int ipHeaderBytes, int segmentBytes, int segments) {
        int maxBytes = SuperPacket.maxBytes(mtu, 65536, 65536);
        assertThat(SuperPacket.maxSegments(maxBytes, ipHeaderBytes, segmentBytes, false))
                .isEqualTo(segments);
        assertThat(SuperPacket.maxSegments(maxBytes, ipHeaderBytes, segmentBytes, true))
                .isEqualTo(segments);
    }

    @Test
    @Pins("P-019")
    void withHijackingEachFurtherSegmentNeedsItsData() {
        for (int k = 1; k <= 40; k++) {
            int bytes = 1500 + (k - 1) * 1424;
            assertThat(SuperPacket.maxSegments(bytes, 20, 1424, true)).isEqualTo(k);
            assertThat(SuperPacket.maxSegments(bytes - 1, 20, 1424, true)).isEqualTo(Math.max(1, k - 1));
        }
    }

    @Test
    @Pins("P-020")
    void withoutHijackingEachFurtherSegmentNeedsFourBytesMore() {
        for (int k = 1; k <= 40; k++) {
            int bytes = 1500 + (k - 1) * (1424 + 4);
            assertThat(SuperPacket.maxSegments(bytes, 20, 1424, false)).isEqualTo(k);
            assertThat(SuperPacket.maxSegments(bytes - 1, 20, 1424, false)).isEqualTo(Math.max(1, k - 1));
        }
    }

    @Test
    @Pins({"P-017", "P-018"})
    void limitsBelowTheMtuAreRaisedToIt() {
        assertThat(SuperPacket.maxBytes(1500, 65536, 0)).isEqualTo(1500);
        assertThat(SuperPacket.maxBytes(1500, 65536, 1499)).isEqualTo(1500);
        assertThat(SuperPacket.maxBytes(1500, 1000, 65536)).isEqualTo(1500);
        assertThat(SuperPacket.maxBytes(1500, 65536, 10000)).isEqualTo(10000);
        assertThat(SuperPacket.maxSegments(1500, 20, 1424, false)).isEqualTo(1);
    }

    @Test
    @Pins({"P-021", "P-024"})
    void withoutHijackingOffsetsAreInserted() {
        int length = superPacket(10000, 5000, 1500, false);
        assertThat(length).isEqualTo(56 + 5000 + 3 * 4);
        assertThat(CommonHeader.doff(packet, 0)).isEqualTo(0xD0);
        assertThat(SuperPacket.segments(packet, 0, length, 1500)).isEqualTo(4);
        assertThat(SuperPacket.unitBytes(1500, false)).isEqualTo(1504);
        assertThat(lengths(length, 1500)).containsExactly(1500, 1500, 1500, 500);
        assertThat(offsets(length, 1500)).containsExactly(10000, 11500, 13000, 14500);
        assertThat(List.of(BigEndian.i32(packet, 1556), BigEndian.i32(packet, 3060), BigEndian.i32(packet, 4564)))
                .containsExactly(11500, 13000, 14500);
        assertSegmentsHoldTheMessage(length, 1500);
    }

    @Test
    @Pins("P-023")
    void withHijackingTheDataIsContiguous() {
        int length = superPacket(10000, 5000, 1500, true);
        assertThat(length).isEqualTo(56 + 5000);
        assertThat(CommonHeader.doff(packet, 0)).isEqualTo(0xE0);
        assertThat(CommonHeader.sequence(packet, 0)).isEqualTo(10000);
        assertThat(DataHeader.segmentOffset(packet, 0)).isEqualTo(-1);
        assertThat(packet.asSlice(56, 5000).mismatch(data.asSlice(10000, 5000))).isEqualTo(-1);
        assertThat(SuperPacket.unitBytes(1500, true)).isEqualTo(1500);
        assertThat(lengths(length, 1500)).containsExactly(1500, 1500, 1500, 500);
        assertThat(offsets(length, 1500)).containsExactly(10000, 11500, 13000, 14500);
        assertSegmentsHoldTheMessage(length, 1500);
    }

    @Test
    @Pins("P-025")
    void messageIsGroupedBySegmentsPerSuperPacket() {
        int maxBytes = SuperPacket.maxBytes(1476, 65536, 1476 + 2 * (1400 + 4));
        int segments = SuperPacket.maxSegments(maxBytes, 20, 1400, false);
        assertThat(segments).isEqualTo(3);
        List<List<Integer>> groups = new ArrayList<>();
        for (int start = 0; start < 10_000; start += segments * 1400) {
            int length = superPacket(start, Math.min(segments * 1400, 10_000 - start), 1400, false);
            groups.add(lengths(length, 1400));
            assertThat(offsets(length, 1400).getFirst()).isEqualTo(start);
            assertSegmentsHoldTheMessage(length, 1400);
        }
        assertThat(groups).containsExactly(List.of(1400, 1400, 1400), List.of(1400, 1400, 1400), List.of(1400, 200));
    }

    @Test
    void anOrdinaryPacketIsASuperPacketOfOneSegment() {
        int length = superPacket(1400, 1400, 1400, false);
        assertThat(CommonHeader.doff(packet, 0)).isEqualTo(0xE0);
        assertThat(lengths(length, 1400)).containsExactly(1400);
        assertThat(offsets(length, 1400)).containsExactly(1400);
        assertThat(SuperPacket.segments(packet, 0, DataHeader.LENGTH, 1400)).isEqualTo(1);
        assertThat(SuperPacket.segmentLength(packet, 0, DataHeader.LENGTH, 1400, 0))
                .isZero();
    }

    /** Some cards add a piece of up to three bytes behind the last unit; it can hold no segment. */
    @Test
    void leftoversTooShortForAnOffsetAreNoSegment() {
        int length = superPacket(0, 3000, 1500, false);
        for (int extra = 0; extra <= 3; extra++) {
            assertThat(SuperPacket.segments(packet, 0, length + extra, 1500)).isEqualTo(2);
        }
        assertThat(SuperPacket.segments(packet, 0, length + 5, 1500)).isEqualTo(3);
    }

    /** Cut as the module's hosts did: 20000 bytes, 6 segments of 1424 bytes per super-packet. */
    @ParameterizedTest
    @CsvSource({"10c_layout_mtu1500_gso10000_software, false", "09d_hijack_gso10000_software_ipv4, true"})
    void cutsIntoThePacketsThatWereCaptured(String capture, boolean hijacking) throws IOException {
        List<Golden.Captured> request = Golden.packets(capture).stream()
                .filter(Golden.Captured::isWhole)
                .filter(packet -> CommonHeader.type(MemorySegment.ofArray(packet.bytes()), 0) == PacketType.DATA)
                .limit(15)
                .toList();
        byte[] message = new byte[MESSAGE];
        for (Golden.Captured segment : request) {
            MemorySegment bytes = MemorySegment.ofArray(segment.bytes());
            int dataBytes = segment.length() - DataHeader.LENGTH;
            MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 56, message, DataHeader.offset(bytes, 0), dataBytes);
        }
        int next = 0;
        for (int start = 0; start < MESSAGE; start += 6 * 1424) {
            int dataBytes = Math.min(6 * 1424, MESSAGE - start);
            DataPacket first = (DataPacket)
                    Packet.decode(MemorySegment.ofArray(request.get(next).bytes()), 0, 1480);
            DataHeader.write(
                    packet,
                    0,
                    first.common().sourcePort(),
                    first.common().targetPort(),
                    first.common().senderId(),
                    start,
                    MESSAGE,
                    first.incoming(),
                    first.ackClientId(),
                    first.ackServerPort(),
                    first.cutoffVersion(),
                    false);
            int length = SuperPacket.fill(packet, 0, MemorySegment.ofArray(message), start, dataBytes, 1424, hijacking);
            for (int i = 0; i < SuperPacket.segments(packet, 0, length, 1424); i++) {
                Golden.Captured expected = request.get(next++);
                byte[] cut = new byte[expected.length()];
                MemorySegment segment = MemorySegment.ofArray(cut);
                assertThat(SuperPacket.cut(packet, 0, length, 1424, i, segment, 0))
                        .isEqualTo(expected.length());
                // The kernel's checksum is wrong without hijacking, so it says nothing there.
                int checksum = hijacking
                        ? Checksum.compute(segment, 0, cut.length, expected.source(), expected.target())
                        : CommonHeader.checksum(MemorySegment.ofArray(expected.bytes()), 0);
                CommonHeader.checksum(segment, 0, checksum);
                assertThat(cut).as("segment %d", next).isEqualTo(expected.bytes());
            }
        }
        assertThat(next).isEqualTo(15);
    }

    private int superPacket(int offset, int dataBytes, int segmentBytes, boolean hijacking) {
        DataHeader.write(packet, 0, 32768, 99, 4, offset, MESSAGE, MESSAGE, 0, 0, 1, false);
        return SuperPacket.fill(packet, 0, data, offset, dataBytes, segmentBytes, hijacking);
    }

    private List<Integer> lengths(int length, int segmentBytes) {
        List<Integer> lengths = new ArrayList<>();
        for (int i = 0; i < SuperPacket.segments(packet, 0, length, segmentBytes); i++) {
            lengths.add(SuperPacket.segmentLength(packet, 0, length, segmentBytes, i));
        }
        return lengths;
    }

    private List<Integer> offsets(int length, int segmentBytes) {
        List<Integer> offsets = new ArrayList<>();
        for (int i = 0; i < SuperPacket.segments(packet, 0, length, segmentBytes); i++) {
            offsets.add(SuperPacket.segmentOffset(packet, 0, segmentBytes, i));
        }
        return offsets;
    }

    /** In place, and in the wire packets cut from it. */
    private void assertSegmentsHoldTheMessage(int length, int segmentBytes) {
        MemorySegment wire = MemorySegment.ofArray(new byte[2000]);
        for (int i = 0; i < SuperPacket.segments(packet, 0, length, segmentBytes); i++) {
            int offset = SuperPacket.segmentOffset(packet, 0, segmentBytes, i);
            int bytes = SuperPacket.segmentLength(packet, 0, length, segmentBytes, i);
            long position = SuperPacket.segmentPosition(packet, 0, segmentBytes, i);
            MemorySegment expected = data.asSlice(offset, bytes);
            assertThat(packet.asSlice(position, bytes).mismatch(expected)).isEqualTo(-1);

            int wireLength = SuperPacket.cut(packet, 0, length, segmentBytes, i, wire, 7);
            assertThat(wireLength).isEqualTo(DataHeader.LENGTH + bytes);
            assertThat(PacketType.check(wire, 7, wireLength)).isEqualTo(PacketType.DATA);
            assertThat(DataHeader.offset(wire, 7)).isEqualTo(offset);
            assertThat(wire.asSlice(7 + DataHeader.LENGTH, bytes).mismatch(expected))
                    .isEqualTo(-1);
        }
    }

    private static byte[] message(int length) {
        byte[] message = new byte[length];
        for (int i = 0; i < length; i++) {
            message[i] = (byte) (31 * i + (i >> 8));
        }
        return message;
    }
}
