package io.homa4j.cli;

/**
 * One round of one case of {@code homa bench peers}. Round trips in microseconds, throughput in Gbit/s of requests (out) and
 * responses (in), CPU time and allocation of both ends together.
 *
 * @param cpuUsPerRpc microseconds
 * @param cpuSecondsPerGigabyte of payload
 * @param allocatedPerRpc bytes, the client's application and the server's included
 */
record PeersRound(
        long rpcs,
        long errors,
        double rpcsPerSecond,
        double gbitOut,
        double gbitIn,
        double p50,
        double p99,
        double p999,
        double cpuUsPerRpc,
        double cpuSecondsPerGigabyte,
        double allocatedPerRpc) {
    /** Reads the words of a client's result line; what the server used comes on top of what the client did. */
    static PeersRound parse(String[] words, long serverCpuNs, long serverAllocated, PeersLoad load) {
        long rpcs = Long.parseLong(words[1]);
        double cpuNs = Long.parseLong(words[9]) + serverCpuNs;
        double allocated = Long.parseLong(words[10]) + serverAllocated;
        return new PeersRound(
                rpcs,
                Long.parseLong(words[2]),
                Double.parseDouble(words[3]),
                Double.parseDouble(words[4]),
                Double.parseDouble(words[5]),
                Double.parseDouble(words[6]),
                Double.parseDouble(words[7]),
                Double.parseDouble(words[8]),
                cpuNs / 1e3 / rpcs,
                cpuNs / 1e9 / (rpcs * load.gigabytes()),
                allocated / rpcs);
    }

    /** Throughput in the direction of the long messages. */
    double gbit() {
        return Math.max(gbitOut, gbitIn);
    }
}
