package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.homa4j.driver.libc.FfmLibc;
import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config.Encapsulation;
import io.homa4j.protocol.PacketBatch;
import io.homa4j.protocol.Status;
import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.DataHeader;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** IP protocol 146 through raw sockets, between two drivers of this host that are to each other like two processes. */
class IpDriverTest {
    private static final int A = 3;
    private static final int B = 5;

    private final List<SyscallDriver> open = new ArrayList<>();
    private final List<String> told = new ArrayList<>();

    @BeforeEach
    void onlyWithRawSockets() {
        String obstacle = SyscallDriver.obstacle(Encapsulation.IP);
        assumeTrue(obstacle == null, obstacle);
    }

    @AfterEach
    void close() {
        open.forEach(SyscallDriver::close);
    }

    private SyscallDriver driver() {
        SyscallDriver driver = new SyscallDriver(Encapsulation.IP, 0, 1 << 20);
        driver.feedback(new Driver.Feedback() {
            @Override
            public void unreachable(long peerHi, long peerLo, int port, Status kind) {
                told.add(kind + " " + Address.text(peerHi, peerLo) + " " + port);
            }

            @Override
            public void pathMtu(long peerHi, long peerLo, int mtu) {
                told.add("mtu " + mtu);
            }
        });
        open.add(driver);
        return driver;
    }

    /** A DATA packet with a payload of known bytes. */
    private static PacketBatch data(int socket, byte[] to, int fromPort, int toPort, int payload) {
        PacketBatch out = Batches.toSend();
        Batches.add(out, socket, Address.hi(to), Address.lo(to), 0, 4, DataHeader.LENGTH, payload);
        DataHeader.write(
                out.packet[0], out.packetAt[0], fromPort, toPort, 2, 0, Math.max(1, payload), payload, 0, 0, 0, false);
        return out;
    }

    private static int receive(SyscallDriver driver, PacketBatch in) {
        return Batches.receive(driver, in);
    }

