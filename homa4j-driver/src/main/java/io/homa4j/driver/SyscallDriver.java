package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.homa4j.driver.DriverException.Kind;
import io.homa4j.driver.libc.Errno;
import io.homa4j.driver.libc.FfmLibc;
import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.Socket;
import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config.Encapsulation;
import io.homa4j.protocol.PacketBatch;
import io.homa4j.protocol.Status;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Homa packets in UDP datagrams through system calls of Linux: many packets for one call ({@code sendmmsg},
 * {@code recvmmsg}), many for one pass through the kernel (UDP_SEGMENT, UDP_GRO), a traffic class and a source address for
 * each, errors of the network as they come, sleeps of microseconds. Nothing is allocated per packet.
 *
 * <p>Over {@code udp} every port has a socket for each family. Over {@code udp-tunnel} one such pair, on the tunnel's port,
 * carries all ports; they stand in the header. So it is over {@code ip}, with raw sockets of IP protocol 146, which the kernel
 * filters by port; a port is owned by whoever holds a UDP socket of that number ({@link HeldPorts}), and one process of the host
 * answers for ports that nobody has ({@link AbsentPorts}).
 *
 * <p>Payload of packets to send must be native memory.
 */
public final class SyscallDriver implements Driver {
    private static final Logger LOG = System.getLogger(SyscallDriver.class.getName());

    /** Backlog in the kernel must stay short, because the order of packets is decided before it: at first, as it counts. */
    private static final int SEND_BUFFER = 256 << 10;
    /** And at most, whatever is wished for. */
    private static final int MAX_SEND_BUFFER = 1 << 20;
    /** The kernel counts a packet of 1500 bytes as 2304, segmented sends less: bytes of full packets per byte counted. */
    private static final double PACKET_BYTES_PER_COUNTED = 1514 / 2304.0;
    /** {@code epoll_pwait2} is late by the kernel's timer slack of 50 us and the time to wake up. */
    private static final long AWAIT_SLACK_NS = 100_000;

    private static final int MAX_DATAGRAM = 65_535;
    /** How often the same packet is tried when an error was about an earlier one. */
    private static final int MAX_TRIES = 4;
    /** Tries to find a port that is free for both families. */
    private static final int PORT_TRIES = 64;

    // Sockets that were silent for so many polls are not asked but looked at through epoll, every eighth turn or after
    // a
    // while: whoever was kept from running must see what has arrived before it takes its pause for silence.
    private static final int QUIET_AFTER = 64;
    private static final int QUIET_TURNS = 8;
    private static final long QUIET_NS = 100_000;

    /** Overflows within this time are one reason to lower the receive capacity, not many. */
    private static final long LOWER_NS = 100_000_000;

    private static final long LEAST_CAPACITY = 64 << 10;

    private static final int FIRST_AUTOMATIC_PORT = 32_768;
    private static final int LAST_PORT = 65_535;
    /** Peers to whom segmented sends were refused, by hash. */
    private static final int REFUSED_SLOTS = 1024;

    /** Buffers of sockets that are only held, bytes. */
    private static final int SMALL_BUFFER = 4096;

    private static final Path PROC = Path.of("/proc");

    /** A socket for each family, of which one may be missing. */
    private record Pair(
            @Nullable KernelSocket ipv4, @Nullable KernelSocket ipv6) {
        int port() {
            return ipv4 != null ? ipv4.port : ipv6 != null ? ipv6.port : 0;
        }

        void each(Consumer<KernelSocket> action) {
            if (ipv4 != null) {
                action.accept(ipv4);
            }
            if (ipv6 != null) {
                action.accept(ipv6);
            }
        }
    }

    /** A Homa port: the sockets it uses, and over {@code ip} those that only hold its number. */
    private static final class Port {
        final int number;
        final Pair pair;
        final @Nullable Pair held;
        int socket = -1;

        Port(int number, Pair pair, @Nullable Pair held) {
            this.number = number;
            this.pair = pair;
            this.held = held;
        }
    }

    private final Encapsulation encapsulation;
    private final int tunnelPort;
    private final int askedReceiveBuffer;
    private final Supplier<Libc> libcs;
    /** The owner's. */
    private final Libc libc;

