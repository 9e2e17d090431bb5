package io.homa4j.cli;

import io.homa4j.cli.Contender.Waiting;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code homa bench grpc}: one gRPC service over Homa and over Netty, in turn. */
@Command(
        name = "grpc",
        description = "Compares gRPC over Homa with gRPC over Netty: the same service, stub and load.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "Each transport has a server and a client process of its own and one channel between them, and is",
            "warmed up until its rate is steady. Then they are measured in turn, round by round; shown are",
            "medians of the rounds, their range, and medians of the ratios of rounds that followed each other.",
            "What the bulk load may be is measured for each transport first: short calls are made while it",
            "carries 70 %% of that. Over loopback that is what the processors can do; --link-mbps adds a network",
            "that can be full."
        })
final class GrpcCommand implements Callable<Integer> {
    private static final String LOOPBACK = "127.0.0.1";
    private static final double WARM_UP_SLICE_SECONDS = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description =
                    "Length of each measurement of each transport, all rounds together (default: ${DEFAULT-VALUE}).")
    private double seconds = 10;

    @Option(names = "--rounds", paramLabel = "N", description = "Rounds of each (default: ${DEFAULT-VALUE}).")
    private int rounds = 5;

    @Option(
            names = "--warmup",
            paramLabel = "S",
            description = "Longest warm-up of each, whether steady then or not (default: ${DEFAULT-VALUE}).")
    private double warmUpSeconds = 8;

    @Option(names = "--direct", description = "Also with callbacks and handlers on the transports' threads.")
    private boolean withDirect;

    @Option(
            names = "--load",
            paramLabel = "LOAD",
            split = ",",
            description = "Measure these loads alone: ${COMPLETION-CANDIDATES}; mixed needs capacity.")
    private List<GrpcLoad> loads = List.of(GrpcLoad.values());

    @Option(
            names = "--link-mbps",
            paramLabel = "N",
            description = "Over a virtual link of this rate between two network namespaces instead of loopback (root).")
    private int linkMbps;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the results to FILE; - for standard output.")
    private @Nullable String json;

    @Option(names = "--report", paramLabel = "DIR", description = "Write a report (HTML, text, JSON) into folder DIR.")
    private @Nullable Path report;

    private final GrpcResults results = new GrpcResults();
    private final Map<String, ContenderPair> pairs = new LinkedHashMap<>();

    @Override
    public Integer call() throws InterruptedException {
        Rounds.check(seconds, rounds, warmUpSeconds);
        Json.check(json);
        ReportFiles.checkFolder(report);
        if (linkMbps < 0) {
            throw CliException.usage("--link-mbps " + linkMbps + " makes no sense", "name a rate, or 0 for loopback");
        }
        if (loads.contains(GrpcLoad.MIXED) && !loads.contains(GrpcLoad.CAPACITY)) {
            throw CliException.usage("--load mixed needs what the pair can carry", "add capacity");
        }
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter progress = spec.commandLine().getErr();
        try (VethPair link = linkMbps == 0 ? null : link()) {
            for (String contender : GrpcResults.contenders(withDirect)) {
                pairs.put(contender, start(contender, link));
            }
            for (GrpcLoad load : GrpcLoad.values()) {
                if (loads.contains(load)) {
                    measure(load, progress);
                }
            }
        } finally {
            pairs.values().forEach(ContenderPair::close);
        }
        Map<String, Object> conditions = PeersCommand.conditions(seconds, rounds);
        conditions.put("link", linkMbps == 0 ? "loopback" : "veth, " + linkMbps + " Mbit/s");
        results.print(Json.STANDARD_OUTPUT.equals(json) ? progress : out, conditions);
        if (json != null) {
            Json.write(json, out, results.json(conditions));
        }
        if (report != null) {
            StringWriter text = new StringWriter();
            results.print(new PrintWriter(text), conditions);
            progress.println("report in "
                    + PeersReport.write(
                            report,
                            "grpc",
                            "gRPC over Homa and over Netty",
                            results.ratios(),
                            text.toString(),
                            results.json(conditions)));
        }
        return 0;
    }

    private VethPair link() {
        try {
            return new VethPair(linkMbps);
        } catch (IOException e) {
            throw new CliException("no link (" + e.getMessage() + ")", "run as root with iproute2", e);
        }
    }

    private static ContenderPair start(String id, @Nullable VethPair link) {
        Contender contender = ContenderProcess.contender(id);
        if (contender == null) {
            throw new CliException(id + " is not on the module path", "start it as ./homa bench grpc");
        }
        ContenderPair.Place server = link == null
                ? new ContenderPair.Place(LOOPBACK, List.of())
                : new ContenderPair.Place(VethPair.SERVER, link.atServer());
        ContenderPair.Place client = link == null
                ? new ContenderPair.Place(LOOPBACK, List.of())
                : new ContenderPair.Place(VethPair.CLIENT, link.atClient());
        return ContenderPair.start(contender, Waiting.DEFAULT, server, client);
    }

    private void measure(GrpcLoad load, PrintWriter progress) throws InterruptedException {
        for (Map.Entry<String, ContenderPair> each : pairs.entrySet()) {
            warmUp(each.getKey(), each.getValue(), load, progress);
        }
        for (int round = 0; round < rounds; round++) {
            for (Map.Entry<String, ContenderPair> each : pairs.entrySet()) {
                PeersRound figures = load.run(each.getValue(), capacity(each.getKey()), seconds / rounds);
                results.add(each.getKey(), load, figures);
                say(progress, each.getKey(), load, figures, "");
            }
        }
    }

    /** Until the last rates differ by little, or the time is over: then the JIT compiler has done its work. */
    private void warmUp(String contender, ContenderPair pair, GrpcLoad load, PrintWriter progress)
            throws InterruptedException {
        List<Double> rates = new ArrayList<>();
        double spent = 0;
        PeersRound last = null;
        while (last == null || spent < warmUpSeconds && !Rounds.isSteady(rates)) {
            last = load.run(pair, capacity(contender), Math.clamp(warmUpSeconds, 0.05, WARM_UP_SLICE_SECONDS));
            rates.add(load.rate(last));
            spent += WARM_UP_SLICE_SECONDS;
        }
        say(progress, contender, load, last, String.format(Locale.ROOT, " after %.0f s of warm-up", spent));
    }

    private Rounds<PeersRound> capacity(String contender) {
        return results.rounds(contender, GrpcLoad.CAPACITY);
    }

    private static void say(PrintWriter progress, String contender, GrpcLoad load, PeersRound figures, String more) {
        String figure = load == GrpcLoad.CAPACITY
                ? Amount.digits(figures.gbitOut()) + " Gbit/s"
                : load == GrpcLoad.MANY
                        ? Amount.rate(figures.rpcsPerSecond())
                        : Amount.time(figures.p50()) + ", 99 % " + Amount.time(figures.p99());
        progress.printf("%-18s %s: %s%s%n", contender, load.title, figure, more);
        progress.flush();
    }
}
