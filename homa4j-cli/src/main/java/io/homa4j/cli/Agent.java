package io.homa4j.cli;

import io.homa4j.Handler;
import io.homa4j.Request;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A host that waits for experiments. One controller at a time has it do what {@link LabLoad} says:
 *
 * <pre>
 * hello                              says what this machine is
 * open   run, load ...               opens the servers: port, urgent_port
 * start  run, host, target.N         starts the load
 * watch  run                         answers after a second, or when the load is over: state, progress, result
 * close  run                         ends all that belongs to the run
 * </pre>
 *
 * Answers hold {@code error} if something failed. A run whose controller is not heard of for {@value #LEASE_SECONDS} seconds is
 * closed, so that a lost controller leaves nothing behind and the next one finds the agent free.
 */
final class Agent implements Handler, AutoCloseable {
    static final int DEFAULT_PORT = 4100;
    static final int LEASE_SECONDS = 15;
    static final int MAX_TARGETS = 4096;

    private static final long LEASE_NS = LEASE_SECONDS * 1_000_000_000L;

    /** What belongs to one run. */
    private static final class Run implements AutoCloseable {
        final String name;
        final LoadedHost host;

        @Nullable
        CompletableFuture<LoadResult> result;

        CpuClock.@Nullable Reading before;

        long heardNs = System.nanoTime();

        Run(String name, LoadedHost host) {
            this.name = name;
            this.host = host;
        }

        @Override
        public void close() {
            host.close();
        }
    }

    private final InetAddress local;
    private final PrintWriter lines;
    private @Nullable Run run;

    /**
     * @param local address of the experiment's servers and clients
     * @param lines told what happens
     */
    Agent(InetAddress local, PrintWriter lines) {
        this.local = local;
        this.lines = lines;
    }

    @Override
    public void handle(Request request) {
        ControlMessage answer;
        try {
            answer = answer(ControlMessage.parse(request.bytes()));
        } catch (RuntimeException e) {
            answer = new ControlMessage().put("error", describe(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            answer = new ControlMessage().put("error", "the agent ends");
        }
        request.reply(answer.bytes());
    }

    private static String describe(Throwable e) {
        Throwable cause = e instanceof CompletionException || e instanceof ExecutionException ? e.getCause() : e;
        return cause == null || cause.getMessage() == null ? String.valueOf(cause) : cause.getMessage();
    }

    private ControlMessage answer(ControlMessage asked) throws InterruptedException {
        return switch (asked.text("do")) {
            case "hello" -> hello();
            case "open" -> open(asked.text("run"), LabLoad.parse(asked));
            case "start" -> start(find(asked), asked.count("host", MAX_TARGETS), asked.list("target", MAX_TARGETS));
            case "watch" -> watch(find(asked));
            case "close" -> close(asked.text("run"));
            default ->
                throw new CliException(
                        "the agent does not know '" + asked.text("do") + "'",
                        "use the same version of homa on all hosts");
        };
    }

    private static ControlMessage hello() {
        return new ControlMessage()
                .put("version", Version.project())
                .put("java", Runtime.version())
                .put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"))
                .put("processors", Runtime.getRuntime().availableProcessors());
    }

    private synchronized ControlMessage open(String name, LabLoad load) {
        if (run != null && !run.name.equals(name)) {
            throw new CliException(
                    "the agent is busy with the run of another controller",
                    "wait; it is free " + LEASE_SECONDS + " s after that one was last heard of");
        }
        if (run != null) {
            // The same message twice, or a controller that begins anew.
            run.close();
        }
        run = new Run(name, LoadedHost.open(load, local));
        lines.println("run " + name + ": " + load.transport().text() + ", "
                + load.sizes().name() + ", " + Amount.rate(load.ratePerSecond()));
        lines.flush();
        return new ControlMessage().put("port", run.host.port()).put("urgent_port", run.host.urgentPort());
    }

    private synchronized Run find(ControlMessage asked) {
        String name = asked.text("run");
        if (run == null || !run.name.equals(name)) {
            throw new CliException("the agent has no run " + name, "it was closed, or the agent was started anew");
        }
        run.heardNs = System.nanoTime();
        return run;
    }

    private synchronized ControlMessage start(Run of, int host, List<String> targets) {
        if (of.result == null) {
            of.before = CpuClock.read();
            of.result = of.host.start(host, targets);
        }
        return new ControlMessage();
    }

    private ControlMessage watch(Run of) throws InterruptedException {
        CompletableFuture<LoadResult> result = of.result;
        if (result == null) {
            throw new CliException("run " + of.name + " was not started", "start it first");
        }
        LoadResult done;
        try {
            done = result.get(1, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            LoadedHost.Progress progress = of.host.progress();
            return new ControlMessage()
                    .put("state", "running")
                    .put("warm_up", progress.isWarmUp())
                    .put("rate", progress.answersPerSecond())
                    .put("outstanding", progress.outstanding())
                    .put("failed", progress.failed());
        } catch (ExecutionException e) {
            return new ControlMessage().put("error", describe(e));
        }
        ControlMessage answer = new ControlMessage().put("state", "done");
        LabResult.put(answer, done);
        CpuClock.Reading before = of.before;
        answer.put("idle_cpu", before == null ? -1 : CpuClock.read().idleSince(before));
        List<String> counters = new ArrayList<>();
        of.host.counters().forEach((name, value) -> counters.add(name + "=" + value));
        answer.put("counter", counters);
        for (Map.Entry<String, String> fact : of.host.facts().entrySet()) {
            answer.put("fact." + fact.getKey(), fact.getValue());
        }
        return answer;
    }

    private synchronized ControlMessage close(String name) {
        if (run != null && run.name.equals(name)) {
            run.close();
            run = null;
        }
        return new ControlMessage();
    }

    /** Ends a run that nobody asks for any more; to be called now and then. */
    synchronized void lookAtLease() {
        if (run != null && System.nanoTime() - run.heardNs > LEASE_NS) {
            lines.println("run " + run.name + ": the controller was not heard of for " + LEASE_SECONDS + " s, closed");
            lines.flush();
            run.close();
            run = null;
        }
    }

    @Override
    public synchronized void close() {
        if (run != null) {
            run.close();
            run = null;
        }
    }
}
