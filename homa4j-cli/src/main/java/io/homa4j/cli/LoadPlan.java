package io.homa4j.cli;

import io.homa4j.sim.Workload;

/**
 * What load to make.
 *
 * @param sizes of requests, bytes
 * @param responseBytes length of the responses asked for; 0 = as long as the request
 * @param delayMs how long the server is asked to wait before it answers
 * @param checks whether every byte of every response is compared with the {@link Pattern}
 * @param ratePerSecond requests started per second, at random times (Poisson) that do not depend on the answers; 0 = a new
 *     request for every answer
 * @param outstanding requests on their way at most
 * @param warmUpNs load before the measurement, ns
 * @param measureNs length of the measurement, ns
 * @param pollNs how long to poll without success before sleeping, ns
 * @param drainNs how long to wait for outstanding answers afterwards, ns
 * @param targets servers, of which each request goes to one at random
 * @param isDetailed whether results are kept by size of message and by {@link #intervalNs()} too
 * @param seed of sizes, targets and times
 */
record LoadPlan(
        Workload sizes,
        int responseBytes,
        int delayMs,
        boolean checks,
        double ratePerSecond,
        int outstanding,
        long warmUpNs,
        long measureNs,
        long pollNs,
        long drainNs,
        int targets,
        boolean isDetailed,
        long seed) {
    private static final int MAX_INTERVALS = 200;
    private static final long SECOND_NS = 1_000_000_000L;

    /** To one server, in total only. */
    LoadPlan(
            Workload sizes,
            int responseBytes,
            int delayMs,
            boolean checks,
            double ratePerSecond,
            int outstanding,
            long warmUpNs,
            long measureNs,
            long pollNs,
            long drainNs,
            long seed) {
        this(
                sizes,
                responseBytes,
                delayMs,
                checks,
                ratePerSecond,
                outstanding,
                warmUpNs,
                measureNs,
                pollNs,
                drainNs,
                1,
                false,
                seed);
    }

    /** The pieces of the measuring time that are looked at one by one, ns: seconds, longer where these were too many. */
    long intervalNs() {
        return intervalNs(measureNs);
    }

    /** As {@link #intervalNs()}, of another measuring time. */
    static long intervalNs(long measureNs) {
        return Math.max(SECOND_NS, (measureNs + MAX_INTERVALS - 1) / MAX_INTERVALS);
    }

    boolean isOpenLoop() {
        return ratePerSecond > 0;
    }
}
