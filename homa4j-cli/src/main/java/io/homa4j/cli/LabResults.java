package io.homa4j.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** All runs of an experiment as far as it came: what is compared with what, and by which figures. Filled by one thread. */
final class LabResults {
    /** Stands for whichever plain TCP is best at what is compared. */
    static final String BEST_TCP = "best plain tcp";

    private final List<LabRun> runs = new ArrayList<>();
    private final Map<String, LabRun> unloaded = new LinkedHashMap<>();

    /**
     * A Homa beside a rival under the same load: medians of the repeats, Homa's divided by the rival's.
     *
     * @param longestP50 of the largest messages
     */
    record Ratio(
            String homa,
            String rival,
            double load,
            double shortP50,
            double shortP99,
            double shortP999,
            double longestP50) {}

    void add(LabRun run) {
        runs.add(run);
    }

    /** Of one message at a time, for all runs of this name. */
    void addUnloaded(LabRun run) {
        unloaded.put(run.name(), run);
    }

    boolean hasUnloaded(String name) {
        return unloaded.containsKey(name);
    }

    /** Times without load by {@link LabRun#name}. */
    Map<String, LabRun> unloaded() {
        return unloaded;
    }

    List<LabRun> runs() {
        return runs;
    }

    List<Double> loads() {
        return runs.stream().map(LabRun::offeredLoad).distinct().toList();
    }

    /** The repeats of each, of one load, by {@link LabRun#name}. */
    Map<String, List<LabRun>> byName(double load) {
        Map<String, List<LabRun>> groups = new LinkedHashMap<>();
        for (LabRun run : runs) {
            if (run.offeredLoad() == load) {
                groups.computeIfAbsent(run.name(), name -> new ArrayList<>()).add(run);
            }
        }
        return groups;
    }

    static double median(List<LabRun> of, ToDoubleFunction<LabRun> figure) {
        double[] sorted = of.stream().mapToDouble(figure).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** Each Homa to each rival, and to the best of those that need no priorities. */
    List<Ratio> ratios() {
        List<Ratio> ratios = new ArrayList<>();
        for (double load : loads()) {
            List<List<LabRun>> groups = List.copyOf(byName(load).values());
            List<List<LabRun>> rivals =
                    groups.stream().filter(of -> !transport(of).isHoma()).toList();
            List<List<LabRun>> plain =
                    rivals.stream().filter(of -> !transport(of).hasUrgent).toList();
            for (List<LabRun> homa : groups) {
                if (!transport(homa).isHoma()) {
                    continue;
                }
                for (List<LabRun> rival : rivals) {
                    ratios.add(ratio(homa, rival.getFirst().name(), load, List.of(rival)));
                }
                if (plain.size() > 1) {
                    ratios.add(ratio(homa, BEST_TCP, load, plain));
                }
            }
        }
        return ratios;
    }

    private static LabTransport transport(List<LabRun> of) {
        return of.getFirst().load().transport();
    }

    private static Ratio ratio(List<LabRun> homa, String name, double load, List<List<LabRun>> rivals) {
        return new Ratio(
                homa.getFirst().name(),
                name,
                load,
                ratio(homa, rivals, run -> run.shortUs(50)),
                ratio(homa, rivals, run -> run.shortUs(99)),
                ratio(homa, rivals, run -> run.shortUs(99.9)),
                ratio(homa, rivals, LabResults::longestUs));
    }

    private static double ratio(List<LabRun> homa, List<List<LabRun>> rivals, ToDoubleFunction<LabRun> figure) {
        double best =
                rivals.stream().mapToDouble(of -> median(of, figure)).min().orElse(Double.NaN);
        return median(homa, figure) / best;
    }

    private static double longestUs(LabRun run) {
        List<LabRun.Size> sizes = run.sizes();
        return sizes.isEmpty() ? Double.NaN : sizes.getLast().us(50);
    }

    /** @param config what was asked for and on which machine */
    Map<String, Object> json(Map<String, Object> config) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("config", config);
        json.put("runs", runs.stream().map(run -> run.json(unloaded(run))).toList());
        Map<String, Object> ratios = new LinkedHashMap<>();
        for (Ratio ratio : ratios()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("short_p50", ratio.shortP50);
            one.put("short_p99", ratio.shortP99);
            one.put("short_p999", ratio.shortP999);
            one.put("longest_p50", ratio.longestP50);
            String load = loads().size() == 1 ? "" : " at " + ratio.load;
            ratios.put(ratio.homa + " : " + ratio.rival + load, one);
        }
        json.put("ratios", ratios);
        return json;
    }

    private @Nullable LabRun unloaded(LabRun run) {
        return unloaded.get(run.name());
    }
}
