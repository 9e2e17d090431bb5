package io.homa4j.sim;

/**
 * The time a message takes in an empty network, by which the time it took is divided (SIGCOMM 2018, section 5.2). The Homa
 * header is not counted, and the delay of the one switch between hosts of a rack is not either, as in the authors' code; so
 * even an undisturbed message has a slowdown slightly above 1.
 */
public final class Slowdown {
    /** Data bytes of a full frame without any Homa header. */
    private static final int FULL = 1_472;

    private Slowdown() {}

    /** Least time between handing a message to its sender and its last byte at the receiving application, ps. */
    public static long idealPs(int bytes, boolean sameRack) {
        int full = bytes / FULL;
        int rest = bytes % FULL;
        int restOnWire = rest == 0 ? 0 : Framing.ethernet(rest);
        long wire = full * 1_538L + restOnWire;
        long first = full > 0 ? 1_538 : restOnWire;
        long hosts = 1_500 * Simulation.NS;
        return sameRack
                ? wire * 800 + hosts + first * 800
                : wire * 800 + hosts + 3 * 250 * Simulation.NS + first * (2 * 200 + 800);
    }
}
