package io.homa4j.cli;

import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaException;
import io.homa4j.driver.FaultyDriver;
import io.homa4j.driver.FaultyDriver.Faults;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code homa soak}: a great many RPCs over a bad network, with every byte and every execution checked. */
@Command(
        name = "soak",
        description = "Makes many RPCs of all sizes over a bad network and checks every byte and execution.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "Alone it starts a server process of its own. Over a real network: --serve PORT there (it uses",
            "PORT and the port after it), --to HOST:PORT here.",
            "Exit code 0 only if every RPC was completed and executed once, with the right bytes."
        })
final class SoakCommand implements Callable<Integer> {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(30);

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(names = "--rpcs", paramLabel = "N", description = "RPCs to make (default: ${DEFAULT-VALUE}).")
    private int rpcs = 100_000;

    @Option(names = "--loss", paramLabel = "P", description = "Share of packets lost at each end, 0 to 1.")
    private double loss;

    @Option(names = "--duplicate", paramLabel = "P", description = "Share of packets that arrive twice.")
    private double duplicate;

    @Option(names = "--reorder", paramLabel = "P", description = "Share of packets overtaken by later ones.")
    private double reorder;

    @Option(names = "--seed", paramLabel = "S", description = "Of sizes, bytes and faults (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(
            names = "--outstanding",
            paramLabel = "N",
            description = "RPCs on their way at a time (default: ${DEFAULT-VALUE}).")
    private int outstanding = 32;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the result to FILE; - for standard output.")
    private @Nullable String json;

    @ArgGroup
    private Role role = new Role();

    @Option(names = "--child", hidden = true, description = "Ends with the process that started it.")
    private boolean isChild;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private EngineOptions engine;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ObservationOptions observation;

    private static final class Role {
        @Option(names = "--serve", paramLabel = "PORT", description = "Be the server only.")
        private @Nullable Integer port;

        @Option(names = "--to", paramLabel = "HOST:PORT", description = "Be the client of a server elsewhere.")
        private @Nullable String server;
    }

    /** All that is said about a run; the fields of the JSON. */
    private record Outcome(
            SoakClient client, SoakServer.Status server, long retransmitted, SoakFaults faults, double seconds) {
        long corrupted() {
            return client.corrupted.sum() + server.report().corrupted();
        }

        boolean isClean(int wanted) {
            return client.completed.sum() == wanted
                    && client.failed() == 0
                    && corrupted() == 0
                    && server.report().executedTwice() == 0
                    && server.report().neverExecuted() == 0;
        }
    }

    @Override
    public Integer call() throws Exception {
        check(rpcs >= 1, "--rpcs " + rpcs, "name 1 to " + Integer.MAX_VALUE);
        check(outstanding >= 1 && outstanding <= 100_000, "--outstanding " + outstanding, "name 1 to 100000");
        for (double share : new double[] {loss, duplicate, reorder}) {
            check(share >= 0 && share <= 1, "a share of " + share, "name 0 to 1, as 0.01 for one packet in a hundred");
        }
        Json.check(json);
        if (role.port != null) {
            int port = role.port;
            check(port >= 0 && port < 65_535, "--serve " + port, "name 1 to 65534, or 0 for free ports");
            return isChild
                    // Its parent's end is its own, wherever it is.
                    ? ChildProcess.runWithParent(() -> serve(port, new CountDownLatch(1)::await))
                    : StopSignal.during(stop -> serve(port, stop::await));
        }
        return StopSignal.during(this::soak);
    }

    /** Waits for the end. */
    private interface Stop {
        void await() throws InterruptedException;
    }

