package io.homa4j.protocol;

import java.util.ArrayList;
import java.util.List;

/**
 * Every parameter of an engine, under the module's names where it has them (spec parameters; in Java the underscores
 * become capitals: {@code unsched_bytes} is {@link #unschedBytes}). A plain value: fill it, give it to
 * {@link Endpoint}, which keeps a copy. Two profiles exist: {@link #module()} reproduces the kernel module packet for
 * packet as far as captures show it, {@link #defaults()} is what homa4j does by itself (docs/defects.md lists the
 * differences).
 */
public final class Config {
    /** What is on the wire around the Homa packet; both ends must agree. */
    public enum Encapsulation {
        /** UDP payload is the Homa packet; a socket's Homa port is its UDP port; header ports are ignored on receipt. */
        UDP,
        /** One fixed UDP port on both sides, Homa ports inside. */
        UDP_TUNNEL,
        /** IP protocol 146, IPv4 and IPv6. */
        IP
    }

    /** What a client does when the server says it does not know an RPC that may have run. */
    public enum Restart {
        /** Send the request again, as the module does (spec protocol 5.6). */
        ALWAYS,
        /** Fail the RPC with {@link Status#OUTCOME_UNKNOWN}. */
        NEVER
    }

    /** Hard maximum of {@link #maxOvercommit} and of priority levels. */
    public static final int MAX_LEVELS = 8;
    /** Bytes in the largest message (spec protocol 1.4). */
    public static final int MAX_MESSAGE_BYTES = 1_000_000;

    // ---- encapsulation and profile

    /** What is on the wire. */
    public Encapsulation encapsulation = Encapsulation.UDP;
    /** Reproduce the module where captures show it (timers, NEED_ACK each tick, no partial overlaps, snapshots of ranks). */
    public boolean moduleProfile;
    /** Rules of grants and levels that no parameter expresses. */
    public Policy policy = Policy.MODULE;
    /** Largest message accepted or sent, bytes; only the simulator raises it. */
    public int maxMessageBytes = MAX_MESSAGE_BYTES;
    /** Bytes of the largest IP packet towards peers whose path is not known better. */
    public int mtu = 1500;
    /** Times a packet is lost before the message goes on in smaller ones, and its host soon too; 0 = never. */
    public int blackHoleLosses = 3;
    /** How long a path MTU that was too large is not tried again, s. */
    public int mtuRaiseSecs = 600;

    // ---- priorities (spec scheduling 16, 18)

    /** {@code num_priorities}: levels in use, 1 to 8. */
    public int numPriorities = 8;
    /** {@code priority_map}: level to wire value 0 to 7. */
    public int[] priorityMap = {0, 1, 2, 3, 4, 5, 6, 7};
    /** {@code unsched_cutoffs}: entry i is the longest message whose unscheduled bytes use level i. */
    public int[] unschedCutoffs = {0, 0, 0, 0, 1_000_000, 15_000, 2_800, 200};
    /** Take peers to have the same cutoffs, version 1, until they tell theirs; else all goes at level 6 until then. */
    public boolean assumeSameCutoffs;
    /** Recompute {@link #unschedCutoffs} from the message sizes received (spec scheduling 17). */
    public boolean tuneCutoffs = true;
    /** Shortest time between two recomputations, ns. */
    public long tuneCutoffsIntervalNs = 1_000_000_000L;
    /** Messages that must have arrived before a recomputation. */
    public int tuneCutoffsMinMessages = 10_000;
    /** Sum of relative changes of the nine deciles of message length that installs a new table. */
    public double tuneCutoffsMinDrift = 1.0;

    // ---- sending

