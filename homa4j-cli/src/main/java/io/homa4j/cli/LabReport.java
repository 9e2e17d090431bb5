package io.homa4j.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;
import org.jspecify.annotations.Nullable;

/**
 * The report of {@code homa lab} and {@code homa cluster}: index.html, which needs nothing else, its pictures as SVG, lab.json,
 * and the figures of all runs as runs.csv and sizes.csv.
 */
final class LabReport {
    /** More nines than these the number of messages does not support. */
    private static final double MOST_NINES = 4;

    private static final List<Chart.Tick> NINES = List.of(
            new Chart.Tick(0, "0 %"),
            new Chart.Tick(-Math.log10(0.5), "50 %"),
            new Chart.Tick(1, "90 %"),
            new Chart.Tick(2, "99 %"),
            new Chart.Tick(3, "99.9 %"),
            new Chart.Tick(4, "99.99 %"));

    private static final String RUNS_HEADER =
            "transport,cc,priorities,repeat,offered_load,drawn_load,carried_load,idle_cpu,valid,"
                    + "rpcs,short_p50_us,short_p99_us,short_p999_us,errors\n";
    private static final String SIZES_HEADER =
            "transport,cc,priorities,repeat,offered_load,max_bytes,count,p50_us,p99_us,"
                    + "slowdown_p50,slowdown_p99\n";

    private final Path folder;
    private final LabResults results;
    private final HtmlPage page = new HtmlPage("homa lab");

    private LabReport(Path folder, LabResults results) {
        this.folder = folder;
        this.results = results;
    }

    /**
     * Writes the report.
     *
     * @param json all of it as {@link LabResults#json} says
     * @return the HTML file
     * @throws CliException if it cannot be written
     */
    static Path write(Path folder, LabResults results, Map<String, Object> json) {
        LabReport report = new LabReport(folder, results);
        ReportFiles.write(folder, "lab.json", Json.text(json) + "\n");
        ReportFiles.write(folder, "runs.csv", report.runsCsv());
        ReportFiles.write(folder, "sizes.csv", report.sizesCsv());
        return ReportFiles.write(folder, "index.html", report.html(json));
    }

    private String html(Map<String, Object> json) {
        page.heading(1, "Homa against TCP");
        page.paragraph(
                "All hosts send requests to random others at random times (Poisson); a round trip counts from the"
                        + " time the request was due, so that waiting to be sent is part of it. Short messages are those of at most "
                        + LoadDetails.SHORT_BYTES
                        + " bytes. Figures are medians of the repeats; curves over time and the"
                        + " distributions are of all repeats together.");
        for (double load : results.loads()) {
            addLoad(load, results.byName(load));
        }
        addRatios();
        addUnloaded();
        page.heading(2, "What was measured");
        if (!results.runs().isEmpty()) {
            page.paragraph(results.runs().getFirst().links().formula());
        }
        if (json.get("config") instanceof Map<?, ?> config) {
            page.beginTable("setting", "value");
            config.forEach((name, value) -> page.row(List.of(String.valueOf(name), String.valueOf(value))));
            page.endTable();
        }
        return page.text();
    }

