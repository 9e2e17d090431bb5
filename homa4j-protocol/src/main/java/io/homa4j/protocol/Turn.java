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
    /** A turn later than this may come after others have given up and forgotten what they had to do with this host. */
    private final long longPauseNs;

    /** The end of the last pause of that length, ns. */
    private long pausedUntilNs;

    private boolean wasPaused;

    /** Time of this turn, ns. */
    long nowNs;
    /** Completed ticks since the engine began. */
    long tick;

    /** Time on the clock of the ticks, ns; tick = clockNs / tickNs. */
    private long clockNs;
    /**
     * When the owner was to turn again, on the clock of the ticks; Long.MAX_VALUE = had nothing to wait for. Commands alone are
     * no turn: they do not tell whether the other side is silent. So it stays where it is while the turn is overdue.
     */
    private long plannedNs = Long.MAX_VALUE;
    /** The same in the time of {@link #nowNs}. */
    private long plannedForNs;
    /** When data that wait for the link may go on; Long.MAX_VALUE = none wait. */
    private long sendNs = Long.MAX_VALUE;
    /** By how much turns that data waited for were late. */
    final Lateness lateness = new Lateness();

    Turn(Config config, long nowNs) {
        this.tickNs = config.tickNs;
        this.maxLatenessNs = config.resendInterval * config.tickNs;
        this.longPauseNs = config.timeoutTicks * config.tickNs;
        this.strict = config.moduleProfile;
        this.nowNs = nowNs;
    }

    /** Moves the present on; time never runs backwards. */
    void now(long nowNs) {
        if (nowNs - this.nowNs > 0) {
            if (sendNs != Long.MAX_VALUE && nowNs - sendNs >= 0) {
                lateness.add(nowNs - sendNs);
                sendNs = Long.MAX_VALUE;
            }
            long beforeNs = clockNs;
            clockNs += nowNs - this.nowNs;
            this.nowNs = nowNs;
            if (plannedNs == Long.MAX_VALUE) {
                turned();
                return;
            }
            if (!strict) {
                if (nowNs - plannedForNs >= longPauseNs) {
                    wasPaused = true;
                    pausedUntilNs = nowNs;
                }
                // A turn later than planned counts for one resend interval only.
                clockNs = Math.min(clockNs, Math.max(beforeNs, plannedNs + maxLatenessNs));
            }
            plannedNs = Math.min(plannedNs, clockNs);
            plannedForNs = plannedForNs - nowNs > 0 ? nowNs : plannedForNs;
        }
    }

    /** The owner turns now: it has looked at what has arrived. */
    void turned() {
        plannedNs = clockNs;
        plannedForNs = nowNs;
    }

    /** Whether the owner has slept through {@code timeout_ticks} since that time. */
    boolean pausedSince(long sinceNs) {
        return wasPaused && pausedUntilNs - sinceNs > 0;
    }

    /** Whether such a pause has ended less than a tick ago: what arrives now may have been sent during it or before. */
    boolean isJustBack() {
        return wasPaused && nowNs - pausedUntilNs < tickNs;
    }

    /** The tick the clock has reached; {@link #tick} follows it one by one while timers fire. */
    long reachedTick() {
        return clockNs / tickNs;
    }

    /** Absolute time at which the clock reaches the tick, if no turn is late. */
    long timeOfTick(long tick) {
        return nowNs + tick * tickNs - clockNs;
    }

    /**
     * Records that the owner will turn at this time at the latest.
     *
     * @param sendNs when data that wait for the link may go on; {@code Long.MAX_VALUE} = none wait
     */
    void planned(long deadlineNs, long sendNs) {
        this.sendNs = sendNs == Long.MAX_VALUE || sendNs - nowNs <= 0 ? Long.MAX_VALUE : sendNs;
        if (deadlineNs == Long.MAX_VALUE) {
            plannedNs = Long.MAX_VALUE;
        } else if (deadlineNs - nowNs > 0) {
            plannedNs = clockNs + (deadlineNs - nowNs);
            plannedForNs = deadlineNs;
        } else if (plannedNs == Long.MAX_VALUE) {
            turned();
        }
    }
}
