package io.homa4j.protocol;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All peers and their hosts: lookup, creation up to a bound, and collection of the idle ones (spec protocol 8 items 1
 * to 6). Unproven peers without RPCs go first when the table is full (design 6, bounds).
 */
final class PeerTable {
    private static final int SCAN_PER_TICK = 10;
    private static final int EVICT_PER_TICK = 5;

    private final Config config;
    private final Counters counters;
    private final Turn turn;
    private final KeyedHash hash;

    /** Sizes of packets towards new peers. */
    private PathMtus pathMtus;

    private @Nullable Peer[] buckets = new Peer[64];
    private @Nullable Host[] hostBuckets = new Host[64];
    private int hosts;
    private int unproven;
    /** Peers in use, dense. */
    private final List<Peer> all = new ArrayList<>();

    private final List<Peer> sparePeers = new ArrayList<>();
    private final List<Host> spareHosts = new ArrayList<>();
    private int scanAt;
    private final Peer[] victims = new Peer[EVICT_PER_TICK];

    private @Nullable Peer firstIdleUnproven;
    private @Nullable Peer lastIdleUnproven;

    PeerTable(Config config, Counters counters, Turn turn, KeyedHash hash) {
        this.config = config;
        this.counters = counters;
        this.turn = turn;
        this.hash = hash;
        this.pathMtus = (hi, lo) -> this.config.mtu;
        Arrays.fill(victims, Peer.NONE);
    }

    void pathMtus(PathMtus known) {
        pathMtus = known;
    }

    /** Bytes of the largest IP packet towards an address, before anything is known of the path. */
    int interfaceMtu(long hi, long lo) {
        return pathMtus.mtu(hi, lo);
    }

    int size() {
        return all.size();
    }

    int hosts() {
        return hosts;
    }

    Peer get(int i) {
        return all.get(i);
    }

    /** The peer, or null; does not count as access. */
    @Nullable
    Peer find(int socketKey, long hi, long lo, int port) {
        for (Peer peer = buckets[bucket(socketKey, hi, lo, port)]; peer != null; peer = peer.nextInBucket) {
            if (peer.lo == lo && peer.hi == hi && peer.port == port && peer.socketKey == socketKey) {
                return peer;
            }
        }
        return null;
    }

    /**
     * The peer, created if need be; null if there is no room for it. Unproven peers have a share of the table and only
     * push out their like. One that is known stays as proven as it was.
     *
     * @param isTrusted it has proved that it receives at its address, or it is we who begin to talk to it
     */
    @Nullable
    Peer findOrCreate(int socketKey, long hi, long lo, int port, boolean isTrusted) {
        Peer peer = find(socketKey, hi, lo, port);
        if (peer == null) {
            boolean mayCreate = isTrusted || !config.proveReachability
                    ? all.size() < config.maxPeers || evictOne()
                    : unproven < maxUnproven() && all.size() < config.maxPeers || evictUnproven();
            if (!mayCreate) {
                counters.add(Counters.PEER_TABLE_FULL, 1);
                return null;
            }
            peer = create(socketKey, hi, lo, port);
            if (isTrusted) {
                prove(peer);
            }
        }
        peer.accessNs = turn.nowNs;
        return peer;
    }

    /** A host if it is known; null otherwise. */
    @Nullable
    Host findHost(long hi, long lo) {
        for (Host host = hostBuckets[hostBucket(hi, lo)]; host != null; host = host.nextInBucket) {
            if (host.lo == lo && host.hi == hi) {
                return host;
            }
        }
        return null;
    }