    private final Offloads offloads;
    private final Sleeper sleeper;
    private final ErrorQueue errors;
    private final LocalLinks links = new LocalLinks();
    private final MemorySegment value = Arena.ofAuto().allocate(8, 8);

    /** Every bound port; changed under the lock, which nothing on the packet path takes. */
    private final List<Port> bound = new ArrayList<>();
    /** The sockets that all ports share in the tunnel and over {@code ip}. Under the same lock. */
    private @Nullable Pair shared;

    private boolean isClosed;
    private volatile long receiveCapacityBytes;
    /** Somebody has just slept, so that sockets which have something are marked, and no other needs to be asked. */
    private volatile boolean hasJustLooked;
    /** Bytes the kernel may hold of each socket, as it counts; changed by the owner, read by who binds. */
    private volatile int sendBuffer = SEND_BUFFER;

    // ---- owner's

    /** Ports by socket number. */
    private @Nullable Port[] bySocket = new Port[8];
    /** Sockets that are received from. */
    private KernelSocket[] sockets = {};

    private Feedback feedback = new NoFeedback();
    private @Nullable ReceiveRing ring;
    /** Port that all packets are sent to, or {@link SendMessages#OWN_PORTS}. */
    private final int fixedPort;

    private SendMessages toIpv4;
    private SendMessages toIpv6;
    /** Only over {@code ip}. */
    private @Nullable PortUnreachable answers;

    private @Nullable AbsentPorts absent;
    private final boolean[] refusesSegments = new boolean[REFUSED_SLOTS];
    private int nextSocket;
    private int turn;
    private long lookedNs = System.nanoTime();
    private long overflowsSeen;
    /** When the receive capacity was last lowered. */
    private long loweredNs = System.nanoTime();

    private long received;
    private long sent;
    private long sendCalls;
    private long receiveCalls;
    private long segmented;
    private long segmentedPackets;
    private long segmentRefusals;
    private long sendFull;
    private long sendRefusals;
    private long tooBig;
    private long receiveErrors;

    /**
     * Opens it; only where nothing is an {@link #obstacle}.
     *
     * @param tunnelPort the port of the tunnel; else ignored
     * @param receiveBufferBytes SO_RCVBUF to ask for, per socket; the kernel may grant less
     * @throws UncheckedIOException if the process may open no more files
     */
    SyscallDriver(Encapsulation encapsulation, int tunnelPort, int receiveBufferBytes) {
        this(encapsulation, tunnelPort, receiveBufferBytes, FfmLibc::new);
    }

    /**
     * @param libcs makes one for each thread that makes system calls
     */
    SyscallDriver(Encapsulation encapsulation, int tunnelPort, int receiveBufferBytes, Supplier<Libc> libcs) {
        this.encapsulation = encapsulation;
        this.tunnelPort = tunnelPort;
        this.askedReceiveBuffer = receiveBufferBytes;
        this.libcs = libcs;
        this.fixedPort = switch (encapsulation) {
            case UDP -> SendMessages.OWN_PORTS;
            case UDP_TUNNEL -> tunnelPort;
            case IP -> 0;
        };
        this.toIpv4 = new SendMessages(64, false, fixedPort);
        this.toIpv6 = new SendMessages(64, true, fixedPort);
        this.libc = libcs.get();
        this.offloads = Offloads.probe(libc);
        this.errors = new ErrorQueue(libc, encapsulation);
        try {
            this.sleeper = new Sleeper(libcs);
            if (encapsulation == Encapsulation.IP) {
                answers = new PortUnreachable(libc, System.nanoTime());
                absent = new AbsentPorts(libc, PROC, answers, System.nanoTime());
            }
        } catch (KernelSocket.Refused e) {
            throw new UncheckedIOException("cannot open an epoll or a raw socket: " + e.getMessage(), e);
        }
    }

    /** Why this driver cannot be opened, as the rest of a sentence; null if it can. */
    static @Nullable String obstacle(Encapsulation encapsulation) {
        String missing = FfmLibc.obstacle();
        return missing != null ? missing : obstacle(encapsulation, new FfmLibc(), PROC);
    }

