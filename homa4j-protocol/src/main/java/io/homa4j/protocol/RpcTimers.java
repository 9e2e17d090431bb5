package io.homa4j.protocol;

/**
 * What happens when nothing happens: RESENDs, NEED_ACKs, timeouts (spec protocol 7). Each RPC has one timer, armed by
 * {@link Silence}; when it fires the rules of 7.2 are applied to the RPC as it is then. In profile {@code module} the
 * counts are the module's, else repeats are spaced, limited per peer and bounded in time (design 6; D-4, D-5).
 */
final class RpcTimers implements Transmitter.Events {
    /** Ticks an unproven peer's response is kept without an answer. */
    private static final int UNPROVEN_TICKS = 100;
    /** Servers that stay busy are probed in one of so many ticks. */
    private static final long PROBE_TICKS = 8;
    /** After an unanswered NEED_ACK the next follows in this part of the longest interval. */
    private static final int UNANSWERED_PART = 8;

    private final Config config;
    private final Counters counters;
    private final Turn turn;
    private final TimerWheel wheel;
    private final DeferredResends deferred;
    private final Silence silence;
    private final Priorities priorities;
    private final ControlQueue control;
    private final Lifecycle lifecycle;

    RpcTimers(
            Config config,
            Counters counters,
            Turn turn,
            TimerWheel wheel,
            DeferredResends deferred,
            Silence silence,
            Priorities priorities,
            ControlQueue control,
            Lifecycle lifecycle) {
        this.config = config;
        this.counters = counters;
        this.turn = turn;
        this.wheel = wheel;
        this.deferred = deferred;
        this.silence = silence;
        this.priorities = priorities;
        this.control = control;
        this.lifecycle = lifecycle;
    }

    /** Fires everything due at the present tick: those who were put off first. */
    void fire() {
        for (int i = deferred.peers() - 1; i >= 0; i--) {
            fireDeferred(deferred.peer(i));
        }
        for (Rpc rpc = wheel.pollDue(turn.tick); rpc != null; rpc = wheel.pollDue(turn.tick)) {
            check(rpc);
        }
    }

    private void fireDeferred(Peer peer) {
        for (int left = config.maxResendsPerPeerTick; left > 0; left--) {
            Rpc rpc = deferred.poll(peer);
            if (rpc == null) {
                return;
            }
            check(rpc);
        }
    }

    /** The other side is expected to act from now on. */
    @Override
    public void ranDry(Rpc rpc) {
        if (rpc.isClient()) {
            if (rpc.state == Rpc.State.OUTGOING) {
                silence.restart(rpc);
            }
        } else if (rpc.out.isSent()) {
            rpc.responseSentTick = turn.tick + 1;
            rpc.needAckTicks = config.requestAckTicks;
            silence.armBy(rpc, turn.tick + 1 + rpc.needAckTicks);
        } else if (!config.moduleProfile) {
            // It waits for GRANTs, for which the client asks when they are lost; this only finds out that it has gone.
            rpc.needAckTicks = Math.max(config.resendTicks, config.busyResendMaxTicks);
            silence.armBy(rpc, turn.tick + rpc.needAckTicks);
        }
    }

    @Override
    public void needsProof(Rpc rpc) {
        if (rpc.proofAskedTick != turn.tick) {
            rpc.needAckTicks = config.resendTicks;
            askForProof(rpc);
        } else {
            // Asked already in this tick, for the request perhaps, whose timer has been cancelled since.
            silence.armBy(rpc, turn.tick + config.resendTicks);
        }
    }

    private void check(Rpc rpc) {
        if (rpc.isDead() || rpc.error != Status.OK && !config.moduleProfile) {
            return;
        }
        switch (rpc.state) {
            case INCOMING -> checkIncoming(rpc);
            case OUTGOING -> {
                if (rpc.isClient()) {
                    checkRequest(rpc);
                } else {
                    checkResponse(rpc);
                }
            }
            default -> {
                // In service: the application may take arbitrarily long (P-157).
            }
        }
    }

    /** Spec protocol 7.2 items 4, 5 and 8 to 10 for a message that is being received. */
    private void checkIncoming(Rpc rpc) {
        InboundMessage in = rpc.in;
        if (in.isComplete()) {
            return;
        }
        if (!in.hasSpace()) {
            checkSpaceWait(rpc);
        } else if (in.receivedBytes() >= in.granted) {
            // Nothing is expected before the next GRANT, which arms the timer again.
            checkContact(rpc);
        } else {
            checkSilence(rpc);
        }
    }

    /** Nobody waits for ever for receive space (design 6); in the module it does (spec protocol 4.5). */
    private void checkSpaceWait(Rpc rpc) {
        if (config.receiveSpaceWaitTicks == 0) {
            return;
        }
        long due = rpc.spaceWaitTick + config.receiveSpaceWaitTicks;
        if (turn.tick < due) {
            silence.armBy(rpc, due);
            return;
        }
        counters.add(Counters.RECEIVE_SPACE_FAILURES, 1);
        lifecycle.giveUp(rpc, Status.NO_RECEIVE_SPACE);
    }

