package io.homa4j.driver.libc;

/** {@code struct cmsghdr}: what goes beside the bytes of a message. One follows the other at multiples of eight bytes. */
public final class ControlMessage {
    /** {@code long}: bytes of header and data, without padding. */
    public static final int LENGTH = 0;
    /** {@code int}. */
    public static final int LEVEL = 8;
    /** {@code int}. */
    public static final int TYPE = 12;
    /** Where the data starts. */
    public static final int DATA = 16;

    // struct in_pktinfo and struct in6_pktinfo.
    public static final int PKTINFO_SIZE = 12;
    /** {@code in_addr}: the local address to answer from; sending: the source address. */
    public static final int PKTINFO_LOCAL = 4;

    public static final int PKTINFO6_SIZE = 20;
    /** {@code in6_addr}. */
    public static final int PKTINFO6_LOCAL = 0;

    // struct sock_extended_err.
    public static final int ERROR_SIZE = 16;
    /** {@code int}: an error number, positive. */
    public static final int ERROR_NUMBER = 0;
    /** {@code byte}. */
    public static final int ERROR_ORIGIN = 4;
    /** {@code byte}: of the ICMP message. */
    public static final int ERROR_TYPE = 5;
    /** {@code byte}: of the ICMP message. */
    public static final int ERROR_CODE = 6;
    /** {@code int}: the MTU, where the error is about it. */
    public static final int ERROR_INFO = 8;

    public static final int ORIGIN_LOCAL = 1;
    public static final int ORIGIN_ICMP = 2;
    public static final int ORIGIN_ICMPV6 = 3;

    private ControlMessage() {}

    /** Bytes from one message to the next, for so many bytes of data. */
    public static int space(int dataBytes) {
        return DATA + (dataBytes + 7 & ~7);
    }

    /** Value of {@link #LENGTH} for so many bytes of data. */
    public static int length(int dataBytes) {
        return DATA + dataBytes;
    }
}
