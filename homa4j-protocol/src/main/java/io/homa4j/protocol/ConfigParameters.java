package io.homa4j.protocol;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The fields of {@link Config} by name and as text, for command lines and property files: the module's names where it has
 * them (spec parameters 1 to 4), names in the same manner for homa4j's own. Ranges are checked by {@link Endpoint}, all at
 * once.
 */
public final class ConfigParameters {
    private record Parameter(BiConsumer<Config, String> set, Function<Config, String> text) {}

    private static final Map<String, Parameter> TABLE = new TreeMap<>();

    static {
        number("num_priorities", (c, v) -> c.numPriorities = v, c -> c.numPriorities);
        numbers("priority_map", (c, v) -> c.priorityMap = v, c -> c.priorityMap);
        numbers("unsched_cutoffs", (c, v) -> c.unschedCutoffs = v, c -> c.unschedCutoffs);
        flag("tune_cutoffs", (c, v) -> c.tuneCutoffs = v, c -> c.tuneCutoffs);
        number("tune_cutoffs_min_messages", (c, v) -> c.tuneCutoffsMinMessages = v, c -> c.tuneCutoffsMinMessages);
        number("mtu", (c, v) -> c.mtu = v, c -> c.mtu);
        number("black_hole_losses", (c, v) -> c.blackHoleLosses = v, c -> c.blackHoleLosses);
        number("mtu_raise_secs", (c, v) -> c.mtuRaiseSecs = v, c -> c.mtuRaiseSecs);
        number("unsched_bytes", (c, v) -> c.unschedBytes = v, c -> c.unschedBytes);
        flag("adapt_to_path", (c, v) -> c.adaptToPath = v, c -> c.adaptToPath);
        flag("find_link_rate", (c, v) -> c.findLinkRate = v, c -> c.findLinkRate);
        number("defer_min_bytes", (c, v) -> c.deferMinBytes = v, c -> c.deferMinBytes);
        number("link_mbps", (c, v) -> c.linkMbps = v, c -> c.linkMbps);
        number("max_link_usage", (c, v) -> c.maxLinkUsage = v, c -> c.maxLinkUsage);
        number("max_nic_est_backlog_usecs", (c, v) -> c.maxNicEstBacklogUsecs = v, c -> c.maxNicEstBacklogUsecs);
        number("pacer_fifo_fraction", (c, v) -> c.pacerFifoFraction = v, c -> c.pacerFifoFraction);
        longNumber("wmem_max", (c, v) -> c.wmemMax = v, c -> c.wmemMax);
        number("max_outgoing", (c, v) -> c.maxOutgoing = v, c -> c.maxOutgoing);
        number("max_overcommit", (c, v) -> c.maxOvercommit = v, c -> c.maxOvercommit);
        number("max_incoming", (c, v) -> c.maxIncoming = v, c -> c.maxIncoming);
        number("incast_bytes", (c, v) -> c.incastBytes = v, c -> c.incastBytes);
        number("window", (c, v) -> c.window = v, c -> c.window);
        number("grant_fifo_fraction", (c, v) -> c.grantFifoFraction = v, c -> c.grantFifoFraction);
        number("fifo_grant_increment", (c, v) -> c.fifoGrantIncrement = v, c -> c.fifoGrantIncrement);
        longNumber("tick_ns", (c, v) -> c.tickNs = v, c -> c.tickNs);
        number("resend_ticks", (c, v) -> c.resendTicks = v, c -> c.resendTicks);
        number("resend_interval", (c, v) -> c.resendInterval = v, c -> c.resendInterval);
        number("timeout_ticks", (c, v) -> c.timeoutTicks = v, c -> c.timeoutTicks);
        number("request_ack_ticks", (c, v) -> c.requestAckTicks = v, c -> c.requestAckTicks);
        number("busy_resend_max_ticks", (c, v) -> c.busyResendMaxTicks = v, c -> c.busyResendMaxTicks);
        number("max_resends_per_peer_tick", (c, v) -> c.maxResendsPerPeerTick = v, c -> c.maxResendsPerPeerTick);
        number("ack_delay_ticks", (c, v) -> c.ackDelayTicks = v, c -> c.ackDelayTicks);
        number("receive_space_wait_ticks", (c, v) -> c.receiveSpaceWaitTicks = v, c -> c.receiveSpaceWaitTicks);
        put("restart", ConfigParameters::restart, c -> c.restart.name().toLowerCase(Locale.ROOT));
        number("max_peers", (c, v) -> c.maxPeers = v, c -> c.maxPeers);
        number("peer_gc_threshold", (c, v) -> c.peerGcThreshold = v, c -> c.peerGcThreshold);
        number("peer_idle_secs_min", (c, v) -> c.peerIdleSecsMin = v, c -> c.peerIdleSecsMin);
        number("peer_idle_secs_max", (c, v) -> c.peerIdleSecsMax = v, c -> c.peerIdleSecsMax);
        number("peer_net_max", (c, v) -> c.peerNetMax = v, c -> c.peerNetMax);
        number("max_server_rpcs", (c, v) -> c.maxServerRpcs = v, c -> c.maxServerRpcs);
        number("max_client_rpcs", (c, v) -> c.maxClientRpcs = v, c -> c.maxClientRpcs);
        number("max_in_service", (c, v) -> c.maxInService = v, c -> c.maxInService);
        number("max_gaps", (c, v) -> c.maxGaps = v, c -> c.maxGaps);
        number("finished_rpc_msecs", (c, v) -> c.finishedRpcMsecs = v, c -> c.finishedRpcMsecs);
        number("max_finished_rpcs", (c, v) -> c.maxFinishedRpcs = v, c -> c.maxFinishedRpcs);
        number("max_control_queue", (c, v) -> c.maxControlQueue = v, c -> c.maxControlQueue);
        flag("prove_reachability", (c, v) -> c.proveReachability = v, c -> c.proveReachability);
        number("unproven_share", (c, v) -> c.unprovenShare = v, c -> c.unprovenShare);
        number("host_share", (c, v) -> c.hostShare = v, c -> c.hostShare);
        flag("check_source", (c, v) -> c.checkSource = v, c -> c.checkSource);
        number(
                "max_unknown_answers_per_tick",
                (c, v) -> c.maxUnknownAnswersPerTick = v,
                c -> c.maxUnknownAnswersPerTick);
        longNumber(
                "retransmit_min_interval_ns", (c, v) -> c.retransmitMinIntervalNs = v, c -> c.retransmitMinIntervalNs);
        longNumber("next_id", (c, v) -> c.firstId = v, c -> c.firstId);
    }

