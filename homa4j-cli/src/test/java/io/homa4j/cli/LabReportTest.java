package io.homa4j.cli;

import static io.homa4j.cli.HomaProcess.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.homa4j.sim.Workload;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an experiment's results become: JSON, table and report, from runs whose figures are known. */
class LabReportTest {
    private static final long MS = 1_000_000;
    private static final long SECOND_NS = 1000 * MS;
    private static final LabLinks LINKS = new LabLinks(100, 1500, false);

    @TempDir
    private Path folder;

    private final LabResults results = new LabResults();

    private static LabLoad load(LabTransport transport, double rate) {
        return new LabLoad(transport, false, Workload.mix(), 0, rate, 0, 2 * SECOND_NS, 1, Map.of());
    }

    /** A hundred messages of 100 and ten of 500,000 bytes, all of a size with the same round trip. */
    private static LabRun run(
            LabTransport transport, String congestionControl, double offered, int repeat, long shortNs) {
        LoadResult result = new LoadResult();
        result.measuredNs = 2 * SECOND_NS;
        for (int i = 0; i < 100; i++) {
            result.details.add(0, 100, i < 50 ? 0 : 1, shortNs);
            result.rttNs.recordValue(shortNs);
        }
        for (int i = 0; i < 10; i++) {
            result.details.add(11, 500_000, 0, 200 * MS);
            result.rttNs.recordValue(200 * MS);
        }
        result.requestBytesInTime = 5 * 500_000 + 50 * 100;
        result.responseBytesInTime = result.requestBytesInTime;
        List<Long> none = List.of(0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L);
        List<Long> sent = List.of(5_000_000L, 0L, 0L, 0L, 0L, 0L, 0L, 1_250_000L);
        List<Long> queued = List.of(102_400L, 0L, 0L, 0L, 0L, 0L, 0L, 2_048L);
        return new LabRun(
                load(transport, offered),
                LINKS,
                2,
                congestionControl,
                8,
                offered,
                repeat,
                new Cluster.Outcome(result, 0.5, Map.of("grants", 3L, "drops", 0L), Map.of(), List.of()),
                new LabNetwork.Use(sent, none, 1, 0),
                List.of(
                        new LabNetwork.Sample(0, none, none, queued),
                        new LabNetwork.Sample(SECOND_NS, sent, none, none)),
                "");
    }

    private void fill() {
        for (int repeat = 1; repeat <= 3; repeat++) {
            results.add(run(LabTransport.HOMA_UDP, "", 0.5, repeat, repeat * MS));
            results.add(run(LabTransport.TCP_1, "cubic", 0.5, repeat, 100L * repeat * MS));
            results.add(run(LabTransport.TCP_4, "bbr", 0.5, repeat, 50L * repeat * MS));
            results.add(run(LabTransport.TCP_PRIO, "cubic", 0.5, repeat, 10L * repeat * MS));
        }
        results.addUnloaded(run(LabTransport.HOMA_UDP, "", 0, 0, MS / 2));
    }

