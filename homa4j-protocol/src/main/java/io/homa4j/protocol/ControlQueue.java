package io.homa4j.protocol;

import io.homa4j.wire.AckHeader;
import io.homa4j.wire.BusyHeader;
import io.homa4j.wire.CutoffsHeader;
import io.homa4j.wire.GrantHeader;
import io.homa4j.wire.NeedAckHeader;
import io.homa4j.wire.PacketType;
import io.homa4j.wire.ResendHeader;
import io.homa4j.wire.RpcUnknownHeader;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Control packets, built when something happens and sent in that order before any data. A bounded ring of finished
 * headers: what the driver does not take stays; what does not fit is dropped and counted, as if the network had lost
 * it, which every control packet survives.
 */
final class ControlQueue {
    private static final int SLOT_BYTES = 96;
    /** Bytes of IP and UDP headers counted per packet against the budget of unproven peers. */
    private static final int IP_BYTES = 28;

    private final Config config;
    private final Counters counters;
    private final Priorities priorities;

    private int capacity = 64;
    private MemorySegment slab = MemorySegment.ofArray(new byte[capacity * SLOT_BYTES]);
    private int[] length = new int[capacity];
    private int[] socket = new int[capacity];
    private long[] localHi = new long[capacity];
    private long[] localLo = new long[capacity];
    private long[] peerHi = new long[capacity];
    private long[] peerLo = new long[capacity];
    private int[] peerPort = new int[capacity];
    private int[] type = new int[capacity];

    /** Positions count up for ever; the ring place is the position modulo capacity. */
    private long head;

    private long tail;
    /** First entry not yet in a polled batch; entries from head to here wait for onSent. */
    private long polled;

    ControlQueue(Config config, Counters counters, Priorities priorities) {
        this.config = config;
        this.counters = counters;
        this.priorities = priorities;
    }

    boolean isEmpty() {
        return polled == tail;
    }

    void grant(Rpc rpc, int offset, int level) {
        long at = begin(rpc, PacketType.GRANT, GrantHeader.LENGTH);
        if (at >= 0) {
            GrantHeader.write(slab, at, rpc.socket.port, rpc.remotePort, rpc.id, offset, level);
        }
    }

    /** @param wanted bytes wanted, -1 = everything sent so far */
    void resend(Rpc rpc, int offset, int wanted, int level) {
        long at = begin(rpc, PacketType.RESEND, ResendHeader.LENGTH);
        if (at >= 0) {
            ResendHeader.write(slab, at, rpc.socket.port, rpc.remotePort, rpc.id, offset, wanted, level);
        }
    }

    void busy(Rpc rpc) {
        long at = begin(rpc, PacketType.BUSY, BusyHeader.LENGTH);
        if (at >= 0) {
            BusyHeader.write(slab, at, rpc.socket.port, rpc.remotePort, rpc.id);
        }
    }

    void needAck(Rpc rpc) {
        long at = begin(rpc, PacketType.NEED_ACK, NeedAckHeader.LENGTH);
        if (at >= 0) {
            NeedAckHeader.write(slab, at, rpc.socket.port, rpc.remotePort, rpc.id);
        }
    }

    /** Tells the peer of the RPC our table (spec protocol 2.8). */
    void cutoffs(Rpc rpc) {
        long at = begin(rpc, PacketType.CUTOFFS, CutoffsHeader.LENGTH);
        if (at >= 0) {
            CutoffsHeader.write(
                    slab,
                    at,
                    rpc.socket.port,
                    rpc.remotePort,
                    rpc.id,
                    priorities.cutoffs(),
                    priorities.versionFor(rpc.peer));
        }
    }

    /** Tells our table to the sender of packet {@code i}, who is to echo the version. */
    void cutoffsAnswer(
            PacketBatch batch, int i, Sock sock, @Nullable Peer peer, int targetPort, long localId, int version) {
        long at = beginAnswer(batch, i, sock, peer, targetPort, PacketType.CUTOFFS, CutoffsHeader.LENGTH);
        if (at >= 0) {
            CutoffsHeader.write(slab, at, sock.port, targetPort, localId, priorities.cutoffs(), version);
        }
    }

    /** Answers packet {@code i} of the batch, whose RPC is not known. */
    void rpcUnknown(PacketBatch batch, int i, Sock sock, @Nullable Peer peer, int targetPort, long localId) {
        long at = beginAnswer(batch, i, sock, peer, targetPort, PacketType.RPC_UNKNOWN, RpcUnknownHeader.LENGTH);
        if (at >= 0) {
            RpcUnknownHeader.write(slab, at, sock.port, targetPort, localId);
        }
    }

    /** An ACK that names {@code id}, with all buffered acks of the peer, oldest first (capture 04a). */
    void ack(Peer peer, int socketNumber, int localPort, int targetPort, long id) {
        long at = begin(peer, socketNumber, targetPort, PacketType.ACK, AckHeader.LENGTH);
        if (at >= 0) {
            AckHeader.write(slab, at, localPort, targetPort, id, peer.acks);
            for (int i = 0; i < peer.acks; i++) {
                AckHeader.slot(slab, at, i, peer.ackId[i], peer.ackPort[i]);
            }
            peer.acks = 0;
        }
    }

    /** An ACK for packet {@code i} of the batch, whose sender has no peer record. */
    void ackUnknown(PacketBatch batch, int i, Sock sock, int targetPort, long localId) {
        long at = beginAnswer(batch, i, sock, null, targetPort, PacketType.ACK, AckHeader.LENGTH);
        if (at >= 0) {
            AckHeader.write(slab, at, sock.port, targetPort, localId, 0);
        }
    }

    // ---- output

