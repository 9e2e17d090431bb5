package io.homa4j.protocol;

import io.homa4j.wire.DataHeader;

/**
 * How large packets to a host may be (design 6, MTU). What the network says is believed down to what every path carries;
 * where it says nothing and full packets vanish while smaller ones arrive, the size is lowered as well; and after a while
 * larger packets are tried again. Messages under way are only ever subdivided, further each time.
 *
 * <p>A black hole is told from loss in two steps. A packet asked for {@code black_hole_losses} times, while nothing shows
 * that one as large has arrived, subdivides its message: should that be an error it costs a few headers. When two such
 * messages in a row get through in small packets, and none in a large one in between, the host's size is lowered. Larger
 * sizes are then tried by single messages, which go on in small packets as soon as one is asked for again.
 */
final class PathMtuSearch {
    /** What every path carries, IP header included; for IPv4 the least that Linux believes. */
    private static final int LEAST_IPV4 = 552;

    private static final int LEAST_IPV6 = 1_280;
    /** IP packets of common links and tunnels; the search goes from one to the next. */
    private static final int[] SIZES = {LEAST_IPV4, LEAST_IPV6, 1_400, 1_450, 1_492, 1_500, 4_352, 9_000, 16_384, 32_768
    };
    /** Messages in a row that only got through in small packets. */
    private static final int ENOUGH_SUSPICIONS = 2;
    /** Messages that may try a size before it counts as too large. */
    private static final int TRIES = 3;
    /** How long the largest size seen to arrive outranks smaller ones that arrive later, ns. */
    private static final long FRESH_NS = 1_000_000_000;

    private final Config config;
    private final Counters counters;
    private final Turn turn;
    private final Pacer pacer;

    PathMtuSearch(Config config, Counters counters, Turn turn, Pacer pacer) {
        this.config = config;
        this.counters = counters;
        this.turn = turn;
        this.pacer = pacer;
    }

    /** Data bytes of a full packet to the peer; not positive if the path has no room for any. */
    int packetBytes(Peer peer) {
        return dataBytes(peer, peer.host.mtu);
    }

    private int dataBytes(Peer peer, int mtu) {
        return mtu - headerBytes(peer);
    }

    private int headerBytes(Peer peer) {
        return pacer.ipBytes(Address.isIpv4(peer.hi, peer.lo)) + DataHeader.LENGTH;
    }

    private static int least(Host host) {
        return Address.isIpv4(host.hi, host.lo) ? LEAST_IPV4 : LEAST_IPV6;
    }

    private boolean isOn() {
        return config.blackHoleLosses > 0;
    }

    /** Data bytes per packet of a new message: {@link #packetBytes}, or more if the message is to try a larger size. */
    int cut(Peer peer, int length) {
        Host host = peer.host;
        if (host.mtu >= host.interfaceMtu || host.isMtuTried || !isOn()) {
            return packetBytes(peer);
        }
        if (host.mtuTooLarge < Integer.MAX_VALUE && turn.nowNs - host.mtuRaiseNs >= 0) {
            host.mtuTooLarge = Integer.MAX_VALUE;
        }
        int next = nextSize(host);
        if (next >= host.mtuTooLarge || length < dataBytes(peer, next)) {
            return packetBytes(peer);
        }
        host.isMtuTried = true;
        return dataBytes(peer, next);
    }

    private static int nextSize(Host host) {
        for (int size : SIZES) {
            if (size > host.mtu) {
                return Math.min(size, host.interfaceMtu);
            }
        }
        return host.interfaceMtu;
    }

    // ---- what is learnt from messages

    /**
     * A range of the message is about to be sent again because the receiver lacks it.
     *
     * @param isWhole it is all the receiver asked for, not only what can have been lost
     */
    void askedAgain(Rpc rpc, int from, int to, boolean isWhole) {
        if (!isOn()) {
            return;
        }
        OutboundMessage out = rpc.out;
        learnFromEdges(rpc, from, to, isWhole);
        int start = out.packetStart(from);
        int bytes = out.packetEnd(start) - start + headerBytes(rpc.peer);
        Host host = rpc.peer.host;
        if (bytes <= least(host)) {
            return;
        }
        if (out.losses == 0 || start < out.lossStart || start > out.lossStart && turn.tick - out.lossTick > 1) {
            out.lossStart = start;
            out.losses = 0;
            out.lossSinceNs = turn.nowNs;
        } else if (start > out.lossStart || turn.tick == out.lossTick) {
            return;
        }
        out.losses++;
        out.lossTick = turn.tick;
        if (isTrial(rpc)) {
            if (bytes > host.mtu) {
                trialFailed(rpc);
            }
        } else if (out.losses >= config.blackHoleLosses && !hasArrivedSince(host, bytes, out.lossSinceNs)) {
            out.isSuspect = true;
            out.suspectBytes = bytes;
            subdivide(rpc, lower(host, bytes));
        }
    }

