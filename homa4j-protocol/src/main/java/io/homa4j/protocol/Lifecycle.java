package io.homa4j.protocol;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * How RPCs begin, become ready for the application, fail and end (spec protocol 6). It is the one place that takes an
 * RPC out of every table and queue, so that nothing is left behind.
 */
final class Lifecycle {
    /** A share of the region with room for so many of the longest messages is kept open for shorter ones. */
    private static final int SEVERAL = 4;

    private final Config config;
    private final Counters counters;
    private final Turn turn;
    private final RpcTable rpcs;
    private final PeerTable peers;
    private final Granter granter;
    private final Transmitter transmitter;
    private final RetransmitQueue retransmits;
    private final Silence silence;
    private final Priorities priorities;
    private final ControlQueue control;
    private final FinishedRpcs finished;
    private final EventQueue events;
    private final Paths paths;
    private final PathMtuSearch mtus;

    Lifecycle(
            Config config,
            Counters counters,
            Turn turn,
            RpcTable rpcs,
            PeerTable peers,
            Granter granter,
            Transmitter transmitter,
            RetransmitQueue retransmits,
            Silence silence,
            Priorities priorities,
            ControlQueue control,
            FinishedRpcs finished,
            EventQueue events,
            Paths paths,
            PathMtuSearch mtus) {
        this.config = config;
        this.counters = counters;
        this.turn = turn;
        this.rpcs = rpcs;
        this.peers = peers;
        this.granter = granter;
        this.transmitter = transmitter;
        this.retransmits = retransmits;
        this.silence = silence;
        this.priorities = priorities;
        this.control = control;
        this.finished = finished;
        this.events = events;
        this.paths = paths;
        this.mtus = mtus;
    }

    // ---- beginning

    Rpc beginClient(long id, Sock socket, Peer peer, int remotePort, boolean isPrivate, @Nullable Object attachment) {
        Rpc rpc = rpcs.add(id, socket, peer, remotePort, false);
        begin(rpc, Rpc.State.OUTGOING);
        rpc.isPrivate = isPrivate;
        rpc.attachment = attachment;
        return rpc;
    }

    /** A server RPC; its reception is begun by {@link #beginReception}. */
    Rpc beginServer(long id, Sock socket, Peer peer, int remotePort) {
        Rpc rpc = rpcs.add(id, socket, peer, remotePort, !peer.isProven);
        begin(rpc, Rpc.State.INCOMING);
        peer.host.serverRpcs++;
        counters.add(Counters.REQUESTS_RECEIVED, 1);
        return rpc;
    }

    private void begin(Rpc rpc, Rpc.State state) {
        rpc.state = state;
        rpc.error = Status.OK;
        rpc.abortCode = 0;
        rpc.isPrivate = false;
        rpc.responseLimit = 0;
        rpc.attachment = null;
        rpc.spaceWaitTick = -1;
        rpc.needAckNs = 0;
        rpc.busyTick = Long.MIN_VALUE;
        rpc.needAckAnsweredTick = Long.MIN_VALUE;
        rpc.proofAskedTick = Long.MIN_VALUE;
        silence.begin(rpc);
        rpc.socket.addRpc(rpc);
        rpc.peer.addRpc(rpc);
        peers.updateIdle(rpc.peer);
    }

