package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.homa4j.driver.libc.ControlMessage;
import io.homa4j.driver.libc.Errno;
import io.homa4j.driver.libc.IoVector;
import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.MessageHeader;
import io.homa4j.driver.libc.Socket;
import io.homa4j.driver.libc.SocketAddress;
import io.homa4j.protocol.Config.Encapsulation;
import io.homa4j.protocol.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Reads the error queues of sockets (IP_RECVERR): ICMP messages about packets sent, and refusals of this host, become
 * {@link Driver.Feedback}. The kernel has checked that an ICMP message quotes a packet of the socket.
 */
final class ErrorQueue {
    /** Errors read at a time; more wait until the socket is asked again. */
    private static final int MAX_AT_ONCE = 64;

    private static final int NAME_BYTES = 32;
    private static final int CONTROL_BYTES = 512;
    private static final int QUOTED_BYTES = 64;
    /** Both ports, where the payload is a Homa header. */
    private static final int QUOTED_PORTS = 4;

    private static final int ICMP_UNREACHABLE = 3;
    private static final int ICMP_PROTOCOL = 2;
    private static final int ICMP_PORT = 3;
    private static final int ICMP_TOO_BIG = 4;
    private static final int ICMPV6_UNREACHABLE = 1;
    private static final int ICMPV6_TOO_BIG = 2;
    private static final int ICMPV6_PARAMETER = 4;
    private static final int ICMPV6_ADDRESS = 3;
    private static final int ICMPV6_PORT = 4;
    private static final int ICMPV6_NEXT_HEADER = 1;

    private final Libc libc;
    private final Encapsulation encapsulation;
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment name = arena.allocate(NAME_BYTES, 8);
    private final MemorySegment control = arena.allocate(CONTROL_BYTES, 8);
    private final MemorySegment quoted = arena.allocate(QUOTED_BYTES, 8);
    private final MemorySegment header = arena.allocate(MessageHeader.SIZE, 8);

    /** Errors read so far that came from the network. */
    long fromNetwork;
    /** Whether the last {@link #read} found a refusal of this host, which is about the packet just sent. */
    boolean sawLocal;
    /** Whether it found a maximum packet size, and told it. */
    boolean sawMtu;

    ErrorQueue(Libc libc, Encapsulation encapsulation) {
        this.libc = libc;
        this.encapsulation = encapsulation;
        MemorySegment vector = arena.allocate(IoVector.SIZE, 8);
        vector.set(JAVA_LONG, IoVector.BASE, quoted.address());
        vector.set(JAVA_LONG, IoVector.LENGTH, QUOTED_BYTES);
        header.set(JAVA_LONG, MessageHeader.NAME, name.address());
        header.set(JAVA_LONG, MessageHeader.VECTOR, vector.address());
        header.set(JAVA_LONG, MessageHeader.VECTOR_COUNT, 1);
        header.set(JAVA_LONG, MessageHeader.CONTROL, control.address());
    }

    /** Reads what is queued and tells it; returns how many errors there were. Owner. */
    int read(KernelSocket socket, Driver.Feedback feedback) {
        sawLocal = false;
        sawMtu = false;
        socket.hasErrors = false;
        for (int i = 0; i < MAX_AT_ONCE; i++) {
            header.set(JAVA_INT, MessageHeader.NAME_LENGTH, NAME_BYTES);
            header.set(JAVA_LONG, MessageHeader.CONTROL_LENGTH, CONTROL_BYTES);
            int result = libc.recvmmsg(socket.descriptor, header, 1, Socket.MSG_ERRQUEUE | Socket.MSG_DONTWAIT);
            if (result < 0) {
                return i;
            }
            long end = header.get(JAVA_LONG, MessageHeader.CONTROL_LENGTH);
            for (long at = 0; at + ControlMessage.DATA + ControlMessage.ERROR_SIZE <= end; ) {
                int length = (int) control.get(JAVA_LONG, at + ControlMessage.LENGTH);
                if (length < ControlMessage.DATA) {
                    break;
                }
                int level = control.get(JAVA_INT, at + ControlMessage.LEVEL);
                int type = control.get(JAVA_INT, at + ControlMessage.TYPE);
                if (level == (socket.isIpv6 ? Socket.IPPROTO_IPV6 : Socket.IPPROTO_IP)
                        && type == (socket.isIpv6 ? Socket.IPV6_RECVERR : Socket.IP_RECVERR)) {
                    tell(at + ControlMessage.DATA, socket, feedback);
                }
                at += ControlMessage.space(length - ControlMessage.DATA);
            }
        }
        return MAX_AT_ONCE;
    }

