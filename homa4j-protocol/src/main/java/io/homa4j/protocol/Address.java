package io.homa4j.protocol;

/**
 * IP addresses as two longs, so that none is allocated per packet. IPv4 addresses are IPv6-mapped
 * ({@code ::ffff:a.b.c.d}), which makes an IPv4 host one peer whichever socket reaches it (spec protocol 2.1 item 3).
 */
public final class Address {
    private static final long MAPPED_PREFIX = 0x0000_FFFF_0000_0000L;

    private static final long MAPPED_LOOPBACK = MAPPED_PREFIX >>> 24 | 127;

    private Address() {}

    /** Low half of the mapped form of an IPv4 address; the high half is 0. */
    public static long mappedLo(int ipv4) {
        return MAPPED_PREFIX | (ipv4 & 0xFFFF_FFFFL);
    }

    /** Whether the two halves are an IPv4 address in mapped form. */
    public static boolean isIpv4(long hi, long lo) {
        return hi == 0 && (lo & 0xFFFF_FFFF_0000_0000L) == MAPPED_PREFIX;
    }

    /** Whether it is an address of the loopback interface: 127.0.0.0/8 or ::1. */
    public static boolean isLoopback(long hi, long lo) {
        return hi == 0 && (lo == 1 || lo >>> 24 == MAPPED_LOOPBACK);
    }

    /** High half of an address of 4 or 16 bytes in network order. */
    public static long hi(byte[] address) {
        return address.length == 4 ? 0 : read(address, 0, 8);
    }

    /** Low half of an address of 4 or 16 bytes in network order. */
    public static long lo(byte[] address) {
        return address.length == 4 ? mappedLo((int) read(address, 0, 4)) : read(address, 8, 8);
    }

    /** The address in network order: 4 bytes for IPv4, else 16. */
    public static byte[] bytes(long hi, long lo) {
        boolean ipv4 = isIpv4(hi, lo);
        byte[] bytes = new byte[ipv4 ? 4 : 16];
        for (int i = 0; i < bytes.length; i++) {
            long half = !ipv4 && i < 8 ? hi : lo;
            int place = ipv4 ? 3 - i : 7 - (i & 7);
            bytes[i] = (byte) (half >>> (8 * place));
        }
        return bytes;
    }

    /** The address for people, IPv4 in dotted form, IPv6 in eight groups. */
    public static String text(long hi, long lo) {
        if (isIpv4(hi, lo)) {
            return ((lo >>> 24) & 255) + "." + ((lo >>> 16) & 255) + "." + ((lo >>> 8) & 255) + "." + (lo & 255);
        }
        StringBuilder text = new StringBuilder(40);
        for (int i = 0; i < 8; i++) {
            long half = i < 4 ? hi : lo;
            text.append(i == 0 ? "" : ":").append(Long.toHexString((half >>> (48 - 16 * (i & 3))) & 0xFFFF));
        }
        return text.toString();
    }

    private static long read(byte[] bytes, int from, int count) {
        long value = 0;
        for (int i = from; i < from + count; i++) {
            value = value << 8 | (bytes[i] & 255);
        }
        return value;
    }
}
