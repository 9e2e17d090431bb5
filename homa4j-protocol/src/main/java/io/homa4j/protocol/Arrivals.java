package io.homa4j.protocol;

import io.homa4j.wire.AckHeader;
import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.CutoffsHeader;
import io.homa4j.wire.DataHeader;
import io.homa4j.wire.GrantHeader;
import io.homa4j.wire.PacketType;
import io.homa4j.wire.ResendHeader;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What each packet does (spec protocol 3 to 6). Every number in it is hostile: checked, clipped, counted or dropped.
 */
final class Arrivals {
    /** Messages shorter than this are processed before long ones of the same batch (spec protocol 3.2). */
    private static final int SHORT_MESSAGE_BYTES = 1400;
    /** Restarts of one request after which their distance grows no more. */
    private static final int MAX_DOUBLINGS = 5;
    /** IP and UDP bytes counted for unproven peers. */
    private static final int IP_BYTES = 28;

    private final Config config;
    private final Counters counters;
    private final Turn turn;
    private final Sockets sockets;
    private final PeerTable peers;
    private final RpcTable rpcs;
    private final Lifecycle lifecycle;
    private final Granter granter;
    private final Transmitter transmitter;
    private final Silence silence;
    private final RpcTimers timers;
    private final Priorities priorities;
    private final ControlQueue control;
    private final FinishedRpcs finished;
    private final UnknownAnswers unknownAnswers;
    private final ProofGuesses guesses;
    private final Paths paths;
    private final PathMtuSearch mtus;
    private final Incast incast;

    private boolean[] isDone = new boolean[0];
    private boolean[] isQuestion = new boolean[0];

    Arrivals(
            Config config,
            Counters counters,
            Turn turn,
            Sockets sockets,
            PeerTable peers,
            RpcTable rpcs,
            Lifecycle lifecycle,
            Granter granter,
            Transmitter transmitter,
            Silence silence,
            RpcTimers timers,
            Priorities priorities,
            ControlQueue control,
            FinishedRpcs finished,
            UnknownAnswers unknownAnswers,
            ProofGuesses guesses,
            Paths paths,
            PathMtuSearch mtus,
            Incast incast) {
        this.config = config;
        this.counters = counters;
        this.turn = turn;
        this.sockets = sockets;
        this.peers = peers;
        this.rpcs = rpcs;
        this.lifecycle = lifecycle;
        this.granter = granter;
        this.transmitter = transmitter;
        this.silence = silence;
        this.timers = timers;
        this.priorities = priorities;
        this.control = control;
        this.finished = finished;
        this.unknownAnswers = unknownAnswers;
        this.guesses = guesses;
        this.paths = paths;
        this.mtus = mtus;
        this.incast = incast;
    }

    // ---- order within a batch (spec protocol 3.2)

    /**
     * Control packets and packets of short messages first, one by one; then long messages, all packets of one together. Outside
     * profile {@code module} RESEND and NEED_ACK come last: they ask what became of data that may lie in the same batch.
     */
    void onPackets(PacketBatch batch) {
        if (isDone.length < batch.count) {
            isDone = new boolean[batch.capacity];
            isQuestion = new boolean[batch.capacity];
        }
        int left = 0;
        int questions = 0;
        for (int i = 0; i < batch.count; i++) {
            batch.portUnreachable[i] = false;
            MemorySegment packet = batch.packet[i];
            long at = batch.packetAt[i];
            int type = PacketType.check(packet, at, batch.length[i]);
            isDone[i] = true;
            isQuestion[i] = !config.moduleProfile && (type == PacketType.RESEND || type == PacketType.NEED_ACK);
            if (isQuestion[i]) {
                questions++;
            } else if (type < 0) {
                counters.add(type == PacketType.SHORT ? Counters.SHORT_PACKETS : Counters.UNKNOWN_PACKET_TYPES, 1);
            } else if (type == PacketType.FREEZE) {
                counters.add(Counters.FREEZES, 1);
            } else if (type != PacketType.DATA || DataHeader.messageLength(packet, at) < SHORT_MESSAGE_BYTES) {
                check(dispatch(batch, i, type, true));
            } else {
                isDone[i] = false;
                left++;
            }
        }
        for (int i = 0; left > 0; i++) {
            if (!isDone[i]) {
                left -= dispatchGroup(batch, i);
            }
        }
        for (int i = 0; questions > 0; i++) {
            if (isQuestion[i]) {
                questions--;
                check(dispatch(batch, i, PacketType.check(batch.packet[i], batch.packetAt[i], batch.length[i]), true));
            }
        }
    }