    /** Starts the reception of a message whose length is legal (spec protocol 4.1), with space or in the queue for it. */
    void beginReception(Rpc rpc, int length, int incoming) {
        rpc.in.begin(length, incoming, turn.nowNs);
        if (rpc.peer.isProven) {
            // What strangers claim shall not choose the table of cutoffs.
            counters.message(length);
        }
        boolean isClient = rpc.isClient();
        counters.add(isClient ? Counters.CLIENT_RESPONSES_STARTED : Counters.SERVER_REQUESTS_STARTED, 1);
        counters.add(isClient ? Counters.CLIENT_RESPONSE_BYTES_STARTED : Counters.SERVER_REQUEST_BYTES_STARTED, length);
        counters.add(Counters.RESPONSES_RECEIVED, isClient ? 1 : 0);
        rpc.spaceRank = spaceRank(length);
        Sock.WaitingForSpace ahead = queueAhead(rpc);
        if (ahead != null || !tryAllocate(rpc)) {
            rpc.spaceWaitTick = turn.tick;
            waitForSpace(rpc, ahead != null ? ahead : queueFor(rpc));
            if (config.receiveSpaceWaitTicks > 0) {
                silence.armBy(rpc, turn.tick + config.receiveSpaceWaitTicks);
            }
        }
    }

    /** The response that has begun to arrive will not go on: it leaves every queue, and the client waits for another one. */
    void dropResponse(Rpc rpc) {
        countUnreceived(rpc);
        granter.forget(rpc);
        leaveSpaceQueue(rpc);
        freeSpace(rpc);
        rpc.in.clear();
        rpc.spaceWaitTick = -1;
        rpc.state(Rpc.State.OUTGOING);
        transmitter.update(rpc);
        // A response that waited for grants had no timer.
        silence.armBy(rpc, turn.tick + config.resendInterval);
    }

    /** Starts the transmission of a message. */
    void beginTransmission(
            Rpc rpc,
            MemorySegment payload,
            long payloadAt,
            int length,
            int unscheduled,
            int cut,
            @Nullable Object lent) {
        OutboundMessage out = rpc.out;
        int most = config.policy.unscheduledPacketBytes();
        int unscheduledCut = most == 0 ? cut : Math.min(most, cut);
        out.begin(payload, payloadAt, length, unscheduled, cut, unscheduledCut, transmitter.nextSequence());
        out.takeAcks(rpc.peer);
        out.attachment = lent;
        out.isLent = true;
        Sock socket = rpc.socket;
        socket.outgoingBytes += length;
        socket.outgoingCount++;
        boolean isClient = rpc.isClient();
        if (!isClient) {
            socket.responseBytes += length;
            socket.responseCount++;
        }
        counters.add(isClient ? Counters.CLIENT_REQUESTS_STARTED : Counters.SERVER_RESPONSES_STARTED, 1);
        counters.add(isClient ? Counters.CLIENT_REQUEST_BYTES_STARTED : Counters.SERVER_RESPONSE_BYTES_STARTED, length);
        counters.add(Counters.SENT_MSG_BYTES, length);
        transmitter.update(rpc);
    }

    // ---- receive space (spec protocol 4.5, scheduling 13)

    private boolean tryAllocate(Rpc rpc) {
        int length = rpc.in.length;
        Sock socket = rpc.socket;
        if (isOverHostShare(rpc) || isOverUnprovenShare(rpc)) {
            counters.add(Counters.BUFFER_ALLOC_FAILURES, 1);
            return false;
        }
        // Responses were asked for: they are charged to nobody.
        long at = socket.region.allocate(length, rpc.isClient() ? Host.NONE : rpc.peer.host);
        if (at == ReceiveRegion.NONE) {
            counters.add(Counters.BUFFER_ALLOC_FAILURES, 1);
            return false;
        }
        rpc.in.regionAt = at;
        if (rpc.isUnprovenCharge) {
            rpc.unprovenBytes = ReceiveRegion.pieceBytes(length);
            socket.unprovenBytes += rpc.unprovenBytes;
        }
        return true;
    }

    /**
     * Whether the message would take its host beyond its share of the region; one message is always allowed. Where the
     * share has room for several of the longest messages, each leaves as much as it takes: a few long ones, which shorter ones
     * pass again and again, may not keep all those shorter ones out.
     */
    private boolean isOverHostShare(Rpc rpc) {
        if (rpc.isClient() || config.hostShare == 1) {
            return false;
        }
        long held = rpc.peer.host.regionBytes(rpc.socket.number);
        long share = rpc.socket.region.size() / config.hostShare;
        long piece = ReceiveRegion.pieceBytes(rpc.in.length);
        long wanted = share >= SEVERAL * ReceiveRegion.pieceBytes(config.maxMessageBytes) ? 2 * piece : piece;
        return held > 0 && held + wanted > share;
    }