    /** {@code unsched_bytes}: leading bytes of a message sent without grant. */
    public int unschedBytes = 40_000;
    /** Derive {@link #unschedBytes} and {@link #maxIncoming} from rate and round trip once both are known. */
    public boolean adaptToPath = true;
    /** Find out the rate of the uplink from what a full driver takes, and of the downlink from what queues deliver. */
    public boolean findLinkRate = true;
    /** {@code defer_min_bytes}: messages with at most this many bytes left are never held back by pacing. */
    public int deferMinBytes = 1_000;
    /** {@code link_mbps}: rate of the uplink, Mbit/s; 0 = unknown, then nothing is paced until {@link Endpoint#link} tells it. */
    public int linkMbps;
    /** {@code max_link_usage}: usable percent of the link, 5 to 100. */
    public int maxLinkUsage = 99;
    /** {@code max_nic_est_backlog_usecs}: limit of the estimated queue below us, us. */
    public int maxNicEstBacklogUsecs = 5;
    /** {@code pacer_fifo_fraction}: thousandths of paced transmissions that go to the oldest message. */
    public int pacerFifoFraction = 50;
    /** {@code wmem_max}: bytes in outgoing messages per socket; responses count by themselves. */
    public long wmemMax = 100_000_000;
    /** Outgoing messages per socket; responses count by themselves. */
    public int maxOutgoing = 200_000;

    // ---- granting (spec scheduling 2 to 12)

    /** {@code max_overcommit}: messages granted at a time, 1 to 8. */
    public int maxOvercommit = 8;
    /** {@code max_incoming}: target for bytes granted but not received. */
    public int maxIncoming = 400_000;
    /**
     * Unscheduled bytes of responses that may come at once before requests ask for less of them (Incast); 0 = never ask.
     * Values above {@link #maxIncoming} count as that.
     */
    public int incastBytes = 200_000;
    /** {@code window}: fixed window per message, bytes; 0 = dynamic. */
    public int window;
    /** {@code grant_fifo_fraction}: thousandths of the link for the oldest message, up to 500. */
    public int grantFifoFraction = 50;
    /** {@code fifo_grant_increment}: bytes of one FIFO grant. */
    public int fifoGrantIncrement = 10_000;

    // ---- timers; a tick is tickNs (spec protocol 7)

    /** Length of a tick, ns. */
    public long tickNs = 1_000_000;
    /** {@code resend_ticks}: silence before the first RESEND. */
    public int resendTicks = 5;
    /** {@code resend_interval}: ticks between RESENDs. */
    public int resendInterval = 5;
    /** {@code timeout_ticks}: silence after which an RPC is given up. */
    public int timeoutTicks = 1_000;
    /** CUTOFFS go to a peer at most once per slot of a grid of this width, ns (the module: its coarse clock). */
    public long cutoffsGridNs = 1_000_000;
    /** {@code request_ack_ticks}: ticks from a response fully sent to the first NEED_ACK. */
    public int requestAckTicks = 2;
    /** Longest RESEND interval after repeated BUSY, ticks. */
    public int busyResendMaxTicks = 250;
    /** RESENDs and NEED_ACKs per peer and tick; the rest waits for the next tick. */
    public int maxResendsPerPeerTick = 32;
    /** Ticks an ack waits for a DATA packet to ride on before it leaves in an ACK packet; 0 = for ever, as the module. */
    public int ackDelayTicks = 1;
    /** Ticks a message may wait for receive space before its RPC fails or is dropped; 0 = for ever, as the module. */
    public int receiveSpaceWaitTicks = 1_000;
    /** What to do after RPC_UNKNOWN for a request that may have run. */
    public Restart restart = Restart.ALWAYS;

    // ---- bounds (design 6)

