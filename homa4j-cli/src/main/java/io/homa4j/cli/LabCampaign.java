package io.homa4j.cli;

import java.io.PrintWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** All runs of an experiment: repeat by repeat, in each every transport in turn, so that what changes on the machine hits all. */
final class LabCampaign {
    private final LabOptions options;
    private final LabNetwork network;
    private final PrintWriter out;
    private final PrintWriter progress;
    private final LabResults results = new LabResults();
    private final Instant started = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final List<LabNetwork.Sample> samples = new ArrayList<>();

    private record Case(LabTransport transport, String congestionControl, int priorities, double load) {
        String name() {
            return LabRun.name(transport, congestionControl, priorities);
        }

        String text() {
            return name() + " at load " + load;
        }
    }

    LabCampaign(LabOptions options, LabNetwork network, CommandLine commandLine) {
        this.options = options;
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
                + " runs of " + Amount.digits(options.warmUpSeconds + options.seconds) + " s: about "
                + Amount.duration(count * (options.warmUpSeconds + options.seconds + 1)));
        CliException failure = null;
        try {
            measure(cluster, cases, count, stop);
        } catch (CliException e) {
            // What was measured before is told all the same. After a signal the failure may be a consequence of it.
            failure = stop.isRaised() ? null : e;
        }
        boolean isComplete = results.runs().size() == count;
        if (!isComplete) {
            say((stop.isRaised() ? "interrupted" : "failed") + " after "
                    + results.runs().size() + " of " + count + " runs");
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
        for (int repeat = 1; repeat <= options.repeats; repeat++) {
            for (Case each : cases) {
                if (!results.hasUnloaded(each.name()) && options.unloadedSeconds > 0) {
                    say("without load: " + each.name());
                    LabRun unloaded = run(cluster, each, options.unloaded(each.transport, each.priorities), 1, 0, stop);
                    if (unloaded == null) {
                        return;
                    }
                    results.addUnloaded(unloaded);
                }
                say("run " + (results.runs().size() + 1) + " of " + count + ": " + each.text());
                LabLoad load = options.load(each.transport, each.priorities, each.load, repeat);
                LabRun run = run(cluster, each, load, cluster.hosts(), repeat, stop);
                if (run == null) {
                    return;
                }
                results.add(run);
                say(line(run));
            }
        }
    }

    /** @return null if it was interrupted */
    private @Nullable LabRun run(Cluster cluster, Case of, LabLoad load, int senders, int repeat, StopSignal stop) {
        network.prepare(of.transport, of.congestionControl);
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
                        List.copyOf(samples));
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