    private void addLoad(double load, Map<String, List<LabRun>> groups) {
        String at = " at " + Math.round(100 * load) + " % load";
        page.heading(2, "Load: " + Math.round(100 * load) + " % of the links");
        page.beginTable(
                "", "short p50", "short p99", "range of p99", "short p99.9", "carried load", "idle CPU", "errors");
        groups.forEach((name, of) -> page.row(
                List.of(
                        name,
                        Amount.time(LabResults.median(of, run -> run.shortUs(50))),
                        Amount.time(LabResults.median(of, run -> run.shortUs(99))),
                        LabText.range(of),
                        Amount.time(LabResults.median(of, run -> run.shortUs(99.9))),
                        LabText.carried(of),
                        LabText.idle(LabResults.median(of, run -> run.outcome().idleCpu())),
                        Long.toString(LabText.errors(of))),
                LabText.errors(of) > 0 || !of.stream().allMatch(LabRun::isValid)));
        page.endTable();
        if (!groups.values().stream().allMatch(of -> of.stream().allMatch(LabRun::isValid))) {
            page.paragraph("Red although there were no errors: the processors were too busy (less than "
                    + Math.round(100 * LabRun.LEAST_IDLE) + " % idle) for a valid run.");
        }
        String file = "-" + Math.round(100 * load) + ".svg";
        picture("slowdown-p99" + file, slowdown("99th percentile of slowdown" + at, 99, groups));
        picture("slowdown-p50" + file, slowdown("Median of slowdown" + at, 50, groups));
        picture("short-distribution" + file, distribution("Round trips of short messages" + at, groups));
        picture("short-over-time" + file, overTime("99th percentile of short messages over time" + at, groups));
        if (groups.values().stream().anyMatch(LabReport::hasSamples)) {
            picture(
                    "link-use" + file,
                    byPriority("Use of the links to hosts" + at, "percent of the links", 100, groups, Level::use));
            picture(
                    "queues" + file,
                    byPriority("Queue of a switch port" + at, "KB, mean of samples", 0, groups, Level::meanKb));
            addLevels(groups);
        }
    }

    private void picture(String file, String svg) {
        ReportFiles.write(folder, file, svg);
        page.picture(svg);
    }

    // ---- pictures

    private static String slowdown(String title, double percentile, Map<String, List<LabRun>> groups) {
        TreeSet<Integer> sizes = new TreeSet<>();
        double most = 2;
        for (List<LabRun> of : groups.values()) {
            for (LabRun run : of) {
                for (LabRun.Size size : run.sizes()) {
                    sizes.add(size.maxBytes());
                    most = Math.max(most, size.slowdown(percentile));
                }
            }
        }
        double top = 1.3 * most;
        Chart chart = new Chart(
                title,
                new Chart.Axis(
                        "size of the request, bytes (each point: up to so many)",
                        0.8 * sizes.first(),
                        1.25 * sizes.last(),
                        true,
                        sizes.stream()
                                .map(size -> new Chart.Tick(size, Amount.size(size)))
                                .toList()),
                new Chart.Axis("slowdown", 0.9, top, true, Chart.Tick.logarithmic(0.9, top, Amount::size)));
        groups.forEach((name, of) -> {
            List<Chart.Point> points = new ArrayList<>();
            for (int bytes : sizes) {
                List<LabRun> having =
                        of.stream().filter(run -> run.ofClass(bytes) != null).toList();
                if (!having.isEmpty()) {
                    points.add(new Chart.Point(
                            bytes, LabResults.median(having, run -> slowdown(run.ofClass(bytes), percentile))));
                }
            }
            chart.curve(name, points);
        });
        return chart.svg();
    }

    private static double slowdown(LabRun.@Nullable Size size, double percentile) {
        return size == null ? Double.NaN : size.slowdown(percentile);
    }

    private static String distribution(String title, Map<String, List<LabRun>> groups) {
        Map<String, Histogram> all = new LinkedHashMap<>();
        groups.forEach((name, of) -> all.put(name, together(of)));
        double nines = 1;
        for (Histogram histogram : all.values()) {
            nines = Math.max(nines, Math.min(MOST_NINES, Math.floor(Math.log10(1.0 + histogram.getTotalCount()))));
        }
        double most = nines;
        Chart chart = new Chart(
                title,
                times(
                        "round trip",
                        all.values().stream()
                                .filter(histogram -> histogram.getTotalCount() > 0)
                                .flatMapToDouble(histogram ->
                                        DoubleStream.of(histogram.getMinValue() / 1e3, histogram.getMaxValue() / 1e3))
                                .summaryStatistics()),
                new Chart.Axis(
                        "share of the messages that are faster",
                        0,
                        most,
                        false,
                        NINES.stream().filter(tick -> tick.at() <= most).toList()));
        groups.keySet().forEach(name -> {
            List<Chart.Point> points = new ArrayList<>();
            for (HistogramIterationValue value :
                    all.getOrDefault(name, new Histogram(1)).percentiles(20)) {
                double above = 1 - value.getPercentile() / 100;
                double at = above <= 0 ? Double.POSITIVE_INFINITY : -Math.log10(above);
                if (at <= most) {
                    points.add(new Chart.Point(value.getValueIteratedTo() / 1e3, at));
                }
            }
            chart.curve(name, points);
        });
        return chart.svg();
    }