    /** Peers known at a time. */
    public int maxPeers = 20_000;
    /** {@code peer_gc_threshold}: below this many peers none is collected. */
    public int peerGcThreshold = 5_000;
    /** {@code peer_idle_secs_min}: peers idle for less are never collected, s. */
    public int peerIdleSecsMin = 10;
    /** {@code peer_idle_secs_max}: peers idle for longer may be collected, s. */
    public int peerIdleSecsMax = 120;
    /** {@code peer_net_max}: between the two idle limits peers are collected only beyond this number. */
    public int peerNetMax = 10_000;
    /** Server RPCs at a time. */
    public int maxServerRpcs = 200_000;
    /** Client RPCs at a time. */
    public int maxClientRpcs = 200_000;
    /** Requests handed to the application and not answered, per socket. */
    public int maxInService = 10_000;
    /** Holes in one incoming message; packets that would open one more are dropped. */
    public int maxGaps = 1_000;
    /** {@code finished_rpc_msecs}: how long an ended RPC is remembered at the server, ms; 0 = not at all, as the module. */
    public int finishedRpcMsecs = 1_000;
    /** Ended RPCs remembered at most; older ones are forgotten early and counted. */
    public int maxFinishedRpcs = 1 << 20;
    /** Control packets waiting to leave; more are dropped and counted, as if the network had lost them. */
    public int maxControlQueue = 65_536;
    /** Peers must prove that they receive at their address before more than three times their bytes go to them. */
    public boolean proveReachability = true;
    /** Share of receive region and RPC table for all unproven peers together: one of this many parts. */
    public int unprovenShare = 8;
    /** Share of the receive region for one host: one of this many parts; 1 = no limit. */
    public int hostShare = 4;
    /** Clients take packets only from the address (and, over UDP, port) they sent to (D-15). */
    public boolean checkSource = true;
    /** Answers to packets for unknown RPCs per tick, in all; an eighth of it per source. */
    public int maxUnknownAnswersPerTick = 64;
    /** Bytes retransmitted per message at most once in this time, ns; 0 = at every RESEND, as the module. */
    public long retransmitMinIntervalNs = 1_000_000;

    /** First client RPC id; 0 = a random 62-bit even number from the seed. */
    public long firstId;

    /** homa4j's own profile. */
    public static Config defaults() {
        return new Config();
    }

    /** The kernel module's behaviour and parameters, over IP 146. */
    public static Config module() {
        Config config = new Config();
        config.moduleProfile = true;
        config.encapsulation = Encapsulation.IP;
        config.blackHoleLosses = 0;
        config.tuneCutoffs = false;
        config.adaptToPath = false;
        config.findLinkRate = false;
        config.incastBytes = 0;
        config.fifoGrantIncrement = 50_000;
        config.linkMbps = 25_000;
        config.timeoutTicks = 100;
        config.busyResendMaxTicks = 0;
        config.maxResendsPerPeerTick = Integer.MAX_VALUE;
        config.ackDelayTicks = 0;
        config.cutoffsGridNs = 4_000_000;
        config.receiveSpaceWaitTicks = 0;
        config.finishedRpcMsecs = 0;
        config.proveReachability = false;
        config.unprovenShare = 1;
        config.hostShare = 1;
        config.checkSource = false;
        config.maxUnknownAnswersPerTick = Integer.MAX_VALUE;
        config.retransmitMinIntervalNs = 0;
        config.firstId = 2;
        return config;
    }

    /** A copy that shares nothing with this one. */
    public Config copy() {
        Config copy = new Config();
        copy.assign(this);
        return copy;
    }

