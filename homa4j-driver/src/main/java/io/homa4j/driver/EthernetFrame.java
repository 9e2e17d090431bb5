package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.PacketBatch;
import java.lang.foreign.MemorySegment;

/**
 * Whole Ethernet frames around Homa packets, over UDP or as IP protocol 146: written, and read with every length and checksum
 * looked at. Numbers are kept as a little-endian machine reads them from network order, which the Internet checksum does not
 * mind. Owner.
 */
final class EthernetFrame {
    static final int TYPE_IPV4 = 0x0800;
    static final int TYPE_IPV6 = 0x86DD;

    static final int ETHERNET = 14;
    private static final int IPV4 = 20;
    private static final int IPV6 = 40;
    private static final int UDP = 8;
    /** Shorter frames are filled up. */
    private static final int MIN_FRAME = 60;

    private static final int VERSION_4 = 0x45;
    private static final int DONT_FRAGMENT = 0x0040_0000;
    private static final int ALL_ONES = 0xFFFF;

    private final int protocol;

    /** Frames with lengths that contradict each other, or with addresses that nobody may send from. */
    long damaged;
    /** Packets whose checksum is wrong. */
    long wrongChecksums;
    /**
     * Packets with a UDP checksum that the sending host has left to its network card: they have come over a virtual link and
     * never been on a wire.
     */
    long unfinishedChecksums;

    /** Where the packet that was read went to, over UDP. */
    int targetPort;

    /** @param protocol of IP: 17 or 146 */
    EthernetFrame(int protocol) {
        this.protocol = protocol;
    }

    private boolean isUdp() {
        return protocol == IpPacket.UDP;
    }

    /** Bytes of headers before the Homa packet. */
    int headerBytes(boolean isIpv4) {
        return ETHERNET + (isIpv4 ? IPV4 : IPV6) + (isUdp() ? UDP : 0);
    }

    // ---- writing

    /**
     * Writes packet {@code i} of the batch with all headers.
     *
     * @param sourcePort of UDP, as {@code targetPort}; else ignored
     * @return bytes of the frame
     */
    int write(MemorySegment frame, long at, PacketBatch batch, int i, NextHops.Hop hop, int sourcePort, int toPort) {
        int headers = headerBytes(hop.isIpv4);
        long packet = at + headers;
        int bytes = batch.length[i];
        MemorySegment.copy(batch.packet[i], batch.packetAt[i], frame, packet, bytes);
        MemorySegment payload = batch.payload[i];
        if (payload != null) {
            MemorySegment.copy(payload, batch.payloadAt[i], frame, packet + bytes, batch.payloadLength[i]);
            bytes += batch.payloadLength[i];
        }
        frame.set(JAVA_INT_UNALIGNED, at, (int) hop.linkAddress);
        frame.set(JAVA_SHORT_UNALIGNED, at + 4, (short) (hop.linkAddress >>> 32));
        frame.set(JAVA_INT_UNALIGNED, at + 6, (int) hop.ownLinkAddress);
        frame.set(JAVA_SHORT_UNALIGNED, at + 10, (short) (hop.ownLinkAddress >>> 32));
        frame.set(JAVA_SHORT_UNALIGNED, at + 12, (short) swap(hop.isIpv4 ? TYPE_IPV4 : TYPE_IPV6));
        int behindIp = bytes + (isUdp() ? UDP : 0);
        int trafficClass = batch.level[i] << 5;
        if (hop.isIpv4) {
            writeIpv4(frame, at + ETHERNET, hop, trafficClass, behindIp);
        } else {
            writeIpv6(frame, at + ETHERNET, hop, trafficClass, behindIp);
        }
        if (isUdp()) {
            long udp = packet - UDP;
            int ports = swap(sourcePort) | swap(toPort) << 16;
            int length = swap(behindIp);
            frame.set(JAVA_INT_UNALIGNED, udp, ports);
            long sum = hop.addressSum + swap(protocol) + 2L * length + halves(ports) + sum(frame, packet, bytes);
            int checksum = ~fold(sum) & ALL_ONES;
            // 0 would mean that there is none.
            frame.set(JAVA_INT_UNALIGNED, udp + 4, length | (checksum == 0 ? ALL_ONES : checksum) << 16);
        }
        int total = headers + bytes;
        if (total < MIN_FRAME) {
            frame.asSlice(at + total, MIN_FRAME - total).fill((byte) 0);
            total = MIN_FRAME;
        }
        return total;
    }

