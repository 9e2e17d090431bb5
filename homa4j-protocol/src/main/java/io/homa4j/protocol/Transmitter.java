package io.homa4j.protocol;

import io.homa4j.wire.DataHeader;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Chooses which packet leaves next, at the moment it can leave (design 2, pulled output): control packets, then
 * retransmissions, then data of the message with the fewest bytes left, with a share for the oldest message and as far
 * as the {@link Pacer} allows (spec protocol 5, scheduling 19 to 21). What the driver does not take is taken back as if
 * it had never been chosen.
 */
final class Transmitter {
    /** Kinds of packets in a batch. */
    static final int CONTROL = 0;

    static final int RESENT = 1;
    static final int DATA = 2;

    // How a DATA packet was chosen, for the share of the oldest message; WAITED may be added.
    private static final int SHORTEST = 1;
    private static final int OLDEST = 2;
    /** Data have waited for the link before. */
    private static final int WAITED = 4;

    /** UDP and IP header bytes counted against the budget of unproven peers. */
    private static final int IP_BYTES = 28;

    private final Config config;
    private final Counters counters;
    private final Turn turn;
    private final Pacer pacer;
    private final Paths paths;
    private final ControlQueue control;
    private final RetransmitQueue retransmits;
    private final Incast incast;

    private @Nullable Events listener;
    private final SrptQueue bySize = new SrptQueue();
    private final AgeQueue byAge = new AgeQueue();
    private long sequences;

    /** FIFO share by bytes: at 0 or below the oldest message is next (spec scheduling 21.3). */
    private double srptCredit;
    /** The module's legacy counter: falls by the share with each selection (spec scheduling 20). */
    private int selectionCredit = 1000;
    /** How the last packet was chosen; 0 if the shares have no part in it. */
    private int choice;
    /** Bytes sent again for which data that wait have not had as many. */
    private int resentAhead;

    /** Data have been waiting for the link; the time up to here is counted. */
    private boolean isBacklogged;

    private long backlogCountedNs;

    Transmitter(
            Config config,
            Counters counters,
            Turn turn,
            Pacer pacer,
            Paths paths,
            ControlQueue control,
            RetransmitQueue retransmits,
            Incast incast) {
        this.config = config;
        this.counters = counters;
        this.turn = turn;
        this.pacer = pacer;
        this.paths = paths;
        this.control = control;
        this.retransmits = retransmits;
        this.incast = incast;
        srptCredit = 20 * 1500;
    }

    /** Names who is told; once, before anything is sent. */
    void tell(Events events) {
        listener = events;
    }

    private Events events() {
        return Objects.requireNonNull(listener);
    }

    // ---- inputs

    long nextSequence() {
        return sequences++;
    }

    /** Enters the message if it has bytes that may be sent, or puts it in order again after its rank has changed. */
    void update(Rpc rpc) {
        OutboundMessage out = rpc.out;
        if (!out.isSendable() || rpc.waitsForProof) {
            withdraw(rpc);
            return;
        }
        // The module's list is not sorted again, but a newcomer is compared with what others have left now (capture
        // 17d).
        out.rankedBytesLeft = out.bytesLeft();
        if (rpc.srptPlace < 0) {
            bySize.add(rpc);
            byAge.add(rpc);
        } else {
            bySize.moved(rpc);
        }
    }

    /** Forgets the message. */
    void withdraw(Rpc rpc) {
        bySize.remove(rpc);
        byAge.remove(rpc);
    }

    /** Messages with bytes that may be sent. */
    int waiting() {
        return bySize.size();
    }

    // ---- output

    /** Fills the batch; each polled packet waits for {@link #onSent}. */
    int poll(PacketBatch batch, int maxBytes) {
        batch.clear();
        int bytes = control.poll(batch);
        bytes += pollRetransmits(batch, maxBytes - bytes);
        pollData(batch, maxBytes - bytes);
        paths.held(bySize.size() > 0 || !retransmits.isEmpty());
        // Choosing data may have made new ones: a response that has to wait asks for proof.
        control.poll(batch);
        return batch.count;
    }

