package io.homa4j.cli;

import io.homa4j.sim.FabricPlan;
import io.homa4j.sim.FabricResult;
import io.homa4j.sim.Port;
import io.homa4j.sim.Samples;
import io.homa4j.sim.Workload;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Everything measured of one set-up of the fabric: one or several runs that differ in their seed only, taken together. */
final class FabricCase {
    /** Percentiles of the message size that are reported. */
    private static final int[] PERCENTS = {10, 20, 30, 40, 50, 60, 70, 80, 90, 99, 100};
    /** Messages of a size are taken together with the next smaller ones until they are this part of all, as in the paper. */
    private static final double LEAST_SHARE = 0.0099;
    /** Of Student's distribution: 97.5 % for 1 to 9 degrees of freedom. */
    private static final double[] STUDENT = {12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26};

    /**
     * Slowdown of the messages around a percentile of size.
     *
     * @param bytes the longest of them
     * @param p99Within half the width of the 95 % confidence interval of p99 over the runs; NaN for a single run
     */
    record Row(int percent, int bytes, long messages, double mean, double p50, double p99, double p99Within) {}

    private final String label;
    private final List<FabricResult> results;
    private final double wallSeconds;
    private final Samples all;

    /**
     * @param label what distinguishes it from other cases of the same command
     * @param results the runs, by seed
     * @param wallSeconds time they took together
     */
    FabricCase(String label, List<FabricResult> results, double wallSeconds) {
        this.label = label;
        this.results = List.copyOf(results);
        this.wallSeconds = wallSeconds;
        all = new Samples(plan().workload.classes());
        results.forEach(result -> all.addAll(result.samples()));
    }

    String label() {
        return label;
    }

    int runs() {
        return results.size();
    }

    double wallSeconds() {
        return wallSeconds;
    }

    FabricPlan plan() {
        return results.getFirst().plan();
    }

    /** The reported percentiles. */
    List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        for (int percent : PERCENTS) {
            rows.add(row(percent));
        }
        return rows;
    }

    /** All percentiles, for curves. */
    List<Row> curve() {
        List<Row> rows = new ArrayList<>();
        for (int percent = 1; percent <= 100; percent++) {
            Row row = row(percent);
            if (row.messages > 0 && (rows.isEmpty() || row.bytes > rows.getLast().bytes)) {
                rows.add(row);
            }
        }
        return rows;
    }

    private Row row(int percent) {
        Workload workload = plan().workload;
        int last = 0;
        while (last < workload.classes() - 1 && workload.cumulative(last) < percent / 100.0 - 1e-9) {
            last++;
        }
        int first = last;
        while (first > 0
                && workload.cumulative(last) - (first == 0 ? 0 : workload.cumulative(first - 1)) < LEAST_SHARE) {
            first--;
        }
        int end = last + 1;
        return new Row(
                percent,
                workload.bytes(last),
                all.count(first, end),
                all.mean(first, end),
                all.quantile(first, end, 0.5),
                all.quantile(first, end, 0.99),
                within(first, end));
    }

    private double within(int first, int end) {
        int runs = results.size();
        if (runs < 2) {
            return Double.NaN;
        }
        double[] p99 = results.stream()
                .mapToDouble(result -> result.samples().quantile(first, end, 0.99))
                .toArray();
        double mean = 0;
        for (double value : p99) {
            mean += value / runs;
        }
        double squares = 0;
        for (double value : p99) {
            squares += (value - mean) * (value - mean);
        }
        return STUDENT[Math.min(runs - 1, STUDENT.length) - 1] * Math.sqrt(squares / (runs - 1) / runs);
    }

    long messages() {
        return results.stream().mapToLong(FabricResult::messages).sum();
    }

    long unfinished() {
        return results.stream().mapToLong(FabricResult::unfinished).sum();
    }

    long events() {
        return results.stream().mapToLong(FabricResult::events).sum();
    }

    /** Kinds of links with queues, in the order of a packet's way. */
    enum Links {
        TOR_UP,
        SPINE,
        TOR_DOWN;

        FabricResult.Links of(FabricResult result) {
            return switch (this) {
                case TOR_UP -> result.network().torUp();
                case SPINE -> result.network().spineDown();
                case TOR_DOWN -> result.network().torDown();
            };
        }
    }

    /** Mean over the runs. */
    double meanQueueKb(Links links) {
        return results.stream()
                .mapToDouble(result -> links.of(result).meanQueueBytes() / 1e3)
                .average()
                .orElseThrow();
    }

    double maxQueueKb(Links links) {
        return results.stream()
                .mapToDouble(result -> links.of(result).maxQueueBytes() / 1e3)
                .max()
                .orElseThrow();
    }

    double meanQueueKb(Links links, int level) {
        return results.stream()
                .mapToDouble(result -> links.of(result).meanByLevel().get(level) / 1e3)
                .average()
                .orElseThrow();
    }

    double maxQueueKb(Links links, int level) {
        return results.stream()
                .mapToDouble(result -> links.of(result).maxByLevel().get(level) / 1e3)
                .max()
                .orElseThrow();
    }

    double use(Links links) {
        return results.stream()
                .mapToDouble(result -> links.of(result).use())
                .average()
                .orElseThrow();
    }

    /** Part of the capacity of links to hosts that each level uses. */
    double[] shareByLevel() {
        double[] share = new double[Port.LEVELS];
        for (FabricResult result : results) {
            for (int level = 0; level < share.length; level++) {
                share[level] += result.network().torDown().shareByLevel().get(level) / results.size();
            }
        }
        return share;
    }

    double hostUse() {
        return results.stream()
                .mapToDouble(result -> result.network().hostUp().use())
                .average()
                .orElseThrow();
    }

    /** Part of the time in which a link to a host is idle although the host keeps a sender waiting. */
    double wasted() {
        return results.stream()
                .mapToDouble(result -> result.network().wasted())
                .average()
                .orElseThrow();
    }

    /** The object of the JSON. */
    Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("workload", plan().workload.name());
        json.put("load", plan().load);
        json.put("messages", messages());
        List<Map<String, Object>> deciles = new ArrayList<>();
        for (Row row : rows()) {
            if (row.percent <= 90) {
                Map<String, Object> decile = new LinkedHashMap<>();
                decile.put("pct", row.percent);
                decile.put("bytes", row.bytes);
                decile.put("mean", row.mean);
                decile.put("p50", row.p50);
                decile.put("p99", row.p99);
                deciles.add(decile);
            }
        }
        json.put("deciles", deciles);
        Map<String, Object> queues = new LinkedHashMap<>();
        queues.put("tor_up", queue(Links.TOR_UP));
        queues.put("tor_down", queue(Links.TOR_DOWN));
        queues.put("spine", queue(Links.SPINE));
        json.put("queues", queues);
        json.put("events", events());
        json.put("wall_s", wallSeconds);
        return json;
    }

    private Map<String, Object> queue(Links links) {
        Map<String, Object> queue = new LinkedHashMap<>();
        queue.put("mean_kb", meanQueueKb(links));
        queue.put("max_kb", maxQueueKb(links));
        return queue;
    }
}
