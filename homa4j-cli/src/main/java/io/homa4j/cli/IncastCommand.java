package io.homa4j.cli;

import io.homa4j.sim.IncastPlan;
import io.homa4j.sim.IncastResult;
import io.homa4j.sim.IncastWorld;
import io.homa4j.sim.Simulation;
import io.homa4j.sim.World;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code homa sim incast}: many responses at once through a shallow queue, with and without incast control. */
@Command(
        name = "incast",
        description =
                "Simulates one client with many RPCs at once whose responses meet in a shallow switch queue, with and"
                        + " without incast control.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "The client keeps so many RPCs going, spread over the servers. What counts is how many bytes of",
            "responses it receives; 10 Gbit/s is the rate of its link. docs/fabric.md has results."
        })
final class IncastCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--rpcs",
            paramLabel = "N",
            split = ",",
            description = "RPCs at a time, a case each (default: 1 to 5000 in steps).")
    private List<Integer> rpcs = List.of(1, 3, 10, 30, 100, 200, 300, 500, 1_000, 2_000, 3_000, 4_000, 5_000);

    @Option(names = "--servers", paramLabel = "N", description = "Hosts that answer (default: ${DEFAULT-VALUE}).")
    private int servers = 15;

    @Option(
            names = "--response-size",
            paramLabel = "BYTES",
            description = "Bytes of each response (default: ${DEFAULT-VALUE}).")
    private int responseBytes = 10_000;

    @Option(
            names = "--buffer",
            paramLabel = "BYTES",
            description = "Room in the switch's queue towards the client (default: ${DEFAULT-VALUE}).")
    private long bufferBytes = 500_000;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description = "Simulated time that counts; half of it passes before (default: ${DEFAULT-VALUE}).")
    private double seconds = 0.1;

    @Option(names = "--seed", paramLabel = "N", description = "Of everything random (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(names = "--jobs", paramLabel = "N", description = "Runs at a time (default: one per processor).")
    private int jobs = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--json",
            paramLabel = "FILE",
            arity = "0..1",
            fallbackValue = Json.STANDARD_OUTPUT,
            description = "Write the result to FILE; - or nothing for standard output.")
    private @Nullable String json;

    @Option(names = "--report", paramLabel = "DIR", description = "Write the throughput curve to DIR/incast.svg.")
    private @Nullable Path report;

    @Override
    public Integer call() throws Exception {
        for (int count : rpcs) {
            check(count >= 1 && count <= 100_000, "--rpcs " + count, "name 1 to 100000");
        }
        check(servers >= 1 && servers <= 10_000, "--servers " + servers, "name 1 to 10000");
        check(
                responseBytes >= 1 && responseBytes <= 1_000_000,
                "--response-size " + responseBytes,
                "name 1 to 1000000");
        check(bufferBytes >= 1_600, "--buffer " + bufferBytes, "name room for one packet at least, 1600");
        check(seconds >= 1e-6 && seconds <= 1_000, "--seconds " + seconds, "name 0.000001 to 1000");
        check(jobs >= 1, "--jobs " + jobs, "name at least 1");
        Json.check(json);
        ReportFiles.checkFolder(report);
        return StopSignal.during(this::simulate);
    }

    private static void check(boolean isRight, String cause, String remedy) {
        if (!isRight) {
            throw CliException.usage(cause + " makes no sense", remedy);
        }
    }

    private int simulate(StopSignal stop) throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        // With --json - standard output belongs to the JSON alone.
        PrintWriter lines =
                Json.STANDARD_OUTPUT.equals(json) ? spec.commandLine().getErr() : out;
        List<Supplier<World<IncastResult>>> worlds = new ArrayList<>();
        for (boolean isControlled : new boolean[] {true, false}) {
            for (int count : rpcs) {
                IncastPlan plan = new IncastPlan(
                        count,
                        servers,
                        100,
                        responseBytes,
                        bufferBytes,
                        isControlled,
                        Math.round(seconds * Simulation.S),
                        seed);
                worlds.add(() -> new IncastWorld(plan));
            }
        }
        List<IncastResult> results = new ArrayList<>();
        lines.println(
                "control      RPCs  Gbit/s   responses  failed     dropped  sent again  queue, KB  median, us    p99, us");
        try (Worlds<IncastResult> running = new Worlds<>(worlds, jobs, stop, lines)) {
            for (int i = 0; i < worlds.size(); i++) {
                IncastResult result = running.await(i).result();
                results.add(result);
                lines.printf(
                        Locale.ROOT,
                        "%-7s %9d %7.2f %11d %7d %11d %11d %10.1f %11.1f %10.1f%n",
                        result.plan().isControlled() ? "on" : "off",
                        result.plan().rpcs(),
                        result.gbitPerSecond(),
                        result.completed(),
                        result.failed(),
                        result.droppedPackets(),
                        result.resentPackets(),
                        result.maxQueueBytes() / 1e3,
                        result.medianUs(),
                        result.p99Us());
                lines.flush();
            }
        }
        if (json != null) {
            Json.write(json, out, results.stream().map(IncastCommand::json).toList());
        }
        if (report != null) {
            lines.println("report: " + ReportFiles.write(report, "incast.svg", chart(results)));
            lines.flush();
        }
        return 0;
    }

    private static Map<String, Object> json(IncastResult result) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("incast_control", result.plan().isControlled());
        json.put("rpcs", result.plan().rpcs());
        json.put("gbit_per_s", result.gbitPerSecond());
        json.put("responses", result.completed());
        json.put("failed", result.failed());
        json.put("median_us", result.medianUs());
        json.put("p99_us", result.p99Us());
        json.put("dropped_packets", result.droppedPackets());
        json.put("resent_packets", result.resentPackets());
        json.put("max_queue_bytes", result.maxQueueBytes());
        json.put("events", result.events());
        return json;
    }

    private String chart(List<IncastResult> results) {
        Chart chart = new Chart(
                String.format(
                        Locale.ROOT,
                        "Responses of %,d bytes, %d servers, %,d bytes of buffer",
                        responseBytes,
                        servers,
                        bufferBytes),
                new Chart.Axis(
                        "RPCs under way at a time",
                        1,
                        rpcs.stream().mapToInt(count -> count).max().orElse(1) + 1,
                        true,
                        Chart.Tick.of(1, 10, 100, 1_000, 5_000)),
                new Chart.Axis("Gbit/s of responses", 0, 10, false, Chart.Tick.of(0, 2, 4, 6, 8, 10)));
        for (boolean isControlled : new boolean[] {true, false}) {
            chart.curve(
                    isControlled ? "incast control on" : "incast control off",
                    results.stream()
                            .filter(result -> result.plan().isControlled() == isControlled)
                            .map(result -> new Chart.Point(result.plan().rpcs(), result.gbitPerSecond()))
                            .toList());
        }
        return chart.svg();
    }
}
