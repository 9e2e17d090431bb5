package io.homa4j.protocol;

import org.jspecify.annotations.Nullable;

/**
 * A remote address with everything that counts per machine and not per port: active grants and queued messages (spec
 * scheduling 2), receive space held, the round trip (design 6, Peer and host).
 */
final class Host {
    /** Stands for "no host". */
    static final Host NONE = new Host();
    /** Round trip not measured yet. */
    static final long UNKNOWN_RTT = Long.MAX_VALUE;

    long hi;
    long lo;
    /** Peers of this host; it is forgotten when it has neither peers nor space. */
    int peers;
    /** Bytes of receive regions that hold messages from here, with those in the application's hands. */
    long regionBytes;

    /** Messages from here in the active set. */
    int activeMessages;
    /** Messages from here that want grants and have no slot, best first. */
    final GrantQueue queued = new GrantQueue();
    /** Place in the Granter's heap of hosts with queued messages. */
    int grantPlace = -1;

    /** Smallest round trip seen, ns; {@link #UNKNOWN_RTT} before the first. */
    long rttNs = UNKNOWN_RTT;

    @Nullable
    Host nextInBucket;

    /** Messages by rank (spec scheduling 6). */
    static final class GrantQueue extends IndexedHeap<Rpc> {
        @Override
        boolean before(Rpc a, Rpc b) {
            return Granter.outranks(a, b);
        }

        @Override
        int place(Rpc rpc) {
            return rpc.grantPlace;
        }

        @Override
        void place(Rpc rpc, int place) {
            rpc.grantPlace = place;
        }
    }
}
