package io.homa4j.sim;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The sending end of a link: eight queues in strict priority, a rate, and a fixed delay to the hop at the other end. The
 * packet being sent is never interrupted. A port may have a source, which is asked for a packet whenever the link is idle
 * and no packet is queued: a host's uplink has no queue, so that its engine chooses at the last moment.
 */
public final class Port implements Actor {
    /** Priority levels. */
    public static final int LEVELS = 8;

    private static final int SENT = 0;
    private static final int ARRIVED = 1;

    /** Who has the packets of a port without a queue. */
    public interface Source {
        /** The packet to be sent now, null if there is none; then {@link Port#kick} tells of the next. */
        @Nullable
        SimPacket pollPacket();
    }

    private final Simulation simulation;
    private final int self;
    private final long psPerByte;
    private final long delayPs;
    /** Bytes the queues hold together; 0 = any number. */
    private final long bufferBytes;

    private @Nullable Source source;
    private @Nullable Hop hop;

    private final @Nullable SimPacket[] first = new SimPacket[LEVELS];
    private final @Nullable SimPacket[] last = new SimPacket[LEVELS];
    /** Levels with packets, a bit each. */
    private int waiting;

    private @Nullable SimPacket sending;
    /** Packets on the link, in order. */
    private @Nullable SimPacket firstOnLink;

    private @Nullable SimPacket lastOnLink;

    // ---- figures since the last resetStatistics

    private final long[] queuedBytes = new long[LEVELS];
    private long totalQueuedBytes;
    private final long[] maxQueuedBytes = new long[LEVELS];
    private long maxTotalQueuedBytes;
    /** Bytes times ps, in units of 2^20, up to {@link #integratedPs}. */
    private final double[] queueIntegral = new double[LEVELS];

    private final long[] integratedPs = new long[LEVELS];
    private final long[] sentPackets = new long[LEVELS];
    private final long[] sentBytes = new long[LEVELS];
    private long droppedPackets;
    private long sincePs;
    private long busyPs;

    /**
     * @param bitsPerSecond at most 8 Tbit/s, a divisor of it
     * @param delayPs from the moment the last bit leaves to the moment the hop acts
     * @param bufferBytes bytes on the wire its queues hold together, 0 = any number
     */
    public Port(Simulation simulation, long bitsPerSecond, long delayPs, long bufferBytes) {
        this.simulation = simulation;
        this.delayPs = delayPs;
        this.bufferBytes = bufferBytes;
        psPerByte = 8 * Simulation.S / bitsPerSecond;
        if (psPerByte < 1 || 8 * Simulation.S % bitsPerSecond != 0) {
            throw new IllegalArgumentException(
                    "rate " + bitsPerSecond + " bit/s: a byte must take a whole number of picoseconds");
        }
        self = simulation.add(this);
    }

    /** Names the far end; once, before anything is sent. */
    public void connect(Hop farEnd) {
        hop = farEnd;
    }

    /** Names whom to ask for packets. */
    public void source(Source packets) {
        source = packets;
    }

    // ---- packets

    /** Queues a packet, or drops it if the buffer is full. */
    public void enqueue(SimPacket packet) {
        if (sending == null) {
            send(packet);
            return;
        }
        if (bufferBytes > 0 && totalQueuedBytes + packet.wireBytes > bufferBytes) {
            droppedPackets++;
            simulation.free(packet);
            return;
        }
        int level = packet.level;
        SimPacket tail = last[level];
        if (tail == null) {
            first[level] = packet;
            waiting |= 1 << level;
        } else {
            tail.next = packet;
        }
        last[level] = packet;
        packet.next = null;
        account(level, packet.wireBytes);
    }

    /** The source may have a packet now. */
    public void kick() {
        if (sending == null) {
            sendNext();
        }
    }

    /** Whether a packet is being sent. */
    public boolean isBusy() {
        return sending != null;
    }

    /** Drops what is queued; what has been sent arrives. */
    public void clear() {
        for (int level = 0; level < LEVELS; level++) {
            while ((waiting & 1 << level) != 0) {
                droppedPackets++;
                simulation.free(dequeue(level));
            }
        }
    }

    @Override
    public void act(int code) {
        if (code == SENT) {
            SimPacket packet = taken(sending);
            sending = null;
            onLink(packet);
            sendNext();
        } else {
            SimPacket packet = taken(firstOnLink);
            firstOnLink = packet.next;
            packet.next = null;
            arrived(packet);
        }
    }

