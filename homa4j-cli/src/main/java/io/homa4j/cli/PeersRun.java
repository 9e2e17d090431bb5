package io.homa4j.cli;

import io.homa4j.cli.PeersCase.Link;
import java.io.IOException;
import java.io.PrintWriter;
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
    private static final double WARM_UP_SLICE_SECONDS = 0.4;
    private static final String LOOPBACK = "127.0.0.1";

    private final PeersResults results;
    private final boolean pin;
    private final double roundSeconds;
    private final double warmUpSeconds;
    private final PrintWriter progress;
    private final Map<PeersCase, ContenderPair> pairs = new HashMap<>();
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
        while (last == null || spent < warmUpSeconds && !Rounds.isSteady(rates)) {
            last = run(of, load, Math.clamp(warmUpSeconds, 0.05, WARM_UP_SLICE_SECONDS));
            rates.add(last.rpcsPerSecond());
            spent += WARM_UP_SLICE_SECONDS;
        }
        say(of, load, last, String.format(Locale.ROOT, " after %.1f s of warm-up", spent));
    }

    private void say(PeersCase of, PeersLoad load, PeersRound figures, String more) {
        String figure = load == PeersLoad.RTT
                ? Amount.time(figures.p50())
                : load.isLong() ? Amount.digits(figures.gbit()) + " Gbit/s" : Amount.rate(figures.rpcsPerSecond());
        progress.printf("%3d/%d  %-38s %s: %s%s%n", step, steps, of.label(), load.title, figure, more);
        progress.flush();
    }

    private PeersRound run(PeersCase of, PeersLoad load, double seconds) throws InterruptedException {
        ContenderPair pair = pairs.get(of);
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

    private ContenderPair start(PeersCase of) {
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
        return ContenderPair.start(
                contender,
                of.waiting(),
                new ContenderPair.Place(serverAddress, before(between == null ? List.of() : between.atServer(), 1)),
                new ContenderPair.Place(clientAddress, before(between == null ? List.of() : between.atClient(), 0)));
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

    private List<String> before(List<String> namespace, int processor) {
        List<String> words = new ArrayList<>(namespace);
        if (pin) {
            words.addAll(List.of("taskset", "-c", String.valueOf(processor)));
        }
        return words;
    }

    private void end(PeersCase of) {
        ContenderPair pair = pairs.remove(of);
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
}
