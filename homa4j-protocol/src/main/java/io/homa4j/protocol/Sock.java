package io.homa4j.protocol;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One Homa socket: its port and role, its live RPCs, the FIFO of messages that are ready for shared receives, and its
 * receive region (spec api 1, 3, 7, 12).
 */
final class Sock {
    /** Stands for "no socket", so that fields need not be null. */
    static final Sock NONE = new Sock(-1);

    final int number;
    int port;
    boolean acceptsRequests;
    /** beginClose was called: no new RPCs. */
    boolean isClosing;
    /** Shut down, or never opened. */
    boolean isShutdown = true;

    ReceiveRegion region = new ReceiveRegion(MemorySegment.NULL, -1);
    /** Incoming messages that wait for receive space: shortest first, then oldest (spec protocol 4.5). */
    final WaitingForSpace waiting = new WaitingForSpace();
    /** Those that wait because unproven peers hold their share. */
    final WaitingForSpace waitingUnproven = new WaitingForSpace();
    /** All that wait for space in this region: those above, and those that wait for their host's share (Host#waiting). */
    int waitingCount;
    /** Bytes of the region held by messages of unproven peers. */
    long unprovenBytes;

    // ---- live RPCs in order of creation

    @Nullable
    Rpc rpcs;

    @Nullable
    Rpc lastRpc;

    int rpcCount;

    // ---- ready messages: a FIFO of requests and one of outcomes, and requests that exceed what may be in service

    private final ReadyList requests = new ReadyList();
    private final ReadyList outcomes = new ReadyList();
    private final Overflow overflow = new Overflow();
    private long readySequence;
    int readyCount;

    // ---- outgoing messages not yet released (spec api 13)

    long outgoingBytes;
    int outgoingCount;
    /** Responses among them. */
    long responseBytes;

    int responseCount;
    /** A sender of a request met the limit and wants to hear of space. */
    boolean wantsSpace;
    /** A sender of a response did. */
    boolean wantsResponseSpace;

    /** Requests handed to the application and not answered. */
    int inService;

    Sock(int number) {
        this.number = number;
    }

    void addRpc(Rpc rpc) {
        rpc.socketPrevious = lastRpc;
        rpc.socketNext = null;
        if (lastRpc == null) {
            rpcs = rpc;
        } else {
            lastRpc.socketNext = rpc;
        }
        lastRpc = rpc;
        rpcCount++;
    }

    void removeRpc(Rpc rpc) {
        Rpc previous = rpc.socketPrevious;
        Rpc next = rpc.socketNext;
        if (previous == null) {
            rpcs = next;
        } else {
            previous.socketNext = next;
        }
        if (next == null) {
            lastRpc = previous;
        } else {
            next.socketPrevious = previous;
        }
        rpc.socketNext = null;
        rpc.socketPrevious = null;
        rpcCount--;
    }

    /** Queues a message for shared receives; {@code isOverflow} if more requests are in service than may be. */
    void addReady(Rpc rpc, boolean isOverflow) {
        rpc.isReady = true;
        rpc.readySequence = readySequence++;
        readyCount++;
        if (isOverflow && !rpc.isClient()) {
            rpc.overflowRound = rpc.peer.host.overflow++;
            overflow.add(rpc);
        } else {
            (rpc.isClient() ? outcomes : requests).append(rpc);
        }
    }

    void removeReady(Rpc rpc) {
        rpc.isReady = false;
        readyCount--;
        if (overflow.contains(rpc)) {
            overflow.remove(rpc);
            rpc.peer.host.overflow--;
        } else {
            (rpc.isClient() ? outcomes : requests).remove(rpc);
        }
    }

    /** The message a shared receive gets: the oldest, requests only if allowed; null if there is none. */
    @Nullable
    Rpc nextReady(boolean mayServe) {
        Rpc outcome = outcomes.first;
        Rpc request = mayServe ? requests.first : null;
        if (outcome != null && request != null) {
            return outcome.readySequence < request.readySequence ? outcome : request;
        }
        if (outcome != null || request != null) {
            return outcome != null ? outcome : request;
        }
        return mayServe ? overflow.first() : null;
    }

