package io.homa4j.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code homa bench}: Homa against plain TCP on this machine, same process pair, same load, in turn. */
@Command(
        name = "bench",
        description = "Compares Homa over UDP with plain TCP on the loopback interface of this machine.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = {PeersCommand.class, GrpcCommand.class},
        footer = {
            "",
            "A server and a client process; each transport has one thread at either end, which polls for a",
            "while (--poll-usecs) and then sleeps. The rival is framed RPC over one TCP connection with Java",
            "NIO: non-blocking, pipelined, TCP_NODELAY. Both are warmed up until their rate is steady, then",
            "measured in turn, round by round; shown are the median of the rounds and the range they had."
        })
final class BenchCommand implements Callable<Integer> {
    static final int DEFAULT_POLL_USECS = 1000;

    private static final Duration START_TIMEOUT = Duration.ofSeconds(30);
    /** A round that lasts no longer than it should is through by then. */
    private static final Duration SLACK = Duration.ofSeconds(30);

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description = "Length of each of the six measurements, all rounds together (default: ${DEFAULT-VALUE}).")
    private double seconds = 5;

    @Option(names = "--duration", hidden = true, description = "As --seconds.")
    void duration(double asSeconds) {
        seconds = asSeconds;
    }

    @Option(names = "--rounds", paramLabel = "N", description = "Rounds of each (default: ${DEFAULT-VALUE}).")
    private int rounds = 5;

    @Option(
            names = "--warmup",
            paramLabel = "S",
            description = "Longest warm-up of each, whether steady then or not (default: ${DEFAULT-VALUE}).")
    private double warmUpSeconds = 5;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the results to FILE; - for standard output.")
    private @Nullable String json;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private EngineOptions engine;

    @Override
    public Integer call() throws InterruptedException {
        Rounds.check(seconds, rounds, warmUpSeconds);
        Json.check(json);
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter progress = spec.commandLine().getErr();
        Map<String, Map<BenchMeasurement, BenchFigures>> all = measure(progress);
        PrintWriter table = Json.STANDARD_OUTPUT.equals(json) ? progress : out;
        printTable(table, all);
        if (json != null) {
            Json.write(json, out, json(all));
        }
        // Errors are figures like the others; a measurement without a single answer is none.
        boolean isComplete = all.values().stream()
                .flatMap(figures -> figures.values().stream())
                .allMatch(figures -> figures.rpcs() > 0);
        return isComplete ? 0 : Homa.FAILURE;
    }

    private Map<String, Map<BenchMeasurement, BenchFigures>> measure(PrintWriter progress) throws InterruptedException {
        Map<String, Map<BenchMeasurement, BenchFigures>> all = new LinkedHashMap<>();
        for (String name : BenchMeasurement.TRANSPORTS) {
            Map<BenchMeasurement, BenchFigures> figures = new EnumMap<>(BenchMeasurement.class);
            for (BenchMeasurement measurement : BenchMeasurement.values()) {
                figures.put(measurement, new BenchFigures());
            }
            all.put(name, figures);
        }
        List<String> options = engine.words();
        if (engine.pollUsecs == null) {
            options.addAll(List.of("--poll-usecs", String.valueOf(DEFAULT_POLL_USECS)));
        }
        progress.printf(
                Locale.ROOT,
                "%d measurements of %s s, each in %d rounds and after a warm-up of up to %s s: at most %s%n",
                BenchMeasurement.values().length * BenchMeasurement.TRANSPORTS.size(),
                Amount.digits(seconds),
                rounds,
                Amount.digits(warmUpSeconds),
                Amount.duration(BenchMeasurement.values().length
                        * BenchMeasurement.TRANSPORTS.size()
                        * (seconds + warmUpSeconds)));
        progress.flush();
        try (ChildProcess server = ChildProcess.start("server", words("server", options))) {
            String[] ports = server.expectLine(START_TIMEOUT).split(" ", -1);
            options.addAll(List.of("--seconds", String.valueOf(seconds), "--rounds", String.valueOf(rounds)));
            options.addAll(List.of("--warmup", String.valueOf(warmUpSeconds)));
            options.addAll(List.of("--homa-port", ports[1], "--tcp-port", ports[2]));
            try (ChildProcess client = ChildProcess.start("client", words("client", options))) {
                int steps = BenchMeasurement.values().length * BenchMeasurement.TRANSPORTS.size() * (1 + rounds);
                for (int step = 1; step <= steps; step++) {
                    String[] line = client.expectLine(lineTimeout()).split(" ", -1);
                    BenchMeasurement measurement = BenchMeasurement.valueOf(line[2]);
                    boolean isResult = line[0].equals("result");
                    double rate = Double.parseDouble(line[isResult ? 5 : 4]);
                    if (isResult) {
                        figures(all, line[1], measurement).add(BenchFigures.Round.parse(line));
                    }
                    progress.printf(
                            "%3d/%d  %-8s  %s: %s%s%n",
                            step,
                            steps,
                            line[1],
                            measurement.title,
                            Amount.rate(rate),
                            isResult ? "" : " after " + line[3] + " s of warm-up");
                    progress.flush();
                }
            }
        }
        return all;
    }

    private Duration lineTimeout() {
        return SLACK.plusMillis((long) (1000 * (seconds / rounds + 2 * warmUpSeconds)));
    }

    private static List<String> words(String role, List<String> options) {
        List<String> words = new ArrayList<>(List.of("bench-peer", role));
        words.addAll(options);
        return words;
    }

    private void printTable(PrintWriter out, Map<String, Map<BenchMeasurement, BenchFigures>> all) {
        out.println("Homa over UDP and plain TCP between two processes on " + engine.loopback() + ", "
                + Runtime.getRuntime().availableProcessors() + " processors, Java "
                + Runtime.version().feature()
                + ", each end polls for " + pollUsecs() + " us, then sleeps;");
        out.println("median of " + rounds + " rounds of " + Amount.digits(seconds / rounds)
                + " s (lowest - highest), the two in turn");
        out.println();
        out.printf("%-38s", "");
        BenchMeasurement.TRANSPORTS.forEach(name -> out.printf("%42s", name));
        out.printf("%12s%n", "Homa to TCP");
        BenchMeasurement rtt = BenchMeasurement.RTT;
        out.println(rtt.title);
        row(out, "  median", all, rtt, BenchFigures.Round::p50, Amount::time);
        row(out, "  99 % below", all, rtt, BenchFigures.Round::p99, Amount::time);
        row(out, "  99.9 % below", all, rtt, BenchFigures.Round::p999, Amount::time);
        for (BenchMeasurement loaded : List.of(BenchMeasurement.RATE, BenchMeasurement.THROUGHPUT)) {
            out.println(loaded.title);
            row(out, "  RPCs", all, loaded, BenchFigures.Round::rpcsPerSecond, Amount::rate);
            if (loaded == BenchMeasurement.THROUGHPUT) {
                row(
                        out,
                        "  request bytes",
                        all,
                        loaded,
                        BenchFigures.Round::gbitPerSecond,
                        gbit -> Amount.digits(gbit) + " Gbit/s");
            }
            row(out, "  median round trip under this load", all, loaded, BenchFigures.Round::p50, Amount::time);
        }
        out.printf("%-38s", "RPCs measured, all three");
        BenchMeasurement.TRANSPORTS.forEach(name -> out.printf("%42s", Amount.count(rpcs(all, name))));
        out.printf("%n%-38s", "errors");
        BenchMeasurement.TRANSPORTS.forEach(name -> out.printf("%42s", Amount.count(errors(all, name))));
        out.println();
        out.flush();
    }

    private int pollUsecs() {
        return engine.pollUsecs == null ? DEFAULT_POLL_USECS : engine.pollUsecs;
    }

    private static void row(
            PrintWriter out,
            String title,
            Map<String, Map<BenchMeasurement, BenchFigures>> all,
            BenchMeasurement measurement,
            ToDoubleFunction<BenchFigures.Round> figure,
            DoubleFunction<String> text) {
        out.printf("%-38s", title);
        for (String name : BenchMeasurement.TRANSPORTS) {
            BenchFigures figures = figures(all, name, measurement);
            double[] sorted = figures.sorted(figure);
            String range = sorted.length < 2
                    ? ""
                    : " (" + text.apply(sorted[0]) + " - " + text.apply(sorted[sorted.length - 1]) + ")";
            out.printf("%42s", text.apply(figures.median(figure)) + range);
        }
        double ratio = figures(all, BenchMeasurement.TRANSPORTS.get(0), measurement)
                .ratio(figures(all, BenchMeasurement.TRANSPORTS.get(1), measurement), figure);
        out.printf("%12s%n", Double.isFinite(ratio) ? String.format(Locale.ROOT, "%.2f", ratio) : "");
    }

    private Map<String, Object> json(Map<String, Map<BenchMeasurement, BenchFigures>> all) {
        List<Object> results = new ArrayList<>();
        for (String name : BenchMeasurement.TRANSPORTS) {
            BenchFigures rtt = figures(all, name, BenchMeasurement.RTT);
            BenchFigures rate = figures(all, name, BenchMeasurement.RATE);
            BenchFigures throughput = figures(all, name, BenchMeasurement.THROUGHPUT);
            Map<String, Object> rttUs = new LinkedHashMap<>();
            rttUs.put("p50", rtt.median(BenchFigures.Round::p50));
            rttUs.put("p99", rtt.median(BenchFigures.Round::p99));
            rttUs.put("p999", rtt.median(BenchFigures.Round::p999));
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("name", name);
            result.put("rtt_us", rttUs);
            result.put("rpcs_per_s", rate.median(BenchFigures.Round::rpcsPerSecond));
            result.put("gbit_per_s", throughput.median(BenchFigures.Round::gbitPerSecond));
            result.put("rpcs", rpcs(all, name));
            result.put("errors", errors(all, name));
            // All rounds, the smallest figure first.
            Map<String, Object> spread = new LinkedHashMap<>();
            spread.put("rtt_p50_us", list(rtt.sorted(BenchFigures.Round::p50)));
            spread.put("rtt_p99_us", list(rtt.sorted(BenchFigures.Round::p99)));
            spread.put("rtt_p999_us", list(rtt.sorted(BenchFigures.Round::p999)));
            spread.put("rpcs_per_s", list(rate.sorted(BenchFigures.Round::rpcsPerSecond)));
            spread.put("gbit_per_s", list(throughput.sorted(BenchFigures.Round::gbitPerSecond)));
            result.put("rounds", spread);
            results.add(result);
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("results", results);
        Map<String, Object> measurements = new LinkedHashMap<>();
        for (BenchMeasurement measurement : BenchMeasurement.values()) {
            Map<String, Object> load = new LinkedHashMap<>();
            load.put("request_bytes", measurement.requestBytes);
            load.put("response_bytes", measurement.responseBytes);
            load.put("outstanding", measurement.outstanding);
            measurements.put(measurement.name().toLowerCase(Locale.ROOT), load);
        }
        json.put("loads", measurements);
        json.put("seconds", seconds);
        json.put("rounds", rounds);
        json.put("poll_usecs", pollUsecs());
        json.put("address", engine.loopback());
        json.put("processors", Runtime.getRuntime().availableProcessors());
        json.put("java", Runtime.version().toString());
        json.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        json.put("version", Version.project());
        return json;
    }

    private static List<Double> list(double[] values) {
        return Arrays.stream(values).boxed().toList();
    }

    private static BenchFigures figures(
            Map<String, Map<BenchMeasurement, BenchFigures>> all, String name, BenchMeasurement measurement) {
        BenchFigures figures = all.getOrDefault(name, Map.of()).get(measurement);
        if (figures == null) {
            throw new IllegalStateException(name + " was not measured: " + measurement);
        }
        return figures;
    }

    private static long rpcs(Map<String, Map<BenchMeasurement, BenchFigures>> all, String name) {
        return all.getOrDefault(name, Map.of()).values().stream()
                .mapToLong(BenchFigures::rpcs)
                .sum();
    }

    private static long errors(Map<String, Map<BenchMeasurement, BenchFigures>> all, String name) {
        return all.getOrDefault(name, Map.of()).values().stream()
                .mapToLong(BenchFigures::errors)
                .sum();
    }
}