    /** All DATA packets of the batch with the id and source of packet {@code first}; grants are looked at once. */
    private int dispatchGroup(PacketBatch batch, int first) {
        long id = CommonHeader.senderId(batch.packet[first], batch.packetAt[first]);
        int handled = 0;
        Rpc rpc = null;
        for (int i = first; i < batch.count; i++) {
            if (!isDone[i]
                    && batch.peerLo[i] == batch.peerLo[first]
                    && batch.peerHi[i] == batch.peerHi[first]
                    && CommonHeader.senderId(batch.packet[i], batch.packetAt[i]) == id) {
                isDone[i] = true;
                handled++;
                Rpc touched = dispatch(batch, i, PacketType.DATA, handled == 1);
                rpc = touched == null ? rpc : touched;
            }
        }
        check(rpc);
        return handled;
    }

    private void check(@Nullable Rpc rpc) {
        if (rpc == null || rpc.isDead()) {
            return;
        }
        granter.check(rpc);
        if (rpc.in.isGrantable && !rpc.peer.isProven && rpc.in.hasSpace() && rpc.in.receivedBytes() >= rpc.in.granted) {
            // It has sent all it may unasked; before it is granted anything it must prove itself.
            timers.needsProof(rpc);
        }
    }

    // ---- who is meant (spec protocol 3.3, 3.4)

    /** Processes one packet; returns the RPC it touched, null if none. */
    private @Nullable Rpc dispatch(PacketBatch batch, int i, int type, boolean firstOfGroup) {
        MemorySegment packet = batch.packet[i];
        long at = batch.packetAt[i];
        int sourcePort = sourcePort(batch, i);
        Sock socket = sockets.target(batch.socket[i], CommonHeader.targetPort(packet, at));
        long localId = CommonHeader.senderId(packet, at) ^ 1;
        boolean isServer = (localId & 1) != 0;
        if (socket == null || isServer && !socket.acceptsRequests) {
            counters.add(Counters.WRONG_PORT, 1);
            batch.portUnreachable[i] = firstOfGroup && drawsError(batch, i, type);
            return null;
        }
        int socketKey = config.encapsulation == Config.Encapsulation.UDP ? socket.number : 0;
        int peerPort = config.encapsulation == Config.Encapsulation.IP ? 0 : sourcePort;
        Peer peer = peers.find(socketKey, batch.peerHi[i], batch.peerLo[i], peerPort);
        if (peer != null) {
            noteArrival(batch, i, peer);
        }
        if (isServer) {
            Rpc rpc = peer == null ? null : server(peer, localId, socket);
            if (rpc == null && type == PacketType.DATA) {
                return createServer(batch, i, socket, socketKey, peerPort, sourcePort, localId);
            }
            return process(batch, i, type, socket, peer, rpc, localId, sourcePort);
        }
        Rpc rpc = rpcs.client(localId);
        if (rpc != null && (rpc.socket != socket || config.checkSource && !isFrom(rpc, peer))) {
            counters.add(Counters.WRONG_SOURCE, 1);
            rpc = null;
        }
        return process(batch, i, type, socket, peer, rpc, localId, sourcePort);
    }

    private static boolean isFrom(Rpc rpc, @Nullable Peer peer) {
        return rpc.peer == peer;
    }

    /** Over direct UDP ports in headers are ignored: a NAT may have changed the real ones (design 6). */
    private int sourcePort(PacketBatch batch, int i) {
        return config.encapsulation == Config.Encapsulation.UDP
                ? batch.peerPort[i]
                : CommonHeader.sourcePort(batch.packet[i], batch.packetAt[i]);
    }

