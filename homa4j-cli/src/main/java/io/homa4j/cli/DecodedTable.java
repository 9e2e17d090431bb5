package io.homa4j.cli;

import static java.util.stream.Collectors.joining;

import io.homa4j.driver.IpPacket;
import io.homa4j.driver.PcapFrame;
import io.homa4j.wire.AckPacket;
import io.homa4j.wire.Common;
import io.homa4j.wire.PacketType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The table of {@code golden/decoded}, value for value what the reference decoder of the golden captures prints. That is
 * why it differs from the other outputs in odd cases: every TCP packet is shown as if it were Homa's, IPv6 extension
 * headers are not skipped, an Ethernet frame that is not IPv4 is read as IPv6, and times are differences of doubles.
 * Where the reference gives up (cut headers) or does not go (VLAN tags, other link types, UDP), the row says what there
 * is.
 */
final class DecodedTable implements DecodedLines {
    private static final List<String> COLUMNS = List.of(
            "#n",
            "t_us",
            "src",
            "dst",
            "ip_proto",
            "tos",
            "ttl",
            "plen",
            "type",
            "sport",
            "dport",
            "sender_id",
            "sequence",
            "doff",
            "flags",
            "window",
            "checksum",
            "urgent",
            "specific");
    private static final int IP_COLUMNS = 6;
    private static final long NS_PER_SECOND = 1_000_000_000;

    private final BooleanSupplier isNanoseconds;
    private double startSeconds = Double.NaN;

    DecodedTable(BooleanSupplier isNanoseconds) {
        this.isNanoseconds = isNanoseconds;
    }

    @Override
    public String head() {
        return String.join("\t", COLUMNS) + "\n";
    }

    @Override
    public String of(DecodedFrame decoded) {
        List<String> row = new ArrayList<>();
        row.add(Integer.toString(decoded.frame().number()));
        row.add(Long.toString(microseconds(decoded.frame().timeNs())));
        IpPacket ip = asTheReferenceReads(decoded);
        DecodedFrame.@Nullable Homa homa = decoded.homa();
        if (ip == null) {
            row.addAll(Collections.nCopies(IP_COLUMNS, ""));
            row.add("OTHER");
        } else if (homa != null && homa.encapsulation() == DecodedFrame.Encapsulation.UDP) {
            addIp(row, ip, homa.length());
            addHoma(row, homa);
        } else {
            int length = ip.extensionLength() + ip.transportLength();
            addIp(row, ip, length);
            addTransport(row, ip, length);
        }
        row.addAll(Collections.nCopies(COLUMNS.size() - row.size(), ""));
        return String.join("\t", row) + "\n";
    }

    private static @Nullable IpPacket asTheReferenceReads(DecodedFrame decoded) {
        PcapFrame frame = decoded.frame();
        boolean notIp = frame.etherType() != PcapFrame.IPV4 && frame.etherType() != PcapFrame.IPV6;
        return notIp && frame.linkType() == PcapFrame.ETHERNET
                ? IpPacket.v6(frame.bytes(), frame.networkStart())
                : decoded.ip();
    }

    private static void addIp(List<String> row, IpPacket ip, int length) {
        row.add(AddressText.of(ip.source()));
        row.add(AddressText.of(ip.target()));
        row.add(Integer.toString(ip.nextHeader()));
        row.add("0x%02x".formatted(ip.tos()));
        row.add(Integer.toString(ip.ttl()));
        row.add(Integer.toString(length));
    }

    private static void addTransport(List<String> row, IpPacket ip, int length) {
        byte[] bytes = ip.transport();
        switch (ip.nextHeader()) {
            case IpPacket.HOMA, IpPacket.TCP -> {
                DecodedFrame.@Nullable Homa homa = DecodedFrame.homa(DecodedFrame.Encapsulation.IP, bytes, length);
                if (homa != null) {
                    addHoma(row, homa);
                } else {
                    row.add("OTHER");
                }
            }
            case IpPacket.ICMP, IpPacket.ICMPV6 -> {
                row.add("ICMP");
                row.addAll(Collections.nCopies(COLUMNS.size() - 1 - row.size(), ""));
                row.add(
                        bytes.length < 2
                                ? ""
                                : "icmp_type=%d icmp_code=%d"
                                        .formatted(Byte.toUnsignedInt(bytes[0]), Byte.toUnsignedInt(bytes[1])));
            }
            default -> row.add("OTHER");
        }
    }

    private static void addHoma(List<String> row, DecodedFrame.Homa homa) {
        Common common = Common.read(homa.packet(), 0);
        row.add(PacketType.name(common.type()));
        row.add(Integer.toString(common.sourcePort()));
        row.add(Integer.toString(common.targetPort()));
        row.add(homa.senderId().toString());
        row.add(Integer.toUnsignedString(common.sequence()));
        row.add("0x%02x".formatted(common.doff()));
        row.add("0x%02x".formatted(common.flags()));
        row.add(Integer.toString(common.window()));
        row.add("0x%04x".formatted(common.checksum()));
        row.add("0x%04x".formatted(common.urgent()));
        row.add(specific(common.type(), homa.specific()));
    }

    private static String specific(int type, Map<String, Object> fields) {
        if (type == PacketType.RESEND && !fields.containsKey("priority")) {
            return "";
        }
        if (type == PacketType.CUTOFFS && !fields.containsKey("cutoff_version")) {
            // The reference shows a table without version if its first seven entries are there.
            List<?> cutoffs = (List<?>) fields.getOrDefault("unsched_cutoffs", List.of());
            return cutoffs.size() < 7
                    ? ""
                    : "unsched_cutoffs=" + text(cutoffs.subList(0, 7)) + " (cut off in the capture)";
        }
        return fields.entrySet().stream()
                .map(field -> field.getKey() + "=" + text(field.getValue()))
                .collect(joining(" "));
    }

    private static String text(Object value) {
        return switch (value) {
            case List<?> list -> list.stream().map(DecodedTable::text).collect(joining(","));
            case AckPacket.Slot(long clientId, int serverPort) -> Long.toUnsignedString(clientId) + ":" + serverPort;
            default -> value.toString();
        };
    }

    /** Since the first frame; from doubles and rounded half to even, as the reference computes it. */
    private long microseconds(long timeNs) {
        long fraction = Math.floorMod(timeNs, NS_PER_SECOND);
        double seconds = Math.floorDiv(timeNs, NS_PER_SECOND)
                + (isNanoseconds.getAsBoolean() ? fraction * 1e-9 : fraction / 1000.0 * 1e-6);
        startSeconds = Double.isNaN(startSeconds) ? seconds : startSeconds;
        return (long) Math.rint((seconds - startSeconds) * 1e6);
    }
}