    private static byte[] bytes(String address) throws Exception {
        return InetAddress.getByName(address).getAddress();
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void aPacketReachesTheProcessThatOwnsItsPortAndNoOther(String host) throws Exception {
        SyscallDriver one = driver();
        SyscallDriver other = driver();
        int from = one.bind(null, 0);
        int to = other.bind(null, 0);
        one.attach(from, A);
        other.attach(to, B);
        assertThat(from).isNotEqualTo(to);
        PacketBatch in = Batches.toReceive(one);
        for (int payload : new int[] {0, 1, 1_400}) {
            assertThat(one.send(data(A, bytes(host), from, to, payload))).isEqualTo(1);
            assertThat(receive(other, in)).isEqualTo(1);
            assertThat(in.length[0]).isEqualTo(DataHeader.LENGTH + payload);
            assertThat(in.socket[0]).as("the port stands in the header").isEqualTo(-1);
            assertThat(CommonHeader.sourcePort(in.packet[0], in.packetAt[0])).isEqualTo(from);
            assertThat(CommonHeader.targetPort(in.packet[0], in.packetAt[0])).isEqualTo(to);
            assertThat(Address.bytes(in.peerHi[0], in.peerLo[0])).isEqualTo(bytes(host));
            assertThat(Address.bytes(in.localHi[0], in.localLo[0])).isEqualTo(bytes(host));
            assertThat(one.receive(in))
                    .as("the filter keeps it from the sender's socket")
                    .isZero();
        }
        assertThat(told).isEmpty();
    }

    @Test
    void aPortHasOneOwnerOnTheHostAndIsFreeAfterIt() throws Exception {
        SyscallDriver one = driver();
        SyscallDriver other = driver();
        int port = one.bind(null, 0);
        assertThatThrownBy(() -> other.bind(null, port))
                .isInstanceOfSatisfying(
                        DriverException.class, e -> assertThat(e.kind()).isEqualTo(DriverException.Kind.PORT_IN_USE));
        one.attach(port, A);
        one.unbind(port);
        assertThat(other.bind(null, port)).isEqualTo(port);
    }

    @Test
    void manyPortsAreFilteredAlikeAndAClosedOneNoMore() throws Exception {
        SyscallDriver one = driver();
        int from = one.bind(null, 0);
        one.attach(from, 0);
        int[] ports = new int[300];
        SyscallDriver other = driver();
        for (int i = 0; i < ports.length; i++) {
            ports[i] = other.bind(null, 0);
            other.attach(ports[i], i);
        }
        other.unbind(ports[7]);
        PacketBatch in = Batches.toReceive(one);
        for (int i : new int[] {0, 7, 100, 299}) {
            one.send(data(0, bytes("127.0.0.1"), from, ports[i], 10));
        }
        List<Integer> seen = new ArrayList<>();
        while (seen.size() < 3) {
            int count = receive(other, in);
            for (int i = 0; i < count; i++) {
                seen.add(CommonHeader.targetPort(in.packet[i], in.packetAt[i]));
            }
        }
        assertThat(seen).containsExactly(ports[0], ports[100], ports[299]);
    }

    /** Turns both drivers until the condition holds. */
    private void turnUntilTold(int count) {
        PacketBatch in = Batches.toReceive(open.getFirst());
        for (int i = 0; i < 10_000 && told.size() < count; i++) {
            open.forEach(driver -> driver.receive(in));
            LockSupport.parkNanos(1_000_000);
        }
        assertThat(told).hasSize(count);
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void aRequestToAPortNobodyHasIsAnsweredByTheOneThatIsElected(String host) throws Exception {
        SyscallDriver one = driver();
        SyscallDriver other = driver();
        int from = one.bind(null, 0);
        one.attach(from, A);
        int gone = other.bind(null, 0);
        other.attach(gone, B);
        other.unbind(gone);
        other.attach(other.bind(null, 0), B);
        PacketBatch in = Batches.toReceive(one);
        other.receive(in);
        one.receive(in);
        one.send(data(A, bytes(host), from, gone, 100));
        turnUntilTold(1);
        assertThat(told).containsExactly("NO_SERVER " + text(host) + " " + gone);
        assertThat(other.counters()).containsEntry("driver_port_unreachable_sent", 1L);
        assertThat(one.counters()).containsEntry("driver_port_unreachable_sent", 0L);
        other.close();
        open.remove(other);
        // The next one takes over within its second try.
        told.clear();
        for (int i = 0; i < 10_000 && told.isEmpty(); i++) {
            one.send(data(A, bytes(host), from, gone, 100));
            one.await(1_000_000);
            one.receive(in);
        }
        assertThat(told).isNotEmpty();
    }

    private static String text(String host) throws Exception {
        return Address.text(Address.hi(bytes(host)), Address.lo(bytes(host)));
    }

    @Test
    void aPortThatAnotherProcessHoldsIsNotAnsweredFor() throws Exception {
        SyscallDriver one = driver();
        int from = one.bind(null, 0);
        one.attach(from, A);
        PacketBatch in = Batches.toReceive(one);
        one.receive(in);
        int gone;
        try (DatagramSocket holder = new DatagramSocket()) {
            gone = holder.getLocalPort();
            assertThat(HeldPorts.now(Path.of("/proc")).get(gone)).isTrue();
            one.send(data(A, bytes("127.0.0.1"), from, gone, 100));
            SyscallDriver second = driver();
            int absent = second.bind(null, 0);
            second.unbind(absent);
            LockSupport.parkNanos(20_000_000);
            one.receive(in);
            LockSupport.parkNanos(20_000_000);
            one.send(data(A, bytes("127.0.0.1"), from, absent, 100));
            turnUntilTold(1);
            assertThat(told).containsExactly("NO_SERVER 127.0.0.1 " + absent);
        }
    }

    @Test
    void whatTheEngineMarksIsAnsweredToo() throws Exception {
        SyscallDriver one = driver();
        int from = one.bind(null, 0);
        int to = one.bind(null, 0);
        one.attach(from, A);
        one.attach(to, B);
        PacketBatch in = Batches.toReceive(one);
        one.send(data(A, bytes("127.0.0.1"), from, to, 100));
        assertThat(receive(one, in)).isEqualTo(1);
        in.portUnreachable[0] = true;
        for (int i = 0; i < 10_000 && told.isEmpty(); i++) {
            one.receive(in);
            LockSupport.parkNanos(1_000_000);
        }
        assertThat(told).containsExactly("NO_SERVER 127.0.0.1 " + to);
    }

    @Test
    void anAddressGetsSixAnswersInARowAndThenOneASecond() throws Exception {
        long nowNs = 1_000_000_000_000L;
        PortUnreachable answers = new PortUnreachable(new FfmLibc(), nowNs);
        PacketBatch packet = data(A, bytes("127.0.0.1"), 1, 2, 0);
        long[] addresses = {Address.mappedLo(0x7F000001), Address.mappedLo(0x7F000002)};
        for (int i = 0; i < 20; i++) {
            answer(answers, packet, addresses[0], nowNs);
        }
        assertThat(answers.sent).isEqualTo(6);
        answer(answers, packet, addresses[1], nowNs);
        assertThat(answers.sent).as("another address").isEqualTo(7);
        answer(answers, packet, addresses[0], nowNs + 999_999_999);
        assertThat(answers.sent).isEqualTo(7);
        answer(answers, packet, addresses[0], nowNs + 1_000_000_000);
        assertThat(answers.sent).isEqualTo(8);
        assertThat(answers.suppressed).isEqualTo(15);
        for (int i = 0; i < 1_000; i++) {
            answer(answers, packet, Address.mappedLo(0x7F010000 + i), nowNs + 2_000_000_000);
        }
        assertThat(answers.sent).as("of all").isEqualTo(8 + 50);
        answers.close();
    }

    private static void answer(PortUnreachable answers, PacketBatch packet, long peerLo, long nowNs) {
        answers.answer(
                packet.packet[0],
                packet.packetAt[0],
                packet.length[0],
                0,
                peerLo,
                0,
                Address.mappedLo(0x7F000001),
                nowNs);
    }

    @Test
    void whereTheKernelModuleIsThereIsNoRoomForAnother(@TempDir Path proc) throws Exception {
        assertThat(SyscallDriver.obstacle(Encapsulation.IP, new FfmLibc(), proc))
                .isNull();
        Files.createDirectories(proc.resolve("sys/net/homa"));
        assertThat(SyscallDriver.obstacle(Encapsulation.IP, new FfmLibc(), proc))
                .contains("kernel module");
    }
}