    private void writeIpv4(MemorySegment frame, long at, NextHops.Hop hop, int trafficClass, int behind) {
        int first = VERSION_4 | trafficClass << 8 | swap(IPV4 + behind) << 16;
        int third = hop.hopLimit | protocol << 8;
        int checksum = ~fold(hop.addressSum + halves(first) + halves(DONT_FRAGMENT) + halves(third)) & ALL_ONES;
        frame.set(JAVA_INT_UNALIGNED, at, first);
        frame.set(JAVA_INT_UNALIGNED, at + 4, DONT_FRAGMENT);
        frame.set(JAVA_INT_UNALIGNED, at + 8, third | checksum << 16);
        frame.set(JAVA_INT_UNALIGNED, at + 12, Integer.reverseBytes((int) hop.sourceLo));
        frame.set(JAVA_INT_UNALIGNED, at + 16, Integer.reverseBytes((int) hop.peerLo));
    }

    private void writeIpv6(MemorySegment frame, long at, NextHops.Hop hop, int trafficClass, int behind) {
        frame.set(JAVA_INT_UNALIGNED, at, Integer.reverseBytes(6 << 28 | trafficClass << 20));
        frame.set(JAVA_INT_UNALIGNED, at + 4, swap(behind) | protocol << 16 | hop.hopLimit << 24);
        frame.set(JAVA_LONG_UNALIGNED, at + 8, Long.reverseBytes(hop.sourceHi));
        frame.set(JAVA_LONG_UNALIGNED, at + 16, Long.reverseBytes(hop.sourceLo));
        frame.set(JAVA_LONG_UNALIGNED, at + 24, Long.reverseBytes(hop.peerHi));
        frame.set(JAVA_LONG_UNALIGNED, at + 32, Long.reverseBytes(hop.peerLo));
    }

    // ---- reading

    /**
     * Reads a frame that the program has let through, which has looked at the kind of its headers: fills slot {@code i} of the batch
     * except for the socket.
     *
     * @param at offset of the frame
     * @param length its bytes
     * @return false: the frame is counted and not to be used
     */
    boolean read(MemorySegment frame, long at, int length, PacketBatch batch, int i) {
        boolean isIpv4 = Short.toUnsignedInt(frame.get(JAVA_SHORT_UNALIGNED, at + 12)) == swap(TYPE_IPV4);
        int headers = headerBytes(isIpv4);
        if (length < headers) {
            damaged++;
            return false;
        }
        long ip = at + ETHERNET;
        int behindIp = isIpv4 ? readIpv4(frame, ip, length, batch, i) : readIpv6(frame, ip, length, batch, i);
        if (behindIp < 0) {
            return false;
        }
        int bytes = behindIp;
        batch.peerPort[i] = 0;
        if (isUdp()) {
            long udp = at + headers - UDP;
            int udpLength = swap(frame.get(JAVA_SHORT_UNALIGNED, udp + 4));
            if (udpLength < UDP || udpLength > behindIp) {
                damaged++;
                return false;
            }
            if (!isRight(frame, udp, udpLength, ip, isIpv4)) {
                wrongChecksums++;
                return false;
            }
            batch.peerPort[i] = swap(frame.get(JAVA_SHORT_UNALIGNED, udp));
            targetPort = swap(frame.get(JAVA_SHORT_UNALIGNED, udp + 2));
            bytes = udpLength - UDP;
        }
        if (bytes == 0) {
            damaged++;
            return false;
        }
        batch.packet[i] = frame;
        batch.packetAt[i] = at + headers;
        batch.length[i] = bytes;
        batch.level[i] = 0;
        return true;
    }

    /** Bytes behind the header; negative: not to be used. */
    private int readIpv4(MemorySegment frame, long ip, int length, PacketBatch batch, int i) {
        int total = swap(frame.get(JAVA_SHORT_UNALIGNED, ip + 2));
        if (total < IPV4 || total > length - ETHERNET) {
            damaged++;
            return -1;
        }
        if (fold(sum(frame, ip, IPV4)) != ALL_ONES) {
            wrongChecksums++;
            return -1;
        }
        int source = Integer.reverseBytes(frame.get(JAVA_INT_UNALIGNED, ip + 12));
        int target = Integer.reverseBytes(frame.get(JAVA_INT_UNALIGNED, ip + 16));
        int first = source >>> 24;
        // The kernel would not take these either: nobody, loopback, many, ourselves.
        if (first == 0 || first == 127 || first >= 224 || source == target) {
            damaged++;
            return -1;
        }
        batch.peerHi[i] = 0;
        batch.peerLo[i] = Address.mappedLo(source);
        batch.localHi[i] = 0;
        batch.localLo[i] = Address.mappedLo(target);
        return total - IPV4;
    }

