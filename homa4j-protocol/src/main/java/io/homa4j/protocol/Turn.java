package io.homa4j.protocol;

/**
 * The engine's idea of time: the moment of the present turn and the tick count. Ticks run on a clock of their own that
 * a late turn advances by at most one resend interval beyond what was planned, so that a pause of the process (garbage
 * collection, SIGSTOP, quota) makes RESENDs but never a timeout at once (design 6: silence is counted in turns). In
 * profile {@code module} ticks are strict.
 */
final class Turn {
    private final long tickNs;
    private final long maxLatenessNs;
    private final boolean strict;

    /** Time of this turn, ns. */
    long nowNs;
    /** Completed ticks since the engine began. */
    long tick;

    /** Time on the clock of the ticks, ns; tick = clockNs / tickNs. */
    private long clockNs;
    /** When the owner was told to turn again, on the clock of the ticks; Long.MAX_VALUE = had nothing to wait for. */
    private long plannedNs = Long.MAX_VALUE;

    Turn(Config config, long nowNs) {
        this.tickNs = config.tickNs;
        this.maxLatenessNs = config.resendInterval * config.tickNs;
        this.strict = config.moduleProfile;
        this.nowNs = nowNs;
    }

    /** Moves the present on; time never runs backwards. */
    void now(long nowNs) {
        if (nowNs - this.nowNs > 0) {
            long beforeNs = clockNs;
            clockNs += nowNs - this.nowNs;
            this.nowNs = nowNs;
            if (!strict && plannedNs != Long.MAX_VALUE) {
                // A turn later than planned counts for one resend interval only.
                clockNs = Math.min(clockNs, Math.max(plannedNs, beforeNs) + maxLatenessNs);
            }
            plannedNs = clockNs;
        }
    }

    /** The tick the clock has reached; {@link #tick} follows it one by one while timers fire. */
    long reachedTick() {
        return clockNs / tickNs;
    }

    /** Absolute time at which the clock reaches the tick, if no turn is late. */
    long timeOfTick(long tick) {
        return nowNs + tick * tickNs - clockNs;
    }

    /** Records that the owner will turn at this time at the latest. */
    void planned(long deadlineNs) {
        plannedNs = deadlineNs == Long.MAX_VALUE ? Long.MAX_VALUE : Math.max(clockNs, clockNs + (deadlineNs - nowNs));
    }
}