    /** Over IPv4 the module draws no error for a message of a single packet (spec protocol 3.3, capture 08a). */
    private boolean drawsError(PacketBatch batch, int i, int type) {
        return !(config.moduleProfile
                && type == PacketType.DATA
                && Address.isIpv4(batch.peerHi[i], batch.peerLo[i])
                && DataHeader.messageLength(batch.packet[i], batch.packetAt[i]) == batch.length[i] - DataHeader.LENGTH);
    }

    private @Nullable Rpc server(Peer peer, long localId, Sock socket) {
        Rpc rpc = rpcs.server(peer, localId);
        return rpc != null && rpc.socket == socket ? rpc : null;
    }

    /** Answers leave from the address that was asked; only packets of known RPCs tell. */
    private static void noteRoute(PacketBatch batch, int i, Peer peer) {
        peer.localHi = batch.localHi[i];
        peer.localLo = batch.localLo[i];
    }

    private void noteArrival(PacketBatch batch, int i, Peer peer) {
        if (!peer.isProven) {
            peer.receivedBytes += batch.length[i] + IP_BYTES;
            transmitter.retryProofQueue(peer);
        }
    }

    private void checkProof(Peer peer, int version) {
        if (!peer.isProven && isBelieved(peer.hi, peer.lo, peer.port, version)) {
            peers.prove(peer);
            lifecycle.proved(peer);
        }
    }

    /** Whether an echoed version proves that a stranger receives at its address; it may not try many. */
    private boolean isBelieved(long hi, long lo, int port, int version) {
        if (version == 0) {
            return false;
        }
        if (!priorities.isProof(hi, lo, port, version)) {
            guesses.wrong(hi, lo, port, version);
            return false;
        }
        if (!guesses.mayBelieve(hi, lo, port)) {
            counters.add(Counters.PROOF_GUESSES, 1);
            return false;
        }
        counters.add(Counters.PROOFS, 1);
        return true;
    }

    /** A DATA packet of an unknown request begins a server RPC (spec protocol 3.4), unless something forbids it. */
    private @Nullable Rpc createServer(
            PacketBatch batch, int i, Sock socket, int socketKey, int peerPort, int sourcePort, long localId) {
        MemorySegment packet = batch.packet[i];
        long at = batch.packetAt[i];
        int length = DataHeader.messageLength(packet, at);
        if (length <= 0 || length > config.maxMessageBytes) {
            counters.add(Counters.ILLEGAL_LENGTHS, 1);
            return null;
        }
        if (socket.isClosing || rpcs.servers() >= config.maxServerRpcs) {
            counters.add(socket.isClosing ? Counters.SERVER_CANT_CREATE_RPCS : Counters.RPC_TABLE_FULL, 1);
            return null;
        }
        int version = DataHeader.cutoffVersion(packet, at);
        Peer peer = peers.find(socketKey, batch.peerHi[i], batch.peerLo[i], peerPort);
        if (peer != null) {
            checkProof(peer, version);
        }
        boolean isTrusted = peer == null
                && config.proveReachability
                && isBelieved(batch.peerHi[i], batch.peerLo[i], peerPort, version);
        if (!isTrusted
                && (peer == null || !peer.isProven)
                && config.unprovenShare > 1
                && rpcs.unprovenServers() >= maxUnprovenServers()) {
            return refuse(batch, i, socket, peer, peerPort, sourcePort, localId, Counters.UNPROVEN_REFUSED);
        }
        if (peer == null) {
            peer = peers.findOrCreate(socketKey, batch.peerHi[i], batch.peerLo[i], peerPort, isTrusted);
            if (peer == null) {
                return refuse(batch, i, socket, null, peerPort, sourcePort, localId, Counters.SERVER_CANT_CREATE_RPCS);
            }
            noteArrival(batch, i, peer);
        }
        peer.accessNs = turn.nowNs;
        if (finished.contains(peer, localId, turn.nowNs)) {
            counters.add(Counters.DUPLICATE_REQUESTS, 1);
            ackFrom(batch, i, socket, peer);
            return null;
        }
        if (config.hostShare > 1 && peer.host.serverRpcs >= Math.max(1, config.maxServerRpcs / config.hostShare)) {
            counters.add(Counters.HOST_REFUSED, 1);
            return null;
        }
        noteRoute(batch, i, peer);
        Rpc rpc = lifecycle.beginServer(localId, socket, peer, sourcePort);
        lifecycle.beginReception(rpc, length, announced(packet, at, length));
        counters.add(Counters.PACKETS_RCVD_DATA, 1);
        silence.progress(rpc);
        onData(batch, i, rpc);
        return rpc;
    }

