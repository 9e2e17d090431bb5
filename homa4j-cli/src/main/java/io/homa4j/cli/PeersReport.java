package io.homa4j.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The report of {@code homa bench peers} or {@code homa bench grpc}: index.html with ratios and table, and both as text and JSON. */
final class PeersReport {
    private PeersReport() {}

    /**
     * Writes the report.
     *
     * @param name of the text and JSON files
     * @return the HTML file
     * @throws CliException if it cannot be written
     */
    static Path write(
            Path folder, String name, String title, List<PeersRatio> ratios, String text, Map<String, Object> json) {
        HtmlPage page =
                new HtmlPage("homa bench " + name).heading(1, title).beginTable("ratio", "measured", "must", "aim", "");
        for (PeersRatio ratio : ratios) {
            page.row(
                    List.of(
                            ratio.title(),
                            ratio.isKnown() ? String.format(Locale.ROOT, "%.2f", ratio.value()) : "-",
                            ratio.bound(ratio.must()),
                            ratio.bound(ratio.aim()),
                            ratio.verdict()),
                    ratio.isKnown() && !ratio.isMet());
        }
        page.endTable().preformatted(text);
        ReportFiles.write(folder, name + ".txt", text);
        ReportFiles.write(folder, name + ".json", Json.text(json) + "\n");
        return ReportFiles.write(folder, "index.html", page.text());
    }
}