    private boolean isOverUnprovenShare(Rpc rpc) {
        long held = rpc.socket.unprovenBytes;
        return rpc.isUnprovenCharge
                && !rpc.peer.isProven
                && config.unprovenShare > 1
                && held > 0
                && held + ReceiveRegion.pieceBytes(rpc.in.length) > rpc.socket.region.size() / config.unprovenShare;
    }

    /**
     * Shortest first (spec protocol 4.5). Where waiting is bounded, a tick of waiting also counts as much as so many bytes
     * less that the longest message comes before any newcomer after a quarter of that bound; else long ones would
     * starve.
     */
    private long spaceRank(int length) {
        return config.receiveSpaceWaitTicks == 0
                ? length
                : length + turn.tick * (4L * config.maxMessageBytes / config.receiveSpaceWaitTicks);
    }

    /**
     * The queue with a message that is to have space before this newcomer; null if there is none. In the module, and if
     * it is short enough to need no grants, a newcomer takes what there is, whoever waits (spec api 12).
     */
    private Sock.@Nullable WaitingForSpace queueAhead(Rpc rpc) {
        if (config.receiveSpaceWaitTicks == 0 || rpc.in.length <= config.unschedBytes) {
            return null;
        }
        Sock.WaitingForSpace ofHost = rpc.isClient() ? null : rpc.peer.host.waiting(rpc.socket.number);
        Rpc first = ofHost == null ? null : ofHost.first();
        if (first != null && first.spaceRank < rpc.spaceRank) {
            return ofHost;
        }
        first = rpc.socket.waiting.first();
        return first != null && first.spaceRank < rpc.spaceRank ? rpc.socket.waiting : null;
    }

    /** Where the message has to wait: those who only wait for a share wait apart, so that they hold up nobody else. */
    private Sock.WaitingForSpace queueFor(Rpc rpc) {
        if (isOverHostShare(rpc)) {
            return rpc.peer.host.queueForShare(rpc.socket.number);
        }
        return isOverUnprovenShare(rpc) ? rpc.socket.waitingUnproven : rpc.socket.waiting;
    }

    private void waitForSpace(Rpc rpc, Sock.WaitingForSpace queue) {
        rpc.waitingIn = queue;
        queue.add(rpc);
        rpc.socket.waitingCount++;
    }

    private void stopWaitingForSpace(Rpc rpc) {
        Sock.WaitingForSpace queue = rpc.waitingIn;
        if (queue != null) {
            rpc.waitingIn = null;
            queue.remove(rpc);
            rpc.socket.waitingCount--;
        }
    }

    /** The message gives up its place in a queue: those behind it may fit where it did not. */
    private void leaveSpaceQueue(Rpc rpc) {
        Sock.WaitingForSpace queue = rpc.waitingIn;
        stopWaitingForSpace(rpc);
        if (queue != null && config.receiveSpaceWaitTicks > 0) {
            serve(queue);
        }
    }

    /** Gives back a piece of a socket's region; whoever waits for it is served at once. */
    void free(Sock socket, long regionAt) {
        Host host = socket.region.owner(regionAt);
        socket.region.free(regionAt);
        if (host != Host.NONE) {
            serveShare(host, socket);
            peers.forgetIfUnused(host);
        }
        serve(socket.waiting);
        serve(socket.waitingUnproven);
    }

    /** Those who wait for the host's share of this region. */
    private void serveShare(Host host, Sock socket) {
        Sock.WaitingForSpace queue = host.waiting(socket.number);
        if (queue != null) {
            serve(queue);
        }
    }

