package io.homa4j.protocol;

import java.util.Arrays;

/**
 * Keeps strangers from finding the version that proves reachability by trying: who echoes many different wrong ones is
 * believed no more for a while. Counted by a keyed hash of the address, so that nobody has to be remembered for it. Honest
 * peers are wrong now and then: they know the table of a former server, or of some time ago; each has a place of its own in
 * its bucket, so that many of them after a restart do not pass for one that guesses.
 */
final class ProofGuesses {
    private static final int BUCKETS = 1 << 12;
    private static final int PLACES = 4;
    private static final int MAX_WRONG = 4;
    private static final long FORGET_NS = 10_000_000_000L;

    private final Turn turn;
    private final KeyedHash hash;

    // ---- by place; made with the first wrong version, which most engines never see

    /** Hash bits of who has the place. */
    private char[] source = {};

    private char[] lastWrong = {};
    /** Wrong versions since the last clearing, a repeated one counted once; 0 = the place is free. */
    private byte[] wrong = {};

    private long clearedNs;

    ProofGuesses(Turn turn, KeyedHash hash) {
        this.turn = turn;
        this.hash = hash;
        clearedNs = turn.nowNs;
    }

    /** Whether a right version from this address and port counts as proof. */
    boolean mayBelieve(long hi, long lo, int port) {
        if (wrong.length == 0) {
            return true;
        }
        int bits = hash.of(hi, lo, port);
        int place = find(bits);
        // Without a place it is believed if its wrong versions would have found one.
        return place >= 0 ? wrong[place] <= MAX_WRONG : placeToTake(bits) >= 0;
    }

    /** A wrong version, not 0, came from this address and port. */
    void wrong(long hi, long lo, int port, int version) {
        if (wrong.length == 0) {
            source = new char[BUCKETS * PLACES];
            lastWrong = new char[BUCKETS * PLACES];
            wrong = new byte[BUCKETS * PLACES];
        }
        int bits = hash.of(hi, lo, port);
        int place = find(bits);
        if (place < 0) {
            place = placeToTake(bits);
            if (place >= 0) {
                source[place] = tag(bits);
                lastWrong[place] = (char) version;
                wrong[place] = 1;
            }
        } else if (lastWrong[place] != version && wrong[place] <= MAX_WRONG) {
            lastWrong[place] = (char) version;
            wrong[place]++;
        }
    }

    private int find(int bits) {
        forget();
        int first = first(bits);
        for (int place = first; place < first + PLACES; place++) {
            if (wrong[place] > 0 && source[place] == tag(bits)) {
                return place;
            }
        }
        return -1;
    }

    /** A free place of the bucket, or that of somebody who was wrong only once; -1 if all are of those who guess. */
    private int placeToTake(int bits) {
        int first = first(bits);
        int best = first;
        for (int place = first + 1; place < first + PLACES; place++) {
            best = wrong[place] < wrong[best] ? place : best;
        }
        return wrong[best] <= 1 ? best : -1;
    }

    private static int first(int bits) {
        return (bits & (BUCKETS - 1)) * PLACES;
    }

    private static char tag(int bits) {
        return (char) (bits >>> 16);
    }

    private void forget() {
        if (turn.nowNs - clearedNs >= FORGET_NS) {
            clearedNs = turn.nowNs;
            Arrays.fill(wrong, (byte) 0);
        }
    }
}
