package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FabricCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder;

    private int run(String... words) {
        return Homa.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(words);
    }

    /** The JSON without the time it took. */
    private String json(int jobs) {
        out.getBuffer().setLength(0);
        int exitCode =
                run(("sim fabric --workload w3 --load 0.5 --hosts 20 --seconds 0.0003 --runs 3 --json --jobs " + jobs)
                        .split(" ", -1));
        assertThat(exitCode).isZero();
        return out.toString().replaceAll("\"wall_s\": [0-9.E-]+", "");
    }

    @Test
    void resultsAreTheSameWhateverJobsIs() {
        String alone = json(1);
        assertThat(alone)
                .contains("\"workload\": \"w3\"", "\"load\": 0.5", "\"messages\": ", "\"pct\": 90", "\"p99\": ")
                .contains("\"tor_up\": {\"mean_kb\": ", "\"tor_down\": {", "\"spine\": {", "\"events\": ");
        assertThat(json(3)).isEqualTo(alone);
    }

    @Test
    void theReportNeedsNothingElse() throws IOException {
        assertThat(run(
                        "sim",
                        "fabric",
                        "--workload",
                        "w2",
                        "--policy",
                        "sigcomm18,default",
                        "--hosts",
                        "20",
                        "--seconds",
                        "0.0002",
                        "--report",
                        folder.toString()))
                .isZero();
        assertThat(out.toString()).contains("published", "TOR to host", "w2, load 0.8, default");
        String html = Files.readString(folder.resolve("index.html"));
        assertThat(html)
                .contains(
                        "<svg",
                        "99th percentile of slowdown, W2 at 80 % load",
                        "published, Homa",
                        "stroke-dasharray=\"7 4\"")
                .doesNotContain("src=", "href=", "NaN,");
        assertThat(Files.readString(folder.resolve("w2-80-p99.svg")))
                .startsWith("<svg")
                .endsWith("</svg>\n");
    }

    @ParameterizedTest
    @CsvSource({"w2, homa", "w2, pfabric", "w2, srpt", "w4, homa", "w4, pfabric", "w4, srpt"})
    void publishedCurvesAreWholeAndInOrder(String workload, String curve) {
        List<PublishedSlowdowns.Point> points = PublishedSlowdowns.curve(workload, 80, curve);
        assertThat(points).hasSize(11);
        for (int i = 0; i < points.size(); i++) {
            PublishedSlowdowns.Point point = points.get(i);
            assertThat(point.percent()).isEqualTo(i < 9 ? 10 * (i + 1) : i == 9 ? 99 : 100);
            assertThat(point.median()).isLessThanOrEqualTo(point.p99());
            assertThat(point.mean()).isBetween(0.9, 20.0);
        }
        assertThat(points.get(4).bytes()).isEqualTo(workload.equals("w2") ? 269 : 662);
    }

    @Test
    void whatIsNotPublishedIsEmpty() {
        assertThat(PublishedSlowdowns.curve("w1", 80, "homa")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "--workload w6",
        "--load 0",
        "--hosts 1",
        "--priorities 9",
        "--overcommit 9",
        "--unscheduled-levels 9",
        "--seconds 0",
        "--runs 0",
        "--jobs 0",
        "--policy tcp"
    })
    void nonsenseIsOneLine(String option) {
        assertThat(run(("sim fabric " + option).split(" ", -1))).isEqualTo(Homa.USAGE);
        assertThat(err.toString()).hasLineCount(1).startsWith("homa sim fabric: ");
        assertThat(out.toString()).isEmpty();
    }
}
