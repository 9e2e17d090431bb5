package io.homa4j.protocol;

import org.jspecify.annotations.Nullable;

/**
 * The other end of RPCs, with what both ends must remember of each other: buffered acks, the cutoffs it told us, the
 * route, the proof that it receives what is sent to its address (spec protocol 8, design 6). Over direct UDP a peer is
 * (local socket, address, UDP port); in the tunnel (address, Homa port); over IP 146 an address.
 */
final class Peer {
    /** Stands for "no peer". */
    static final Peer NONE = new Peer();
    /** Ack slots, also of an ACK packet (spec protocol 1.5). */
    static final int MAX_ACKS = 5;

    Host host = Host.NONE;
    long hi;
    long lo;
    /** Part of the key: UDP port, tunnelled Homa port, or 0 over IP 146. */
    int port;
    /** Part of the key: local socket over direct UDP, else 0. */
    int socketKey;
    /** Local address its packets come to; 0 if none came yet. */
    long localHi;

    long localLo;
    /** Live RPCs of this peer; one with any is never forgotten. */
    int rpcs;
    /** The same RPCs, oldest first. */
    @Nullable
    Rpc firstRpc;

    private @Nullable Rpc lastRpc;
    /** Last lookup, ns (spec protocol 8 item 3). */
    long accessNs;

    // ---- cutoffs it told us (spec scheduling 16.3)

    final int[] cutoffs = new int[Config.MAX_LEVELS];
    /** Version as received, 0 = never. */
    int cutoffVersion;
    /** Slot of the time grid in which the last CUTOFFS was sent to it. */
    long cutoffsSentSlot;

    // ---- proof of reachability

    /** It has echoed the version told to its address, or we began the conversation ourselves. */
    boolean isProven;
    /** Bytes with IP and UDP headers received from and sent to it while unproven. */
    long receivedBytes;

    long sentBytes;
    /** Responses that wait for the proof. */
    @Nullable
    Rpc proofQueue;

    // ---- acks to be sent (spec protocol 6.5)

    int acks;
    final long[] ackId = new long[MAX_ACKS];
    final int[] ackPort = new int[MAX_ACKS];
    /** Socket of the last acknowledged RPC, which an ACK packet of its own leaves from. */
    Sock ackSocket = Sock.NONE;
    /** Remote port an ACK packet of its own goes to. */
    int ackRemotePort;
    /** Tick at which buffered acks leave in a packet of their own. */
    long ackDueTick;

    @Nullable
    Peer ackNext;

    @Nullable
    Peer ackPrevious;

    boolean isInAckQueue;

    // ---- RESENDs per tick (design 6, silence)

    long resendTick;
    int resendsThisTick;
    /** Latest tick given to an RPC for asking whether the peer is still busy with it, and how many have it. */
    long probeTick;

    int probesThatTick;
    /** RPCs whose RESEND waits for a later tick, in the order in which they were due. */
    @Nullable
    Rpc firstDeferred;

    @Nullable
    Rpc lastDeferred;

    // ---- places

    @Nullable
    Peer nextInBucket;
    /** Neighbours among the peers of the same host. */
    @Nullable
    Peer hostNext;

    @Nullable
    Peer hostPrevious;
    /** Place in the table's list of all peers. */
    int place = -1;

    @Nullable
    Peer idleNext;

    @Nullable
    Peer idlePrevious;
    /** In the table's list of unproven peers without RPCs, which go first. */
    boolean isIdleUnproven;

    void addRpc(Rpc rpc) {
        rpcs++;
        Rpc last = lastRpc;
        rpc.peerPrevious = last;
        if (last == null) {
            firstRpc = rpc;
        } else {
            last.peerNext = rpc;
        }
        lastRpc = rpc;
    }

    void removeRpc(Rpc rpc) {
        rpcs--;
        Rpc previous = rpc.peerPrevious;
        Rpc next = rpc.peerNext;
        if (previous == null) {
            firstRpc = next;
        } else {
            previous.peerNext = next;
        }
        if (next == null) {
            lastRpc = previous;
        } else {
            next.peerPrevious = previous;
        }
        rpc.peerNext = null;
        rpc.peerPrevious = null;
    }

    /** Level for unscheduled packets of a message of this length (spec scheduling 16.4; D-12: never off the table). */
    int unscheduledLevel(int length, int numPriorities) {
        for (int level = numPriorities - 1; level >= 0; level--) {
            if (cutoffs[level] >= length) {
                return level;
            }
        }
        return numPriorities - 1;
    }
}
