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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code homa sim sweep}: one thing varied in the datacenter of the SIGCOMM 2018 paper, as a table and a figure. */
@Command(
        name = "sweep",
        description = "Varies one thing in the datacenter of the SIGCOMM 2018 paper (policy sigcomm18).",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "scheduled-levels  p99 of slowdown by number of scheduled levels, which is the overcommitment too",
            "overcommit        bandwidth wasted by load, for several degrees of overcommitment",
            "unscheduled       p99 of slowdown by number of bytes sent without grants",
            "max-load          use of the links to hosts when more is offered than they can carry, by workload",
            "",
            "docs/fabric.md has results."
        })
final class SweepCommand implements Callable<Integer> {
    /** What is varied. */
    enum Of {
        SCHEDULED_LEVELS,
        OVERCOMMIT,
        UNSCHEDULED,
        MAX_LOAD;

        /** As users write it. */
        String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Reads what is varied. */
    private static final class OfConverter implements ITypeConverter<Of> {
        @Override
        public Of convert(String text) {
            for (Of each : Of.values()) {
                if (each.text().equals(text.toLowerCase(Locale.ROOT))) {
                    return each;
                }
            }
            throw new TypeConversionException(
                    "expected scheduled-levels, overcommit, unscheduled or max-load but was '" + text + "'");
        }
    }

    /** Published for W1 to W5: the greatest load that Homa sustained, percent (SIGCOMM 2018, figure 15). */
    private static final List<Integer> PUBLISHED_MAX_LOAD = List.of(92, 91, 90, 89, 87);
    /** Parts of {@code --seconds} that runs of W1 to W5 last when their greatest load is wanted. */
    private static final List<Double> LENGTHS = List.of(0.05, 0.1, 0.5, 1.0, 1.0);

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(
            paramLabel = "WHAT",
            converter = OfConverter.class,
            description = "scheduled-levels, overcommit, unscheduled or max-load.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Of of;

    @Option(
            names = "--workload",
            paramLabel = "W",
            split = ",",
            description = "w1 to w5 (default: w4; max-load: all). Several for max-load only.")
    private List<String> workloads = List.of();

    @Option(
            names = "--load",
            paramLabel = "L",
            split = ",",
            description = "Use of the hosts' links (default: 0.8; overcommit: 0.5,0.6,0.7,0.8; max-load: 1.1).")
    private List<Double> loads = List.of();

    @Option(
            names = "--values",
            paramLabel = "N",
            split = ",",
            description = "Values of what is varied (default: scheduled-levels 1,2,4,7; overcommit 1,2,4,7;"
                    + " unscheduled 500,1442,9328,40000).")
    private List<Integer> values = List.of();

    @Option(names = "--hosts", paramLabel = "N", description = "Hosts, 16 to a rack (default: ${DEFAULT-VALUE}).")
    private int hosts = 144;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description = "Simulated time that counts; a fifth of it comes before (default: ${DEFAULT-VALUE}). max-load"
                    + " takes a twentieth of it for w1, a tenth for w2, half for w3.")
    private double seconds = 0.02;

    @Option(names = "--seed", paramLabel = "N", description = "Of everything random (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(names = "--jobs", paramLabel = "N", description = "Runs at a time (default: one per processor).")
    private int jobs = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--json",
            paramLabel = "FILE",
            arity = "0..1",
            fallbackValue = Json.STANDARD_OUTPUT,
            description = "Write the result to FILE; - or nothing for standard output.")
    private @Nullable String json;

    @Option(names = "--report", paramLabel = "DIR", description = "Write the figure to DIR/sweep-WHAT.svg.")
    private @Nullable Path report;

    /** A run: what is special about it, and the value of what is varied. */
    private record Case(String label, int value, FabricPlan plan) {}

    /** It and what came of it. */
    private record Outcome(Case run, FabricCase measured) {
        double used() {
            return 100 * measured.use(FabricCase.Links.TOR_DOWN);
        }

        double wasted() {
            return 100 * measured.wasted();
        }
    }