    private int maxUnprovenServers() {
        return Math.max(1, Math.min(config.maxServerRpcs, config.maxPeers) / config.unprovenShare);
    }

    /**
     * There is no room for one more stranger. It is told our table all the same, from no state: with the version it echoes
     * it is no stranger any more when it tries again.
     */
    private @Nullable Rpc refuse(
            PacketBatch batch,
            int i,
            Sock socket,
            @Nullable Peer peer,
            int peerPort,
            int sourcePort,
            long localId,
            int counter) {
        counters.add(counter, 1);
        if (config.proveReachability && unknownAnswers.mayAnswer(batch.peerHi[i], batch.peerLo[i])) {
            int version = priorities.versionFor(batch.peerHi[i], batch.peerLo[i], peerPort);
            control.cutoffsAnswer(batch, i, socket, peer, sourcePort, localId, version);
        }
        return null;
    }

    // ---- what it does (spec protocol 3.5 to 3.8)

    private @Nullable Rpc process(
            PacketBatch batch,
            int i,
            int type,
            Sock socket,
            @Nullable Peer peer,
            @Nullable Rpc rpc,
            long localId,
            int sourcePort) {
        MemorySegment packet = batch.packet[i];
        long at = batch.packetAt[i];
        if (type == PacketType.CUTOFFS) {
            counters.add(Counters.PACKETS_RCVD_CUTOFFS, 1);
            // A stranger who knows no id may not choose our levels.
            if (rpc != null || config.moduleProfile) {
                onCutoffs(batch, i, socket, peer, sourcePort);
            }
            return rpc;
        } else if (type == PacketType.ACK) {
            onAck(packet, at, socket, peer, rpc);
            return null;
        } else if (rpc == null) {
            onUnknown(batch, i, type, socket, peer, localId, sourcePort);
            return null;
        }
        counters.add(Counters.PACKETS_RCVD_DATA + type - PacketType.DATA, 1);
        rpc.lastContactTick = turn.tick;
        noteRoute(batch, i, rpc.peer);
        switch (type) {
            case PacketType.DATA -> {
                if (isTimed(rpc)) {
                    silence.progress(rpc);
                }
                onData(batch, i, rpc);
            }
            case PacketType.GRANT -> {
                if (isTimed(rpc)) {
                    silence.progress(rpc);
                }
                onGrant(packet, at, rpc);
            }
            case PacketType.BUSY -> {
                if (isTimed(rpc)) {
                    silence.busy(rpc);
                }
            }
            case PacketType.RESEND -> onResend(packet, at, batch.length[i], rpc);
            case PacketType.RPC_UNKNOWN -> onRpcUnknown(rpc);
            case PacketType.NEED_ACK -> onNeedAck(rpc);
            default -> throw new AssertionError(type);
        }
        return rpc;
    }

    /** Whether silence is counted for the RPC at all now: not in service, not failed, not complete. */
    private static boolean isTimed(Rpc rpc) {
        return rpc.error == Status.OK
                && (rpc.state == Rpc.State.INCOMING
                        ? !rpc.in.isComplete()
                        : rpc.state == Rpc.State.OUTGOING && rpc.isClient());
    }

