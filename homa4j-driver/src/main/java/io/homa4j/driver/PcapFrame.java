package io.homa4j.driver;

import org.jspecify.annotations.Nullable;

/**
 * A captured frame as a value.
 *
 * @param number 1 for the first of its file
 * @param timeNs since 1970
 * @param linkType the file format's number for what {@code bytes} start with
 * @param wireLength bytes the frame had, of which perhaps fewer were captured
 * @param bytes the captured ones
 */
@SuppressWarnings("ArrayRecordComponent") // values to read, not to compare
public record PcapFrame(int number, long timeNs, int linkType, int wireLength, byte[] bytes) {
    /** Link type of Ethernet. */
    public static final int ETHERNET = 1;

    /** EtherTypes of IP. */
    public static final int IPV4 = 0x0800;

    public static final int IPV6 = 0x86DD;
    /** The EtherType of a frame too short to have one, or of raw bytes that are no IP. */
    public static final int NO_ETHER_TYPE = -1;

    private static final int VLAN = 0x8100;
    private static final int PROVIDER_VLAN = 0x88A8;

    static boolean isKnown(int linkType) {
        return headerLength(linkType) >= 0;
    }

    /** What the frame carries by its link header, behind any VLAN tags: an EtherType, or {@link #NO_ETHER_TYPE}. */
    public int etherType() {
        return switch (linkType) {
            case ETHERNET -> u16(networkStart() - 2);
            case 113 -> u16(14);
            case 276 -> u16(0);
            case 228 -> IPV4;
            case 229 -> IPV6;
            default -> byVersion(headerLength(linkType));
        };
    }

    /** Where in {@code bytes} the network header starts. */
    public int networkStart() {
        int start = headerLength(linkType);
        if (linkType == ETHERNET) {
            while (u16(start - 2) == VLAN || u16(start - 2) == PROVIDER_VLAN) {
                start += 4;
            }
        }
        return start;
    }

    /** The IP packet in the frame; null if there is none or its header was not captured. */
    public @Nullable IpPacket ip() {
        return switch (etherType()) {
            case IPV4 -> IpPacket.v4(bytes, networkStart());
            case IPV6 -> IpPacket.v6(bytes, networkStart());
            default -> null;
        };
    }

    /** Bytes of the link header: Ethernet, raw IP (six numbers), Linux cooked (two versions), BSD loopback (two). */
    private static int headerLength(int linkType) {
        return switch (linkType) {
            case ETHERNET -> 14;
            case 12, 14, 101, 228, 229 -> 0;
            case 113 -> 16;
            case 276 -> 20;
            case 0, 108 -> 4;
            default -> -1;
        };
    }

    private int byVersion(int start) {
        int version = start < bytes.length ? Byte.toUnsignedInt(bytes[start]) >> 4 : 0;
        return version == 4 ? IPV4 : version == 6 ? IPV6 : NO_ETHER_TYPE;
    }

    private int u16(int at) {
        return at + 2 <= bytes.length
                ? Byte.toUnsignedInt(bytes[at]) << 8 | Byte.toUnsignedInt(bytes[at + 1])
                : NO_ETHER_TYPE;
    }
}
