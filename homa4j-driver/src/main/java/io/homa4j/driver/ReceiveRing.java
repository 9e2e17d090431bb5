package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.homa4j.driver.libc.ControlMessage;
import io.homa4j.driver.libc.IoVector;
import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.MessageHeader;
import io.homa4j.driver.libc.Socket;
import io.homa4j.driver.libc.SocketAddress;
import io.homa4j.protocol.Address;
import io.homa4j.protocol.PacketBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory for datagrams that {@code recvmmsg} fills, and from which they are handed out as packets of a batch without a copy. A
 * datagram that arrived merged (UDP_GRO) is several packets; those that find no room in the batch wait for the next one.
 */
final class ReceiveRing {
    private static final int SLOTS = 64;
    private static final int DATAGRAM_BYTES = 65_535;
    private static final int NAME_BYTES = 32;
    private static final int CONTROL_BYTES = 128;
    private static final int IPV4_TARGET = 16;
    private static final int IPV4_HEADER = 20;

    private final int slots;
    private final int stride;
    private final MemorySegment memory;
    private final MemorySegment headers;
    private final MemorySegment[] headersFrom;
    private final MemorySegment names;
    private final MemorySegment controls;

    /** Slots filled since the last {@link #begin}. */
    private int filled;
    /** The first slot not handed out yet, or in part. */
    private int next;
    /** Bytes of it that have been handed out. */
    private int handedBytes;
    /** Where the slots from {@link #next} on came from. */
    private KernelSocket source;

    // Of the datagram being handed out.
    private int segmentBytes;
    private long localHi;
    private long localLo;

    /** Datagrams that were cut off or otherwise not usable. */
    long damaged;
    /** Packets the kernel dropped for want of buffer space. */
    long overflows;
    /** Datagrams that brought several packets, and these packets. */
    long merged;

    long mergedPackets;

    /** A ring for datagrams of any size. */
    ReceiveRing(KernelSocket any) {
        this(any, SLOTS, DATAGRAM_BYTES);
    }

    /**
     * @param slots datagrams received at a time
     * @param datagramBytes longer ones are cut off, and not handed out
     */
    ReceiveRing(KernelSocket any, int slots, int datagramBytes) {
        this.source = any;
        this.slots = slots;
        // Never a power of two: the beginnings of datagrams shall not compete for the same lines of a cache.
        this.stride = (datagramBytes + 63 & ~63) + 5 * 64;
        this.headersFrom = new MemorySegment[slots];
        Arena arena = Arena.ofAuto();
        memory = arena.allocate((long) slots * stride, 64);
        headers = arena.allocate((long) slots * MessageHeader.SIZE, 64);
        names = arena.allocate((long) slots * NAME_BYTES, 64);
        controls = arena.allocate((long) slots * CONTROL_BYTES, 64);
        MemorySegment vectors = arena.allocate((long) slots * IoVector.SIZE, 64);
        for (int i = 0; i < slots; i++) {
            headersFrom[i] = headers.asSlice((long) i * MessageHeader.SIZE);
            long header = (long) i * MessageHeader.SIZE;
            long vector = (long) i * IoVector.SIZE;
            vectors.set(JAVA_LONG, vector + IoVector.BASE, memory.address() + (long) i * stride);
            vectors.set(JAVA_LONG, vector + IoVector.LENGTH, datagramBytes);
            headers.set(JAVA_LONG, header + MessageHeader.NAME, names.address() + (long) i * NAME_BYTES);
            headers.set(JAVA_LONG, header + MessageHeader.VECTOR, vectors.address() + vector);
            headers.set(JAVA_LONG, header + MessageHeader.VECTOR_COUNT, 1);
            headers.set(JAVA_LONG, header + MessageHeader.CONTROL, controls.address() + (long) i * CONTROL_BYTES);
            makeReady(header);
        }
    }

    private void makeReady(long header) {
        headers.set(JAVA_INT, header + MessageHeader.NAME_LENGTH, NAME_BYTES);
        headers.set(JAVA_LONG, header + MessageHeader.CONTROL_LENGTH, CONTROL_BYTES);
    }

    /** A batch is to be filled; what the last one pointed to may be overwritten. */
    void begin() {
        if (next == filled) {
            next = 0;
            filled = 0;
        }
    }

    boolean isEmpty() {
        return next == filled;
    }

    /** Datagrams that fit before the next {@link #begin}. */
    int room() {
        return slots - filled;
    }

    /**
     * Receives; only when {@link #isEmpty} and with {@link #room}.
     *
     * @return datagrams received, or the negative error
     */
    int fill(Libc libc, KernelSocket socket) {
        int result = libc.recvmmsg(socket.descriptor, headersFrom[filled], room(), Socket.MSG_DONTWAIT);
        if (result > 0) {
            source = socket;
            filled += result;
        }
        return result;
    }

