package io.homa4j.driver;

import io.homa4j.driver.DriverException.Kind;
import io.homa4j.driver.libc.Errno;
import io.homa4j.driver.libc.FfmLibc;
import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.Xdp;
import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config.Encapsulation;
import io.homa4j.protocol.PacketBatch;
import java.lang.System.Logger;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Homa packets past the kernel's network stack: frames shared with one queue of one interface (AF_XDP). The ports belong to a
 * {@link SyscallDriver} inside, which takes every packet that cannot go this way: those of other interfaces and queues, with VLAN tags,
 * options or fragments, longer than a frame, and to next hops the kernel has yet to find; and the errors of the network. What goes
 * which way is decided for arriving packets by {@link XdpProgram}, for leaving ones by {@link NextHops}. Nothing is allocated per packet.
 */
public final class XdpDriver implements Driver {
    private static final Logger LOG = System.getLogger(XdpDriver.class.getName());

    private static final int SMALL_CHUNK = 2048;
    private static final int LARGE_CHUNK = 4096;
    /** Frames for packets that leave: what waits below the engine can no longer be put in a better order. */
    private static final int SEND_FRAMES = 256;
    /** How often the kernel is asked what has changed. */
    private static final long LOOK_NS = 4_000_000;
    /** How often the kernel's sockets are looked at while nothing seems to arrive there. */
    private static final int KERNEL_TURNS = 16;

    private static final long KERNEL_NS = 50_000;
    /** Overflows within this time are one reason to lower the receive capacity, not many. */
    private static final long LOWER_NS = 100_000_000;

    private static final long LEAST_CAPACITY = 64 << 10;
    private static final int PORTS = 65_536;
    private static final String ELSE = "use datapath auto or syscalls";

    /** A local address and port whose packets come this way. */
    private record Owned(long hi, long lo, int port) {}

    private final SyscallDriver kernel;
    private final Encapsulation encapsulation;
    private final int tunnelPort;
    private final XdpOptions options;
    private final Rtnetlink netlink;
    private final Rtnetlink.Link link;
    private final XdpHook.Claim claim;
    private final XdpProgram program;
    private final XdpHook hook;
    private final Umem umem;
    private final XskSocket socket;
    private final NextHops hops;
    private final EthernetFrame frames;

    /** Local addresses of bound ports, null for all; changed under its lock, which nothing on the packet path takes. */
    private final Map<Integer, @Nullable InetAddress> bound = new HashMap<>();

    // ---- owner's

    private boolean isClosed;
    private boolean isGone;
    /** What the program's map holds. */
    private final Set<Owned> owned = new HashSet<>();
    /** Attached ports, with the engine's socket. */
    private final int[] socketOf = new int[PORTS];

    /** Port and local address (both halves 0: any) by the engine's socket; port 0: none. */
    private int[] portOf = new int[8];

    private long[] localHiOf = new long[8];
    private long[] localLoOf = new long[8];

    /** Frames of the last batch, to be given back before the next. */
    private int[] held = new int[64];

    private int heldCount;
    private long nowNs = System.nanoTime();
    private long lookedNs = nowNs;
    private long kernelNs = nowNs;
    private int turn;
    private long overflows;
    private long loweredNs = nowNs;
    private volatile long receiveCapacityBytes;

    private long received;
    private long foreign;
    private long sent;
    private long leftToKernel;
    private long sendFull;
    private long sendErrors;
    private long portsRefused;

    /** What was opened on the way to a driver, so that it can be closed if the rest cannot be had. */
    private static final class Parts {
        private @Nullable SyscallDriver kernel;
        private @Nullable Rtnetlink netlink;
        private XdpHook.@Nullable Claim claim;
        private @Nullable XdpProgram program;
        private @Nullable XskSocket socket;

        void close() {
            if (program != null) {
                program.close();
            }
            if (kernel != null) {
                kernel.close();
            }
            if (socket != null) {
                socket.close();
            }
            if (claim != null) {
                claim.give();
            }
            if (netlink != null) {
                netlink.close();
            }
        }
    }

