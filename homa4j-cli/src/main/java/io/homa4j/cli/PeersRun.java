package io.homa4j.cli;

import io.homa4j.cli.PeersCase.Link;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The measuring of {@code homa bench peers}: keeps a pair of processes for each case, warms them up, and lets one after the other
 * run, round by round. A server listens only while its client runs, so that one that polls takes nothing from the others.
 */
final class PeersRun implements AutoCloseable {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration SLACK = Duration.ofSeconds(30);
    private static final double WARM_UP_SLICE_SECONDS = 0.4;
    /** Rates that differ by less are the same. */
    private static final double STEADY = 0.1;

    private static final int STEADY_SLICES = 3;
    private static final String LOOPBACK = "127.0.0.1";

    private final PeersResults results;
    private final boolean pin;
    private final double roundSeconds;
    private final double warmUpSeconds;
    private final PrintWriter progress;
    private final Map<PeersCase, Pair> pairs = new HashMap<>();
    private @Nullable VethPair veth;
    private int steps;
    private int step;

    PeersRun(PeersResults results, boolean pin, double roundSeconds, double warmUpSeconds, PrintWriter progress) {
        this.results = results;
        this.pin = pin;
        this.roundSeconds = roundSeconds;
        this.warmUpSeconds = warmUpSeconds;
        this.progress = progress;
    }

    void measure(List<PeersCase> cases, List<PeersLoad> loads, int rounds) throws InterruptedException {
        for (PeersLoad load : loads) {
            steps += (int) cases.stream().filter(each -> each.has(load)).count() * (1 + rounds);
        }
        for (int i = 0; i < loads.size(); i++) {
            PeersLoad load = loads.get(i);
            List<PeersCase> now = cases.stream().filter(each -> each.has(load)).toList();
            for (PeersCase each : now) {
                step++;
                attempt(each, () -> warmUp(each, load));
            }
            for (int round = 0; round < rounds; round++) {
                for (PeersCase each : now) {
                    step++;
                    attempt(each, () -> {
                        PeersRound figures = run(each, load, roundSeconds);
                        results.add(each, load, figures);
                        say(each, load, figures, "");
                    });
                }
            }
            List<PeersLoad> rest = loads.subList(i + 1, loads.size());
            cases.stream().filter(each -> rest.stream().noneMatch(each::has)).forEach(this::end);
        }
    }

    private interface Attempt {
        void run() throws InterruptedException;
    }

    /** A contender that fails harms no other. */
    private void attempt(PeersCase of, Attempt attempt) throws InterruptedException {
        if (results.isAbsent(of)) {
            return;
        }
        try {
            attempt.run();
        } catch (CliException e) {
            results.absent(of, String.valueOf(e.getMessage()));
            progress.printf("%3d/%d  %-38s left out: %s%n", step, steps, of.label(), e.getMessage());
            progress.flush();
            end(of);
        }
    }

    /** Until the last rates differ by little, or the time is over: then the JIT compiler has done its work. */
    private void warmUp(PeersCase of, PeersLoad load) throws InterruptedException {
        List<Double> rates = new ArrayList<>();
        double spent = 0;
        PeersRound last = null;
        while (last == null || spent < warmUpSeconds && !isSteady(rates)) {
            last = run(of, load, Math.clamp(warmUpSeconds, 0.05, WARM_UP_SLICE_SECONDS));
            rates.add(last.rpcsPerSecond());
            spent += WARM_UP_SLICE_SECONDS;
        }
        say(of, load, last, String.format(Locale.ROOT, " after %.1f s of warm-up", spent));
    }

    private static boolean isSteady(List<Double> rates) {
        if (rates.size() < STEADY_SLICES) {
            return false;
        }
        List<Double> latest = rates.subList(rates.size() - STEADY_SLICES, rates.size());
        double least = latest.stream().mapToDouble(rate -> rate).min().orElse(0);
        double most = latest.stream().mapToDouble(rate -> rate).max().orElse(0);
        return most - least < STEADY * most;
    }

    private void say(PeersCase of, PeersLoad load, PeersRound figures, String more) {
        String figure = load == PeersLoad.RTT
                ? Amount.time(figures.p50())
                : load.isLong() ? Amount.digits(figures.gbit()) + " Gbit/s" : Amount.rate(figures.rpcsPerSecond());
        progress.printf("%3d/%d  %-38s %s: %s%s%n", step, steps, of.label(), load.title, figure, more);
        progress.flush();
    }

