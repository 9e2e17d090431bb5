package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.PacketBatch;
import io.homa4j.protocol.Status;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What every driver over UDP does, between two ports of this host. */
abstract class DriverContract {
    static final int A = 3;
    static final int B = 20;

    final Driver driver = open();
    final List<String> told = new ArrayList<>();
    final PacketBatch in = Batches.toReceive(driver);
    final PacketBatch out = Batches.toSend();

    /** A new driver of the kind under test. */
    abstract Driver open();

    DriverContract() {
        driver.feedback(new Driver.Feedback() {
            @Override
            public void unreachable(long peerHi, long peerLo, int port, Status kind) {
                told.add(kind + " " + Address.text(peerHi, peerLo) + " " + port);
            }

            @Override
            public void pathMtu(long peerHi, long peerLo, int mtu) {
                told.add("mtu " + Address.text(peerHi, peerLo) + " " + mtu);
            }
        });
    }

    @AfterEach
    void close() {
        driver.close();
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, 60, 0", "127.0.0.1, 60, 1416", "127.0.0.1, 60, 65000", "::1, 60, 1396", "::1, 1, 0"})
    void headerAndPayloadArriveAsOneDatagramWithItsSource(String host, int header, int payload) throws Exception {
        byte[] address = InetAddress.getByName(host).getAddress();
        int from = driver.bind(null, 0);
        int to = driver.bind(null, 0);
        driver.attach(from, A);
        driver.attach(to, B);
        Batches.add(out, A, Address.hi(address), Address.lo(address), to, 5, header, payload);
        assertThat(driver.send(out)).isEqualTo(1);
        assertThat(Batches.receive(driver, in)).isEqualTo(1);
        assertThat(in.length[0]).isEqualTo(header + payload);
        assertThat(in.socket[0]).isEqualTo(B);
        assertThat(Address.bytes(in.peerHi[0], in.peerLo[0])).isEqualTo(address);
        assertThat(in.peerPort[0]).isEqualTo(from);
        byte[] bytes = in.packet[0].asSlice(in.packetAt[0], in.length[0]).toArray(ValueLayout.JAVA_BYTE);
        for (int i = 0; i < bytes.length; i++) {
            assertThat(bytes[i]).isEqualTo((byte) (i < header ? 5 : 6));
        }
        assertThat(told).isEmpty();
    }

    @Test
    void aBatchKeepsItsOrderAndAFullOneMeansMore() throws Exception {
        int from = driver.bind(null, 0);
        int to = driver.bind(null, 0);
        driver.attach(from, A);
        driver.attach(to, B);
        for (int round = 0; round < 2; round++) {
            out.clear();
            for (int i = 0; i < 64; i++) {
                Batches.add(out, A, 0, Batches.LOOPBACK_LO, to, round * 64 + i, 60, 100);
            }
            assertThat(driver.send(out)).isEqualTo(64);
        }
        int next = 0;
        while (next < 128) {
            int count = Batches.receive(driver, in);
            for (int i = 0; i < count; i++) {
                assertThat(Batches.mark(in, i)).isEqualTo((byte) next++);
            }
        }
        assertThat(driver.receive(in)).isZero();
        assertThat(driver.counters()).containsEntry("driver_packets_sent", 128L);
        assertThat(driver.counters()).containsEntry("driver_packets_received", 128L);
    }

    /** As a server's answers to several clients of one host, all of one size and level. */
    @Test
    void packetsForSeveralPortsOfOneHostGoEachToItsOwn() throws Exception {
        int[] ports = new int[3];
        for (int i = 0; i < ports.length; i++) {
            ports[i] = driver.bind(null, 0);
            driver.attach(ports[i], A + i);
        }
        for (int i = 0; i < 12; i++) {
            Batches.add(out, A, 0, Batches.LOOPBACK_LO, ports[i / 2 % 3], 8 * (i / 2 % 3), 60, 40);
        }
        assertThat(driver.send(out)).isEqualTo(12);
        int[] seen = new int[3];
        for (int left = 12; left > 0; ) {
            int count = Batches.receive(driver, in);
            for (int i = 0; i < count; i++, left--) {
                assertThat(Batches.mark(in, i)).isEqualTo((byte) (8 * (in.socket[i] - A)));
                seen[in.socket[i] - A]++;
            }
        }
        assertThat(seen).containsExactly(4, 4, 4);
    }

    @Test
    void packetsBeforeAttachmentWaitInTheKernel() throws Exception {
        int from = driver.bind(null, 0);
        int to = driver.bind(null, 0);
        driver.attach(from, A);
        Batches.add(out, A, 0, Batches.LOOPBACK_LO, to, 1, 60, 0);
        assertThat(driver.send(out)).isEqualTo(1);
        assertThat(driver.receive(in)).isZero();
        driver.attach(to, B);
        assertThat(Batches.receive(driver, in)).isEqualTo(1);
    }

    @Test
    void aQuietPortIsFoundThoughItIsNotAskedEveryTime() throws Exception {
        int from = driver.bind(null, 0);
        int to = driver.bind(null, 0);
        driver.attach(from, A);
        driver.attach(to, B);
        for (int i = 0; i < 1_000; i++) {
            assertThat(driver.receive(in)).isZero();
        }
        Batches.add(out, A, 0, Batches.LOOPBACK_LO, to, 1, 60, 0);
        assertThat(driver.send(out)).isEqualTo(1);
        driver.await(Driver.FOREVER);
        assertThat(driver.receive(in)).as("the selector has named it").isEqualTo(1);
    }

    /** Looks until the driver no longer asks the only port with nothing to receive every time. */
    final void fallQuiet() {
        for (int i = 0; i < 1_000; i++) {
            assertThat(driver.receive(in)).isZero();
        }
    }

    @Test
    void aQuietPortIsFoundWithinEightLooks() throws Exception {
        int from = driver.bind(null, 0);
        int to = driver.bind(null, 0);
        driver.attach(from, A);
        driver.attach(to, B);
        Batches.add(out, A, 0, Batches.LOOPBACK_LO, to, 1, 60, 0);
        for (int round = 0; round < 20; round++) {
            fallQuiet();
            assertThat(driver.send(out)).isEqualTo(1);
            int found = 0;
            for (int look = 0; look < 8; look++) {
                found += driver.receive(in);
            }
            assertThat(found).isEqualTo(1);
        }
    }

    /** Else it would take its own pause for the silence of others. */
    @Test
    void whoLooksAfterAPauseAsksQuietPortsToo() throws Exception {
        int from = driver.bind(null, 0);
        int to = driver.bind(null, 0);
        driver.attach(from, A);
        driver.attach(to, B);
        Batches.add(out, A, 0, Batches.LOOPBACK_LO, to, 1, 60, 0);
        for (int round = 0; round < 20; round++) {
            fallQuiet();
            for (int i = 0; i < round % 8; i++) {
                driver.receive(in);
            }
            assertThat(driver.send(out)).isEqualTo(1);
            long startNs = System.nanoTime();
            while (System.nanoTime() - startNs < 1_000_000) {
                Thread.onSpinWait();
            }
            assertThat(driver.receive(in)).as("round %d", round).isEqualTo(1);
        }
    }

    @Test
    void aSleeperIsWokenOnceForAWakeUpBeforeOrWhileItSleeps() throws Exception {
        driver.wake();
        driver.await(Driver.FOREVER);
        CountDownLatch woken = new CountDownLatch(1);
        Thread sleeper = Thread.ofPlatform().start(() -> {
            driver.await(Driver.FOREVER);
            woken.countDown();
        });
        while (woken.getCount() > 0) {
            driver.wake();
            if (woken.await(1, TimeUnit.MILLISECONDS)) {
                break;
            }
        }
        sleeper.join();
        Thread.currentThread().interrupt();
        driver.await(Driver.FOREVER);
        assertThat(Thread.interrupted())
                .as("an interrupt ends the sleep and is kept")
                .isTrue();
    }

    @Test
    void interruptedThreadsSendAndReceiveWithoutClosingTheChannel() throws Exception {
        int from = driver.bind(null, 0);
        int to = driver.bind(null, 0);
        driver.attach(from, A);
        driver.attach(to, B);
        Batches.add(out, A, 0, Batches.LOOPBACK_LO, to, 1, 60, 0);
        Thread.currentThread().interrupt();
        assertThat(driver.send(out)).isEqualTo(1);
        driver.receive(in);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(driver.send(out)).isEqualTo(1);
        assertThat(Batches.receive(driver, in)).isPositive();
    }

    @Test
    void aBusyPortAndAForeignAddressSayWhatToDo() throws Exception {
        int taken = driver.bind(null, 0);
        try (Driver other = open()) {
            assertThatThrownBy(() -> other.bind(null, taken)).isInstanceOfSatisfying(DriverException.class, e -> {
                assertThat(e.kind()).isEqualTo(DriverException.Kind.PORT_IN_USE);
                assertThat(e).hasMessageContaining("UDP port " + taken).hasMessageContaining(e.remedy());
            });
            InetAddress foreign = InetAddress.getByAddress(new byte[] {(byte) 192, 0, 2, 77});
            assertThatThrownBy(() -> other.bind(foreign, 0))
                    .isInstanceOfSatisfying(
                            DriverException.class,
                            e -> assertThat(e.kind()).isEqualTo(DriverException.Kind.BAD_ADDRESS));
        }
    }

    /** Repeated, because whoever sleeps may wake and sleep again faster than the port is let go. */
    @RepeatedTest(200)
    void anUnboundPortIsFreeAtOnceAlsoWhileSomebodySleeps() throws Exception {
        int port = driver.bind(null, 0);
        driver.attach(port, A);
        Thread sleeper = Thread.ofPlatform().daemon().start(() -> {
            while (!Thread.currentThread().isInterrupted()) {
                driver.await(Driver.FOREVER);
            }
        });
        driver.unbind(port);
        try (Driver other = open()) {
            assertThat(other.bind(null, port)).isEqualTo(port);
        }
        sleeper.interrupt();
        sleeper.join();
        driver.unbind(port);
    }

    @Test
    void aPortBoundToOneAddressNamesItOnEveryPacket() throws Exception {
        InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        int from = driver.bind(loopback, 0);
        int to = driver.bind(loopback, 0);
        driver.attach(from, A);
        driver.attach(to, B);
        Batches.add(out, A, 0, Batches.LOOPBACK_LO, to, 1, 60, 0);
        assertThat(driver.send(out)).isEqualTo(1);
        assertThat(Batches.receive(driver, in)).isEqualTo(1);
        assertThat(in.localLo[0]).isEqualTo(Batches.LOOPBACK_LO);
        out.clear();
        Batches.add(out, A, 0, 1, to, 1, 60, 0);
        assertThat(driver.send(out))
                .as("refused for good, which counts as lost")
                .isEqualTo(1);
        assertThat(told).containsExactly("HOST_UNREACHABLE 0:0:0:0:0:0:0:1 0");
    }

    @Test
    void aDatagramTooBigForThePathLowersItsMtu() throws Exception {
        int from = driver.bind(null, 0);
        driver.attach(from, A);
        // The largest UDP payload over IPv4 is 65,507 bytes.
        Batches.add(out, A, 0, Batches.LOOPBACK_LO, from, 1, 60, 65_460);
        assertThat(driver.send(out)).isEqualTo(1);
        assertThat(told).hasSize(1).first().asString().matches("mtu 127.0.0.1 6553[56]");
        assertThat(driver.counters()).containsEntry("driver_packets_too_big", 1L);
    }

    @Test
    void nothingIsInTheWayOfSendingWhileNothingWaitsBelow() throws Exception {
        assertThat(driver.sendRoomBytes()).isPositive();
    }

    @Test
    void ownAddressesAreReachedWithLoopbackPackets() throws Exception {
        assertThat(driver.mtu(0, Batches.LOOPBACK_LO)).isGreaterThanOrEqualTo(1_500);
        assertThat(driver.mtu(0, Address.mappedLo(0x7F010203)))
                .as("all of 127/8")
                .isGreaterThanOrEqualTo(1_500);
        assertThat(driver.mtu(0, 1)).as("::1").isGreaterThanOrEqualTo(1_500);
        assertThat(driver.mtu(0, Address.mappedLo(0x08080808))).isBetween(1_280, 65_535);
    }

    @Test
    void afterCloseNothingCanBeBoundAndSleepersComeBack() throws Exception {
        driver.close();
        driver.close();
        driver.await(Driver.FOREVER);
        driver.wake();
        assertThatThrownBy(() -> driver.bind(null, 0)).isInstanceOf(DriverException.class);
    }
}