    private void onUnknown(
            PacketBatch batch, int i, int type, Sock socket, @Nullable Peer peer, long localId, int sourcePort) {
        switch (type) {
            case PacketType.RESEND -> {
                if (mayAnswerUnknown(batch, i, peer)) {
                    control.rpcUnknown(batch, i, socket, peer, sourcePort, localId);
                }
            }
            case PacketType.NEED_ACK -> {
                if (mayAnswerUnknown(batch, i, peer)) {
                    if (peer == null) {
                        control.ackUnknown(batch, i, socket, sourcePort, localId);
                    } else {
                        control.ack(peer, socket.number, socket.port, sourcePort, localId);
                    }
                }
            }
            case PacketType.GRANT -> counters.add(Counters.UNKNOWN_RPCS, (localId & 1) == 0 ? 1 : 0);
            default -> {
                counters.add(Counters.UNKNOWN_RPCS, 1);
                if (type == PacketType.DATA && peer != null) {
                    ackFrom(batch, i, socket, peer);
                }
            }
        }
    }

    /** Peers that have proved to receive at their address may ask as often as they like. */
    private boolean mayAnswerUnknown(PacketBatch batch, int i, @Nullable Peer peer) {
        return peer != null && peer.isProven || unknownAnswers.mayAnswer(batch.peerHi[i], batch.peerLo[i]);
    }

    // ---- DATA (spec protocol 3.8)

    private void onData(PacketBatch batch, int i, Rpc rpc) {
        MemorySegment packet = batch.packet[i];
        long at = batch.packetAt[i];
        Peer peer = rpc.peer;
        int version = DataHeader.cutoffVersion(packet, at);
        if (!peer.isProven) {
            checkProof(peer, version);
        }
        if (rpc.isClient() && rpc.state == Rpc.State.OUTGOING && rpc.error == Status.OK) {
            beginResponse(packet, at, rpc);
        }
        if (!rpc.isClient() && !config.moduleProfile) {
            // The latest packet knows best how much the client waits for.
            rpc.responseLimit = DataHeader.responseLimit(packet, at);
        }
        if (rpc.state == Rpc.State.INCOMING && rpc.error == Status.OK) {
            if (rpc.in.hasSpace()) {
                if (version != priorities.versionFor(peer)) {
                    sendCutoffs(rpc);
                }
                addData(packet, at, batch.length[i] - DataHeader.LENGTH, rpc);
            } else {
                counters.add(Counters.DROPPED_DATA_NO_BUFS, batch.length[i] - DataHeader.LENGTH);
                if (!peer.isProven) {
                    // Perhaps it waits only because it is a stranger.
                    timers.needsProof(rpc);
                }
            }
        }
        // After the data, and also if they were dropped (P-125).
        ackFrom(batch, i, rpc.socket, peer);
    }

    /** The first response packet of any offset ends the client's sending phase; an illegal one changes nothing (D-2). */
    private void beginResponse(MemorySegment packet, long at, Rpc rpc) {
        int length = DataHeader.messageLength(packet, at);
        if (length <= 0 || length > config.maxMessageBytes) {
            counters.add(Counters.ILLEGAL_LENGTHS, 1);
            return;
        }
        if (rpc.out.length <= rpc.out.cutBytes) {
            paths.roundTripAtMost(rpc.peer.host, turn.nowNs - rpc.out.firstSentNs);
        }
        mtus.delivered(rpc);
        rpc.state(Rpc.State.INCOMING);
        incast.onResponse(length, config.unschedBytes);
        transmitter.withdraw(rpc);
        lifecycle.beginReception(rpc, length, announced(packet, at, length));
    }

    /**
     * What the sender will send unasked. Stripped peers leave the field 0 and send all at once (spec protocol 12): outside
     * profile {@code module}, which grants them in vain, all of it is expected, or lost packets would never be asked for.
     */
    private int announced(MemorySegment packet, long at, int length) {
        int incoming = DataHeader.incoming(packet, at);
        return incoming == 0 && !config.moduleProfile ? length : incoming;
    }