    /**
     * Gives free space to waiting messages, shortest first, until the first does not fit (S-238). What it lacks may have
     * changed meanwhile from a share to space or back; then it waits elsewhere from now on.
     */
    private void serve(Sock.WaitingForSpace queue) {
        for (Rpc rpc = queue.first(); rpc != null; rpc = queue.first()) {
            if (!tryAllocate(rpc)) {
                Sock.WaitingForSpace right = queueFor(rpc);
                if (right != queue) {
                    stopWaitingForSpace(rpc);
                    waitForSpace(rpc, right);
                }
                if (right == queue || queue != rpc.socket.waiting) {
                    return;
                }
                continue;
            }
            stopWaitingForSpace(rpc);
            rpc.spaceWaitTick = -1;
            rpc.resendOutstanding = true;
            silence.restart(rpc);
            control.resend(rpc, 0, -1, priorities.secondLevel());
            if (queue == rpc.socket.waiting && !rpc.isClient()) {
                // The next of its host, which may be under its share too, takes its place among those who wait for
                // space.
                serveShare(rpc.peer.host, rpc.socket);
            }
        }
    }

    /**
     * The peer has proved itself: none of its RPCs counts against the share of the unproven or waits for it any longer, and its
     * responses go on.
     */
    void proved(Peer peer) {
        transmitter.releaseProofQueue(peer);
        for (Rpc rpc = peer.firstRpc; rpc != null; rpc = rpc.peerNext) {
            if (rpc.waitingIn == rpc.socket.waitingUnproven) {
                stopWaitingForSpace(rpc);
                waitForSpace(rpc, queueFor(rpc));
            }
        }
        for (Rpc rpc = peer.firstRpc; rpc != null; rpc = rpc.peerNext) {
            uncharge(rpc);
            if (rpc.waitingIn == rpc.socket.waiting) {
                serve(rpc.socket.waiting);
            }
        }
    }

    private void freeSpace(Rpc rpc) {
        if (rpc.in.hasSpace()) {
            long at = rpc.in.regionAt;
            rpc.in.regionAt = InboundMessage.NO_SPACE;
            free(rpc.socket, at);
        }
    }

    // ---- becoming ready

    /** The message of this RPC is complete (spec protocol 3.8 item 5): the application may have it. */
    void complete(Rpc rpc) {
        boolean isClient = rpc.isClient();
        counters.add(isClient ? Counters.CLIENT_RESPONSES_DONE : Counters.SERVER_REQUESTS_DONE, 1);
        counters.add(
                isClient ? Counters.CLIENT_RESPONSE_BYTES_DONE : Counters.SERVER_REQUEST_BYTES_DONE, rpc.in.length);
        silence.cancel(rpc);
        makeReady(rpc);
    }

    private void makeReady(Rpc rpc) {
        if (rpc.isReady) {
            return;
        }
        Sock socket = rpc.socket;
        if (rpc.isPrivate) {
            rpc.isReady = true;
            events.add(Event.Kind.PRIVATE_READY, socket.number, rpc.id, rpc.attachment);
        } else {
            socket.addReady(rpc, socket.inService >= config.maxInService);
            events.add(Event.Kind.READABLE, socket.number, rpc.id, null);
        }
    }

    /** The application has taken the request of a server RPC: its bytes are the application's now. */
    void takeRequest(Rpc rpc) {
        rpc.socket.removeReady(rpc);
        rpc.socket.region.handOver(rpc.in.regionAt);
        rpc.in.regionAt = InboundMessage.NO_SPACE;
        rpc.state(Rpc.State.IN_SERVICE);
        rpc.socket.inService++;
    }

    /** The application answers: the request is no longer in service. */
    void leaveService(Rpc rpc) {
        Sock socket = rpc.socket;
        socket.inService--;
        if (socket.readyCount > 0 && socket.inService == config.maxInService - 1) {
            // Receivers were refused at the limit; tell them to try again.
            events.add(Event.Kind.READABLE, socket.number, 0, null);
        }
    }

