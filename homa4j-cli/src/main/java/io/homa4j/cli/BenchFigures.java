package io.homa4j.cli;

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

    private final Rounds<Round> rounds = new Rounds<>();

    void add(Round round) {
        rounds.add(round);
    }

    long rpcs() {
        return (long) rounds.sum(Round::rpcs);
    }

    long errors() {
        return (long) rounds.sum(Round::errors);
    }

    /** The figure of every round, the smallest first. */
    double[] sorted(ToDoubleFunction<Round> figure) {
        return rounds.sorted(figure);
    }

    double median(ToDoubleFunction<Round> figure) {
        return rounds.median(figure);
    }

    double ratio(BenchFigures rival, ToDoubleFunction<Round> figure) {
        return rounds.ratio(rival.rounds, figure);
    }
}
