package io.homa4j.driver;

import io.homa4j.protocol.Config;
import java.util.List;

/** The module's parameters by the names they have in scripts. */
final class ReplayParameters {
    private ReplayParameters() {}

    static void set(Config config, String name, List<String> values) {
        int value = Integer.parseInt(values.getFirst());
        switch (name) {
            case "resend_ticks" -> config.resendTicks = value;
            case "resend_interval" -> config.resendInterval = value;
            case "timeout_ticks" -> config.timeoutTicks = value;
            case "request_ack_ticks" -> config.requestAckTicks = value;
            case "window" -> config.window = value;
            case "grant_fifo_fraction" -> config.grantFifoFraction = value;
            case "max_incoming" -> config.maxIncoming = value;
            case "max_overcommit" -> config.maxOvercommit = value;
            case "link_mbps" -> config.linkMbps = value;
            case "pacer_fifo_fraction" -> config.pacerFifoFraction = value;
            case "unsched_cutoffs" ->
                config.unschedCutoffs =
                        values.stream().mapToInt(Integer::parseInt).toArray();
            case "mtu" -> config.mtu = value;
            default -> throw new IllegalArgumentException("parameter " + name);
        }
    }

    static void set(Config config, List<ReplayScript.Parameter> parameters) {
        for (ReplayScript.Parameter parameter : parameters) {
            set(config, parameter.name(), parameter.values());
        }
    }
}