    /** Bytes behind the header; negative: not to be used. */
    private int readIpv6(MemorySegment frame, long ip, int length, PacketBatch batch, int i) {
        int behind = swap(frame.get(JAVA_SHORT_UNALIGNED, ip + 4));
        if (behind > length - ETHERNET - IPV6) {
            damaged++;
            return -1;
        }
        long sourceHi = Long.reverseBytes(frame.get(JAVA_LONG_UNALIGNED, ip + 8));
        long sourceLo = Long.reverseBytes(frame.get(JAVA_LONG_UNALIGNED, ip + 16));
        long targetHi = Long.reverseBytes(frame.get(JAVA_LONG_UNALIGNED, ip + 24));
        long targetLo = Long.reverseBytes(frame.get(JAVA_LONG_UNALIGNED, ip + 32));
        // Nobody, loopback, an IPv4 address in disguise, many, ourselves.
        if (sourceHi == 0 || sourceHi >>> 56 == 0xFF || sourceHi == targetHi && sourceLo == targetLo) {
            damaged++;
            return -1;
        }
        batch.peerHi[i] = sourceHi;
        batch.peerLo[i] = sourceLo;
        batch.localHi[i] = targetHi;
        batch.localLo[i] = targetLo;
        return behind;
    }

    private boolean isRight(MemorySegment frame, long udp, int udpLength, long ip, boolean isIpv4) {
        int checksum = Short.toUnsignedInt(frame.get(JAVA_SHORT_UNALIGNED, udp + 6));
        if (checksum == 0) {
            // None; IPv6 does not allow it.
            return isIpv4;
        }
        long addresses = isIpv4 ? sum(frame, ip + 12, 8) : sum(frame, ip + 8, 32);
        long withoutPacket = addresses + swap(protocol) + swap(udpLength);
        if (fold(withoutPacket + sum(frame, udp, udpLength)) == ALL_ONES) {
            return true;
        }
        if (fold(withoutPacket) == checksum) {
            unfinishedChecksums++;
            return true;
        }
        return false;
    }

    // ---- the Internet checksum (RFC 1071)

    /** The sum of 16-bit words, to be folded; an odd last byte counts as if a zero followed. */
    static long sum(MemorySegment memory, long at, int length) {
        long sum = 0;
        long end = at + (length & ~7);
        long next = at;
        for (; next < end; next += 8) {
            long word = memory.get(JAVA_LONG_UNALIGNED, next);
            sum += (word & 0xFFFF_FFFFL) + (word >>> 32);
        }
        if ((length & 4) != 0) {
            sum += memory.get(JAVA_INT_UNALIGNED, next) & 0xFFFF_FFFFL;
            next += 4;
        }
        if ((length & 2) != 0) {
            sum += Short.toUnsignedInt(memory.get(JAVA_SHORT_UNALIGNED, next));
            next += 2;
        }
        if ((length & 1) != 0) {
            sum += Byte.toUnsignedInt(memory.get(JAVA_BYTE, next));
        }
        return sum;
    }

    /** The sum of an address, as {@link #sum} has it. */
    static long sumOf(long hi, long lo, boolean isIpv4) {
        long low = Long.reverseBytes(lo);
        if (isIpv4) {
            return low >>> 32;
        }
        long high = Long.reverseBytes(hi);
        return (low & 0xFFFF_FFFFL) + (low >>> 32) + (high & 0xFFFF_FFFFL) + (high >>> 32);
    }

    static int fold(long sum) {
        long folded = (sum & 0xFFFF_FFFFL) + (sum >>> 32);
        folded = (folded & 0xFFFF) + (folded >>> 16);
        folded = (folded & 0xFFFF) + (folded >>> 16);
        return (int) ((folded & 0xFFFF) + (folded >>> 16));
    }

    private static int halves(int word) {
        return (word & 0xFFFF) + (word >>> 16);
    }

    /** A 16-bit number in the other byte order. */
    private static int swap(int number) {
        return Short.toUnsignedInt(Short.reverseBytes((short) number));
    }
}