    @Test
    void jsonHasEveryFieldWithItsFigure() {
        fill();
        String json = Json.text(results.json(Map.of("hosts", 2)));
        assertThat(json).startsWith("{\n  \"config\": {\"hosts\": 2},\n  \"runs\": [");
        String first = json.substring(0, json.indexOf("\"repeat\": 2"));
        assertThat(first)
                .contains(
                        "\"transport\": \"homa-udp\"", "\"cc\": null", "\"transport\": \"tcp-1\"", "\"cc\": \"cubic\"");
        assertThat(number(first, "repeat")).isEqualTo(1);
        assertThat(number(first, "offered_load")).isEqualTo(0.5);
        // Both ways 10 x 500,000 bytes in 354 packets and 100 x 100 bytes, 98 bytes more for each packet, over 2 s and
        // 2 links.
        double wire = 2 * (10 * (500_000 + 354 * 98.0) + 100 * 198);
        assertThat(number(first, "drawn_load")).isCloseTo(wire / 2 / 2 / 12_500_000, within(1e-6));
        assertThat(number(first, "carried_load"))
                .as("half of it in time")
                .isCloseTo(wire / 8 / 12_500_000, within(1e-6));
        assertThat(number(first, "idle_cpu")).isEqualTo(0.5);
        assertThat(first.substring(first.indexOf("\"short\"")))
                .startsWith(
                        "\"short\": {\"count\": 100, \"p50_us\": 1000.447, \"p99_us\": 1000.447, \"p999_us\": 1000.447}");
        String sizes = first.substring(first.indexOf("\"sizes\": ["), first.indexOf("\"errors\""));
        assertThat(sizes.split("max_bytes", -1)).hasSize(3);
        assertThat(number(sizes, "max_bytes")).isEqualTo(100);
        assertThat(number(sizes, "count")).isEqualTo(100);
        // Request and response of 198 bytes over two links each: 63.36 us.
        assertThat(number(sizes, "slowdown_p50")).isCloseTo(1000 / 63.36, within(0.2));
        assertThat(number(sizes, "slowdown_p99")).isCloseTo(1000 / 63.36, within(0.2));
        assertThat(number(sizes, "unloaded_us")).isCloseTo(500, within(5.0));
        assertThat(number(first, "errors")).isZero();
        assertThat(first).contains("\"counters\": {\"grants\": 3}");
        String ratios = json.substring(json.indexOf("\"ratios\""));
        assertThat(ratios).contains("\"homa-udp : tcp-1 cubic\": {\"short_p50\": 0.01");
        assertThat(number(ratios.substring(ratios.indexOf("homa-udp : tcp-prio cubic")), "short_p99"))
                .isCloseTo(0.1, within(0.001));
        assertThat(number(ratios.substring(ratios.indexOf("homa-udp : best plain tcp")), "short_p99"))
                .as("to tcp-4 bbr, since tcp-prio is not plain")
                .isCloseTo(0.02, within(0.001));
        assertThat(number(ratios, "longest_p50")).isEqualTo(1);
    }

    @Test
    void tableTellsMediansAndRanges() {
        fill();
        StringWriter text = new StringWriter();
        LabText.print(results, new PrintWriter(text));
        assertThat(text.toString().lines().filter(line -> line.startsWith("homa-udp")))
                .singleElement()
                .asString()
                .contains("2001 us", "(1000 us - 3000 us)", "0.107 of 0.215", "50 %");
    }

    @Test
    void reportNeedsNothingElseAndIsWhole() throws IOException {
        fill();
        Path html = LabReport.write(folder, results, results.json(Map.of("hosts", 2, "odd <name>", "&")));
        assertThat(html).hasFileName("index.html");
        assertThat(Files.readString(html))
                .contains(
                        "a full frame of 1514 bytes",
                        "takes 98 bytes",
                        "odd &lt;name&gt;",
                        "homa-udp : best plain tcp",
                        "Without load")
                .contains("0.0200 (1 : 50.0)")
                // Of two links of 100 Mbit/s in a second: 1.25 and 5 of 25 MB; of the queues one sample of two, on two
                // ports.
                .contains("<td>homa-udp: use, %</td><td>5.0</td>", "<td>20.0</td><td>25.0</td>", "<td>25.0 / 100</td>")
                .doesNotContain("src=", "href=", "NaN", "Infinity");
        for (String name : List.of(
                "slowdown-p99-50",
                "slowdown-p50-50",
                "short-distribution-50",
                "short-over-time-50",
                "link-use-50",
                "queues-50")) {
            String svg = Files.readString(folder.resolve(name + ".svg"));
            assertThat(svg)
                    .startsWith("<svg")
                    .endsWith("</svg>\n")
                    .contains(">homa-udp<", ">tcp-1 cubic<", ">tcp-4 bbr<", ">tcp-prio cubic<")
                    .doesNotContain("NaN", "Infinity");
            assertThat(Files.readString(html)).contains(svg);
        }
        assertThat(Files.readString(folder.resolve("runs.csv")).lines())
                .hasSize(13)
                .allMatch(line -> line.split(",", -1).length == 14)
                .element(2)
                .asString()
                .startsWith("tcp-1,cubic,,1,0.5,");
        assertThat(Files.readString(folder.resolve("sizes.csv")).lines())
                .hasSize(25)
                .allMatch(line -> line.split(",", -1).length == 11);
        assertThat(Files.readString(folder.resolve("lab.json")))
                .isEqualTo(Json.text(results.json(Map.of("hosts", 2, "odd <name>", "&"))) + "\n");
    }

