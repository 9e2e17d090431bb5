package io.homa4j.protocol;

/**
 * Keeps, for each RPC, since when the other side has been silent, and arms the RPC's timer so that {@link RpcTimers}
 * looks at it when something may be due. Progress only writes fields; a timer that fires early is armed again.
 */
final class Silence {
    /** How many times the queueing seen has to pass before silence means loss (design 6). */
    private static final int QUEUEINGS = 4;
    /** Longest wait before the first RESEND, ns. */
    private static final long LONGEST_WAIT_NS = 100_000_000;

    private final Config config;
    private final Turn turn;
    private final TimerWheel wheel;
    private final DeferredResends deferred;
    private final ArrivalRate arrivalRate;

    Silence(Config config, Turn turn, TimerWheel wheel, DeferredResends deferred, ArrivalRate arrivalRate) {
        this.config = config;
        this.turn = turn;
        this.wheel = wheel;
        this.deferred = deferred;
        this.arrivalRate = arrivalRate;
    }

    /** A new RPC: nothing is armed yet. */
    void begin(Rpc rpc) {
        start(rpc);
        rpc.lastContactTick = turn.tick;
        rpc.resendAfterTicks = firstResendTicks(rpc);
        rpc.unansweredSinceTick = -1;
        rpc.unansweredResends = 0;
        rpc.needAckTicks = config.requestAckTicks;
        rpc.responseSentTick = -1;
        rpc.resendOutstanding = false;
        rpc.hasProbeTurn = false;
        rpc.restarts = 0;
    }

    /** DATA or GRANT: the other side is making progress (spec protocol 3.6). */
    void progress(Rpc rpc) {
        rpc.resendAfterTicks = firstResendTicks(rpc);
        rpc.restarts = 0;
        restart(rpc);
    }

    /** BUSY: alive, but not soon; asked again after twice the time each time (design 6). */
    void busy(Rpc rpc) {
        rpc.restarts = 0;
        if (config.busyResendMaxTicks > 0) {
            rpc.resendAfterTicks =
                    Math.max(config.resendTicks, Math.min(2 * rpc.resendAfterTicks, config.busyResendMaxTicks));
        }
        restart(rpc);
    }

    /** From now on the other side is expected to act: silence counts from here. */
    void restart(Rpc rpc) {
        rpc.hasProbeTurn = false;
        start(rpc);
        rpc.unansweredSinceTick = -1;
        rpc.unansweredResends = 0;
        rpc.resendOutstanding = false;
        armBy(rpc, turn.tick + rpc.resendAfterTicks);
    }

    private void start(Rpc rpc) {
        rpc.silenceStartTick = turn.tick;
        rpc.silenceStartBusyNs = arrivalRate.busyNs();
    }

    /**
     * Ticks since the last sign of progress in which the link was busy with other messages: what is less urgent waited for them
     * in the network, and its silence does not mean that it is lost. Bounded, so that a loss is repaired under any load.
     */
    long busyTicks(Rpc rpc) {
        if (config.moduleProfile) {
            return 0;
        }
        return Math.min(arrivalRate.busyNs() - rpc.silenceStartBusyNs, LONGEST_WAIT_NS) / config.tickNs;
    }

    /**
     * Ticks of silence before the first RESEND: {@code resend_ticks}, or more when queues are long, because asking again for
     * what merely waits makes them longer (design 6).
     */
    int firstResendTicks(Rpc rpc) {
        if (config.moduleProfile) {
            return config.resendTicks;
        }
        long waitNs = Math.min(QUEUEINGS * rpc.peer.host.queueingNs, LONGEST_WAIT_NS);
        return Math.max(config.resendTicks, (int) (waitNs / config.tickNs));
    }

    /** Makes the timer fire at this tick or earlier. */
    void armBy(Rpc rpc, long tick) {
        if (rpc.timerTick == Rpc.NO_TIMER || rpc.timerTick > tick) {
            wheel.arm(rpc, Math.max(tick, turn.tick + 1));
        }
    }

    void cancel(Rpc rpc) {
        deferred.remove(rpc);
        wheel.cancel(rpc);
    }
}
