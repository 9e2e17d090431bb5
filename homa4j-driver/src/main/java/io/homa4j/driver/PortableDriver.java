package io.homa4j.driver;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.PacketBatch;
import io.homa4j.protocol.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Homa packets in UDP datagrams through {@link java.nio.channels.DatagramChannel}: runs wherever JDK 25 runs, without
 * native code and without privilege.
 *
 * <p>What it cannot do: see ICMP (an absent server is a timeout, spec protocol 2.13), choose the source address of a
 * packet (a host with several addresses answers from the one its routing table names; bind to one address where that
 * matters), give every packet of a batch its own traffic class for free (a change costs one system call, so it is made only
 * when the level of consecutive packets changes), or sleep for less than a millisecond.
 *
 * <p>What the JDK allocates: nothing per datagram sent, or received from the same source as the one before on this port;
 * about 150 bytes (IPv4) or 225 (IPv6) when the source differs from the one before, for the address objects it makes.
 */
public final class PortableDriver implements Driver {
    private static final Logger LOG = System.getLogger(PortableDriver.class.getName());

    /** SO_RCVBUF asked for unless told otherwise, bytes. */
    public static final int DEFAULT_RECEIVE_BUFFER = 4 << 20;

    /** SO_SNDBUF where nothing is known of how it is accounted. */
    private static final int SEND_BUFFER = 1 << 20;
    /**
     * Linux charges a packet of 1500 bytes with 2304 and lets twice SO_SNDBUF be charged: bytes of full packets that are
     * queued per byte of SO_SNDBUF.
     */
    private static final double QUEUED_PER_BUFFER_BYTE = 2 * 1514 / 2304.0;

    private static final boolean IS_LINUX = "Linux".equals(System.getProperty("os.name"));

    /** A UDP datagram cannot be longer. */
    private static final int MAX_DATAGRAM = 65_535;

    /** Selector timeouts are whole milliseconds, and sleeping one takes a little longer. */
    private static final long AWAIT_SLACK_NS = 1_200_000;

    private static final long NS_PER_MS = 1_000_000;
    /**
     * After so many empty polls in a row a port is asked only in every eighth turn, unless the selector names it or the last
     * time was long ago: whoever was kept from running must see what has arrived before it takes its pause for silence.
     */
    private static final int QUIET_AFTER = 64;

    private static final int QUIET_TURNS = 8;
    private static final long QUIET_NS = 100_000;

    /** IP packet sizes found in real networks, to try when a packet was too big (the idea of RFC 1191, section 7). */
    private static final int[] PLATEAUS = {65_535, 9_000, 4_352, 1_500, 1_492, 1_450, 1_400, 1_280};

    private final int askedReceiveBuffer;
    private final Selector selector;
    /** Held by whoever needs the selector at once; sleepers pass through it on their way to sleep. */
    private final ReentrantLock gate = new ReentrantLock();

    private final LocalLinks links = new LocalLinks();
    private final PeerAddresses peers = new PeerAddresses();
    private final ByteBuffer out = ByteBuffer.allocateDirect(MAX_DATAGRAM);
    private final MemorySegment outSegment = MemorySegment.ofBuffer(out);
    private final Consumer<SelectionKey> onSelected = PortableDriver::selected;

    private volatile int sendBufferBytes = SEND_BUFFER;

    /** Every bound port; changed under the lock, which nothing on the packet path takes. */
    private final List<UdpPort> bound = new ArrayList<>();
    /** Ports that are received from. */
    private UdpPort[] ports = {};
    /** Ports by socket number. */
    private @Nullable UdpPort[] bySocket = new UdpPort[8];

    private Feedback feedback = new NoFeedback();
    private volatile long receiveCapacityBytes;
    private boolean isClosed;
    private int nextPort;
    private int turn;
    /** When every port was asked last. */
    private long everyPortNs = System.nanoTime();

    // The receive batch last seen, and a buffer over each of its slots.
    private @Nullable PacketBatch batchSeen;
    private ByteBuffer[] slots = {};

    private long received;
    private long sent;
    private long sendRefusals;
    private long sendFull;
    private long tooBig;
    private long receiveErrors;

