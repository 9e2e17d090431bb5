package io.homa4j.cli;

import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaRpcException;
import io.homa4j.Reply;
import io.homa4j.protocol.Config;
import io.homa4j.sim.Workload;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code homa client}: makes a load on a server and says how it was answered. */
@Command(
        name = "client",
        description = "Makes a load on a homa server and measures the answers.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "Without --rate or --gbps every answer is followed by a new request. With one of them",
            "requests are started at random times (Poisson), and a round trip counts from the time the",
            "request was due, also if it could not be started then.",
            "Exit code 1 if any request failed or any response was wrong."
        })
final class ClientCommand implements Callable<Integer> {
    private static final long SECOND_NS = 1_000_000_000L;
    /** Answers that are out when the time is over may come for so long: longer than any request survives unanswered. */
    private static final long DRAIN_NS = 5 * SECOND_NS;

    private static final int DEFAULT_BYTES = 100;
    /** With a given rate; a server that is too slow for it must not fill the memory. */
    private static final int OPEN_LOOP_OUTSTANDING = 10_000;

    /** Requests that are due are counted one by one, also those that cannot be started. */
    private static final double MAX_PER_SECOND = 1e7;

    private static final String MAX_RATE_TEXT = "10000000 requests per second";

    private static final int DEFAULT_POLL_USECS = 200;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(
            paramLabel = "HOST:PORT",
            description = "The server, as db7:4000, 192.0.2.1:4000 or [2001:db8::1]:4000.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String target;

    @ArgGroup
    private Sizes sizes = new Sizes();

    @ArgGroup
    private Rate rate = new Rate();

    @Option(
            names = "--outstanding",
            paramLabel = "N",
            description = "Requests on their way at most (default: 1; with a rate " + OPEN_LOOP_OUTSTANDING + ").")
    private @Nullable Integer outstanding;

    @Option(
            names = "--response-size",
            paramLabel = "BYTES",
            description = "Length of response to ask of a server with --reply header (default: as the request).")
    private @Nullable Integer responseBytes;

    @Option(names = "--delay-ms", paramLabel = "N", description = "Delay to ask of a server with --reply header.")
    private int delayMs;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description = "Length of the measurement (default: ${DEFAULT-VALUE}).")
    private double seconds = 10;

    @Option(names = "--duration", hidden = true, description = "As --seconds.")
    void duration(double asSeconds) {
        seconds = asSeconds;
    }

    @Option(
            names = "--warmup",
            paramLabel = "S",
            description = "Load before the measurement (default: ${DEFAULT-VALUE}).")
    private double warmUpSeconds = 2;

    @Option(names = "--seed", paramLabel = "N", description = "Of sizes and times (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the result to FILE; - for standard output.")
    private @Nullable String json;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private EngineOptions engine;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ObservationOptions observation;

    private static final class Sizes {
        @Option(
                names = "--size",
                paramLabel = "BYTES",
                description = "All requests have this size (default: " + DEFAULT_BYTES + ").")
        private int bytes = DEFAULT_BYTES;

        @Option(
                names = "--workload",
                paramLabel = "W",
                converter = WorkloadConverter.class,
                description = "Sizes of a published workload: w1, w2, w3, w4 or w5.")
        private @Nullable Workload workload;
    }

    private static final class Rate {
        @Option(names = "--rate", paramLabel = "N", description = "Start so many requests per second.")
        private @Nullable Double perSecond;

        @Option(names = "--gbps", paramLabel = "G", description = "Start requests of so many Gbit per second.")
        private @Nullable Double gbps;
    }

    @Override
    public Integer call() throws Exception {
        LoadPlan plan = plan();
        Json.check(json);
        HomaAddress server = engine.address(target);
        return StopSignal.during(stop -> load(plan, server, stop));
    }

