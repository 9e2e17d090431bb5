package io.homa4j.cli;

import static java.util.stream.Collectors.joining;

import io.homa4j.driver.IpPacket;
import io.homa4j.driver.PcapFrame;
import io.homa4j.wire.AckPacket;
import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.DataHeader;
import io.homa4j.wire.PacketType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One line per frame for people: number, milliseconds since the first frame, who to whom, level, type, fields. */
final class DecodedText implements DecodedLines {
    private static final int ICMP_HEADER = 8;
    private static final int PORTS = 4;

    private @Nullable Long startNs;

    @Override
    public String of(DecodedFrame decoded) {
        PcapFrame frame = decoded.frame();
        long start = startNs == null ? frame.timeNs() : startNs;
        startNs = start;
        // Integer arithmetic: nanoseconds since 1970 do not fit into a double.
        long microseconds = (frame.timeNs() - start) / 1000;
        String time = "%d.%03d".formatted(microseconds / 1000, Math.abs(microseconds % 1000));
        return "%5d %12s ms  %s\n".formatted(frame.number(), time, content(decoded));
    }

    private static String content(DecodedFrame decoded) {
        IpPacket ip = decoded.ip();
        if (ip == null) {
            int etherType = decoded.frame().etherType();
            int there = decoded.frame().bytes().length;
            return switch (etherType) {
                case PcapFrame.IPV4, PcapFrame.IPV6 -> "IP header cut, " + there + " bytes captured";
                case PcapFrame.NO_ETHER_TYPE -> "not IP, " + there + " bytes captured";
                default -> "not IP, EtherType 0x%04x".formatted(etherType);
            };
        }
        DecodedFrame.Homa homa = decoded.homa();
        return homa == null ? otherLine(ip) : homaLine(ip, homa);
    }

    private static String homaLine(IpPacket ip, DecodedFrame.Homa homa) {
        String source = AddressText.of(ip.source(), CommonHeader.sourcePort(homa.packet(), 0));
        String target = AddressText.of(ip.target(), CommonHeader.targetPort(homa.packet(), 0));
        String line = "%s > %s  p%d  %s".formatted(source, target, ip.level(), packet(homa));
        List<String> remarks = new ArrayList<>();
        if (homa.encapsulation() != DecodedFrame.Encapsulation.IP) {
            remarks.add("in " + homa.encapsulation());
        }
        if (ip.moreFragments()) {
            remarks.add("first fragment");
        }
        if (homa.isUnreadable()) {
            remarks.add(homa.isUnknown() ? "unknown type" : "too short: " + homa.length() + " bytes");
        }
        if (homa.isCut()) {
            remarks.add(homa.captured() + " of " + homa.length() + " bytes captured");
        }
        return remarks.isEmpty() ? line : line + "  (" + String.join(", ", remarks) + ")";
    }

    private static String packet(DecodedFrame.Homa homa) {
        Map<String, Object> fields = homa.specific();
        String start = "%-11s id=%s".formatted(PacketType.name(homa.type()), homa.senderId());
        String rest = homa.type() == PacketType.DATA && !fields.isEmpty()
                ? data(homa, fields)
                : fields.entrySet().stream()
                        .map(field -> field.getKey() + "=" + text(field.getValue()))
                        .collect(joining(" "));
        return rest.isEmpty() ? start : start + " " + rest;
    }

    /** The range it brings and what is out of the ordinary. */
    private static String data(DecodedFrame.Homa homa, Map<String, Object> fields) {
        long offset = Integer.toUnsignedLong(DataHeader.offset(homa.packet(), 0));
        String text = "[%d,%d) of %s incoming=%s cutoff_version=%s"
                .formatted(
                        offset,
                        offset + homa.length() - DataHeader.LENGTH,
                        fields.get("message_length"),
                        fields.get("incoming"),
                        fields.get("cutoff_version"));
        if (DataHeader.ackClientId(homa.packet(), 0) != 0) {
            text += " ack=%s:%s".formatted(fields.get("ack_client_id"), fields.get("ack_server_port"));
        }
        return DataHeader.retransmit(homa.packet(), 0) ? text + " retransmit" : text;
    }

    private static String text(Object value) {
        return switch (value) {
            case List<?> list -> list.stream().map(DecodedText::text).collect(joining(",", "[", "]"));
            case AckPacket.Slot(long clientId, int serverPort) -> Long.toUnsignedString(clientId) + ":" + serverPort;
            default -> value.toString();
        };
    }

    private static String otherLine(IpPacket ip) {
        String line = "%s > %s  p%d  ".formatted(AddressText.of(ip.source()), AddressText.of(ip.target()), ip.level());
        if (!ip.isFirstFragment()) {
            return line + "fragment of protocol " + ip.protocol() + " from offset " + ip.fragmentOffset();
        }
        byte[] bytes = ip.transport();
        if (ProtocolText.isIcmp(ip) && bytes.length >= 2) {
            return line
                    + "ICMP        type=%d code=%d%s"
                            .formatted(Byte.toUnsignedInt(bytes[0]), Byte.toUnsignedInt(bytes[1]), quoted(ip));
        }
        String name = ProtocolText.of(ip);
        String shown =
                ip.protocol() == IpPacket.HOMA ? "Homa" : name.equals("OTHER") ? "protocol " + ip.protocol() : name;
        String length = ip.transportLength() < 0 ? "IP lengths contradict each other" : ip.transportLength() + " bytes";
        String remark = bytes.length < ip.transportLength() ? "  (" + bytes.length + " captured)" : "";
        return line + "%-11s %s%s".formatted(shown, length, remark);
    }

    /** The Homa packet that an ICMP error quotes: its ports at least, for that is as much as every error quotes. */
    private static String quoted(IpPacket icmp) {
        boolean isV4 = icmp.protocol() == IpPacket.ICMP;
        IpPacket quoted =
                isV4 ? IpPacket.v4(icmp.transport(), ICMP_HEADER) : IpPacket.v6(icmp.transport(), ICMP_HEADER);
        if (quoted == null || quoted.protocol() != IpPacket.HOMA || quoted.transport().length < PORTS) {
            return "";
        }
        MemorySegment packet = MemorySegment.ofArray(quoted.transport());
        String ports = CommonHeader.sourcePort(packet, 0) + ">" + CommonHeader.targetPort(packet, 0);
        DecodedFrame.Homa homa =
                DecodedFrame.homa(DecodedFrame.Encapsulation.IP, quoted.transport(), quoted.transportLength());
        return homa == null
                ? " quoting " + ports
                : " quoting %s %s id=%s".formatted(ports, PacketType.name(homa.type()), homa.senderId());
    }
}
