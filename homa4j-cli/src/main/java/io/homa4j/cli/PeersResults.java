package io.homa4j.cli;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All that one run of {@code homa bench peers} has measured, and what could not be measured. */
final class PeersResults {
    private final Map<PeersCase, Map<PeersLoad, Rounds<PeersRound>>> measured = new LinkedHashMap<>();
    private final Map<PeersCase, String> absent = new LinkedHashMap<>();
    private final Map<String, String> setUps = new LinkedHashMap<>();

    void add(PeersCase of, PeersLoad load, PeersRound round) {
        measured.computeIfAbsent(of, ignored -> new EnumMap<>(PeersLoad.class))
                .computeIfAbsent(load, ignored -> new Rounds<>())
                .add(round);
    }

    /** This case was left out, or given up. */
    void absent(PeersCase which, String reason) {
        absent.putIfAbsent(which, reason);
    }

    boolean isAbsent(PeersCase which) {
        return absent.containsKey(which);
    }

    Map<PeersCase, String> absent() {
        return absent;
    }

    void setUp(String id, String text) {
        setUps.put(id, text);
    }

    Map<String, String> setUps() {
        return setUps;
    }

    List<PeersCase> cases() {
        return new ArrayList<>(measured.keySet());
    }

    /** Empty if there are none. */
    Rounds<PeersRound> rounds(PeersCase of, PeersLoad load) {
        return measured.getOrDefault(of, Map.of()).getOrDefault(load, new Rounds<>());
    }

    /** Of two loads that differ in the number of RPCs outstanding, the one that was faster. */
    PeersLoad better(PeersCase of, PeersLoad one, PeersLoad other) {
        double first = rounds(of, one).median(PeersRound::gbit);
        double second = rounds(of, other).median(PeersRound::gbit);
        return second > first || Double.isNaN(first) ? other : one;
    }

    /** The case of this contender, waiting and link; as a key, whatever else it says. */
    PeersCase find(String id, Contender.Waiting waiting, PeersCase.Link link) {
        for (PeersCase each : measured.keySet()) {
            if (each.id().equals(id) && each.waiting() == waiting && each.link() == link) {
                return each;
            }
        }
        return new PeersCase(id, waiting, link, false);
    }
}