    /** The same as far as this kernel is concerned. */
    static @Nullable String obstacle(Encapsulation encapsulation, Libc libc, Path proc) {
        String sleepless = Sleeper.obstacle(libc);
        return sleepless != null || encapsulation != Encapsulation.IP ? sleepless : obstacleToIp(libc, proc);
    }

    private static @Nullable String obstacleToIp(Libc libc, Path proc) {
        if (HeldPorts.isKernelModuleThere(proc)) {
            return "the kernel module of Homa is loaded and takes all packets of IP protocol 146"
                    + " (rmmod homa, or use encapsulation udp)";
        }
        int raw = libc.socket(Socket.AF_INET, Socket.SOCK_RAW | Socket.SOCK_CLOEXEC, IpPacket.HOMA);
        if (raw < 0) {
            return "raw sockets of IP protocol 146 are denied: " + Errno.text(raw)
                    + "; run as root or grant CAP_NET_RAW";
        }
        libc.close(raw);
        return null;
    }

    /** What the kernel does for many packets at once, for people. */
    String features() {
        return (offloads.maxSegments() > 1 ? offloads.maxSegments() + " segments a send" : "no segmented sends")
                + (offloads.mergesReceived() ? ", merged receives" : ", no merged receives");
    }

    @Override
    public void feedback(Feedback feedback) {
        this.feedback = feedback;
    }

    // ---- ports

    @Override
    public int bind(@Nullable InetAddress local, int port) throws DriverException {
        synchronized (bound) {
            if (isClosed) {
                throw new DriverException(
                        Kind.OTHER,
                        "cannot bind port " + port + ": the driver is closed",
                        "open another one",
                        new ClosedChannelException());
            }
            Port fresh = switch (encapsulation) {
                case UDP -> {
                    Pair own = open(local, port, udp());
                    yield new Port(own.port(), own, null);
                }
                case UDP_TUNNEL -> {
                    int number = freePort(port);
                    yield new Port(number, shared(local), null);
                }
                case IP -> hold(local, port);
            };
            bound.add(fresh);
            if (encapsulation == Encapsulation.IP) {
                filter(fresh.pair);
            }
            return fresh.number;
        }
    }

    private KernelSocket.Wish udp() {
        return new KernelSocket.Wish(Socket.IPPROTO_UDP, askedReceiveBuffer, sendBuffer, offloads.mergesReceived());
    }

    /** Sockets to receive from. */
    private Pair open(@Nullable InetAddress local, int port, KernelSocket.Wish wish) throws DriverException {
        Pair pair = openPair(local, port, wish);
        pair.each(socket -> receiveCapacityBytes = receiveCapacityBytes == 0
                ? socket.receiveBufferBytes
                : Math.min(receiveCapacityBytes, socket.receiveBufferBytes));
        return pair;
    }

    private Pair openPair(@Nullable InetAddress local, int port, KernelSocket.Wish wish) throws DriverException {
        Libc own = libcs.get();
        try {
            if (local != null) {
                boolean ipv6 = local instanceof Inet6Address;
                KernelSocket only = KernelSocket.open(own, ipv6, local, port, wish);
                return new Pair(ipv6 ? null : only, ipv6 ? only : null);
            }
            return openBoth(own, port, wish);
        } catch (KernelSocket.Refused e) {
            String protocol = wish.isRaw() ? "IP protocol " + wish.protocol() : "UDP port " + port;
            throw KernelSocket.describe((local == null ? "" : local.getHostAddress() + " ") + protocol, e);
        }
    }

    private static Pair openBoth(Libc own, int port, KernelSocket.Wish wish) throws KernelSocket.Refused {
        for (int tried = 1; ; tried++) {
            KernelSocket ipv4 = null;
            try {
                ipv4 = KernelSocket.open(own, false, null, port, wish);
            } catch (KernelSocket.Refused e) {
                if (e.result != -Errno.EAFNOSUPPORT) {
                    throw e;
                }
            }
            try {
                return new Pair(ipv4, KernelSocket.open(own, true, null, ipv4 == null ? port : ipv4.port, wish));
            } catch (KernelSocket.Refused e) {
                // IPv6 is often switched off by taking away its addresses, which shows only now.
                boolean noIpv6 = e.result == -Errno.EAFNOSUPPORT || e.result == -Errno.EADDRNOTAVAIL;
                if (ipv4 != null && noIpv6) {
                    return new Pair(ipv4, null);
                }
                if (ipv4 != null) {
                    own.close(ipv4.descriptor);
                }
                if (port != 0 || e.result != -Errno.EADDRINUSE || tried == PORT_TRIES) {
                    throw e;
                }
            }
        }
    }

