package io.homa4j.cli;

import io.homa4j.sim.Fabric;
import io.homa4j.sim.FabricPlan;
import io.homa4j.sim.FabricResult;
import io.homa4j.sim.Simulation;
import io.homa4j.sim.Workload;
import io.homa4j.sim.World;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code homa sim fabric}: the datacenter of the SIGCOMM 2018 paper, and its figures beside those published. */
@Command(
        name = "fabric",
        description = "Simulates the datacenter of the SIGCOMM 2018 paper on the real engine, and compares.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "Lists, as --workload w2,w4 --overcommit 1,4,7, make a case of each combination. Results are the",
            "same bit for bit whatever --jobs is. docs/fabric.md says what is simulated and what came of it."
        })
final class FabricCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(names = "--workload", paramLabel = "W", split = ",", description = "w1 to w5 (default: w4).")
    private List<String> workloads = List.of("w4");

    @Option(names = "--load", paramLabel = "L", split = ",", description = "Use of the hosts' links (default: 0.8).")
    private List<Double> loads = List.of(0.8);

    @Option(
            names = "--policy",
            paramLabel = "P",
            split = ",",
            description = "Rules of the engines: sigcomm18 (default), module, default.")
    private List<FabricPlan.Rules> policies = List.of(FabricPlan.Rules.SIGCOMM18);

    @Option(names = "--hosts", paramLabel = "N", split = ",", description = "Hosts, 16 to a rack (default: 144).")
    private List<Integer> hosts = List.of(144);

    @Option(names = "--priorities", paramLabel = "N", split = ",", description = "Levels in use (default: 8).")
    private List<Integer> priorities = List.of(8);

    @Option(
            names = "--overcommit",
            paramLabel = "N",
            split = ",",
            description = "Messages granted at a time (default: the paper's for the workload).")
    private List<Integer> overcommits = List.of(0);

    @Option(
            names = "--unscheduled",
            paramLabel = "BYTES",
            split = ",",
            description = "Bytes of a message sent without grant (default: 9328).")
    private List<Integer> unscheduled = List.of(0);

    @Option(
            names = "--unscheduled-levels",
            paramLabel = "N",
            split = ",",
            description = "Levels for unscheduled packets (default: the paper's for the workload).")
    private List<Integer> unscheduledLevels = List.of(0);

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description = "Simulated time in which messages that count begin (default: ${DEFAULT-VALUE}); a fifth of it"
                    + " comes before, and at most as much again until they are complete.")
    private double seconds = 0.05;

    @Option(names = "--seed", paramLabel = "N", description = "Of everything random (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(
            names = "--runs",
            paramLabel = "N",
            description = "Runs of each case with seeds from --seed on, taken together (default: ${DEFAULT-VALUE}).")
    private int runs = 1;

    @Option(names = "--jobs", paramLabel = "N", description = "Runs at a time (default: one per processor).")
    private int jobs = Runtime.getRuntime().availableProcessors();

    @Option(names = "--no-grants", description = "Send everything unasked.")
    private boolean noGrants;

    @Option(names = "--no-srpt", description = "Send and grant first come, first served.")
    private boolean noSrpt;

    @Option(names = "--no-priorities", description = "Let switches see one level only.")
    private boolean noPriorities;

    @Option(names = "--real-headers", description = "Count the engine's own header sizes, not the paper's.")
    private boolean realHeaders;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            arity = "0..1",
            fallbackValue = Json.STANDARD_OUTPUT,
            description = "Write the result to FILE; - or nothing for standard output.")
    private @Nullable String json;

    @Option(names = "--report", paramLabel = "DIR", description = "Write DIR/index.html with the paper's figures.")
    private @Nullable Path report;

    /** A case before it is run: what is special about it, and its plan for the first seed. */
    private record Case(String label, FabricPlan plan) {}

    @Override
    public Integer call() throws Exception {
        check(jobs >= 1, "--jobs " + jobs, "name at least 1");
        check(runs >= 1 && runs <= 1_000, "--runs " + runs, "name 1 to 1000");
        check(seconds >= 1e-6 && seconds <= 1_000, "--seconds " + seconds, "name 0.000001 to 1000");
        Json.check(json);
        ReportFiles.checkFolder(report);
        return StopSignal.during(this::simulate);
    }

    private static void check(boolean isRight, String cause, String remedy) {
        if (!isRight) {
            throw CliException.usage(cause + " makes no sense", remedy);
        }
    }

    // ---- cases

    private List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (String workload : workloads) {
            for (double load : loads) {
                for (FabricPlan.Rules rules : policies) {
                    for (int count : hosts) {
                        for (int levels : priorities) {
                            addCases(cases, workload, load, rules, count, levels);
                        }
                    }
                }
            }
        }
        return cases;
    }

    private void addCases(
            List<Case> cases, String workload, double load, FabricPlan.Rules rules, int count, int levels) {
        for (int overcommit : overcommits) {
            for (int bytes : unscheduled) {
                for (int forUnscheduled : unscheduledLevels) {
                    FabricPlan plan = plan(workload, load, rules, count, levels);
                    check(overcommit >= 0 && overcommit <= 8, "--overcommit " + overcommit, "name 1 to 8");
                    check(bytes >= 0 && bytes <= 1 << 30, "--unscheduled " + bytes, "name up to 1073741824");
                    check(
                            forUnscheduled >= 0 && forUnscheduled <= levels,
                            "--unscheduled-levels " + forUnscheduled,
                            "name 1 to the number of levels");
                    plan.overcommit = overcommit;
                    plan.unscheduledBytes = bytes;
                    plan.unscheduledLevels = forUnscheduled;
                    cases.add(new Case(label(plan), plan));
                }
            }
        }
    }

    private FabricPlan plan(String workload, double load, FabricPlan.Rules rules, int count, int levels) {
        FabricPlan plan = new FabricPlan();
        try {
            plan.workload = Workload.sigcomm18(workload.toLowerCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw CliException.usage("there is no workload " + workload, "name w1, w2, w3, w4 or w5");
        }
        check(load > 0 && load <= 2, "--load " + load, "name 0.01 to 2; 0.8 is 80 percent");
        check(count >= 2 && count <= 100_000, "--hosts " + count, "name 2 to 100000");
        check(levels >= 1 && levels <= 8, "--priorities " + levels, "name 1 to 8");
        plan.load = load;
        plan.rules = rules;
        plan.hosts = count;
        plan.priorities = levels;
        plan.measuredPs = Math.round(seconds * Simulation.S);
        plan.warmUpPs = plan.measuredPs / 5;
        plan.drainPs = plan.measuredPs;
        plan.seed = seed;
        plan.grants = !noGrants;
        plan.shortestFirst = !noSrpt;
        plan.levels = !noPriorities;
        plan.paperHeaders = !realHeaders;
        return plan;
    }

    private String label(FabricPlan plan) {
        StringBuilder label = new StringBuilder(plan.workload.name() + ", load " + plan.load + ", "
                + plan.rules.name().toLowerCase(Locale.ROOT));
        append(label, hosts.size() > 1, plan.hosts + " hosts");
        append(label, priorities.size() > 1, plan.priorities + " levels");
        append(label, plan.overcommit > 0, "overcommitment " + plan.overcommit);
        append(label, plan.unscheduledBytes > 0, plan.unscheduledBytes + " bytes unscheduled");
        append(label, plan.unscheduledLevels > 0, plan.unscheduledLevels + " unscheduled levels");
        append(label, noGrants, "no grants");
        append(label, noSrpt, "no SRPT");
        append(label, noPriorities, "no priorities");
        append(label, realHeaders, "real headers");
        return label.toString();
    }

    private static void append(StringBuilder label, boolean isSpecial, String what) {
        label.append(isSpecial ? ", " + what : "");
    }

    // ---- running

    private int simulate(StopSignal stop) throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        // With --json - standard output belongs to the JSON alone.
        PrintWriter lines =
                Json.STANDARD_OUTPUT.equals(json) ? spec.commandLine().getErr() : out;
        List<Case> cases = cases();
        List<Supplier<World<FabricResult>>> all = new ArrayList<>();
        for (Case each : cases) {
            for (int run = 0; run < runs; run++) {
                FabricPlan plan = plan(
                        each.plan.workload.name(),
                        each.plan.load,
                        each.plan.rules,
                        each.plan.hosts,
                        each.plan.priorities);
                plan.overcommit = each.plan.overcommit;
                plan.unscheduledBytes = each.plan.unscheduledBytes;
                plan.unscheduledLevels = each.plan.unscheduledLevels;
                plan.seed = seed + run;
                all.add(() -> new Fabric(plan));
            }
        }
        List<FabricCase> done = new ArrayList<>();
        try (Worlds<FabricResult> worlds = new Worlds<>(all, jobs, stop, lines)) {
            for (int i = 0; i < cases.size(); i++) {
                List<FabricResult> results = new ArrayList<>();
                double wallSeconds = 0;
                for (int run = i * runs; run < (i + 1) * runs; run++) {
                    Worlds.Done<FabricResult> result = worlds.await(run);
                    results.add(result.result());
                    wallSeconds += result.wallSeconds();
                }
                FabricCase finished = new FabricCase(cases.get(i).label, results, wallSeconds);
                done.add(finished);
                FabricText.print(finished, lines);
            }
        }
        if (json != null) {
            Json.write(
                    json,
                    out,
                    done.size() == 1
                            ? done.getFirst().json()
                            : done.stream().map(FabricCase::json).toList());
        }
        if (report != null) {
            lines.println("report: " + FabricReport.write(report, done));
            lines.flush();
        }
        return 0;
    }
}
