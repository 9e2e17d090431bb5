package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config.Encapsulation;
import io.homa4j.protocol.PacketBatch;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The driver over system calls keeps the contract; and what it alone does: segments, merging, source addresses, ICMP. */
@EnabledOnOs(OS.LINUX)
class SyscallDriverTest extends DriverContract {
    private static final int ROUNDS = 140_000;
    private static final int MEASURED_FROM = 100_000;

    @Override
    Driver open() {
        return open(Encapsulation.UDP, 0);
    }

    private static SyscallDriver open(Encapsulation encapsulation, int tunnelPort) {
        return new SyscallDriver(encapsulation, tunnelPort, PortableDriver.DEFAULT_RECEIVE_BUFFER);
    }

    private int attached(int socket) throws DriverException {
        int port = driver.bind(null, 0);
        driver.attach(port, socket);
        return port;
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void packetsOfOneSizeGoDownAndComeUpAsOneAndTheLastMayBeShorter(String host) throws Exception {
        byte[] address = InetAddress.getByName(host).getAddress();
        int from = attached(A);
        int to = attached(B);
        int[] payloads = {1_340, 1_340, 1_340, 7, 1_340, 1_340};
        for (int i = 0; i < payloads.length; i++) {
            Batches.add(out, A, Address.hi(address), Address.lo(address), to, 8 * i, 60, payloads[i]);
        }
        assertThat(driver.send(out)).isEqualTo(payloads.length);
        int seen = 0;
        while (seen < payloads.length) {
            int count = Batches.receive(driver, in);
            for (int i = 0; i < count; i++, seen++) {
                assertThat(in.length[i]).isEqualTo(60 + payloads[seen]);
                assertThat(in.peerPort[i]).isEqualTo(from);
                assertThat(in.socket[i]).isEqualTo(B);
                byte[] bytes =
                        in.packet[i].asSlice(in.packetAt[i], in.length[i]).toArray(ValueLayout.JAVA_BYTE);
                for (int at = 0; at < bytes.length; at++) {
                    assertThat(bytes[at]).isEqualTo((byte) (8 * seen + (at < 60 ? 0 : 1)));
                }
            }
        }
        assertThat(driver.counters())
                .containsEntry("driver_send_calls", 1L)
                .containsEntry("driver_segmented_sends", 2L)
                .containsEntry("driver_segmented_packets", 6L)
                .containsEntry("driver_merged_receives", 2L)
                .containsEntry("driver_merged_packets", 6L);
    }

    @Test
    void otherPeersLevelsAndGreaterSizesBeginAnotherMessageInTheSameOrder() throws Exception {
        attached(A);
        int to = attached(B);
        int[] payloads = {100, 100, 200, 100, 100};
        int[] levels = {1, 1, 1, 1, 2};
        for (int i = 0; i < payloads.length; i++) {
            Batches.add(out, A, 0, Batches.LOOPBACK_LO, to, 16 * i + levels[i], 60, payloads[i]);
        }
        assertThat(driver.send(out)).isEqualTo(5);
        for (int seen = 0; seen < 5; ) {
            int count = Batches.receive(driver, in);
            for (int i = 0; i < count; i++, seen++) {
                assertThat(Batches.mark(in, i)).isEqualTo((byte) (16 * seen + levels[seen]));
            }
        }
        assertThat(driver.counters())
                .containsEntry("driver_segmented_sends", 2L)
                .as("two of 160, one of 260 with one of 160, one of another level")
                .containsEntry("driver_segmented_packets", 4L);
    }

    @Test
    void moreSegmentsThanABatchHasRoomForWaitForTheNextOne() throws Exception {
        attached(A);
        int to = attached(B);
        for (int i = 0; i < 64; i++) {
            Batches.add(out, A, 0, Batches.LOOPBACK_LO, to, 0, 60, 10);
            out.packet[i].set(ValueLayout.JAVA_BYTE, out.packetAt[i], (byte) i);
        }
        assertThat(driver.send(out)).isEqualTo(64);
        PacketBatch small = Batches.toReceive(driver, 5);
        int seen = 0;
        while (seen < 64) {
            int count = Batches.receive(driver, small);
            assertThat(count).isLessThanOrEqualTo(5);
            for (int i = 0; i < count; i++) {
                assertThat(Batches.mark(small, i)).isEqualTo((byte) seen++);
            }
        }
        assertThat(driver.receive(small)).isZero();
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1", "::1"})
    void aPortNobodyHasIsToldAtOnceAndHarmsNoOtherPacket(String host) throws Exception {
        byte[] address = InetAddress.getByName(host).getAddress();
        attached(A);
        int to = attached(B);
        int gone = attached(7);
        driver.unbind(gone);
        Batches.add(out, A, Address.hi(address), Address.lo(address), gone, 1, 60, 40);
        assertThat(driver.send(out)).isEqualTo(1);
        out.clear();
        Batches.add(out, A, Address.hi(address), Address.lo(address), to, 2, 60, 40);
        assertThat(driver.send(out)).isEqualTo(1);
        assertThat(Batches.receive(driver, in)).isEqualTo(1);
        assertThat(Batches.mark(in, 0)).isEqualTo(2);
        String text = Address.text(Address.hi(address), Address.lo(address));
        assertThat(told).containsExactly("NO_SERVER " + text + " " + gone);
        assertThat(driver.counters()).containsEntry("driver_send_refused", 0L);
    }

    @Test
    void aSleeperWakesForAnErrorAndItIsToldOnce() throws Exception {
        attached(A);
        int gone = attached(7);
        driver.unbind(gone);
        Batches.add(out, A, 0, Batches.LOOPBACK_LO, gone, 1, 60, 40);
        assertThat(driver.send(out)).isEqualTo(1);
        driver.await(Driver.FOREVER);
        assertThat(driver.receive(in)).isZero();
        assertThat(told).containsExactly("NO_SERVER 127.0.0.1 " + gone);
        driver.wake();
        driver.await(Driver.FOREVER);
        driver.receive(in);
        assertThat(told).hasSize(1);
    }

    /** Else timers would be looked at before what has arrived. */
    @Test
    void aSleepThatWasCutShortHidesNothing() throws Exception {
        attached(A);
        int to = attached(B);
        Batches.add(out, A, 0, Batches.LOOPBACK_LO, to, 1, 60, 0);
        assertThat(driver.send(out)).isEqualTo(1);
        driver.wake();
        driver.await(Driver.FOREVER);
        assertThat(driver.receive(in)).isEqualTo(1);
    }

    /** Loopback holds nothing back, so there is always room, however many ports have sent a little. */
    @Test
    void whatTheKernelHasPassedOnTakesNoRoom() throws Exception {
        int to = attached(60);
        for (int socket = 0; socket < 20; socket++) {
            attached(socket);
            out.clear();
            for (int i = 0; i < 50; i++) {
                Batches.add(out, socket, 0, Batches.LOOPBACK_LO, to, 1, 60, 1_340);
            }
            assertThat(driver.send(out)).isEqualTo(50);
            assertThat(driver.sendRoomBytes()).isPositive();
        }
    }

    @Test
    void anAnswerLeavesFromTheAddressThatWasAsked() throws Exception {
        int from = attached(A);
        int to = attached(B);
        long second = Address.mappedLo(0x7F000102);
        Batches.add(out, A, 0, second, to, 1, 60, 0);
        assertThat(driver.send(out)).isEqualTo(1);
        assertThat(Batches.receive(driver, in)).isEqualTo(1);
        assertThat(Address.text(in.localHi[0], in.localLo[0])).isEqualTo("127.0.1.2");
        assertThat(Address.text(in.peerHi[0], in.peerLo[0])).isEqualTo("127.0.0.1");
        out.clear();
        Batches.add(out, B, 0, Batches.LOOPBACK_LO, from, 2, 60, 0);
        out.localLo[0] = in.localLo[0];
        assertThat(driver.send(out)).isEqualTo(1);
        assertThat(Batches.receive(driver, in)).isEqualTo(1);
        assertThat(Address.text(in.peerHi[0], in.peerLo[0])).isEqualTo("127.0.1.2");
    }

    @Test
    void anAddressThatIsNoLongerOursIsNotInsistedOn() throws Exception {
        attached(A);
        int to = attached(B);
        Batches.add(out, A, 0, Batches.LOOPBACK_LO, to, 1, 60, 0);
        out.localLo[0] = Address.mappedLo(0xC000024D);
        assertThat(driver.send(out)).isEqualTo(1);
        assertThat(Batches.receive(driver, in)).isEqualTo(1);
        assertThat(driver.counters()).containsEntry("driver_send_refused", 0L);
    }

    @Test
    void nothingIsAllocatedPerPacketWhateverItsSource() throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int to = attached(0);
        for (int i = 1; i <= 4; i++) {
            attached(i);
        }
        long before = 0;
        for (int round = 0; round < ROUNDS; round++) {
            if (round == MEASURED_FROM) {
                before = threads.getCurrentThreadAllocatedBytes();
            }
            out.clear();
            for (int i = 0; i < 4; i++) {
                add(1 + (round + i) % 4, i < 2 ? Batches.LOOPBACK_LO : 1, to);
            }
            assertThatIsSent(driver.send(out));
            for (int seen = 0; seen < 4; ) {
                driver.await(0);
                seen += driver.receive(in);
            }
        }
        long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        System.out.println("bytes allocated in " + 4 * (ROUNDS - MEASURED_FROM) + " packets: " + bytes);
        assertThat(bytes).as("in %d packets", 4 * (ROUNDS - MEASURED_FROM)).isLessThan((ROUNDS - MEASURED_FROM) / 4);
    }

    private static void assertThatIsSent(int packets) {
        if (packets != 4) {
            throw new AssertionError("sent " + packets);
        }
    }

    /** As {@link Batches#add}, but allocates nothing. */
    private void add(int socket, long peerLo, int port) {
        int i = out.count++;
        out.length[i] = 100;
        out.payload[i] = null;
        out.payloadLength[i] = 0;
        out.socket[i] = socket;
        out.peerHi[i] = 0;
        out.peerLo[i] = peerLo;
        out.peerPort[i] = port;
        out.level[i] = i;
    }

    @Test
    void aTunnelCarriesAllPortsOverOneAndTellsNoSocket() throws Exception {
        int tunnel;
        try (SyscallDriver any = open(Encapsulation.UDP, 0)) {
            tunnel = any.bind(InetAddress.getByName("127.0.0.2"), 0);
        }
        try (SyscallDriver one = open(Encapsulation.UDP_TUNNEL, tunnel);
                SyscallDriver other = open(Encapsulation.UDP_TUNNEL, tunnel)) {
            InetAddress here = InetAddress.getByName("127.0.0.2");
            InetAddress there = InetAddress.getByName("127.0.0.3");
            assertThat(one.bind(here, 99)).isEqualTo(99);
            assertThat(one.bind(here, 0)).isEqualTo(32_768);
            assertThat(one.bind(here, 0)).isEqualTo(32_769);
            one.attach(99, A);
            one.attach(32_768, B);
            other.attach(other.bind(there, 500), A);
            assertThatThrownBy(() -> one.bind(here, 99)).hasMessageContaining("in use in this process");
            try (SyscallDriver third = open(Encapsulation.UDP_TUNNEL, tunnel)) {
                assertThatThrownBy(() -> third.bind(here, 7)).hasMessageContaining("UDP port " + tunnel);
            }
            Batches.add(out, A, 0, Address.mappedLo(0x7F000003), 500, 1, 60, 40);
            Batches.add(out, B, 0, Address.mappedLo(0x7F000003), 500, 1, 60, 40);
            assertThat(one.send(out)).isEqualTo(2);
            int seen = 0;
            while (seen < 2) {
                int count = Batches.receive(other, in);
                for (int i = 0; i < count; i++, seen++) {
                    assertThat(in.socket[i]).isEqualTo(-1);
                    assertThat(in.peerPort[i]).isEqualTo(tunnel);
                    assertThat(Address.text(in.peerHi[i], in.peerLo[i])).isEqualTo("127.0.0.2");
                }
            }
            one.unbind(99);
            assertThat(one.bind(here, 99)).isEqualTo(99);
        }
    }
}