    private void onLink(SimPacket packet) {
        if (delayPs == 0) {
            arrived(packet);
            return;
        }
        SimPacket tail = firstOnLink == null ? null : lastOnLink;
        if (tail == null) {
            firstOnLink = packet;
        } else {
            tail.next = packet;
        }
        lastOnLink = packet;
        simulation.at(simulation.nowPs() + delayPs, self, ARRIVED);
    }

    private void arrived(SimPacket packet) {
        Hop farEnd = hop;
        if (farEnd == null) {
            throw new IllegalStateException("the port is not connected");
        }
        farEnd.arrive(packet);
    }

    private void sendNext() {
        if (waiting != 0) {
            send(dequeue(31 - Integer.numberOfLeadingZeros(waiting)));
        } else if (source != null) {
            SimPacket packet = source.pollPacket();
            if (packet != null) {
                send(packet);
            }
        }
    }

    private void send(SimPacket packet) {
        sending = packet;
        packet.next = null;
        long ps = packet.wireBytes * psPerByte;
        busyPs += ps;
        sentPackets[packet.level]++;
        sentBytes[packet.level] += packet.wireBytes;
        simulation.at(simulation.nowPs() + ps, self, SENT);
    }

    private SimPacket dequeue(int level) {
        SimPacket packet = taken(first[level]);
        SimPacket following = packet.next;
        first[level] = following;
        if (following == null) {
            last[level] = null;
            waiting &= ~(1 << level);
        }
        account(level, -packet.wireBytes);
        return packet;
    }

    private static SimPacket taken(@Nullable SimPacket packet) {
        if (packet == null) {
            throw new AssertionError("no packet");
        }
        return packet;
    }

    // ---- figures

    private void account(int level, int bytes) {
        integrate(level);
        queuedBytes[level] += bytes;
        totalQueuedBytes += bytes;
        if (bytes > 0) {
            maxQueuedBytes[level] = Math.max(maxQueuedBytes[level], queuedBytes[level]);
            maxTotalQueuedBytes = Math.max(maxTotalQueuedBytes, totalQueuedBytes);
        }
    }

    private void integrate(int level) {
        long nowPs = simulation.nowPs();
        queueIntegral[level] += queuedBytes[level] * ((nowPs - integratedPs[level]) * 0x1p-20);
        integratedPs[level] = nowPs;
    }

    /** Counts anew from now on; packets stay. */
    public void resetStatistics() {
        sincePs = simulation.nowPs();
        Arrays.fill(queueIntegral, 0);
        Arrays.fill(integratedPs, sincePs);
        Arrays.fill(sentPackets, 0);
        Arrays.fill(sentBytes, 0);
        System.arraycopy(queuedBytes, 0, maxQueuedBytes, 0, LEVELS);
        maxTotalQueuedBytes = totalQueuedBytes;
        droppedPackets = 0;
        busyPs = 0;
    }

    /** Mean bytes queued at a level, the packet being sent not counted. */
    public double meanQueuedBytes(int level) {
        integrate(level);
        long elapsedPs = simulation.nowPs() - sincePs;
        return elapsedPs == 0 ? 0 : queueIntegral[level] / (elapsedPs * 0x1p-20);
    }

    /** Mean bytes queued at all levels together. */
    public double meanQueuedBytes() {
        double sum = 0;
        for (int level = 0; level < LEVELS; level++) {
            sum += meanQueuedBytes(level);
        }
        return sum;
    }

    public long maxQueuedBytes(int level) {
        return maxQueuedBytes[level];
    }

    /** Most bytes queued at a time, all levels together. */
    public long maxQueuedBytes() {
        return maxTotalQueuedBytes;
    }

    /** Packets whose sending has begun. */
    public long sentPackets(int level) {
        return sentPackets[level];
    }

    /** Bytes on the wire of them. */
    public long sentBytes(int level) {
        return sentBytes[level];
    }

    /** Packets that found the buffer full. */
    public long droppedPackets() {
        return droppedPackets;
    }

    /** Time a byte takes on the link, ps. */
    public long psPerByte() {
        return psPerByte;
    }

    /** Time the link has been in use, up to the end of the packet being sent, ps. */
    public long busyPs() {
        return busyPs;
    }
}
