package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.homa4j.driver.libc.ControlMessage;
import io.homa4j.driver.libc.IoVector;
import io.homa4j.driver.libc.MessageHeader;
import io.homa4j.driver.libc.Socket;
import io.homa4j.driver.libc.SocketAddress;
import io.homa4j.protocol.PacketBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Packets of a batch as messages for {@code sendmmsg}, without a copy: each packet is two pieces of memory, and consecutive
 * packets of one peer, port, source, priority and size are one message which the kernel cuts into segments (UDP_SEGMENT); the last
 * may be shorter. The order of packets never changes.
 *
 * <p>Every message has its own address and control messages, laid out once; only values change. Control messages stand in
 * the order traffic class, source address, segment size, so that a message takes as many of them as it needs.
 */
final class SendMessages {
    /** In place of a fixed port: each packet goes to its peer's. */
    static final int OWN_PORTS = -1;

    private static final int NAME_BYTES = 32;
    private static final int CLASS_AT = 0;
    private static final int SOURCE_AT = ControlMessage.space(4);
    private static final int CONTROL_BYTES = SOURCE_AT + ControlMessage.space(ControlMessage.PKTINFO6_SIZE) + 24;

    private final int capacity;
    private final MemorySegment headers;
    private final MemorySegment names;
    private final MemorySegment controls;
    private final MemorySegment vectors;
    private final boolean isIpv6;
    private final int fixedPort;
    private final int sourceBytes;
    private final int segmentAt;
    /** Bytes of one UDP datagram before it is cut. */
    private final int maxBytes;
    /** Index in the batch of each message's first packet, and the one behind its last. */
    private final int[] first;

    private final int[] end;
    private int count;

    /**
     * @param capacity packets in a batch
     * @param fixedPort port to write to, whatever the peer's, or {@link #OWN_PORTS}
     */
    SendMessages(int capacity, boolean ipv6, int fixedPort) {
        this.capacity = capacity;
        this.isIpv6 = ipv6;
        this.fixedPort = fixedPort;
        this.sourceBytes = ipv6 ? ControlMessage.PKTINFO6_SIZE : ControlMessage.PKTINFO_SIZE;
        this.segmentAt = SOURCE_AT + ControlMessage.space(sourceBytes);
        this.maxBytes = 65_535 - 8 - (ipv6 ? 40 : 20);
        this.first = new int[capacity];
        this.end = new int[capacity];
        Arena arena = Arena.ofAuto();
        headers = arena.allocate((long) capacity * MessageHeader.SIZE, 64);
        names = arena.allocate((long) capacity * NAME_BYTES, 64);
        controls = arena.allocate((long) capacity * CONTROL_BYTES, 64);
        vectors = arena.allocate(2L * capacity * IoVector.SIZE, 64);
        for (int i = 0; i < capacity; i++) {
            long header = (long) i * MessageHeader.SIZE;
            headers.set(JAVA_LONG, header + MessageHeader.NAME, names.address() + (long) i * NAME_BYTES);
            headers.set(JAVA_INT, header + MessageHeader.NAME_LENGTH, SocketAddress.size(ipv6));
            headers.set(JAVA_LONG, header + MessageHeader.CONTROL, controls.address() + (long) i * CONTROL_BYTES);
            long control = (long) i * CONTROL_BYTES;
            int level = ipv6 ? Socket.IPPROTO_IPV6 : Socket.IPPROTO_IP;
            control(control + CLASS_AT, level, ipv6 ? Socket.IPV6_TCLASS : Socket.IP_TOS, 4);
            control(control + SOURCE_AT, level, ipv6 ? Socket.IPV6_PKTINFO : Socket.IP_PKTINFO, sourceBytes);
            control(control + segmentAt, Socket.IPPROTO_UDP, Socket.UDP_SEGMENT, 2);
        }
    }

    private void control(long at, int level, int type, int dataBytes) {
        controls.set(JAVA_LONG, at + ControlMessage.LENGTH, ControlMessage.length(dataBytes));
        controls.set(JAVA_INT, at + ControlMessage.LEVEL, level);
        controls.set(JAVA_INT, at + ControlMessage.TYPE, type);
    }

    int capacity() {
        return capacity;
    }

    /** Forgets all messages. */
    void clear() {
        count = 0;
    }

    int count() {
        return count;
    }