    /**
     * Opens it and takes the queue of the interface.
     *
     * @param tunnelPort the port of the tunnel; else ignored
     * @param receiveBufferBytes SO_RCVBUF of the kernel's sockets
     * @throws DriverException saying what is in the way and what to do about it
     */
    static XdpDriver open(Encapsulation encapsulation, int tunnelPort, int receiveBufferBytes, XdpOptions options)
            throws DriverException {
        return open(encapsulation, tunnelPort, receiveBufferBytes, options, true);
    }

    /**
     * @param withLink false: attaches the program as kernels without links do
     */
    static XdpDriver open(
            Encapsulation encapsulation, int tunnelPort, int receiveBufferBytes, XdpOptions options, boolean withLink)
            throws DriverException {
        String obstacle = SyscallDriver.obstacle(encapsulation);
        if (obstacle != null) {
            throw unavailable(obstacle, "remove the cause, or use another datapath", null);
        }
        Parts parts = new Parts();
        boolean isOpen = false;
        String where = "";
        try {
            Libc libc = new FfmLibc();
            Rtnetlink netlink = new Rtnetlink(libc);
            parts.netlink = netlink;
            Rtnetlink.Link link = choose(netlink, options.interfaceName());
            where = "queue " + options.queue() + " of " + link.name();
            check(link, options);
            XdpHook.Claim claim = XdpHook.Claim.take(libc, link.index());
            parts.claim = claim;
            Umem umem = new Umem(chunkBytes(link.mtu()), options.frames(), SEND_FRAMES);
            XdpProgram program = XdpProgram.load(
                    libc,
                    link.queues(),
                    link.linkAddress(),
                    encapsulation == Encapsulation.IP ? IpPacket.HOMA : IpPacket.UDP,
                    umem.chunkBytes - Xdp.PACKET_HEADROOM);
            parts.program = program;
            XskSocket socket = XskSocket.open(libc, link.index(), options, umem);
            parts.socket = socket;
            program.socket(options.queue(), socket.descriptor);
            SyscallDriver kernel = new SyscallDriver(encapsulation, tunnelPort, receiveBufferBytes);
            parts.kernel = kernel;
            XdpHook hook = attach(libc, netlink, link, program, options.mode(), withLink);
            XdpDriver driver = new XdpDriver(
                    kernel, encapsulation, tunnelPort, options, netlink, link, claim, program, hook, umem, socket);
            isOpen = true;
            return driver;
        } catch (KernelSocket.Refused e) {
            throw describe(where, e);
        } finally {
            if (!isOpen) {
                parts.close();
            }
        }
    }

    private XdpDriver(
            SyscallDriver kernel,
            Encapsulation encapsulation,
            int tunnelPort,
            XdpOptions options,
            Rtnetlink netlink,
            Rtnetlink.Link link,
            XdpHook.Claim claim,
            XdpProgram program,
            XdpHook hook,
            Umem umem,
            XskSocket socket) {
        this.kernel = kernel;
        this.encapsulation = encapsulation;
        this.tunnelPort = tunnelPort;
        this.options = options;
        this.netlink = netlink;
        this.link = link;
        this.claim = claim;
        this.program = program;
        this.hook = hook;
        this.umem = umem;
        this.socket = socket;
        this.hops = new NextHops(netlink, link.index());
        this.frames = new EthernetFrame(encapsulation == Encapsulation.IP ? IpPacket.HOMA : IpPacket.UDP);
        this.receiveCapacityBytes = (long) options.frames() * frameMtu();
        Arrays.fill(socketOf, -1);
        hops.link(link);
        kernel.watch(socket);
    }

    // ---- finding out what is possible

