package io.homa4j.cli;

import io.homa4j.sim.World;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Simulations on several threads, one each: progress while they run, results in order, and an end when asked for. */
final class Worlds<R> implements AutoCloseable {
    /**
     * A simulation that is over.
     *
     * @param wallSeconds time it took
     */
    record Done<R>(R result, double wallSeconds) {}

    /** One of them, whose progress another thread reads. */
    private static final class Run<R> implements Callable<Done<R>> {
        private final Supplier<World<R>> made;
        volatile double progress;
        volatile boolean isCancelled;

        Run(Supplier<World<R>> made) {
            this.made = made;
        }

        @Override
        public Done<R> call() throws InterruptedException {
            long startedNs = System.nanoTime();
            World<R> world = made.get();
            while (world.advance()) {
                progress = Math.min(0.99, world.progress());
                if (isCancelled) {
                    throw new InterruptedException("cancelled");
                }
            }
            progress = 1;
            return new Done<>(world.result(), (System.nanoTime() - startedNs) / 1e9);
        }
    }

    private final List<Run<R>> runs = new ArrayList<>();
    private final List<Future<Done<R>>> futures = new ArrayList<>();
    private final ExecutorService executor;
    private final StopSignal stop;
    private final PrintWriter lines;

    /**
     * Begins with the first of them.
     *
     * @param jobs threads
     * @param lines where progress goes
     */
    Worlds(List<Supplier<World<R>>> worlds, int jobs, StopSignal stop, PrintWriter lines) {
        this.stop = stop;
        this.lines = lines;
        executor = Executors.newFixedThreadPool(jobs);
        for (Supplier<World<R>> world : worlds) {
            Run<R> run = new Run<>(world);
            runs.add(run);
            futures.add(executor.submit(run));
        }
    }

    /**
     * Waits for one.
     *
     * @throws CliException if the user wants no more, or the simulation failed
     */
    Done<R> await(int index) throws InterruptedException {
        while (true) {
            if (stop.isRaised()) {
                throw new CliException("stopped before the end", "use a smaller --seconds for a quicker answer");
            }
            try {
                return futures.get(index).get(2, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                assert e != null : "time for a line of progress";
                double progress =
                        runs.stream().mapToDouble(run -> run.progress).average().orElse(0);
                lines.printf(Locale.ROOT, "%5.1f %% of %d runs%n", 100 * progress, runs.size());
                lines.flush();
            } catch (ExecutionException e) {
                throw new CliException(
                        "the simulation failed: " + e.getCause(), "report this with the command line and the seed", e);
            }
        }
    }

    /** Ends what still runs. */
    @Override
    public void close() {
        runs.forEach(run -> run.isCancelled = true);
        executor.shutdownNow();
        executor.close();
    }
}