    @Override
    public Integer call() throws Exception {
        check(hosts >= 2 && hosts <= 100_000, "--hosts " + hosts, "name 2 to 100000");
        check(jobs >= 1, "--jobs " + jobs, "name at least 1");
        check(seconds >= 1e-6 && seconds <= 1_000, "--seconds " + seconds, "name 0.000001 to 1000");
        check(of == Of.MAX_LOAD || workloads.size() <= 1, "several --workload", "name one");
        check(of == Of.OVERCOMMIT || loads.size() <= 1, "several --load", "name one");
        check(of != Of.MAX_LOAD || values.isEmpty(), "--values with max-load", "name workloads by --workload");
        for (double load : loads) {
            check(load > 0 && load <= 2, "--load " + load, "name 0.01 to 2; 0.8 is 80 percent");
        }
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
        switch (of) {
            case SCHEDULED_LEVELS -> {
                for (int levels : values(1, 2, 4, 7)) {
                    FabricPlan plan = plan(workload("w4"), load(0.8));
                    int unscheduled = plan.effectiveUnscheduledLevels();
                    check(
                            levels >= 1 && levels + unscheduled <= 8,
                            "--values " + levels,
                            "name 1 to " + (8 - unscheduled) + ", since " + unscheduled + " of 8 are unscheduled");
                    plan.priorities = levels + unscheduled;
                    plan.unscheduledLevels = unscheduled;
                    plan.overcommit = levels;
                    cases.add(
                            new Case(levels + (levels == 1 ? " scheduled level" : " scheduled levels"), levels, plan));
                }
            }
            case OVERCOMMIT -> {
                for (int degree : values(1, 2, 4, 7)) {
                    check(degree >= 1 && degree <= 8, "--values " + degree, "name 1 to 8");
                    for (double load : loads.isEmpty() ? List.of(0.5, 0.6, 0.7, 0.8) : loads) {
                        FabricPlan plan = plan(workload("w4"), load);
                        plan.unscheduledLevels = plan.effectiveUnscheduledLevels();
                        plan.overcommit = degree;
                        // Slowdowns are not looked at.
                        plan.drainPs = 0;
                        cases.add(new Case("overcommitment " + degree + ", load " + load, degree, plan));
                    }
                }
            }
            case UNSCHEDULED -> {
                for (int bytes : values(500, 1_442, 9_328, 40_000)) {
                    check(bytes >= 1 && bytes <= 1 << 30, "--values " + bytes, "name 1 to 1073741824");
                    FabricPlan plan = plan(workload("w4"), load(0.8));
                    plan.unscheduledBytes = bytes;
                    cases.add(new Case(Amount.count(bytes) + " bytes unscheduled", bytes, plan));
                }
            }
            case MAX_LOAD -> {
                for (String name : workloads.isEmpty() ? List.of("w1", "w2", "w3", "w4", "w5") : workloads) {
                    FabricPlan plan = plan(name, load(1.1));
                    plan.drainPs = 0;
                    // The shorter the messages the more of them there are in a second.
                    double part = LENGTHS.get(plan.workload.name().charAt(1) - '1');
                    plan.measuredPs = Math.max(1, Math.round(part * plan.measuredPs));
                    plan.warmUpPs = Math.max(1, Math.round(part * plan.warmUpPs));
                    cases.add(new Case(name, plan.workload.name().charAt(1) - '0', plan));
                }
            }
        }
        return cases;
    }

    private List<Integer> values(int... usual) {
        return values.isEmpty() ? IntStream.of(usual).boxed().toList() : values;
    }

    private String workload(String usual) {
        return workloads.isEmpty() ? usual : workloads.getFirst();
    }

    private double load(double usual) {
        return loads.isEmpty() ? usual : loads.getFirst();
    }

    private FabricPlan plan(String workload, double load) {
        FabricPlan plan = new FabricPlan();
        try {
            plan.workload = Workload.sigcomm18(workload.toLowerCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw CliException.usage("there is no workload " + workload, "name w1, w2, w3, w4 or w5");
        }
        plan.load = load;
        plan.hosts = hosts;
        plan.measuredPs = Math.round(seconds * Simulation.S);
        plan.warmUpPs = plan.measuredPs / 5;
        plan.drainPs = plan.measuredPs;
        plan.seed = seed;
        return plan;
    }

    // ---- running

    private int simulate(StopSignal stop) throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        // With --json - standard output belongs to the JSON alone.
        PrintWriter lines =
                Json.STANDARD_OUTPUT.equals(json) ? spec.commandLine().getErr() : out;
        List<Case> cases = cases();
        List<Supplier<World<FabricResult>>> worlds = new ArrayList<>();
        cases.forEach(each -> worlds.add(() -> new Fabric(each.plan)));
        List<Outcome> outcomes = new ArrayList<>();
        lines.println(
                "use of links to hosts, idle while a sender waits for grants, messages not complete in the end; p99");
        try (Worlds<FabricResult> running = new Worlds<>(worlds, jobs, stop, lines)) {
            for (int i = 0; i < cases.size(); i++) {
                Worlds.Done<FabricResult> done = running.await(i);
                Outcome outcome = new Outcome(
                        cases.get(i), new FabricCase(cases.get(i).label, List.of(done.result()), done.wallSeconds()));
                outcomes.add(outcome);
                print(outcome, lines);
            }
        }
        if (json != null) {
            Json.write(json, out, outcomes.stream().map(this::json).toList());
        }
        if (report != null) {
            lines.println("report: " + ReportFiles.write(report, "sweep-" + of.text() + ".svg", figure(outcomes)));
            lines.flush();
        }
        return 0;
    }

