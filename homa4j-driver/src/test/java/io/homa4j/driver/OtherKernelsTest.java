package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.driver.libc.Errno;
import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.MessageHeader;
import io.homa4j.driver.libc.Socket;
import io.homa4j.protocol.Config.Encapsulation;
import io.homa4j.protocol.PacketBatch;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What kernels and interfaces refuse is asked once and done without. */
@EnabledOnOs(OS.LINUX)
class OtherKernelsTest {
    private static final int A = 1;
    private static final int B = 2;
    private static final int PACKETS = 10;

    private SyscallDriver driver = open(LibcAround::new);
    private int to;

    private static SyscallDriver open(Supplier<Libc> libcs) {
        return new SyscallDriver(Encapsulation.UDP, 0, 1 << 20, libcs);
    }

    private void use(Supplier<Libc> libcs) throws DriverException {
        driver.close();
        driver = open(libcs);
        driver.attach(driver.bind(null, 0), A);
        to = driver.bind(null, 0);
        driver.attach(to, B);
    }

    @AfterEach
    void close() {
        driver.close();
    }

    private PacketBatch packets() {
        PacketBatch out = Batches.toSend();
        for (int i = 0; i < PACKETS; i++) {
            Batches.add(out, A, 0, Batches.LOOPBACK_LO, to, 8 * i, 60, 40);
        }
        return out;
    }

    private void allArrive() {
        PacketBatch in = Batches.toReceive(driver);
        for (int seen = 0; seen < PACKETS; ) {
            int count = Batches.receive(driver, in);
            for (int i = 0; i < count; i++) {
                assertThat(Batches.mark(in, i)).isEqualTo((byte) (8 * seen++));
                assertThat(in.length[i]).isEqualTo(100);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Socket.UDP_SEGMENT, Socket.UDP_GRO})
    void aKernelWithoutAnOffloadCarriesThePacketsAllTheSame(int missing) throws Exception {
        use(() -> new LibcAround() {
            @Override
            public int setsockopt(int descriptor, int level, int name, MemorySegment value, int length) {
                return level == Socket.IPPROTO_UDP && name == missing
                        ? -Errno.ENOPROTOOPT
                        : super.setsockopt(descriptor, level, name, value, length);
            }
        });
        assertThat(driver.send(packets())).isEqualTo(PACKETS);
        allArrive();
        boolean isCut = missing == Socket.UDP_GRO;
        assertThat(driver.counters())
                .containsEntry("driver_segmented_packets", isCut ? (long) PACKETS : 0L)
                .containsEntry("driver_merged_packets", 0L)
                .containsEntry("driver_send_calls", 1L);
        assertThat(driver.features()).contains(isCut ? "no merged receives" : "no segmented sends");
    }

    @Test
    void aKernelThatCannotSleepForMicrosecondsIsSaidToBeInTheWay() {
        assertThat(SyscallDriver.obstacle(Encapsulation.UDP, new LibcAround(), Path.of("/proc")))
                .isNull();
        Libc old = new LibcAround() {
            @Override
            public int epollWait(int epoll, MemorySegment events, int maxEvents, MemorySegment timeout) {
                return -Errno.ENOSYS;
            }
        };
        assertThat(SyscallDriver.obstacle(Encapsulation.UDP, old, Path.of("/proc")))
                .contains("epoll_pwait2", "ENOSYS");
        Libc denied = new LibcAround() {
            @Override
            public int socket(int family, int type, int protocol) {
                return type == (Socket.SOCK_RAW | Socket.SOCK_CLOEXEC)
                        ? -Errno.EPERM
                        : super.socket(family, type, protocol);
            }
        };
        assertThat(SyscallDriver.obstacle(Encapsulation.UDP, denied, Path.of("/proc")))
                .isNull();
        assertThat(SyscallDriver.obstacle(Encapsulation.IP, denied, Path.of("/nowhere")))
                .contains("CAP_NET_RAW");
    }

    /** As interfaces without checksum offload do: control messages are longest where a segment size is among them. */
    private static class NeverCuts extends LibcAround {
        private static final long WITHOUT_SEGMENT_SIZE = 56;

        @Override
        public int sendmmsg(int descriptor, MemorySegment messages, int count, int flags) {
            for (int i = 0; i < count; i++) {
                long at = (long) i * MessageHeader.SIZE;
                if (messages.get(JAVA_LONG, at + MessageHeader.CONTROL_LENGTH) > WITHOUT_SEGMENT_SIZE) {
                    return i > 0 ? super.sendmmsg(descriptor, messages, i, flags) : -Errno.EIO;
                }
            }
            return super.sendmmsg(descriptor, messages, count, flags);
        }
    }

    @Test
    void anInterfaceThatDoesNotCutIsAskedOnceAndGetsThePacketsOneByOne() throws Exception {
        use(NeverCuts::new);
        assertThat(driver.send(packets())).isEqualTo(PACKETS);
        allArrive();
        assertThat(driver.counters()).containsEntry("driver_segment_refusals", 1L);
        assertThat(driver.send(packets())).isEqualTo(PACKETS);
        allArrive();
        assertThat(driver.counters())
                .containsEntry("driver_segment_refusals", 1L)
                .containsEntry("driver_segmented_packets", 0L)
                .containsEntry("driver_send_refused", 0L);
    }

    @ParameterizedTest
    @ValueSource(ints = {Errno.EAGAIN, Errno.ENOBUFS})
    void whatAFullQueueDoesNotTakeIsLeftToTheNextTime(int error) throws Exception {
        int[] room = {0};
        use(() -> new LibcAround() {
            @Override
            public int sendmmsg(int descriptor, MemorySegment messages, int count, int flags) {
                if (flags == 0 || to == 0) {
                    return super.sendmmsg(descriptor, messages, count, flags);
                }
                return room[0] == 0 ? -error : super.sendmmsg(descriptor, messages, Math.min(count, room[0]), flags);
            }
        });
        PacketBatch out = packets();
        // Another size in the middle: two messages before it and behind it.
        out.length[4] = 50;
        assertThat(driver.send(out)).isZero();
        assertThat(driver.counters()).containsEntry("driver_send_queue_full", 1L);
        // There is room on the real socket, so a sleeper is woken where the kernel tells of room.
        driver.await(error == Errno.EAGAIN ? Driver.FOREVER : 0);
        room[0] = 1;
        assertThat(driver.send(out)).isEqualTo(PACKETS);
        assertThat(driver.counters()).containsEntry("driver_packets_sent", (long) PACKETS);
    }

    @Test
    void bytesThatTheKernelHoldsLeaveNoRoomForMore() throws Exception {
        int[] held = {0};
        use(() -> new LibcAround() {
            @Override
            public int ioctl(int descriptor, long request, MemorySegment value) {
                value.set(JAVA_INT, 0, held[0]);
                return 0;
            }
        });
        assertThat(driver.sendRoomBytes()).isPositive();
        held[0] = 200 << 10;
        for (int i = 0; i < 200; i++) {
            driver.send(packets());
        }
        int room = driver.sendRoomBytes();
        assertThat(room).isBetween(1, (256 - 200) << 10);
        held[0] = 1 << 20;
        assertThat(driver.sendRoomBytes()).isZero();
        held[0] = 0;
        assertThat(driver.sendRoomBytes()).isGreaterThan(room);
    }
}
