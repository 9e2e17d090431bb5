package io.homa4j.protocol;

import org.jspecify.annotations.Nullable;

/**
 * One remote procedure call, for both roles as in the module: a client RPC sends {@link #out} as request and receives
 * {@link #in} as response, a server RPC the other way round. Objects are pooled; {@link #generation} tells tenants apart.
 */
final class Rpc {
    /**
     * States and their order. Client: OUTGOING, INCOMING, DEAD, and back to OUTGOING when the server has lost the RPC. Server:
     * INCOMING, IN_SERVICE, OUTGOING, DEAD. DEAD may follow any of them (spec protocol 6).
     */
    enum State {
        OUTGOING,
        INCOMING,
        IN_SERVICE,
        DEAD
    }

    /** Value of {@link #timerTick} when no timer is armed. */
    static final long NO_TIMER = Long.MIN_VALUE;

    /** Place in the pool; part of the handle. */
    final int index;
    /** Grows each time the object gets a new tenant; part of the handle. */
    int generation;

    /** Local id: even at the client, odd at the server. */
    long id;

    State state = State.DEAD;
    Sock socket = Sock.NONE;
    Peer peer = Peer.NONE;
    /** The other side's Homa port. */
    int remotePort;
    /** Client: the response is received by naming the id. */
    boolean isPrivate;
    /** Server: unscheduled bytes of the response that the client wishes at most; 0 = no wish (Incast). */
    int responseLimit;
    /** Client: the object given with the request, returned with its outcome. */
    @Nullable
    Object attachment;
    /** Client: why the RPC failed, OK while it has not. */
    Status error = Status.OK;

    int abortCode;

    final InboundMessage in;
    final OutboundMessage out = new OutboundMessage();

    // ---- timer state (spec protocol 7.2; RpcTimers)

    /** Tick of the last sign of progress. */
    long silenceStartTick;
    /** How long this host's link had been busy by then ({@link ArrivalRate}). */
    long silenceStartBusyNs;
    /** Ticks of silence before the next first RESEND; grows with each BUSY. */
    int resendAfterTicks;
    /** Tick of the first RESEND since then that has drawn no answer; -1 if none. */
    long unansweredSinceTick;
    /** RESENDs sent since then. */
    int unansweredResends;
    /** Tick of the last packet of any type for this RPC. */
    long lastContactTick;
    /** Server: ticks until the next NEED_ACK; grows with each one in the default profile. */
    int needAckTicks;
    /** Server: tick at which the timer first saw the response completely sent; -1 before. */
    long responseSentTick;
    /** Server: when the last NEED_ACK was queued, 0 = never; its answer tells the round trip. */
    long needAckNs;
    /** Place in the order in which messages get receive space: length, and when they came (Lifecycle). */
    long spaceRank;
    /** Since when the message waits for receive space; -1 if it does not. */
    long spaceWaitTick;
    /** Client: how many times the request was sent again since there was progress, and the tick of the last time. */
    int restarts;

    long restartTick;
    /** An own RESEND is unanswered, so that RPC_UNKNOWN is believable. */
    boolean resendOutstanding;

    long timerTick = NO_TIMER;

    @Nullable
    Rpc timerNext;

    @Nullable
    Rpc timerPrevious;

    // ---- places in tables and queues

    /** Next RPC in the same bucket of its table, or in the pool. */
    @Nullable
    Rpc nextInBucket;

    /** Neighbours among the RPCs of the same peer. */
    @Nullable
    Rpc peerNext;

    @Nullable
    Rpc peerPrevious;

    @Nullable
    Rpc socketNext;

    @Nullable
    Rpc socketPrevious;
    /** In the socket's ready queue, or announced by an event if private. */
    boolean isReady;

    @Nullable
    Rpc readyNext;

    @Nullable
    Rpc readyPrevious;
    /** Order in which messages became ready at the socket. */
    long readySequence;
    /** Requests of the same host that overflowed before. */
    int overflowRound;
    /** Where it waits for receive space; null if it does not. */
    Sock.@Nullable WaitingForSpace waitingIn;
    /** Ticks of the last BUSY to it and of the last RESENDs a NEED_ACK of it drew. */
    long busyTick;

    long needAckAnsweredTick;
    /** It has been given a tick in which to ask a peer that has been busy for long. */
    boolean hasProbeTurn;
    /** In the peer's queue of RPCs whose RESEND waits for a later tick. */
    boolean isDeferred;

    @Nullable
    Rpc deferredNext;

    @Nullable
    Rpc deferredPrevious;
    /** Tick at which its peer was last asked to prove itself. */
    long proofAskedTick;
    /** Next in the peer's list of responses that wait for proof of reachability. */
    @Nullable
    Rpc proofNext;

    boolean waitsForProof;
    /** Counts as an RPC of an unproven peer (design 6, bounds). */
    boolean isUnprovenCharge;
    /** Receive space charged to the unproven peers together. */
    long unprovenBytes;

    /** Places in heaps: the grant queue of its host, receive space, SRPT and age in the transmit queue. */
    int grantPlace = -1;

    int spacePlace = -1;
    int overflowPlace = -1;
    int srptPlace = -1;
    int agePlace = -1;

    Rpc(int index, GapPool gaps) {
        this.index = index;
        in = new InboundMessage(gaps);
    }

    /** Whether this host is the client of the RPC (spec protocol 1.2 item 1). */
    boolean isClient() {
        return (id & 1) == 0;
    }

    /** The name an application uses for a server RPC: never the same for two tenants of this object. */
    long handle() {
        return (long) generation << 32 | index;
    }

    boolean isDead() {
        return state == State.DEAD;
    }

    /** Moves to the next state; successors are those of {@link State}. */
    void state(State next) {
        assert next == State.DEAD
                || (isClient()
                        ? state == State.OUTGOING && next == State.INCOMING
                                || state == State.INCOMING && next == State.OUTGOING
                        : state == State.INCOMING && next == State.IN_SERVICE
                                || state == State.IN_SERVICE && next == State.OUTGOING);
        state = next;
    }
}
