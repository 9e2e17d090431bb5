package io.homa4j.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The report of {@code homa bench peers}: index.html with the ratios and the table, peers.txt and peers.json. */
final class PeersReport {
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
        HtmlPage page = new HtmlPage("homa bench peers")
                .heading(1, "Homa and its peers")
                .beginTable("ratio", "measured", "must", "aim", "");
        for (PeersRatio ratio : PeersRatio.all(results)) {
            page.row(
                    List.of(
                            ratio.title(),
                            ratio.isKnown() ? String.format(Locale.ROOT, "%.2f", ratio.value()) : "-",
                            ratio.bound(ratio.must()),
                            ratio.bound(ratio.aim()),
                            ratio.verdict()),
                    ratio.isKnown() && !ratio.isMet());
        }
        page.endTable().preformatted(text.toString());
        ReportFiles.write(folder, "peers.txt", text.toString());
        ReportFiles.write(folder, "peers.json", Json.text(PeersJson.of(results, conditions)) + "\n");
        return ReportFiles.write(folder, "index.html", page.text());
    }
}
