package io.homa4j.cli;

import static java.util.stream.Collectors.joining;

import io.homa4j.driver.IpPacket;
import io.homa4j.wire.AckPacket;
import io.homa4j.wire.Common;
import io.homa4j.wire.DataHeader;
import io.homa4j.wire.PacketType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A JSON array with one object per frame. Names are those of the table, numbers are plain numbers. */
final class DecodedJson implements DecodedLines {
    private boolean isFirst = true;

    @Override
    public String head() {
        return "[";
    }

    @Override
    public String of(DecodedFrame frame) {
        String separator = isFirst ? "\n" : ",\n";
        isFirst = false;
        return separator + json(fields(frame));
    }

    @Override
    public String tail() {
        return "\n]\n";
    }

    private static Map<String, Object> fields(DecodedFrame decoded) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("n", decoded.frame().number());
        fields.put("time_ns", decoded.frame().timeNs());
        IpPacket ip = decoded.ip();
        if (ip == null) {
            fields.put("type", "OTHER");
            if (decoded.frame().etherType() >= 0) {
                fields.put("ether_type", decoded.frame().etherType());
            }
            return fields;
        }
        DecodedFrame.Homa homa = decoded.homa();
        fields.put("src", AddressText.of(ip.source()));
        fields.put("dst", AddressText.of(ip.target()));
        fields.put("ip_proto", ip.protocol());
        fields.put("tos", ip.tos());
        fields.put("level", ip.level());
        fields.put("ttl", ip.ttl());
        fields.put("plen", homa == null ? ip.transportLength() : homa.length());
        if (!ip.isFirstFragment() || ip.moreFragments()) {
            fields.put("fragment_offset", ip.fragmentOffset());
        }
        if (homa != null) {
            putHoma(fields, homa);
            return fields;
        }
        fields.put("type", ProtocolText.of(ip));
        if (ProtocolText.isIcmp(ip) && ip.transport().length >= 2) {
            fields.put("icmp_type", Byte.toUnsignedInt(ip.transport()[0]));
            fields.put("icmp_code", Byte.toUnsignedInt(ip.transport()[1]));
        }
        return fields;
    }

    private static void putHoma(Map<String, Object> fields, DecodedFrame.Homa homa) {
        Common common = Common.read(homa.packet(), 0);
        fields.put("encapsulation", homa.encapsulation().name().toLowerCase(Locale.ROOT));
        fields.put("type", PacketType.name(common.type()));
        fields.put("sport", common.sourcePort());
        fields.put("dport", common.targetPort());
        fields.put("sender_id", homa.senderId());
        fields.put("sequence", Integer.toUnsignedLong(common.sequence()));
        fields.put("doff", common.doff());
        fields.put("flags", common.flags());
        fields.put("window", common.window());
        fields.put("checksum", common.checksum());
        fields.put("urgent", common.urgent());
        fields.putAll(homa.specific());
        if (fields.containsKey("seg_offset")) {
            fields.put("offset", Integer.toUnsignedLong(DataHeader.offset(homa.packet(), 0)));
        }
        if (homa.isUnreadable()) {
            fields.put("unreadable", true);
        }
        if (homa.captured() < homa.length()) {
            fields.put("captured", homa.captured());
        }
    }

    private static String json(Object value) {
        return switch (value) {
            case Map<?, ?> map ->
                map.entrySet().stream()
                        .map(field -> json(field.getKey()) + ":" + json(field.getValue()))
                        .collect(joining(",", "{", "}"));
            case List<?> list -> list.stream().map(DecodedJson::json).collect(joining(",", "[", "]"));
            case AckPacket.Slot(long clientId, int serverPort) ->
                "{\"client_id\":" + Long.toUnsignedString(clientId) + ",\"server_port\":" + serverPort + "}";
            // Names, addresses and types hold nothing that JSON would want escaped.
            case String text -> '"' + text + '"';
            default -> value.toString();
        };
    }
}
