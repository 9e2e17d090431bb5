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

    ReceiveRegion region = new ReceiveRegion(MemorySegment.NULL);
    /** Incoming messages that wait for receive space: shortest first, then oldest (spec protocol 4.5). */
    final WaitingForSpace waiting = new WaitingForSpace();

    // ---- live RPCs in order of creation

    @Nullable
    Rpc rpcs;

    @Nullable
    Rpc lastRpc;

    int rpcCount;

    // ---- ready FIFO

    @Nullable
    Rpc ready;

    @Nullable
    Rpc lastReady;

    int readyCount;

    // ---- outgoing messages not yet released (spec api 13)

    long outgoingBytes;
    int outgoingCount;
    /** A sender met the limit and wants to hear of space. */
    boolean wantsSpace;
    /** The socket has an undelivered WRITABLE event. */
    boolean writableDue;

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

    void addReady(Rpc rpc) {
        rpc.isReady = true;
        rpc.readyPrevious = lastReady;
        rpc.readyNext = null;
        if (lastReady == null) {
            ready = rpc;
        } else {
            lastReady.readyNext = rpc;
        }
        lastReady = rpc;
        readyCount++;
    }

    void removeReady(Rpc rpc) {
        Rpc previous = rpc.readyPrevious;
        Rpc next = rpc.readyNext;
        if (previous == null) {
            ready = next;
        } else {
            previous.readyNext = next;
        }
        if (next == null) {
            lastReady = previous;
        } else {
            next.readyPrevious = previous;
        }
        rpc.readyNext = null;
        rpc.readyPrevious = null;
        rpc.isReady = false;
        readyCount--;
    }

    /** Shortest message first, equal lengths in order of arrival (S-230). */
    static final class WaitingForSpace extends IndexedHeap<Rpc> {
        @Override
        boolean before(Rpc a, Rpc b) {
            return a.in.length != b.in.length ? a.in.length < b.in.length : a.in.birthNs - b.in.birthNs < 0;
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
