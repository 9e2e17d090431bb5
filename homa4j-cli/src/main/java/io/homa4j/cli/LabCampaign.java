package io.homa4j.cli;

import io.homa4j.protocol.Config;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** All runs of an experiment: repeat by repeat, in each every transport in turn, so that what changes on the machine hits all. */
final class LabCampaign {
    private final LabOptions options;
    private final LabNetwork network;
    private final @Nullable Beside beside;
    private final PrintWriter out;
    private final PrintWriter progress;
    private final LabResults results = new LabResults();
    private final Instant started = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final List<LabNetwork.Sample> samples = new ArrayList<>();

    private record Case(LabTransport transport, String congestionControl, int priorities, double load) {
        String name(@Nullable Beside beside) {
            String name = LabRun.name(transport, congestionControl, priorities);
            return beside == null ? name : LabRun.beside(name, beside.name());
        }

        String text(@Nullable Beside beside) {
            return name(beside) + " at load " + load;
        }
    }

    /**
     * A second load on the same links at the same time.
     *
     * @param cluster the same hosts
     * @param congestionControl of all TCP on these links
     */
    record Beside(Cluster cluster, LabTransport transport, String congestionControl) {
        String name() {
            return LabRun.name(transport, congestionControl, Config.MAX_LEVELS);
        }
    }

    /** @param beside null if each transport has the links for itself */
    LabCampaign(LabOptions options, LabNetwork network, @Nullable Beside beside, CommandLine commandLine) {
        this.options = options;
        this.beside = beside;
        this.network = network;
        this.progress = commandLine.getErr();
        this.out = commandLine.getOut();
    }

    /** Measures, prints, writes. @return exit code */
    int run(Cluster cluster, StopSignal stop) {
        List<ControlMessage> hosts = cluster.hello();
        List<Case> cases = cases();
        int count = cases.size() * options.repeats;
        say(cluster.hosts() + " hosts at " + Amount.digits(options.mbps) + " Mbit/s, " + options.workload.name() + ", "
                + count
                + " runs of " + Amount.digits(options.seconds) + " s: about "
                + Amount.duration(options.totalSeconds(cases.size())));
        CliException failure = null;
        try {
            measure(cluster, cases, count, stop);
        } catch (CliException e) {
            // What was measured before is told all the same. After a signal the failure may be a consequence of it.
            failure = stop.isRaised() ? null : e;
        }
        int done = results.runs().size() / (beside == null ? 1 : 2);
        boolean isComplete = done == count;
        if (!isComplete) {
            say((stop.isRaised() ? "interrupted" : "failed") + " after " + done + " of " + count + " runs");
        }
        report(hosts);
        if (failure != null) {
            throw failure;
        }
        boolean isGood = isComplete
                && results.unloaded().values().stream().allMatch(run -> run.errors() == 0)
                && results.runs().stream().allMatch(run -> run.isValid() && run.errors() == 0);
        return isGood ? 0 : Homa.FAILURE;
    }

    /** Makes one run after the other, until the end or a signal. */
    private void measure(Cluster cluster, List<Case> cases, int count, StopSignal stop) {
        int number = 1;
        for (int repeat = 1; repeat <= options.repeats; repeat++) {
            for (Case each : cases) {
                if (beside == null && !results.hasUnloaded(each.name(null)) && options.unloadedSeconds > 0) {
                    say("without load: " + each.name(null));
                    prepare(each);
                    LabRun unloaded = run(cluster, each, options.unloaded(each.transport, each.priorities), 1, 0, stop);
                    if (unloaded == null) {
                        return;
                    }
                    results.addUnloaded(unloaded);
                }
                say("run " + number++ + " of " + count + ": " + each.text(beside));
                prepare(each);
                LabLoad load = options.load(each.transport, each.priorities, each.load, repeat);
                if (beside == null) {
                    LabRun run = run(cluster, each, load, cluster.hosts(), repeat, stop);
                    if (run == null) {
                        return;
                    }
                    add(run);
                } else if (!runBeside(cluster, each, load, beside, repeat, stop)) {
                    return;
                }
            }
        }
    }

    private void prepare(Case of) {
        String kind = of.congestionControl;
        network.prepare(of.transport, kind.isEmpty() && beside != null ? beside.congestionControl : kind);
    }

    /** @return null if it was interrupted */
    private @Nullable LabRun run(Cluster cluster, Case of, LabLoad load, int senders, int repeat, StopSignal stop) {
        samples.clear();
        Cluster.Outcome outcome = cluster.run(load, senders, stop, this::second);
        return outcome == null
                ? null
                : new LabRun(
                        load,
                        options.links(),
                        cluster.hosts(),
                        of.congestionControl,
                        of.priorities,
                        repeat == 0 ? 0 : of.load,
                        repeat,
                        outcome,
                        network.use(),
                        List.copyOf(samples),
                        "");
    }

