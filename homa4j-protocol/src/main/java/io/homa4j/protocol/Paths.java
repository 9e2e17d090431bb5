package io.homa4j.protocol;

/**
 * What is known of the network: the rate of the link, the round trip to hosts, receive capacity; and what follows for
 * pacing, unscheduled bytes and the bytes to be granted ahead (design 6; link rate, round trip, pacing). Values set by
 * hand stay. The loopback interface is not measured and not paced.
 */
final class Paths {
    private static final int MAX_UNSCHEDULED_BYTES = 60_000;
    private static final int MIN_INCOMING_BYTES = 64_000;
    /** Bandwidth-delay products granted ahead: 4 to 10 are sensible. */
    private static final int PRODUCTS_AHEAD = 8;
    /**
     * A round trip between processes that sleep takes longer than the shortest one seen. {@code max_incoming} is not lowered
     * for the sake of round trips shorter than this.
     */
    private static final long PATIENT_RTT_NS = 500_000;
    /** No packet is taken to be on its way for longer. */
    private static final long MAX_ON_THE_WAY_NS = 50_000_000;
    /**
     * Unscheduled bytes bridge this time at least, because between threads that sleep few round trips are as short as the best;
     * less where turns turn out to be punctual.
     */
    private static final long SHORTEST_RTT_NS = 250_000;
    /** Samples over which queueing is smoothed. */
    private static final int QUEUEING_SAMPLES = 8;

    private final Config config;
    private final Turn turn;
    private final Pacer pacer;
    private final Granter granter;
    private final LinkRate linkRate;
    private final ArrivalRate arrivalRate;
    /** Bytes with all headers that have arrived in this turn. */
    private long arrivedBytes;
    /** What the driver says of the link, 0 = nothing. */
    private int driverMbps;
    /** Rate of the uplink that counts: the configured one, else the one found, else the driver's; 0 = unknown. */
    private double linkMbps;

    private long receiveCapacityBytes;
    /** Smallest round trip of any host, ns. */
    private long rttNs = Host.UNKNOWN_RTT;

    Paths(Config config, Turn turn, Pacer pacer, Granter granter, ArrivalRate arrivalRate) {
        this.config = config;
        this.turn = turn;
        this.pacer = pacer;
        this.granter = granter;
        linkRate = new LinkRate(turn);
        this.arrivalRate = arrivalRate;
        linkMbps = config.linkMbps;
    }

    /** The driver's rate of the link in Mbit/s, 0 = not known or not to be paced; bytes received unread, 0 = unknown. */
    void link(int mbps, long capacityBytes) {
        driverMbps = mbps;
        receiveCapacityBytes = capacityBytes;
        reconfigured();
    }

    /** The driver holds so many bytes before it takes no more; 0 = unknown. */
    void sendQueue(long bytes) {
        linkRate.queueBytes(bytes);
        pacer.gain(gain());
    }

    /** How much the driver should hold before it takes no more, bytes; 0 = as it likes. */
    long wantedSendQueueBytes() {
        return isRateFound() ? linkRate.wantedQueueBytes(turn.lateness.p99Ns()) : 0;
    }

    /** Parameters may have changed: what follows from them follows. */
    void reconfigured() {
        linkMbps = config.linkMbps != 0 ? config.linkMbps : linkRate.mbps() > 0 ? linkRate.mbps() : driverMbps;
        pacer.linkMbps(linkMbps);
        pacer.gain(gain());
        adapt();
    }

    /** Rate of the uplink that counts, Mbit/s; 0 = unknown, then nothing is paced. */
    double linkMbps() {
        return linkMbps;
    }

    private boolean isRateFound() {
        return config.findLinkRate && config.linkMbps == 0;
    }

    private double gain() {
        return isRateFound() ? linkRate.gain() : 1;
    }

    /** The driver has taken packets of so many bytes with all headers, some with data, and perhaps refused more data. */
    void taken(long bytes, long dataBytes, boolean isRefused) {
        if (!isRateFound()) {
            return;
        }
        if (linkRate.taken(bytes, dataBytes, isRefused)) {
            reconfigured();
            if (isRefused && linkRate.gain() == 1) {
                // The measurement is over and has left the queue full.
                pacer.queued(linkRate.queueBytes() * 3 / 4);
            }
        }
    }

    /** These packets have arrived. */
    void arrived(PacketBatch batch) {
        long bytes = 0;
        for (int i = 0; i < batch.count; i++) {
            bytes += batch.length[i];
            if (!Address.isLoopback(batch.peerHi[i], batch.peerLo[i])) {
                arrivedBytes += pacer.linkBytes(batch.length[i], Address.isIpv4(batch.peerHi[i], batch.peerLo[i]));
            }
        }
        granter.arrived(bytes);
    }

