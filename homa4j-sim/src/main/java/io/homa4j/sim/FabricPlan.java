package io.homa4j.sim;

import io.homa4j.protocol.Config;
import io.homa4j.protocol.Policy;

/**
 * One run of the fabric: what is sent over what, by which rules. A plain value with the paper's set-up as its defaults
 * (SIGCOMM 2018, section 5.2); fill it and give it to {@link Fabric}.
 */
public final class FabricPlan {
    /** Whose rules the engines follow. */
    public enum Rules {
        /** The paper's simulator's, with its header sizes. */
        SIGCOMM18,
        /** The kernel module's. */
        MODULE,
        /** homa4j's own. */
        DEFAULT
    }

    /** Message sizes. */
    public Workload workload = Workload.sigcomm18("w4");
    /** Nominal use of the hosts' links, in which the least overhead of the protocol counts; 0 to 1. */
    public double load = 0.8;
    /** Hosts; at least 2. */
    public int hosts = 144;
    /** Hosts at one top-of-rack switch. */
    public int hostsPerRack = 16;
    /** Rules of the engines. */
    public Rules rules = Rules.SIGCOMM18;
    /** Priority levels in use, 1 to 8. */
    public int priorities = 8;
    /** Messages granted at a time; 0 = the paper's for the workload (or the rules' own). */
    public int overcommit;
    /** Levels for unscheduled packets; 0 = the paper's for the workload. */
    public int unscheduledLevels;
    /** Leading bytes of a message sent without grant; 0 = the paper's 9,328 (or the rules' own). */
    public int unscheduledBytes;
    /** Time in which the messages that count begin, ps. */
    public long measuredPs = 100 * Simulation.MS;
    /** Time before that, ps. */
    public long warmUpPs = 10 * Simulation.MS;
    /** Most time after that for messages to be completed, ps; traffic goes on meanwhile. */
    public long drainPs = 100 * Simulation.MS;
    /** Seed of everything random. */
    public long seed = 1;
    /** Receivers grant; else every message is sent unasked. */
    public boolean grants = true;
    /** Shortest first, at senders and for grants; else first come, first served. */
    public boolean shortestFirst = true;
    /** Packets carry their levels; else switches see but one. */
    public boolean levels = true;
    /** Headers on the wire have the sizes of the paper's simulator under its rules; else those of real packets. */
    public boolean paperHeaders = true;

    /** Factor from nominal load to payload, so that the load includes the protocol's overhead: the paper's for each workload. */
    double loadFactor() {
        return switch (workload.name()) {
            case "w1" -> 0.657;
            case "w2" -> 0.796;
            case "w3" -> 0.887;
            default -> 0.898;
        };
    }

    /** Mean size by which the paper set the rate of messages; for w1 a little less than the distribution's. */
    double nominalMeanBytes() {
        return switch (workload.name()) {
            case "w1" -> 185.0;
            case "w2" -> 440.79;
            case "w3" -> 2_927.35;
            case "w4" -> 127_796.6;
            case "w5" -> 1_744.70 * 1_442;
            default -> workload.meanBytes();
        };
    }

    private int paperOvercommit() {
        return switch (workload.name()) {
            case "w1" -> 1;
            case "w2" -> 3;
            case "w3" -> 4;
            default -> 7;
        };
    }

    /** Messages granted at a time. */
    public int effectiveOvercommit() {
        return overcommit != 0 ? overcommit : paperOvercommit();
    }

    /** Levels for unscheduled packets, at most all. */
    public int effectiveUnscheduledLevels() {
        return unscheduledLevels != 0
                ? Math.min(unscheduledLevels, priorities)
                : Math.clamp(priorities - (long) paperOvercommit(), 1, priorities);
    }

    /** The engines' parameters. */
    Config config() {
        Config config = rules == Rules.MODULE ? Config.module() : Config.defaults();
        config.numPriorities = priorities;
        config.maxPeers = 1 << 20;
        config.maxMessageBytes = 1 << 30;
        config.wmemMax = Long.MAX_VALUE;
        config.maxOutgoing = 1 << 26;
        config.maxServerRpcs = 1 << 26;
        config.maxClientRpcs = 1 << 26;
        config.hostShare = 1;
        // Nothing is lost and no request comes twice; the memory of ended RPCs would only cost.
        config.finishedRpcMsecs = 0;
        config.incastBytes = 0;
        config.firstId = 2;
        if (rules == Rules.SIGCOMM18) {
            sigcomm18(config);
        } else {
            config.linkMbps = (int) (Fabric.HOST_BITS_PER_SECOND / 1_000_000);
            config.maxOvercommit = overcommit != 0 ? overcommit : config.maxOvercommit;
            config.unschedBytes = unscheduledBytes != 0 ? unscheduledBytes : config.unschedBytes;
            config.adaptToPath &= unscheduledBytes == 0;
            // Engines find this out by themselves, but in seconds.
            config.tuneCutoffs = false;
            config.unschedCutoffs = Cutoffs.byLength(workload, priorities, config.unschedBytes);
        }
        if (!grants) {
            config.unschedBytes = Integer.MAX_VALUE;
            config.adaptToPath = false;
        }
        if (!shortestFirst) {
            config.pacerFifoFraction = 1_000;
            config.grantFifoFraction = 500;
        }
        if (!levels) {
            config.priorityMap = new int[Config.MAX_LEVELS];
        }
        return config;
    }

    private void sigcomm18(Config config) {
        Policy paper = Policy.SIGCOMM18;
        config.policy = new Policy(
                paper.name(),
                paper.grantsPerPacket(),
                shortestFirst,
                paper.grantIntervalNs(),
                paper.levelsByRemaining(),
                paper.tailBytes(),
                paper.unscheduledPacketBytes());
        // A full scheduled packet has 1456 bytes; the engine's own headers are longer than the paper's.
        config.mtu = 1_456 + 56 + 28;
        config.unschedBytes = unscheduledBytes != 0 ? unscheduledBytes : 9_328;
        config.window = 9_328;
        config.maxOvercommit = effectiveOvercommit();
        config.unschedCutoffs = Cutoffs.table(workload, priorities, effectiveUnscheduledLevels(), config.unschedBytes);
        config.assumeSameCutoffs = true;
        config.tuneCutoffs = false;
        config.adaptToPath = false;
        config.pacerFifoFraction = 0;
        config.proveReachability = false;
        // No loss recovery.
        config.resendTicks = 1 << 20;
        config.resendInterval = 1 << 20;
        config.timeoutTicks = 1 << 24;
    }

    /** How many bytes packets take. */
    Framing framing() {
        return rules == Rules.SIGCOMM18 && paperHeaders ? new PaperFraming() : Framing.HOMA;
    }
}
