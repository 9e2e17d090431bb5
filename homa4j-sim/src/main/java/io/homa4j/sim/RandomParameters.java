package io.homa4j.sim;

import io.homa4j.protocol.Config;
import io.homa4j.protocol.ConfigParameters;
import java.util.Map;

/**
 * Parameters of an engine drawn by lot, inside their documented ranges. A few at a time, so that a failure points at
 * something; values at the ends of ranges as often as ordinary ones.
 */
final class RandomParameters {
    private RandomParameters() {}

    private static int pick(Prng lot, int... choices) {
        return choices[lot.nextInt(choices.length)];
    }

    /** Changes some parameters. What profile {@code module} is about stays as it is there. */
    static void draw(Prng lot, Config config) {
        int changes = 1 + lot.nextInt(6);
        for (int i = 0; i < changes; i++) {
            change(lot, config);
        }
        if (lot.oneIn(8)) {
            // A tick is not always a millisecond, but it is one to all parts of an engine.
            config.tickNs = pick(lot, 100_000, 300_000, 4_000_000);
        }
    }

    /** Changes one parameter; also while the engine runs. */
    static void change(Prng lot, Config config) {
        switch (lot.nextInt(26)) {
            case 0 -> config.numPriorities = 1 + lot.nextInt(8);
            case 1 -> config.priorityMap = map(lot);
            case 2 -> config.unschedCutoffs = cutoffs(lot);
            case 3 -> config.unschedBytes = pick(lot, 1, 100, 1_400, 10_000, 100_000, 1_000_000);
            case 4 -> config.adaptToPath = lot.oneIn(2);
            case 5 -> config.deferMinBytes = pick(lot, 0, 100, 1_000_000);
            case 6 -> config.linkMbps = pick(lot, 0, 100, 1_000, 100_000);
            case 7 -> config.maxLinkUsage = 5 + lot.nextInt(96);
            case 8 -> config.maxNicEstBacklogUsecs = pick(lot, 0, 1, 50, 1_000);
            case 9 -> config.pacerFifoFraction = pick(lot, 0, 50, 500, 1_000);
            case 10 -> config.maxOvercommit = 1 + lot.nextInt(8);
            case 11 -> config.maxIncoming = pick(lot, 1_500, 20_000, 100_000, 4_000_000);
            case 12 -> config.window = pick(lot, 0, 1, 1_500, 20_000, 1_000_000);
            case 13 -> config.grantFifoFraction = pick(lot, 0, 50, 500);
            case 14 -> config.fifoGrantIncrement = pick(lot, 0, 1, 1_500, 50_000, 1_000_000);
            case 15 -> config.resendTicks = pick(lot, 1, 2, 5, 20);
            case 16 -> config.resendInterval = pick(lot, 1, 2, 5, 20);
            case 17 -> config.timeoutTicks = pick(lot, 10, 50, 100, 1_000);
            case 18 -> config.requestAckTicks = pick(lot, 0, 1, 2, 20);
            case 19 -> config.ackDelayTicks = pick(lot, 0, 1, 5);
            case 20 -> config.retransmitMinIntervalNs = pick(lot, 0, 100_000, 1_000_000, 10_000_000);
            case 21 -> config.tuneCutoffsMinMessages = pick(lot, 1, 10, 10_000);
            default -> changeOwn(lot, config);
        }
    }

    private static void changeOwn(Prng lot, Config config) {
        if (config.moduleProfile) {
            return;
        }
        switch (lot.nextInt(11)) {
            case 0 -> config.busyResendMaxTicks = pick(lot, 0, 5, 250);
            case 1 -> config.maxResendsPerPeerTick = pick(lot, 1, 2, 32);
            case 2 -> config.receiveSpaceWaitTicks = pick(lot, 0, 10, 100, 1_000);
            case 3 -> config.finishedRpcMsecs = pick(lot, 0, 1, 20, 1_000);
            case 4 -> config.restart = lot.oneIn(2) ? Config.Restart.NEVER : Config.Restart.ALWAYS;
            case 5 -> config.proveReachability = lot.oneIn(2);
            case 6 -> config.unprovenShare = pick(lot, 1, 8, 64, 1_024);
            case 7 -> config.hostShare = pick(lot, 1, 2, 4, 64);
            case 8 -> config.checkSource = lot.oneIn(2);
            case 9 -> config.maxUnknownAnswersPerTick = pick(lot, 1, 8, 64, 1_000);
            default -> {
                config.tuneCutoffsIntervalNs = 1_000_000;
                config.tuneCutoffsMinMessages = 1;
            }
        }
    }

    /** Tables so small that they fill. */
    static void tiny(Prng lot, Config config) {
        int draws = 1 + lot.nextInt(4);
        for (int i = 0; i < draws; i++) {
            switch (lot.nextInt(9)) {
                case 0 -> config.maxPeers = pick(lot, 1, 2, 4);
                case 1 -> config.maxServerRpcs = pick(lot, 1, 2, 8);
                case 2 -> config.maxClientRpcs = pick(lot, 1, 2, 8);
                case 3 -> config.maxInService = pick(lot, 1, 2, 4);
                case 4 -> config.maxGaps = pick(lot, 1, 2, 5);
                case 5 -> config.maxControlQueue = pick(lot, 16, 64);
                case 6, 7 -> tinySendMemory(lot, config);
                default -> config.maxFinishedRpcs = pick(lot, 0, 1, 4);
            }
        }
        config.peerGcThreshold = pick(lot, 0, 5_000);
        config.peerIdleSecsMin = 0;
        config.peerIdleSecsMax = pick(lot, 0, 1);
    }

    /** Not in profile module, where two hosts that call each other up to the limit never answer. */
    private static void tinySendMemory(Prng lot, Config config) {
        if (config.moduleProfile) {
            return;
        }
        if (lot.oneIn(2)) {
            config.wmemMax = pick(lot, 1, 10_000, 100_000);
        } else {
            config.maxOutgoing = pick(lot, 1, 2, 5);
        }
    }

    private static int[] map(Prng lot) {
        int[] map = new int[Config.MAX_LEVELS];
        for (int i = 0; i < map.length; i++) {
            map[i] = lot.nextInt(8);
        }
        return map;
    }

    private static int[] cutoffs(Prng lot) {
        int[] cutoffs = new int[Config.MAX_LEVELS];
        int bound = Config.MAX_MESSAGE_BYTES;
        for (int level = lot.nextInt(8); level < cutoffs.length; level++) {
            cutoffs[level] = bound;
            bound = 1 + lot.nextInt(bound);
        }
        return cutoffs;
    }

    /** What differs from the profile, for people. */
    static String text(Config config, FuzzPlan.Profile profile) {
        Map<String, String> usual =
                ConfigParameters.asText(profile == FuzzPlan.Profile.DEFAULT ? Config.defaults() : Config.module());
        StringBuilder text = new StringBuilder();
        ConfigParameters.asText(config).forEach((name, value) -> {
            if (!value.equals(usual.get(name))) {
                text.append(", ").append(name).append('=').append(value);
            }
        });
        return text.toString();
    }
}
