package io.homa4j.cli;

import io.homa4j.Homa;
import io.homa4j.HomaServer;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code homa server}: answers the requests of load clients until it is told to stop. */
@Command(
        name = "server",
        description = "Answers requests until Ctrl-C or SIGTERM, and then says what it did.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "With --reply header bytes 0-3 of a request are the length of the response wanted and bytes",
            "4-7 the delay in milliseconds, both big-endian. Byte i >= 8 of every message must be",
            "(31 i + (i >> 8)) mod 256; requests that are not so are counted as mismatches. Responses",
            "follow the same rule from byte 0 on. What cannot be answered is counted and not answered."
        })
final class ServerCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(names = "--port", required = true, paramLabel = "N", description = "UDP port; 0 for a free one.")
    private int port;

    @Option(
            names = "--reply",
            paramLabel = "WHAT",
            converter = Replies.Converter.class,
            description =
                    "same: the request's bytes (default). A number: that many bytes. header: what the request wants.")
    private Replies replies = Replies.SAME;

    @Option(
            names = "--max-in-service",
            paramLabel = "N",
            description = "Requests in the server's hands at a time; more wait (default: ${DEFAULT-VALUE}).")
    private int maxInService = 10_000;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the summary to FILE; - for standard output.")
    private @Nullable String json;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private EngineOptions engine;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ObservationOptions observation;

    @Override
    public Integer call() throws Exception {
        if (port < 0 || port > 65_535) {
            throw CliException.usage("--port " + port + " is no port", "name one from 1 to 65535, or 0 for a free one");
        }
        if (maxInService < 1) {
            throw CliException.usage("--max-in-service " + maxInService + " serves nobody", "name at least 1");
        }
        Json.check(json);
        return StopSignal.during(this::serve);
    }

    private int serve(StopSignal stop) throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        // With --json - standard output belongs to the JSON alone.
        PrintWriter lines =
                Json.STANDARD_OUTPUT.equals(json) ? spec.commandLine().getErr() : out;
        Map<String, Long> counters;
        Summary total;
        try (Responder responder = new Responder(replies);
                Homa homa = EngineOptions.open(observation.applied(engine.builder()))) {
            Summary start = Summary.of(responder, System.nanoTime());
            try (HomaServer server =
                    homa.server(port).shortHandler().maxInService(maxInService).open(responder)) {
                lines.println("ready: serving on " + (engine.isUdp() ? "UDP" : "Homa") + " port " + server.port()
                        + ", answering " + replies + "; Ctrl-C ends it");
                lines.flush();
                reportUntilStopped(stop, lines, responder, server);
            }
            total = Summary.of(responder, System.nanoTime()).since(start);
            counters = homa.counters();
        }
        lines.println("served " + Amount.count(total.requests()) + " requests in "
                + Amount.duration(total.ns() / 1e9) + ": " + Amount.count(total.bytesIn()) + " bytes in, "
                + Amount.count(total.bytesOut()) + " bytes out, " + Amount.count(total.mismatches())
                + " mismatches, " + Amount.count(total.malformed()) + " malformed, "
                + Amount.count(total.unsent()) + " answers unsent");
        if (observation.metrics) {
            lines.print(ObservationOptions.text(counters));
        }
        lines.flush();
        if (json != null) {
            Json.write(json, out, total.json(observation.metrics ? counters : null));
        }
        return 0;
    }

    private static void reportUntilStopped(StopSignal stop, PrintWriter lines, Responder responder, HomaServer server)
            throws InterruptedException {
        Summary before = Summary.of(responder, System.nanoTime());
        while (!stop.await(1, TimeUnit.SECONDS)) {
            Summary now = Summary.of(responder, System.nanoTime());
            Summary second = now.since(before);
            before = now;
            if (second.requests() > 0) {
                lines.println("requests " + Amount.rate(second.requests() * 1e9 / second.ns()) + ", "
                        + Amount.throughput(second.bytesIn(), second.ns()) + " in, "
                        + Amount.throughput(second.bytesOut(), second.ns()) + " out, "
                        + Amount.count(server.inService()) + " in service, "
                        + Amount.count(now.mismatches()) + " mismatches");
                lines.flush();
            }
        }
    }

    /** What was served up to a time, or between two. */
    private record Summary(
            long ns,
            long requests,
            long bytesIn,
            long answers,
            long bytesOut,
            long mismatches,
            long malformed,
            long unsent) {
        static Summary of(Responder responder, long nowNs) {
            return new Summary(
                    nowNs,
                    responder.requests.sum(),
                    responder.bytesIn.sum(),
                    responder.answers.sum(),
                    responder.bytesOut.sum(),
                    responder.mismatches.sum(),
                    responder.malformed.sum(),
                    responder.unsent.sum());
        }

        Summary since(Summary before) {
            return new Summary(
                    ns - before.ns,
                    requests - before.requests,
                    bytesIn - before.bytesIn,
                    answers - before.answers,
                    bytesOut - before.bytesOut,
                    mismatches - before.mismatches,
                    malformed - before.malformed,
                    unsent - before.unsent);
        }

        Map<String, Object> json(@Nullable Map<String, Long> counters) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("seconds", ns / 1e9);
            json.put("requests", requests);
            json.put("answers", answers);
            json.put("bytes_in", bytesIn);
            json.put("bytes_out", bytesOut);
            json.put("mismatches", mismatches);
            json.put("malformed", malformed);
            json.put("unsent", unsent);
            if (counters != null) {
                json.put("metrics", counters);
            }
            return json;
        }
    }
}