    private Peer create(int socketKey, long hi, long lo, int port) {
        counters.add(Counters.PEER_ALLOCS, 1);
        Peer peer = sparePeers.isEmpty() ? new Peer() : sparePeers.removeLast();
        peer.hi = hi;
        peer.lo = lo;
        peer.port = port;
        peer.socketKey = socketKey;
        peer.localHi = 0;
        peer.localLo = 0;
        peer.rpcs = 0;
        // Until told otherwise everything unscheduled goes at level 6 (spec scheduling 16.3).
        Arrays.fill(peer.cutoffs, 0);
        peer.cutoffs[6] = Integer.MAX_VALUE;
        peer.cutoffVersion = 0;
        if (config.assumeSameCutoffs) {
            System.arraycopy(config.unschedCutoffs, 0, peer.cutoffs, 0, peer.cutoffs.length);
            peer.cutoffVersion = 1;
        }
        peer.cutoffsSentSlot = Long.MIN_VALUE;
        peer.isProven = !config.proveReachability;
        unproven += peer.isProven ? 0 : 1;
        peer.receivedBytes = 0;
        peer.sentBytes = 0;
        peer.proofQueue = null;
        peer.acks = 0;
        peer.resendTick = Long.MIN_VALUE;
        peer.probeTick = Long.MIN_VALUE;
        peer.host = hostOf(hi, lo);
        int interfaceMtu = interfaceMtu(hi, lo);
        if (interfaceMtu != peer.host.interfaceMtu) {
            peer.host.beginPath(interfaceMtu);
        }
        peer.host.addPeer(peer);
        if (all.size() >= buckets.length) {
            growPeers();
        }
        int bucket = bucket(socketKey, hi, lo, port);
        peer.nextInBucket = buckets[bucket];
        buckets[bucket] = peer;
        peer.place = all.size();
        all.add(peer);
        updateIdle(peer);
        return peer;
    }

    /** Keeps the list of unproven peers without RPCs true; to be called when either has changed. */
    void updateIdle(Peer peer) {
        boolean belongs = peer != Peer.NONE && peer.place >= 0 && !peer.isProven && peer.rpcs == 0;
        if (belongs == peer.isIdleUnproven) {
            return;
        }
        peer.isIdleUnproven = belongs;
        if (belongs) {
            peer.idlePrevious = lastIdleUnproven;
            peer.idleNext = null;
            if (lastIdleUnproven == null) {
                firstIdleUnproven = peer;
            } else {
                lastIdleUnproven.idleNext = peer;
            }
            lastIdleUnproven = peer;
        } else {
            Peer previous = peer.idlePrevious;
            Peer next = peer.idleNext;
            if (previous == null) {
                firstIdleUnproven = next;
            } else {
                previous.idleNext = next;
            }
            if (next == null) {
                lastIdleUnproven = previous;
            } else {
                next.idlePrevious = previous;
            }
            peer.idleNext = null;
            peer.idlePrevious = null;
        }
    }

    /** Unproven peers there may be. */
    int maxUnproven() {
        return Math.max(1, config.maxPeers / config.unprovenShare);
    }

    /** The peer receives at its address. */
    void prove(Peer peer) {
        if (!peer.isProven) {
            peer.isProven = true;
            unproven--;
            updateIdle(peer);
        }
    }

    private boolean evictUnproven() {
        Peer victim = firstIdleUnproven;
        if (victim == null) {
            return false;
        }
        remove(victim);
        return true;
    }

    /** Makes room for one more: the unproven peer idle for longest, else the longest idle of a few others. */
    private boolean evictOne() {
        if (evictUnproven()) {
            return true;
        }
        Peer victim = null;
        if (!all.isEmpty()) {
            for (int i = 0; i < SCAN_PER_TICK && i < all.size(); i++) {
                scanAt = scanAt + 1 < all.size() ? scanAt + 1 : 0;
                Peer peer = all.get(scanAt);
                // Acks that leave only with data keep no peer here, or one call each would fill the table for good.
                if (peer.rpcs == 0 && !peer.isInAckQueue && (victim == null || peer.accessNs - victim.accessNs < 0)) {
                    victim = peer;
                }
            }
        }
        if (victim == null) {
            return false;
        }
        remove(victim);
        return true;
    }

    private static boolean mayGo(Peer peer) {
        return peer.rpcs == 0 && peer.acks == 0;
    }

