package io.homa4j.cli;

import io.homa4j.driver.IpPacket;

/** Names for what is in an IP packet when it is not Homa. */
final class ProtocolText {
    private ProtocolText() {}

    static boolean isIcmp(IpPacket ip) {
        return ip.protocol() == IpPacket.ICMP || ip.protocol() == IpPacket.ICMPV6;
    }

    static String of(IpPacket ip) {
        return switch (ip.protocol()) {
            case IpPacket.ICMP, IpPacket.ICMPV6 -> "ICMP";
            case IpPacket.TCP -> "TCP";
            case IpPacket.UDP -> "UDP";
            default -> "OTHER";
        };
    }
}