    private PeersRound run(PeersCase of, PeersLoad load, double seconds) throws InterruptedException {
        Pair pair = pairs.get(of);
        if (pair == null) {
            pair = start(of);
            pairs.put(of, pair);
        }
        PeersRound figures = pair.run(load, seconds);
        if (figures.rpcs() == 0) {
            throw new CliException("no answer came in " + load.title, "see homa bench peers --help");
        }
        return figures;
    }

    private Pair start(PeersCase of) {
        Contender contender = ContenderProcess.contender(of.id());
        if (contender == null) {
            throw new CliException(of.id() + " is not on the module path", "start it as ./homa bench peers");
        }
        if (!contender.waitings().contains(of.waiting())) {
            throw new CliException(of.id() + " has no waiting " + of.waiting().text(), "take another");
        }
        results.setUp(of.id(), contender.setUp());
        boolean isVeth = of.link() == Link.VETH;
        VethPair between = isVeth ? veth() : null;
        String serverAddress = isVeth ? VethPair.SERVER : LOOPBACK;
        String clientAddress = isVeth ? VethPair.CLIENT : LOOPBACK;
        List<String> who = List.of("--id", of.id(), "--waiting", of.waiting().text());
        List<String> server = new ArrayList<>(List.of("bench-contender", "server"));
        server.addAll(who);
        server.addAll(List.of("--local", serverAddress));
        List<String> client = new ArrayList<>(List.of("bench-contender", "client"));
        client.addAll(who);
        client.addAll(List.of("--local", clientAddress, "--server", serverAddress));
        ChildProcess first = ChildProcess.start(
                of.id() + " server", command(contender, between == null ? List.of() : between.atServer(), 1), server);
        try {
            return new Pair(
                    first,
                    ChildProcess.start(
                            of.id() + " client",
                            command(contender, between == null ? List.of() : between.atClient(), 0),
                            client));
        } catch (CliException e) {
            first.close();
            throw e;
        }
    }

    private VethPair veth() {
        VethPair pair = veth;
        if (pair == null) {
            try {
                pair = new VethPair();
                veth = pair;
            } catch (IOException e) {
                throw new CliException(
                        "no veth pair (" + e.getMessage() + ")", "run as root with iproute2, or with --no-veth", e);
            }
        }
        return pair;
    }

    private List<String> command(Contender contender, List<String> before, int processor) {
        List<String> words = new ArrayList<>(before);
        if (pin) {
            words.addAll(List.of("taskset", "-c", String.valueOf(processor)));
        }
        List<String> java = ChildProcess.javaCommand();
        boolean hasCollector = contender.jvmOptions().stream().anyMatch(PeersRun::isCollector);
        words.add(java.getFirst());
        java.subList(1, java.size()).stream()
                .filter(word -> !(hasCollector && isCollector(word)))
                .forEach(words::add);
        int mainAt = Math.max(words.indexOf("-m"), words.indexOf("-cp"));
        words.addAll(mainAt, contender.jvmOptions());
        return words;
    }

    private static boolean isCollector(String option) {
        return option.matches("-XX:\\+Use\\w+GC");
    }

    private void end(PeersCase of) {
        Pair pair = pairs.remove(of);
        if (pair != null) {
            pair.close();
        }
    }

    @Override
    public void close() {
        List.copyOf(pairs.keySet()).forEach(this::end);
        if (veth != null) {
            veth.close();
        }
    }

    private record Pair(ChildProcess server, ChildProcess client) implements AutoCloseable {
        PeersRound run(PeersLoad load, double seconds) throws InterruptedException {
            String port = answer(server, "open", START_TIMEOUT)[1];
            try {
                String[] before = answer(server, "usage", SLACK);
                String work = String.format(
                        Locale.ROOT,
                        "run %s %d %d %d %.3f",
                        port,
                        load.requestBytes,
                        load.responseBytes,
                        load.outstanding,
                        seconds);
                String[] result = answer(client, work, SLACK.plusMillis((long) (1000 * seconds)));
                String[] after = answer(server, "usage", SLACK);
                return PeersRound.parse(
                        result,
                        Long.parseLong(after[1]) - Long.parseLong(before[1]),
                        Long.parseLong(after[2]) - Long.parseLong(before[2]),
                        load);
            } finally {
                answer(server, "close", SLACK);
            }
        }

        private static String[] answer(ChildProcess child, String line, Duration patience) throws InterruptedException {
            child.say(line);
            String answer = child.expectLine(patience);
            if (answer.startsWith("failed ")) {
                throw new CliException(answer.substring("failed ".length()), "see homa bench peers --help");
            }
            return answer.split(" ", -1);
        }

        @Override
        public void close() {
            client.close();
            server.close();
        }
    }
}