    /** Moves waiting packets into the batch, whatever room is left for data; returns the bytes moved. */
    int poll(PacketBatch batch) {
        int bytes = 0;
        while (polled < tail && batch.count < batch.capacity) {
            int place = (int) (polled & (capacity - 1));
            int i = batch.count++;
            MemorySegment.copy(slab, (long) place * SLOT_BYTES, batch.packet[i], batch.packetAt[i], length[place]);
            batch.length[i] = length[place];
            batch.payload[i] = null;
            batch.payloadLength[i] = 0;
            batch.socket[i] = socket[place];
            batch.localHi[i] = localHi[place];
            batch.localLo[i] = localLo[place];
            batch.peerHi[i] = peerHi[place];
            batch.peerLo[i] = peerLo[place];
            batch.peerPort[i] = peerPort[place];
            batch.level[i] = config.priorityMap[priorities.controlLevel()];
            batch.kind[i] = Transmitter.CONTROL;
            batch.position[i] = polled;
            polled++;
            bytes += length[place];
        }
        return bytes;
    }

    /** The entry at this position has been handed over. */
    void sent(long position) {
        assert position == head;
        int place = (int) (position & (capacity - 1));
        counters.add(Counters.PACKETS_SENT_DATA + type[place] - PacketType.DATA, 1);
        int level = priorities.controlLevel();
        counters.add(Counters.PRIORITY0_PACKETS + level, 1);
        counters.add(Counters.PRIORITY0_BYTES + level, length[place]);
        head++;
    }

    /** Entries from this position on were not handed over and will be polled again. */
    void takeBack(long position) {
        polled = Math.min(polled, position);
    }

    void audit(Audit audit) {
        if (head > polled || polled > tail || tail - head > capacity) {
            audit.wrong("control packets " + head + " to " + polled + " to " + tail);
        }
        // Doubled from 64, so that the bound may be passed once.
        if (capacity > Math.max(64, 2 * config.maxControlQueue)) {
            audit.wrong("the control queue has grown to " + capacity);
        }
    }

    // ---- building

    private long begin(Rpc rpc, int packetType, int bytes) {
        return begin(rpc.peer, rpc.socket.number, rpc.remotePort, packetType, bytes);
    }

    /** Place for a packet to the peer, or -1 if it may not or cannot be queued. */
    private long begin(Peer peer, int socketNumber, int targetPort, int packetType, int bytes) {
        if (!peer.isProven && !mayAnswer(peer, bytes + IP_BYTES)) {
            return -1;
        }
        int place = place();
        if (place < 0) {
            return -1;
        }
        if (!peer.isProven) {
            peer.sentBytes += bytes + IP_BYTES;
        }
        length[place] = bytes;
        type[place] = packetType;
        socket[place] = socketNumber;
        localHi[place] = peer.localHi;
        localLo[place] = peer.localLo;
        peerHi[place] = peer.hi;
        peerLo[place] = peer.lo;
        peerPort[place] = config.encapsulation == Config.Encapsulation.UDP ? peer.port : targetPort;
        return (long) place * SLOT_BYTES;
    }

    /** As {@link #begin} for an answer to packet {@code i}; {@code peer} is null if its sender has no record. */
    private long beginAnswer(
            PacketBatch batch, int i, Sock sock, @Nullable Peer peer, int targetPort, int packetType, int bytes) {
        if (peer != null && !peer.isProven && !mayAnswer(peer, bytes + IP_BYTES)) {
            return -1;
        }
        int place = place();
        if (place < 0) {
            return -1;
        }
        if (peer != null && !peer.isProven) {
            peer.sentBytes += bytes + IP_BYTES;
        }
        length[place] = bytes;
        type[place] = packetType;
        socket[place] = sock.number;
        localHi[place] = batch.localHi[i];
        localLo[place] = batch.localLo[i];
        peerHi[place] = batch.peerHi[i];
        peerLo[place] = batch.peerLo[i];
        peerPort[place] = targetPort;
        return (long) place * SLOT_BYTES;
    }

    /** Whether so many more bytes stay within three times what the unproven peer has sent. */
    private boolean mayAnswer(Peer peer, int bytes) {
        if (peer.sentBytes + bytes <= 3 * peer.receivedBytes) {
            return true;
        }
        counters.add(Counters.PROOF_BUDGET_DROPS, 1);
        return false;
    }

    private int place() {
        if (tail - head == capacity) {
            if (capacity >= config.maxControlQueue) {
                counters.add(Counters.CONTROL_QUEUE_DROPS, 1);
                return -1;
            }
            grow();
        }
        return (int) (tail++ & (capacity - 1));
    }

    private void grow() {
        int old = capacity;
        capacity = 2 * old;
        MemorySegment wider = MemorySegment.ofArray(new byte[capacity * SLOT_BYTES]);
        int[] newLength = new int[capacity];
        int[] newSocket = new int[capacity];
        int[] newPort = new int[capacity];
        int[] newType = new int[capacity];
        long[][] addresses = new long[4][capacity];
        for (long position = head; position < tail; position++) {
            int from = (int) (position & (old - 1));
            int to = (int) (position & (capacity - 1));
            MemorySegment.copy(slab, (long) from * SLOT_BYTES, wider, (long) to * SLOT_BYTES, SLOT_BYTES);
            newLength[to] = length[from];
            newSocket[to] = socket[from];
            newPort[to] = peerPort[from];
            newType[to] = type[from];
            addresses[0][to] = localHi[from];
            addresses[1][to] = localLo[from];
            addresses[2][to] = peerHi[from];
            addresses[3][to] = peerLo[from];
        }
        slab = wider;
        length = newLength;
        socket = newSocket;
        peerPort = newPort;
        type = newType;
        localHi = addresses[0];
        localLo = addresses[1];
        peerHi = addresses[2];
        peerLo = addresses[3];
    }
}