    @Test
    void experimentThatCameToNothingHasAReport() throws IOException {
        assertThat(Files.readString(LabReport.write(folder, results, results.json(Map.of()))))
                .contains("<h1>")
                .doesNotContain("<svg", "NaN");
    }

    @Test
    void oneSizeOfMessagesIsDrawnToo() throws IOException {
        LoadResult result = new LoadResult();
        result.measuredNs = SECOND_NS;
        result.details.add(0, 3000, 0, MS);
        LabLoad load = new LabLoad(LabTransport.TCP_1, false, Workload.fixed(3000), 0, 1, 0, SECOND_NS, 1, Map.of());
        results.add(new LabRun(
                load,
                LINKS,
                2,
                "",
                8,
                0.5,
                1,
                new Cluster.Outcome(result, CpuClock.UNKNOWN, Map.of(), Map.of(), List.of()),
                null,
                List.of(),
                ""));
        LabReport.write(folder, results, results.json(Map.of()));
        assertThat(Files.readString(folder.resolve("slowdown-p99-50.svg"))).doesNotContain("NaN");
        assertThat(folder.resolve("queues-50.svg")).doesNotExist();
        assertThat(Files.readString(folder.resolve("lab.json"))).contains("\"idle_cpu\": null");
    }

    /** So that the result of a day fits into a message. */
    @Test
    void longRunsAreDividedIntoFewIntervals() {
        assertThat(LoadPlan.intervalNs(30 * SECOND_NS)).isEqualTo(SECOND_NS);
        assertThat(LoadPlan.intervalNs(86_400 * SECOND_NS)).isEqualTo(432 * SECOND_NS);
    }

    @Test
    void evenWorkloadHasAllClassesEquallyOften() {
        Workload even = Workload.mix().evenly();
        assertThat(even.bytes(11)).isEqualTo(500_000);
        assertThat(even.cumulative(0)).isCloseTo(1 / 12.0, within(1e-9));
        assertThat(even.cumulative(11)).isEqualTo(1);
        assertThat(load(LabTransport.HOMA_UDP, 0).plan(0, 1).sizes().cumulative(0))
                .isCloseTo(1 / 12.0, within(1e-9));
        assertThat(load(LabTransport.HOMA_UDP, 5).plan(0, 1).sizes().cumulative(0))
                .isCloseTo(0.07, within(1e-9));
    }

    @Test
    void namesInChartsCannotBreakThem() {
        Chart.Axis axis = new Chart.Axis("a < b", 0, 1, false, Chart.Tick.of(0, 1));
        Chart chart = new Chart("x & y", axis, axis);
        chart.curve("<script>", List.of(new Chart.Point(0, 0), new Chart.Point(2, 5)));
        assertThat(chart.svg())
                .contains("&lt;script&gt;", "x &amp; y", "a &lt; b")
                .doesNotContain("<script>");
    }

    @Test
    void crowdedLabelsStandAslant() {
        Chart.Axis few = new Chart.Axis("", 0, 1, false, Chart.Tick.of(0, 1));
        List<Chart.Tick> many = IntStream.range(0, 30)
                .mapToObj(i -> new Chart.Tick(i / 30.0, "10,000"))
                .toList();
        assertThat(new Chart("", few, few).svg()).doesNotContain("rotate(-35)");
        assertThat(new Chart("", new Chart.Axis("", 0, 1, false, many), few).svg())
                .contains("rotate(-35)");
    }

    @Test
    void ticksOfLogarithmicAxesAreRound() {
        assertThat(Chart.Tick.logarithmic(0.9, 60, Amount::size))
                .extracting(Chart.Tick::label)
                .containsExactly("1", "2", "5", "10", "20", "50");
        assertThat(Chart.Tick.logarithmic(1, 12_000, Amount::size))
                .extracting(Chart.Tick::label)
                .containsExactly("1", "10", "100", "1 K", "10 K");
    }
}