    private static Histogram together(List<LabRun> of) {
        Histogram all = new Histogram(3);
        of.forEach(run -> all.add(run.outcome().result().details.ofShort()));
        return all;
    }

    private static String overTime(String title, Map<String, List<LabRun>> groups) {
        Map<String, List<Histogram>> all = new LinkedHashMap<>();
        groups.forEach((name, of) -> all.put(name, byInterval(of)));
        LabLoad load = groups.values().iterator().next().getFirst().load();
        double seconds = load.measureNs() / 1e9;
        double interval = LoadPlan.intervalNs(load.measureNs()) / 1e9;
        double step = Math.max(1, Math.ceil(seconds / 6));
        List<Chart.Tick> ticks = new ArrayList<>();
        for (double at = 0; at <= seconds; at += step) {
            ticks.add(new Chart.Tick(at, Long.toString((long) at)));
        }
        Chart chart = new Chart(
                title,
                new Chart.Axis(
                        "seconds since the measurement began, by which the request was due", 0, seconds, false, ticks),
                times(
                        "99th percentile of round trip",
                        all.values().stream()
                                .flatMap(List::stream)
                                .filter(histogram -> histogram.getTotalCount() > 0)
                                .mapToDouble(histogram -> histogram.getValueAtPercentile(99) / 1e3)
                                .summaryStatistics()));
        groups.keySet().forEach(name -> {
            List<Chart.Point> points = new ArrayList<>();
            List<Histogram> intervals = all.getOrDefault(name, List.of());
            for (int i = 0; i < intervals.size(); i++) {
                if (intervals.get(i).getTotalCount() > 0) {
                    points.add(new Chart.Point(
                            (i + 0.5) * interval, intervals.get(i).getValueAtPercentile(99) / 1e3));
                }
            }
            chart.curve(name, points);
        });
        return chart.svg();
    }

    private static List<Histogram> byInterval(List<LabRun> of) {
        List<Histogram> all = new ArrayList<>();
        for (LabRun run : of) {
            List<Histogram> own = run.outcome().result().details.shortByInterval();
            for (int i = 0; i < own.size(); i++) {
                if (i == all.size()) {
                    all.add(new Histogram(2));
                }
                all.get(i).add(own.get(i));
            }
        }
        return all;
    }

    /** An axis for these times, us: from a power of ten, so that the lowest mark is at its end. */
    private static Chart.Axis times(String title, DoubleSummaryStatistics of) {
        double least = of.getCount() == 0 ? 1 : Math.max(1, of.getMin());
        double from = Math.pow(10, Math.floor(Math.log10(least)));
        double to = Math.max(10 * from, 1.2 * of.getMax());
        return new Chart.Axis(title, from, to, true, Chart.Tick.logarithmic(from, to, LabReport::time));
    }

    /** Of a round number of microseconds. */
    private static String time(double us) {
        long whole = Math.round(us);
        if (whole < 1_000) {
            return whole + " us";
        }
        return whole < 1_000_000 ? whole / 1_000 + " ms" : whole / 1_000_000 + " s";
    }

    // ---- the switch