    /** A driver that asks for {@link #DEFAULT_RECEIVE_BUFFER}. */
    public PortableDriver() {
        this(DEFAULT_RECEIVE_BUFFER);
    }

    /**
     * @param receiveBufferBytes SO_RCVBUF to ask for, per port; the kernel may grant less
     *     ({@link #receiveCapacityBytes})
     * @throws UncheckedIOException if the process may open no more files
     */
    public PortableDriver(int receiveBufferBytes) {
        this.askedReceiveBuffer = receiveBufferBytes;
        try {
            this.selector = Selector.open();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open a selector: " + e.getMessage(), e);
        }
    }

    @Override
    public void feedback(Feedback feedback) {
        this.feedback = feedback;
    }

    @Override
    public int bind(@Nullable InetAddress local, int port) throws DriverException {
        UdpPort fresh = UdpPort.bind(local, port, askedReceiveBuffer, sendBufferBytes);
        synchronized (bound) {
            if (isClosed) {
                UdpPort.closeQuietly(fresh.channel);
                throw new DriverException(
                        DriverException.Kind.OTHER,
                        "cannot bind UDP port " + port + ": the driver is closed",
                        "open another one",
                        new ClosedChannelException());
            }
            bound.add(fresh);
            // The kernel accounts a datagram with more than its bytes and grants twice what it reports; the reported
            // number is what full packets of any size really find room for.
            long smallest = receiveCapacityBytes == 0 ? Long.MAX_VALUE : receiveCapacityBytes;
            receiveCapacityBytes = Math.min(smallest, fresh.receiveBufferBytes);
        }
        return fresh.number;
    }

    @Override
    public void attach(int port, int socket) {
        UdpPort fresh = find(port);
        if (fresh == null) {
            throw new IllegalArgumentException("port " + port + " is not bound");
        }
        fresh.socket = socket;
        if (socket >= bySocket.length) {
            bySocket = Arrays.copyOf(bySocket, Math.max(socket + 1, 2 * bySocket.length));
        }
        bySocket[socket] = fresh;
        ports = Arrays.copyOf(ports, ports.length + 1);
        ports[ports.length - 1] = fresh;
        try {
            fresh.key = fresh.channel.register(selector, SelectionKey.OP_READ, fresh);
        } catch (ClosedChannelException e) {
            throw new IllegalStateException("port " + port + " is closed", e);
        }
        // A thread that sleeps in the selector takes notice of the new key only when it comes back.
        selector.wakeup();
    }

    @Override
    public void unbind(int port) {
        UdpPort gone = find(port);
        if (gone == null) {
            return;
        }
        synchronized (bound) {
            bound.remove(gone);
        }
        ports = Arrays.stream(ports).filter(other -> other != gone).toArray(UdpPort[]::new);
        if (gone.socket >= 0 && bySocket[gone.socket] == gone) {
            bySocket[gone.socket] = null;
        }
        UdpPort.closeQuietly(gone.channel);
        // The port is free for others only after the selector has let go of its key.
        flushSelector();
    }

    @Override
    public int receive(PacketBatch batch) {
        batch.clear();
        if (batch != batchSeen) {
            slots = slots(batch);
            batchSeen = batch;
        }
        UdpPort[] all = ports;
        long nowNs = System.nanoTime();
        boolean everyPort = ++turn % QUIET_TURNS == 0 || nowNs - everyPortNs > QUIET_NS;
        if (everyPort) {
            everyPortNs = nowNs;
        }
        int first = nextPort < all.length ? nextPort : 0;
        for (int i = 0; i < all.length; i++) {
            int index = first + i < all.length ? first + i : first + i - all.length;
            UdpPort port = all[index];
            if (port.emptyPolls < QUIET_AFTER || everyPort || port.isReadable) {
                receive(port, batch);
                if (batch.count == batch.capacity) {
                    // The others come first next time.
                    nextPort = index + 1;
                    break;
                }
            }
        }
        received += batch.count;
        return batch.count;
    }

