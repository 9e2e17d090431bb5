package io.homa4j.sim;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A campaign: many seeds, each a small world of its own with faults of its own ({@code docs/simulation.md}). The seed
 * decides everything in a run, so neither the number of threads nor the order of seeds changes any result.
 */
public final class Fuzz {
    /** Failures after which a campaign ends: what they have in common has to be found first. */
    private static final int MAX_FAILURES = 20;

    private final long firstSeed;
    private final long seeds;
    private final int jobs;
    private final AtomicLong next = new AtomicLong();
    private final AtomicBoolean isStopped = new AtomicBoolean();
    private final AtomicLong finished = new AtomicLong();
    private final Coverage coverage = new Coverage();
    private final List<Failure> failures = new ArrayList<>();
    private long hash;

    /**
     * A seed for which a checker has found something.
     *
     * @param what what it found
     */
    public record Failure(long seed, String what) {}

    /**
     * All about a run.
     *
     * @param hash of everything that happened, in order
     * @param failure what a checker found; null if nothing
     */
    public record Run(
            long seed,
            long hash,
            Coverage coverage,
            @Nullable String failure) {}

    /**
     * @param jobs threads, 1 or more
     */
    public Fuzz(long firstSeed, long seeds, int jobs) {
        this.firstSeed = firstSeed;
        this.seeds = seeds;
        this.jobs = jobs;
    }

    /**
     * Runs one seed.
     *
     * @param reader gets the plan and then all that happens, line by line; null if nobody reads
     */
    public static Run run(long seed, @Nullable Consumer<String> reader) {
        return run(seed, new Regions(), Sabotage.NONE, reader);
    }

    static Run run(long seed, Regions regions, Sabotage sabotage, @Nullable Consumer<String> reader) {
        FuzzPlan plan = new FuzzPlan(seed);
        if (reader != null) {
            plan.toString().lines().forEach(reader);
        }
        FuzzRun run = new FuzzRun(plan, regions, sabotage, reader);
        String failure = null;
        try {
            run.run();
        } catch (FuzzFailure e) {
            failure = e.getMessage();
            if (reader != null) {
                reader.accept("FAILED: " + failure);
                for (StackTraceElement element : (e.getCause() == null ? e : e.getCause()).getStackTrace()) {
                    reader.accept("    at " + element);
                }
            }
        }
        return new Run(seed, run.trace.hash(), run.coverage, failure);
    }

    /** Runs all seeds, or until {@link #stop}; returns when the last thread has ended. */
    public void run() throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < jobs; i++) {
            Thread thread = new Thread(this::work, "homa-fuzz-" + i);
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /** No more seeds are begun. Any thread. */
    public void stop() {
        isStopped.set(true);
    }

    /** Seeds done so far. Any thread. */
    public long finished() {
        return finished.get();
    }

    /** Failures found so far, by seed. Any thread. */
    public synchronized List<Failure> failures() {
        return failures.stream().sorted(Comparator.comparingLong(Failure::seed)).toList();
    }

    /** What has happened in all runs together; complete when {@link #run()} has returned. */
    public synchronized Coverage coverage() {
        Coverage sum = new Coverage();
        sum.add(coverage);
        return sum;
    }

    /** Of all that happened in all runs, whatever their order was. */
    public synchronized long hash() {
        return hash;
    }

    private void work() {
        Regions regions = new Regions();
        while (!isStopped.get()) {
            long number = next.getAndIncrement();
            if (number >= seeds) {
                return;
            }
            Run run = run(firstSeed + number, regions, Sabotage.NONE, null);
            add(run);
            finished.incrementAndGet();
        }
    }

    private synchronized void add(Run run) {
        coverage.add(run.coverage);
        hash += (run.hash ^ run.seed) * 0xD1342543DE82EF95L;
        if (run.failure != null) {
            failures.add(new Failure(run.seed, run.failure));
            if (failures.size() >= MAX_FAILURES) {
                stop();
            }
        }
    }
}