    /** When data held back by the pacer may go on; Long.MAX_VALUE if none is held back. */
    long nextDeadlineNs() {
        if (!control.isEmpty()) {
            return turn.nowNs;
        }
        if (bySize.first() == null && retransmits.isEmpty()) {
            return Long.MAX_VALUE;
        }
        return mayGoOn() ? turn.nowNs : pacer.maySendNs();
    }

    /** Whether data wait that the pacer lets go. */
    boolean mayGoOn() {
        Rpc first = bySize.first();
        if (first == null && retransmits.isEmpty()) {
            return false;
        }
        return pacer.maySend(first == null ? Integer.MAX_VALUE : first.out.bytesLeft());
    }

    /** Retransmissions are paced and have at most half of what goes out while data wait; in the module neither. */
    private int pollRetransmits(PacketBatch batch, int maxBytes) {
        int bytes = 0;
        boolean isShared = !config.moduleProfile && bySize.size() > 0;
        if (!isShared) {
            resentAhead = 0;
        } else if (resentAhead > 0) {
            return 0;
        }
        int maxCount = isShared ? batch.count + (batch.capacity - batch.count + 1) / 2 : batch.capacity;
        int limit = isShared ? maxBytes - maxBytes / 2 : maxBytes;
        while (batch.count < maxCount && bytes < limit && retransmits.advance()) {
            Rpc rpc = retransmits.rpc();
            int start = retransmits.offset();
            if (!config.moduleProfile && !pacer.maySend(rpc.out.length - start)) {
                break;
            }
            int end = rpc.out.packetEnd(start);
            if (!spend(rpc.peer, end - start)) {
                retransmits.skip();
                continue;
            }
            int i = batch.count++;
            batch.kind[i] = RESENT;
            batch.position[i] = retransmits.position();
            write(batch, i, rpc, start, end, retransmits.level(), retransmits.incoming(), true);
            retransmits.sent(end);
            charge(rpc.peer, DataHeader.LENGTH + end - start);
            bytes += DataHeader.LENGTH + end - start;
        }
        return bytes;
    }

    private void pollData(PacketBatch batch, int maxBytes) {
        int bytes = 0;
        while (batch.count < batch.capacity && bytes < maxBytes) {
            Rpc rpc = next();
            if (rpc == null) {
                return;
            }
            OutboundMessage out = rpc.out;
            int start = out.nextOffset;
            int end = out.packetEnd(start);
            if (!spend(rpc.peer, end - start)) {
                takeBackChoice(choice, DataHeader.LENGTH + end - start);
                waitForProof(rpc);
                continue;
            }
            int i = batch.count++;
            batch.kind[i] = DATA;
            batch.choice[i] = choice;
            int level = start < out.unscheduled
                    ? rpc.peer.unscheduledLevel(
                            config.policy.levelsByRemaining() ? out.length - start : out.length, config.numPriorities)
                    : out.scheduledLevel;
            boolean exempt = config.moduleProfile && out.bytesLeft() <= config.deferMinBytes;
            if (!exempt) {
                charge(rpc.peer, DataHeader.LENGTH + end - start);
            }
            write(batch, i, rpc, start, end, level, out.unscheduled, false);
            out.sent(end, paths.onTheWayNs(rpc.peer.host), turn.nowNs);
            update(rpc);
            bytes += DataHeader.LENGTH + end - start;
        }
    }

    /** The message whose packet leaves next, or null if nothing may leave now. */
    private @Nullable Rpc next() {
        Rpc shortest = bySize.first();
        if (shortest == null) {
            countBacklog();
            isBacklogged = false;
            return null;
        }
        if (!pacer.maySend(shortest.out.bytesLeft())) {
            countBacklog();
            isBacklogged = true;
            return null;
        }
        choice = isBacklogged ? WAITED : 0;
        if (config.pacerFifoFraction == 0 || !pacer.maySend(Integer.MAX_VALUE)) {
            return shortest;
        }
        if (config.moduleProfile) {
            return nextBySelection(shortest);
        }
        return bySize.size() == 1 ? shortest : nextByBytes(shortest);
    }

    /** The module's legacy rule: each selection counts, whatever its size (S-112). */
    private @Nullable Rpc nextBySelection(Rpc shortest) {
        if (shortest.out.bytesLeft() <= config.deferMinBytes) {
            // Such a message is not held back, so it is not selected either.
            return shortest;
        }
        selectionCredit -= config.pacerFifoFraction;
        if (selectionCredit > 0) {
            choice |= SHORTEST;
            return shortest;
        }
        selectionCredit += 1000;
        choice |= OLDEST;
        return byAge.first();
    }