    /** The interface of this name, or the one towards distant hosts. */
    private static Rtnetlink.Link choose(Rtnetlink netlink, @Nullable String name)
            throws KernelSocket.Refused, DriverException {
        List<Rtnetlink.Link> links = netlink.links();
        for (Rtnetlink.Link link : links) {
            if (link.name().equals(name)) {
                return link;
            }
        }
        if (name != null) {
            throw unavailable("there is no interface " + name, "name one of this host (ip link)", null);
        }
        // An address reserved for documentation: nothing is sent, the kernel only looks for a route.
        if (netlink.route(0, Address.mappedLo(0xC6336401), 0, 0) == 0) {
            int towardsOthers = netlink.routeInterface;
            for (Rtnetlink.Link link : links) {
                if (link.index() == towardsOthers) {
                    return link;
                }
            }
        }
        List<Rtnetlink.Link> possible =
                links.stream().filter(link -> link.isEthernet() && link.isUp()).toList();
        if (possible.size() == 1) {
            return possible.getFirst();
        }
        throw unavailable(
                "there is no default route that says which interface to use", "name it: --xdp INTERFACE", null);
    }

    private static void check(Rtnetlink.Link link, XdpOptions options) throws DriverException {
        if (!link.isEthernet() || link.linkAddress() == 0) {
            throw unavailable(link.name() + " is not an Ethernet interface", "name another one, or " + ELSE, null);
        }
        if (options.queue() >= link.queues()) {
            throw unavailable(
                    link.name() + " has no queue " + options.queue() + ", only " + link.queues() + " of them",
                    "choose a queue from 0 on",
                    null);
        }
    }

    private static int chunkBytes(int mtu) {
        return mtu + EthernetFrame.ETHERNET <= SMALL_CHUNK - Xdp.PACKET_HEADROOM ? SMALL_CHUNK : LARGE_CHUNK;
    }

    private static XdpHook attach(
            Libc libc,
            Rtnetlink netlink,
            Rtnetlink.Link link,
            XdpProgram program,
            XdpOptions.Mode mode,
            boolean withLink)
            throws KernelSocket.Refused, DriverException {
        try {
            return XdpHook.attach(libc, netlink, link, program, mode, withLink);
        } catch (KernelSocket.Refused e) {
            if (e.result != -Errno.EBUSY) {
                throw e;
            }
            String name = XdpHook.program(libc, netlink, link.index());
            throw unavailable(
                    "another XDP program" + (name.isEmpty() ? "" : " (" + name + ")") + " is attached to "
                            + link.name(),
                    "take it off (ip link set dev " + link.name() + " xdp off), or " + ELSE,
                    e);
        }
    }

    private static DriverException unavailable(String why, String remedy, @Nullable Throwable cause) {
        return new DriverException(
                Kind.OTHER,
                "the datapath xdp is not available: " + why,
                remedy,
                cause == null ? new UnsupportedOperationException(why) : cause);
    }

    private static DriverException describe(String where, KernelSocket.Refused e) {
        return switch (-e.result) {
            case Errno.EPERM, Errno.EACCES ->
                new DriverException(
                        Kind.PERMISSION,
                        "the datapath xdp is not available: " + e.getMessage(),
                        "run as root or grant CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF, or " + ELSE,
                        e);
            case Errno.EBUSY, Errno.EADDRINUSE ->
                unavailable(
                        where + " is taken by another process, and only one can have it",
                        "use another interface for this one, or " + ELSE,
                        e);
            case Errno.ENOBUFS, Errno.ENOMEM ->
                new DriverException(
                        Kind.NO_RESOURCES,
                        "the datapath xdp is not available: " + e.getMessage(),
                        "raise the limit of locked memory (ulimit -l), or use fewer frames (--xdp frames=N)",
                        e);
            case Errno.EMFILE, Errno.ENFILE ->
                new DriverException(
                        Kind.NO_RESOURCES,
                        "the datapath xdp is not available: too many open files",
                        "raise the limit of open files (ulimit -n)",
                        e);
            default ->
                unavailable(
                        (where.isEmpty() ? "" : where + ": ") + e.getMessage(),
                        "try --xdp mode=generic, or " + ELSE,
                        e);
        };
    }