    /** What is counted of the socket's RPCs is true, and the region holds their messages and no others. */
    void audit(Audit audit) {
        int count = 0;
        int ready = 0;
        int serving = 0;
        int waitingForSpace = 0;
        int lent = 0;
        long lentBytes = 0;
        int responses = 0;
        long ofResponses = 0;
        long unproven = 0;
        long held = 0;
        for (Rpc rpc = rpcs; rpc != null; rpc = rpc.socketNext) {
            count++;
            ready += rpc.isReady && !rpc.isPrivate ? 1 : 0;
            serving += rpc.state == Rpc.State.IN_SERVICE ? 1 : 0;
            waitingForSpace += rpc.waitingIn != null ? 1 : 0;
            lent += rpc.out.isLent ? 1 : 0;
            lentBytes += rpc.out.isLent ? rpc.out.length : 0;
            responses += rpc.out.isLent && !rpc.isClient() ? 1 : 0;
            ofResponses += rpc.out.isLent && !rpc.isClient() ? rpc.out.length : 0;
            unproven += rpc.unprovenBytes;
            held += rpc.in.hasSpace() ? ReceiveRegion.pieceBytes(rpc.in.length) : 0;
            if (rpc.socket != this) {
                audit.wrong("RPC " + rpc.id + " is listed at another socket");
            }
            if (rpc.waitingIn != null && (rpc.in.hasSpace() || rpc.spaceWaitTick < 0)) {
                audit.wrong("RPC " + rpc.id + " waits for receive space that it has");
            }
        }
        audit.equal("RPCs of a socket", count, rpcCount);
        audit.equal("ready messages", ready, readyCount);
        audit.equal("requests in service", serving, inService);
        audit.equal("messages waiting for space", waitingForSpace, waitingCount);
        audit.equal("outgoing messages", lent, outgoingCount);
        audit.equal("outgoing bytes", lentBytes, outgoingBytes);
        audit.equal("outgoing responses", responses, responseCount);
        audit.equal("bytes of outgoing responses", ofResponses, responseBytes);
        audit.equal("bytes held by unproven peers", unproven, unprovenBytes);
        audit.equal("bytes held by messages", held, region.audit(audit));
        audit.inOrder("the queue for space", waiting);
        audit.inOrder("the queue for the share of the unproven", waitingUnproven);
        audit.inOrder("the overflow of requests", overflow);
    }

    /** RPCs linked through their ready fields. */
    private static final class ReadyList {
        @Nullable
        Rpc first;

        private @Nullable Rpc last;

        void append(Rpc rpc) {
            rpc.readyPrevious = last;
            rpc.readyNext = null;
            if (last == null) {
                first = rpc;
            } else {
                last.readyNext = rpc;
            }
            last = rpc;
        }

        void remove(Rpc rpc) {
            Rpc previous = rpc.readyPrevious;
            Rpc next = rpc.readyNext;
            if (previous == null) {
                first = next;
            } else {
                previous.readyNext = next;
            }
            if (next == null) {
                last = previous;
            } else {
                next.readyPrevious = previous;
            }
            rpc.readyNext = null;
            rpc.readyPrevious = null;
        }
    }

    /** Hosts in turn, shortest request first within a round (design 6, bounds). */
    private static final class Overflow extends IndexedHeap<Rpc> {
        @Override
        boolean before(Rpc a, Rpc b) {
            if (a.overflowRound != b.overflowRound) {
                return a.overflowRound < b.overflowRound;
            }
            return a.in.length != b.in.length ? a.in.length < b.in.length : a.readySequence < b.readySequence;
        }

        @Override
        int place(Rpc rpc) {
            return rpc.overflowPlace;
        }

        @Override
        void place(Rpc rpc, int place) {
            rpc.overflowPlace = place;
        }
    }

    /** Shortest message first, equal lengths in order of arrival (S-230). */
    static final class WaitingForSpace extends IndexedHeap<Rpc> {
        @Override
        boolean before(Rpc a, Rpc b) {
            return a.spaceRank != b.spaceRank ? a.spaceRank < b.spaceRank : a.in.birthNs - b.in.birthNs < 0;
        }

        @Override
        int place(Rpc rpc) {
            return rpc.spacePlace;
        }

        @Override
        void place(Rpc rpc, int place) {
            rpc.spacePlace = place;
        }
    }
}
