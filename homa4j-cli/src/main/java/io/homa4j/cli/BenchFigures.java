package io.homa4j.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** What one transport showed in one measurement of {@code homa bench}, round by round. */
final class BenchFigures {
    /** One round; round trips in microseconds. */
    record Round(
            long rpcs, long errors, double rpcsPerSecond, double gbitPerSecond, double p50, double p99, double p999) {
        /** Reads the words of a result line behind the names. */
        static Round parse(String[] words) {
            return new Round(
                    Long.parseLong(words[3]),
                    Long.parseLong(words[4]),
                    Double.parseDouble(words[5]),
                    Double.parseDouble(words[6]),
                    Double.parseDouble(words[7]),
                    Double.parseDouble(words[8]),
                    Double.parseDouble(words[9]));
        }
    }

    private final List<Round> rounds = new ArrayList<>();

    void add(Round round) {
        rounds.add(round);
    }

    long rpcs() {
        return rounds.stream().mapToLong(Round::rpcs).sum();
    }

    long errors() {
        return rounds.stream().mapToLong(Round::errors).sum();
    }

    /** The figure of every round, the smallest first. */
    double[] sorted(ToDoubleFunction<Round> figure) {
        return rounds.stream().mapToDouble(figure).sorted().toArray();
    }

    double median(ToDoubleFunction<Round> figure) {
        return median(sorted(figure));
    }

    /** The median of the ratios of rounds that followed each other: what disturbs one of them mostly disturbs both. */
    double ratio(BenchFigures rival, ToDoubleFunction<Round> figure) {
        double[] ratios = new double[Math.min(rounds.size(), rival.rounds.size())];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = figure.applyAsDouble(rounds.get(i)) / figure.applyAsDouble(rival.rounds.get(i));
        }
        Arrays.sort(ratios);
        return median(ratios);
    }

    private static double median(double[] sorted) {
        int middle = sorted.length / 2;
        if (sorted.length == 0) {
            return 0;
        }
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