    /** Takes over every value of another one. */
    void assign(Config other) {
        encapsulation = other.encapsulation;
        moduleProfile = other.moduleProfile;
        policy = other.policy;
        maxMessageBytes = other.maxMessageBytes;
        mtu = other.mtu;
        blackHoleLosses = other.blackHoleLosses;
        mtuRaiseSecs = other.mtuRaiseSecs;
        numPriorities = other.numPriorities;
        priorityMap = other.priorityMap.clone();
        unschedCutoffs = other.unschedCutoffs.clone();
        assumeSameCutoffs = other.assumeSameCutoffs;
        tuneCutoffs = other.tuneCutoffs;
        tuneCutoffsIntervalNs = other.tuneCutoffsIntervalNs;
        tuneCutoffsMinMessages = other.tuneCutoffsMinMessages;
        tuneCutoffsMinDrift = other.tuneCutoffsMinDrift;
        unschedBytes = other.unschedBytes;
        adaptToPath = other.adaptToPath;
        findLinkRate = other.findLinkRate;
        deferMinBytes = other.deferMinBytes;
        linkMbps = other.linkMbps;
        maxLinkUsage = other.maxLinkUsage;
        maxNicEstBacklogUsecs = other.maxNicEstBacklogUsecs;
        pacerFifoFraction = other.pacerFifoFraction;
        wmemMax = other.wmemMax;
        maxOutgoing = other.maxOutgoing;
        maxOvercommit = other.maxOvercommit;
        maxIncoming = other.maxIncoming;
        incastBytes = other.incastBytes;
        window = other.window;
        grantFifoFraction = other.grantFifoFraction;
        fifoGrantIncrement = other.fifoGrantIncrement;
        tickNs = other.tickNs;
        resendTicks = other.resendTicks;
        resendInterval = other.resendInterval;
        timeoutTicks = other.timeoutTicks;
        requestAckTicks = other.requestAckTicks;
        cutoffsGridNs = other.cutoffsGridNs;
        busyResendMaxTicks = other.busyResendMaxTicks;
        maxResendsPerPeerTick = other.maxResendsPerPeerTick;
        ackDelayTicks = other.ackDelayTicks;
        receiveSpaceWaitTicks = other.receiveSpaceWaitTicks;
        restart = other.restart;
        maxPeers = other.maxPeers;
        peerGcThreshold = other.peerGcThreshold;
        peerIdleSecsMin = other.peerIdleSecsMin;
        peerIdleSecsMax = other.peerIdleSecsMax;
        peerNetMax = other.peerNetMax;
        maxServerRpcs = other.maxServerRpcs;
        maxClientRpcs = other.maxClientRpcs;
        maxInService = other.maxInService;
        maxGaps = other.maxGaps;
        finishedRpcMsecs = other.finishedRpcMsecs;
        maxFinishedRpcs = other.maxFinishedRpcs;
        maxControlQueue = other.maxControlQueue;
        proveReachability = other.proveReachability;
        unprovenShare = other.unprovenShare;
        hostShare = other.hostShare;
        checkSource = other.checkSource;
        maxUnknownAnswersPerTick = other.maxUnknownAnswersPerTick;
        retransmitMinIntervalNs = other.retransmitMinIntervalNs;
        firstId = other.firstId;
    }

