package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.Socket;
import io.homa4j.protocol.Address;
import io.homa4j.protocol.PacketBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Answers packets of IP protocol 146 for ports that nobody has with ICMP port unreachable (spec protocol 2.13), at most as
 * often as a kernel would: six in a row and then one a second to each address, a thousand a second in all.
 */
final class PortUnreachable {
    private static final ValueLayout.OfShort SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final int ICMP_HEADER = 8;
    /** Bytes of the Homa packet that are quoted: more than the 8 that every receiver needs. */
    private static final int QUOTED = 60;

    private static final int BURST = 6;
    private static final long REFILL_NS = 1_000_000_000;
    private static final int BURST_OF_ALL = 50;
    private static final long REFILL_OF_ALL_NS = 1_000_000;
    private static final int BUCKETS = 256;

    private final Libc libc;
    private final KernelSocket ipv4;
    private final KernelSocket ipv6;
    private final SendMessages toIpv4 = new SendMessages(1, false, 0);
    private final SendMessages toIpv6 = new SendMessages(1, true, 0);
    private final PacketBatch out = new PacketBatch(1, Arena.ofAuto().allocate(256, 8), 256);

    /** When each bucket will be full again: a bucket that is so for more than its burst ahead is empty. */
    private final long[] fullNs = new long[BUCKETS];

    private long fullOfAllNs;
    long sent;
    long suppressed;

    /**
     * @throws KernelSocket.Refused without CAP_NET_RAW
     */
    PortUnreachable(Libc libc, long nowNs) throws KernelSocket.Refused {
        this.libc = libc;
        ipv4 = open(false, Socket.IPPROTO_ICMP);
        ipv6 = open(true, Socket.IPPROTO_ICMPV6);
        Arrays.fill(fullNs, nowNs);
        fullOfAllNs = nowNs;
    }

    private KernelSocket open(boolean isIpv6, int protocol) throws KernelSocket.Refused {
        KernelSocket socket =
                KernelSocket.open(libc, isIpv6, null, 0, new KernelSocket.Wish(protocol, 4096, 1 << 16, false));
        PortFilter.attachDropAll(libc, socket.descriptor);
        return socket;
    }

    /** Answers the packet at this place, whose sender and local address are given. Owner. */
    void answer(
            MemorySegment packet,
            long at,
            int length,
            long peerHi,
            long peerLo,
            long localHi,
            long localLo,
            long nowNs) {
        boolean isIpv4 = Address.isIpv4(peerHi, peerLo);
        if ((localHi | localLo) == 0 || !mayAnswer(peerHi, peerLo, nowNs)) {
            suppressed++;
            return;
        }
        MemorySegment icmp = out.slab;
        icmp.fill((byte) 0);
        icmp.set(JAVA_BYTE, 0, (byte) (isIpv4 ? 3 : 1));
        icmp.set(JAVA_BYTE, 1, (byte) (isIpv4 ? 3 : 4));
        int ipHeader = isIpv4
                ? quoteIpv4(icmp, length, peerLo, localLo)
                : quoteIpv6(icmp, length, peerHi, peerLo, localHi, localLo);
        int quoted = Math.min(QUOTED, length);
        MemorySegment.copy(packet, at, icmp, ICMP_HEADER + ipHeader, quoted);
        int total = ICMP_HEADER + ipHeader + quoted;
        if (isIpv4) {
            // For IPv6 the kernel does it.
            icmp.set(SHORT, 2, checksum(icmp, 0, total));
        }
        out.clear();
        out.count = 1;
        out.length[0] = total;
        out.peerHi[0] = peerHi;
        out.peerLo[0] = peerLo;
        SendMessages message = isIpv4 ? toIpv4 : toIpv6;
        message.clear();
        message.add(out, 0, 1, localHi, localLo, 1, 0);
        int descriptor = isIpv4 ? ipv4.descriptor : ipv6.descriptor;
        if (libc.sendmmsg(descriptor, message.from(0), 1, Socket.MSG_DONTWAIT) == 1) {
            sent++;
        } else {
            suppressed++;
        }
    }

    private static int quoteIpv4(MemorySegment icmp, int length, long peerLo, long localLo) {
        long at = ICMP_HEADER;
        icmp.set(JAVA_BYTE, at, (byte) 0x45);
        icmp.set(SHORT, at + 2, (short) (20 + length));
        icmp.set(SHORT, at + 6, (short) 0x4000);
        icmp.set(JAVA_BYTE, at + 8, (byte) 64);
        icmp.set(JAVA_BYTE, at + 9, (byte) IpPacket.HOMA);
        icmp.set(INT, at + 12, (int) peerLo);
        icmp.set(INT, at + 16, (int) localLo);
        icmp.set(SHORT, at + 10, checksum(icmp, at, 20));
        return 20;
    }

    private static int quoteIpv6(MemorySegment icmp, int length, long peerHi, long peerLo, long localHi, long localLo) {
        long at = ICMP_HEADER;
        icmp.set(INT, at, 6 << 28);
        icmp.set(SHORT, at + 4, (short) length);
        icmp.set(JAVA_BYTE, at + 6, (byte) IpPacket.HOMA);
        icmp.set(JAVA_BYTE, at + 7, (byte) 64);
        icmp.set(LONG, at + 8, peerHi);
        icmp.set(LONG, at + 16, peerLo);
        icmp.set(LONG, at + 24, localHi);
        icmp.set(LONG, at + 32, localLo);
        return 40;
    }

    /** The Internet checksum; bytes behind an odd length are zero. */
    private static short checksum(MemorySegment memory, long at, int length) {
        int sum = 0;
        for (int i = 0; i < length; i += 2) {
            sum += Short.toUnsignedInt(memory.get(SHORT, at + i));
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xFFFF) + (sum >>> 16);
        }
        return (short) ~sum;
    }

    private boolean mayAnswer(long hi, long lo, long nowNs) {
        int bucket = (int) ((hi * 0x9E3779B97F4A7C15L ^ lo) * 0xBF58476D1CE4E5B9L >>> 56);
        if (later(fullOfAllNs, nowNs) + REFILL_OF_ALL_NS - nowNs > BURST_OF_ALL * REFILL_OF_ALL_NS
                || later(fullNs[bucket], nowNs) + REFILL_NS - nowNs > BURST * REFILL_NS) {
            return false;
        }
        fullOfAllNs = later(fullOfAllNs, nowNs) + REFILL_OF_ALL_NS;
        fullNs[bucket] = later(fullNs[bucket], nowNs) + REFILL_NS;
        return true;
    }

    private static long later(long a, long b) {
        return a - b > 0 ? a : b;
    }

    void close() {
        libc.close(ipv4.descriptor);
        libc.close(ipv6.descriptor);
    }
}