    /** The sockets of all ports, opened with the first one. */
    private Pair shared(@Nullable InetAddress local) throws DriverException {
        Pair pair = shared;
        if (pair == null) {
            boolean isIp = encapsulation == Encapsulation.IP;
            pair = isIp
                    ? open(local, 0, new KernelSocket.Wish(IpPacket.HOMA, askedReceiveBuffer, SEND_BUFFER, false))
                    : open(local, tunnelPort, udp());
            shared = pair;
        }
        return pair;
    }

    /** A Homa port within the tunnel that this process does not use yet. */
    private int freePort(int wanted) throws DriverException {
        int number = wanted;
        if (wanted == 0) {
            number = FIRST_AUTOMATIC_PORT;
            while (number <= LAST_PORT && find(number) != null) {
                number++;
            }
        }
        if (number > LAST_PORT || find(number) != null) {
            throw new DriverException(
                    Kind.PORT_IN_USE,
                    "cannot bind Homa port " + wanted + ": the port is in use in this process",
                    "choose another port",
                    new IllegalStateException("in use"));
        }
        return number;
    }

    /** Over {@code ip} a port belongs to whoever holds the UDP port of that number. */
    private Port hold(@Nullable InetAddress local, int port) throws DriverException {
        Pair held = openPair(local, port, new KernelSocket.Wish(Socket.IPPROTO_UDP, SMALL_BUFFER, SMALL_BUFFER, false));
        boolean isDone = false;
        try {
            Libc own = libcs.get();
            for (KernelSocket socket : new KernelSocket[] {held.ipv4, held.ipv6}) {
                if (socket != null) {
                    PortFilter.attachDropAll(own, socket.descriptor);
                }
            }
            Port fresh = new Port(held.port(), shared(local), held);
            isDone = true;
            return fresh;
        } catch (KernelSocket.Refused e) {
            throw KernelSocket.describe("Homa port " + port, e);
        } finally {
            if (!isDone) {
                held.each(socket -> libcs.get().close(socket.descriptor));
            }
        }
    }

    /** Lets this process see the packets for its own ports. */
    private void filter(Pair raw) throws DriverException {
        int[] own = bound.stream().mapToInt(port -> port.number).toArray();
        try {
            for (KernelSocket socket : new KernelSocket[] {raw.ipv4, raw.ipv6}) {
                if (socket != null) {
                    PortFilter.attach(libcs.get(), socket, own, PortFilter.WHOLE, PortFilter.NOTHING, PortFilter.WHOLE);
                }
            }
        } catch (KernelSocket.Refused e) {
            throw KernelSocket.describe("IP protocol 146", e);
        }
    }

    private @Nullable Port find(int number) {
        for (Port port : bound) {
            if (port.number == number) {
                return port;
            }
        }
        return null;
    }

    @Override
    public void attach(int port, int socket) {
        Port fresh;
        synchronized (bound) {
            fresh = find(port);
        }
        if (fresh == null) {
            throw new IllegalArgumentException("port " + port + " is not bound");
        }
        fresh.socket = socket;
        if (socket >= bySocket.length) {
            bySocket = Arrays.copyOf(bySocket, Math.max(socket + 1, 2 * bySocket.length));
        }
        bySocket[socket] = fresh;
        fresh.pair.each(each -> watch(each, socket));
    }

    private void watch(KernelSocket socket, int number) {
        if (Arrays.asList(sockets).contains(socket)) {
            return;
        }
        socket.socket = encapsulation == Encapsulation.UDP ? number : -1;
        sockets = Arrays.copyOf(sockets, sockets.length + 1);
        sockets[sockets.length - 1] = socket;
        sleeper.watch(libc, socket);
        if (ring == null) {
            ring = new ReceiveRing(socket);
        }
    }