    /** Which interface, and what the kernel does for it, for people. */
    String features() {
        return link.name() + " queue " + options.queue() + ", " + (hook.isNative() ? "native" : "generic")
                + (socket.isZeroCopy() ? ", zero copy" : ", copies")
                + (socket.isBusyPolled() ? ", busy polling" : "")
                + (hook.isLink() ? "" : ", no link")
                + "; else syscalls with " + kernel.features();
    }

    /** Bytes of the largest IP packet that fits into a frame. */
    private int frameMtu() {
        return umem.chunkBytes - Xdp.PACKET_HEADROOM - EthernetFrame.ETHERNET;
    }

    @Override
    public void feedback(Feedback feedback) {
        kernel.feedback(feedback);
    }

    // ---- ports

    @Override
    public int bind(@Nullable InetAddress local, int port) throws DriverException {
        int number = kernel.bind(local, port);
        synchronized (bound) {
            bound.put(number, local);
        }
        return number;
    }

    @Override
    public void attach(int port, int socketNumber) {
        kernel.attach(port, socketNumber);
        InetAddress local;
        synchronized (bound) {
            local = bound.get(port);
        }
        if (socketNumber >= portOf.length) {
            int length = Math.max(socketNumber + 1, 2 * portOf.length);
            portOf = Arrays.copyOf(portOf, length);
            localHiOf = Arrays.copyOf(localHiOf, length);
            localLoOf = Arrays.copyOf(localLoOf, length);
        }
        byte[] address = local == null || local.isAnyLocalAddress() ? null : local.getAddress();
        portOf[socketNumber] = port;
        localHiOf[socketNumber] = address == null ? 0 : Address.hi(address);
        localLoOf[socketNumber] = address == null ? 0 : Address.lo(address);
        socketOf[port] = socketNumber;
        own();
    }

    @Override
    public void unbind(int port) {
        synchronized (bound) {
            bound.remove(port);
        }
        int socketNumber = socketOf[port];
        socketOf[port] = -1;
        if (socketNumber >= 0 && portOf[socketNumber] == port) {
            portOf[socketNumber] = 0;
        }
        // First no more packets, then nobody to take them.
        own();
        kernel.unbind(port);
    }

    /** Makes the program's map hold what it shall: each attached port with its local address, or with all this host has. */
    private void own() {
        if (isClosed) {
            return;
        }
        Set<Owned> wanted = new HashSet<>();
        List<long[]> addresses;
        try {
            addresses = netlink.addresses();
        } catch (KernelSocket.Refused e) {
            LOG.log(Logger.Level.WARNING, "the addresses of this host cannot be read; packets come by system calls", e);
            addresses = List.of();
        }
        for (int port : portOf) {
            if (port == 0) {
                continue;
            }
            int number = socketOf[port];
            for (long[] address : addresses) {
                boolean isAny = (localHiOf[number] | localLoOf[number]) == 0;
                if (isAny || localHiOf[number] == address[0] && localLoOf[number] == address[1]) {
                    wanted.add(new Owned(
                            address[0], address[1], encapsulation == Encapsulation.UDP_TUNNEL ? tunnelPort : port));
                }
            }
        }
        for (Owned each : Set.copyOf(owned)) {
            if (!wanted.contains(each)) {
                program.disown(each.hi, each.lo, each.port);
                owned.remove(each);
            }
        }
        for (Owned each : wanted) {
            if (!owned.contains(each) && program.own(each.hi, each.lo, each.port, options.queue()) == 0) {
                owned.add(each);
            }
        }
        portsRefused = (long) wanted.size() - owned.size();
    }

    // ---- receiving

    @Override
    public int receive(PacketBatch batch) {
        nowNs = System.nanoTime();
        kernel.answer(batch, nowNs);
        batch.clear();
        if (isClosed) {
            return 0;
        }
        socket.giveBack(held, heldCount);
        heldCount = 0;
        hops.beginTurn();
        if (nowNs - lookedNs > LOOK_NS) {
            lookedNs = nowNs;
            look();
        }
        takeFrames(batch);
        if (socket.hasRoom) {
            socket.hasRoom = false;
            kernel.watchRoom(socket, false);
        }
        if (socket.isPending()) {
            kick();
        }
        if (batch.count < batch.capacity
                && (kernel.isDue() || ++turn % KERNEL_TURNS == 0 || nowNs - kernelNs > KERNEL_NS)) {
            kernelNs = nowNs;
            kernel.receiveMore(batch, nowNs);
        }
        return batch.count;
    }