    private void tell(long at, KernelSocket socket, Driver.Feedback feedback) {
        // The address the packet was sent to.
        long hi = SocketAddress.hi(name, 0, socket.isIpv6);
        long lo = SocketAddress.lo(name, 0, socket.isIpv6);
        int origin = control.get(JAVA_BYTE, at + ControlMessage.ERROR_ORIGIN);
        int type = control.get(JAVA_BYTE, at + ControlMessage.ERROR_TYPE);
        int code = control.get(JAVA_BYTE, at + ControlMessage.ERROR_CODE);
        int info = control.get(JAVA_INT, at + ControlMessage.ERROR_INFO);
        if (origin == ControlMessage.ORIGIN_LOCAL) {
            sawLocal = true;
            if (control.get(JAVA_INT, at + ControlMessage.ERROR_NUMBER) == Errno.EMSGSIZE && info > 0) {
                sawMtu = true;
                feedback.pathMtu(hi, lo, info);
            }
        } else if (origin == ControlMessage.ORIGIN_ICMP || origin == ControlMessage.ORIGIN_ICMPV6) {
            fromNetwork++;
            boolean isV6 = origin == ControlMessage.ORIGIN_ICMPV6;
            if (isV6 ? type == ICMPV6_TOO_BIG : type == ICMP_UNREACHABLE && code == ICMP_TOO_BIG) {
                if (info > 0) {
                    sawMtu = true;
                    feedback.pathMtu(hi, lo, info);
                }
            } else if (isV6
                    ? type == ICMPV6_UNREACHABLE && code == ICMPV6_PORT
                    : type == ICMP_UNREACHABLE && code == ICMP_PORT) {
                portUnreachable(hi, lo, feedback);
            } else if (isV6
                    ? type == ICMPV6_PARAMETER && code == ICMPV6_NEXT_HEADER
                    : type == ICMP_UNREACHABLE && code == ICMP_PROTOCOL) {
                feedback.unreachable(hi, lo, 0, Status.PROTOCOL_UNSUPPORTED);
            } else if (isV6 ? type == ICMPV6_UNREACHABLE && code == ICMPV6_ADDRESS : type == ICMP_UNREACHABLE) {
                feedback.unreachable(hi, lo, 0, Status.HOST_UNREACHABLE);
            }
        }
    }

    /** Spec protocol 2.13; in the tunnel it is the tunnel's port that nobody has. */
    private void portUnreachable(long hi, long lo, Driver.Feedback feedback) {
        switch (encapsulation) {
            case UDP -> feedback.unreachable(hi, lo, SocketAddress.port(name, 0), Status.NO_SERVER);
            case UDP_TUNNEL -> feedback.unreachable(hi, lo, 0, Status.PROTOCOL_UNSUPPORTED);
            case IP -> {
                if (header.get(JAVA_INT, MessageHeader.TRANSFERRED) >= QUOTED_PORTS) {
                    int target = Short.toUnsignedInt(Short.reverseBytes(quoted.get(JAVA_SHORT_UNALIGNED, 2)));
                    feedback.unreachable(hi, lo, target, Status.NO_SERVER);
                }
            }
        }
    }
}