    /** At most one CUTOFFS per peer and slot of the time grid (spec scheduling 16.2, capture 23). */
    private void sendCutoffs(Rpc rpc) {
        long slot = Math.floorDiv(turn.nowNs, config.cutoffsGridNs);
        if (rpc.peer.cutoffsSentSlot != slot) {
            rpc.peer.cutoffsSentSlot = slot;
            control.cutoffs(rpc);
        }
    }

    /** Takes the bytes of a packet as far as they are new (spec protocol 4.3; in profile module whole or not at all). */
    private void addData(MemorySegment packet, long at, int bytes, Rpc rpc) {
        InboundMessage in = rpc.in;
        int start = DataHeader.offset(packet, at);
        boolean isResent = DataHeader.retransmit(packet, at);
        if (Integer.compareUnsigned(start, in.length) >= 0 || bytes > in.length - start) {
            counters.add(isResent ? Counters.RESENT_DISCARDS : Counters.PACKET_DISCARDS, 1);
            return;
        }
        int end = start + bytes;
        if (bytes == 0 && !config.moduleProfile) {
            return;
        }
        if (in.probeOffset >= 0 && start >= in.probeOffset) {
            paths.roundTrip(rpc.peer.host, turn.nowNs - in.probeNs);
            in.probeOffset = -1;
        }
        if (in.acceptsWhole(start, end)) {
            if (in.opensGap(start, end) && !in.mayOpenGap(config.maxGaps)) {
                counters.add(Counters.GAPS_REFUSED, 1);
                return;
            }
            copy(packet, at, start, start, end, rpc);
        } else if (config.moduleProfile || !addParts(packet, at, start, end, rpc)) {
            counters.add(isResent ? Counters.RESENT_DISCARDS : Counters.PACKET_DISCARDS, 1);
            return;
        }
        counters.add(Counters.RESENT_PACKETS_USED, isResent ? 1 : 0);
        if (in.remaining == 0) {
            lifecycle.complete(rpc);
        }
    }

    /** Takes the missing parts of a packet that overlaps what is here (D-20); false if nothing of it was missing. */
    private boolean addParts(MemorySegment packet, long at, int start, int end, Rpc rpc) {
        boolean any = false;
        for (int from = rpc.in.missingStart(start, end); from >= 0; from = rpc.in.missingStart(from, end)) {
            int to = rpc.in.missingEnd(from, end);
            copy(packet, at, start, from, to, rpc);
            any = true;
            from = to;
            if (from >= end) {
                break;
            }
        }
        counters.add(Counters.PARTIAL_DATA, any ? 1 : 0);
        return any;
    }

    private void copy(MemorySegment packet, long at, int packetStart, int from, int to, Rpc rpc) {
        rpc.socket.region.put(packet, at + DataHeader.LENGTH + (from - packetStart), rpc.in.regionAt + from, to - from);
        counters.add(Counters.GAPS_CREATED, rpc.in.take(from, to) ? 1 : 0);
    }

    /** The piggybacked ack (spec protocol 6.5 item 6). */
    private void ackFrom(PacketBatch batch, int i, Sock socket, Peer peer) {
        long clientId = DataHeader.ackClientId(batch.packet[i], batch.packetAt[i]);
        if (clientId != 0) {
            acknowledge(socket, peer, clientId, DataHeader.ackServerPort(batch.packet[i], batch.packetAt[i]));
        }
    }

    private void acknowledge(Sock socket, Peer peer, long clientId, int serverPort) {
        if (clientId == 0 || (clientId & 1) != 0) {
            return;
        }
        Sock target = config.encapsulation == Config.Encapsulation.UDP ? socket : sockets.at(serverPort);
        if (target == null) {
            return;
        }
        Rpc rpc = server(peer, clientId ^ 1, target);
        if (rpc != null) {
            mtus.delivered(rpc);
            lifecycle.end(rpc);
        }
    }

    // ---- control packets