    @Override
    public void unbind(int port) {
        Port gone;
        synchronized (bound) {
            gone = find(port);
            bound.remove(gone);
        }
        if (gone == null) {
            return;
        }
        if (gone.socket >= 0 && bySocket[gone.socket] == gone) {
            bySocket[gone.socket] = null;
        }
        if (encapsulation == Encapsulation.UDP) {
            gone.pair.each(this::drop);
        }
        if (gone.held != null) {
            gone.held.each(socket -> libc.close(socket.descriptor));
            try {
                synchronized (bound) {
                    filter(gone.pair);
                }
            } catch (DriverException e) {
                LOG.log(Logger.Level.DEBUG, "the filter still lets packets for a closed port through", e);
            }
            if (absent != null) {
                absent.lookAgain(System.nanoTime());
            }
        }
    }

    private void drop(KernelSocket gone) {
        sockets = Arrays.stream(sockets).filter(other -> other != gone).toArray(KernelSocket[]::new);
        sleeper.forget(gone);
        libc.close(gone.descriptor);
    }

    // ---- receiving

    @Override
    public int receive(PacketBatch batch) {
        long nowNs = System.nanoTime();
        answer(batch, nowNs);
        batch.clear();
        receiveMore(batch, nowNs);
        return batch.count;
    }

    /** Answers what the engine has marked in the last batch, and what nobody on this host takes. Owner. */
    void answer(PacketBatch last, long nowNs) {
        if (absent != null) {
            answerForAbsentPorts(last, nowNs);
        }
    }

    /** Whether something may have arrived, as far as is known without asking. Owner. */
    boolean isDue() {
        for (KernelSocket socket : sockets) {
            if (socket.emptyPolls < QUIET_AFTER || socket.isReadable || socket.hasErrors || socket.hasRoom) {
                return true;
            }
        }
        return false;
    }

    /** Adds what has arrived to the batch. Owner. */
    void receiveMore(PacketBatch batch, long nowNs) {
        ReceiveRing from = ring;
        if (from == null) {
            return;
        }
        int before = batch.count;
        from.begin();
        from.handOut(batch);
        KernelSocket[] all = sockets;
        boolean isKnown = hasJustLooked;
        hasJustLooked = false;
        if (!isKnown && (++turn % QUIET_TURNS == 0 || nowNs - lookedNs > QUIET_NS)) {
            lookedNs = nowNs;
            lookAtQuietOnes(all);
        }
        int start = nextSocket < all.length ? nextSocket : 0;
        for (int i = 0; i < all.length && batch.count < batch.capacity; i++) {
            int index = start + i < all.length ? start + i : start + i - all.length;
            KernelSocket socket = all[index];
            if (socket.hasErrors) {
                errors.read(socket, feedback);
            }
            if (socket.hasRoom) {
                // Told once; else sleeping would be over at once as long as there is room.
                socket.hasRoom = false;
                sleeper.watchRoom(libc, socket, false);
            }
            if (!isKnown && socket.emptyPolls < QUIET_AFTER || socket.isReadable) {
                receive(from, socket, batch);
                if (batch.count == batch.capacity) {
                    // The others come first next time.
                    nextSocket = index + 1;
                }
            }
        }
        received += batch.count - before;
        if (from.overflows != overflowsSeen) {
            overflowed(from.overflows, nowNs);
        }
    }

    /** The kernel had to drop: senders shall be allowed less at a time, down to what any buffer holds. */
    private void overflowed(long overflows, long nowNs) {
        overflowsSeen = overflows;
        if (nowNs - loweredNs > LOWER_NS) {
            loweredNs = nowNs;
            receiveCapacityBytes = Math.max(LEAST_CAPACITY, receiveCapacityBytes - receiveCapacityBytes / 4);
        }
    }

    /** For those of the last batch that the engine has marked, and for what nobody on this host takes. */
    private void answerForAbsentPorts(PacketBatch last, long nowNs) {
        PortUnreachable icmp = answers;
        AbsentPorts others = absent;
        if (icmp == null || others == null) {
            return;
        }
        for (int i = 0; i < last.count; i++) {
            if (last.portUnreachable[i]) {
                last.portUnreachable[i] = false;
                icmp.answer(
                        last.packet[i],
                        last.packetAt[i],
                        last.length[i],
                        last.peerHi[i],
                        last.peerLo[i],
                        last.localHi[i],
                        last.localLo[i],
                        nowNs);
            }
        }
        others.stand(sleeper, nowNs);
        others.poll(nowNs);
    }

