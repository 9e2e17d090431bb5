package io.homa4j.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** What one contestant showed in one measurement, round by round, to be compared with another that was measured in turn. */
final class Rounds<R> {
    /** Rates that differ by less are the same. */
    private static final double STEADY = 0.1;

    private static final int STEADY_SLICES = 3;

    private final List<R> rounds = new ArrayList<>();

    /** The options of every command that measures in rounds, as its user gave them. */
    static void check(double seconds, int rounds, double warmUpSeconds) {
        if (!(seconds >= 0.1 && seconds <= 3600)) {
            throw CliException.usage("--seconds " + seconds + " makes no sense", "name 0.1 to 3600");
        }
        if (rounds < 1 || rounds > 1000) {
            throw CliException.usage("--rounds " + rounds + " makes no sense", "name 1 to 1000");
        }
        if (!(warmUpSeconds >= 0 && warmUpSeconds <= 60)) {
            throw CliException.usage("--warmup " + warmUpSeconds + " makes no sense", "name 0 to 60");
        }
    }

    void add(R round) {
        rounds.add(round);
    }

    boolean isEmpty() {
        return rounds.isEmpty();
    }

    double sum(ToDoubleFunction<R> figure) {
        return rounds.stream().mapToDouble(figure).sum();
    }

    /** The figure of every round, the smallest first. */
    double[] sorted(ToDoubleFunction<R> figure) {
        return rounds.stream().mapToDouble(figure).sorted().toArray();
    }

    /** NaN without a round. */
    double median(ToDoubleFunction<R> figure) {
        return median(sorted(figure));
    }

    /** The median of the ratios of rounds that followed each other: what disturbs one of them mostly disturbs both. */
    double ratio(Rounds<R> rival, ToDoubleFunction<R> figure) {
        double[] ratios = new double[Math.min(rounds.size(), rival.rounds.size())];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = figure.applyAsDouble(rounds.get(i)) / figure.applyAsDouble(rival.rounds.get(i));
        }
        Arrays.sort(ratios);
        return median(ratios);
    }

    /** Whether the last of these rates, in the order in which they were measured, differ by little. */
    static boolean isSteady(List<Double> rates) {
        if (rates.size() < STEADY_SLICES) {
            return false;
        }
        List<Double> latest = rates.subList(rates.size() - STEADY_SLICES, rates.size());
        double least = latest.stream().mapToDouble(rate -> rate).min().orElse(0);
        double most = latest.stream().mapToDouble(rate -> rate).max().orElse(0);
        return most - least < STEADY * most;
    }

    private static double median(double[] sorted) {
        int middle = sorted.length / 2;
        if (sorted.length == 0) {
            return Double.NaN;
        }
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