    private void takeFrames(PacketBatch batch) {
        socket.isReadable = false;
        int count = Math.min(socket.available(), batch.capacity);
        if (count == 0) {
            socket.look();
            count = Math.min(socket.available(), batch.capacity);
        }
        if (count == 0) {
            return;
        }
        if (batch.capacity > held.length) {
            held = new int[batch.capacity];
        }
        for (int i = 0; i < count; i++) {
            long at = socket.receivedAt(i);
            held[heldCount++] = umem.frame(at);
            int slot = batch.count;
            if (!frames.read(umem.memory, at, socket.receivedBytes(i), batch, slot)) {
                continue;
            }
            batch.socket[slot] = encapsulation == Encapsulation.UDP ? socketOf[frames.targetPort] : -1;
            if (encapsulation == Encapsulation.UDP && batch.socket[slot] < 0) {
                // Its port was closed while it waited.
                foreign++;
                continue;
            }
            batch.count++;
        }
        socket.take(count);
        received += batch.count;
    }

    /** What has changed at the interface, its neighbours and routes, and whether packets were dropped. */
    private void look() {
        netlink.poll(hops);
        if (hops.takeChanged()) {
            lookAtLink();
            own();
        }
        long now = socket.overflows();
        if (now > overflows) {
            overflows = now;
            if (nowNs - loweredNs > LOWER_NS) {
                loweredNs = nowNs;
                receiveCapacityBytes = Math.max(LEAST_CAPACITY, receiveCapacityBytes - receiveCapacityBytes / 4);
            }
        }
    }

    private void lookAtLink() {
        try {
            for (Rtnetlink.Link each : netlink.links()) {
                if (each.index() == link.index()) {
                    hops.link(each);
                    return;
                }
            }
            hops.gone();
            if (!isGone) {
                isGone = true;
                LOG.log(Logger.Level.WARNING, link.name() + " is gone; packets leave by system calls from now on");
            }
        } catch (KernelSocket.Refused e) {
            LOG.log(Logger.Level.DEBUG, "the interfaces cannot be listed", e);
        }
    }

    // ---- sending

    @Override
    public int send(PacketBatch batch) {
        int i = 0;
        while (i < batch.count) {
            NextHops.Hop hop = hopFor(batch, i);
            if (hop == null) {
                int end = i + 1;
                while (end < batch.count && isAlike(batch, i, end)) {
                    end++;
                }
                // In the order of the batch, whichever way.
                kick();
                int done = kernel.send(batch, i, end);
                leftToKernel += done - i;
                if (done < end) {
                    return done;
                }
                i = end;
                continue;
            }
            if (socket.room() == 0) {
                kick();
                if (socket.room() == 0) {
                    sendFull++;
                    if (!socket.wantsRoom) {
                        kernel.watchRoom(socket, true);
                    }
                    return i;
                }
            }
            int frame = umem.take();
            int bytes = frames.write(
                    umem.memory,
                    umem.address(frame),
                    batch,
                    i,
                    hop,
                    encapsulation == Encapsulation.UDP ? portOf[batch.socket[i]] : tunnelPort,
                    encapsulation == Encapsulation.UDP ? batch.peerPort[i] : tunnelPort);
            socket.put(frame, bytes);
            sent++;
            i++;
        }
        kick();
        return batch.count;
    }

    /** Whether packet {@code b} goes to the same peer, from the same address, as {@code a}. */
    private static boolean isAlike(PacketBatch batch, int a, int b) {
        return batch.socket[a] == batch.socket[b]
                && batch.peerLo[a] == batch.peerLo[b]
                && batch.peerHi[a] == batch.peerHi[b]
                && batch.localLo[a] == batch.localLo[b]
                && batch.localHi[a] == batch.localHi[b];
    }