    private int serve(int port, Stop stop) throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        // Another seed than the client's, or both ends would harm the same packets of their sequences.
        try (SoakServer server = new SoakServer(open(seed ^ 0x5eed), port, regionBytes())) {
            out.println("ready " + server.port() + " " + server.questionPort());
            out.flush();
            stop.await();
            if (observation.metrics) {
                out.print(ObservationOptions.text(server.counters()));
                out.flush();
            }
        }
        return 0;
    }

    private int soak(StopSignal stop) throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        // With --json - standard output belongs to the JSON alone.
        PrintWriter lines =
                Json.STANDARD_OUTPUT.equals(json) ? spec.commandLine().getErr() : out;
        if (role.server != null) {
            HomaAddress server = engine.address(role.server);
            HomaAddress questions = HomaAddress.of(server.address().getHostAddress(), server.port() + 1);
            return soak(server, questions, stop, () -> {}, out, lines);
        }
        List<String> words =
                new ArrayList<>(List.of("soak", "--serve", "0", "--child", "--seed", String.valueOf(seed)));
        words.addAll(List.of("--loss", String.valueOf(loss), "--duplicate", String.valueOf(duplicate)));
        words.addAll(List.of("--reorder", String.valueOf(reorder)));
        words.addAll(engine.words());
        try (ChildProcess child = ChildProcess.start("server", words)) {
            String[] ports = child.expectLine(START_TIMEOUT).split(" ", -1);
            HomaAddress server = HomaAddress.of(engine.loopback(), Integer.parseInt(ports[1]));
            HomaAddress questions = HomaAddress.of(engine.loopback(), Integer.parseInt(ports[2]));
            return soak(server, questions, stop, child::checkAlive, out, lines);
        }
    }

    private int soak(
            HomaAddress server,
            HomaAddress questions,
            StopSignal stop,
            Runnable serverCheck,
            PrintWriter out,
            PrintWriter lines)
            throws InterruptedException {
        Outcome outcome;
        Map<String, Long> counters;
        try (Homa homa = open(seed)) {
            SoakClient client = begin(homa, server, questions);
            lines.println("soak: " + Amount.count(rpcs) + " RPCs to " + server + ", " + outstanding
                    + " at a time, loss " + loss + ", duplicates " + duplicate + ", reordering " + reorder
                    + " at each end, seed " + seed);
            lines.flush();
            long startNs = System.nanoTime();
            client.start(outstanding);
            run(client, stop, serverCheck, lines, startNs);
            double seconds = (System.nanoTime() - startNs) / 1e9;
            SoakServer.Status status = client.serverStatus();
            outcome = new Outcome(
                    client,
                    status,
                    status.retransmitted() + SoakServer.retransmitted(homa),
                    status.faults().plus(SoakFaults.of(homa)),
                    seconds);
            counters = homa.counters();
        }
        print(outcome, lines);
        if (observation.metrics) {
            lines.print(ObservationOptions.text(counters));
        }
        lines.flush();
        if (json != null) {
            Json.write(json, out, json(outcome));
        }
        return outcome.isClean(rpcs) ? 0 : io.homa4j.cli.Homa.FAILURE;
    }

    private Homa open(long faultSeed) {
        Homa.Builder builder = observation.applied(engine.builder().receiveRegion(regionBytes()));
        if (loss > 0 || duplicate > 0 || reorder > 0) {
            Faults faults = new Faults(loss, duplicate, reorder);
            builder.driver(inner -> new FaultyDriver(inner, faults, faultSeed));
        }
        return EngineOptions.open(builder);
    }

    /**
     * Room for all RPCs at their largest, although one host may hold only a quarter of a region: a request that waited for
     * space for longer than a second would fail, as it should (design 6), and this is about what the network does.
     */
    private long regionBytes() {
        return Math.max(32L, 4L * outstanding) << 20;
    }

    private SoakClient begin(Homa homa, HomaAddress server, HomaAddress questions) throws InterruptedException {
        try {
            return new SoakClient(homa, server, questions, seed, rpcs);
        } catch (HomaException e) {
            throw new CliException(
                    "no soak server at " + server + " and the port after it: "
                            + e.reason().text(),
                    CliException.startOrRemedy("homa soak --serve " + server.port(), e),
                    e);
        }
    }

    private void run(SoakClient client, StopSignal stop, Runnable serverCheck, PrintWriter lines, long startNs)
            throws InterruptedException {
        long beforeNs = startNs;
        long before = 0;
        long bytesBefore = 0;
        while (!client.await(Duration.ofSeconds(1))) {
            serverCheck.run();
            if (stop.isRaised()) {
                client.stop();
            }
            long nowNs = System.nanoTime();
            long done = client.completed.sum() + client.corrupted.sum() + client.failed();
            long bytes = client.bytes.sum();
            double perSecond = done / ((nowNs - startNs) / 1e9);
            lines.println(Amount.count(done) + " of " + Amount.count(rpcs) + " ("
                    + Amount.digits(100.0 * done / rpcs) + " %), "
                    + Amount.rate((done - before) * 1e9 / (nowNs - beforeNs)) + ", "
                    + Amount.throughput(bytes - bytesBefore, nowNs - beforeNs) + " both ways, "
                    + Amount.count(client.failed()) + " failed, " + Amount.count(client.corrupted.sum())
                    + " corrupted, about " + (done == 0 ? "?" : Amount.duration((rpcs - done) / perSecond)) + " left");
            lines.flush();
            beforeNs = nowNs;
            before = done;
            bytesBefore = bytes;
        }
    }

    private void print(Outcome outcome, PrintWriter lines) {
        SoakClient client = outcome.client;
        SoakLedger.Report report = outcome.server.report();
        double bits = client.bytes.sum() * 8.0;
        lines.println(Amount.count(client.completed.sum()) + " of " + Amount.count(rpcs) + " RPCs completed in "
                + Amount.duration(outcome.seconds) + " (" + Amount.rate(client.completed.sum() / outcome.seconds)
                + ", " + Amount.digits(bits / outcome.seconds / 1e9) + " Gbit/s both ways)");
        lines.println("failed " + Amount.count(client.failed())
                + (client.failures.isEmpty() ? "" : " " + client.failures)
                + ", corrupted " + Amount.count(outcome.corrupted())
                + ", executed twice " + Amount.count(report.executedTwice())
                + ", never executed " + Amount.count(report.neverExecuted())
                + (report.examples().isEmpty() ? "" : ", for example RPC " + report.examples()));
        lines.println("packets lost " + Amount.count(outcome.faults.lost())
                + ", duplicated " + Amount.count(outcome.faults.duplicated())
                + ", reordered " + Amount.count(outcome.faults.reordered())
                + ", retransmitted " + Amount.count(outcome.retransmitted));
    }

    private Map<String, Object> json(Outcome outcome) {
        SoakClient client = outcome.client;
        SoakLedger.Report report = outcome.server.report();
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("rpcs", client.sent());
        json.put("completed", client.completed.sum());
        json.put("failed", client.failed());
        json.put("corrupted", outcome.corrupted());
        json.put("executed_twice", report.executedTwice());
        json.put("never_executed", report.neverExecuted());
        json.put("retransmitted_packets", outcome.retransmitted);
        json.put("executions", report.executions());
        json.put("failed_by_kind", client.failures);
        json.put("examples", report.examples());
        Map<String, Object> faults = new LinkedHashMap<>();
        faults.put("lost", outcome.faults.lost());
        faults.put("duplicated", outcome.faults.duplicated());
        faults.put("reordered", outcome.faults.reordered());
        json.put("faults_made", faults);
        json.put("loss", loss);
        json.put("duplicate", duplicate);
        json.put("reorder", reorder);
        json.put("seed", seed);
        json.put("seconds", outcome.seconds);
        json.put("bytes", client.bytes.sum());
        return json;
    }

    private static void check(boolean isRight, String what, String remedy) {
        if (!isRight) {
            throw CliException.usage(what + " makes no sense", remedy);
        }
    }
}