    @SuppressWarnings("ReferenceEquality") // the JDK gives the same object again while the source is the same
    private void receive(UdpPort port, PacketBatch batch) {
        int before = batch.count;
        port.isReadable = false;
        try {
            while (batch.count < batch.capacity) {
                int slot = batch.count;
                ByteBuffer buffer = slots[slot].clear();
                SocketAddress source = port.channel.receive(buffer);
                if (source == null) {
                    break;
                }
                if (source != port.lastSource) {
                    remember(port, source);
                }
                batch.length[slot] = buffer.position();
                batch.socket[slot] = port.socket;
                batch.peerHi[slot] = port.lastHi;
                batch.peerLo[slot] = port.lastLo;
                batch.peerPort[slot] = port.lastPort;
                batch.localHi[slot] = port.localHi;
                batch.localLo[slot] = port.localLo;
                batch.level[slot] = 0;
                batch.count = slot + 1;
            }
        } catch (IOException e) {
            receiveErrors++;
            LOG.log(Logger.Level.DEBUG, "receiving", e);
        }
        port.emptyPolls = batch.count > before ? 0 : port.emptyPolls + 1;
    }

    private static void remember(UdpPort port, SocketAddress source) {
        InetSocketAddress from = (InetSocketAddress) source;
        byte[] address = from.getAddress().getAddress();
        port.lastSource = source;
        port.lastHi = Address.hi(address);
        port.lastLo = Address.lo(address);
        port.lastPort = from.getPort();
    }

    @Override
    public int send(PacketBatch batch) {
        for (int i = 0; i < batch.count; i++) {
            int socket = batch.socket[i];
            UdpPort port = socket >= 0 && socket < bySocket.length ? bySocket[socket] : null;
            if (port != null && !send(port, batch, i)) {
                sendFull++;
                sent += i;
                return i;
            }
        }
        sent += batch.count;
        return batch.count;
    }

    /** Plain Java cannot see what waits below. */
    @Override
    public int sendRoomBytes() {
        return Integer.MAX_VALUE;
    }

    /** False if the kernel's queue is full. */
    private boolean send(UdpPort port, PacketBatch batch, int i) {
        long hi = batch.peerHi[i];
        long lo = batch.peerLo[i];
        int header = batch.length[i];
        int data = batch.payloadLength[i];
        if (!port.takesIpv6 && !Address.isIpv4(hi, lo)) {
            feedback.unreachable(hi, lo, 0, Status.HOST_UNREACHABLE);
            return true;
        }
        MemorySegment.copy(batch.packet[i], batch.packetAt[i], outSegment, 0, header);
        MemorySegment payload = batch.payload[i];
        if (payload != null) {
            MemorySegment.copy(payload, batch.payloadAt[i], outSegment, header, data);
        }
        out.clear().limit(header + (payload == null ? 0 : data));
        port.level(batch.level[i]);
        try {
            if (port.channel.send(out, peers.of(hi, lo, batch.peerPort[i])) > 0) {
                return true;
            }
            askForRoom(port);
            return false;
        } catch (IOException e) {
            return refused(port, hi, lo, out.limit(), e);
        }
    }

    /** The kernel took no packet: says why, and whether that one counts as sent (and lost). */
    private boolean refused(UdpPort port, long hi, long lo, int bytes, IOException e) {
        String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        if (message.contains("buffer space")) {
            askForRoom(port);
            return false;
        }
        if (message.contains("too long")) {
            tooBig++;
            feedback.pathMtu(hi, lo, nextPlateau(bytes + (Address.isIpv4(hi, lo) ? 28 : 48)));
        } else {
            sendRefusals++;
            if (e instanceof NoRouteToHostException || message.contains("unreachable")) {
                feedback.unreachable(hi, lo, 0, Status.HOST_UNREACHABLE);
            }
            LOG.log(Logger.Level.DEBUG, () -> "sending to " + Address.text(hi, lo), e);
        }
        return true;
    }

    static int nextPlateau(int packetBytes) {
        for (int plateau : PLATEAUS) {
            if (plateau < packetBytes) {
                return plateau;
            }
        }
        return PLATEAUS[PLATEAUS.length - 1];
    }

    private static void askForRoom(UdpPort port) {
        SelectionKey key = port.key;
        if (key != null && key.isValid()) {
            key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
        }
    }