    /** The way this packet can leave as a frame; null: the kernel shall send it. */
    private NextHops.@Nullable Hop hopFor(PacketBatch batch, int i) {
        int number = batch.socket[i];
        if (isClosed || number < 0 || number >= portOf.length || portOf[number] == 0) {
            return null;
        }
        boolean isNamed = (batch.localHi[i] | batch.localLo[i]) != 0;
        NextHops.Hop hop = hops.find(
                batch.peerHi[i],
                batch.peerLo[i],
                isNamed ? batch.localHi[i] : localHiOf[number],
                isNamed ? batch.localLo[i] : localLoOf[number],
                nowNs);
        if (hop == null) {
            return null;
        }
        int frameBytes = frames.headerBytes(hop.isIpv4) + batch.length[i] + batch.payloadLength[i];
        return frameBytes - EthernetFrame.ETHERNET > hop.mtu || frameBytes > umem.chunkBytes - Xdp.PACKET_HEADROOM
                ? null
                : hop;
    }

    private void kick() {
        socket.kick();
        if (socket.sendError != 0) {
            sendErrors++;
        }
    }

    @Override
    public int sendRoomBytes() {
        int room = kernel.sendRoomBytes();
        if (isClosed || !hops.isUp()) {
            return room;
        }
        // A packet that goes through the kernel finds room there, whatever is free here.
        return Math.min(room, socket.room() * frameMtu());
    }

    // ---- waiting, knowing, ending

    @Override
    public void await(long timeoutNs) {
        kernel.await(timeoutNs);
    }

    @Override
    public void wake() {
        kernel.wake();
    }

    @Override
    public long awaitSlackNs() {
        return kernel.awaitSlackNs();
    }

    @Override
    public int maxDatagramBytes() {
        return kernel.maxDatagramBytes();
    }

    /** Packets for our interface are cut so that they fit into frames. */
    @Override
    public int mtu(long peerHi, long peerLo) {
        int mtu = kernel.mtu(peerHi, peerLo);
        return mtu == link.mtu() ? Math.min(mtu, frameMtu()) : mtu;
    }

    @Override
    public int linkMbps() {
        return kernel.linkMbps();
    }

    @Override
    public long receiveCapacityBytes() {
        long inKernel = kernel.receiveCapacityBytes();
        return inKernel == 0 ? receiveCapacityBytes : Math.min(inKernel, receiveCapacityBytes);
    }

    /** Where the frames are: {@link Umem#FILL} and its likes. For tests. */
    int frames(byte place) {
        return umem.count(place);
    }

    @Override
    public Map<String, Long> counters() {
        Map<String, Long> counters = new LinkedHashMap<>(kernel.counters());
        counters.merge("driver_packets_received", received, Long::sum);
        counters.merge("driver_packets_sent", sent, Long::sum);
        counters.merge("driver_send_calls", socket.kicks, Long::sum);
        counters.merge("driver_send_queue_full", sendFull, Long::sum);
        counters.merge("driver_receive_overflows", overflows, Long::sum);
        counters.merge("driver_damaged_datagrams", frames.damaged, Long::sum);
        counters.put("driver_xdp_received", received);
        counters.put("driver_xdp_sent", sent);
        counters.put("driver_xdp_left_to_kernel", leftToKernel);
        counters.put("driver_xdp_wrong_checksums", frames.wrongChecksums);
        counters.put("driver_xdp_unfinished_checksums", frames.unfinishedChecksums);
        counters.put("driver_xdp_late_packets", foreign);
        counters.put("driver_xdp_send_errors", sendErrors);
        counters.put("driver_xdp_ports_left_to_kernel", portsRefused);
        return counters;
    }

    @Override
    public void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        hook.detach();
        program.close();
        // Whoever sleeps comes back before the socket is gone.
        kernel.close();
        socket.close();
        claim.give();
        netlink.close();
    }
}