    private void lookAtQuietOnes(KernelSocket[] all) {
        if (absent != null) {
            sleeper.look(libc);
            return;
        }
        for (KernelSocket socket : all) {
            if (socket.emptyPolls >= QUIET_AFTER) {
                sleeper.look(libc);
                return;
            }
        }
    }

    private void receive(ReceiveRing from, KernelSocket socket, PacketBatch batch) {
        socket.isReadable = false;
        int before = batch.count;
        for (int tries = 0; tries < MAX_TRIES && batch.count < batch.capacity && from.room() > 0; ) {
            int room = from.room();
            int result = from.fill(libc, socket);
            receiveCalls++;
            if (result > 0) {
                from.handOut(batch);
                if (result < room) {
                    break;
                }
            } else if (result == -Errno.EAGAIN) {
                break;
            } else {
                // An error about a packet sent earlier, told once; what has arrived is still there.
                tries++;
                if (errors.read(socket, feedback) == 0) {
                    receiveErrors++;
                }
            }
        }
        socket.emptyPolls = batch.count > before ? 0 : socket.emptyPolls + 1;
    }

    // ---- sending

    @Override
    public int send(PacketBatch batch) {
        return send(batch, 0, batch.count);
    }

    /** Sends these packets of a batch; returns the index of the first one not handed over. Owner. */
    int send(PacketBatch batch, int first, int behindLast) {
        if (batch.capacity > toIpv4.capacity()) {
            toIpv4 = new SendMessages(batch.capacity, false, fixedPort);
            toIpv6 = new SendMessages(batch.capacity, true, fixedPort);
        }
        int i = first;
        while (i < behindLast) {
            KernelSocket socket = socketFor(batch, i);
            if (socket == null) {
                // Nobody has this port any more, or its family is switched off.
                if (isOpen(batch.socket[i])) {
                    feedback.unreachable(batch.peerHi[i], batch.peerLo[i], 0, Status.HOST_UNREACHABLE);
                }
                i++;
                continue;
            }
            int end = i + 1;
            while (end < behindLast && socketFor(batch, end) == socket) {
                end++;
            }
            int done = send(batch, i, end, socket);
            if (done < end) {
                sendFull++;
                sent += done - first;
                return done;
            }
            i = end;
        }
        sent += behindLast - first;
        return behindLast;
    }

    private boolean isOpen(int socket) {
        return socket >= 0 && socket < bySocket.length && bySocket[socket] != null;
    }

    private @Nullable KernelSocket socketFor(PacketBatch batch, int i) {
        int socket = batch.socket[i];
        Port port = socket >= 0 && socket < bySocket.length ? bySocket[socket] : null;
        return port == null ? null : Address.isIpv4(batch.peerHi[i], batch.peerLo[i]) ? port.pair.ipv4 : port.pair.ipv6;
    }

    /** Sends packets that leave through one socket; returns the index of the first one not handed over. */
    private int send(PacketBatch batch, int from, int end, KernelSocket socket) {
        int start = from;
        int tries = 0;
        boolean plain = false;
        boolean anySource = false;
        while (start < end) {
            SendMessages messages = messages(batch, start, end, socket, plain, anySource);
            int result = libc.sendmmsg(socket.descriptor, messages.from(0), messages.count(), Socket.MSG_DONTWAIT);
            sendCalls++;
            if (result > 0) {
                int next = messages.endPacket(result - 1);
                account(batch, start, next, socket, messages, result);
                start = next;
                tries = 0;
                plain = false;
                anySource = false;
                continue;
            }
            int packets = messages.endPacket(0) - start;
            if (result == -Errno.EAGAIN || result == -Errno.ENOBUFS || result == -Errno.ENOMEM) {
                if (result == -Errno.EAGAIN && !socket.wantsRoom) {
                    sleeper.watchRoom(libc, socket, true);
                }
                return start;
            }
            int queued = errors.read(socket, feedback);
            tries++;
            if (queued > 0 && !errors.sawLocal && tries < MAX_TRIES) {
                continue;
            }
            if (packets > 1) {
                // The kernel, or the interface of this peer, does not cut; or the packets are too big, as their like
                // sent
                // alone will say.
                segmentRefusals++;
                if (result != -Errno.EMSGSIZE) {
                    refusesSegments[slot(batch, start)] = true;
                }
                plain = true;
            } else if (!anySource && isNoSource(result) && (batch.localHi[start] | batch.localLo[start]) != 0) {
                // Perhaps the address this peer was answered from is no longer ours.
                anySource = true;
            } else {
                refused(batch, start, result);
                start++;
                tries = 0;
                anySource = false;
            }
        }
        return end;
    }

