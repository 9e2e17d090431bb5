package io.homa4j.cli;

import io.homa4j.driver.IpPacket;
import io.homa4j.driver.PcapFrame;
import io.homa4j.wire.AckHeader;
import io.homa4j.wire.AckPacket;
import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.CutoffsHeader;
import io.homa4j.wire.DataHeader;
import io.homa4j.wire.GrantHeader;
import io.homa4j.wire.PacketType;
import io.homa4j.wire.ResendHeader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A frame and the Homa packet in it, if there is one.
 *
 * @param ip null if the frame carries no IP, or its header was not captured
 * @param homa null if this is no Homa packet, or its common header was not captured
 */
record DecodedFrame(
        PcapFrame frame, @Nullable IpPacket ip, @Nullable Homa homa) {
    /** How the packet travelled. */
    enum Encapsulation {
        IP,
        /** As TCP, with the hijack marker (spec 2.12). */
        TCP,
        UDP
    }

    /**
     * A Homa packet as far as it was captured, which is at least its common header.
     *
     * @param length transport length
     * @param captured bytes of it in {@code packet}
     */
    record Homa(Encapsulation encapsulation, MemorySegment packet, int length, int captured) {
        int type() {
            return CommonHeader.type(packet, 0);
        }

        BigInteger senderId() {
            return unsigned(CommonHeader.senderId(packet, 0));
        }

        /** Whether receivers drop it for its type or length (spec 3.1). */
        boolean isUnreadable() {
            return isUnknown() || length < PacketType.minLength(type());
        }

        boolean isUnknown() {
            return type() < PacketType.DATA || type() > PacketType.ACK;
        }

        /** Whether the capture ends within the header. */
        boolean isCut() {
            return !isUnreadable() && captured < Math.min(length, headerLength());
        }

        private int headerLength() {
            return type() == PacketType.RESEND ? ResendHeader.LENGTH : PacketType.minLength(type());
        }

        /** The fields behind the common header by their names in the specification, as far as they were captured. */
        Map<String, Object> specific() {
            Map<String, Object> fields = new LinkedHashMap<>();
            switch (type()) {
                case PacketType.DATA -> {
                    if (captured >= DataHeader.LENGTH) {
                        fields.put("message_length", unsigned(DataHeader.messageLength(packet, 0)));
                        fields.put("incoming", unsigned(DataHeader.incoming(packet, 0)));
                        fields.put("ack_client_id", unsigned(DataHeader.ackClientId(packet, 0)));
                        fields.put("ack_server_port", DataHeader.ackServerPort(packet, 0));
                        fields.put("cutoff_version", DataHeader.cutoffVersion(packet, 0));
                        fields.put(
                                "retransmit",
                                Byte.toUnsignedInt(packet.get(ValueLayout.JAVA_BYTE, DataHeader.RETRANSMIT)));
                        fields.put("seg_offset", segmentOffset());
                        fields.put("data_len", length - DataHeader.LENGTH);
                    }
                }
                case PacketType.GRANT -> {
                    if (captured >= GrantHeader.LENGTH) {
                        fields.put("offset", unsigned(GrantHeader.offset(packet, 0)));
                        fields.put("priority", GrantHeader.priority(packet, 0));
                    }
                }
                case PacketType.RESEND -> {
                    if (captured >= ResendHeader.STRIPPED_LENGTH) {
                        fields.put("offset", unsigned(ResendHeader.offset(packet, 0)));
                        fields.put("length", ResendHeader.length(packet, 0));
                    }
                    if (captured >= ResendHeader.LENGTH) {
                        fields.put("priority", ResendHeader.priority(packet, 0, captured, 0));
                    }
                }
                case PacketType.CUTOFFS -> {
                    int levels = Math.min((captured - CutoffsHeader.CUTOFFS) / 4, CutoffsHeader.LEVELS);
                    List<Integer> cutoffs = new ArrayList<>();
                    for (int level = 0; level < levels; level++) {
                        cutoffs.add(CutoffsHeader.cutoff(packet, 0, level));
                    }
                    if (levels > 0) {
                        fields.put("unsched_cutoffs", cutoffs);
                    }
                    if (captured >= CutoffsHeader.LENGTH) {
                        fields.put("cutoff_version", CutoffsHeader.version(packet, 0));
                    }
                }
                case PacketType.ACK -> {
                    if (captured >= AckHeader.SLOTS) {
                        int there = (captured - AckHeader.SLOTS) / AckHeader.SLOT_LENGTH;
                        List<AckPacket.Slot> acks = new ArrayList<>();
                        for (int i = 0; i < Math.min(AckHeader.count(packet, 0), there); i++) {
                            acks.add(new AckPacket.Slot(
                                    AckHeader.clientId(packet, 0, i), AckHeader.serverPort(packet, 0, i)));
                        }
                        fields.put("num_acks", AckHeader.claimedCount(packet, 0));
                        fields.put("acks", acks);
                    }
                }
                default -> {
                    // the common header alone, or nobody knows what
                }
            }
            return fields;
        }

        private long segmentOffset() {
            int offset = DataHeader.segmentOffset(packet, 0);
            return offset == DataHeader.OFFSET_IN_SEQUENCE ? offset : unsigned(offset);
        }
    }

    /** Looks for Homa in a frame; in TCP by the marker, in UDP by the port. */
    static DecodedFrame of(PcapFrame frame, Set<Integer> udpPorts) {
        IpPacket ip = frame.ip();
        return new DecodedFrame(frame, ip, ip == null || !ip.isFirstFragment() ? null : homa(ip, udpPorts));
    }

    private static @Nullable Homa homa(IpPacket ip, Set<Integer> udpPorts) {
        IpPacket.Udp udp = ip.udp();
        if (udp != null && (udpPorts.contains(udp.sourcePort()) || udpPorts.contains(udp.targetPort()))) {
            return homa(Encapsulation.UDP, udp.payload(), udp.length());
        }
        if (ip.protocol() == IpPacket.HOMA) {
            return homa(Encapsulation.IP, ip.transport(), ip.transportLength());
        }
        Homa homa =
                ip.protocol() == IpPacket.TCP ? homa(Encapsulation.TCP, ip.transport(), ip.transportLength()) : null;
        return homa != null && CommonHeader.isHijackMarked(homa.packet, 0) ? homa : null;
    }

    static @Nullable Homa homa(Encapsulation encapsulation, byte[] bytes, int length) {
        return bytes.length < CommonHeader.LENGTH
                ? null
                : new Homa(encapsulation, MemorySegment.ofArray(bytes), length, bytes.length);
    }

    private static long unsigned(int value) {
        return Integer.toUnsignedLong(value);
    }

    private static BigInteger unsigned(long value) {
        return new BigInteger(Long.toUnsignedString(value));
    }
}
