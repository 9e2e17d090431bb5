package io.homa4j.sim;

/**
 * What an incast gave.
 *
 * @param plan what was run
 * @param completed responses received in the measured time
 * @param failed RPCs that ended with an error then
 * @param gbitPerSecond bytes of those responses as a rate, headers not counted
 * @param medianUs time from a request to its response, median of those completed; NaN if none was
 * @param p99Us the 99th percentile of that
 * @param droppedPackets packets that found the queue towards the client full in the measured time
 * @param resentPackets data packets that engines sent again, from the beginning on
 * @param maxQueueBytes most bytes in that queue in the measured time
 * @param events events that happened in the simulation
 */
public record IncastResult(
        IncastPlan plan,
        long completed,
        long failed,
        double gbitPerSecond,
        double medianUs,
        double p99Us,
        long droppedPackets,
        long resentPackets,
        long maxQueueBytes,
        long events) {}
