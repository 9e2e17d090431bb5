package io.homa4j.protocol;

import java.util.Arrays;

/**
 * Keeps strangers from finding the version that proves reachability by trying: who echoes many different wrong ones is
 * believed no more for a while. Counted by a keyed hash of the address, so that nobody has to be remembered for it. Honest
 * peers are wrong now and then: they know the table of a former server, or of some time ago.
 */
final class ProofGuesses {
    private static final int BUCKETS = 1 << 14;
    private static final int MAX_WRONG = 4;
    private static final long FORGET_NS = 10_000_000_000L;

    private final Turn turn;
    private final KeyedHash hash;
    /** Wrong versions since the last clearing, a repeated one counted once. */
    private final int[] wrong = new int[BUCKETS];

    private final char[] lastWrong = new char[BUCKETS];
    private long clearedNs;

    ProofGuesses(Turn turn, KeyedHash hash) {
        this.turn = turn;
        this.hash = hash;
        clearedNs = turn.nowNs;
    }

    /** Whether a right version from this address and port counts as proof. */
    boolean mayBelieve(long hi, long lo, int port) {
        return wrong[bucket(hi, lo, port)] <= MAX_WRONG;
    }

    /** A wrong version, not 0, came from this address and port. */
    void wrong(long hi, long lo, int port, int version) {
        int bucket = bucket(hi, lo, port);
        if (lastWrong[bucket] != version) {
            lastWrong[bucket] = (char) version;
            wrong[bucket]++;
        }
    }

    private int bucket(long hi, long lo, int port) {
        if (turn.nowNs - clearedNs >= FORGET_NS) {
            clearedNs = turn.nowNs;
            Arrays.fill(wrong, 0);
        }
        return hash.of(hi, lo, port) & (BUCKETS - 1);
    }
}
