package io.homa4j.cli;

import io.homa4j.Homa;
import java.util.Map;

/**
 * What the bad network of a soak did so far, in packets.
 */
record SoakFaults(long lost, long duplicated, long reordered) {
    /** At one end, by the counters of its driver; zeros if that is not a faulty one. */
    static SoakFaults of(Homa homa) {
        Map<String, Long> counters = homa.counters();
        return new SoakFaults(
                counters.getOrDefault("faults_lost", 0L),
                counters.getOrDefault("faults_duplicated", 0L),
                counters.getOrDefault("faults_reordered", 0L));
    }

    SoakFaults minus(SoakFaults before) {
        return new SoakFaults(lost - before.lost, duplicated - before.duplicated, reordered - before.reordered);
    }

    SoakFaults plus(SoakFaults other) {
        return new SoakFaults(lost + other.lost, duplicated + other.duplicated, reordered + other.reordered);
    }
}