    /**
     * Once per tick: nothing below {@code peer_gc_threshold}; else ten more peers are looked at and at most five go,
     * never one idle for less than the minimum, one idle for less than the maximum only beyond {@code peer_net_max};
     * longest idle first. Peers with RPCs or pending acks stay, where the module only unlinks them.
     */
    void collect() {
        if (all.size() < config.peerGcThreshold) {
            return;
        }
        long minNs = config.peerIdleSecsMin * 1_000_000_000L;
        long maxNs = config.peerIdleSecsMax * 1_000_000_000L;
        int count = 0;
        for (int i = 0; i < SCAN_PER_TICK && i < all.size(); i++) {
            scanAt = scanAt + 1 < all.size() ? scanAt + 1 : 0;
            Peer peer = all.get(scanAt);
            long idleNs = turn.nowNs - peer.accessNs;
            if (!mayGo(peer) || idleNs < minNs || idleNs < maxNs && all.size() <= config.peerNetMax) {
                continue;
            }
            count = addVictim(peer, count);
        }
        for (int i = 0; i < count; i++) {
            remove(victims[i]);
            victims[i] = Peer.NONE;
        }
    }

    /** Keeps the longest idle candidates, longest first. */
    private int addVictim(Peer peer, int count) {
        int at = count;
        while (at > 0 && peer.accessNs - victims[at - 1].accessNs < 0) {
            at--;
        }
        if (at == EVICT_PER_TICK) {
            return count;
        }
        int last = Math.min(count, EVICT_PER_TICK - 1);
        System.arraycopy(victims, at, victims, at + 1, last - at);
        victims[at] = peer;
        return last + 1;
    }

    private void remove(Peer peer) {
        counters.add(Counters.PEER_EVICTIONS, 1);
        int bucket = bucket(peer.socketKey, peer.hi, peer.lo, peer.port);
        Peer previous = null;
        for (Peer p = buckets[bucket]; p != null && p != peer; p = p.nextInBucket) {
            previous = p;
        }
        if (previous == null) {
            buckets[bucket] = peer.nextInBucket;
        } else {
            previous.nextInBucket = peer.nextInBucket;
        }
        peer.nextInBucket = null;
        Peer last = all.removeLast();
        if (last != peer) {
            all.set(peer.place, last);
            last.place = peer.place;
        }
        peer.place = -1;
        unproven -= peer.isProven ? 0 : 1;
        updateIdle(peer);
        Host host = peer.host;
        host.removePeer(peer);
        peer.host = Host.NONE;
        forgetIfUnused(host);
        sparePeers.add(peer);
    }

    /** Forgets the peers of a socket that is gone; its number will be another's. */
    void forgetSocket(Sock socket) {
        if (config.encapsulation == Config.Encapsulation.UDP) {
            for (int i = all.size() - 1; i >= 0; i--) {
                if (all.get(i).socketKey == socket.number) {
                    remove(all.get(i));
                }
            }
        }
    }

    /** The first peer of a host in the order of {@link #get}: for walks over hosts. */
    @Nullable
    Peer firstOf(Host host) {
        for (Peer peer : all) {
            if (peer.host == host) {
                return peer;
            }
        }
        return null;
    }

    /** Forgets all hosts of which nothing is left. */
    void forgetUnusedHosts() {
        for (Host head : hostBuckets.clone()) {
            for (Host host = head; host != null; ) {
                Host next = host.nextInBucket;
                forgetIfUnused(host);
                host = next;
            }
        }
    }

    /** Forgets a host without peers, space and messages. */
    void forgetIfUnused(Host host) {
        if (host == Host.NONE || host.peers > 0 || host.regionBytes() > 0) {
            return;
        }
        int bucket = hostBucket(host.hi, host.lo);
        Host previous = null;
        for (Host h = hostBuckets[bucket]; h != null && h != host; h = h.nextInBucket) {
            previous = h;
        }
        if (previous == null) {
            hostBuckets[bucket] = host.nextInBucket;
        } else {
            previous.nextInBucket = host.nextInBucket;
        }
        host.nextInBucket = null;
        hosts--;
        spareHosts.add(host);
    }

