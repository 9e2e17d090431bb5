package io.homa4j.cli;

/**
 * The links of an experiment's hosts: what messages cost on them, and the shortest time in which a request and its response
 * could be through if nothing else were there.
 *
 * @param mbps rate of each host's link
 * @param mtu bytes of the largest IP packet
 * @param ipv6 whether packets have the headers of IPv6
 */
record LabLinks(double mbps, int mtu, boolean ipv6) {
    private static final int IPV4 = 20;
    private static final int IPV6 = 40;
    /** Of UDP, and of a Homa DATA packet. */
    private static final int UDP_AND_HOMA = 8 + 56;

    private static final int ETHERNET = 14;

    /** How slowdown is computed, for people. */
    String formula() {
        return "Slowdown is the measured round trip divided by the shortest possible one: (q + min(q, f) + r + min(r, f)) x 8 / rate,"
                + " where q and r are the bytes on the wire of request and response, and f is a full frame of "
                + (mtu + ETHERNET)
                + " bytes. Each message crosses the sender's link, and its last packet, which cannot leave the switch before it has"
                + " arrived there, the receiver's link as well; wires and computers cost nothing. A message takes "
                + (headers() + ETHERNET)
                + " bytes on the wire for each packet beside its own (Ethernet, IP, UDP and Homa headers);"
                + " load is counted in the same way, for TCP too.";
    }

    private int headers() {
        return (ipv6 ? IPV6 : IPV4) + UDP_AND_HOMA;
    }

    /** Bytes on the wire of a message over Homa: each packet has headers and an Ethernet frame of its own. */
    long wireBytes(int message) {
        int payload = mtu - headers();
        long packets = (message + payload - 1L) / payload;
        return message + packets * (headers() + ETHERNET);
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