    /** Hands out as much as the batch has room for. */
    void handOut(PacketBatch batch) {
        while (next < filled && batch.count < batch.capacity) {
            handOutSlot(batch, next);
        }
    }

    /** Packets of one datagram; goes on to the next slot when all of them are handed out. */
    private void handOutSlot(PacketBatch batch, int slot) {
        long header = (long) slot * MessageHeader.SIZE;
        long at = (long) slot * stride;
        long name = (long) slot * NAME_BYTES;
        int bytes = headers.get(JAVA_INT, header + MessageHeader.TRANSFERRED);
        int flags = headers.get(JAVA_INT, header + MessageHeader.FLAGS);
        segmentBytes = bytes;
        localHi = source.localHi;
        localLo = source.localLo;
        long control = (long) slot * CONTROL_BYTES;
        readControls(control, control + headers.get(JAVA_LONG, header + MessageHeader.CONTROL_LENGTH));
        int from = handedBytes;
        if (from == 0 && source.isRaw && !source.isIpv6) {
            from = skipIpHeader(at, bytes);
        }
        if ((flags & Socket.MSG_TRUNC) != 0 || segmentBytes <= 0 || from >= bytes) {
            damaged++;
            from = bytes;
        } else if (segmentBytes < bytes && handedBytes == 0) {
            merged++;
            mergedPackets += (bytes + segmentBytes - 1) / segmentBytes;
        }
        long peerHi = SocketAddress.hi(names, name, source.isIpv6);
        long peerLo = SocketAddress.lo(names, name, source.isIpv6);
        int peerPort = source.isRaw ? 0 : SocketAddress.port(names, name);
        while (from < bytes) {
            if (batch.count == batch.capacity) {
                handedBytes = from;
                return;
            }
            int i = batch.count++;
            int length = Math.min(segmentBytes, bytes - from);
            batch.packet[i] = memory;
            batch.packetAt[i] = at + from;
            batch.length[i] = length;
            batch.socket[i] = source.socket;
            batch.peerHi[i] = peerHi;
            batch.peerLo[i] = peerLo;
            batch.peerPort[i] = peerPort;
            batch.localHi[i] = localHi;
            batch.localLo[i] = localLo;
            batch.level[i] = 0;
            from += length;
        }
        handedBytes = 0;
        makeReady(header);
        next = slot + 1;
    }

    /** Local address, segment size and drops, as far as the kernel tells them. */
    private void readControls(long from, long end) {
        long at = from;
        while (at + ControlMessage.DATA <= end) {
            int length = (int) controls.get(JAVA_LONG, at + ControlMessage.LENGTH);
            int level = controls.get(JAVA_INT, at + ControlMessage.LEVEL);
            int type = controls.get(JAVA_INT, at + ControlMessage.TYPE);
            long data = at + ControlMessage.DATA;
            if (length < ControlMessage.DATA) {
                return;
            }
            if (level == Socket.IPPROTO_UDP && type == Socket.UDP_GRO) {
                segmentBytes = controls.get(JAVA_INT, data);
            } else if (level == Socket.IPPROTO_IP && type == Socket.IP_PKTINFO) {
                localLo = mapped(controls.get(JAVA_INT, data + ControlMessage.PKTINFO_LOCAL));
            } else if (level == Socket.IPPROTO_IPV6 && type == Socket.IPV6_PKTINFO) {
                localHi = Long.reverseBytes(controls.get(JAVA_LONG, data + ControlMessage.PKTINFO6_LOCAL));
                localLo = Long.reverseBytes(controls.get(JAVA_LONG, data + ControlMessage.PKTINFO6_LOCAL + 8));
            } else if (level == Socket.SOL_SOCKET && type == Socket.SO_RXQ_OVFL) {
                int drops = controls.get(JAVA_INT, data);
                overflows += drops - source.drops;
                source.drops = drops;
            }
            at += ControlMessage.space(length - ControlMessage.DATA);
        }
    }

    /** Bytes of the IP header; it names the local address. */
    private int skipIpHeader(long at, int bytes) {
        if (bytes < IPV4_HEADER) {
            return bytes;
        }
        localLo = mapped(memory.get(JAVA_INT_UNALIGNED, at + IPV4_TARGET));
        segmentBytes = bytes;
        return (memory.get(JAVA_BYTE, at) & 15) * 4;
    }

    private static long mapped(int inNetworkOrder) {
        return Address.mappedLo(Integer.reverseBytes(inNetworkOrder));
    }
}
