package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.homa4j.driver.libc.Bpf;
import io.homa4j.driver.libc.Errno;
import io.homa4j.driver.libc.FfmLibc;
import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config.Encapsulation;
import io.homa4j.protocol.PacketBatch;
import io.homa4j.protocol.Status;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames between two hosts that are network namespaces. Needs root; skipped elsewhere. */
class XdpDriverTest {
    private static final int A = 3;
    private static final int B = 20;
    private static final int BUFFER = 1 << 20;

    private VethPair hosts;
    private final List<Driver> open = new ArrayList<>();
    private final List<String> told = new ArrayList<>();

    @BeforeEach
    void build() throws Exception {
        hosts = new VethPair(1);
    }

    @AfterEach
    void remove() throws Exception {
        open.forEach(Driver::close);
        if (hosts != null) {
            hosts.close();
        }
    }

    private <D extends Driver> D told(D driver) {
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

    private static XdpOptions options(String link, String others) {
        return XdpOptions.parse(others.isEmpty() ? link : link + "," + others);
    }

    private XdpDriver right(String options) throws Exception {
        return told(hosts.onRight(() -> XdpDriver.open(Encapsulation.UDP, 0, BUFFER, options("right0", options))));
    }

    private XdpDriver left(String options) throws Exception {
        return told(hosts.onLeft(() -> XdpDriver.open(Encapsulation.UDP, 0, BUFFER, options("left0", options))));
    }

    private Driver leftBySystemCalls() throws Exception {
        return told(hosts.onLeft(() -> new SyscallDriver(Encapsulation.UDP, 0, BUFFER)));
    }

    private static long count(Driver driver, String counter) {
        return Objects.requireNonNull(driver.counters().get(counter), counter);
    }

    private static byte[] bytes(String address) throws Exception {
        return InetAddress.getByName(address).getAddress();
    }

    private static void add(PacketBatch out, int socket, String to, int port, int mark, int payload) throws Exception {
        Batches.add(out, socket, Address.hi(bytes(to)), Address.lo(bytes(to)), port, mark, 60, payload);
    }

    /** Sends one packet until it has come by a frame: the first ones go through the kernel, which looks for the next hop. */
    private static int reach(Driver from, XdpDriver counting, Driver to, String address, int port, PacketBatch in)
            throws Exception {
        PacketBatch out = Batches.toSend();
        for (int i = 0; i < 5_000; i++) {
            long before = count(counting, "driver_xdp_sent");
            out.clear();
            add(out, A, address, port, 1, 100);
            from.receive(in);
            from.send(out);
            Batches.receive(to, in);
            if (count(counting, "driver_xdp_sent") > before) {
                return i;
            }
            LockSupport.parkNanos(2_000_000);
        }
        throw new AssertionError("no packet ever left as a frame: " + counting.counters());
    }

    @ParameterizedTest
    @CsvSource({
        "'', 10.94.0.2",
        "'', fd94::2",
        "mode=generic, 10.94.0.2",
        "mode=generic, fd94::2",
        "'mode=native,zero-copy=off', 10.94.0.2",
        "busy-poll=20, 10.94.0.2"
    })
    void packetsGoFromFrameToFrameWholeAndInOrder(String options, String address) throws Exception {
        XdpDriver from = left(options);
        XdpDriver to = right(options);
        int source = hosts.onLeft(() -> from.bind(null, 0));
        int target = hosts.onRight(() -> to.bind(null, 0));
        from.attach(source, A);
        to.attach(target, B);
        PacketBatch in = Batches.toReceive(to);
        reach(from, from, to, address, target, in);
        long before = count(to, "driver_xdp_received");
        byte[] expected = bytes(address.contains(":") ? VethPair.LEFT6 : VethPair.LEFT4);
        int largest = address.contains(":") ? 1_500 - 48 - 60 : 1_500 - 28 - 60;
        int next = 0;
        for (int round = 0; round < 40; round++) {
            PacketBatch out = Batches.toSend();
            for (int i = 0; i < 64; i++) {
                add(out, A, address, target, (round * 64 + i) % 100, i % 2 == 0 ? largest : i);
            }
            assertThat(from.send(out)).isEqualTo(64);
            for (int got = 0; got < 64; ) {
                int count = Batches.receive(to, in);
                for (int i = 0; i < count; i++, next++, got++) {
                    int payload = got % 2 == 0 ? largest : got;
                    assertThat(in.length[i]).isEqualTo(60 + payload);
                    assertThat(in.socket[i]).isEqualTo(B);
                    assertThat(in.peerPort[i]).isEqualTo(source);
                    assertThat(Address.bytes(in.peerHi[i], in.peerLo[i])).isEqualTo(expected);
                    assertThat(Address.bytes(in.localHi[i], in.localLo[i])).isEqualTo(bytes(address));
                    byte[] all =
                            in.packet[i].asSlice(in.packetAt[i], in.length[i]).toArray(ValueLayout.JAVA_BYTE);
                    for (int at = 0; at < all.length; at++) {
                        assertThat(all[at]).isEqualTo((byte) (next % 100 + (at < 60 ? 0 : 1)));
                    }
                }
            }
        }
        assertThat(count(to, "driver_xdp_received") - before).isEqualTo(40L * 64);
        assertThat(to.counters()).containsEntry("driver_xdp_wrong_checksums", 0L);
        assertThat(told).isEmpty();
        allFramesAreThere(from, 4096);
        allFramesAreThere(to, 4096);
    }

    /** Every frame is where it belongs when nothing is under way. */
    private static void allFramesAreThere(XdpDriver driver, int receiveFrames) {
        PacketBatch in = Batches.toReceive(driver);
        for (int i = 0; i < 10_000 && driver.frames(Umem.SENDING) > 0; i++) {
            driver.receive(in);
            driver.sendRoomBytes();
            LockSupport.parkNanos(100_000);
        }
        driver.receive(in);
        assertThat(driver.frames(Umem.SENDING)).isZero();
        assertThat(driver.frames(Umem.FREE)).isEqualTo(256);
        assertThat(driver.frames(Umem.HELD)).isZero();
        assertThat(driver.frames(Umem.FILL)).isEqualTo(receiveFrames);
    }

    @ParameterizedTest
    @ValueSource(strings = {VethPair.RIGHT4, VethPair.RIGHT6})
    void aPeerThatUsesSystemCallsSeesNoDifference(String address) throws Exception {
        Driver from = leftBySystemCalls();
        XdpDriver to = right("");
        int source = hosts.onLeft(() -> from.bind(null, 0));
        int target = hosts.onRight(() -> to.bind(null, 0));
        from.attach(source, A);
        to.attach(target, B);
        PacketBatch in = Batches.toReceive(to);
        PacketBatch out = Batches.toSend();
        for (int i = 0; i < 64; i++) {
            add(out, A, address, target, 7, 1_300);
        }
        // One segmented send of the kernel.
        assertThat(from.send(out)).isEqualTo(64);
        for (int got = 0; got < 64; ) {
            int count = Batches.receive(to, in);
            for (int i = 0; i < count; i++, got++) {
                assertThat(in.length[i]).isEqualTo(1_360);
                assertThat(in.socket[i]).isEqualTo(B);
            }
        }
        assertThat(to.counters()).containsEntry("driver_xdp_received", 64L);
        assertThat(to.counters()).containsEntry("driver_xdp_wrong_checksums", 0L);
        // And back, from the address that was asked.
        String back = address.equals(VethPair.RIGHT4) ? VethPair.LEFT4 : VethPair.LEFT6;
        PacketBatch answers = Batches.toReceive(from);
        for (int i = 0; i < 1_000 && count(to, "driver_xdp_sent") == 0; i++) {
            out.clear();
            add(out, B, back, source, 9, 100);
            out.localHi[0] = Address.hi(bytes(address));
            out.localLo[0] = Address.lo(bytes(address));
            to.receive(in);
            assertThat(to.send(out)).isEqualTo(1);
            assertThat(Batches.receive(from, answers)).isEqualTo(1);
            assertThat(Address.bytes(answers.peerHi[0], answers.peerLo[0])).isEqualTo(bytes(address));
            assertThat(answers.peerPort[0]).isEqualTo(target);
        }
        assertThat(count(to, "driver_xdp_sent")).isPositive();
        assertThat(told).isEmpty();
    }

    @Test
    void everythingThatIsNotHomaGoesOnAsIfNothingWereThere() throws Exception {
        XdpDriver driver = right("");
        int port = hosts.onRight(() -> driver.bind(null, 0));
        driver.attach(port, B);
        for (String address : new String[] {VethPair.RIGHT4, VethPair.RIGHT6}) {
            // For root an ICMP echo.
            assertThat(hosts.onLeft(() -> InetAddress.getByName(address).isReachable(5_000)))
                    .isTrue();
        }
        ServerSocket server = hosts.onRight(() -> new ServerSocket(0));
        try (server;
                Socket client = hosts.onLeft(() -> new Socket(VethPair.RIGHT4, server.getLocalPort()));
                Socket accepted = server.accept()) {
            client.getOutputStream().write(new byte[100_000]);
            assertThat(accepted.getInputStream().readNBytes(100_000)).hasSize(100_000);
        }
        // UDP to another port: to its owner, or answered by the kernel.
        try (DatagramSocket other = hosts.onRight(() -> new DatagramSocket());
                DatagramSocket asking = hosts.onLeft(() -> new DatagramSocket())) {
            byte[] hello = new byte[200];
            asking.connect(new InetSocketAddress(VethPair.RIGHT4, other.getLocalPort()));
            asking.send(new DatagramPacket(hello, hello.length));
            DatagramPacket got = new DatagramPacket(new byte[300], 300);
            other.receive(got);
            assertThat(got.getLength()).isEqualTo(200);
        }
        assertThat(driver.counters()).containsEntry("driver_xdp_received", 0L);
    }

    @Test
    void aPortThatNobodyHasIsAnsweredByTheKernel() throws Exception {
        XdpDriver server = right("");
        XdpDriver client = left("");
        int gone = hosts.onRight(() -> server.bind(null, 0));
        server.attach(gone, B);
        int source = hosts.onLeft(() -> client.bind(null, 0));
        client.attach(source, A);
        PacketBatch in = Batches.toReceive(server);
        reach(client, client, server, VethPair.RIGHT4, gone, in);
        server.unbind(gone);
        PacketBatch out = Batches.toSend();
        for (int i = 0; i < 5_000 && told.isEmpty(); i++) {
            out.clear();
            add(out, A, VethPair.RIGHT4, gone, 1, 100);
            client.receive(in);
            client.send(out);
            LockSupport.parkNanos(2_000_000);
        }
        assertThat(told).contains("NO_SERVER 10.94.0.2 " + gone);
    }

    @Test
    void packetsThatFindNoFrameAreCountedAndNoFrameIsLost() throws Exception {
        XdpDriver to = right("frames=64");
        XdpDriver from = left("");
        int source = hosts.onLeft(() -> from.bind(null, 0));
        int target = hosts.onRight(() -> to.bind(null, 0));
        from.attach(source, A);
        to.attach(target, B);
        PacketBatch in = Batches.toReceive(to);
        reach(from, from, to, VethPair.RIGHT4, target, in);
        long capacity = to.receiveCapacityBytes();
        long before = count(to, "driver_xdp_received");
        PacketBatch out = Batches.toSend();
        for (int round = 0; round < 10; round++) {
            out.clear();
            for (int i = 0; i < 64; i++) {
                add(out, A, VethPair.RIGHT4, target, 1, 1_000);
            }
            assertThat(from.send(out)).isEqualTo(64);
        }
        long got = 0;
        for (int i = 0; i < 1_000 && count(to, "driver_receive_overflows") == 0; i++) {
            got += to.receive(in);
            LockSupport.parkNanos(2_000_000);
        }
        for (int count = to.receive(in); count > 0; count = to.receive(in)) {
            got += count;
        }
        assertThat(count(to, "driver_xdp_received") - before).isEqualTo(got);
        assertThat(count(to, "driver_receive_overflows") + got).isEqualTo(640);
        assertThat(got).isPositive();
        assertThat(to.receiveCapacityBytes()).as("senders are allowed less").isLessThanOrEqualTo(capacity);
        allFramesAreThere(to, 64);
        allFramesAreThere(from, 4096);
        reach(from, from, to, VethPair.RIGHT4, target, in);
    }

    @Test
    void anInterfaceMayGoDownAndComeUpAgain() throws Exception {
        XdpDriver from = left("");
        XdpDriver to = right("");
        int source = hosts.onLeft(() -> from.bind(null, 0));
        int target = hosts.onRight(() -> to.bind(null, 0));
        from.attach(source, A);
        to.attach(target, B);
        PacketBatch in = Batches.toReceive(to);
        reach(from, from, to, VethPair.RIGHT4, target, in);
        VethPair.run("ip", "-n", hosts.left, "link", "set", "left0", "down");
        PacketBatch out = Batches.toSend();
        for (int i = 0; i < 2_000 && told.isEmpty(); i++) {
            out.clear();
            add(out, A, VethPair.RIGHT4, target, 1, 100);
            from.receive(in);
            assertThat(from.send(out)).isEqualTo(1);
            LockSupport.parkNanos(1_000_000);
        }
        assertThat(told).as("the kernel says so").contains("HOST_UNREACHABLE 10.94.0.2 0");
        assertThat(from.sendRoomBytes()).isPositive();
        VethPair.run("ip", "-n", hosts.left, "link", "set", "left0", "up");
        for (int i = 0; i < 2_000; i++) {
            out.clear();
            add(out, A, VethPair.RIGHT4, target, 1, 100);
            from.receive(in);
            long before = count(from, "driver_xdp_sent");
            from.send(out);
            LockSupport.parkNanos(2_000_000);
            if (to.receive(in) > 0 && count(from, "driver_xdp_sent") > before) {
                break;
            }
        }
        reach(from, from, to, VethPair.RIGHT4, target, in);
        while (to.receive(in) > 0) {
            // What was sent meanwhile.
        }
        allFramesAreThere(from, 4096);
        allFramesAreThere(to, 4096);
    }

    @Test
    void anInterfaceThatIsRemovedLeavesTheSystemCalls() throws Exception {
        XdpDriver from = left("");
        XdpDriver to = right("");
        int source = hosts.onLeft(() -> from.bind(null, 0));
        int target = hosts.onRight(() -> to.bind(null, 0));
        from.attach(source, A);
        to.attach(target, B);
        PacketBatch in = Batches.toReceive(to);
        reach(from, from, to, VethPair.RIGHT4, target, in);
        VethPair.run("ip", "-n", hosts.left, "link", "delete", "left0");
        PacketBatch out = Batches.toSend();
        for (int i = 0; i < 2_000 && told.isEmpty(); i++) {
            out.clear();
            add(out, A, VethPair.RIGHT4, target, 1, 100);
            from.receive(in);
            assertThat(from.send(out)).isEqualTo(1);
            LockSupport.parkNanos(1_000_000);
        }
        assertThat(told).contains("HOST_UNREACHABLE 10.94.0.2 0");
        // The host still reaches itself.
        out.clear();
        add(out, A, "127.0.0.1", source, 1, 100);
        assertThat(from.send(out)).isEqualTo(1);
        assertThat(Batches.receive(from, in)).isEqualTo(1);
    }

    @Test
    void nothingIsAllocatedPerPacket() throws Exception {
        XdpDriver from = left("");
        XdpDriver to = right("");
        int source = hosts.onLeft(() -> from.bind(null, 0));
        int target = hosts.onRight(() -> to.bind(null, 0));
        from.attach(source, A);
        to.attach(target, B);
        PacketBatch in = Batches.toReceive(to);
        reach(from, from, to, VethPair.RIGHT4, target, in);
        PacketBatch out = Batches.toSend();
        add(out, A, VethPair.RIGHT4, target, 1, 100);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = 0;
        int measured = 40_000;
        for (int round = -200_000; round < measured; round++) {
            if (round == 0) {
                before = threads.getCurrentThreadAllocatedBytes();
            }
            from.receive(in);
            if (from.send(out) != 1) {
                throw new AssertionError("the ring is full");
            }
            for (int got = 0; got == 0; ) {
                got = to.receive(in);
            }
        }
        long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        System.out.println("bytes allocated in " + measured + " packets: " + bytes);
        assertThat(bytes).as("in %d packets", measured).isLessThan(measured / 4);
    }

    @Test
    void aNeighbourThatMovesToAnotherCardIsFollowed() throws Exception {
        XdpDriver from = left("");
        XdpDriver to = right("");
        int source = hosts.onLeft(() -> from.bind(null, 0));
        int target = hosts.onRight(() -> to.bind(null, 0));
        from.attach(source, A);
        to.attach(target, B);
        PacketBatch in = Batches.toReceive(to);
        reach(from, from, to, VethPair.RIGHT4, target, in);
        to.close();
        open.remove(to);
        VethPair.run("ip", "-n", hosts.right, "link", "set", "right0", "address", "02:00:00:00:00:77");
        VethPair.run(
                "ip",
                "-n",
                hosts.left,
                "neighbour",
                "replace",
                VethPair.RIGHT4,
                "lladdr",
                "02:00:00:00:00:77",
                "dev",
                "left0",
                "nud",
                "reachable");
        XdpDriver moved = right("");
        int again = hosts.onRight(() -> moved.bind(null, target));
        moved.attach(again, B);
        reach(from, from, moved, VethPair.RIGHT4, target, in);
        assertThat(count(moved, "driver_xdp_received")).isPositive();
    }

    @Test
    void anAddressThatComesLaterIsServedToo() throws Exception {
        XdpDriver to = right("");
        Driver from = leftBySystemCalls();
        int source = hosts.onLeft(() -> from.bind(null, 0));
        int target = hosts.onRight(() -> to.bind(null, 0));
        from.attach(source, A);
        to.attach(target, B);
        VethPair.run("ip", "-n", hosts.right, "address", "add", "10.94.0.77/24", "dev", "right0");
        PacketBatch in = Batches.toReceive(to);
        PacketBatch out = Batches.toSend();
        for (int i = 0; i < 2_000 && count(to, "driver_xdp_received") == 0; i++) {
            out.clear();
            add(out, A, "10.94.0.77", target, 1, 100);
            to.receive(in);
            from.send(out);
            Batches.receive(to, in);
            LockSupport.parkNanos(2_000_000);
        }
        assertThat(count(to, "driver_xdp_received")).isPositive();
    }

    @Test
    void aPortOfOneAddressGetsOnlyWhatIsSentToIt() throws Exception {
        VethPair.run("ip", "-n", hosts.right, "address", "add", "10.94.0.77/24", "dev", "right0");
        XdpDriver to = right("");
        int target = hosts.onRight(() -> to.bind(InetAddress.getByName(VethPair.RIGHT4), 0));
        to.attach(target, B);
        PacketBatch in = Batches.toReceive(to);
        try (DatagramSocket other =
                        hosts.onRight(() -> new DatagramSocket(target, InetAddress.getByName("10.94.0.77")));
                DatagramSocket asking = hosts.onLeft(() -> new DatagramSocket())) {
            DatagramPacket hello = new DatagramPacket(new byte[200], 200);
            hello.setSocketAddress(new InetSocketAddress("10.94.0.77", target));
            asking.send(hello);
            other.receive(new DatagramPacket(new byte[300], 300));
            hello.setSocketAddress(new InetSocketAddress(VethPair.RIGHT4, target));
            asking.send(hello);
            assertThat(Batches.receive(to, in)).isEqualTo(1);
        }
        assertThat(to.counters()).containsEntry("driver_xdp_received", 1L);
    }

    @Test
    void fragmentsComeThroughTheKernel() throws Exception {
        XdpDriver to = right("");
        int target = hosts.onRight(() -> to.bind(null, 0));
        to.attach(target, B);
        PacketBatch in = Batches.toReceive(to);
        try (DatagramSocket asking = hosts.onLeft(() -> new DatagramSocket())) {
            DatagramPacket large = new DatagramPacket(new byte[4_000], 4_000);
            large.setSocketAddress(new InetSocketAddress(VethPair.RIGHT4, target));
            asking.send(large);
            assertThat(Batches.receive(to, in)).isEqualTo(1);
            assertThat(in.length[0]).isEqualTo(4_000);
        }
        assertThat(to.counters()).containsEntry("driver_xdp_received", 0L);
        assertThat(to.counters()).containsEntry("driver_packets_received", 1L);
    }

    @Test
    void aSleeperWakesForAFrame() throws Exception {
        XdpDriver from = left("");
        XdpDriver to = right("");
        int source = hosts.onLeft(() -> from.bind(null, 0));
        int target = hosts.onRight(() -> to.bind(null, 0));
        from.attach(source, A);
        to.attach(target, B);
        PacketBatch in = Batches.toReceive(to);
        reach(from, from, to, VethPair.RIGHT4, target, in);
        long before = count(to, "driver_xdp_received");
        Thread sleeper = Thread.ofPlatform().start(() -> to.await(Driver.FOREVER));
        while (sleeper.getState() != Thread.State.RUNNABLE) {
            Thread.onSpinWait();
        }
        PacketBatch out = Batches.toSend();
        add(out, A, VethPair.RIGHT4, target, 1, 100);
        from.send(out);
        sleeper.join();
        assertThat(Batches.receive(to, in)).isEqualTo(1);
        assertThat(to.counters()).containsEntry("driver_xdp_received", before + 1);
    }

    @Test
    void anInterfaceHasOneProcessAndIsFreeAfterIt() throws Exception {
        XdpDriver first = right("");
        assertThatThrownBy(() -> right(""))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("queue 0 of right0 is taken by another process")
                .hasMessageContaining("use another interface");
        first.close();
        assertThat(VethPair.run("ip", "-n", hosts.right, "link", "show", "right0"))
                .doesNotContain("xdp");
        right("");
        assertThat(VethPair.run("ip", "-n", hosts.right, "link", "show", "right0"))
                .contains("xdp");
    }

    /** What kernels without links leave behind when a process is killed: the program stays, its process does not. */
    @Test
    void aProgramThatAKilledProcessLeftIsTakenOff() throws Exception {
        Callable<Rtnetlink.Link> link = () -> {
            Rtnetlink netlink = new Rtnetlink(new FfmLibc());
            try {
                return netlink.links().stream()
                        .filter(each -> each.name().equals("right0"))
                        .findFirst()
                        .orElseThrow();
            } finally {
                netlink.close();
            }
        };
        Rtnetlink.Link before = hosts.onRight(link);
        hosts.onRight(() -> {
            FfmLibc libc = new FfmLibc();
            Rtnetlink netlink = new Rtnetlink(libc);
            XdpProgram program = XdpProgram.load(libc, 1, before.linkAddress(), IpPacket.UDP, 1_700);
            XdpHook hook = XdpHook.attach(libc, netlink, before, program, XdpOptions.Mode.NATIVE, false);
            assertThat(hook.isLink()).isFalse();
            program.close();
            netlink.close();
            return hook;
        });
        assertThat(hosts.onRight(link).xdpProgram()).isPositive();
        XdpDriver next = right("");
        assertThat(next.features()).contains("native").doesNotContain("no link");
        next.close();
        assertThat(hosts.onRight(link).xdpProgram()).isZero();
    }

    @Test
    void withoutLinksTheProgramIsAttachedToTheInterfaceAndTakenOffInTheEnd() throws Exception {
        XdpDriver driver =
                hosts.onRight(() -> XdpDriver.open(Encapsulation.UDP, 0, BUFFER, XdpOptions.parse("right0"), false));
        assertThat(driver.features()).contains("no link");
        assertThat(VethPair.run("ip", "-n", hosts.right, "link", "show", "right0"))
                .contains("xdp");
        driver.close();
        assertThat(VethPair.run("ip", "-n", hosts.right, "link", "show", "right0"))
                .doesNotContain("xdp");
    }

    /** Somebody else's program is not ours to take off. */
    @Test
    void aProgramOfSomebodyElseStaysAndIsNamed() throws Exception {
        hosts.onRight(() -> {
            FfmLibc libc = new FfmLibc();
            Rtnetlink netlink = new Rtnetlink(libc);
            Rtnetlink.Link link = netlink.links().stream()
                    .filter(each -> each.name().equals("right0"))
                    .findFirst()
                    .orElseThrow();
            int program = passAll(libc);
            assertThat(netlink.attachXdp(link.index(), program, 4, -1)).isZero();
            libc.close(program);
            netlink.close();
            return link;
        });
        assertThatThrownBy(() -> right(""))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("another XDP program")
                .hasMessageContaining("ip link set dev right0 xdp off");
        assertThat(VethPair.run("ip", "-n", hosts.right, "link", "show", "right0"))
                .contains("xdp");
    }

    private static int passAll(FfmLibc libc) {
        try (Arena arena = Arena.ofConfined()) {
            BpfAssembler code = new BpfAssembler().moveNumber(0, 2).exit();
            MemorySegment wish = arena.allocate(Bpf.ATTRIBUTE_SIZE, 8);
            wish.set(ValueLayout.JAVA_INT, Bpf.PROG_TYPE, Bpf.PROG_TYPE_XDP);
            wish.set(ValueLayout.JAVA_INT, Bpf.PROG_LENGTH, code.length());
            wish.set(
                    ValueLayout.JAVA_LONG,
                    Bpf.PROG_INSTRUCTIONS,
                    code.assemble(arena).address());
            wish.set(
                    ValueLayout.JAVA_LONG,
                    Bpf.PROG_LICENSE,
                    arena.allocateFrom("GPL").address());
            int program = libc.bpf(Bpf.PROG_LOAD, wish);
            assumeTrue(program >= 0, Errno.text(Math.min(program, 0)));
            return program;
        }
    }

    @Test
    void whatCannotBeHadIsRefusedWithOneLine() throws Exception {
        assertThatThrownBy(() -> right("queue=7"))
                .hasMessageContaining("right0 has no queue 7")
                .hasMessageNotContaining("\n");
        assertThatThrownBy(() -> right("zero-copy=required")).hasMessageNotContaining("\n");
        assertThatThrownBy(() ->
                        hosts.onRight(() -> XdpDriver.open(Encapsulation.UDP, 0, BUFFER, XdpOptions.parse("nowhere0"))))
                .hasMessageContaining("there is no interface nowhere0");
        assertThatThrownBy(
                        () -> hosts.onRight(() -> XdpDriver.open(Encapsulation.UDP, 0, BUFFER, XdpOptions.parse("lo"))))
                .hasMessageContaining("lo is not an Ethernet interface");
        // Nothing of it is left.
        right("").close();
    }

    @Test
    void autoTakesItIfAnInterfaceIsNamedAndSaysWhyNotIfItCannot() throws Exception {
        Datapath.Choice taken =
                hosts.onRight(() -> Datapath.AUTO.open(Encapsulation.UDP, 0, BUFFER, XdpOptions.parse("right0")));
        assertThat(taken.reason()).startsWith("datapath xdp (the best there is; right0 queue 0, native, copies");
        Datapath.Choice second =
                hosts.onRight(() -> Datapath.AUTO.open(Encapsulation.UDP, 0, BUFFER, XdpOptions.parse("right0")));
        assertThat(second.reason()).startsWith("datapath syscalls").contains("taken by another process");
        second.driver().close();
        taken.driver().close();
        Datapath.Choice without = hosts.onRight(() -> Datapath.AUTO.open(Encapsulation.UDP, 0, BUFFER, null));
        assertThat(without.reason()).startsWith("datapath syscalls").doesNotContain("xdp");
        without.driver().close();
    }

    @Test
    void theInterfaceTowardsOthersIsFoundWhereNoneIsNamed() throws Exception {
        XdpDriver only = hosts.onRight(() -> XdpDriver.open(Encapsulation.UDP, 0, BUFFER, XdpOptions.DEFAULT));
        assertThat(only.features()).startsWith("right0 ");
        only.close();
        VethPair.run("ip", "-n", hosts.right, "route", "add", "default", "via", VethPair.LEFT4);
        XdpDriver byRoute = hosts.onRight(() -> XdpDriver.open(Encapsulation.UDP, 0, BUFFER, XdpOptions.DEFAULT));
        assertThat(byRoute.features()).startsWith("right0 ");
        byRoute.close();
    }

    @Test
    void descriptorsAreAllGivenBack() throws Exception {
        right("").close();
        int before = descriptors();
        for (int i = 0; i < 5; i++) {
            right("").close();
            assertThatThrownBy(() -> right("zero-copy=required")).isInstanceOf(DriverException.class);
        }
        assertThat(descriptors()).isEqualTo(before);
    }

    private static int descriptors() throws IOException {
        String[] all = new File("/proc/self/fd").list();
        return all == null ? 0 : all.length;
    }

    @Test
    void theVerifierAcceptsTheProgramAndSaysWhyItRefusesAnother() {
        FfmLibc libc = new FfmLibc();
        assertThat(XdpProgram.verdict(libc, new BpfAssembler().moveNumber(1, 0).exit()))
                .contains("R0 !read_ok");
    }
}
