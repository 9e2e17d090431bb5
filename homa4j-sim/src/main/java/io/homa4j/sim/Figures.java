package io.homa4j.sim;

import io.homa4j.protocol.Counters;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Values of an engine's counters by name, without a search each time. */
final class Figures {
    private static final Map<String, Integer> PLACES = new ConcurrentHashMap<>();

    private Figures() {}

    static long value(Counters counters, String name) {
        return counters.value(PLACES.computeIfAbsent(name, wanted -> place(counters, wanted)));
    }

    private static int place(Counters counters, String name) {
        for (int i = 0; i < counters.count(); i++) {
            if (counters.name(i).equals(name)) {
                return i;
            }
        }
        throw new IllegalArgumentException("no counter is called " + name);
    }
}