    // ---- failing and ending

    /**
     * Aborts an RPC (spec protocol 6.6): a client RPC gets the error and becomes deliverable, a server RPC ends. The other
     * side is not told. The first error stays; in profile module a request goes on being sent and asked about until the
     * application has taken the error (D-13, capture 08f).
     */
    void abort(Rpc rpc, Status error, int code) {
        if (rpc.isDead()) {
            return;
        }
        if (!rpc.isClient()) {
            counters.add(Counters.SERVER_RPC_DISCARDS, 1);
            end(rpc);
            return;
        }
        if (rpc.error != Status.OK) {
            return;
        }
        rpc.error = error;
        rpc.abortCode = code;
        if (config.moduleProfile && rpc.state == Rpc.State.OUTGOING) {
            makeReady(rpc);
            return;
        }
        silence.cancel(rpc);
        granter.forget(rpc);
        transmitter.withdraw(rpc);
        leaveSpaceQueue(rpc);
        freeSpace(rpc);
        makeReady(rpc);
    }

    /**
     * The RPC is given up: the other side has been silent for too long, or there was no receive space. A request that has not
     * arrived in whole cannot have run, so it is not remembered: its client, who may only have been slow or stopped, may start
     * it again (design 6; at most once).
     */
    void giveUp(Rpc rpc, Status error) {
        if (rpc.isClient() || rpc.state != Rpc.State.INCOMING || rpc.in.isComplete()) {
            abort(rpc, error, 0);
        } else {
            counters.add(Counters.SERVER_RPC_DISCARDS, 1);
            end(rpc, false);
        }
    }

    /** Ends the RPC: it leaves every table and queue, its memory is free, packets no longer find it (spec protocol 6.3). */
    void end(Rpc rpc) {
        end(rpc, true);
    }

    private void end(Rpc rpc, boolean isRemembered) {
        if (rpc.isDead()) {
            return;
        }
        Sock socket = rpc.socket;
        countUnfinished(rpc);
        mtus.ended(rpc);
        granter.forget(rpc);
        transmitter.withdraw(rpc);
        Transmitter.leaveProofQueue(rpc);
        silence.cancel(rpc);
        if (rpc.isReady) {
            if (rpc.isPrivate) {
                rpc.isReady = false;
            } else {
                socket.removeReady(rpc);
            }
        }
        leaveSpaceQueue(rpc);
        uncharge(rpc);
        freeSpace(rpc);
        if (rpc.state == Rpc.State.IN_SERVICE) {
            leaveService(rpc);
        }
        releaseLent(rpc);
        if (!rpc.isClient() && isRemembered) {
            finished.remember(rpc.peer, rpc.id, turn.nowNs);
        }
        rpc.state(Rpc.State.DEAD);
        rpc.peer.host.serverRpcs -= rpc.isClient() ? 0 : 1;
        rpc.in.clear();
        rpc.out.clear();
        rpc.attachment = null;
        socket.removeRpc(rpc);
        rpcs.remove(rpc);
        rpc.peer.removeRpc(rpc);
        peers.updateIdle(rpc.peer);
        rpc.peer = Peer.NONE;
        rpc.socket = Sock.NONE;
    }

    private void uncharge(Rpc rpc) {
        if (rpc.unprovenBytes > 0) {
            rpc.socket.unprovenBytes -= rpc.unprovenBytes;
            rpc.unprovenBytes = 0;
            serve(rpc.socket.waitingUnproven);
        }
        rpcs.uncharge(rpc);
    }