    /** The messages from this one on, as {@code sendmmsg} wants them. */
    MemorySegment from(int message) {
        return message == 0 ? headers : headers.asSlice((long) message * MessageHeader.SIZE);
    }

    int firstPacket(int message) {
        return first[message];
    }

    /** Index of the packet behind the message's last one. */
    int endPacket(int message) {
        return end[message];
    }

    /**
     * Adds one message with the packet {@code from} and as many of the following as can go with it.
     *
     * @param endOfRun packets from here on may not
     * @param localHi source address; both halves 0: the kernel chooses
     * @param maxSegments 1: only the one packet
     * @param firstVector how many vectors the messages before have used
     * @return vectors used so far
     */
    int add(PacketBatch batch, int from, int endOfRun, long localHi, long localLo, int maxSegments, int firstVector) {
        int vector = firstVector;
        int size = 0;
        int total = 0;
        int next = from;
        while (next < endOfRun) {
            int bytes = batch.length[next] + batch.payloadLength[next];
            if (next > from
                    && (bytes > size
                            || total + bytes > maxBytes
                            || next - from == maxSegments
                            || !goTogether(batch, from, next))) {
                break;
            }
            size = next == from ? bytes : size;
            total += bytes;
            vector = vector(vector, batch.packet[next].address() + batch.packetAt[next], batch.length[next]);
            MemorySegment payload = batch.payload[next];
            if (payload != null) {
                vector = vector(vector, payload.address() + batch.payloadAt[next], batch.payloadLength[next]);
            }
            next++;
            if (bytes < size) {
                break;
            }
        }
        first[count] = from;
        end[count] = next;
        long header = (long) count * MessageHeader.SIZE;
        SocketAddress.write(
                names, (long) count * NAME_BYTES, isIpv6, batch.peerHi[from], batch.peerLo[from], port(batch, from));
        headers.set(JAVA_LONG, header + MessageHeader.VECTOR, vectors.address() + (long) firstVector * IoVector.SIZE);
        headers.set(JAVA_LONG, header + MessageHeader.VECTOR_COUNT, vector - firstVector);
        headers.set(
                JAVA_LONG,
                header + MessageHeader.CONTROL_LENGTH,
                controls(
                        (long) count * CONTROL_BYTES, batch.level[from], localHi, localLo, next - from > 1 ? size : 0));
        count++;
        return vector;
    }

    private int port(PacketBatch batch, int i) {
        return fixedPort == OWN_PORTS ? batch.peerPort[i] : fixedPort;
    }

    private boolean goTogether(PacketBatch batch, int a, int b) {
        return batch.peerLo[a] == batch.peerLo[b]
                && batch.peerHi[a] == batch.peerHi[b]
                && port(batch, a) == port(batch, b)
                && batch.level[a] == batch.level[b]
                && batch.localLo[a] == batch.localLo[b]
                && batch.localHi[a] == batch.localHi[b];
    }

    private int vector(int vector, long address, int bytes) {
        vectors.set(JAVA_LONG, (long) vector * IoVector.SIZE + IoVector.BASE, address);
        vectors.set(JAVA_LONG, (long) vector * IoVector.SIZE + IoVector.LENGTH, bytes);
        return vector + 1;
    }

    /** Writes the values of the control messages; bytes of those needed. */
    private int controls(long at, int level, long localHi, long localLo, int segmentBytes) {
        controls.set(JAVA_INT, at + CLASS_AT + ControlMessage.DATA, level << 5);
        if (segmentBytes == 0 && (localHi | localLo) == 0) {
            return SOURCE_AT;
        }
        long data = at + SOURCE_AT + ControlMessage.DATA;
        // Interface 0: whichever the route names.
        if (isIpv6) {
            controls.set(JAVA_LONG_UNALIGNED, data + ControlMessage.PKTINFO6_LOCAL, Long.reverseBytes(localHi));
            controls.set(JAVA_LONG_UNALIGNED, data + ControlMessage.PKTINFO6_LOCAL + 8, Long.reverseBytes(localLo));
        } else {
            controls.set(JAVA_INT, data + ControlMessage.PKTINFO_LOCAL, Integer.reverseBytes((int) localLo));
        }
        if (segmentBytes == 0) {
            return segmentAt;
        }
        controls.set(JAVA_SHORT, at + segmentAt + ControlMessage.DATA, (short) segmentBytes);
        return segmentAt + ControlMessage.space(2);
    }
}
