package io.homa4j.cli;

import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaRpcException;
import io.homa4j.Reply;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** The controller's view of its agents: one run at a time on all of them, results merged. */
final class Cluster implements AutoCloseable {
    /** How far a run is, told about once a second. */
    interface Progress {
        void second(boolean isWarmUp, double answersPerSecond, long outstanding, long failed);
    }

    /**
     * A run of all hosts together.
     *
     * @param result sum of all hosts
     * @param idleCpu share of the processors' time that was idle, of the busiest host; {@link CpuClock#UNKNOWN}
     * @param counters sums
     * @param facts of the first host
     * @param linkMbps what each host took for the rate of its link, as text
     */
    record Outcome(
            LoadResult result,
            double idleCpu,
            Map<String, Long> counters,
            Map<String, String> facts,
            List<String> linkMbps) {}

    /** Whoever asks an agent for something waits so long; a watch is answered after a second. */
    private static final Duration DEADLINE = Duration.ofSeconds(20);
    /** An agent that does not answer closes by itself later. */
    private static final Duration CLOSE_DEADLINE = Duration.ofSeconds(3);

    private final Homa homa;
    private final List<HomaAddress> agents;
    private final List<String> hosts;
    private final String name =
            Long.toString(ProcessHandle.current().pid(), 36) + Long.toString(System.currentTimeMillis(), 36);
    private int runs;

    /** @param agents where they wait; experiments use the same addresses */
    Cluster(List<HomaAddress> agents) {
        this(agents, agents.stream().map(Cluster::host).toList());
    }

    /** @param hosts under which addresses the agents know each other, IPv6 in brackets */
    Cluster(List<HomaAddress> agents, List<String> hosts) {
        this.agents = agents;
        this.hosts = hosts;
        homa = Homa.builder().set("poll_usecs", "0").open();
    }

    private static String host(HomaAddress agent) {
        return agent.isIpv6() ? "[" + agent.host() + "]" : agent.host();
    }

    int hosts() {
        return agents.size();
    }

    /** Asks every agent what it is. */
    List<ControlMessage> hello() {
        List<ControlMessage> answers = askAll(host -> new ControlMessage().put("do", "hello"));
        for (int host = 0; host < answers.size(); host++) {
            String version = answers.get(host).text("version");
            if (!version.equals(Version.project())) {
                throw new CliException(
                        "agent " + agents.get(host) + " is of version " + version + ", this is " + Version.project(),
                        "use the same version of homa on controller and agents");
            }
        }
        return answers;
    }

    /**
     * Runs a load.
     *
     * @param senders hosts that send, each to all others at random; all answer
     * @return null if it was interrupted
     */
    @Nullable
    Outcome run(LabLoad load, int senders, StopSignal stop, Progress progress) {
        String run = name + "-" + runs++;
        try {
            ControlMessage open = load.message().put("do", "open").put("run", run);
            List<ControlMessage> opened = askAll(host -> open);
            List<String> addresses = new ArrayList<>();
            for (int host = 0; host < agents.size(); host++) {
                ControlMessage answer = opened.get(host);
                addresses.add(hosts.get(host) + ":" + answer.whole("port")
                        + (load.transport().isHoma() ? "" : ":" + answer.whole("urgent_port")));
            }
            askSome(senders, host -> {
                List<String> others = new ArrayList<>(addresses);
                others.remove(host);
                return new ControlMessage()
                        .put("do", "start")
                        .put("run", run)
                        .put("host", host)
                        .put("target", others);
            });
            return watch(run, senders, stop, progress);
        } finally {
            closeAll(run);
        }
    }

    private @Nullable Outcome watch(String run, int senders, StopSignal stop, Progress progress) {
        Map<Integer, ControlMessage> done = new HashMap<>();
        while (done.size() < senders) {
            if (stop.isRaised()) {
                return null;
            }
            List<ControlMessage> answers = askSome(
                    senders, host -> new ControlMessage().put("do", "watch").put("run", run));
            double rate = 0;
            long outstanding = 0;
            long failed = 0;
            boolean isWarmUp = false;
            for (int host = 0; host < answers.size(); host++) {
                ControlMessage answer = answers.get(host);
                if (answer.text("state").equals("done")) {
                    done.put(host, answer);
                } else {
                    rate += answer.number("rate");
                    outstanding += answer.whole("outstanding");
                    failed += answer.whole("failed");
                    isWarmUp |= Boolean.parseBoolean(answer.text("warm_up"));
                }
            }
            if (done.isEmpty()) {
                progress.second(isWarmUp, rate, outstanding, failed);
            }
        }
        LoadResult sum = new LoadResult();
        double idleCpu = 1;
        Map<String, Long> counters = new TreeMap<>();
        List<String> linkMbps = new ArrayList<>();
        for (ControlMessage answer : done.values()) {
            LabResult.addTo(sum, answer);
            idleCpu = Math.min(idleCpu, answer.number("idle_cpu"));
            LabResult.counts(answer, "counter").forEach((counter, value) -> counters.merge(counter, value, Long::sum));
            if (answer.has("fact.link_mbps")) {
                linkMbps.add(answer.text("fact.link_mbps"));
            }
        }
        ControlMessage first = done.getOrDefault(0, new ControlMessage());
        Map<String, String> facts =
                first.has("fact.datapath") ? Map.of("datapath", first.text("fact.datapath")) : Map.of();
        return new Outcome(sum, idleCpu, counters, facts, linkMbps);
    }

    /** Also when something has failed; an agent that does not answer any more closes by itself. */
    private void closeAll(String run) {
        ControlMessage close = new ControlMessage().put("do", "close").put("run", run);
        List<CompletableFuture<Reply>> answers = new ArrayList<>();
        for (HomaAddress agent : agents) {
            answers.add(homa.callAsync(agent, close.bytes(), CLOSE_DEADLINE));
        }
        for (CompletableFuture<Reply> answer : answers) {
            answer.handle((reply, failure) -> {
                        if (reply != null) {
                            reply.close();
                        }
                        return failure == null;
                    })
                    .join();
        }
    }

    private List<ControlMessage> askAll(IntFunction<ControlMessage> question) {
        return askSome(agents.size(), question);
    }

    /** Asks the first of the agents, all at once; the first that has no answer or a bad one is the failure of all. */
    private List<ControlMessage> askSome(int count, IntFunction<ControlMessage> question) {
        List<CompletableFuture<byte[]>> asked = new ArrayList<>();
        for (int host = 0; host < count; host++) {
            asked.add(homa.callAsync(agents.get(host), question.apply(host).bytes(), DEADLINE)
                    .thenApply(Cluster::take));
        }
        List<ControlMessage> answers = new ArrayList<>();
        for (int host = 0; host < count; host++) {
            HomaAddress agent = agents.get(host);
            try {
                ControlMessage answer = ControlMessage.parse(asked.get(host).join());
                if (answer.has("error")) {
                    throw new CliException(
                            "agent " + agent + ": " + answer.text("error"),
                            "see what the agent says on its own terminal");
                }
                answers.add(answer);
            } catch (CompletionException e) {
                String cause = e.getCause() instanceof HomaRpcException failure
                        ? failure.reason().text()
                        : String.valueOf(e.getCause());
                throw new CliException(
                        "agent " + agent + " does not answer: " + cause,
                        "start 'homa agent --port " + agent.port() + " --bind ADDRESS' there",
                        e);
            }
        }
        return answers;
    }

    private static byte[] take(Reply reply) {
        try (reply) {
            return reply.bytes();
        }
    }

    @Override
    public void close() {
        homa.close();
    }
}