    /** What was asked for ends where something has arrived, and begins behind it. */
    private void learnFromEdges(Rpc rpc, int from, int to, boolean isWhole) {
        OutboundMessage out = rpc.out;
        if (from > 0 && out.packetEnd(out.packetStart(from - 1)) == from) {
            arrived(rpc, from - out.packetStart(from - 1));
        }
        // At these the receiver may only have known no more to ask for.
        boolean isEdge = isWhole && to < out.nextOffset && to != out.granted && to != out.unscheduled;
        if (isEdge && out.packetStart(to) == to) {
            arrived(rpc, out.packetEnd(to) - to);
        }
    }

    /** The receiver has the whole message. */
    void delivered(Rpc rpc) {
        OutboundMessage out = rpc.out;
        if (!isOn() || !out.isSent()) {
            return;
        }
        cameThrough(rpc);
        int first = out.packetEnd(0);
        int largest = out.unscheduled < out.length
                ? Math.max(first, out.packetEnd(out.unscheduled) - out.unscheduled)
                : first;
        arrived(rpc, largest);
    }

    /** More of the message has arrived. */
    void cameThrough(Rpc rpc) {
        OutboundMessage out = rpc.out;
        if (!out.isSuspect) {
            return;
        }
        out.isSuspect = false;
        Host host = rpc.peer.host;
        host.suspectBytes = host.suspicions == 0 ? out.suspectBytes : Math.min(host.suspectBytes, out.suspectBytes);
        if (++host.suspicions < ENOUGH_SUSPICIONS) {
            return;
        }
        host.suspicions = 0;
        int mtu = lower(host, host.suspectBytes);
        if (mtu < host.mtu) {
            counters.add(Counters.MTU_BLACK_HOLES, 1);
            reduce(host, mtu, host.suspectBytes);
        }
    }

    /** The message is over, and with it what it was to find out. */
    void ended(Rpc rpc) {
        if (isTrial(rpc)) {
            rpc.peer.host.isMtuTried = false;
        }
    }

    /** A packet with so many data bytes has arrived. */
    private void arrived(Rpc rpc, int data) {
        Host host = rpc.peer.host;
        int bytes = data + headerBytes(rpc.peer);
        if (bytes >= host.arrivedBytes || turn.nowNs - host.arrivedNs > FRESH_NS) {
            host.arrivedBytes = bytes;
            host.arrivedNs = turn.nowNs;
        }
        if (bytes >= host.suspectBytes) {
            host.suspicions = 0;
        }
        if (bytes > host.mtu && isTrial(rpc)) {
            host.isMtuTried = false;
            host.mtuTries = 0;
            host.mtu = Math.min(bytes, host.interfaceMtu);
            counters.add(Counters.MTU_RAISES, 1);
        }
    }

    private boolean hasArrivedSince(Host host, int bytes, long sinceNs) {
        return host.arrivedBytes >= bytes && host.arrivedNs - sinceNs >= 0;
    }

    // ---- trials

    /** Whether the message tries a size larger than its host's. */
    private boolean isTrial(Rpc rpc) {
        return rpc.out.length > 0 && rpc.out.smallestCut() > packetBytes(rpc.peer);
    }

    private void trialFailed(Rpc rpc) {
        Host host = rpc.peer.host;
        int bytes = rpc.out.smallestCut() + headerBytes(rpc.peer);
        host.isMtuTried = false;
        subdivide(rpc, host.mtu);
        if (++host.mtuTries == TRIES) {
            host.mtuTries = 0;
            tooLarge(host, bytes);
        }
    }

    // ---- lowering

    /** The network says that packets to this host may have at most so many bytes. */
    void told(Host host, int mtuTold) {
        int mtu = Math.min(Math.max(config.moduleProfile ? 0 : least(host), mtuTold), host.interfaceMtu);
        if (config.moduleProfile || mtu < host.mtu) {
            reduce(host, mtu, mtu + 1);
            return;
        }
        // Of a trial.
        tooLarge(host, mtu + 1);
        subdivideAll(host);
    }

    private void reduce(Host host, int mtu, int tooLarge) {
        counters.add(Counters.MTU_REDUCTIONS, mtu < host.mtu ? 1 : 0);
        host.mtu = mtu;
        tooLarge(host, tooLarge);
        subdivideAll(host);
    }

    private void subdivideAll(Host host) {
        host.isMtuTried = false;
        host.mtuTries = 0;
        for (Peer peer = host.firstPeer; peer != null; peer = peer.hostNext) {
            for (Rpc rpc = peer.firstRpc; rpc != null; rpc = rpc.peerNext) {
                // What it suspected was before this.
                rpc.out.isSuspect = false;
                subdivide(rpc, host.mtu);
            }
        }
    }

    private void tooLarge(Host host, int bytes) {
        host.mtuTooLarge = bytes;
        host.mtuRaiseNs = turn.nowNs + config.mtuRaiseSecs * 1_000_000_000L;
    }

    private void subdivide(Rpc rpc, int mtu) {
        if (rpc.out.length > 0) {
            rpc.out.losses = 0;
            rpc.out.subdivide(
                    Math.max(1, dataBytes(rpc.peer, mtu)), Math.max(1, dataBytes(rpc.peer, least(rpc.peer.host))));
        }
    }

    /** A size that gets through when packets of so many bytes do not: what tunnels leave, else what every path carries. */
    private static int lower(Host host, int bytes) {
        return bytes > LEAST_IPV6 ? LEAST_IPV6 : least(host);
    }
}