    private void add(LabRun run) {
        results.add(run);
        say(line(run));
    }

    /** Two loads at a time, each of the same part of the links. @return false if they were interrupted */
    private boolean runBeside(Cluster cluster, Case of, LabLoad load, Beside other, int repeat, StopSignal stop) {
        LabLoad otherLoad = options.load(other.transport, Config.MAX_LEVELS, of.load, repeat);
        CompletableFuture<Cluster.@Nullable Outcome> otherOutcome =
                CompletableFuture.supplyAsync(() -> other.cluster.run(
                        otherLoad, cluster.hosts(), stop, (isWarmUp, answersPerSecond, outstanding, failed) -> {}));
        LabRun run;
        Cluster.Outcome outcome;
        try {
            run = run(cluster, of, load, cluster.hosts(), repeat, stop);
        } finally {
            // Also when the other failed: its hosts are still at work.
            outcome = otherOutcome.handle((result, e) -> result).join();
        }
        if (run == null || outcome == null) {
            // Says why, unless it was interrupted.
            otherOutcome.join();
            return false;
        }
        add(run.beside(other.name()));
        add(new LabRun(
                        otherLoad,
                        options.links(),
                        cluster.hosts(),
                        other.congestionControl,
                        Config.MAX_LEVELS,
                        of.load,
                        repeat,
                        outcome,
                        null,
                        List.of(),
                        "")
                .beside(run.name()));
        return true;
    }

    private void report(List<ControlMessage> hosts) {
        boolean toStandardOutput = Json.STANDARD_OUTPUT.equals(options.json);
        LabText.print(results, toStandardOutput ? progress : out);
        Map<String, Object> json = results.json(config(hosts));
        if (options.json != null) {
            Json.write(options.json, out, json);
        }
        if (options.report != null) {
            say("report: " + LabReport.write(options.report, results, json));
        }
    }

    private Map<String, Object> config(List<ControlMessage> hosts) {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("workload", options.workload.name());
        config.put("response_bytes", options.responseBytes);
        config.put("hosts", hosts.size());
        config.put("rate_mbps", options.mbps);
        config.put("mtu", options.mtu);
        config.putAll(network.config());
        config.put("loads", options.loads);
        config.put("seconds", options.seconds);
        config.put("warmup_seconds", options.warmUpSeconds);
        config.put("first_warmup_seconds", options.firstWarmUpSeconds);
        config.put("beside", beside == null ? null : beside.name());
        config.put("unloaded_seconds", options.unloadedSeconds);
        config.put("repeat", options.repeats);
        config.put("seed", options.seed);
        config.put("ipv6", options.ipv6);
        config.put("parameters", options.parameters);
        config.put("version", hosts.getFirst().text("version"));
        config.put("os", hosts.getFirst().text("os"));
        config.put("java", hosts.getFirst().text("java"));
        config.put("processor", hosts.getFirst().text("processor"));
        config.put("processors", hosts.getFirst().whole("processors"));
        config.put("started", started.toString());
        return config;
    }

    private List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (double load : options.loads) {
            for (String name : options.transports) {
                LabTransport transport = LabTransport.of(name);
                if (transport.isHoma()) {
                    options.priorities.forEach(priorities -> cases.add(new Case(transport, "", priorities, load)));
                } else {
                    network.congestionControls().forEach(kind -> cases.add(new Case(transport, kind, 8, load)));
                }
            }
        }
        return cases;
    }

    private void second(boolean isWarmUp, double answersPerSecond, long outstanding, long failed) {
        LabNetwork.Sample sample = isWarmUp ? null : network.sample();
        if (sample != null) {
            samples.add(sample);
        }
        say("  " + (isWarmUp ? "warm-up  " : "") + Amount.rate(answersPerSecond) + ", " + outstanding + " outstanding, "
                + failed + " failed");
    }

    private void say(String line) {
        progress.println(line);
        progress.flush();
    }

    private static String line(LabRun run) {
        return "  short messages p50 " + Amount.time(run.shortUs(50)) + ", p99 " + Amount.time(run.shortUs(99))
                + "; carried " + Amount.digits(run.carriedLoad()) + " of " + Amount.digits(run.offeredLoad())
                + ", idle CPU "
                + LabText.idle(run.outcome().idleCpu()) + ", " + run.errors() + " errors"
                + (run.outcome().linkMbps().isEmpty()
                        ? ""
                        : ", link rates found " + run.outcome().linkMbps())
                + (run.isValid() ? "" : " - INVALID: the processors were too busy");
    }
}
