package io.homa4j.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToLongFunction;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;
import org.jspecify.annotations.Nullable;

/**
 * A run and what came out of it.
 *
 * @param congestionControl of TCP; empty = as the machines have it, or Homa
 * @param priorities that Homa used
 * @param offeredLoad part of the links that the load would fill; 0 = one message at a time
 * @param samples of the switch's queues in the measuring time, one a second; none where they cannot be seen
 * @param beside what had the same links at the same time; empty = nothing
 */
record LabRun(
        LabLoad load,
        LabLinks links,
        int hosts,
        String congestionControl,
        int priorities,
        double offeredLoad,
        int repeat,
        Cluster.Outcome outcome,
        LabNetwork.@Nullable Use use,
        List<LabNetwork.Sample> samples,
        String beside) {
    /** Less idle time than this, and the processors may have been what was measured. */
    static final double LEAST_IDLE = 0.1;

    private static final double SLOWDOWN_UNIT = 1000;

    /** Messages of similar size. */
    record Size(int maxBytes, Histogram rttNs, Histogram slowdowns) {
        double slowdown(double percentile) {
            return slowdowns.getValueAtPercentile(percentile) / SLOWDOWN_UNIT;
        }

        double us(double percentile) {
            return rttNs.getValueAtPercentile(percentile) / 1e3;
        }
    }

    /** What is compared: the same in all repeats. */
    String name() {
        String name = name(load.transport(), congestionControl, priorities);
        return beside.isEmpty() ? name : beside(name, beside);
    }

    static String beside(String name, String other) {
        return name + " beside " + other;
    }

    /** The same with something else on the links at the same time. */
    LabRun beside(String other) {
        return new LabRun(
                load, links, hosts, congestionControl, priorities, offeredLoad, repeat, outcome, use, samples, other);
    }

    static String name(LabTransport transport, String congestionControl, int priorities) {
        String name = transport.text();
        if (transport.isHoma()) {
            return priorities == 8 ? name : name + " " + priorities + (priorities == 1 ? " priority" : " priorities");
        }
        return congestionControl.isEmpty() ? name : name + " " + congestionControl;
    }

    /** A run with too little idle time is no measurement of the network. */
    boolean isValid() {
        return outcome.idleCpu() == CpuClock.UNKNOWN || outcome.idleCpu() >= LEAST_IDLE;
    }

    long errors() {
        LoadResult result = outcome.result();
        return result.errorCount() + result.unfinished() + result.unstarted + result.mismatches;
    }

    /** Part of the links that was filled by requests and responses that came through in the measuring time. */
    double carriedLoad() {
        LoadResult result = outcome.result();
        double bytes = result.requestBytesInTime + result.responseBytesInTime;
        return load(bytes * drawn(links::wireBytes) / drawn(bytesOf -> bytesOf));
    }

    /**
     * Part of the links that the requests which were due in the measuring time need with their responses; chance makes it another
     * than the offered load where few messages are most of the bytes. Those that were never answered are not in it, but among
     * the errors.
     */
    double drawnLoad() {
        return load(drawn(links::wireBytes));
    }

    private double load(double wireBytes) {
        return wireBytes * 1e9 / outcome.result().measuredNs / hosts / (links.mbps() * 125_000);
    }

    /** Sum over the requests that were due in the measuring time and answered, and their responses. */
    private double drawn(IntToLongFunction cost) {
        LoadDetails details = outcome.result().details;
        double sum = 0;
        for (int i = 0; i < details.sizes(); i++) {
            Histogram histogram = details.ofSize(i);
            int request = load.sizes().bytes(i);
            long count = histogram == null ? 0 : histogram.getTotalCount();
            sum += (double) count * (cost.applyAsLong(request) + cost.applyAsLong(responseBytes(request)));
        }
        return sum;
    }

    private int responseBytes(int request) {
        return load.responseBytes() == 0 ? request : load.responseBytes();
    }

    double shortUs(double percentile) {
        return outcome.result().details.ofShort().getValueAtPercentile(percentile) / 1e3;
    }

    /** Classes of the workload together in steps of 1, 2, 5, 10; of a workload with few classes each by itself. */
    List<Size> sizes() {
        List<Size> sizes = new ArrayList<>();
        LoadDetails details = outcome.result().details;
        int edge = 0;
        for (int i = 0; i < details.sizes(); i++) {
            Histogram histogram = details.ofSize(i);
            if (histogram == null) {
                continue;
            }
            int bytes = load.sizes().bytes(i);
            if (sizes.isEmpty() || bytes > edge) {
                edge = edge(bytes);
                sizes.add(new Size(edge, new Histogram(2), new Histogram(3)));
            }
            Size size = sizes.getLast();
            size.rttNs.add(histogram);
            double idealNs = links.idealNs(bytes, responseBytes(bytes));
            for (HistogramIterationValue value : histogram.recordedValues()) {
                double slowdown = value.getValueIteratedTo() / idealNs;
                size.slowdowns.recordValueWithCount(
                        Math.round(SLOWDOWN_UNIT * slowdown), value.getCountAtValueIteratedTo());
            }
        }
        return sizes;
    }

    private static int edge(int bytes) {
        int decade = 1;
        while (10 * decade < bytes) {
            decade *= 10;
        }
        return bytes <= decade
                ? decade
                : bytes <= 2 * decade ? 2 * decade : bytes <= 5 * decade ? 5 * decade : 10 * decade;
    }

    /** Messages whose size is in one class with this one; null if there were none. */
    @Nullable
    Size ofClass(int maxBytes) {
        return sizes().stream()
                .filter(size -> size.maxBytes == maxBytes)
                .findFirst()
                .orElse(null);
    }

    /** @param unloaded the same transport without load; null if that was not measured */
    Map<String, Object> json(@Nullable LabRun unloaded) {
        LoadResult result = outcome.result();
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("transport", load.transport().text());
        json.put("cc", congestionControl.isEmpty() ? null : congestionControl);
        json.put("priorities", load.transport().isHoma() ? priorities : null);
        if (!beside.isEmpty()) {
            json.put("beside", beside);
        }
        json.put("repeat", repeat);
        json.put("offered_load", offeredLoad);
        json.put("drawn_load", drawnLoad());
        json.put("carried_load", carriedLoad());
        json.put("idle_cpu", outcome.idleCpu() == CpuClock.UNKNOWN ? null : outcome.idleCpu());
        json.put("valid", isValid());
        json.put("rpcs", result.rpcs());
        Map<String, Object> ofShort = new LinkedHashMap<>();
        ofShort.put("count", result.details.ofShort().getTotalCount());
        ofShort.put("p50_us", shortUs(50));
        ofShort.put("p99_us", shortUs(99));
        ofShort.put("p999_us", shortUs(99.9));
        json.put("short", ofShort);
        List<Object> sizes = new ArrayList<>();
        for (Size size : sizes()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("max_bytes", size.maxBytes);
            one.put("count", size.rttNs.getTotalCount());
            one.put("p50_us", size.us(50));
            one.put("p99_us", size.us(99));
            one.put("slowdown_p50", size.slowdown(50));
            one.put("slowdown_p99", size.slowdown(99));
            Size alone = unloaded == null ? null : unloaded.ofClass(size.maxBytes);
            if (alone != null) {
                one.put("unloaded_us", alone.us(50));
                one.put("unloaded_slowdown", alone.slowdown(50));
            }
            sizes.add(one);
        }
        json.put("sizes", sizes);
        json.put("errors", errors());
        json.put("errors_by_kind", result.errors);
        json.put("unfinished", result.unfinished());
        json.put("unstarted", result.unstarted);
        if (use != null) {
            Map<String, Object> links = new LinkedHashMap<>();
            links.put("downlink_bytes_by_priority", use.downlinkBytes());
            links.put("downlink_dropped_by_priority", use.dropped());
            links.put("uplink_bytes", use.uplinkBytes());
            links.put("uplink_dropped", use.uplinkDropped());
            json.put("links", links);
        }
        if (!outcome.linkMbps().isEmpty()) {
            json.put("found_link_mbps", outcome.linkMbps());
        }
        if (!outcome.facts().isEmpty()) {
            json.put("facts", outcome.facts());
        }
        if (!outcome.counters().isEmpty()) {
            Map<String, Long> counters = new LinkedHashMap<>(outcome.counters());
            counters.values().removeIf(value -> value == 0);
            json.put("counters", counters);
        }
        return json;
    }
}
