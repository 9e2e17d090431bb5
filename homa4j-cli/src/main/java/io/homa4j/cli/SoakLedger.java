package io.homa4j.cli;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The server's record of which requests of a soak were executed, and how often.
 *
 * <p>A request that carries its number has a bit of its own. A shorter one is known by what it carries, which others may
 * carry too, and by the RPC's id, which no other RPC of the client has: the same id again is an execution too many, and the
 * number of different ids that carried the same bytes must be the number of requests the plan has of that kind.
 *
 * <p>Safe for any thread. Memory: two bits per RPC, and about 100 bytes for each of the 15 % that are short.
 */
final class SoakLedger {
    /** Offending requests named in a report at most. */
    static final int EXAMPLES = 8;

    /** A short request by its bytes: eight values are enough for the length, the rest is for what it carries. */
    private static long kind(int length, long seed) {
        return (long) length << 56 | seed;
    }

    private final SoakPlan plan;
    private final long rpcs;
    private final BitSet once;
    private final BitSet again;
    /** Executions by id of the requests that carry no number. */
    private final Map<Long, Integer> byId = new HashMap<>();
    /** Different ids by kind. */
    private final Map<Long, Integer> byKind = new HashMap<>();

    private long executions;
    private long corrupted;

    /**
     * @param rpcs how many there will be at most
     */
    SoakLedger(SoakPlan plan, int rpcs) {
        this.plan = plan;
        this.rpcs = rpcs;
        this.once = new BitSet(rpcs);
        this.again = new BitSet();
    }

    /** Notes a request that carries its number, intact or not. */
    synchronized void executed(long number, boolean isIntact) {
        executions++;
        if (!isIntact || number < 0 || number >= rpcs) {
            corrupted++;
            return;
        }
        if (once.get((int) number)) {
            again.set((int) number);
        }
        once.set((int) number);
    }

    /** Notes a request too short for its number. */
    synchronized void executedShort(long id, int length, long seed) {
        executions++;
        if (byId.merge(id, 1, Integer::sum) == 1) {
            byKind.merge(kind(length, seed), 1, Integer::sum);
        }
    }

    /**
     * What the ledger says when the client has come to an end.
     *
     * @param executions all, also those that should not have been
     * @param corrupted requests with wrong bytes
     * @param executedTwice requests executed more than once
     * @param neverExecuted requests that were sent and not executed
     * @param examples numbers of requests executed twice or never, a few
     */
    record Report(long executions, long corrupted, long executedTwice, long neverExecuted, List<Long> examples) {}

    /**
     * @param sent requests 0 to this number, exclusive, were sent
     */
    synchronized Report report(long sent) {
        List<Long> examples = new ArrayList<>();
        long twice = again.cardinality();
        again.stream().limit(EXAMPLES).forEach(number -> examples.add((long) number));
        long never = 0;
        Map<Long, Integer> expected = new HashMap<>();
        for (long number = 0; number < sent; number++) {
            int length = plan.requestLength(number);
            if (length < SoakPlan.NUMBERED) {
                expected.merge(kind(length, plan.requestSeed(number)), 1, Integer::sum);
            } else if (!once.get((int) number)) {
                never++;
                if (examples.size() < EXAMPLES) {
                    examples.add(number);
                }
            }
        }
        twice += byId.values().stream().filter(times -> times > 1).count();
        for (Map.Entry<Long, Integer> kind : byKind.entrySet()) {
            // More different RPCs than there are of this kind: some ran under two ids, or their bytes were damaged.
            twice += Math.max(0, kind.getValue() - expected.getOrDefault(kind.getKey(), 0));
        }
        for (Map.Entry<Long, Integer> kind : expected.entrySet()) {
            never += Math.max(0, kind.getValue() - byKind.getOrDefault(kind.getKey(), 0));
        }
        return new Report(executions, corrupted, twice, never, examples);
    }
}