    private void onGrant(MemorySegment packet, long at, Rpc rpc) {
        OutboundMessage out = rpc.out;
        if (rpc.state != Rpc.State.OUTGOING || rpc.error != Status.OK) {
            return;
        }
        int offset = Math.min(GrantHeader.offset(packet, at), out.length);
        // An old, reordered GRANT changes the level only in the module (D-10).
        if (offset >= out.granted || config.moduleProfile) {
            out.scheduledLevel = Math.min(GrantHeader.priority(packet, at), config.numPriorities - 1);
        }
        if (offset > out.granted) {
            if (out.granted == out.unscheduled) {
                paths.roundTripAtMost(rpc.peer.host, turn.nowNs - out.firstSentNs);
            }
            out.granted = offset;
            mtus.cameThrough(rpc);
            transmitter.update(rpc);
        }
    }

    /** Spec protocol 5.5. */
    private void onResend(MemorySegment packet, long at, int packetLength, Rpc rpc) {
        boolean isServer = !rpc.isClient();
        if (isServer && rpc.state != Rpc.State.OUTGOING) {
            if (rpc.busyTick != turn.tick || config.moduleProfile) {
                rpc.busyTick = turn.tick;
                control.busy(rpc);
            }
            return;
        }
        OutboundMessage out = rpc.out;
        if (mayHaveRunDuringPause(rpc) && turn.isJustBack()) {
            // Asked during the pause, perhaps; since then the request may have run and been forgotten.
            counters.add(Counters.RESENDS_SUPPRESSED, 1);
            return;
        }
        int offset = ResendHeader.offset(packet, at);
        int wanted = ResendHeader.length(packet, at);
        int level = Math.min(
                ResendHeader.priority(packet, at, packetLength, priorities.controlLevel()), config.numPriorities - 1);
        int sentEnd = out.nextOffset;
        // In 64 bits: the sum of two hostile numbers may not wrap (D-16).
        long end = wanted == ResendHeader.ALL_SENT ? sentEnd : (long) offset + wanted;
        int from = Math.max(0, offset);
        int to = (int) Math.min(end, sentEnd);
        int lost = Math.min(to, arrivedEnd(rpc));
        if (from < lost) {
            lifecycle.retransmit(rpc, from, lost, to, level);
        } else if (from < to) {
            counters.add(Counters.RESENDS_SUPPRESSED, 1);
            // Without an answer the other side would in the end take it for silence.
            control.busy(rpc);
        }
        if (end > out.granted) {
            out.granted = (int) Math.min(end, out.length);
            if (rpc.error == Status.OK) {
                transmitter.update(rpc);
            }
        }
        // Whoever asks for what lies behind the end has a wrong length, and would wait for ever if told to.
        if (offset >= sentEnd && (offset < out.length || config.moduleProfile)) {
            control.busy(rpc);
        }
    }

    /** A server that goes on not knowing a request is sent it again after twice the time each time. */
    private boolean mayRestart(Rpc rpc) {
        if (config.moduleProfile) {
            return true;
        }
        if (rpc.restarts > 0
                && turn.tick - rpc.restartTick
                        < (long) config.resendInterval << Math.min(rpc.restarts, MAX_DOUBLINGS)) {
            return false;
        }
        rpc.restarts++;
        rpc.restartTick = turn.tick;
        return true;
    }

    /**
     * End of what can have arrived when a packet that has just come here left: who asks for more has not waited long enough.
     */
    private int arrivedEnd(Rpc rpc) {
        return config.retransmitMinIntervalNs == 0
                ? rpc.out.nextOffset
                : rpc.out.settled(paths.onTheWayNs(rpc.peer.host), turn.nowNs);
    }

    /**
     * Whether the server had the whole request when this process paused for so long that the server may have run it, given
     * up on the response and forgotten both (design 6, at most once).
     */
    private boolean mayHaveRunDuringPause(Rpc rpc) {
        return rpc.isClient() && rpc.out.isSent() && turn.pausedSince(rpc.out.latestSentNs());
    }