    @Override
    public void await(long timeoutNs) {
        passGate();
        try {
            if (timeoutNs <= 0) {
                selector.selectNow(onSelected);
            } else if (timeoutNs == FOREVER) {
                selector.select(onSelected);
            } else {
                selector.select(onSelected, Math.max(1, timeoutNs / NS_PER_MS));
            }
        } catch (ClosedSelectorException e) {
            LOG.log(Logger.Level.DEBUG, "closed while somebody waited for packets", e);
        } catch (IOException e) {
            throw new UncheckedIOException("waiting for packets", e);
        }
    }

    @SuppressWarnings("LockNotBeforeTry") // there is nothing to do while it is held
    private void passGate() {
        gate.lock();
        gate.unlock();
    }

    private static void selected(SelectionKey key) {
        UdpPort port = (UdpPort) key.attachment();
        port.isReadable = true;
        if (key.isValid() && key.isWritable()) {
            key.interestOps(SelectionKey.OP_READ);
        }
    }

    @Override
    public void wake() {
        selector.wakeup();
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

    /**
     * On Linux by SO_SNDBUF, whose accounting is known there: until a packet has left the host's own queues it counts.
     * Elsewhere the buffer stays as it is, and nothing is known of it.
     */
    @Override
    public long sendQueue(long bytes) {
        if (!IS_LINUX) {
            return 0;
        }
        sendBufferBytes = (int) Math.min(SEND_BUFFER, (long) (bytes / QUEUED_PER_BUFFER_BYTE));
        long holds = 0;
        synchronized (bound) {
            for (UdpPort port : bound) {
                long granted = (long) (port.sendBuffer(sendBufferBytes) * QUEUED_PER_BUFFER_BYTE);
                holds = holds == 0 ? granted : Math.min(holds, granted);
            }
        }
        return holds;
    }

    /** Always 0: plain Java cannot see what really leaves, and a rate merely claimed by an interface would mislead. */
    @Override
    public int linkMbps() {
        return 0;
    }

    @Override
    public long receiveCapacityBytes() {
        return receiveCapacityBytes;
    }

    /** SO_RCVBUF this driver asks for, bytes. */
    public int askedReceiveBufferBytes() {
        return askedReceiveBuffer;
    }

    @Override
    public Map<String, Long> counters() {
        Map<String, Long> counters = new LinkedHashMap<>();
        counters.put("driver_packets_received", received);
        counters.put("driver_packets_sent", sent);
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
            bound.forEach(port -> UdpPort.closeQuietly(port.channel));
            bound.clear();
        }
        ports = new UdpPort[0];
        Arrays.fill(bySocket, null);
        try {
            selector.close();
        } catch (IOException e) {
            LOG.log(Logger.Level.DEBUG, "closing the selector", e);
        }
    }

    private void flushSelector() {
        // A sleeper that is woken may not go to sleep again before this thread has had the selector.
        gate.lock();
        try {
            selector.wakeup();
            selector.selectNow(onSelected);
            // The wake-up just used up may have been meant for someone about to sleep.
            selector.wakeup();
        } catch (IOException e) {
            throw new UncheckedIOException("closing a UDP port", e);
        } finally {
            gate.unlock();
        }
    }

    @Nullable
    UdpPort find(int number) {
        synchronized (bound) {
            for (UdpPort port : bound) {
                if (port.number == number) {
                    return port;
                }
            }
            return null;
        }
    }

    private static ByteBuffer[] slots(PacketBatch batch) {
        if (batch.slotBytes < MAX_DATAGRAM) {
            throw new IllegalArgumentException(
                    "slots of " + batch.slotBytes + " bytes: a datagram may have " + MAX_DATAGRAM);
        }
        ByteBuffer[] slots = new ByteBuffer[batch.capacity];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = batch.slab
                    .asSlice((long) i * batch.slotBytes, batch.slotBytes)
                    .asByteBuffer();
        }
        return slots;
    }

    /** Before {@link #feedback} was called there is nobody to tell. */
    private static final class NoFeedback implements Feedback {
        @Override
        public void unreachable(long peerHi, long peerLo, int port, Status kind) {}

        @Override
        public void pathMtu(long peerHi, long peerLo, int mtu) {}
    }
}