    /** Peers and hosts are found by their names, and what is counted of them is true. */
    void audit(Audit audit) {
        int countedUnproven = 0;
        int idle = 0;
        int peersOfHosts = 0;
        int countedHosts = 0;
        for (int i = 0; i < all.size(); i++) {
            Peer peer = all.get(i);
            countedUnproven += peer.isProven ? 0 : 1;
            idle += peer.isIdleUnproven ? 1 : 0;
            if (peer.place != i || find(peer.socketKey, peer.hi, peer.lo, peer.port) != peer) {
                audit.wrong("peer " + i + " is not found");
            }
            if (findHost(peer.hi, peer.lo) != peer.host) {
                audit.wrong("the host of peer " + i + " is not found");
            }
            if (!peer.isProven && peer.sentBytes > 3 * peer.receivedBytes) {
                audit.wrong("an unproven peer was sent " + peer.sentBytes + " bytes for " + peer.receivedBytes);
            }
            if (peer.isProven && peer.proofQueue != null) {
                audit.wrong("a response waits for the proof of a proven peer");
            }
            if (peer.isIdleUnproven != (!peer.isProven && peer.rpcs == 0)) {
                audit.wrong("peer " + i + " is idle and unproven, or not");
            }
        }
        int listed = 0;
        for (Peer peer = firstIdleUnproven; peer != null; peer = peer.idleNext) {
            listed++;
        }
        for (Host head : hostBuckets) {
            for (Host host = head; host != null; host = host.nextInBucket) {
                countedHosts++;
                peersOfHosts += host.peers;
                host.audit(audit);
                if (host.peers == 0 && host.regionBytes() == 0) {
                    audit.wrong("a host of which nothing is left is remembered");
                }
            }
        }
        audit.equal("unproven peers", countedUnproven, unproven);
        audit.equal("idle unproven peers", idle, listed);
        audit.equal("peers of hosts", peersOfHosts, all.size());
        audit.equal("hosts", countedHosts, hosts);
        if (all.size() > config.maxPeers + 1) {
            audit.wrong(all.size() + " peers exceed max_peers");
        }
    }

    private Host hostOf(long hi, long lo) {
        Host host = findHost(hi, lo);
        if (host == null) {
            host = spareHosts.isEmpty() ? new Host() : spareHosts.removeLast();
            host.hi = hi;
            host.lo = lo;
            host.peers = 0;
            host.rttNs = Host.UNKNOWN_RTT;
            host.queueingNs = 0;
            host.beginPath(interfaceMtu(hi, lo));
            if (hosts >= hostBuckets.length) {
                growHosts();
            }
            int bucket = hostBucket(hi, lo);
            host.nextInBucket = hostBuckets[bucket];
            hostBuckets[bucket] = host;
            hosts++;
        }
        return host;
    }

    private int bucket(int socketKey, long hi, long lo, int port) {
        return hash.of(hi, lo, (long) socketKey << 16 | port) & (buckets.length - 1);
    }

    private int hostBucket(long hi, long lo) {
        return hash.of(hi, lo, -1) & (hostBuckets.length - 1);
    }

    private void growPeers() {
        buckets = new Peer[2 * buckets.length];
        for (Peer peer : all) {
            int bucket = bucket(peer.socketKey, peer.hi, peer.lo, peer.port);
            peer.nextInBucket = buckets[bucket];
            buckets[bucket] = peer;
        }
    }

    private void growHosts() {
        @Nullable Host[] old = hostBuckets;
        hostBuckets = new Host[2 * old.length];
        for (Host head : old) {
            for (Host host = head; host != null; ) {
                Host next = host.nextInBucket;
                int bucket = hostBucket(host.hi, host.lo);
                host.nextInBucket = hostBuckets[bucket];
                hostBuckets[bucket] = host;
                host = next;
            }
        }
    }
}