    private int load(LoadPlan plan, HomaAddress server, StopSignal stop) throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        // With --json - standard output belongs to the JSON alone.
        PrintWriter lines =
                Json.STANDARD_OUTPUT.equals(json) ? spec.commandLine().getErr() : out;
        LoadResult result;
        Map<String, Long> counters;
        Homa homa = EngineOptions.open(observation.applied(engine.builder().invoker()));
        try (HomaTransport transport = new HomaTransport(homa, server)) {
            probe(plan, homa, server);
            lines.println("load on " + server + ": " + describe(plan));
            lines.flush();
            result = new LoadGenerator(plan, stop::isRaised, printTo(lines)).run(transport);
            counters = homa.counters();
        }
        print(result, lines);
        if (observation.metrics) {
            lines.print(ObservationOptions.text(counters));
        }
        lines.flush();
        if (json != null) {
            Map<String, Object> value = new LinkedHashMap<>();
            value.put("server", server.toString());
            value.put("workload", plan.sizes().name());
            value.put("mean_request_bytes", plan.sizes().meanBytes());
            value.put("rate", plan.ratePerSecond());
            value.put("outstanding", plan.outstanding());
            value.putAll(result.json());
            if (observation.metrics) {
                value.put("metrics", counters);
            }
            Json.write(json, out, value);
        }
        return result.isClean() ? 0 : io.homa4j.cli.Homa.FAILURE;
    }

    /** One call before the load: whether there is a server at all is said at once, in one line. */
    private static void probe(LoadPlan plan, Homa homa, HomaAddress server) throws InterruptedException {
        int wanted = plan.responseBytes() > 0 ? plan.responseBytes() : 1;
        boolean asks = plan.responseBytes() > 0 || plan.delayMs() > 0;
        // Not as long as the wish, or a server that sends it back would seem to have heard it.
        int length = wanted == Pattern.HEADER ? Pattern.HEADER + 1 : Pattern.HEADER;
        try (Reply reply = homa.call(server, Pattern.request(length, wanted, 0), Duration.ofSeconds(5))) {
            if (asks && reply.length() != wanted) {
                throw new CliException(
                        server + " answers with " + reply.length() + " bytes where " + wanted
                                + " were asked for: it does not read what --response-size and --delay-ms ask",
                        "start it with --reply header, or leave these options out");
            }
        } catch (HomaRpcException e) {
            throw new CliException(
                    "no answer from " + server + ": " + e.reason().text(),
                    CliException.startOrRemedy("homa server --port " + server.port(), e),
                    e);
        }
    }

    private LoadPlan plan() {
        check(
                sizes.bytes >= 1 && sizes.bytes <= Config.MAX_MESSAGE_BYTES,
                "--size " + sizes.bytes,
                "name 1 to 1000000");
        check(
                responseBytes == null || responseBytes >= 1 && responseBytes <= Config.MAX_MESSAGE_BYTES,
                "--response-size " + responseBytes,
                "name 1 to 1000000");
        check(
                responseBytes == null && delayMs == 0 || sizes.workload != null || sizes.bytes >= Pattern.HEADER,
                "--size " + sizes.bytes + " with --response-size or --delay-ms",
                "name at least 8: the first 8 bytes of a request say what is wanted");
        check(delayMs >= 0, "--delay-ms " + delayMs, "name 0 or more");
        check(seconds > 0 && seconds < 1e9, "--seconds " + seconds, "name more than 0 seconds");
        check(warmUpSeconds >= 0 && warmUpSeconds < 1e9, "--warmup " + warmUpSeconds, "name 0 or more seconds");
        check(
                outstanding == null || outstanding >= 1 && outstanding <= 1_000_000,
                "--outstanding " + outstanding,
                "name 1 to 1000000");
        Workload workload = sizes.workload == null ? Workload.fixed(sizes.bytes) : sizes.workload;
        double perSecond = perSecond(workload);
        int atMost = outstanding != null ? outstanding : perSecond > 0 ? OPEN_LOOP_OUTSTANDING : 1;
        int pollUsecs = engine.pollUsecs == null ? DEFAULT_POLL_USECS : engine.pollUsecs;
        return new LoadPlan(
                workload,
                responseBytes == null ? 0 : responseBytes,
                delayMs,
                true,
                perSecond,
                atMost,
                (long) (warmUpSeconds * SECOND_NS),
                (long) (seconds * SECOND_NS),
                pollUsecs * 1000L,
                DRAIN_NS + delayMs * 1_000_000L,
                seed);
    }

    /** Requests per second that were asked for; 0 = a new one for every answer. */
    private double perSecond(Workload workload) {
        Double gbps = rate.gbps;
        if (gbps != null) {
            double perSecond = gbps * 1e9 / 8 / workload.meanBytes();
            check(
                    perSecond > 0 && perSecond <= MAX_PER_SECOND,
                    "--gbps " + gbps + " in requests of " + Amount.count(Math.round(workload.meanBytes())) + " bytes",
                    "name more than 0, and at most " + MAX_RATE_TEXT);
            return perSecond;
        }
        Double perSecond = rate.perSecond;
        check(
                perSecond == null || perSecond > 0 && perSecond <= MAX_PER_SECOND,
                "--rate " + perSecond,
                "name more than 0, and at most " + MAX_RATE_TEXT);
        return perSecond == null ? 0 : perSecond;
    }

    private static void check(boolean isRight, String what, String remedy) {
        if (!isRight) {
            throw CliException.usage(what + " makes no sense", remedy);
        }
    }

    private static String describe(LoadPlan plan) {
        String size = plan.sizes().classes() == 1
                ? Amount.count(plan.sizes().bytes(0)) + " bytes"
                : plan.sizes().name() + " (mean "
                        + Amount.count(Math.round(plan.sizes().meanBytes())) + " bytes)";
        String how = plan.isOpenLoop()
                ? Amount.rate(plan.ratePerSecond()) + " at random times, " + plan.outstanding() + " outstanding at most"
                : plan.outstanding() + " outstanding";
        return size + ", " + how + ", " + Amount.digits(plan.warmUpNs() / 1e9) + " s warm-up and "
                + Amount.digits(plan.measureNs() / 1e9) + " s measured";
    }

    private static LoadGenerator.Progress printTo(PrintWriter lines) {
        return (isWarmUp, elapsedNs, answersPerSecond, bytesPerSecond, outstanding, failed) -> {
            lines.println(String.format("%4.0f s  ", elapsedNs / 1e9) + Amount.rate(answersPerSecond) + ", "
                    + Amount.throughput(bytesPerSecond, SECOND_NS) + " both ways, " + outstanding + " outstanding, "
                    + Amount.count(failed) + " failed" + (isWarmUp ? " (warm-up)" : ""));
            lines.flush();
        };
    }

    private static void print(LoadResult result, PrintWriter lines) {
        lines.println(Amount.count(result.rpcs()) + " RPCs in " + Amount.digits(result.measuredNs / 1e9) + " s: "
                + Amount.rate(result.rpcsPerSecond()) + ", " + Amount.digits(result.requestGbitPerSecond())
                + " Gbit/s out, " + Amount.digits(result.responseGbitPerSecond()) + " Gbit/s in");
        if (result.rpcs() > 0) {
            lines.println("round trip: p50 " + Amount.time(result.rttUs(50)) + ", p90 " + Amount.time(result.rttUs(90))
                    + ", p99 " + Amount.time(result.rttUs(99)) + ", p99.9 " + Amount.time(result.rttUs(99.9))
                    + ", max " + Amount.time(result.rttNs.getMaxValue() / 1e3));
        }
        lines.println("errors: " + Amount.count(result.errorCount())
                + (result.errors.isEmpty() ? "" : " " + result.errors)
                + ", unfinished " + Amount.count(result.unfinished())
                + ", wrong bytes " + Amount.count(result.mismatches)
                + ", wrong lengths " + Amount.count(result.wrongLengths));
        if (result.unstarted > 0) {
            lines.println("overload: " + Amount.count(result.unstarted)
                    + " requests were due and never started; lower the rate or raise --outstanding");
        }
    }
}
