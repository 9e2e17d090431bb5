package io.homa4j.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
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
        footer = {
            "",
            "A server and a client process; each transport has one thread at either end, which polls for a",
            "while (--poll-usecs) and then sleeps. The rival is framed RPC over one TCP connection with Java",
            "NIO: non-blocking, pipelined, TCP_NODELAY. Every measurement is preceded by a warm-up."
        })
final class BenchCommand implements Callable<Integer> {
    static final int DEFAULT_POLL_USECS = 1000;

    private static final long SECOND_NS = 1_000_000_000L;
    private static final Duration START_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration LINE_TIMEOUT = Duration.ofSeconds(30);

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description = "Length of each of the six measurements (default: ${DEFAULT-VALUE}); warm-ups add 40 %%.")
    private double seconds = 5;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the results to FILE; - for standard output.")
    private @Nullable String json;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private EngineOptions engine;

    /** What the client process measured with one transport in one measurement. */
    private record Figures(
            long rpcs, long errors, double rpcsPerSecond, double gbitPerSecond, double p50, double p99, double p999) {
        /** Reads the words of a result line behind the names. */
        static Figures parse(String[] words) {
            return new Figures(
                    Long.parseLong(words[3]),
                    Long.parseLong(words[4]),
                    Double.parseDouble(words[5]),
                    Double.parseDouble(words[6]),
                    Double.parseDouble(words[7]),
                    Double.parseDouble(words[8]),
                    Double.parseDouble(words[9]));
        }
    }

    @Override
    public Integer call() throws InterruptedException {
        if (!(seconds >= 0.1 && seconds <= 3600)) {
            throw CliException.usage("--seconds " + seconds + " makes no sense", "name 0.1 to 3600");
        }
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter progress = spec.commandLine().getErr();
        Map<String, Map<BenchMeasurement, Figures>> all = measure(progress);
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

    private Map<String, Map<BenchMeasurement, Figures>> measure(PrintWriter progress) throws InterruptedException {
        Map<String, Map<BenchMeasurement, Figures>> all = new LinkedHashMap<>();
        BenchMeasurement.TRANSPORTS.forEach(name -> all.put(name, new EnumMap<>(BenchMeasurement.class)));
        List<String> options = engine.words();
        if (engine.pollUsecs == null) {
            options.addAll(List.of("--poll-usecs", String.valueOf(DEFAULT_POLL_USECS)));
        }
        try (ChildProcess server = ChildProcess.start("server", words("server", options))) {
            String[] ports = server.expectLine(START_TIMEOUT).split(" ", -1);
            options.addAll(
                    List.of("--seconds", String.valueOf(seconds), "--homa-port", ports[1], "--tcp-port", ports[2]));
            try (ChildProcess client = ChildProcess.start("client", words("client", options))) {
                int expected = BenchMeasurement.values().length * BenchMeasurement.TRANSPORTS.size();
                for (int results = 0; results < expected; ) {
                    String[] line = client.expectLine(LINE_TIMEOUT).split(" ", -1);
                    BenchMeasurement measurement = BenchMeasurement.valueOf(line[2]);
                    if (line[0].equals("result")) {
                        results++;
                        all.getOrDefault(line[1], Map.of()).put(measurement, Figures.parse(line));
                    } else if (line[0].equals("begin")) {
                        progress.printf("%d/%d  %-8s  %s%n", results + 1, expected, line[1], measurement.title);
                        progress.flush();
                    } else {
                        progress.printf(
                                "               %s %.0f s: %s, %s%n",
                                line[3],
                                Double.parseDouble(line[4]),
                                Amount.rate(Double.parseDouble(line[5])),
                                Amount.throughput(Long.parseLong(line[6]), SECOND_NS));
                        progress.flush();
                    }
                }
            }
        }
        return all;
    }

    private static List<String> words(String role, List<String> options) {
        List<String> words = new ArrayList<>(List.of("bench-peer", role));
        words.addAll(options);
        return words;
    }

    private void printTable(PrintWriter out, Map<String, Map<BenchMeasurement, Figures>> all) {
        out.println("Homa over UDP and plain TCP between two processes on " + engine.loopback() + ", "
                + Runtime.getRuntime().availableProcessors() + " processors, Java "
                + Runtime.version().feature()
                + ", each end polls for " + pollUsecs() + " us, then sleeps");
        out.println();
        out.printf("%-44s", "");
        BenchMeasurement.TRANSPORTS.forEach(name -> out.printf("%16s", name));
        out.printf("%14s%n", "Homa to TCP");
        BenchMeasurement rtt = BenchMeasurement.RTT;
        out.println(rtt.title);
        row(out, "  median", all, rtt, Figures::p50, Amount::time);
        row(out, "  99 % below", all, rtt, Figures::p99, Amount::time);
        row(out, "  99.9 % below", all, rtt, Figures::p999, Amount::time);
        for (BenchMeasurement loaded : List.of(BenchMeasurement.RATE, BenchMeasurement.THROUGHPUT)) {
            out.println(loaded.title);
            row(out, "  RPCs", all, loaded, Figures::rpcsPerSecond, Amount::rate);
            if (loaded == BenchMeasurement.THROUGHPUT) {
                row(
                        out,
                        "  request bytes",
                        all,
                        loaded,
                        Figures::gbitPerSecond,
                        gbit -> Amount.digits(gbit) + " Gbit/s");
            }
            row(out, "  median round trip under this load", all, loaded, Figures::p50, Amount::time);
        }
        out.printf("%-44s", "RPCs measured, all three");
        BenchMeasurement.TRANSPORTS.forEach(name -> out.printf("%16s", Amount.count(rpcs(all, name))));
        out.printf("%n%-44s", "errors");
        BenchMeasurement.TRANSPORTS.forEach(name -> out.printf("%16s", Amount.count(errors(all, name))));
        out.println();
        out.flush();
    }

    private int pollUsecs() {
        return engine.pollUsecs == null ? DEFAULT_POLL_USECS : engine.pollUsecs;
    }

    private static void row(
            PrintWriter out,
            String title,
            Map<String, Map<BenchMeasurement, Figures>> all,
            BenchMeasurement measurement,
            java.util.function.ToDoubleFunction<Figures> figure,
            java.util.function.DoubleFunction<String> text) {
        double[] values = BenchMeasurement.TRANSPORTS.stream()
                .mapToDouble(name -> figure.applyAsDouble(figures(all, name, measurement)))
                .toArray();
        out.printf("%-44s", title);
        for (double value : values) {
            out.printf("%16s", text.apply(value));
        }
        out.printf("%14s%n", values[1] == 0 ? "" : String.format(Locale.ROOT, "%.2f", values[0] / values[1]));
    }

    private Map<String, Object> json(Map<String, Map<BenchMeasurement, Figures>> all) {
        List<Object> results = new ArrayList<>();
        for (String name : BenchMeasurement.TRANSPORTS) {
            Figures rtt = figures(all, name, BenchMeasurement.RTT);
            Map<String, Object> rttUs = new LinkedHashMap<>();
            rttUs.put("p50", rtt.p50());
            rttUs.put("p99", rtt.p99());
            rttUs.put("p999", rtt.p999());
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("name", name);
            result.put("rtt_us", rttUs);
            result.put("rpcs_per_s", figures(all, name, BenchMeasurement.RATE).rpcsPerSecond());
            result.put(
                    "gbit_per_s",
                    figures(all, name, BenchMeasurement.THROUGHPUT).gbitPerSecond());
            result.put("rpcs", rpcs(all, name));
            result.put("errors", errors(all, name));
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
        json.put("poll_usecs", pollUsecs());
        json.put("address", engine.loopback());
        json.put("processors", Runtime.getRuntime().availableProcessors());
        json.put("java", Runtime.version().toString());
        json.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        json.put("version", Version.project());
        return json;
    }

    private static Figures figures(
            Map<String, Map<BenchMeasurement, Figures>> all, String name, BenchMeasurement measurement) {
        Figures figures = all.getOrDefault(name, Map.of()).get(measurement);
        if (figures == null) {
            throw new IllegalStateException(name + " was not measured: " + measurement);
        }
        return figures;
    }

    private static long rpcs(Map<String, Map<BenchMeasurement, Figures>> all, String name) {
        return all.getOrDefault(name, Map.of()).values().stream()
                .mapToLong(Figures::rpcs)
                .sum();
    }

    private static long errors(Map<String, Map<BenchMeasurement, Figures>> all, String name) {
        return all.getOrDefault(name, Map.of()).values().stream()
                .mapToLong(Figures::errors)
                .sum();
    }
}