    /**
     * What samples say about a priority of the switch's ports.
     *
     * @param use percent of the links
     * @param meanKb in the queue of a port
     * @param maxKb in the queues of all ports together, the largest of the samples
     * @param dropped packets in all runs
     */
    private record Level(double use, double meanKb, double maxKb, long dropped) {
        static Level of(List<LabRun> runs, int priority) {
            double use = 0;
            double queued = 0;
            double most = 0;
            long dropped = 0;
            int sampled = 0;
            int count = 0;
            for (LabRun run : runs) {
                List<LabNetwork.Sample> samples = run.samples();
                for (LabNetwork.Sample sample : samples) {
                    double kb = sample.queuedBytes().get(priority) / 1024.0;
                    queued += kb / run.hosts();
                    most = Math.max(most, kb);
                    count++;
                }
                if (samples.size() > 1) {
                    LabNetwork.Sample first = samples.getFirst();
                    LabNetwork.Sample last = samples.getLast();
                    double bytes =
                            last.sentBytes().get(priority) - first.sentBytes().get(priority);
                    double linkBytes =
                            (last.timeNs() - first.timeNs()) / 8e3 * run.links().mbps() * run.hosts();
                    use += 100 * bytes / linkBytes;
                    sampled++;
                }
                LabNetwork.Use all = run.use();
                dropped += all == null ? 0 : all.dropped().get(priority);
            }
            return new Level(use / Math.max(1, sampled), queued / Math.max(1, count), most, dropped);
        }
    }

    private static boolean hasSamples(List<LabRun> of) {
        return of.stream().anyMatch(run -> run.samples().size() > 1);
    }

    /** @param most end of the vertical axis; 0 = as needed */
    private static String byPriority(
            String title, String unit, double most, Map<String, List<LabRun>> groups, ToDoubleFunction<Level> figure) {
        Map<String, List<Chart.Point>> curves = new LinkedHashMap<>();
        double top = 1;
        for (Map.Entry<String, List<LabRun>> group : groups.entrySet()) {
            List<Chart.Point> points = new ArrayList<>();
            for (int priority = 0; hasSamples(group.getValue()) && priority < Rack.LEVELS; priority++) {
                double value = figure.applyAsDouble(Level.of(group.getValue(), priority));
                points.add(new Chart.Point(priority, value));
                top = Math.max(top, value);
            }
            curves.put(group.getKey(), points);
        }
        double end = most > 0 ? most : top * 1.1;
        double step = Math.pow(10, Math.floor(Math.log10(end / 2)));
        double wide = end / step > 12 ? 4 * step : end / step > 5 ? 2 * step : step;
        List<Chart.Tick> ticks = new ArrayList<>();
        for (int i = 0; i * wide <= end; i++) {
            ticks.add(new Chart.Tick(i * wide, Amount.size(i * wide)));
        }
        Chart chart = new Chart(
                title,
                new Chart.Axis(
                        "priority (7 is the most urgent)", -0.3, 7.3, false, Chart.Tick.of(0, 1, 2, 3, 4, 5, 6, 7)),
                new Chart.Axis(unit, 0, end, false, ticks));
        groups.keySet().forEach(name -> chart.curve(name, curves.getOrDefault(name, List.of())));
        return chart.svg();
    }

    private void addLevels(Map<String, List<LabRun>> groups) {
        page.paragraph(
                "The switch's ports to the hosts by priority: use of the links; mean queue of a port / largest sum of the"
                        + " queues of all ports, from samples once a second; packets dropped in all runs, warm-up included.");
        List<String> headings = new ArrayList<>(List.of("priority"));
        for (int priority = Rack.LEVELS - 1; priority >= 0; priority--) {
            headings.add(Integer.toString(priority));
        }
        headings.add("all");
        page.beginTable(headings.toArray(String[]::new));
        groups.forEach((name, of) -> {
            List<String> use = new ArrayList<>(List.of(name + ": use, %"));
            List<String> queue = new ArrayList<>(List.of(name + ": queue, KB"));
            List<String> drops = new ArrayList<>(List.of(name + ": dropped"));
            double sumUse = 0;
            double sumKb = 0;
            long sumDropped = 0;
            for (int priority = Rack.LEVELS - 1; priority >= 0; priority--) {
                Level level = Level.of(of, priority);
                use.add(String.format(Locale.ROOT, "%.1f", level.use));
                queue.add(String.format(Locale.ROOT, "%.1f / %.0f", level.meanKb, level.maxKb));
                drops.add(Amount.count(level.dropped));
                sumUse += level.use;
                sumKb += level.meanKb;
                sumDropped += level.dropped;
            }
            use.add(String.format(Locale.ROOT, "%.1f", sumUse));
            queue.add(String.format(Locale.ROOT, "%.1f", sumKb));
            drops.add(Amount.count(sumDropped));
            page.row(use).row(queue).row(drops);
        });
        page.endTable();
    }

