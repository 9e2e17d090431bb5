package io.homa4j.protocol;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * RPCs whose RESEND or NEED_ACK is due while their peer has had its share of them in this tick (design 6): a FIFO per
 * peer, so that they take turns and a tick costs no more than the share.
 */
final class DeferredResends {
    private final List<Peer> peers = new ArrayList<>();

    boolean isEmpty() {
        return peers.isEmpty();
    }

    int peers() {
        return peers.size();
    }

    Peer peer(int i) {
        return peers.get(i);
    }

    /** Puts the RPC at the end of its peer's queue; nothing happens if it is queued already. */
    void add(Rpc rpc) {
        if (rpc.isDeferred) {
            return;
        }
        rpc.isDeferred = true;
        Peer peer = rpc.peer;
        Rpc last = peer.lastDeferred;
        rpc.deferredPrevious = last;
        rpc.deferredNext = null;
        if (last == null) {
            peer.firstDeferred = rpc;
            peers.add(peer);
        } else {
            last.deferredNext = rpc;
        }
        peer.lastDeferred = rpc;
    }

    /** The RPC that has waited longest for this peer, taken out; null if none waits. */
    @Nullable
    Rpc poll(Peer peer) {
        Rpc rpc = peer.firstDeferred;
        if (rpc != null) {
            remove(rpc);
        }
        return rpc;
    }

    /** Takes an RPC out, wherever it is; it ends or has made progress. */
    void remove(Rpc rpc) {
        if (!rpc.isDeferred) {
            return;
        }
        rpc.isDeferred = false;
        Peer peer = rpc.peer;
        Rpc previous = rpc.deferredPrevious;
        Rpc next = rpc.deferredNext;
        if (previous == null) {
            peer.firstDeferred = next;
        } else {
            previous.deferredNext = next;
        }
        if (next == null) {
            peer.lastDeferred = previous;
        } else {
            next.deferredPrevious = previous;
        }
        rpc.deferredNext = null;
        rpc.deferredPrevious = null;
        if (peer.firstDeferred == null) {
            peers.remove(peer);
        }
    }
}
