package io.homa4j.protocol;

import java.util.Arrays;

/**
 * Memory of server RPCs that have ended, so that a late copy of a request cannot run it again (design 6, at most once;
 * D-6). Exact for {@code finished_rpc_msecs} up to a bound of entries; then the oldest go early and are counted.
 */
final class FinishedRpcs {
    private static final int EMPTY = -1;

    private final Config config;
    private final KeyedHash hash;
    private final Counters counters;

    // A ring of entries from oldest to newest, and chains of ring places by hash.
    private int capacity = 1024;
    private long[] id = new long[capacity];
    private long[] hi = new long[capacity];
    private long[] lo = new long[capacity];
    private int[] port = new int[capacity];
    private long[] endedNs = new long[capacity];
    private int[] nextInChain = new int[capacity];
    private int[] chain = filled(capacity);
    private int oldest;
    private int size;

    FinishedRpcs(Config config, KeyedHash hash, Counters counters) {
        this.config = config;
        this.hash = hash;
        this.counters = counters;
    }

    int size() {
        return size;
    }

    /** Remembers that the server RPC of this peer has ended now. */
    void remember(Peer peer, long rpcId, long nowNs) {
        if (config.finishedRpcMsecs == 0 || config.maxFinishedRpcs == 0) {
            return;
        }
        expire(nowNs);
        if (size >= config.maxFinishedRpcs) {
            counters.add(Counters.FINISHED_RPC_EVICTIONS, 1);
            removeOldest();
        }
        if (size == capacity) {
            grow();
        }
        int place = (oldest + size) & (capacity - 1);
        size++;
        id[place] = rpcId;
        hi[place] = peer.hi;
        lo[place] = peer.lo;
        port[place] = key(peer);
        endedNs[place] = nowNs;
        link(place);
    }

    /** Whether the RPC ended within the time of memory. A hit in the older half of its time is remembered anew. */
    boolean contains(Peer peer, long rpcId, long nowNs) {
        if (size == 0) {
            return false;
        }
        expire(nowNs);
        for (int place = chain[slot(rpcId, peer.hi, peer.lo, key(peer))]; place != EMPTY; place = nextInChain[place]) {
            if (id[place] == rpcId && lo[place] == peer.lo && hi[place] == peer.hi && port[place] == key(peer)) {
                if (nowNs - endedNs[place] > keepNs() / 2) {
                    remember(peer, rpcId, nowNs);
                }
                return true;
            }
        }
        return false;
    }

    private long keepNs() {
        return config.finishedRpcMsecs * 1_000_000L;
    }

    private void expire(long nowNs) {
        while (size > 0 && nowNs - endedNs[oldest] >= keepNs()) {
            removeOldest();
        }
    }

    private void removeOldest() {
        int slot = slot(id[oldest], hi[oldest], lo[oldest], port[oldest]);
        if (chain[slot] == oldest) {
            chain[slot] = nextInChain[oldest];
        } else {
            int place = chain[slot];
            while (nextInChain[place] != oldest) {
                place = nextInChain[place];
            }
            nextInChain[place] = nextInChain[oldest];
        }
        oldest = (oldest + 1) & (capacity - 1);
        size--;
    }

    void audit(Audit audit) {
        int linked = 0;
        for (int first : chain) {
            for (int place = first; place != EMPTY; place = nextInChain[place]) {
                linked++;
            }
        }
        audit.equal("ended RPCs", linked, size);
        if (size > config.maxFinishedRpcs) {
            audit.wrong(size + " ended RPCs exceed max_finished_rpcs");
        }
    }

    /** Part of the key beside the address: the local socket and port over direct UDP. */
    private static int key(Peer peer) {
        return peer.socketKey << 16 | peer.port;
    }

    private void link(int place) {
        int slot = slot(id[place], hi[place], lo[place], port[place]);
        nextInChain[place] = chain[slot];
        chain[slot] = place;
    }

    private int slot(long rpcId, long addressHi, long addressLo, int key) {
        return hash.of(rpcId, addressLo, addressHi ^ ((long) key << 32)) & (capacity - 1);
    }

    private void grow() {
        int old = capacity;
        capacity = 2 * old;
        id = unrolled(id);
        hi = unrolled(hi);
        lo = unrolled(lo);
        endedNs = unrolled(endedNs);
        int[] ports = new int[capacity];
        for (int i = 0; i < old; i++) {
            ports[i] = port[(oldest + i) & (old - 1)];
        }
        port = ports;
        oldest = 0;
        nextInChain = new int[capacity];
        chain = filled(capacity);
        for (int i = 0; i < size; i++) {
            link(i);
        }
    }

    private long[] unrolled(long[] ring) {
        long[] copy = new long[capacity];
        for (int i = 0; i < ring.length; i++) {
            copy[i] = ring[(oldest + i) & (ring.length - 1)];
        }
        return copy;
    }

    private static int[] filled(int length) {
        int[] empty = new int[length];
        Arrays.fill(empty, EMPTY);
        return empty;
    }
}
