package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.Socket;
import io.homa4j.protocol.PacketBatch;
import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.PacketType;
import java.lang.System.Logger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Sees to it that a packet of IP protocol 146 for a port that no process of this host owns is answered, as a kernel host
 * would. One process does it: the one that holds a name the kernel gives to one at a time (an abstract Unix socket, per
 * network namespace, free again when the process dies). It watches all packets except those for ports known to be owned.
 * Owner.
 */
final class AbsentPorts {
    private static final Logger LOG = System.getLogger(AbsentPorts.class.getName());
    private static final byte[] NAME = "\0homa4j.ip146".getBytes(StandardCharsets.US_ASCII);
    private static final int AF_UNIX = 1;

    /** How often to try to become the one. */
    private static final long RETRY_NS = 1_000_000_000;
    /** How long a port is taken to be owned without looking again: shorter than clients are patient. */
    private static final long OWNED_NS = 250_000_000;
    /** Looking who owns what is not cheap: at most so often. */
    private static final long LOOK_NS = 10_000_000;
    /** IP header with options, Homa header, and some more. */
    private static final int SNAP = 160;

    private final Libc libc;
    private final Path proc;
    private final PortUnreachable answers;
    private final PacketBatch batch = new PacketBatch(16, Arena.ofAuto().allocate(16 * 128, 8), 128);

    /** Read by whoever sleeps, too. */
    private volatile int election = -1;

    private @Nullable KernelSocket ipv4;
    private @Nullable KernelSocket ipv6;
    private @Nullable ReceiveRing ring;
    /** Ports the filters leave out: owned when last looked at; null before there are filters. */
    private @Nullable BitSet filtered;

    private long triedNs;
    private long lookedNs;
    private long filteredNs;

    AbsentPorts(Libc libc, Path proc, PortUnreachable answers, long nowNs) {
        this.libc = libc;
        this.proc = proc;
        this.answers = answers;
        triedNs = nowNs - RETRY_NS;
        lookedNs = nowNs - RETRY_NS;
        filteredNs = nowNs;
    }

    boolean isElected() {
        return election >= 0;
    }

    /** Tries to become the one that answers, now and then; true if this has just succeeded. */
    boolean stand(Sleeper sleeper, long nowNs) {
        if (isElected() || nowNs - triedNs < RETRY_NS) {
            return false;
        }
        triedNs = nowNs;
        int descriptor = libc.socket(AF_UNIX, Socket.SOCK_DGRAM | Socket.SOCK_CLOEXEC, 0);
        if (descriptor < 0) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(2 + NAME.length, 8);
            address.set(JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(NAME, 0, address, JAVA_BYTE, 2, NAME.length);
            if (libc.bind(descriptor, address, (int) address.byteSize()) < 0) {
                libc.close(descriptor);
                return false;
            }
        }
        election = descriptor;
        try {
            KernelSocket.Wish wish = new KernelSocket.Wish(IpPacket.HOMA, 64 << 10, 4096, false);
            KernelSocket first = KernelSocket.open(libc, false, null, 0, wish);
            ipv4 = first;
            ring = new ReceiveRing(first, 16, SNAP);
            ipv6 = KernelSocket.open(libc, true, null, 0, wish);
            leaveOut(HeldPorts.now(proc), nowNs);
            sleeper.watch(libc, first);
            sleeper.watch(libc, ipv6);
        } catch (KernelSocket.Refused e) {
            LOG.log(Logger.Level.WARNING, "requests to ports that nobody has stay unanswered: " + e.getMessage(), e);
        }
        return true;
    }

    private void leaveOut(BitSet held, long nowNs) throws KernelSocket.Refused {
        filteredNs = nowNs;
        if (held.equals(filtered)) {
            return;
        }
        filtered = held;
        int[] ports = held.stream().toArray();
        for (KernelSocket socket : new KernelSocket[] {ipv4, ipv6}) {
            if (socket != null) {
                PortFilter.attach(libc, socket, ports, PortFilter.NOTHING, SNAP, PortFilter.NOTHING);
            }
        }
    }

    /** Answers what has come. */
    void poll(long nowNs) {
        poll(ipv4, nowNs);
        poll(ipv6, nowNs);
        if (nowNs - filteredNs > OWNED_NS) {
            lookAgain(nowNs);
        }
    }

    /** Ports that were owned may be so no longer. */
    void lookAgain(long nowNs) {
        if (isElected()) {
            filter(HeldPorts.now(proc), nowNs);
        }
    }

    /** When to turn at the latest. */
    long patienceNs() {
        return isElected() ? OWNED_NS : RETRY_NS;
    }

    private void filter(BitSet held, long nowNs) {
        try {
            leaveOut(held, nowNs);
        } catch (KernelSocket.Refused e) {
            LOG.log(Logger.Level.DEBUG, "the filter stays as it is", e);
        }
    }

    private void poll(@Nullable KernelSocket socket, long nowNs) {
        ReceiveRing from = ring;
        if (socket == null || from == null || !socket.isReadable) {
            return;
        }
        socket.isReadable = false;
        from.begin();
        if (from.fill(libc, socket) <= 0) {
            return;
        }
        batch.clear();
        from.handOut(batch);
        BitSet held = null;
        for (int i = 0; i < batch.count; i++) {
            int type = PacketType.check(batch.packet[i], batch.packetAt[i], batch.length[i]);
            if (type < 0 || type == PacketType.FREEZE) {
                continue;
            }
            int port = CommonHeader.targetPort(batch.packet[i], batch.packetAt[i]);
            if (held == null) {
                if (nowNs - lookedNs < LOOK_NS) {
                    return;
                }
                lookedNs = nowNs;
                held = HeldPorts.now(proc);
            }
            if (!held.get(port)) {
                answers.answer(
                        batch.packet[i],
                        batch.packetAt[i],
                        batch.length[i],
                        batch.peerHi[i],
                        batch.peerLo[i],
                        batch.localHi[i],
                        batch.localLo[i],
                        nowNs);
            }
        }
        if (held != null) {
            filter(held, nowNs);
        }
    }

    void close() {
        if (isElected()) {
            libc.close(election);
            election = -1;
        }
        for (KernelSocket socket : new KernelSocket[] {ipv4, ipv6}) {
            if (socket != null) {
                libc.close(socket.descriptor);
            }
        }
        ipv4 = null;
        ipv6 = null;
        filtered = null;
    }
}