    /** The share of the oldest message counted in bytes (spec scheduling 21.3). */
    private @Nullable Rpc nextByBytes(Rpc shortest) {
        Rpc oldest = byAge.first();
        if (srptCredit > 0 || oldest == null) {
            srptCredit -= packetBytes(shortest);
            choice |= SHORTEST;
            return shortest;
        }
        srptCredit += packetBytes(oldest) * oldestWeight();
        choice |= OLDEST;
        return oldest;
    }

    /** Bytes for the shortest messages per byte of the oldest. */
    private double oldestWeight() {
        return (1000.0 - config.pacerFifoFraction) / config.pacerFifoFraction;
    }

    /** A packet of so many bytes that was chosen in this way has not been sent. */
    private void takeBackChoice(int how, int bytes) {
        if ((how & (SHORTEST | OLDEST)) == 0) {
            return;
        }
        boolean isOldest = (how & OLDEST) != 0;
        if (config.moduleProfile) {
            selectionCredit += config.pacerFifoFraction - (isOldest ? 1000 : 0);
        } else {
            srptCredit += isOldest ? -bytes * oldestWeight() : bytes;
        }
    }

    private static int packetBytes(Rpc rpc) {
        return DataHeader.LENGTH + rpc.out.packetEnd(rpc.out.nextOffset) - rpc.out.nextOffset;
    }

    private void countBacklog() {
        if (isBacklogged) {
            counters.add(Counters.NIC_BACKLOG_CYCLES, turn.nowNs - backlogCountedNs);
        }
        backlogCountedNs = turn.nowNs;
    }

    private void write(
            PacketBatch batch, int i, Rpc rpc, int start, int end, int level, int incoming, boolean retransmit) {
        OutboundMessage out = rpc.out;
        Peer peer = rpc.peer;
        int ack = out.ackIndex(start);
        MemorySegment header = batch.packet[i];
        DataHeader.write(
                header,
                batch.packetAt[i],
                rpc.socket.port,
                rpc.remotePort,
                rpc.id,
                start,
                out.length,
                incoming,
                ack < 0 ? 0 : out.ackId[ack],
                ack < 0 ? 0 : out.ackPort[ack],
                peer.cutoffVersion,
                retransmit);
        if (rpc.isClient()) {
            int limit = incast.limitBytes();
            if (limit > 0) {
                DataHeader.responseLimit(header, batch.packetAt[i], limit);
            }
        }
        batch.length[i] = DataHeader.LENGTH;
        batch.payload[i] = out.payload;
        batch.payloadAt[i] = out.payloadAt + start;
        batch.payloadLength[i] = end - start;
        batch.socket[i] = rpc.socket.number;
        batch.localHi[i] = peer.localHi;
        batch.localLo[i] = peer.localLo;
        batch.peerHi[i] = peer.hi;
        batch.peerLo[i] = peer.lo;
        batch.peerPort[i] = rpc.remotePort;
        batch.level[i] = config.priorityMap[Math.min(level, config.numPriorities - 1)];
        batch.rpc[i] = rpc;
        batch.offset[i] = start;
    }

    /** The driver has taken the first {@code sent} packets of the batch; the others were never chosen. */
    void onSent(PacketBatch batch, int sent) {
        for (int i = 0; i < sent; i++) {
            if (batch.kind[i] == CONTROL) {
                control.sent(batch.position[i]);
                chargeControl(batch, i);
            } else {
                countData(batch, i);
            }
        }
        counters.add(Counters.UNSENT_PACKETS, batch.count - sent);
        for (int i = batch.count - 1; i >= sent; i--) {
            takeBack(batch, i);
        }
        retransmits.commit();
        tellPaths(batch, sent);
        for (int i = 0; i < batch.count; i++) {
            batch.rpc[i] = null;
            batch.payload[i] = null;
        }
    }

