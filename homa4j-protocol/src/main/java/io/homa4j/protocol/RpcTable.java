package io.homa4j.protocol;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All live RPCs and the pool of dead ones. A client RPC is found by its id, a server RPC by (peer, id) (spec protocol
 * 1.2 items 5 and 6); handles find either without a search.
 */
final class RpcTable {
    private final KeyedHash hash;
    private @Nullable Rpc[] buckets = new Rpc[256];
    private int size;
    private int clients;
    private int unprovenServers;

    /** Every object ever made, by index. */
    private final List<Rpc> all = new ArrayList<>();

    private @Nullable Rpc spare;
    private final GapPool gaps = new GapPool();

    RpcTable(KeyedHash hash) {
        this.hash = hash;
    }

    /** Live RPCs. */
    int size() {
        return size;
    }

    int clients() {
        return clients;
    }

    int servers() {
        return size - clients;
    }

    /** Server RPCs whose peer was unproven when they began. */
    int unprovenServers() {
        return unprovenServers;
    }

    /** Objects made so far, for walks over all RPCs with {@link #at}. */
    int made() {
        return all.size();
    }

    Rpc at(int index) {
        return all.get(index);
    }

    @Nullable
    Rpc client(long id) {
        for (Rpc rpc = buckets[bucket(id, Peer.NONE)]; rpc != null; rpc = rpc.nextInBucket) {
            if (rpc.id == id) {
                return rpc;
            }
        }
        return null;
    }

    @Nullable
    Rpc server(Peer peer, long id) {
        for (Rpc rpc = buckets[bucket(id, peer)]; rpc != null; rpc = rpc.nextInBucket) {
            if (rpc.id == id && rpc.peer == peer) {
                return rpc;
            }
        }
        return null;
    }

    /** The live RPC with this handle, or null. */
    @Nullable
    Rpc byHandle(long handle) {
        int index = (int) handle;
        if (index < 0 || index >= all.size()) {
            return null;
        }
        Rpc rpc = all.get(index);
        return rpc.generation == (int) (handle >> 32) && !rpc.isDead() ? rpc : null;
    }

    /** A live RPC in the table; its state, timers and messages are the caller's to begin. */
    Rpc add(long id, Sock socket, Peer peer, int remotePort, boolean chargeUnproven) {
        Rpc rpc = spare;
        if (rpc == null) {
            rpc = new Rpc(all.size(), gaps);
            all.add(rpc);
        } else {
            spare = rpc.nextInBucket;
        }
        rpc.generation++;
        rpc.id = id;
        rpc.socket = socket;
        rpc.peer = peer;
        rpc.remotePort = remotePort;
        rpc.isUnprovenCharge = chargeUnproven;
        if (size >= buckets.length) {
            grow();
        }
        int bucket = bucket(rpc);
        rpc.nextInBucket = buckets[bucket];
        buckets[bucket] = rpc;
        size++;
        clients += rpc.isClient() ? 1 : 0;
        unprovenServers += chargeUnproven ? 1 : 0;
        return rpc;
    }

    /** Takes the RPC out of the table; the object goes to the pool. */
    void remove(Rpc rpc) {
        int bucket = bucket(rpc);
        Rpc previous = null;
        for (Rpc r = buckets[bucket]; r != null && r != rpc; r = r.nextInBucket) {
            previous = r;
        }
        if (previous == null) {
            buckets[bucket] = rpc.nextInBucket;
        } else {
            previous.nextInBucket = rpc.nextInBucket;
        }
        size--;
        clients -= rpc.isClient() ? 1 : 0;
        uncharge(rpc);
        rpc.nextInBucket = spare;
        spare = rpc;
    }

    /** The RPC no longer counts as one of an unproven peer. */
    void uncharge(Rpc rpc) {
        if (rpc.isUnprovenCharge) {
            rpc.isUnprovenCharge = false;
            unprovenServers--;
        }
    }

    /** Every object is dead and nowhere, or alive and found by its name. */
    void audit(Audit audit) {
        int live = 0;
        int liveClients = 0;
        int charged = 0;
        int gapsInUse = 0;
        for (Rpc rpc : all) {
            if (rpc.isDead()) {
                audit.dead(rpc);
                continue;
            }
            live++;
            liveClients += rpc.isClient() ? 1 : 0;
            charged += rpc.isUnprovenCharge ? 1 : 0;
            gapsInUse += rpc.in.gaps();
            if ((rpc.isClient() ? client(rpc.id) : server(rpc.peer, rpc.id)) != rpc) {
                audit.wrong("RPC " + rpc.id + " is not found");
            }
            audit.live(rpc);
        }
        audit.equal("live RPCs", live, size);
        audit.equal("client RPCs", liveClients, clients);
        audit.equal("server RPCs of unproven peers", charged, unprovenServers);
        audit.equal("gaps", gapsInUse, gaps.inUse());
    }

    private int bucket(Rpc rpc) {
        return bucket(rpc.id, rpc.isClient() ? Peer.NONE : rpc.peer);
    }

    private int bucket(long id, Peer peer) {
        return hash.of(id, peer.lo, peer.hi + peer.port) & (buckets.length - 1);
    }

    private void grow() {
        @Nullable Rpc[] old = buckets;
        buckets = new Rpc[2 * old.length];
        for (Rpc head : old) {
            for (Rpc rpc = head; rpc != null; ) {
                Rpc next = rpc.nextInBucket;
                int bucket = bucket(rpc);
                rpc.nextInBucket = buckets[bucket];
                buckets[bucket] = rpc;
                rpc = next;
            }
        }
    }
}