    /** Ticks without any packet after which a server RPC is given up. */
    private int patience(Rpc rpc) {
        return rpc.peer.isProven ? config.timeoutTicks : Math.min(UNPROVEN_TICKS, config.timeoutTicks);
    }

    /** A request of which nothing is expected now is dropped when its client has not been heard of for a timeout. */
    private void checkContact(Rpc rpc) {
        if (config.moduleProfile || rpc.isClient()) {
            return;
        }
        long due = rpc.lastContactTick + patience(rpc);
        if (turn.tick < due) {
            if (!rpc.peer.isProven) {
                askForProof(rpc);
            }
            silence.armBy(rpc, due);
        } else {
            timeOut(rpc);
        }
    }

    /** Spec protocol 7.2 items 7 to 10 for a client whose request is out. */
    private void checkRequest(Rpc rpc) {
        if (rpc.out.isSendable()) {
            // It is this host's turn; the timer is armed when everything allowed has been sent.
            return;
        }
        checkSilence(rpc);
    }

    private void checkSilence(Rpc rpc) {
        // What was sent later has arrived: then the gap is a loss, and not less urgent than what keeps the link busy.
        boolean hasGap = rpc.in.isKnown && rpc.in.firstGap() != GapPool.NONE;
        long resendTick = rpc.silenceStartTick + rpc.resendAfterTicks + (hasGap ? 0 : silence.busyTicks(rpc));
        if (turn.tick < resendTick) {
            silence.armBy(rpc, resendTick);
            return;
        }
        long timeoutTick = timeoutTick(rpc);
        if (turn.tick >= timeoutTick) {
            timeOut(rpc);
            return;
        }
        if (isProbe(rpc) && !rpc.hasProbeTurn) {
            long probeTick = takeProbeTurn(rpc.peer);
            if (probeTick > turn.tick) {
                rpc.hasProbeTurn = true;
                silence.armBy(rpc, probeTick);
                return;
            }
        }
        rpc.hasProbeTurn = false;
        if (!mayResendTo(rpc.peer)) {
            defer(rpc);
            return;
        }
        if (rpc.unansweredSinceTick < 0) {
            rpc.unansweredSinceTick = turn.tick;
            timeoutTick = timeoutTick(rpc);
        }
        rpc.unansweredResends++;
        requestRetransmission(rpc);
        // From the end of a late turn: the ticks it has to catch up with are no time for an answer.
        long nowTick = config.moduleProfile ? turn.tick : Math.max(turn.tick, turn.reachedTick());
        silence.armBy(rpc, Math.min(timeoutTick, nowTick + resendInterval(rpc)));
    }

    /**
     * When the RPC is given up. In the module {@code timeout_ticks} after the last progress; else that long, less the
     * first wait, after the first RESEND that drew no answer, so that no RPC fails without having asked (design 6).
     */
    private long timeoutTick(Rpc rpc) {
        if (config.moduleProfile) {
            return rpc.silenceStartTick + config.timeoutTicks;
        }
        return rpc.unansweredSinceTick < 0
                ? Long.MAX_VALUE
                : rpc.unansweredSinceTick + Math.max(1, config.timeoutTicks - config.resendTicks);
    }

    /** Unanswered RESENDs are spaced out after the third, up to sixteen intervals; the module never does. */
    private int resendInterval(Rpc rpc) {
        if (config.moduleProfile) {
            return config.resendInterval;
        }
        int interval = Math.max(config.resendInterval, silence.firstResendTicks(rpc));
        return interval << Math.clamp(rpc.unansweredResends - 3, 0, 4);
    }

    /** Whether the RPC only makes sure that its server is still busy with it, as so often before. */
    private boolean isProbe(Rpc rpc) {
        return config.busyResendMaxTicks > 0
                && rpc.resendAfterTicks >= config.busyResendMaxTicks
                && rpc.unansweredSinceTick < 0;
    }

    /**
     * The next tick in which the peer may be probed once more. Thousands of RPCs that wait for one slow server share half
     * of the RESENDs it may get in every eighth tick: one answer tells as much as many, and this host need not wake for
     * each.
     */
    private long takeProbeTurn(Peer peer) {
        long next = Math.ceilDiv(turn.tick, PROBE_TICKS) * PROBE_TICKS;
        if (peer.probeTick < next) {
            peer.probeTick = next;
            peer.probesThatTick = 0;
        }
        if (peer.probesThatTick >= Math.max(1, config.maxResendsPerPeerTick / 2)) {
            peer.probeTick += PROBE_TICKS;
            peer.probesThatTick = 0;
        }
        peer.probesThatTick++;
        return peer.probeTick;
    }

    private boolean mayResendTo(Peer peer) {
        if (peer.resendTick != turn.tick) {
            peer.resendTick = turn.tick;
            peer.resendsThisTick = 0;
        }
        return peer.resendsThisTick++ < config.maxResendsPerPeerTick;
    }

    private void defer(Rpc rpc) {
        counters.add(Counters.RESENDS_DEFERRED, 1);
        deferred.add(rpc);
    }

