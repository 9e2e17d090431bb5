package io.homa4j.protocol;

import java.util.Arrays;

/**
 * Limits answers to packets for RPCs that do not exist, per source and in all, so that nobody can make the engine work
 * or talk to strangers (design 6). Sources are counted by a hash of their address.
 */
final class UnknownAnswers {
    private final Config config;
    private final Counters counters;
    private final Turn turn;
    private final KeyedHash hash;
    private final int[] perSource = new int[256];
    private int total;
    private long tick = Long.MIN_VALUE;

    UnknownAnswers(Config config, Counters counters, Turn turn, KeyedHash hash) {
        this.config = config;
        this.counters = counters;
        this.turn = turn;
        this.hash = hash;
    }

    /** Whether one more answer may go to this address in this tick. */
    boolean mayAnswer(long hi, long lo) {
        if (tick != turn.tick) {
            tick = turn.tick;
            total = 0;
            Arrays.fill(perSource, 0);
        }
        int source = hash.of(hi, lo, 0) & (perSource.length - 1);
        if (total >= config.maxUnknownAnswersPerTick
                || perSource[source] >= Math.max(1, config.maxUnknownAnswersPerTick / 8)) {
            counters.add(Counters.UNKNOWN_ANSWERS_SUPPRESSED, 1);
            return false;
        }
        total++;
        perSource[source]++;
        return true;
    }
}
