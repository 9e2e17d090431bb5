package io.homa4j.cli;

import io.homa4j.sim.Port;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * The report of {@code homa sim fabric}: one HTML file that needs nothing else, and each plot as an SVG file beside it. Cases of
 * the same workload and load share their plots.
 */
final class FabricReport {
    private static final double[] GRID = {1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 500, 1000, 2000, 5000};
    private static final double MOST_SLOWDOWN = 5_000;

    private FabricReport() {}

    /**
     * Writes the report.
     *
     * @return the HTML file
     * @throws CliException if it cannot be written
     */
    static Path write(Path folder, List<FabricCase> cases) {
        Map<String, List<FabricCase>> groups = new LinkedHashMap<>();
        for (FabricCase each : cases) {
            String group = each.plan().workload.name() + "-" + Math.round(100 * each.plan().load);
            groups.computeIfAbsent(group, name -> new ArrayList<>()).add(each);
        }
        HtmlPage page = new HtmlPage("homa sim fabric")
                .heading(1, "Slowdowns in a simulated datacenter")
                .paragraph(
                        "The real protocol engine in the fabric of Montazeri, Li, Alizadeh, Ousterhout, SIGCOMM 2018,"
                                + " section 5.2. Dashed: what that paper published for Homa; dotted: its ideal, an SRPT oracle.");
        groups.forEach((group, ofGroup) -> addGroup(page, folder, group, ofGroup));
        return ReportFiles.write(folder, "index.html", page.text());
    }

    private static void addGroup(HtmlPage page, Path folder, String group, List<FabricCase> cases) {
        FabricCase first = cases.getFirst();
        String name = first.plan().workload.name().toUpperCase(Locale.ROOT) + " at "
                + Math.round(100 * first.plan().load) + " % load";
        page.heading(2, name);
        String tail =
                plot("99th percentile of slowdown, " + name, cases, FabricCase.Row::p99, PublishedSlowdowns.Point::p99);
        String median =
                plot("Median of slowdown, " + name, cases, FabricCase.Row::p50, PublishedSlowdowns.Point::median);
        ReportFiles.write(folder, group + "-p99.svg", tail);
        ReportFiles.write(folder, group + "-median.svg", median);
        page.picture(tail).picture(median);
        for (FabricCase each : cases) {
            page.heading(3, each.label());
            addLevels(page, each);
            StringWriter text = new StringWriter();
            FabricText.print(each, new PrintWriter(text));
            page.preformatted(text.toString());
        }
    }

    /** Slowdown over size of message, each case a curve, beside what is published. */
    static String plot(
            String title,
            List<FabricCase> cases,
            ToDoubleFunction<FabricCase.Row> measured,
            ToDoubleFunction<PublishedSlowdowns.Point> published) {
        FabricCase first = cases.getFirst();
        List<Chart.Tick> sizes = first.rows().stream()
                .filter(row -> row.percent() != 99)
                .map(row -> new Chart.Tick(row.percent(), Amount.size(row.bytes())))
                .toList();
        double most = 0;
        for (FabricCase each : cases) {
            for (FabricCase.Row row : each.curve()) {
                most = Math.max(most, measured.applyAsDouble(row));
            }
        }
        List<Chart.Point> homa = points(FabricText.published(first, "homa"), published);
        for (Chart.Point point : homa) {
            most = Math.max(most, point.y());
        }
        double top = Math.max(3, 1.1 * Math.min(MOST_SLOWDOWN, most));
        Chart chart = new Chart(
                title,
                new Chart.Axis("message size, bytes (linear in number of messages)", 0, 100, false, sizes),
                new Chart.Axis(
                        "slowdown",
                        0.9,
                        top,
                        true,
                        Chart.Tick.of(Arrays.stream(GRID)
                                .filter(value -> value <= top)
                                .toArray())));
        for (FabricCase each : cases) {
            chart.curve(
                    each.label(),
                    each.curve().stream()
                            .map(row -> new Chart.Point(row.percent(), measured.applyAsDouble(row)))
                            .toList());
        }
        if (!homa.isEmpty()) {
            chart.reference("published, Homa", homa);
            chart.reference("published, SRPT oracle", points(FabricText.published(first, "srpt"), published));
        }
        return chart.svg();
    }

    private static List<Chart.Point> points(
            List<PublishedSlowdowns.Point> curve, ToDoubleFunction<PublishedSlowdowns.Point> value) {
        return curve.stream()
                .map(point -> new Chart.Point(point.percent(), value.applyAsDouble(point)))
                .toList();
    }

    private static void addLevels(HtmlPage page, FabricCase each) {
        List<String> headings = new ArrayList<>(List.of("level"));
        for (int level = Port.LEVELS - 1; level >= 0; level--) {
            headings.add(Integer.toString(level));
        }
        headings.add("all");
        page.beginTable(headings.toArray(String[]::new));
        List<String> use = new ArrayList<>(List.of("use of TOR to host, %"));
        double[] share = each.shareByLevel();
        double sum = 0;
        for (int level = Port.LEVELS - 1; level >= 0; level--) {
            sum += share[level];
            use.add(String.format(Locale.ROOT, "%.1f", 100 * share[level]));
        }
        use.add(String.format(Locale.ROOT, "%.1f", 100 * sum));
        page.row(use);
        for (FabricCase.Links links : FabricCase.Links.values()) {
            List<String> queues = new ArrayList<>(List.of("queue " + FabricText.name(links) + ", KB, mean / max"));
            for (int level = Port.LEVELS - 1; level >= 0; level--) {
                queues.add(queue(each.meanQueueKb(links, level), each.maxQueueKb(links, level)));
            }
            queues.add(queue(each.meanQueueKb(links), each.maxQueueKb(links)));
            page.row(queues);
        }
        page.endTable();
    }

    private static String queue(double meanKb, double maxKb) {
        return String.format(Locale.ROOT, "%.2f / %.0f", meanKb, maxKb);
    }
}
