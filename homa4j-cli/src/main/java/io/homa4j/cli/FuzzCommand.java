package io.homa4j.cli;

import io.homa4j.sim.Coverage;
import io.homa4j.sim.Fuzz;
import java.io.PrintWriter;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code homa sim fuzz}: many small worlds full of faults, each with everything checked. */
@Command(
        name = "fuzz",
        description = "Runs many small simulated networks full of faults and checks everything.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "A seed decides everything in its run: the same seed and commit always give the same run, whatever",
            "--jobs is. A failure is one line with the command that repeats it; --trace shows what happened.",
            "Exit code 0 only if no seed failed."
        })
final class FuzzCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--seeds",
            paramLabel = "N",
            description = "Seeds to run (default: 1000, or as many as --minutes allows).")
    private @Nullable Long seeds;

    @Option(names = "--from", paramLabel = "S", description = "First seed (default: ${DEFAULT-VALUE}).")
    private long from = 1;

    @Option(names = "--minutes", paramLabel = "M", description = "Begin no more seeds after this time.")
    private @Nullable Double minutes;

    @Option(names = "--jobs", paramLabel = "J", description = "Threads (default: one per core, ${DEFAULT-VALUE} here).")
    private int jobs = Runtime.getRuntime().availableProcessors();

    @Option(names = "--trace", description = "Print the plan of one seed, --from, and all that happens in it.")
    private boolean isTraced;

    @Override
    public Integer call() throws Exception {
        check(seeds == null || seeds >= 1, "--seeds " + seeds, "name 1 or more");
        check(jobs >= 1 && jobs <= 1_024, "--jobs " + jobs, "name 1 to 1024");
        check(minutes == null || minutes > 0 && minutes <= 1e6, "--minutes " + minutes, "name more than 0");
        check(!isTraced || seeds == null || seeds == 1, "--trace with several --seeds", "name one seed by --from");
        return isTraced ? trace() : StopSignal.during(this::campaign);
    }

    private int trace() {
        PrintWriter out = spec.commandLine().getOut();
        Fuzz.Run run = Fuzz.run(from, out::println);
        out.printf("seed %d, hash %016x: %s%n", from, run.hash(), run.failure() == null ? "passed" : run.failure());
        out.flush();
        return run.failure() == null ? 0 : Homa.FAILURE;
    }

    private int campaign(StopSignal stop) throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        long count = seeds != null ? seeds : minutes != null ? Long.MAX_VALUE : 1_000;
        Fuzz fuzz = new Fuzz(from, count, jobs);
        out.println("fuzz: " + (count == Long.MAX_VALUE ? "seeds" : Amount.count(count) + " seeds") + " from " + from
                + ", " + jobs + (jobs == 1 ? " thread" : " threads"));
        out.flush();
        long startNs = System.nanoTime();
        Thread runner = Thread.ofPlatform().name("homa-fuzz").start(() -> {
            try {
                fuzz.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Set<Long> shown = new HashSet<>();
        while (!runner.join(java.time.Duration.ofSeconds(2))) {
            double seconds = (System.nanoTime() - startNs) / 1e9;
            if (stop.isRaised() || minutes != null && seconds > TimeUnit.MINUTES.toSeconds(1) * minutes) {
                fuzz.stop();
            }
            showFailures(fuzz, shown, out);
            progress(fuzz.finished(), count, seconds, out);
        }
        showFailures(fuzz, shown, out);
        summary(fuzz, (System.nanoTime() - startNs) / 1e9, out);
        return fuzz.failures().isEmpty() ? 0 : Homa.FAILURE;
    }

    /** Shows each failure once; they come by seed, not in the order in which they were found. */
    private static void showFailures(Fuzz fuzz, Set<Long> shown, PrintWriter out) {
        for (Fuzz.Failure failure : fuzz.failures()) {
            if (shown.add(failure.seed())) {
                out.println("FAILED seed " + failure.seed() + ": " + failure.what());
                out.println(
                        "  repeat: ./homa sim fuzz --from " + failure.seed() + " --trace   (commit " + commit() + ")");
            }
        }
        out.flush();
    }

    /** The sources this was built from, as the {@code homa} script says. */
    private static String commit() {
        return System.getProperty("homa.commit", "unknown, version " + Version.project());
    }

    private static void progress(long done, long count, double seconds, PrintWriter out) {
        double perSecond = done / seconds;
        out.println(Amount.count(done) + " seeds, " + Amount.digits(perSecond) + " a second"
                + (count == Long.MAX_VALUE || done == 0
                        ? ""
                        : ", about " + Amount.duration((count - done) / perSecond) + " left"));
        out.flush();
    }

    private void summary(Fuzz fuzz, double seconds, PrintWriter out) {
        Coverage coverage = fuzz.coverage();
        out.println();
        out.print(coverage.text());
        out.println();
        out.println(Amount.count(coverage.runs()) + " runs from seed " + from + ", " + Amount.count(coverage.calls())
                + " calls, "
                + Amount.count(coverage.packets()) + " packets, " + Amount.duration(coverage.virtualNs() / 1e9)
                + " simulated in " + Amount.duration(seconds) + ", hash " + "%016x".formatted(fuzz.hash()));
        if (!coverage.missing().isEmpty()) {
            out.println("did not occur: " + String.join(", ", coverage.missing()));
        }
        int failed = fuzz.failures().size();
        out.println(failed == 0 ? "no failures" : failed + (failed == 1 ? " seed" : " seeds") + " failed");
        out.flush();
    }

    private static void check(boolean isRight, String what, String remedy) {
        if (!isRight) {
            throw CliException.usage(what + " makes no sense", remedy);
        }
    }
}