    /** All packets of this turn have arrived. */
    void measureArrivals() {
        long bytes = arrivedBytes;
        arrivedBytes = 0;
        if (arrivalRate.arrived(bytes) && isRateFound()) {
            adapt();
        }
    }

    /** Whether data wait for the link now that packets have been asked for. */
    void held(boolean isHeld) {
        pacer.lateness(config.moduleProfile ? 0 : turn.lateness.p99Ns());
        if (isRateFound() && linkRate.held(isHeld)) {
            pacer.gain(gain());
        }
    }

    /**
     * How long what has been sent to a host may not have arrived yet, or the answer to it not be here: in the queues below and
     * on the way. Whoever asks for such bytes again has asked too early.
     */
    long onTheWayNs(Host host) {
        // A sample that holds a loss and its repair is no queueing: a RESEND comes after such a time itself.
        long queueingNs = Math.min(host.queueingNs, config.resendTicks * config.tickNs);
        long roundTripNs = host.rttNs == Host.UNKNOWN_RTT ? 0 : host.rttNs + queueingNs;
        long belowNs = Math.max(pacer.isOn() ? turn.lateness.p99Ns() : 0, linkRate.queueNs());
        return Math.min(MAX_ON_THE_WAY_NS, roundTripNs + belowNs);
    }

    /** A round trip was measured. */
    void roundTrip(Host host, long sampleNs) {
        if (sampleNs <= 0) {
            return;
        }
        host.rttNs = Math.min(host.rttNs, sampleNs);
        arrivalRate.queueing(sampleNs - host.rttNs);
        host.queueingNs += (sampleNs - host.rttNs - host.queueingNs) / QUEUEING_SAMPLES;
        if (sampleNs < rttNs && !Address.isLoopback(host.hi, host.lo)) {
            rttNs = sampleNs;
            adapt();
        }
    }

    /** Something was answered in this time, which may hold more than the round trip. */
    void roundTripAtMost(Host host, long ns) {
        if (ns > 0 && ns < host.rttNs) {
            host.rttNs = ns;
            if (ns < rttNs && !Address.isLoopback(host.hi, host.lo)) {
                rttNs = ns;
                adapt();
            }
        }
    }

    /**
     * Unscheduled bytes of a message to this host: rate times round trip, between one packet and 60 KB. More would only stand
     * in the receiver's queue before shorter messages.
     */
    int unscheduledBytes(Host host, int packetBytes) {
        if (!config.adaptToPath
                || linkMbps == 0
                || host.rttNs == Host.UNKNOWN_RTT
                || Address.isLoopback(host.hi, host.lo)) {
            return config.unschedBytes;
        }
        // Of the other side's threads nothing is known; they may be as late as ours.
        long lateNs = turn.lateness.isKnown() ? 2 * turn.lateness.p99Ns() : SHORTEST_RTT_NS;
        long roundTripNs = Math.max(host.rttNs, Math.min(host.rttNs + lateNs, SHORTEST_RTT_NS));
        return Math.clamp(product(linkMbps, roundTripNs), packetBytes, Math.max(packetBytes, MAX_UNSCHEDULED_BYTES));
    }

    private void adapt() {
        long wanted = config.maxIncoming;
        double mbps = incomingMbps();
        granter.linkMbps(mbps);
        if (config.adaptToPath && mbps > 0 && rttNs != Host.UNKNOWN_RTT) {
            long patient = Math.min(config.maxIncoming, PRODUCTS_AHEAD * product(mbps, PATIENT_RTT_NS));
            wanted = Math.max(Math.max(MIN_INCOMING_BYTES, patient), PRODUCTS_AHEAD * product(mbps, rttNs));
        }
        int limit = (int)
                (receiveCapacityBytes == 0 ? Integer.MAX_VALUE : Math.min(receiveCapacityBytes / 2, Integer.MAX_VALUE));
        wanted = Math.min(wanted, limit);
        granter.maxIncoming((int) wanted, limit);
    }

    /** Rate at which packets can come in, Mbit/s; 0 = unknown. */
    private double incomingMbps() {
        return isRateFound() && arrivalRate.mbps() > 0 ? arrivalRate.mbps() : linkMbps;
    }

    private static long product(double mbps, long ns) {
        return (long) (mbps * (ns / 8_000.0));
    }
}
