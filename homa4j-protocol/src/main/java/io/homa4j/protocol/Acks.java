package io.homa4j.protocol;

import org.jspecify.annotations.Nullable;

/**
 * Acknowledgements of responses the application has taken (spec protocol 6.5): buffered per peer to ride on later DATA
 * packets, sent at once when the buffer is full, and after {@code ackDelayTicks} in a packet of their own, which the
 * module lacks and NEED_ACK would otherwise ask for.
 */
final class Acks {
    private final Config config;
    private final Counters counters;
    private final Turn turn;
    private final ControlQueue control;

    // Peers with buffered acks, first due first: all wait equally long.
    private @Nullable Peer first;
    private @Nullable Peer last;

    Acks(Config config, Counters counters, Turn turn, ControlQueue control) {
        this.config = config;
        this.counters = counters;
        this.turn = turn;
        this.control = control;
    }

    /** The application has taken the response of this client RPC. */
    void add(Rpc rpc) {
        Peer peer = rpc.peer;
        if (peer.acks == Peer.MAX_ACKS) {
            counters.add(Counters.ACK_OVERFLOWS, 1);
            control.ack(peer, rpc.socket.number, rpc.socket.port, rpc.remotePort, rpc.id);
            return;
        }
        peer.ackId[peer.acks] = rpc.id;
        peer.ackPort[peer.acks] = rpc.remotePort;
        peer.acks++;
        peer.ackSocket = rpc.socket;
        peer.ackRemotePort = rpc.remotePort;
        if (config.ackDelayTicks > 0 && !peer.isInAckQueue) {
            peer.ackDueTick = turn.tick + 1 + config.ackDelayTicks;
            append(peer);
        }
    }

    /** Sends what has waited long enough. */
    void flushDue() {
        for (Peer peer = first; peer != null && peer.ackDueTick <= turn.tick; peer = first) {
            flush(peer);
        }
    }

    /** Sends all acks of the socket now; it is about to close. */
    void flush(Sock socket) {
        for (Peer peer = first; peer != null; ) {
            Peer next = peer.ackNext;
            if (peer.ackSocket == socket) {
                flush(peer);
            }
            peer = next;
        }
    }

    /** Tick at which the next acks are due; Long.MAX_VALUE if none wait. */
    long nextTick() {
        Peer peer = first;
        return peer == null ? Long.MAX_VALUE : peer.ackDueTick;
    }

    private void flush(Peer peer) {
        remove(peer);
        if (peer.acks > 0 && !peer.ackSocket.isShutdown) {
            peer.acks--;
            long id = peer.ackId[peer.acks];
            int port = peer.ackPort[peer.acks];
            control.ack(peer, peer.ackSocket.number, peer.ackSocket.port, port, id);
        }
        peer.acks = 0;
        peer.ackSocket = Sock.NONE;
    }

    private void append(Peer peer) {
        peer.isInAckQueue = true;
        peer.ackNext = null;
        peer.ackPrevious = last;
        if (last == null) {
            first = peer;
        } else {
            last.ackNext = peer;
        }
        last = peer;
    }

    private void remove(Peer peer) {
        if (!peer.isInAckQueue) {
            return;
        }
        peer.isInAckQueue = false;
        Peer previous = peer.ackPrevious;
        Peer next = peer.ackNext;
        if (previous == null) {
            first = next;
        } else {
            previous.ackNext = next;
        }
        if (next == null) {
            last = previous;
        } else {
            next.ackPrevious = previous;
        }
        peer.ackNext = null;
        peer.ackPrevious = null;
    }
}
