package io.homa4j.sim;

import io.homa4j.protocol.Config;
import java.util.EnumSet;
import java.util.Set;

/**
 * What may fail in a run, and how long anything may last: every failure of a call needs a fault of its plan that can cause
 * it, and after the last fault everything has to come to an end within a time that follows from the parameters.
 */
final class Excuses {
    /** Faults of a host or a pair that can silence it for as long as a timeout, or make a server lose or refuse a request. */
    private static final Set<Fault> OF_HOSTS = EnumSet.of(
            Fault.CLOG,
            Fault.PARTITION,
            Fault.ONE_WAY_PARTITION,
            Fault.CRASH,
            Fault.RESTART,
            Fault.RESTART_ELSEWHERE,
            Fault.RESTART_OTHER_PORTS,
            Fault.MTU_TOLD,
            Fault.MTU_BLACK_HOLE,
            Fault.NAT_REBINDING,
            Fault.SHUTDOWN,
            Fault.REOPENING,
            Fault.RECONFIGURATION);
    /** Faults that can do so wherever they are in the plan. */
    private static final Set<Fault> OF_RUN = EnumSet.of(
            Fault.NETWORK_ERROR,
            Fault.DISMISSAL,
            Fault.TINY_TABLES,
            Fault.RANDOM_PARAMETERS,
            Fault.STRIPPED_PEER,
            Fault.OVERFLOW,
            Fault.MEMORY_HELD);
    /** Loss, in millionths, that can eat every RESEND of a timeout. */
    private static final int HEAVY_LOSS = 50_000;
    /** Bytes that a client which never proves that it receives sends in a RESEND, with IP and UDP headers. */
    private static final int RESEND_BYTES = 64;
    /** A share of 5 % of 10 Gbit/s for what is scheduled of the long message takes 4.2 ms; this is twice that and a rest. */
    private static final long CROWD_NS = 10_400_000;

    /** The oldest message has one part of so many of the link. */
    private static final int OLDEST_SHARE = 20;
    /** Longest delay of a turn in a calm run. */
    private static final long CALM_TURN_NS = 2_000;
    /** Bytes under way at least while there are more to be sent. */
    private static final int CALM_WINDOW_BYTES = 10_000;
    /** RESENDs and acks in calm runs. */
    private static final long CALM_TIMERS_NS = 20_000_000;

    private final FuzzPlan plan;

    Excuses(FuzzPlan plan) {
        this.plan = plan;
    }

    /** Why the call may not have failed as it did; empty if it may. */
    String missing(Call call) {
        return switch (call.outcome) {
            case ABORTED -> "";
            case TIMEOUT -> mayTimeOut(call) ? "" : "nothing kept its server from answering";
            case NO_SERVER, HOST_UNREACHABLE, PROTOCOL_UNSUPPORTED ->
                call.client.networkErrors() > 0 ? "" : "no network error was told";
            case NO_RECEIVE_SPACE -> plan.swarm.isEmpty() ? "nobody kept receive space" : "";
            case OUTCOME_UNKNOWN ->
                plan.hosts.get(call.client.number).config().restart == Config.Restart.NEVER
                                || plan.swarm.contains(Fault.RECONFIGURATION)
                        ? ""
                        : "it may be sent again";
            default -> "no call may end like this";
        };
    }

    private boolean mayTimeOut(Call call) {
        int client = call.client.number;
        int server = call.server.number;
        if (OF_RUN.stream().anyMatch(plan.swarm::contains)
                || isLossy(plan.links[client][server])
                || isLossy(plan.links[server][client])) {
            return true;
        }
        long shortestNs = Math.min(timeoutNs(call.client.config()), timeoutNs(call.server.config()));
        for (FuzzPlan.Timed timed : plan.timed) {
            boolean concerns = timed.host() == client || timed.host() == server;
            if (concerns && OF_HOSTS.contains(timed.fault())) {
                return true;
            }
            // In profile module ticks are strict; else a pause of less than the timeout fails nothing.
            if (concerns && timed.fault() == Fault.PAUSE && timed.forNs() > shortestNs / 2) {
                return true;
            }
        }
        return false;
    }

    private static boolean isLossy(FuzzPlan.LinkPlan link) {
        return link.loss() + link.corrupt() >= HEAVY_LOSS;
    }

    private static long timeoutNs(Config config) {
        return config.timeoutTicks * config.tickNs;
    }

    /** How long after the last fault the last trace of the load is gone. */
    long quietBoundNs() {
        long most = 0;
        for (FuzzPlan.HostPlan host : plan.hosts) {
            Config config = host.config();
            long ticks = config.timeoutTicks
                    + config.receiveSpaceWaitTicks
                    + 2L * Math.max(config.busyResendMaxTicks, config.resendTicks)
                    + 32L * config.resendInterval
                    + 200;
            most = Math.max(most, ticks * config.tickNs);
        }
        // With room for one message, or grants for one, at a time, those that nobody takes any more time out one after
        // the other.
        boolean oneByOne = plan.swarm.contains(Fault.TINY_TABLES) || plan.swarm.contains(Fault.RANDOM_PARAMETERS);
        long turns = oneByOne ? 4 + 2L * plan.calls.size() : 4;
        return turns * most + 2_000 * FuzzPlan.MS + unprovenNs();
    }

    /**
     * A client of the stripped variant never proves that it receives, and when a NAT has given it another address its server
     * may owe it all but the threefold of what it asks with: how long the longest such response takes then, if half of
     * that goes to control packets.
     */
    private long unprovenNs() {
        long most = 0;
        for (CallPlan call : plan.calls) {
            FuzzPlan.HostPlan client = plan.hosts.get(call.client());
            Config server = plan.hosts.get(call.server()).config();
            if (client.profile() == FuzzPlan.Profile.STRIPPED && server.proveReachability) {
                long rounds = 2L * call.responseBytes() / (3 * RESEND_BYTES);
                most = Math.max(most, rounds * client.config().resendInterval * client.config().tickNs);
            }
        }
        return most;
    }

    /**
     * Where nothing is lost a call waits at most for what other calls send meanwhile, as if all of it went over one link at
     * the share of the oldest, besides round trips and timers.
     */
    void checkShares(FuzzRun run) {
        for (Call call : run.calls) {
            long fromNs = call.plan.atNs();
            long bytes = 0;
            for (Call other : run.calls) {
                if (other.plan.atNs() <= call.endedNs && other.endedNs >= fromNs) {
                    bytes += other.plan.requestBytes() + other.plan.responseBytes();
                }
            }
            long roundTripNs = 4 * (plan.delayNs + CALM_TURN_NS);
            long boundNs = bytes * OLDEST_SHARE * 8_000_000_000L / plan.bitsPerSecond
                    + (bytes / CALM_WINDOW_BYTES + 4) * roundTripNs
                    + CALM_TIMERS_NS;
            if (call.endedNs - fromNs > boundNs) {
                throw run.failure("a call took " + (call.endedNs - fromNs) + " ns instead of " + boundNs + ": " + call);
            }
        }
    }

    /** However many short messages outrank it, the long one gets the share of the oldest. */
    void checkCrowd(FuzzRun run) {
        Call oldest = run.calls.getFirst();
        if (oldest.endedNs > CROWD_NS) {
            throw run.failure("the oldest message starved for " + oldest.endedNs + " ns: " + oldest);
        }
    }
}