    private void timeOut(Rpc rpc) {
        counters.add(Counters.RPC_TIMEOUTS, 1);
        lifecycle.giveUp(rpc, Status.TIMEOUT);
    }

    /** Asks for what is missing of the message being received (spec protocol 7.3). */
    private void requestRetransmission(Rpc rpc) {
        requestRetransmission(rpc, rpc.in.granted);
    }

    /**
     * A server wants to know whether its response is still wanted: asks for what is missing (spec protocol 6.5 item 5).
     * Outside profile {@code module} not for bytes whose GRANT has not been followed by any of them: it may have crossed the
     * NEED_ACK, and what is only just being sent would be sent twice. When there is nothing to ask for, BUSY says that the
     * response is wanted: the module says nothing, and a response that waits for grants longer than its server's patience would
     * be given up.
     */
    void answerNeedAck(Rpc rpc) {
        InboundMessage in = rpc.in;
        boolean isProbing = !config.moduleProfile && in.isKnown && in.probeOffset >= 0;
        int end = isProbing ? Math.min(in.granted, in.probeOffset) : in.granted;
        boolean isNothingMissing = in.isKnown && end <= in.receivedEnd && in.firstGap() == GapPool.NONE;
        if (isNothingMissing && !config.moduleProfile) {
            control.busy(rpc);
        } else {
            requestRetransmission(rpc, end);
        }
    }

    private void requestRetransmission(Rpc rpc, int end) {
        InboundMessage in = rpc.in;
        int level = priorities.controlLevel();
        rpc.resendOutstanding = true;
        if (!in.isKnown) {
            control.resend(rpc, 0, -1, level);
            return;
        }
        int left = config.maxResendsPerPeerTick;
        for (int gap = in.firstGap(); gap != GapPool.NONE && left > 0; gap = in.nextGap(gap)) {
            control.resend(rpc, in.gapStart(gap), in.gapEnd(gap) - in.gapStart(gap), level);
            left--;
        }
        if (end > in.receivedEnd) {
            control.resend(rpc, in.receivedEnd, end - in.receivedEnd, level);
        }
    }

    // ---- a server whose response is out (spec protocol 6.5 item 4, D-4, D-5)

    private void checkResponse(Rpc rpc) {
        if (rpc.out.isSendable() && !rpc.waitsForProof) {
            return;
        }
        if (rpc.out.isSent() && turn.tick < rpc.responseSentTick + config.requestAckTicks) {
            silence.armBy(rpc, rpc.responseSentTick + config.requestAckTicks);
            return;
        }
        if (!config.moduleProfile && turn.tick - rpc.lastContactTick >= patience(rpc)) {
            timeOut(rpc);
            return;
        }
        if (rpc.waitsForProof) {
            askForProof(rpc);
            return;
        }
        if (!config.moduleProfile && lifecycle.isRepeatUnderWay(rpc)) {
            // The client knows what it lacks; asked now it would only say so once more.
            silence.armBy(rpc, Math.min(turn.tick + rpc.needAckTicks, rpc.lastContactTick + patience(rpc)));
            return;
        }
        if (!mayResendTo(rpc.peer)) {
            defer(rpc);
            return;
        }
        // A client that still waits for data answers with RESEND, one that has dropped the RPC with ACK.
        boolean wasAsked = rpc.needAckNs != 0;
        rpc.needAckNs = turn.nowNs;
        control.needAck(rpc);
        if (config.moduleProfile) {
            silence.armBy(rpc, turn.tick + 1);
        } else {
            rpc.needAckTicks = nextNeedAckTicks(rpc, wasAsked);
            silence.armBy(rpc, Math.min(turn.tick + rpc.needAckTicks, rpc.lastContactTick + patience(rpc)));
        }
    }

    /**
     * Questions are spaced out. When the client was silent after a question of the longest interval, the interval starts from
     * short again: the question or its answer may have been lost, and few long intervals fit into the patience that is left.
     */
    private int nextNeedAckTicks(Rpc rpc, boolean wasAsked) {
        int longest = Math.max(1, config.busyResendMaxTicks);
        boolean isUnanswered = wasAsked && turn.tick - rpc.lastContactTick >= rpc.needAckTicks;
        return isUnanswered && rpc.needAckTicks >= longest
                ? Math.max(1, longest / UNANSWERED_PART)
                : Math.clamp(2L * rpc.needAckTicks, 1, longest);
    }

    /**
     * Tells the client our table, whose version it echoes, and asks for the first packet of its request again: the answer
     * proves that it receives at its address (design 6). Asking for one packet instead of all costs the client less.
     */
    private void askForProof(Rpc rpc) {
        rpc.proofAskedTick = turn.tick;
        rpc.resendOutstanding = true;
        control.cutoffs(rpc);
        control.resend(rpc, 0, 1, priorities.controlLevel());
        silence.armBy(rpc, Math.min(turn.tick + rpc.needAckTicks, rpc.lastContactTick + patience(rpc)));
        rpc.needAckTicks = Math.min(2 * rpc.needAckTicks, UNPROVEN_TICKS);
    }
}