    // ---- tables

    private void addRatios() {
        List<LabResults.Ratio> ratios = results.ratios();
        if (ratios.isEmpty()) {
            return;
        }
        page.heading(2, "Ratios");
        page.paragraph(
                "Homa's time divided by the rival's: below 1 Homa is faster. The best plain TCP is whichever of those"
                        + " without priorities is best at the figure in question.");
        page.beginTable("", "load", "short p50", "short p99", "short p99.9", "largest messages, p50");
        for (LabResults.Ratio ratio : ratios) {
            page.row(List.of(
                    ratio.homa() + " : " + ratio.rival(),
                    Double.toString(ratio.load()),
                    ratio(ratio.shortP50()),
                    ratio(ratio.shortP99()),
                    ratio(ratio.shortP999()),
                    ratio(ratio.longestP50())));
        }
        page.endTable();
    }

    /** With what it is the reciprocal of, where that is easier to grasp. */
    private static String ratio(double value) {
        return value > 0 && value < 0.5
                ? String.format(Locale.ROOT, "%.4f (1 : %s)", value, Amount.digits(1 / value))
                : Amount.digits(value);
    }

    private void addUnloaded() {
        if (results.unloaded().isEmpty()) {
            return;
        }
        page.heading(2, "Without load");
        page.paragraph(
                "One host sends one message at a time: median of the round trip, and in brackets that divided by the"
                        + " computed time, which is slowdown 1.");
        TreeSet<Integer> sizes = new TreeSet<>();
        results.unloaded().values().forEach(run -> run.sizes().forEach(size -> sizes.add(size.maxBytes())));
        List<String> headings = new ArrayList<>(List.of("size up to, bytes"));
        headings.addAll(results.unloaded().keySet());
        page.beginTable(headings.toArray(String[]::new));
        for (int bytes : sizes) {
            List<String> row = new ArrayList<>(List.of(Amount.count(bytes)));
            for (LabRun run : results.unloaded().values()) {
                LabRun.Size size = run.ofClass(bytes);
                row.add(
                        size == null
                                ? "none"
                                : Amount.time(size.us(50)) + " (" + Amount.digits(size.slowdown(50)) + ")");
            }
            page.row(row);
        }
        page.endTable();
    }

    private String runsCsv() {
        StringBuilder csv = new StringBuilder(RUNS_HEADER);
        for (LabRun run : results.runs()) {
            csv.append(String.format(
                    Locale.ROOT,
                    "%s,%.4f,%.4f,%.4f,%s,%d,%.3f,%.3f,%.3f,%d%n",
                    what(run),
                    run.drawnLoad(),
                    run.carriedLoad(),
                    run.outcome().idleCpu(),
                    run.isValid(),
                    run.outcome().result().rpcs(),
                    run.shortUs(50),
                    run.shortUs(99),
                    run.shortUs(99.9),
                    run.errors()));
        }
        return csv.toString();
    }

    private String sizesCsv() {
        StringBuilder csv = new StringBuilder(SIZES_HEADER);
        for (LabRun run : results.runs()) {
            for (LabRun.Size size : run.sizes()) {
                csv.append(String.format(
                        Locale.ROOT,
                        "%s,%d,%d,%.3f,%.3f,%.3f,%.3f%n",
                        what(run),
                        size.maxBytes(),
                        size.rttNs().getTotalCount(),
                        size.us(50),
                        size.us(99),
                        size.slowdown(50),
                        size.slowdown(99)));
            }
        }
        return csv.toString();
    }

    /** What both files begin their lines with. */
    private static String what(LabRun run) {
        return String.join(
                ",",
                run.load().transport().text(),
                run.congestionControl(),
                run.load().transport().isHoma() ? Integer.toString(run.priorities()) : "",
                Integer.toString(run.repeat()),
                Double.toString(run.offeredLoad()));
    }
}