    /**
     * Applies the module's clamps (num_priorities and max_overcommit to 8, max_link_usage to 5..100, fifo fraction to
     * 500) and rejects what has no meaning.
     *
     * @throws IllegalArgumentException naming the parameter, its value and its range
     */
    void normalize() {
        numPriorities = Math.min(numPriorities, MAX_LEVELS);
        maxOvercommit = Math.min(maxOvercommit, MAX_LEVELS);
        grantFifoFraction = Math.min(grantFifoFraction, 500);
        maxLinkUsage = Math.clamp(maxLinkUsage, 5, 100);
        List<String> wrong = new ArrayList<>();
        check(wrong, "num_priorities", numPriorities, 1, MAX_LEVELS);
        check(wrong, "max_overcommit", maxOvercommit, 1, MAX_LEVELS);
        check(wrong, "grant_fifo_fraction", grantFifoFraction, 0, 500);
        check(wrong, "fifo_grant_increment", fifoGrantIncrement, 0, Integer.MAX_VALUE);
        // A message of which nothing may be sent unasked would never begin; the module lets it time out.
        check(wrong, "unsched_bytes", unschedBytes, moduleProfile ? 0 : 1, Integer.MAX_VALUE);
        check(wrong, "max_incoming", maxIncoming, 0, Integer.MAX_VALUE);
        check(wrong, "incast_bytes", incastBytes, 0, Integer.MAX_VALUE);
        check(wrong, "window", window, 0, Integer.MAX_VALUE);
        check(wrong, "link_mbps", linkMbps, 0, Integer.MAX_VALUE);
        check(wrong, "pacer_fifo_fraction", pacerFifoFraction, 0, 1000);
        check(wrong, "max_nic_est_backlog_usecs", maxNicEstBacklogUsecs, 0, Integer.MAX_VALUE);
        check(wrong, "resend_ticks", resendTicks, 1, 1 << 20);
        check(wrong, "resend_interval", resendInterval, 1, 1 << 20);
        check(wrong, "timeout_ticks", timeoutTicks, 1, 1 << 24);
        check(wrong, "request_ack_ticks", requestAckTicks, 0, 1 << 20);
        check(wrong, "cutoffs_grid_ns", cutoffsGridNs, 1, 1_000_000_000L);
        check(wrong, "tick_ns", tickNs, 1_000, 1_000_000_000L);
        check(wrong, "mtu", mtu, 0, 65_575);
        check(wrong, "black_hole_losses", blackHoleLosses, 0, 1_000);
        check(wrong, "mtu_raise_secs", mtuRaiseSecs, 1, 1 << 24);
        check(wrong, "max_message_bytes", maxMessageBytes, 1, 1 << 30);
        check(wrong, "defer_min_bytes", deferMinBytes, 0, Integer.MAX_VALUE);
        check(wrong, "wmem_max", wmemMax, 1, Long.MAX_VALUE);
        check(wrong, "max_outgoing", maxOutgoing, 1, 1 << 26);
        check(wrong, "max_in_service", maxInService, 1, 1 << 26);
        check(wrong, "max_gaps", maxGaps, 1, 1 << 20);
        check(wrong, "busy_resend_max_ticks", busyResendMaxTicks, 0, 1 << 20);
        check(wrong, "max_resends_per_peer_tick", maxResendsPerPeerTick, 1, Integer.MAX_VALUE);
        check(wrong, "ack_delay_ticks", ackDelayTicks, 0, 1 << 20);
        check(wrong, "receive_space_wait_ticks", receiveSpaceWaitTicks, 0, 1 << 24);
        check(wrong, "finished_rpc_msecs", finishedRpcMsecs, 0, 1 << 24);
        check(wrong, "max_finished_rpcs", maxFinishedRpcs, 0, 1 << 26);
        check(wrong, "max_unknown_answers_per_tick", maxUnknownAnswersPerTick, 0, Integer.MAX_VALUE);
        check(wrong, "retransmit_min_interval_ns", retransmitMinIntervalNs, 0, 1_000_000_000L);
        check(wrong, "peer_gc_threshold", peerGcThreshold, 0, Integer.MAX_VALUE);
        check(wrong, "peer_idle_secs_min", peerIdleSecsMin, 0, 1 << 24);
        check(wrong, "peer_idle_secs_max", peerIdleSecsMax, 0, 1 << 24);
        check(wrong, "peer_net_max", peerNetMax, 0, Integer.MAX_VALUE);
        check(wrong, "tune_cutoffs_interval_ns", tuneCutoffsIntervalNs, 0, Long.MAX_VALUE);
        check(wrong, "tune_cutoffs_min_messages", tuneCutoffsMinMessages, 1, Integer.MAX_VALUE);
        check(wrong, "max_peers", maxPeers, 1, 1 << 24);
        check(wrong, "max_server_rpcs", maxServerRpcs, 1, 1 << 26);
        check(wrong, "max_client_rpcs", maxClientRpcs, 1, 1 << 26);
        check(wrong, "max_control_queue", maxControlQueue, 16, 1 << 24);
        check(wrong, "unproven_share", unprovenShare, 1, 1 << 10);
        check(wrong, "host_share", hostShare, 1, 1 << 10);
        if (priorityMap.length != MAX_LEVELS || unschedCutoffs.length != MAX_LEVELS) {
            wrong.add("priority_map and unsched_cutoffs need " + MAX_LEVELS + " entries");
        } else {
            for (int value : priorityMap) {
                check(wrong, "priority_map", value, 0, 7);
            }
        }
        if ((firstId & 1) != 0) {
            wrong.add("next_id = " + firstId + " must be even: odd ids belong to servers (D-18)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", wrong));
        }
    }

    private static void check(List<String> wrong, String name, long value, long low, long high) {
        if (value < low || value > high) {
            wrong.add(name + " = " + value + " is outside " + low + ".." + high);
        }
    }
}