    /** The link has taken the first packets of the batch. */
    private void tellPaths(PacketBatch batch, int sent) {
        long bytes = 0;
        long dataBytes = 0;
        for (int i = 0; i < sent; i++) {
            if (!Address.isLoopback(batch.peerHi[i], batch.peerLo[i])) {
                int homaBytes = batch.length[i] + batch.payloadLength[i];
                int linkBytes = pacer.linkBytes(homaBytes, Address.isIpv4(batch.peerHi[i], batch.peerLo[i]));
                bytes += linkBytes;
                dataBytes += batch.kind[i] == CONTROL ? 0 : linkBytes;
            }
        }
        paths.taken(bytes, dataBytes, sent < batch.count);
    }

    /** Control packets are never held back, but they fill the link too; in the module they do not count. */
    private void chargeControl(PacketBatch batch, int i) {
        if (!config.moduleProfile && !Address.isLoopback(batch.peerHi[i], batch.peerLo[i])) {
            pacer.charge(batch.length[i], Address.isIpv4(batch.peerHi[i], batch.peerLo[i]));
        }
    }

    /** Packets to this host itself do not use the link. */
    private void charge(Peer peer, int homaBytes) {
        if (!Address.isLoopback(peer.hi, peer.lo)) {
            pacer.charge(homaBytes, Address.isIpv4(peer.hi, peer.lo));
        }
    }

    private void takeBackCharge(Peer peer, int homaBytes) {
        if (!Address.isLoopback(peer.hi, peer.lo)) {
            pacer.takeBack(homaBytes, Address.isIpv4(peer.hi, peer.lo));
        }
    }

    private void countData(PacketBatch batch, int i) {
        Rpc rpc = Objects.requireNonNull(batch.rpc[i]);
        int bytes = batch.length[i] + batch.payloadLength[i];
        counters.add(Counters.PACKETS_SENT_DATA, 1);
        counters.add(Counters.PRIORITY0_PACKETS + batch.level[i], 1);
        counters.add(Counters.PRIORITY0_BYTES + batch.level[i], bytes);
        if (batch.kind[i] == RESENT) {
            counters.add(Counters.RESENT_PACKETS, 1);
            rpc.out.resentNs = turn.nowNs;
            resentAhead += bytes;
            return;
        }
        resentAhead = Math.max(0, resentAhead - bytes);
        if ((batch.choice[i] & WAITED) != 0) {
            counters.add(Counters.PACER_HOMA_PACKETS, 1);
            counters.add(Counters.PACER_HOMA_BYTES, bytes);
            boolean isOldest = !config.moduleProfile && (batch.choice[i] & OLDEST) != 0;
            counters.add(Counters.PACER_FIFO_BYTES, isOldest ? bytes : 0);
        }
        boolean isClient = rpc.isClient();
        counters.add(
                isClient ? Counters.CLIENT_REQUEST_BYTES_DONE : Counters.SERVER_RESPONSE_BYTES_DONE,
                batch.payloadLength[i]);
        if (batch.offset[i] + batch.payloadLength[i] == rpc.out.length) {
            counters.add(isClient ? Counters.CLIENT_REQUESTS_DONE : Counters.SERVER_RESPONSES_DONE, 1);
        }
        if (!rpc.out.isSendable()) {
            events().ranDry(rpc);
        }
    }

    private void takeBack(PacketBatch batch, int i) {
        if (batch.kind[i] == CONTROL) {
            control.takeBack(batch.position[i]);
            return;
        }
        Rpc rpc = Objects.requireNonNull(batch.rpc[i]);
        int bytes = batch.payloadLength[i];
        unspend(rpc.peer, bytes);
        boolean exempt = config.moduleProfile
                && batch.kind[i] == DATA
                && rpc.out.length - batch.offset[i] <= config.deferMinBytes;
        if (!exempt) {
            takeBackCharge(rpc.peer, DataHeader.LENGTH + bytes);
        }
        if (batch.kind[i] == RESENT) {
            retransmits.takeBack(batch.position[i], batch.offset[i]);
        } else {
            rpc.out.nextOffset = batch.offset[i];
            takeBackChoice(batch.choice[i], DataHeader.LENGTH + bytes);
            update(rpc);
        }
    }

    // ---- unproven peers: at most three times what they sent (design 6)

    private static boolean spend(Peer peer, int dataBytes) {
        if (peer.isProven) {
            return true;
        }
        int bytes = DataHeader.LENGTH + dataBytes + IP_BYTES;
        if (peer.sentBytes + bytes > 3 * peer.receivedBytes) {
            return false;
        }
        peer.sentBytes += bytes;
        return true;
    }

