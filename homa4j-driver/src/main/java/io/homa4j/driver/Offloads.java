package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.homa4j.driver.libc.ControlMessage;
import io.homa4j.driver.libc.IoVector;
import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.MessageHeader;
import io.homa4j.driver.libc.Socket;
import io.homa4j.driver.libc.SocketAddress;
import io.homa4j.protocol.Address;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What the kernel can do for many datagrams at once, found out by asking it once per driver.
 *
 * @param maxSegments datagrams in one segmented send (UDP_SEGMENT); 1 if the kernel has none
 * @param mergesReceived whether datagrams of one sender may arrive merged (UDP_GRO)
 */
record Offloads(int maxSegments, boolean mergesReceived) {
    /** UDP_MAX_SEGMENTS of kernels since 6.9, and before. */
    private static final int MANY_SEGMENTS = 128;

    private static final int FEW_SEGMENTS = 64;

    static final Offloads NONE = new Offloads(1, false);

    static Offloads probe(Libc libc) {
        int descriptor = libc.socket(Socket.AF_INET, Socket.SOCK_DGRAM | Socket.SOCK_CLOEXEC, 0);
        if (descriptor < 0) {
            // No IPv4 at all; IPv6 has the same offloads.
            descriptor = libc.socket(Socket.AF_INET6, Socket.SOCK_DGRAM | Socket.SOCK_CLOEXEC, 0);
        }
        if (descriptor < 0) {
            return NONE;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocateFrom(JAVA_INT, 0);
            boolean segments = libc.setsockopt(descriptor, Socket.IPPROTO_UDP, Socket.UDP_SEGMENT, value, 4) == 0;
            value.set(JAVA_INT, 0, 1);
            boolean merges = libc.setsockopt(descriptor, Socket.IPPROTO_UDP, Socket.UDP_GRO, value, 4) == 0;
            int most =
                    segments ? sendsToItself(libc, arena, descriptor, MANY_SEGMENTS) ? MANY_SEGMENTS : FEW_SEGMENTS : 1;
            return new Offloads(most, merges);
        } finally {
            libc.close(descriptor);
        }
    }

    /** Whether the kernel takes so many one-byte segments, over the loopback interface to the sending socket. */
    private static boolean sendsToItself(Libc libc, Arena arena, int descriptor, int segments) {
        MemorySegment address = arena.allocate(SocketAddress.SIZE_IPV4, 8);
        SocketAddress.write(address, 0, false, 0, Address.mappedLo(0x7F000001), 0);
        MemorySegment length = arena.allocateFrom(JAVA_INT, SocketAddress.SIZE_IPV4);
        if (libc.bind(descriptor, address, SocketAddress.SIZE_IPV4) < 0
                || libc.getsockname(descriptor, address, length) < 0) {
            return false;
        }
        MemorySegment vector = arena.allocate(IoVector.SIZE, 8);
        vector.set(JAVA_LONG, IoVector.BASE, arena.allocate(segments).address());
        vector.set(JAVA_LONG, IoVector.LENGTH, segments);
        MemorySegment control = arena.allocate(ControlMessage.space(2), 8);
        control.set(JAVA_LONG, ControlMessage.LENGTH, ControlMessage.length(2));
        control.set(JAVA_INT, ControlMessage.LEVEL, Socket.IPPROTO_UDP);
        control.set(JAVA_INT, ControlMessage.TYPE, Socket.UDP_SEGMENT);
        control.set(JAVA_SHORT, ControlMessage.DATA, (short) 1);
        MemorySegment message = arena.allocate(MessageHeader.SIZE, 8);
        message.set(JAVA_LONG, MessageHeader.NAME, address.address());
        message.set(JAVA_INT, MessageHeader.NAME_LENGTH, SocketAddress.SIZE_IPV4);
        message.set(JAVA_LONG, MessageHeader.VECTOR, vector.address());
        message.set(JAVA_LONG, MessageHeader.VECTOR_COUNT, 1);
        message.set(JAVA_LONG, MessageHeader.CONTROL, control.address());
        message.set(JAVA_LONG, MessageHeader.CONTROL_LENGTH, control.byteSize());
        return libc.sendmmsg(descriptor, message, 1, Socket.MSG_DONTWAIT) == 1;
    }
}
