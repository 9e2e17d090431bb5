package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.protocol.PacketBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** That the level of a packet leaves as its traffic class, seen by a socket that asks the kernel for it (Linux). */
@EnabledOnOs(OS.LINUX)
class TrafficClassTest {
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int SOCK_DGRAM = 2;
    private static final int IPPROTO_IP = 0;
    private static final int IP_RECVTOS = 13;
    private static final int IPPROTO_IPV6 = 41;
    private static final int IPV6_RECVTCLASS = 66;

    private final MethodHandle socket = handle("socket", JAVA_INT, JAVA_INT, JAVA_INT);
    private final MethodHandle bind = handle("bind", JAVA_INT, ADDRESS, JAVA_INT);
    private final MethodHandle getsockname = handle("getsockname", JAVA_INT, ADDRESS, ADDRESS);
    private final MethodHandle setsockopt = handle("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private final MethodHandle recvmsg = handle("recvmsg", JAVA_INT, ADDRESS, JAVA_INT);
    private final MethodHandle close = handle("close", JAVA_INT);

    @SuppressWarnings("restricted") // system calls that plain Java does not have
    private static MethodHandle handle(String name, MemoryLayout... arguments) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(JAVA_INT, arguments));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theLevelIsTheTopOfTheTrafficClass(boolean ipv6) throws Throwable {
        try (Arena arena = Arena.ofConfined();
                PortableDriver driver = new PortableDriver()) {
            int descriptor = (int) socket.invokeExact(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
            assertThat(descriptor).isPositive();
            int port = bindToLoopback(arena, descriptor, ipv6);
            MemorySegment on = arena.allocateFrom(JAVA_INT, 1);
            assertThat((int) setsockopt.invokeExact(
                            descriptor, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_RECVTCLASS : IP_RECVTOS, on, 4))
                    .isZero();
            driver.attach(driver.bind(null, 0), 0);
            PacketBatch out = Batches.toSend();
            int[] levels = {0, 7, 7, 3, 0, 1, 2, 4, 5, 6, 6};
            for (int level : levels) {
                Batches.add(out, 0, 0, ipv6 ? 1 : Batches.LOOPBACK_LO, port, level, 60, 0);
            }
            assertThat(driver.send(out)).isEqualTo(levels.length);
            for (int level : levels) {
                assertThat(receivedClass(arena, descriptor)).isEqualTo(level << 5);
            }
            assertThat((int) close.invokeExact(descriptor)).isZero();
        }
    }

    private int bindToLoopback(Arena arena, int descriptor, boolean ipv6) throws Throwable {
        MemorySegment address = arena.allocate(28);
        address.set(JAVA_SHORT, 0, (short) (ipv6 ? AF_INET6 : AF_INET));
        if (ipv6) {
            address.set(JAVA_BYTE, 23, (byte) 1);
        } else {
            address.set(JAVA_BYTE, 4, (byte) 127);
            address.set(JAVA_BYTE, 7, (byte) 1);
        }
        int length = ipv6 ? 28 : 16;
        assertThat((int) bind.invokeExact(descriptor, address, length)).isZero();
        MemorySegment lengthBack = arena.allocateFrom(JAVA_INT, length);
        assertThat((int) getsockname.invokeExact(descriptor, address, lengthBack))
                .isZero();
        return (address.get(JAVA_BYTE, 2) & 255) << 8 | (address.get(JAVA_BYTE, 3) & 255);
    }

    /** Waits for a datagram; the traffic class in its control message, a byte for IPv4 and an int for IPv6. */
    private int receivedClass(Arena arena, int descriptor) throws Throwable {
        MemorySegment data = arena.allocate(2_000);
        MemorySegment vector = arena.allocate(16, 8);
        vector.set(ADDRESS, 0, data);
        vector.set(JAVA_LONG, 8, data.byteSize());
        MemorySegment control = arena.allocate(64, 8);
        // struct msghdr: name, namelen, iov, iovlen, control, controllen, flags
        MemorySegment header = arena.allocate(56, 8);
        header.set(ADDRESS, 16, vector);
        header.set(JAVA_LONG, 24, 1);
        header.set(ADDRESS, 32, control);
        header.set(JAVA_LONG, 40, control.byteSize());
        assertThat((int) recvmsg.invokeExact(descriptor, header, 0)).isEqualTo(60);
        long controlLength = control.get(JAVA_LONG, 0);
        return controlLength == 17 ? control.get(JAVA_BYTE, 16) & 255 : control.get(JAVA_INT, 16);
    }
}
