package io.homa4j.cli;

import io.homa4j.sim.Workload;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One run of an experiment as every host gets it: what is sent how, how often, for how long.
 *
 * @param transport how
 * @param ipv6 whether addresses are of IPv6
 * @param sizes of requests
 * @param responseBytes length of responses; 0 = as the request
 * @param ratePerSecond requests each host starts per second, at random times; 0 = one at a time, each when the last is answered,
 *     and all sizes equally often, as for the times of an unloaded network
 * @param warmUpNs load before the measurement
 * @param measureNs length of the measurement
 * @param seed of the run; hosts add their number
 * @param parameters of Homa's engine
 */
record LabLoad(
        LabTransport transport,
        boolean ipv6,
        Workload sizes,
        int responseBytes,
        double ratePerSecond,
        long warmUpNs,
        long measureNs,
        long seed,
        Map<String, String> parameters) {
    /** A host that cannot keep up must not fill its memory. */
    private static final int MAX_OUTSTANDING = 20_000;

    private static final double MAX_RATE = 1e7;
    private static final int MAX_PARAMETERS = 100;
    private static final long DRAIN_NS = 10_000_000_000L;
    private static final long MAX_NS = 7 * 86_400 * 1_000_000_000L;

    LabLoad withRate(double perSecond) {
        return new LabLoad(transport, ipv6, sizes, responseBytes, perSecond, warmUpNs, measureNs, seed, parameters);
    }

    ControlMessage message() {
        ControlMessage message = new ControlMessage()
                .put("transport", transport.text())
                .put("ipv6", ipv6)
                .put("workload", sizes.name())
                .put("response_bytes", responseBytes)
                .put("rate", ratePerSecond)
                .put("warm_up_ns", warmUpNs)
                .put("measure_ns", measureNs)
                .put("seed", seed);
        List<String> pairs = new ArrayList<>();
        parameters.forEach((name, value) -> pairs.add(name + "=" + value));
        return message.put("parameter", pairs);
    }

    static LabLoad parse(ControlMessage message) {
        Map<String, String> parameters = new LinkedHashMap<>();
        for (String pair : message.list("parameter", MAX_PARAMETERS)) {
            int equals = pair.indexOf('=');
            parameters.put(pair.substring(0, Math.max(0, equals)), pair.substring(equals + 1));
        }
        double rate = message.number("rate");
        long warmUpNs = message.whole("warm_up_ns");
        long measureNs = message.whole("measure_ns");
        if (!(rate >= 0 && rate <= MAX_RATE)
                || warmUpNs < 0
                || warmUpNs > MAX_NS
                || measureNs <= 0
                || measureNs > MAX_NS) {
            throw new CliException("the load asked for makes no sense: " + message, "ask for another");
        }
        return new LabLoad(
                LabTransport.of(message.text("transport")),
                Boolean.parseBoolean(message.text("ipv6")),
                new WorkloadConverter.WithSizes().convert(message.text("workload")),
                message.count("response_bytes", 1_000_000),
                rate,
                warmUpNs,
                measureNs,
                message.whole("seed"),
                parameters);
    }

    /** What the load generator of one host has to do. */
    LoadPlan plan(int host, int targets) {
        return new LoadPlan(
                ratePerSecond > 0 ? sizes : sizes.evenly(),
                0,
                0,
                true,
                ratePerSecond,
                ratePerSecond > 0 ? MAX_OUTSTANDING : 1,
                warmUpNs,
                measureNs,
                0,
                DRAIN_NS,
                targets,
                true,
                seed * 1_000 + host);
    }

    Replies replies() {
        return responseBytes == 0 ? Replies.SAME : new Replies(Replies.Kind.FIXED, responseBytes);
    }
}
