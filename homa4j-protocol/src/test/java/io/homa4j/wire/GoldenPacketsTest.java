package io.homa4j.wire;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every packet of every capture of the kernel module, decoded and encoded again. */
class GoldenPacketsTest {
    private static final int TYPE_COLUMN = 8;

    static List<String> captures() {
        return Golden.captures();
    }

    @ParameterizedTest
    @MethodSource("captures")
    void decodesAsTheReferenceDoes(String capture) throws IOException {
        List<Golden.Captured> packets = Golden.packets(capture);
        List<String[]> table = Golden.table(capture);
        assertThat(packets).hasSameSizeAs(table);
        for (int i = 0; i < packets.size(); i++) {
            Golden.Captured captured = packets.get(i);
            if (captured.isHoma()) {
                String[] row = table.get(i);
                assertThat(columns(captured))
                        .as("packet %s of %s", row[0], capture)
                        .isEqualTo(List.of(row).subList(TYPE_COLUMN, row.length));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("captures")
    void encodesTheBytesThatWereCaptured(String capture) throws IOException {
        int number = 0;
        for (Golden.Captured captured : Golden.packets(capture)) {
            number++;
            if (!captured.isHoma() || !isReadable(captured)) {
                continue;
            }
            Packet packet = decode(captured);
            byte[] encoded = new byte[packet.length()];
            packet.encode(MemorySegment.ofArray(encoded), 0);
            assertThat(encoded).hasSize(captured.length());
            assertThat(HexFormat.of().formatHex(encoded, 0, captured.bytes().length))
                    .as("packet %d of %s", number, capture)
                    .isEqualTo(HexFormat.of().formatHex(captured.bytes()));
        }
    }

    /** So that the tests above cannot pass for want of packets. Unreadable: artefacts of 10e and fragments of 19a. */
    @Test
    void coversAllTypes() throws IOException {
        Map<String, Integer> counts = new TreeMap<>();
        for (String capture : Golden.captures()) {
            for (Golden.Captured captured : Golden.packets(capture)) {
                if (captured.isHoma()) {
                    String name = isReadable(captured) ? PacketType.name(check(captured)) : "unreadable";
                    counts.merge(name, 1, Integer::sum);
                }
            }
        }
        assertThat(counts)
                .isEqualTo(Map.of(
                        "DATA", 7834,
                        "GRANT", 619,
                        "RESEND", 396,
                        "RPC_UNKNOWN", 23,
                        "BUSY", 149,
                        "CUTOFFS", 78,
                        "FREEZE", 1,
                        "NEED_ACK", 60,
                        "ACK", 219,
                        "unreadable", 8));
    }

    /**
     * The module fills the checksum of every packet, over IPv4 and IPv6, control and DATA, with and without hijacking;
     * only software segmentation without hijacking (10c) leaves a wrong one. The packet injector leaves 0.
     */
    @Test
    @Pins({"P-005", "P-006", "P-007", "P-008"})
    void checksumsOfWholePacketsAreTcpChecksums() throws IOException {
        int verified = 0;
        int wrong = 0;
        for (String capture : Golden.captures()) {
            for (Golden.Captured captured : Golden.packets(capture)) {
                MemorySegment packet = MemorySegment.ofArray(captured.bytes());
                if (!captured.isHoma() || !captured.isWhole() || CommonHeader.checksum(packet, 0) == 0) {
                    continue;
                }
                int length = captured.length();
                boolean valid = Checksum.verify(packet, 0, length, captured.source(), captured.target());
                int computed = Checksum.compute(packet, 0, length, captured.source(), captured.target());
                assertThat(valid).isEqualTo(computed == CommonHeader.checksum(packet, 0));
                assertThat(CommonHeader.isHijackMarked(packet, 0)).isTrue();
                if (valid) {
                    verified++;
                } else {
                    assertThat(capture).isEqualTo("10c_layout_mtu1500_gso10000_software");
                    assertThat(CommonHeader.doff(packet, 0)).isEqualTo(CommonHeader.SUPER_PACKET_DOFF);
                    wrong++;
                }
            }
        }
        assertThat(verified).isEqualTo(1504);
        assertThat(wrong).isEqualTo(30);
    }

    private static int check(Golden.Captured captured) {
        return PacketType.check(MemorySegment.ofArray(captured.padded()), 0, captured.length());
    }

    private static boolean isReadable(Golden.Captured captured) {
        return check(captured) >= 0;
    }

    private static Packet decode(Golden.Captured captured) {
        return Packet.decode(MemorySegment.ofArray(captured.padded()), 0, captured.length());
    }

    /** The reference's columns from the type on. */
    private static List<String> columns(Golden.Captured captured) {
        Common common = Common.read(MemorySegment.ofArray(captured.bytes()), 0);
        return Arrays.asList(
                PacketType.name(common.type()),
                Integer.toString(common.sourcePort()),
                Integer.toString(common.targetPort()),
                Long.toUnsignedString(common.senderId()),
                Integer.toUnsignedString(common.sequence()),
                "0x%02x".formatted(common.doff()),
                "0x%02x".formatted(common.flags()),
                Integer.toString(common.window()),
                "0x%04x".formatted(common.checksum()),
                "0x%04x".formatted(common.urgent()),
                isReadable(captured) ? specific(decode(captured), captured) : "");
    }

    private static String specific(Packet packet, Golden.Captured captured) {
        return switch (packet) {
            case DataPacket data -> {
                assertThat(data.common().unused()).isZero();
                assertThat(data.pad()).isZero();
                yield "message_length=%s incoming=%s ack_client_id=%s ack_server_port=%d cutoff_version=%d"
                                .formatted(
                                        Integer.toUnsignedString(data.messageLength()),
                                        Integer.toUnsignedString(data.incoming()),
                                        Long.toUnsignedString(data.ackClientId()),
                                        data.ackServerPort(),
                                        data.cutoffVersion())
                        + " retransmit=%d seg_offset=%d data_len=%d"
                                .formatted(
                                        data.retransmit(),
                                        data.segmentOffset(),
                                        data.data().length());
            }
            case GrantPacket grant ->
                "offset=%s priority=%d".formatted(Integer.toUnsignedString(grant.offset()), grant.priority());
            case ResendPacket resend ->
                "offset=%s length=%d priority=%d"
                        .formatted(Integer.toUnsignedString(resend.offset()), resend.rangeLength(), resend.priority());
            case CutoffsPacket cutoffs -> {
                boolean isCut = captured.bytes().length < CutoffsHeader.LENGTH;
                yield "unsched_cutoffs="
                        + cutoffs.cutoffs().stream()
                                .limit(isCut ? 7 : 8)
                                .map(String::valueOf)
                                .collect(joining(","))
                        + (isCut ? " (cut off in the capture)" : " cutoff_version=" + cutoffs.version());
            }
            case AckPacket ack ->
                "num_acks=%d acks=%s"
                        .formatted(
                                ack.count(),
                                ack.validSlots().stream()
                                        .limit((captured.bytes().length - AckHeader.SLOTS) / AckHeader.SLOT_LENGTH)
                                        .map(slot -> slot.clientId() + ":" + slot.serverPort())
                                        .collect(joining(",")));
            case RpcUnknownPacket _, BusyPacket _, FreezePacket _, NeedAckPacket _ -> "";
        };
    }
}
