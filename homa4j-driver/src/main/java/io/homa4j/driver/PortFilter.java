package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.Socket;
import io.homa4j.driver.libc.SocketFilter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Filters in the kernel by the Homa port a packet is for (classic BPF), so that a process is not woken for the packets of
 * others. The port is the second 16-bit number of the transport header; IPv4 raw sockets see the IP header before it.
 */
final class PortFilter {
    /** RETURN of this operand leaves a packet whole. */
    static final int WHOLE = -1;

    static final int NOTHING = 0;

    private static final int TARGET_PORT_AT = 2;
    /** Two instructions for each port, and four others. */
    static final int MAX_PORTS = (SocketFilter.MAX_INSTRUCTIONS - 4) / 2;

    private PortFilter() {}

    /**
     * Replaces the filter of a raw socket. With more than {@link #MAX_PORTS} ports none is told from another, and all
     * packets are treated as listed or not by {@code ifTooMany}.
     *
     * @param ifListed bytes to keep of packets for these ports
     * @param otherwise bytes to keep of packets for others
     */
    static void attach(Libc libc, KernelSocket socket, int[] ports, int ifListed, int otherwise, int ifTooMany)
            throws KernelSocket.Refused {
        try (Arena arena = Arena.ofConfined()) {
            Program program = new Program(arena);
            if (ports.length > MAX_PORTS) {
                program.add(SocketFilter.RETURN, 0, 0, ifTooMany);
            } else {
                if (socket.isIpv6) {
                    program.add(SocketFilter.LOAD_16_AT, 0, 0, TARGET_PORT_AT);
                } else {
                    program.add(SocketFilter.LOAD_IPV4_HEADER_LENGTH, 0, 0, 0);
                    program.add(SocketFilter.LOAD_16_BEHIND_X, 0, 0, TARGET_PORT_AT);
                }
                for (int port : ports) {
                    program.add(SocketFilter.JUMP_IF_EQUAL, 0, 1, port);
                    program.add(SocketFilter.RETURN, 0, 0, ifListed);
                }
                program.add(SocketFilter.RETURN, 0, 0, otherwise);
            }
            program.attach(libc, socket.descriptor);
        }
    }

    /** Lets a socket see nothing at all. */
    static void attachDropAll(Libc libc, int descriptor) throws KernelSocket.Refused {
        try (Arena arena = Arena.ofConfined()) {
            Program program = new Program(arena);
            program.add(SocketFilter.RETURN, 0, 0, NOTHING);
            program.attach(libc, descriptor);
        }
    }

    private static final class Program {
        private final MemorySegment instructions;
        private final MemorySegment program;
        private int length;

        Program(Arena arena) {
            instructions = arena.allocate((long) SocketFilter.MAX_INSTRUCTIONS * SocketFilter.SIZE, 8);
            program = arena.allocate(SocketFilter.PROGRAM_SIZE, 8);
        }

        void add(int code, int jumpTrue, int jumpFalse, int operand) {
            long at = (long) length++ * SocketFilter.SIZE;
            instructions.set(JAVA_SHORT, at + SocketFilter.CODE, (short) code);
            instructions.set(JAVA_BYTE, at + SocketFilter.JUMP_TRUE, (byte) jumpTrue);
            instructions.set(JAVA_BYTE, at + SocketFilter.JUMP_FALSE, (byte) jumpFalse);
            instructions.set(JAVA_INT, at + SocketFilter.OPERAND, operand);
        }

        void attach(Libc libc, int descriptor) throws KernelSocket.Refused {
            program.set(JAVA_SHORT, SocketFilter.PROGRAM_LENGTH, (short) length);
            program.set(JAVA_LONG, SocketFilter.PROGRAM_INSTRUCTIONS, instructions.address());
            int result = libc.setsockopt(
                    descriptor, Socket.SOL_SOCKET, Socket.SO_ATTACH_FILTER, program, SocketFilter.PROGRAM_SIZE);
            if (result < 0) {
                throw new KernelSocket.Refused("SO_ATTACH_FILTER", result);
            }
        }
    }
}
