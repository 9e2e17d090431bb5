package io.homa4j.driver.libc;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.protocol.Address;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** The system calls as they answer: results, and errors as negative numbers. */
class FfmLibcTest {
    private static final long LOOPBACK = Address.mappedLo(0x7F000001);

    @Test
    @EnabledOnOs(OS.LINUX)
    void aMessageGoesThroughSendmmsgEpollAndRecvmmsg() {
        Libc libc = new FfmLibc();
        Arena arena = Arena.ofAuto();
        int descriptor = libc.socket(Socket.AF_INET, Socket.SOCK_DGRAM | Socket.SOCK_NONBLOCK | Socket.SOCK_CLOEXEC, 0);
        int epoll = libc.epollCreate();
        try {
            assertThat(descriptor).isPositive();
            MemorySegment address = arena.allocate(SocketAddress.SIZE_IPV6, 8);
            SocketAddress.write(address, 0, false, 0, LOOPBACK, 0);
            assertThat(libc.bind(descriptor, address, SocketAddress.SIZE_IPV4)).isZero();
            MemorySegment length = arena.allocateFrom(JAVA_INT, SocketAddress.SIZE_IPV4);
            assertThat(libc.getsockname(descriptor, address, length)).isZero();
            assertThat(SocketAddress.port(address, 0)).isPositive();
            assertThat(SocketAddress.lo(address, 0, false)).isEqualTo(LOOPBACK);

            MemorySegment event = arena.allocate(EpollEvent.SIZE, 8);
            event.set(JAVA_INT, EpollEvent.EVENTS, EpollEvent.EPOLLIN);
            event.set(JAVA_LONG_UNALIGNED, EpollEvent.DATA, 77);
            assertThat(libc.epollControl(epoll, EpollEvent.EPOLL_CTL_ADD, descriptor, event))
                    .isZero();
            MemorySegment soon = arena.allocate(TimeSpec.SIZE, 8);
            assertThat(libc.epollWait(epoll, event, 1, soon)).as("nothing yet").isZero();

            MemorySegment header = arena.allocate(MessageHeader.SIZE, 8);
            MemorySegment data = arena.allocate(100);
            data.fill((byte) 9);
            MemorySegment vector = arena.allocate(IoVector.SIZE, 8);
            vector.set(JAVA_LONG, IoVector.BASE, data.address());
            vector.set(JAVA_LONG, IoVector.LENGTH, 40);
            header.set(JAVA_LONG, MessageHeader.NAME, address.address());
            header.set(JAVA_INT, MessageHeader.NAME_LENGTH, SocketAddress.SIZE_IPV4);
            header.set(JAVA_LONG, MessageHeader.VECTOR, vector.address());
            header.set(JAVA_LONG, MessageHeader.VECTOR_COUNT, 1);
            assertThat(libc.sendmmsg(descriptor, header, 1, 0)).isEqualTo(1);
            assertThat(header.get(JAVA_INT, MessageHeader.TRANSFERRED)).isEqualTo(40);

            assertThat(libc.epollWait(epoll, event, 1, MemorySegment.NULL)).isEqualTo(1);
            assertThat(event.get(JAVA_LONG_UNALIGNED, EpollEvent.DATA)).isEqualTo(77);
            data.fill((byte) 0);
            vector.set(JAVA_LONG, IoVector.LENGTH, 100);
            assertThat(libc.recvmmsg(descriptor, header, 1, Socket.MSG_DONTWAIT))
                    .isEqualTo(1);
            assertThat(header.get(JAVA_INT, MessageHeader.TRANSFERRED)).isEqualTo(40);
            assertThat(data.get(JAVA_BYTE, 39)).isEqualTo((byte) 9);
            assertThat(libc.recvmmsg(descriptor, header, 1, Socket.MSG_DONTWAIT))
                    .isEqualTo(-Errno.EAGAIN);
        } finally {
            assertThat(libc.close(descriptor)).isZero();
            assertThat(libc.close(epoll)).isZero();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void anEventCounterIsWrittenAndRead() {
        Libc libc = new FfmLibc();
        int descriptor = libc.eventfd();
        MemorySegment value = Arena.ofAuto().allocateFrom(JAVA_LONG, 1);
        assertThat(libc.read(descriptor, value, 8)).isEqualTo(-Errno.EAGAIN);
        assertThat(libc.write(descriptor, value, 8)).isEqualTo(8);
        assertThat(libc.write(descriptor, value, 8)).isEqualTo(8);
        assertThat(libc.read(descriptor, value, 8)).isEqualTo(8);
        assertThat(value.get(JAVA_LONG, 0)).isEqualTo(2);
        assertThat(libc.close(descriptor)).isZero();
        assertThat(libc.close(descriptor)).isEqualTo(-9);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void optionsAndQueuesCanBeAsked() {
        Libc libc = new FfmLibc();
        Arena arena = Arena.ofAuto();
        int descriptor = libc.socket(Socket.AF_INET6, Socket.SOCK_DGRAM, 0);
        MemorySegment value = arena.allocateFrom(JAVA_INT, 20_000);
        assertThat(libc.setsockopt(descriptor, Socket.SOL_SOCKET, Socket.SO_RCVBUF, value, 4))
                .isZero();
        MemorySegment length = arena.allocateFrom(JAVA_INT, 4);
        assertThat(libc.getsockopt(descriptor, Socket.SOL_SOCKET, Socket.SO_RCVBUF, value, length))
                .isZero();
        assertThat(value.get(JAVA_INT, 0))
                .as("the kernel counts its own overhead too")
                .isEqualTo(40_000);
        assertThat(libc.ioctl(descriptor, Socket.SIOCOUTQ, value)).isZero();
        assertThat(value.get(JAVA_INT, 0)).isZero();
        assertThat(libc.setsockopt(descriptor, 4_711, 1, value, 4)).isEqualTo(-Errno.ENOPROTOOPT);
        MemorySegment nowhere = arena.allocate(SocketAddress.SIZE_IPV6, 8);
        SocketAddress.write(nowhere, 0, true, 0x20010DB8_00000000L, 1, 0);
        assertThat(libc.bind(descriptor, nowhere, SocketAddress.SIZE_IPV6)).isEqualTo(-Errno.EADDRNOTAVAIL);
        assertThat(libc.close(descriptor)).isZero();
        assertThat(Errno.text(-Errno.EADDRNOTAVAIL)).contains("EADDRNOTAVAIL");
        assertThat(Errno.text(-4_711)).isEqualTo("error 4711");
    }

    @Test
    void nothingElseInTheProductTouchesTheLinker() throws IOException {
        Path root = Path.of(System.getProperty("homa.root"));
        try (Stream<Path> sources = Files.walk(root)) {
            List<String> users = sources.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> file.toString().contains("/src/main/"))
                    // Measures plain system calls beside the product, and is not part of it.
                    .filter(file -> !file.toString().contains("/homa4j-bench/"))
                    .filter(file -> read(file).contains("Linker"))
                    .map(file -> file.getFileName().toString())
                    .sorted()
                    .toList();
            assertThat(users).containsExactly("FfmLibc.java", "package-info.java");
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