    private static boolean isNoSource(int result) {
        return result == -Errno.EINVAL || result == -Errno.ENETUNREACH || result == -Errno.EHOSTUNREACH;
    }

    private SendMessages messages(
            PacketBatch batch, int from, int end, KernelSocket socket, boolean plain, boolean anySource) {
        SendMessages messages = socket.isIpv6 ? toIpv6 : toIpv4;
        messages.clear();
        int vectors = 0;
        // After a refusal one message alone, so that the next result is about it.
        int last = plain || anySource ? from + 1 : end;
        for (int next = from; next < last; next = messages.endPacket(messages.count() - 1)) {
            boolean named = !anySource && (batch.localHi[next] | batch.localLo[next]) != 0;
            vectors = messages.add(
                    batch,
                    next,
                    last,
                    named ? batch.localHi[next] : socket.localHi,
                    named ? batch.localLo[next] : socket.localLo,
                    plain || refusesSegments[slot(batch, next)] || socket.isRaw ? 1 : offloads.maxSegments(),
                    vectors);
        }
        return messages;
    }

    private void account(PacketBatch batch, int from, int end, KernelSocket socket, SendMessages messages, int count) {
        for (int i = from; i < end; i++) {
            socket.sentSinceAsked += batch.length[i] + batch.payloadLength[i];
        }
        for (int i = 0; i < count; i++) {
            int packets = messages.endPacket(i) - messages.firstPacket(i);
            if (packets > 1) {
                segmented++;
                segmentedPackets += packets;
            }
        }
    }

    /** The kernel takes this packet never: it counts as sent and lost. */
    private void refused(PacketBatch batch, int i, int result) {
        long hi = batch.peerHi[i];
        long lo = batch.peerLo[i];
        switch (-result) {
            case Errno.EMSGSIZE -> {
                tooBig++;
                if (!errors.sawMtu) {
                    int bytes = batch.length[i] + batch.payloadLength[i] + (Address.isIpv4(hi, lo) ? 28 : 48);
                    feedback.pathMtu(hi, lo, PortableDriver.nextPlateau(bytes));
                }
            }
            case Errno.EHOSTUNREACH, Errno.ENETUNREACH, Errno.EADDRNOTAVAIL -> {
                sendRefusals++;
                feedback.unreachable(hi, lo, 0, Status.HOST_UNREACHABLE);
            }
            default -> sendRefusals++;
        }
    }

    private static int slot(PacketBatch batch, int i) {
        long mixed = (batch.peerHi[i] * 0x9E3779B97F4A7C15L ^ batch.peerLo[i]) * 0xBF58476D1CE4E5B9L;
        return (int) (mixed >>> 54);
    }

    @Override
    public int sendRoomBytes() {
        if (held() >= sendBuffer / 2) {
            for (KernelSocket socket : sockets) {
                if (socket.sentSinceAsked > 0 || socket.held > 0) {
                    ask(socket);
                }
            }
        }
        return Math.clamp(sendBuffer - held(), 0, Integer.MAX_VALUE);
    }

    /** At most so many bytes of packets are held by the kernel. */
    private long held() {
        long held = 0;
        for (KernelSocket socket : sockets) {
            held += socket.held + socket.sentSinceAsked;
        }
        return held;
    }

    /** How many bytes of packets the kernel still holds. */
    private void ask(KernelSocket socket) {
        socket.held = libc.ioctl(socket.descriptor, Socket.SIOCOUTQ, value) < 0 ? 0 : value.get(JAVA_INT, 0);
        socket.sentSinceAsked = 0;
        if (socket.held >= sendBuffer && !socket.wantsRoom) {
            sleeper.watchRoom(libc, socket, true);
        }
    }