    private void releaseLent(Rpc rpc) {
        OutboundMessage out = rpc.out;
        if (!out.isLent) {
            return;
        }
        out.isLent = false;
        Sock socket = rpc.socket;
        socket.outgoingBytes -= out.length;
        socket.outgoingCount--;
        if (!rpc.isClient()) {
            socket.responseBytes -= out.length;
            socket.responseCount--;
        }
        events.add(Event.Kind.RELEASED, socket.number, rpc.id, out.attachment);
        if (socket.wantsSpace && hasSendSpace(socket) || socket.wantsResponseSpace && hasResponseSpace(socket)) {
            socket.wantsSpace = false;
            socket.wantsResponseSpace = false;
            events.add(Event.Kind.WRITABLE, socket.number, 0, null);
        }
    }

    /** Whether the socket is below its limits of outgoing messages (spec api 13). */
    boolean hasSendSpace(Sock socket) {
        return socket.outgoingBytes < config.wmemMax && socket.outgoingCount < config.maxOutgoing;
    }

    /**
     * Whether the socket may send one more response. Outside profile {@code module} responses count by themselves: requests
     * keep their memory until they are answered, and two hosts that have called each other up to the limit would never
     * answer.
     */
    boolean hasResponseSpace(Sock socket) {
        return config.moduleProfile
                ? hasSendSpace(socket)
                : socket.responseBytes < config.wmemMax && socket.responseCount < config.maxOutgoing;
    }

    /** Messages that will not be finished count as done when their RPC ends (spec metrics 3). */
    private void countUnfinished(Rpc rpc) {
        countUnreceived(rpc);
        boolean isClient = rpc.isClient();
        int unsent = rpc.out.bytesLeft();
        if (unsent > 0) {
            counters.add(isClient ? Counters.CLIENT_REQUESTS_DONE : Counters.SERVER_RESPONSES_DONE, 1);
            counters.add(isClient ? Counters.CLIENT_REQUEST_BYTES_DONE : Counters.SERVER_RESPONSE_BYTES_DONE, unsent);
        }
    }

    private void countUnreceived(Rpc rpc) {
        boolean isClient = rpc.isClient();
        if (rpc.in.isKnown && rpc.in.remaining > 0) {
            counters.add(isClient ? Counters.CLIENT_RESPONSES_DONE : Counters.SERVER_REQUESTS_DONE, 1);
            counters.add(
                    isClient ? Counters.CLIENT_RESPONSE_BYTES_DONE : Counters.SERVER_REQUEST_BYTES_DONE, rpc.in.length);
        }
    }

    // ---- retransmission (spec protocol 5.5, 5.6)

    /**
     * Whether something is being sent again: it waits to leave, as it may for long where others are being sent, or has left so
     * short a time ago that it need not have arrived.
     */
    boolean isRepeatUnderWay(Rpc rpc) {
        OutboundMessage out = rpc.out;
        return out.resentTo > 0
                && (retransmits.isQueued(rpc)
                        || turn.nowNs - out.resentNs
                                < Math.max(config.retransmitMinIntervalNs, paths.onTheWayNs(rpc.peer.host)));
    }

    /** Sends again every packet that intersects {@code [from, to)} of what has been sent. */
    void retransmit(Rpc rpc, int from, int to, int incoming, int level) {
        OutboundMessage out = rpc.out;
        if (config.retransmitMinIntervalNs > 0) {
            boolean isUnderWay = isRepeatUnderWay(rpc);
            if (isUnderWay && from < out.resentTo && to > out.resentFrom) {
                counters.add(Counters.RESENDS_SUPPRESSED, 1);
                return;
            }
            out.resentNs = turn.nowNs;
            out.resentFrom = isUnderWay ? Math.min(from, out.resentFrom) : from;
            out.resentTo = isUnderWay ? Math.max(to, out.resentTo) : to;
        }
        mtus.askedAgain(rpc, from, to, to == incoming);
        if (!retransmits.add(rpc, from, to, incoming, level)) {
            counters.add(Counters.RETRANSMIT_QUEUE_DROPS, 1);
            out.resentTo = 0;
        }
    }
}
