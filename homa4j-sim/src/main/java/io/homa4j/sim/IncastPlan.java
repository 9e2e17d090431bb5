package io.homa4j.sim;

/**
 * One point of the incast experiment (SIGCOMM 2018, section 5): one client keeps a number of RPCs going, whose responses all
 * come through one queue with little room.
 *
 * @param rpcs RPCs under way at a time, over all servers in turn; 1 or more
 * @param servers hosts that answer; 1 or more
 * @param requestBytes bytes of each request
 * @param responseBytes bytes of each response
 * @param bufferBytes bytes that the switch's queue towards the client holds, frames in whole; 0 = any number
 * @param isControlled engines have incast control, as they do by default; else {@code incast_bytes} is 0
 * @param measuredPs time in which responses count, ps; half of it passes before
 * @param seed of everything random
 */
public record IncastPlan(
        int rpcs,
        int servers,
        int requestBytes,
        int responseBytes,
        long bufferBytes,
        boolean isControlled,
        long measuredPs,
        long seed) {}
