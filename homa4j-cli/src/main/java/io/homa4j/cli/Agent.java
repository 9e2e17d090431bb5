package io.homa4j.cli;

import io.homa4j.Handler;
import io.homa4j.Request;
import io.homa4j.protocol.Config;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.time.Duration;
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
 * Answers hold {@code error} if something failed. Each of these may come twice: the second time changes nothing. A run whose
 * controller is not heard of for a while, the lease, is closed, so that a lost controller leaves nothing behind and the next
 * one finds the agent free.
 */
final class Agent implements Handler, AutoCloseable {
    static final int DEFAULT_PORT = 4100;
    static final int DEFAULT_LEASE_SECONDS = 15;
    static final int MAX_TARGETS = 4096;

    /** What belongs to one run; owned by the agent's lock. */
    private static final class Run {
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
    }

    private final InetAddress local;
    private final Duration lease;
    private final PrintWriter lines;
    private @Nullable Run run;
    /** The run closed last, which a late copy of its first message must not open again. */
    private String closedRun = "";

    /**
     * @param local address of the experiment's servers and clients
     * @param lease how long a run goes on without a word of its controller
     * @param lines told what happens
     */
    Agent(InetAddress local, Duration lease, PrintWriter lines) {
        this.local = local;
        this.lease = lease;
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
        byte[] bytes = answer.bytes();
        if (bytes.length > Config.MAX_MESSAGE_BYTES) {
            bytes = new ControlMessage()
                    .put("error", "the answer of " + bytes.length + " bytes is longer than a message can be")
                    .bytes();
        }
        request.reply(bytes);
    }

    private static String describe(Throwable e) {
        Throwable cause = e instanceof CompletionException || e instanceof ExecutionException ? e.getCause() : e;
        return cause == null || cause.getMessage() == null ? String.valueOf(cause) : cause.getMessage();
    }

    private ControlMessage answer(ControlMessage asked) throws InterruptedException {
        return switch (asked.text("do")) {
            case "hello" -> hello();
            case "open" -> open(asked.text("run"), LabLoad.parse(asked));
            case "start" ->
                start(asked.text("run"), asked.count("host", MAX_TARGETS), asked.list("target", MAX_TARGETS));
            case "watch" -> watch(asked.text("run"));
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
                .put("processor", PeersCommand.processor())
                .put("processors", Runtime.getRuntime().availableProcessors());
    }

    private synchronized ControlMessage open(String name, LabLoad load) {
        if (run != null && !run.name.equals(name)) {
            throw new CliException(
                    "the agent is busy with the run of another controller",
                    "wait; it is free " + lease.toSeconds() + " s after that one was last heard of");
        }
        if (closedRun.equals(name)) {
            throw new CliException("run " + name + " is over", "begin another");
        }
        Run opened = run;
        if (opened == null) {
            opened = new Run(name, LoadedHost.open(load, local));
            run = opened;
            say(name, load.transport().text() + ", " + load.sizes().name() + ", " + Amount.rate(load.ratePerSecond()));
            var _ = opened.host.failed().exceptionally(e -> {
                say(name, "failed: " + describe(e));
                return null;
            });
        }
        return new ControlMessage().put("port", opened.host.port()).put("urgent_port", opened.host.urgentPort());
    }

    private void say(String name, String what) {
        lines.println("run " + name + ": " + what);
        lines.flush();
    }

    private synchronized Run find(String name) {
        if (run == null || !run.name.equals(name)) {
            throw new CliException("the agent has no run " + name, "it was closed, or the agent was started anew");
        }
        run.heardNs = System.nanoTime();
        return run;
    }

    private synchronized ControlMessage start(String name, int host, List<String> targets) {
        Run of = find(name);
        if (targets.isEmpty()) {
            throw new CliException("run " + name + " has no targets", "name at least one");
        }
        if (of.result == null) {
            of.before = CpuClock.read();
            of.result = of.host.start(host, targets);
        }
        return new ControlMessage();
    }

    private synchronized CompletableFuture<LoadResult> result(Run of) {
        if (of.result == null) {
            throw new CliException("run " + of.name + " was not started", "start it first");
        }
        return of.result;
    }

    private ControlMessage watch(String name) throws InterruptedException {
        Run of = find(name);
        CompletableFuture<LoadResult> result = result(of);
        LoadResult done;
        try {
            if (of.host.failed().isCompletedExceptionally()) {
                // Others may still need what this host can give no longer.
                var _ = of.host.failed().get();
            }
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
        of.host.counters().forEach((counter, value) -> counters.add(counter + "=" + value));
        answer.put("counter", counters);
        for (Map.Entry<String, String> fact : of.host.facts().entrySet()) {
            answer.put("fact." + fact.getKey(), fact.getValue());
        }
        return answer;
    }

    private synchronized ControlMessage close(String name) {
        if (run == null || run.name.equals(name)) {
            close();
            closedRun = name;
        }
        return new ControlMessage();
    }

    /** Ends a run that nobody asks for any more; to be called now and then. */
    synchronized void lookAtLease() {
        if (run != null && System.nanoTime() - run.heardNs > lease.toNanos()) {
            say(run.name, "the controller was not heard of for " + lease.toSeconds() + " s, closed");
            close();
        }
    }

    @Override
    public synchronized void close() {
        Run closing = run;
        if (closing != null) {
            run = null;
            closedRun = closing.name;
            closing.host.close();
        }
    }
}
