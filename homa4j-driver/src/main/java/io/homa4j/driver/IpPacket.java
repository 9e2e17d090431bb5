package io.homa4j.driver;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A captured IP packet as a value, for tools and tests. Length fields are believed as they stand, for a capture may hold
 * anything; bytes that were not captured are simply not there.
 *
 * @param source 4 or 16 bytes
 * @param target as many bytes as the source
 * @param protocol of the transport; for IPv6 that behind the extension headers
 * @param tos IPv4 TOS byte or IPv6 traffic class
 * @param ttl IPv4 TTL or IPv6 hop limit
 * @param transportLength bytes behind the IP header by its length fields; negative if those contradict each other
 * @param transport the captured ones of these bytes, perhaps fewer
 * @param fragmentOffset position of these bytes in the unfragmented packet; above 0 they start in mid-packet
 * @param moreFragments whether another fragment follows
 * @param extensionLength bytes of IPv6 extension headers; their first has the number {@code nextHeader}
 * @param nextHeader as the IP header has it; differs from {@code protocol} only behind extension headers
 */
@SuppressWarnings("ArrayRecordComponent") // values to read, not to compare
public record IpPacket(
        byte[] source,
        byte[] target,
        int protocol,
        int tos,
        int ttl,
        int transportLength,
        byte[] transport,
        int fragmentOffset,
        boolean moreFragments,
        int extensionLength,
        int nextHeader) {

    /** Protocol number of Homa. */
    public static final int HOMA = 146;

    public static final int ICMP = 1;
    public static final int TCP = 6;
    public static final int UDP = 17;
    public static final int ICMPV6 = 58;

    private static final int V4_HEADER = 20;
    private static final int V6_HEADER = 40;
    private static final int UDP_HEADER = 8;

    /** The Homa priority level that the TOS byte carries, 0 to 7, if the sender maps level i to i (spec 2.1). */
    public int level() {
        return tos >> 5;
    }

    /** Whether these bytes start with a transport header. */
    public boolean isFirstFragment() {
        return fragmentOffset == 0;
    }

    /** Reads an IPv4 packet from {@code start}; null if its header was not captured. */
    public static @Nullable IpPacket v4(byte[] bytes, int start) {
        if (bytes.length - start < V4_HEADER) {
            return null;
        }
        int headerLength = (bytes[start] & 15) * 4;
        int totalLength = u16(bytes, start + 2);
        int fragment = u16(bytes, start + 6);
        int protocol = u8(bytes, start + 9);
        return new IpPacket(
                Arrays.copyOfRange(bytes, start + 12, start + 16),
                Arrays.copyOfRange(bytes, start + 16, start + 20),
                protocol,
                u8(bytes, start + 1),
                u8(bytes, start + 8),
                totalLength - headerLength,
                captured(bytes, start + headerLength, start + totalLength),
                (fragment & 0x1FFF) * 8,
                (fragment & 0x2000) != 0,
                0,
                protocol);
    }

    /** Reads an IPv6 packet from {@code start}; null if its header was not captured. */
    public static @Nullable IpPacket v6(byte[] bytes, int start) {
        if (bytes.length - start < V6_HEADER) {
            return null;
        }
        int nextHeader = u8(bytes, start + 6);
        int protocol = nextHeader;
        int at = start + V6_HEADER;
        int end = at + u16(bytes, start + 4);
        int fragment = 0;
        while (isExtension(protocol) && at + 8 <= Math.min(end, bytes.length) && fragment >> 3 == 0) {
            int length = switch (protocol) {
                case 44 -> 8;
                case 51 -> (u8(bytes, at + 1) + 2) * 4;
                default -> (u8(bytes, at + 1) + 1) * 8;
            };
            fragment = protocol == 44 ? u16(bytes, at + 2) : fragment;
            protocol = u8(bytes, at);
            at += length;
        }
        return new IpPacket(
                Arrays.copyOfRange(bytes, start + 8, start + 24),
                Arrays.copyOfRange(bytes, start + 24, start + 40),
                protocol,
                u16(bytes, start) >> 4 & 0xFF,
                u8(bytes, start + 7),
                end - at,
                captured(bytes, at, end),
                fragment & 0xFFF8,
                (fragment & 1) != 0,
                at - start - V6_HEADER,
                nextHeader);
    }

    /**
     * What a UDP packet carries.
     *
     * @param length payload bytes by the UDP header
     * @param payload the captured ones of these, perhaps fewer
     */
    @SuppressWarnings("ArrayRecordComponent") // values to read, not to compare
    public record Udp(int sourcePort, int targetPort, int length, byte[] payload) {}

    /** The UDP part of a packet; null if this is none, a later fragment, or its UDP header was not captured. */
    public @Nullable Udp udp() {
        if (protocol != UDP || !isFirstFragment() || transport.length < UDP_HEADER) {
            return null;
        }
        // A length of 0 means "the rest" (jumbograms, and some offloading cards before they have filled it in).
        int claimed = u16(transport, 4);
        int length = claimed == 0 ? transportLength : claimed;
        byte[] payload = captured(transport, UDP_HEADER, length);
        return new Udp(u16(transport, 0), u16(transport, 2), length - UDP_HEADER, payload);
    }

    /** Hop-by-hop, routing, fragment, authentication, destination options, mobility, HIP, Shim6. */
    private static boolean isExtension(int protocol) {
        return switch (protocol) {
            case 0, 43, 44, 51, 60, 135, 139, 140 -> true;
            default -> false;
        };
    }

    private static byte[] captured(byte[] bytes, int start, int end) {
        int capturedEnd = Math.min(end, bytes.length);
        return start < capturedEnd ? Arrays.copyOfRange(bytes, start, capturedEnd) : new byte[0];
    }

    private static int u8(byte[] bytes, int at) {
        return Byte.toUnsignedInt(bytes[at]);
    }

    private static int u16(byte[] bytes, int at) {
        return u8(bytes, at) << 8 | u8(bytes, at + 1);
    }
}
