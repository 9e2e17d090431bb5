package io.homa4j.driver.libc;

import io.homa4j.protocol.Address;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** {@code struct sockaddr_in} and {@code sockaddr_in6}: an address and a port. IPv4 addresses are in mapped form here. */
public final class SocketAddress {
    /** Bytes of {@code sockaddr_in}. */
    public static final int SIZE_IPV4 = 16;
    /** Bytes of {@code sockaddr_in6}. */
    public static final int SIZE_IPV6 = 28;

    /** {@code short}, in the byte order of the machine. */
    public static final int FAMILY = 0;

    public static final int PORT = 2;
    public static final int ADDRESS_IPV4 = 4;
    public static final int FLOW_IPV6 = 4;
    public static final int ADDRESS_IPV6 = 8;
    public static final int SCOPE_IPV6 = 24;

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private SocketAddress() {}

    /** Bytes of the address structure of a family. */
    public static int size(boolean ipv6) {
        return ipv6 ? SIZE_IPV6 : SIZE_IPV4;
    }

    /** Writes an address; with {@code ipv6} not set, {@code lo} is a mapped IPv4 address or 0 for all addresses. */
    public static void write(MemorySegment memory, long at, boolean ipv6, long hi, long lo, int port) {
        memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + FAMILY, (short) (ipv6 ? Socket.AF_INET6 : Socket.AF_INET));
        memory.set(SHORT, at + PORT, (short) port);
        if (ipv6) {
            memory.set(INT, at + FLOW_IPV6, 0);
            memory.set(LONG, at + ADDRESS_IPV6, hi);
            memory.set(LONG, at + ADDRESS_IPV6 + 8, lo);
            memory.set(INT, at + SCOPE_IPV6, 0);
        } else {
            memory.set(INT, at + ADDRESS_IPV4, (int) lo);
            memory.set(LONG, at + ADDRESS_IPV4 + 4, 0);
        }
    }

    public static int port(MemorySegment memory, long at) {
        return Short.toUnsignedInt(memory.get(SHORT, at + PORT));
    }

    /** High half of the address. */
    public static long hi(MemorySegment memory, long at, boolean ipv6) {
        return ipv6 ? memory.get(LONG, at + ADDRESS_IPV6) : 0;
    }

    /** Low half of the address. */
    public static long lo(MemorySegment memory, long at, boolean ipv6) {
        return ipv6 ? memory.get(LONG, at + ADDRESS_IPV6 + 8) : Address.mappedLo(memory.get(INT, at + ADDRESS_IPV4));
    }
}
