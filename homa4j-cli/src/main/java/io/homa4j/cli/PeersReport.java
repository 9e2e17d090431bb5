package io.homa4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** The report of {@code homa bench peers}: index.html with the ratios and the table, peers.txt and peers.json. */
final class PeersReport {
    private static final String STYLE = """
            body { font-family: sans-serif; max-width: 80em; margin: 2em auto; padding: 0 1em; color: #111; }
            table { border-collapse: collapse; margin: 1em 0; }
            th, td { padding: 0.2em 0.7em; text-align: right; border-bottom: 1px solid #ddd; }
            th { background: #f3f3f3; } td:first-child, th:first-child { text-align: left; }
            pre { background: #f7f7f7; padding: 0.8em; overflow-x: auto; font-size: 80%; }
            .missed { color: #b00; font-weight: bold; }
            """;

    private PeersReport() {}

    /**
     * Writes the report.
     *
     * @return the HTML file
     * @throws CliException if it cannot be written
     */
    static Path write(Path folder, PeersResults results, Map<String, Object> conditions) {
        StringWriter text = new StringWriter();
        new PeersText(results, conditions).print(new PrintWriter(text));
        StringBuilder html = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                + "<title>homa bench peers</title>\n<style>\n" + STYLE + "</style>\n</head>\n<body>\n"
                + "<h1>Homa and its peers</h1>\n<table><tr><th>ratio</th><th>measured</th><th>must</th><th>aim</th>"
                + "<th></th></tr>\n");
        for (PeersRatio ratio : PeersRatio.all(results)) {
            boolean isMissed = ratio.isKnown() && !ratio.isMet();
            html.append(String.format(
                    Locale.ROOT,
                    "<tr%s><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>%n",
                    isMissed ? " class=\"missed\"" : "",
                    SlowdownPlot.escape(ratio.title()),
                    ratio.isKnown() ? String.format(Locale.ROOT, "%.2f", ratio.value()) : "-",
                    SlowdownPlot.escape(ratio.bound(ratio.must())),
                    SlowdownPlot.escape(ratio.bound(ratio.aim())),
                    ratio.verdict()));
        }
        html.append("</table>\n<pre>")
                .append(SlowdownPlot.escape(text.toString()))
                .append("</pre>\n</body>\n</html>\n");
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("peers.txt"), text.toString(), StandardCharsets.UTF_8);
            Files.writeString(
                    folder.resolve("peers.json"),
                    Json.text(PeersJson.of(results, conditions)) + "\n",
                    StandardCharsets.UTF_8);
            Path file = folder.resolve("index.html");
            Files.writeString(file, html, StandardCharsets.UTF_8);
            return file;
        } catch (IOException e) {
            throw new CliException(
                    "cannot write the report to " + folder + " (" + e.getClass().getSimpleName() + ")",
                    "name a folder that you may write to",
                    e);
        }
    }
}
