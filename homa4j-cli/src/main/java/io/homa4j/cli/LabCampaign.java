package io.homa4j.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine;

/** All runs of an experiment: repeat by repeat, in each every transport in turn, so that what changes on the machine hits all. */
final class LabCampaign {
    private final LabOptions options;
    private final LabNetwork network;
    private final PrintWriter out;
    private final PrintWriter progress;
    private final List<LabRun> runs = new ArrayList<>();

    private record Case(LabTransport transport, String congestionControl, int priorities, double load) {
        String text() {
            String kind = transport.isHoma() ? priorities + " priorities" : congestionControl;
            return transport.text() + (kind.isEmpty() ? "" : " " + kind) + " at load " + load;
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
        boolean isComplete = runs.size() == count;
        if (!isComplete) {
            say((stop.isRaised() ? "interrupted" : "failed") + " after " + runs.size() + " of " + count + " runs");
        }
        report(hosts);
        if (failure != null) {
            throw failure;
        }
        boolean isGood = isComplete && runs.stream().allMatch(run -> run.isValid() && run.errors() == 0);
        return isGood ? 0 : Homa.FAILURE;
    }

    /** Makes one run after the other, until the end or a signal. */
    private void measure(Cluster cluster, List<Case> cases, int count, StopSignal stop) {
        for (int repeat = 1; repeat <= options.repeats; repeat++) {
            for (Case each : cases) {
                say("run " + (runs.size() + 1) + " of " + count + ": " + each.text());
                network.prepare(each.transport, each.congestionControl);
                LabLoad load = options.load(each.transport, each.priorities, each.load, repeat);
                Cluster.Outcome outcome = cluster.run(load, cluster.hosts(), stop, this::second);
                if (outcome == null) {
                    return;
                }
                LabRun run = new LabRun(
                        load,
                        options.links(),
                        cluster.hosts(),
                        each.congestionControl,
                        each.priorities,
                        each.load,
                        repeat,
                        outcome,
                        network.use());
                runs.add(run);
                say(line(run));
            }
        }
    }

    private void report(List<ControlMessage> hosts) {
        boolean toStandardOutput = Json.STANDARD_OUTPUT.equals(options.json);
        table(toStandardOutput ? progress : out);
        Map<String, Object> json = json(hosts);
        if (options.json != null) {
            Json.write(options.json, out, json);
        }
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
                + Math.round(100 * run.outcome().idleCpu()) + " %, " + run.errors() + " errors"
                + (run.outcome().linkMbps().isEmpty()
                        ? ""
                        : ", link rates found " + run.outcome().linkMbps())
                + (run.isValid() ? "" : " - INVALID: the processors were too busy");
    }

    private Map<String, List<LabRun>> byCase() {
        Map<String, List<LabRun>> groups = new LinkedHashMap<>();
        for (LabRun run : runs) {
            String key = run.name() + (options.loads.size() == 1 ? "" : " at " + run.offeredLoad());
            groups.computeIfAbsent(key, name -> new ArrayList<>()).add(run);
        }
        return groups;
    }

    static double median(List<LabRun> of, ToDoubleFunction<LabRun> figure) {
        double[] sorted = of.stream().mapToDouble(figure).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private void table(PrintWriter to) {
        to.println();
        to.println("round trips of requests of at most " + LoadDetails.SHORT_BYTES + " bytes, medians of "
                + options.repeats + (options.repeats == 1 ? " run" : " runs") + " (range of p99)");
        to.printf("%-28s%14s%14s%30s%14s%10s%8s%n", "", "p50", "p99", "", "p99.9", "carried", "errors");
        byCase().forEach((name, of) -> {
            double[] tails =
                    of.stream().mapToDouble(run -> run.shortUs(99)).sorted().toArray();
            to.printf(
                    "%-28s%14s%14s%30s%14s%10s%8d%s%n",
                    name,
                    Amount.time(median(of, run -> run.shortUs(50))),
                    Amount.time(median(of, run -> run.shortUs(99))),
                    "(" + Amount.time(tails[0]) + " - " + Amount.time(tails[tails.length - 1]) + ")",
                    Amount.time(median(of, run -> run.shortUs(99.9))),
                    Amount.digits(median(of, LabRun::carriedLoad)),
                    of.stream().mapToLong(LabRun::errors).sum(),
                    of.stream().allMatch(LabRun::isValid) ? "" : "  INVALID: processors too busy");
        });
        to.flush();
    }

    private Map<String, Object> json(List<ControlMessage> hosts) {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("workload", options.workload.name());
        config.put("response_bytes", options.responseBytes);
        config.put("hosts", hosts.size());
        config.put("rate_mbps", options.mbps);
        config.put("mtu", options.mtu);
        config.put("loads", options.loads);
        config.put("seconds", options.seconds);
        config.put("warmup_seconds", options.warmUpSeconds);
        config.put("repeat", options.repeats);
        config.put("seed", options.seed);
        config.put("ipv6", options.ipv6);
        config.put("parameters", options.parameters);
        config.put("version", Version.project());
        config.put("os", hosts.getFirst().text("os"));
        config.put("java", hosts.getFirst().text("java"));
        config.put("processors", hosts.getFirst().whole("processors"));
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("config", config);
        json.put("runs", runs.stream().map(LabRun::json).toList());
        json.put("ratios", ratios());
        return json;
    }

    /** Each Homa to each rival, by load: medians of the repeats. */
    private Map<String, Object> ratios() {
        Map<String, Object> ratios = new LinkedHashMap<>();
        Map<String, List<LabRun>> groups = byCase();
        groups.forEach((homa, ofHoma) -> groups.forEach((tcp, ofTcp) -> {
            LabRun one = ofHoma.getFirst();
            LabRun other = ofTcp.getFirst();
            if (one.load().transport().isHoma()
                    && !other.load().transport().isHoma()
                    && one.offeredLoad() == other.offeredLoad()) {
                Map<String, Object> ratio = new LinkedHashMap<>();
                for (double percentile : new double[] {50, 99, 99.9}) {
                    ratio.put(
                            "short_p" + (percentile == 99.9 ? "999" : Long.toString((long) percentile)),
                            median(ofHoma, run -> run.shortUs(percentile))
                                    / median(ofTcp, run -> run.shortUs(percentile)));
                }
                ratio.put(
                        "longest_p50", median(ofHoma, LabCampaign::longestUs) / median(ofTcp, LabCampaign::longestUs));
                ratios.put(homa + " : " + tcp, ratio);
            }
        }));
        return ratios;
    }

    private static double longestUs(LabRun run) {
        List<LabRun.Size> sizes = run.sizes();
        return sizes.isEmpty() ? 0 : sizes.getLast().us(50);
    }
}
