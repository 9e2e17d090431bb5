package io.homa4j.cli;

import io.homa4j.sim.Port;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
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
    private static final String STYLE = """
            body { font-family: sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #111; }
            table { border-collapse: collapse; margin: 1em 0; }
            th, td { padding: 0.2em 0.7em; text-align: right; border-bottom: 1px solid #ddd; }
            th { background: #f3f3f3; } td:first-child, th:first-child { text-align: left; }
            pre { background: #f7f7f7; padding: 0.8em; overflow-x: auto; font-size: 85%; }
            svg { max-width: 100%; height: auto; }
            """;

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
        StringBuilder html = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                + "<title>homa sim fabric</title>\n<style>\n" + STYLE + "</style>\n</head>\n<body>\n"
                + "<h1>Slowdowns in a simulated datacenter</h1>\n"
                + "<p>The real protocol engine in the fabric of Montazeri, Li, Alizadeh, Ousterhout, SIGCOMM 2018,"
                + " section 5.2. Dashed: what that paper published for Homa; dotted: its ideal, an SRPT oracle.</p>\n");
        for (Map.Entry<String, List<FabricCase>> group : groups.entrySet()) {
            addGroup(html, folder, group.getKey(), group.getValue());
        }
        html.append("</body>\n</html>\n");
        return ReportFiles.write(folder, "index.html", html.toString());
    }

    private static void addGroup(StringBuilder html, Path folder, String group, List<FabricCase> cases) {
        FabricCase first = cases.getFirst();
        String name = first.plan().workload.name().toUpperCase(Locale.ROOT) + " at "
                + Math.round(100 * first.plan().load) + " % load";
        html.append("<h2>").append(name).append("</h2>\n");
        String tail =
                plot("99th percentile of slowdown, " + name, cases, FabricCase.Row::p99, PublishedSlowdowns.Point::p99);
        String median =
                plot("Median of slowdown, " + name, cases, FabricCase.Row::p50, PublishedSlowdowns.Point::median);
        ReportFiles.write(folder, group + "-p99.svg", tail);
        ReportFiles.write(folder, group + "-median.svg", median);
        html.append(tail).append(median);
        for (FabricCase each : cases) {
            html.append("<h3>").append(SlowdownPlot.escape(each.label())).append("</h3>\n");
            addLevels(html, each);
            StringWriter text = new StringWriter();
            FabricText.print(each, new PrintWriter(text));
            html.append("<pre>").append(SlowdownPlot.escape(text.toString())).append("</pre>\n");
        }
    }

    /** Slowdown over size of message, each case a curve, beside what is published. */
    static String plot(
            String title,
            List<FabricCase> cases,
            ToDoubleFunction<FabricCase.Row> measured,
            ToDoubleFunction<PublishedSlowdowns.Point> published) {
        FabricCase first = cases.getFirst();
        List<SlowdownPlot.Size> sizes = first.rows().stream()
                .filter(row -> row.percent() != 99)
                .map(row -> new SlowdownPlot.Size(row.percent(), row.bytes()))
                .toList();
        double most = 0;
        for (FabricCase each : cases) {
            for (FabricCase.Row row : each.curve()) {
                most = Math.max(most, measured.applyAsDouble(row));
            }
        }
        List<SlowdownPlot.Point> homa = points(FabricText.published(first, "homa"), published);
        for (SlowdownPlot.Point point : homa) {
            most = Math.max(most, point.slowdown());
        }
        SlowdownPlot plot = new SlowdownPlot(title, sizes, Math.min(5_000, most));
        if (!homa.isEmpty()) {
            plot.reference("published, SRPT oracle", points(FabricText.published(first, "srpt"), published), "#888888");
            plot.curve("published, Homa", homa, true);
        }
        for (FabricCase each : cases) {
            plot.curve(
                    each.label(),
                    each.curve().stream()
                            .map(row -> new SlowdownPlot.Point(row.percent(), measured.applyAsDouble(row)))
                            .toList(),
                    false);
        }
        return plot.svg();
    }

    private static List<SlowdownPlot.Point> points(
            List<PublishedSlowdowns.Point> curve, ToDoubleFunction<PublishedSlowdowns.Point> value) {
        return curve.stream()
                .map(point -> new SlowdownPlot.Point(point.percent(), value.applyAsDouble(point)))
                .toList();
    }

    private static void addLevels(StringBuilder html, FabricCase each) {
        html.append("<table><tr><th>level</th>");
        for (int level = Port.LEVELS - 1; level >= 0; level--) {
            html.append("<th>").append(level).append("</th>");
        }
        html.append("<th>all</th></tr>\n<tr><td>use of TOR to host, %</td>");
        double[] share = each.shareByLevel();
        double sum = 0;
        for (int level = Port.LEVELS - 1; level >= 0; level--) {
            sum += share[level];
            html.append(String.format(Locale.ROOT, "<td>%.1f</td>", 100 * share[level]));
        }
        html.append(String.format(Locale.ROOT, "<td>%.1f</td></tr>%n", 100 * sum));
        for (FabricCase.Links links : FabricCase.Links.values()) {
            html.append("<tr><td>queue ").append(FabricText.name(links)).append(", KB, mean / max</td>");
            for (int level = Port.LEVELS - 1; level >= 0; level--) {
                html.append(String.format(
                        Locale.ROOT,
                        "<td>%.2f / %.0f</td>",
                        each.meanQueueKb(links, level),
                        each.maxQueueKb(links, level)));
            }
            html.append(String.format(
                    Locale.ROOT, "<td>%.2f / %.0f</td></tr>%n", each.meanQueueKb(links), each.maxQueueKb(links)));
        }
        html.append("</table>\n");
    }
}