    private void onRpcUnknown(Rpc rpc) {
        if (!config.moduleProfile && !rpc.resendOutstanding) {
            // Only believable as the answer to a RESEND of ours, and once for each.
            return;
        }
        rpc.resendOutstanding = false;
        if (!rpc.isClient()) {
            counters.add(Counters.SERVER_RPCS_UNKNOWN, 1);
            lifecycle.end(rpc);
            return;
        }
        if (rpc.error != Status.OK
                || rpc.state == Rpc.State.INCOMING && (config.moduleProfile || rpc.in.isComplete())) {
            return;
        }
        if (config.restart == Config.Restart.NEVER || mayHaveRunDuringPause(rpc)) {
            counters.add(Counters.OUTCOME_UNKNOWN, 1);
            lifecycle.abort(rpc, Status.OUTCOME_UNKNOWN, 0);
            return;
        }
        if (rpc.state == Rpc.State.INCOMING) {
            // The rest will never come, and what is here would keep grants and space from others meanwhile.
            lifecycle.dropResponse(rpc);
        }
        OutboundMessage out = rpc.out;
        if (arrivedEnd(rpc) < out.nextOffset || !mayRestart(rpc)) {
            // Its first packets may still be waiting on their way behind those of shorter messages.
            counters.add(Counters.RESENDS_SUPPRESSED, 1);
            return;
        }
        if (out.nextOffset > 0) {
            counters.add(Counters.RPC_RESTARTS, 1);
            int level = rpc.peer.unscheduledLevel(out.length, config.numPriorities);
            lifecycle.retransmit(rpc, 0, out.nextOffset, out.nextOffset, level);
        }
    }

    /** Spec protocol 6.5 item 5; the role is not checked. */
    private void onNeedAck(Rpc rpc) {
        if (rpc.isClient() && (rpc.in.isComplete() || rpc.error != Status.OK)) {
            control.ack(rpc.peer, rpc.socket.number, rpc.socket.port, rpc.remotePort, rpc.id);
        } else if (rpc.state == Rpc.State.INCOMING || rpc.isClient()) {
            counters.add(Counters.IGNORED_NEED_ACKS, 1);
            if (rpc.needAckAnsweredTick == turn.tick && !config.moduleProfile) {
                return;
            }
            rpc.needAckAnsweredTick = turn.tick;
            if (!rpc.in.isKnown || rpc.in.hasSpace()) {
                timers.answerNeedAck(rpc);
            } else if (!config.moduleProfile) {
                // It waits for space, not for the server.
                control.busy(rpc);
            }
        }
    }

    private void onAck(MemorySegment packet, long at, Sock socket, @Nullable Peer peer, @Nullable Rpc rpc) {
        counters.add(Counters.PACKETS_RCVD_ACK, 1);
        if (rpc != null && (!rpc.isClient() || config.moduleProfile)) {
            if (rpc.needAckNs != 0) {
                paths.roundTrip(rpc.peer.host, turn.nowNs - rpc.needAckNs);
            }
            lifecycle.end(rpc);
        }
        if (peer == null) {
            return;
        }
        int count = AckHeader.count(packet, at);
        for (int i = 0; i < count; i++) {
            acknowledge(socket, peer, AckHeader.clientId(packet, at, i), AckHeader.serverPort(packet, at, i));
        }
    }

    /** Stores the peer's table, for whatever RPC it came (P-127). Only the module makes a record for a stranger. */
    private void onCutoffs(PacketBatch batch, int i, Sock socket, @Nullable Peer known, int sourcePort) {
        Peer peer = known;
        if (peer == null && config.moduleProfile) {
            int socketKey = config.encapsulation == Config.Encapsulation.UDP ? socket.number : 0;
            int peerPort = config.encapsulation == Config.Encapsulation.IP ? 0 : sourcePort;
            peer = peers.findOrCreate(socketKey, batch.peerHi[i], batch.peerLo[i], peerPort, false);
        }
        if (peer == null) {
            return;
        }
        MemorySegment packet = batch.packet[i];
        long at = batch.packetAt[i];
        peer.cutoffs[0] = Integer.MAX_VALUE;
        for (int level = 1; level < peer.cutoffs.length; level++) {
            peer.cutoffs[level] = CutoffsHeader.cutoff(packet, at, level);
        }
        peer.cutoffVersion = CutoffsHeader.version(packet, at);
    }
}