    /** {@link #sendRoomBytes} keeps to it, and as far as the kernel grants it SO_SNDBUF, so that epoll tells of room. */
    @Override
    public long sendQueue(long bytes) {
        int wanted = Math.clamp((long) (bytes / PACKET_BYTES_PER_COUNTED), 1, MAX_SEND_BUFFER);
        sendBuffer = wanted;
        int holds = wanted;
        for (KernelSocket socket : sockets) {
            holds = Math.min(holds, socket.sendBuffer(libc, wanted));
        }
        return (long) (holds * PACKET_BYTES_PER_COUNTED);
    }

    // ---- waiting, knowing, ending

    /** Wakes who sleeps here for this descriptor too. Owner. */
    void watch(Watched other) {
        sleeper.watch(libc, other);
    }

    /** Wakes for room to send as well, or no longer. Owner. */
    void watchRoom(Watched other, boolean on) {
        sleeper.watchRoom(libc, other, on);
    }

    @Override
    public void await(long timeoutNs) {
        // Whoever answers for absent ports may have died.
        hasJustLooked = sleeper.await(absent == null ? timeoutNs : Math.min(timeoutNs, absent.patienceNs()));
    }

    @Override
    public void wake() {
        sleeper.wake();
    }

    @Override
    public long awaitSlackNs() {
        return AWAIT_SLACK_NS;
    }

    @Override
    public int maxDatagramBytes() {
        return MAX_DATAGRAM;
    }

    @Override
    public int mtu(long peerHi, long peerLo) {
        return links.mtu(peerHi, peerLo);
    }

    /** Always 0: one rate for all peers would pace the loopback interface like the uplink, and virtual links claim any rate. */
    @Override
    public int linkMbps() {
        return 0;
    }

    @Override
    public long receiveCapacityBytes() {
        return receiveCapacityBytes;
    }

    @Override
    public Map<String, Long> counters() {
        ReceiveRing from = ring;
        Map<String, Long> counters = new LinkedHashMap<>();
        counters.put("driver_packets_received", received);
        counters.put("driver_packets_sent", sent);
        counters.put("driver_send_calls", sendCalls);
        counters.put("driver_receive_calls", receiveCalls);
        counters.put("driver_segmented_sends", segmented);
        counters.put("driver_segmented_packets", segmentedPackets);
        counters.put("driver_segment_refusals", segmentRefusals);
        counters.put("driver_merged_receives", from == null ? 0 : from.merged);
        counters.put("driver_merged_packets", from == null ? 0 : from.mergedPackets);
        counters.put("driver_receive_overflows", from == null ? 0 : from.overflows);
        counters.put("driver_damaged_datagrams", from == null ? 0 : from.damaged);
        counters.put("driver_network_errors", errors.fromNetwork);
        counters.put("driver_port_unreachable_sent", answers == null ? 0 : answers.sent);
        counters.put("driver_port_unreachable_suppressed", answers == null ? 0 : answers.suppressed);
        counters.put("driver_send_queue_full", sendFull);
        counters.put("driver_send_refused", sendRefusals);
        counters.put("driver_packets_too_big", tooBig);
        counters.put("driver_receive_errors", receiveErrors);
        return counters;
    }

    @Override
    public void close() {
        synchronized (bound) {
            if (isClosed) {
                return;
            }
            isClosed = true;
            for (Port port : bound) {
                close(port.held);
                close(encapsulation == Encapsulation.UDP ? port.pair : null);
            }
            close(shared);
            bound.clear();
        }
        if (absent != null) {
            absent.close();
        }
        if (answers != null) {
            answers.close();
        }
        sockets = new KernelSocket[0];
        Arrays.fill(bySocket, null);
        sleeper.close();
    }

    private void close(@Nullable Pair pair) {
        if (pair != null) {
            pair.each(socket -> libc.close(socket.descriptor));
        }
    }

    /** Before {@link #feedback} was called there is nobody to tell. */
    private static final class NoFeedback implements Feedback {
        @Override
        public void unreachable(long peerHi, long peerLo, int port, Status kind) {}

        @Override
        public void pathMtu(long peerHi, long peerLo, int mtu) {}
    }
}