    private ConfigParameters() {}

    /** Every name, sorted. */
    public static List<String> names() {
        return List.copyOf(TABLE.keySet());
    }

    /**
     * Sets one parameter.
     *
     * @param name one of {@link #names}
     * @param value a number, {@code true} or {@code false}, or eight numbers separated by blanks or commas
     * @throws IllegalArgumentException if the name is unknown (naming the nearest one) or the value cannot be read
     */
    public static void set(Config config, String name, String value) {
        Parameter parameter = TABLE.get(name);
        if (parameter == null) {
            throw new IllegalArgumentException(
                    "there is no parameter " + name + "; did you mean " + nearest(name) + "?");
        }
        try {
            parameter.set.accept(config, value.strip());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(name + " = " + value + ": " + e.getMessage(), e);
        }
    }

    /** All parameters as text, by name. */
    public static Map<String, String> asText(Config config) {
        Map<String, String> text = new LinkedHashMap<>();
        TABLE.forEach((name, parameter) -> text.put(name, parameter.text.apply(config)));
        return Collections.unmodifiableMap(text);
    }

    /** The existing name with the fewest differing letters, for a message about a wrong one. */
    public static String nearest(String name) {
        String best = "";
        int least = Integer.MAX_VALUE;
        for (String candidate : TABLE.keySet()) {
            int distance = distance(name, candidate);
            if (distance < least) {
                least = distance;
                best = candidate;
            }
        }
        return best;
    }

    private static void number(String name, BiConsumer<Config, Integer> set, Function<Config, Integer> read) {
        put(
                name,
                (config, value) -> set.accept(config, integer(value)),
                config -> read.apply(config).toString());
    }

    private static void longNumber(String name, BiConsumer<Config, Long> set, Function<Config, Long> read) {
        put(
                name,
                (config, value) -> set.accept(config, wide(value)),
                config -> read.apply(config).toString());
    }

    private static void flag(String name, BiConsumer<Config, Boolean> set, Function<Config, Boolean> read) {
        put(
                name,
                (config, value) -> set.accept(config, truth(value)),
                config -> read.apply(config).toString());
    }

    private static void numbers(String name, BiConsumer<Config, int[]> set, Function<Config, int[]> read) {
        put(
                name,
                (config, value) -> set.accept(config, list(value)),
                config -> Arrays.stream(read.apply(config))
                        .mapToObj(Integer::toString)
                        .collect(Collectors.joining(" ")));
    }

    private static void put(String name, BiConsumer<Config, String> set, Function<Config, String> text) {
        TABLE.put(name, new Parameter(set, text));
    }

    private static int integer(String value) {
        long wide = wide(value);
        if (wide != (int) wide) {
            throw new IllegalArgumentException("is beyond " + Integer.MAX_VALUE);
        }
        return (int) wide;
    }

    private static long wide(String value) {
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("is not a whole number", e);
        }
    }

    private static boolean truth(String value) {
        return switch (value) {
            case "true", "1", "on" -> true;
            case "false", "0", "off" -> false;
            default -> throw new IllegalArgumentException("is neither true nor false");
        };
    }

    private static int[] list(String value) {
        List<Integer> all = new ArrayList<>();
        for (String one : value.split("[\\s,]+", -1)) {
            all.add(integer(one));
        }
        if (all.size() != Config.MAX_LEVELS) {
            throw new IllegalArgumentException("needs " + Config.MAX_LEVELS + " numbers");
        }
        return all.stream().mapToInt(Integer::intValue).toArray();
    }

    private static void restart(Config config, String value) {
        config.restart = switch (value) {
            case "always" -> Config.Restart.ALWAYS;
            case "never" -> Config.Restart.NEVER;
            default -> throw new IllegalArgumentException("is neither always nor never");
        };
    }

    /** Edit distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j - 1], above) + 1, diagonal + change);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
