package io.homa4j.cli;

/**
 * The links of an experiment's hosts: what messages cost on them, and the shortest time in which a request and its response
 * could be through if nothing else were there.
 *
 * @param mbps rate of each host's link
 * @param mtu bytes of the largest IP packet
 */
record LabLinks(double mbps, int mtu) {
    /** IPv4 and UDP headers, and those of a Homa DATA packet. */
    private static final int HEADERS = 20 + 8 + 56;

    private static final int ETHERNET = 14;

    /** Bytes on the wire of a message over Homa: each packet has headers and an Ethernet frame of its own. */
    long wireBytes(int message) {
        int payload = mtu - HEADERS;
        long packets = (message + payload - 1L) / payload;
        return message + packets * (HEADERS + ETHERNET);
    }

    /**
     * The shortest time for a request and its response, ns: each crosses the sender's link, and its last packet, which cannot
     * leave the switch before it has arrived there, the receiver's link as well. Wires and computers cost nothing.
     */
    double idealNs(int request, int response) {
        return (oneWayBytes(request) + oneWayBytes(response)) * 8_000.0 / mbps;
    }

    private long oneWayBytes(int message) {
        return wireBytes(message) + Math.min(wireBytes(message), mtu + ETHERNET);
    }

    /** Requests per second at each host that use this part of its link, with their responses. */
    double requestsPerSecond(double load, LabLoad of) {
        double bytes = 0;
        double before = 0;
        for (int i = 0; i < of.sizes().classes(); i++) {
            int request = of.sizes().bytes(i);
            int response = of.responseBytes() == 0 ? request : of.responseBytes();
            bytes += (of.sizes().cumulative(i) - before) * (wireBytes(request) + wireBytes(response));
            before = of.sizes().cumulative(i);
        }
        return load * mbps * 125_000 / bytes;
    }
}
