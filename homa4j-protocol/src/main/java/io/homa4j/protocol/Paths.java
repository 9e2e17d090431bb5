package io.homa4j.protocol;

/**
 * What is known of the network: the rate of the link, the round trip to hosts, receive capacity; and what follows for
 * unscheduled bytes and the bytes to be granted ahead (design 6; link rate, round trip, pacing). Values set by hand
 * stay.
 */
final class Paths {
    private static final int MAX_UNSCHEDULED_BYTES = 60_000;
    private static final int MIN_INCOMING_BYTES = 64_000;
    /** Bandwidth-delay products granted ahead: 4 to 10 are sensible. */
    private static final int PRODUCTS_AHEAD = 8;
    /** Samples over which queueing is smoothed. */
    private static final int QUEUEING_SAMPLES = 8;

    private final Config config;
    private final Pacer pacer;
    private final Granter granter;
    /** What the driver says of the link, 0 = nothing. */
    private int driverMbps;
    /** Rate that counts: the configured one, else the driver's. */
    private int linkMbps;

    private long receiveCapacityBytes;
    /** Smallest round trip of any host, ns. */
    private long rttNs = Host.UNKNOWN_RTT;

    Paths(Config config, Pacer pacer, Granter granter) {
        this.config = config;
        this.pacer = pacer;
        this.granter = granter;
        linkMbps = config.linkMbps;
    }

    /** The driver's rate of the link in Mbit/s, 0 = not known or not to be paced; bytes received unread, 0 = unknown. */
    void link(int mbps, long capacityBytes) {
        driverMbps = mbps;
        receiveCapacityBytes = capacityBytes;
        reconfigured();
    }

    /** Parameters may have changed: what follows from them follows. */
    void reconfigured() {
        linkMbps = config.linkMbps != 0 ? config.linkMbps : driverMbps;
        pacer.linkMbps(linkMbps);
        granter.linkMbps(linkMbps);
        adapt();
    }

    /** A round trip was measured. */
    void roundTrip(Host host, long sampleNs) {
        if (sampleNs <= 0) {
            return;
        }
        host.rttNs = Math.min(host.rttNs, sampleNs);
        host.queueingNs += (sampleNs - host.rttNs - host.queueingNs) / QUEUEING_SAMPLES;
        if (sampleNs < rttNs) {
            rttNs = sampleNs;
            adapt();
        }
    }

    /** Unscheduled bytes of a message to this host: rate times round trip, between one packet and 60 KB. */
    int unscheduledBytes(Host host, int packetBytes) {
        if (!config.adaptToPath || linkMbps == 0 || host.rttNs == Host.UNKNOWN_RTT) {
            return config.unschedBytes;
        }
        return Math.clamp(product(host.rttNs), packetBytes, Math.max(packetBytes, MAX_UNSCHEDULED_BYTES));
    }

    private void adapt() {
        long wanted = config.maxIncoming;
        if (config.adaptToPath && linkMbps > 0 && rttNs != Host.UNKNOWN_RTT) {
            wanted = Math.max(MIN_INCOMING_BYTES, PRODUCTS_AHEAD * product(rttNs));
        }
        if (receiveCapacityBytes > 0) {
            wanted = Math.min(wanted, receiveCapacityBytes / 2);
        }
        granter.maxIncoming((int) Math.min(Integer.MAX_VALUE, wanted));
    }

    private long product(long ns) {
        return (long) (linkMbps * (ns / 8_000.0));
    }
}