    private static void unspend(Peer peer, int dataBytes) {
        if (!peer.isProven) {
            peer.sentBytes -= DataHeader.LENGTH + dataBytes + IP_BYTES;
        }
    }

    /** Parks a response until its peer has proved that it receives, and asks for the proof. */
    private void waitForProof(Rpc rpc) {
        counters.add(Counters.PROOF_WAITS, 1);
        withdraw(rpc);
        rpc.waitsForProof = true;
        rpc.proofNext = rpc.peer.proofQueue;
        rpc.peer.proofQueue = rpc;
        events().needsProof(rpc);
    }

    /** Lets the parked responses of a peer go on: it has proved itself. */
    void releaseProofQueue(Peer peer) {
        Rpc rpc = peer.proofQueue;
        peer.proofQueue = null;
        while (rpc != null) {
            Rpc next = rpc.proofNext;
            rpc.proofNext = null;
            rpc.waitsForProof = false;
            update(rpc);
            rpc = next;
        }
    }

    /** Lets as many go on as the bytes that have come since then allow a packet each; a try of all would cost more than it sends. */
    void retryProofQueue(Peer peer) {
        long left = 3 * peer.receivedBytes - peer.sentBytes;
        for (Rpc rpc = peer.proofQueue; rpc != null; rpc = peer.proofQueue) {
            left -= packetBytes(rpc) + IP_BYTES;
            if (left < 0) {
                return;
            }
            peer.proofQueue = rpc.proofNext;
            rpc.proofNext = null;
            rpc.waitsForProof = false;
            update(rpc);
        }
    }

    /** Takes one RPC that ends out of its peer's list. */
    static void leaveProofQueue(Rpc rpc) {
        if (!rpc.waitsForProof) {
            return;
        }
        rpc.waitsForProof = false;
        Peer peer = rpc.peer;
        Rpc previous = null;
        for (Rpc r = peer.proofQueue; r != null && r != rpc; r = r.proofNext) {
            previous = r;
        }
        if (previous == null) {
            peer.proofQueue = rpc.proofNext;
        } else {
            previous.proofNext = rpc.proofNext;
        }
        rpc.proofNext = null;
    }

    void audit(Audit audit) {
        audit.inOrder("the transmit queue by size", bySize);
        audit.inOrder("the transmit queue by age", byAge);
        audit.equal("messages by age", byAge.size(), bySize.size());
        for (int i = 0; i < bySize.size(); i++) {
            Rpc rpc = bySize.at(i);
            if (rpc.isDead()) {
                audit.wrong("a dead RPC is queued for transmission");
            }
            if (!config.moduleProfile && rpc.out.rankedBytesLeft != rpc.out.bytesLeft()) {
                audit.wrong("RPC " + rpc.id + " has an old rank in the transmit queue");
            }
        }
    }

    /** What the transmitter tells the timers. */
    interface Events {
        /** Everything allowed has been sent: from now on the other side is expected to act. */
        void ranDry(Rpc rpc);

        /** A response cannot go on before its peer has proved itself. */
        void needsProof(Rpc rpc);
    }

    /** Fewest bytes left first; ties: the message created earlier (spec scheduling 19). */
    private static final class SrptQueue extends IndexedHeap<Rpc> {
        @Override
        boolean before(Rpc a, Rpc b) {
            int leftA = a.out.rankedBytesLeft;
            int leftB = b.out.rankedBytesLeft;
            return leftA != leftB ? leftA < leftB : a.out.sequence < b.out.sequence;
        }

        @Override
        int place(Rpc rpc) {
            return rpc.srptPlace;
        }

        @Override
        void place(Rpc rpc, int place) {
            rpc.srptPlace = place;
        }
    }

    private static final class AgeQueue extends IndexedHeap<Rpc> {
        @Override
        boolean before(Rpc a, Rpc b) {
            return a.out.sequence < b.out.sequence;
        }

        @Override
        int place(Rpc rpc) {
            return rpc.agePlace;
        }

        @Override
        void place(Rpc rpc, int place) {
            rpc.agePlace = place;
        }
    }
}