    private static void print(Outcome outcome, PrintWriter lines) {
        FabricCase measured = outcome.measured;
        lines.printf(
                Locale.ROOT,
                "%-28s %5.1f %%  %5.2f %%  %6.2f %%  ",
                outcome.run.label,
                outcome.used(),
                outcome.wasted(),
                100.0 * measured.unfinished() / Math.max(1, measured.messages()));
        for (FabricCase.Row row : measured.rows()) {
            lines.printf(Locale.ROOT, " p%d %.2f", row.percent(), row.p99());
        }
        lines.println();
        lines.flush();
    }

    private Map<String, Object> json(Outcome outcome) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("sweep", of.text());
        json.put("value", outcome.run.value);
        json.put("used_percent", outcome.used());
        json.put("wasted_percent", outcome.wasted());
        json.put("unfinished", outcome.measured.unfinished());
        json.putAll(outcome.measured.json());
        return json;
    }

    // ---- figures

    private String figure(List<Outcome> outcomes) {
        return switch (of) {
            case SCHEDULED_LEVELS, UNSCHEDULED -> {
                FabricPlan plan = outcomes.getFirst().run.plan;
                yield FabricReport.plot(
                        "99th percentile of slowdown, " + plan.workload.name().toUpperCase(Locale.ROOT) + " at "
                                + Math.round(100 * plan.load) + " % load",
                        outcomes.stream().map(Outcome::measured).toList(),
                        FabricCase.Row::p99,
                        PublishedSlowdowns.Point::p99);
            }
            case OVERCOMMIT -> wastedByLoad(outcomes);
            case MAX_LOAD -> useByWorkload(outcomes);
        };
    }

    private static String wastedByLoad(List<Outcome> outcomes) {
        String workload = outcomes.getFirst().run.plan.workload.name().toUpperCase(Locale.ROOT);
        Chart chart = new Chart(
                "Bandwidth wasted, " + workload,
                new Chart.Axis("load, percent", 45, 95, false, Chart.Tick.of(50, 60, 70, 80, 90)),
                new Chart.Axis("percent of links to hosts", 0, 50, false, Chart.Tick.of(0, 10, 20, 30, 40, 50)));
        Map<Integer, List<Chart.Point>> curves = new LinkedHashMap<>();
        for (Outcome outcome : outcomes) {
            curves.computeIfAbsent(outcome.run.value, degree -> new ArrayList<>())
                    .add(new Chart.Point(100 * outcome.run.plan.load, outcome.wasted()));
        }
        curves.forEach((degree, points) -> chart.curve("overcommitment " + degree, points));
        chart.reference("all that the load leaves", List.of(new Chart.Point(50, 50), new Chart.Point(95, 5)));
        return chart.svg();
    }

    private static String useByWorkload(List<Outcome> outcomes) {
        Chart chart = new Chart(
                "Greatest use of the links to hosts",
                new Chart.Axis(
                        "workload",
                        0.5,
                        5.5,
                        false,
                        IntStream.rangeClosed(1, 5)
                                .mapToObj(number -> new Chart.Tick(number, "W" + number))
                                .toList()),
                new Chart.Axis("percent", 60, 100, false, Chart.Tick.of(60, 70, 80, 90, 100)));
        chart.curve(
                "measured",
                outcomes.stream()
                        .map(outcome -> new Chart.Point(outcome.run.value, outcome.used()))
                        .toList());
        chart.reference(
                "published",
                IntStream.rangeClosed(1, 5)
                        .mapToObj(number -> new Chart.Point(number, PUBLISHED_MAX_LOAD.get(number - 1)))
                        .toList());
        return chart.svg();
    }
}
