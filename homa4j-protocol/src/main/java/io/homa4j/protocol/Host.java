package io.homa4j.protocol;

import java.util.Arrays;
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
    /** The same peers, the newest first. */
    @Nullable
    Peer firstPeer;

    /** Bytes of receive regions that hold messages from here, with those in the application's hands. */
    private long regionBytes;

    private long[] regionBytesBySocket = new long[4];
    /** Messages that wait for receive space because the host holds its share of the region of that socket. */
    private Sock.@Nullable WaitingForSpace[] waitingBySocket = new Sock.WaitingForSpace[1];
    /** Server RPCs of this host. */
    int serverRpcs;
    /** Its requests that are complete and wait because too many are in service. */
    int overflow;

    /** Messages from here in the active set. */
    int activeMessages;
    /** Messages from here that want grants and have no slot, best first. */
    final GrantQueue queued = new GrantQueue();
    /** Place in the Granter's heap of hosts with queued messages, or in its list of senders. */
    int grantPlace = -1;

    // ---- where packets are granted one by one (PacketGranter)

    /** Messages from here that want grants. */
    final PacketGranter.Queue packetQueue = new PacketGranter.Queue();
    /** Level of its last GRANT. */
    int grantLevel;
    /** It may be granted more by the clock, from {@link #grantDueNs} on. */
    boolean isDue;

    long grantDueNs;

    @Nullable
    Host dueNext;

    @Nullable
    Host duePrevious;

    /** Smallest round trip seen, ns; {@link #UNKNOWN_RTT} before the first. */
    long rttNs = UNKNOWN_RTT;

    /** By how much round trips are longer than the smallest, smoothed, ns: queues on the way and at either end. */
    long queueingNs;

    // ---- how large packets to it may be, bytes of IP packets (PathMtuSearch)

    /** Size of a full packet, and what the interface takes. */
    int mtu;

    int interfaceMtu;
    /** Size that is too large, as far as is known, until {@link #mtuRaiseNs}; MAX_VALUE = none. */
    int mtuTooLarge;

    long mtuRaiseNs;
    /** A message tries a larger size; messages that have tried it in vain. */
    boolean isMtuTried;

    int mtuTries;
    /** The largest packet that has lately been seen to arrive there, and when. */
    int arrivedBytes;

    long arrivedNs;
    /** Messages in a row that only got through in small packets, and the smallest of the sizes that did not. */
    int suspicions;

    int suspectBytes;

    @Nullable
    Host nextInBucket;

    /** The interface towards it takes IP packets of this size; nothing is known of the path yet. */
    void beginPath(int interfaceBytes) {
        mtu = interfaceBytes;
        interfaceMtu = interfaceBytes;
        mtuTooLarge = Integer.MAX_VALUE;
        isMtuTried = false;
        mtuTries = 0;
        arrivedBytes = 0;
        suspicions = 0;
        suspectBytes = 0;
    }

    void addPeer(Peer peer) {
        peers++;
        Peer next = firstPeer;
        peer.hostPrevious = null;
        peer.hostNext = next;
        if (next != null) {
            next.hostPrevious = peer;
        }
        firstPeer = peer;
    }

    void removePeer(Peer peer) {
        peers--;
        Peer previous = peer.hostPrevious;
        Peer next = peer.hostNext;
        if (previous == null) {
            firstPeer = next;
        } else {
            previous.hostNext = next;
        }
        if (next != null) {
            next.hostPrevious = previous;
        }
        peer.hostNext = null;
        peer.hostPrevious = null;
    }

    /** Charges or (negative) discharges bytes of a socket's region. */
    void charge(int socket, long bytes) {
        if (socket >= regionBytesBySocket.length) {
            regionBytesBySocket = Arrays.copyOf(regionBytesBySocket, 2 * socket);
        }
        regionBytesBySocket[socket] += bytes;
        regionBytes += bytes;
    }

    /** Bytes held in all regions. */
    long regionBytes() {
        return regionBytes;
    }

    /** Bytes held in the region of one socket. */
    long regionBytes(int socket) {
        return socket < regionBytesBySocket.length ? regionBytesBySocket[socket] : 0;
    }

    /** Messages that wait for the host's share of the region of one socket; null if none ever did. */
    Sock.@Nullable WaitingForSpace waiting(int socket) {
        return socket < waitingBySocket.length ? waitingBySocket[socket] : null;
    }

    /** The same, made if need be. */
    Sock.WaitingForSpace queueForShare(int socket) {
        if (socket >= waitingBySocket.length) {
            waitingBySocket = Arrays.copyOf(waitingBySocket, 2 * socket);
        }
        Sock.WaitingForSpace queue = waitingBySocket[socket];
        if (queue == null) {
            queue = new Sock.WaitingForSpace();
            waitingBySocket[socket] = queue;
        }
        return queue;
    }

    void audit(Audit audit) {
        audit.inOrder("the grant queue of a host", queued);
        for (Sock.WaitingForSpace queue : waitingBySocket) {
            if (queue != null) {
                audit.inOrder("the queue for the share of a host", queue);
            }
        }
    }

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
