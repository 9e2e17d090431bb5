package io.homa4j.sim;

import io.homa4j.protocol.Config;
import io.homa4j.protocol.Endpoint;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Everything chance decides in a run, drawn before it begins: hosts, network, faults, calls. It is drawn by swarm (Groce
 * and others 2012): each kind of fault is first in or out of the run as a whole, and has a strength that spans orders of
 * magnitude, so that some runs have none of a kind and others much of a few.
 */
final class FuzzPlan {
    static final long US = 1_000;
    static final long MS = 1_000_000;
    /** Longest message. */
    static final int MAX_BYTES = Config.MAX_MESSAGE_BYTES;

    /** What a run is about, and which checks hold in it. */
    enum Kind {
        /** No faults at all: nothing may fail. */
        CALM,
        /** Faults of any kind but forged packets. */
        MIXED,
        /** Damage that no checksum catches, which is what an attacker on the path can do: only hostility rules hold. */
        HOSTILE,
        /** No faults, and one long message against a crowd of short ones that outrank it. */
        CROWD
    }

    /** What a host is. */
    enum Profile {
        DEFAULT,
        MODULE,
        STRIPPED
    }

    /** A link from one host to another; chances in millionths. */
    record LinkPlan(int loss, int duplicate, int reorder, long reorderNs, int corrupt, int hostile, long jitterNs) {
        static final LinkPlan PERFECT = new LinkPlan(0, 0, 0, 0, 0, 0, 0);
    }

    /**
     * A host.
     *
     * @param turnDelayNs from an arrival to the turn that takes it
     * @param batchLimit packets in a batch
     * @param ringPackets packets the driver takes before it is full
     * @param inboxPackets packets the socket buffer takes
     * @param driverFull chance that the driver takes a part of a batch only, millionths
     * @param sockets number of them; the first is a server and a client, the second a client
     * @param tellsErrors whether it answers packets that nobody wants with ICMP
     */
    record HostPlan(
            Profile profile,
            Config config,
            long clockOffsetNs,
            int driftPpm,
            long turnDelayNs,
            int batchLimit,
            int ringPackets,
            int inboxPackets,
            long regionBytes,
            int driverFull,
            long readDelayNs,
            int sockets,
            boolean tellsErrors) {}

    /** Something that happens at a time and may last. */
    record Timed(Fault fault, long atNs, long forNs, int host, int other, int value) {}

    final long seed;
    final Kind kind;
    final Set<Fault> swarm = EnumSet.noneOf(Fault.class);
    final Config.Encapsulation encapsulation;
    /** Bit 0: hosts have an IPv4 address, bit 1: an IPv6 address. */
    final int families;

    final long bitsPerSecond;
    final long delayNs;
    final long bufferBytes;
    /** Bytes of the largest IP packet any host makes. */
    final int mtu;

    final long loadNs;
    /** From here on there are no faults and everybody comes to an end. */
    final long healNs;

    final List<HostPlan> hosts = new ArrayList<>();
    final LinkPlan[][] links;
    final List<Timed> timed = new ArrayList<>();
    final List<CallPlan> calls = new ArrayList<>();

    FuzzPlan(long seed) {
        this.seed = seed;
        Prng root = new Prng(seed);
        Prng lot = root.split(1);
        int draw = lot.nextInt(100);
        kind = draw < 8 ? Kind.CALM : draw < 85 ? Kind.MIXED : draw < 97 ? Kind.HOSTILE : Kind.CROWD;
        int hostCount = kind == Kind.CROWD ? 4 : 2 + Math.min(lot.nextInt(3), lot.nextInt(4));
        encapsulation = kind == Kind.CROWD || !lot.oneIn(3)
                ? Config.Encapsulation.UDP
                : lot.oneIn(2) ? Config.Encapsulation.UDP_TUNNEL : Config.Encapsulation.IP;
        families = lot.oneIn(3) ? 1 + lot.nextInt(3) : 1;
        bitsPerSecond = kind == Kind.CROWD ? 10_000_000_000L : pick(lot, 1, 10, 10, 25, 40, 100) * 1_000_000_000L;
        delayNs = kind == Kind.CROWD ? 2_000 : 200L << lot.nextInt(10);
        mtu = kind != Kind.CROWD && lot.oneIn(6) ? (int) pick(lot, 576, 1_280, 4_000, 9_000) : 1_500;
        loadNs = MS << lot.nextInt(6);
        if (kind == Kind.MIXED || kind == Kind.HOSTILE) {
            drawSwarm(root.split(2));
        }
        healNs = loadNs + (swarm.isEmpty() ? 0 : lot.nextLong(pick(lot, 10, 50, 50, 400, 1_500) * MS));
        bufferBytes = swarm.contains(Fault.OVERFLOW) ? pick(lot, 4_000, 20_000, 100_000) : 0;
        for (int i = 0; i < hostCount; i++) {
            hosts.add(drawHost(root.split(100 + i), i));
        }
        links = new LinkPlan[hostCount][hostCount];
        Prng linkLot = root.split(3);
        for (int from = 0; from < hostCount; from++) {
            for (int to = 0; to < hostCount; to++) {
                links[from][to] = drawLink(linkLot);
            }
        }
        drawTimed(root.split(4));
        if (kind == Kind.CROWD) {
            drawCrowd(root.split(5));
        } else {
            drawCalls(root.split(5));
        }
    }

    private boolean has(Fault fault) {
        return swarm.contains(fault);
    }

    private static long pick(Prng lot, long... choices) {
        return choices[lot.nextInt(choices.length)];
    }

    /** 0.1 % to 25.6 %, each doubling as likely as the next. */
    private static int strength(Prng lot) {
        return 1_000 << lot.nextInt(9);
    }

    private void drawSwarm(Prng lot) {
        // How many of the kinds: from a few to most.
        int share = 1 + lot.nextInt(lot.oneIn(3) ? 60 : 25);
        for (Fault fault : Fault.values()) {
            if (lot.nextInt(100) < share) {
                swarm.add(fault);
            }
        }
        if (kind == Kind.HOSTILE) {
            swarm.add(Fault.HOSTILE_CORRUPTION);
        } else {
            swarm.remove(Fault.HOSTILE_CORRUPTION);
        }
        swarm.remove(Fault.CROWD);
    }

    // ---- hosts

    private HostPlan drawHost(Prng lot, int number) {
        Profile profile = has(Fault.STRIPPED_PEER) && lot.oneIn(2)
                ? Profile.STRIPPED
                : has(Fault.MODULE_PEER) && lot.oneIn(2) ? Profile.MODULE : Profile.DEFAULT;
        Config config = profile == Profile.DEFAULT ? Config.defaults() : Config.module();
        config.encapsulation = encapsulation;
        config.mtu = mtu;
        config.linkMbps = profile == Profile.DEFAULT && lot.oneIn(2) ? 0 : (int) (bitsPerSecond / 1_000_000);
        if (config.moduleProfile) {
            // The module counts ids for the whole machine from its start on; here each start begins elsewhere, because
            // a machine that comes back with ids it had before confuses itself with the one it was.
            config.firstId = (lot.nextLong() >>> 2 & ~1L) | 2;
        }
        if (has(Fault.RANDOM_PARAMETERS)) {
            RandomParameters.draw(lot, config);
        }
        if (has(Fault.TINY_TABLES) && lot.oneIn(2)) {
            RandomParameters.tiny(lot, config);
        }
        if (profile == Profile.STRIPPED) {
            config.unschedBytes = MAX_BYTES;
        }
        if (kind == Kind.CROWD) {
            // So little that the crowd's unscheduled bytes take all of it.
            config.maxIncoming = CROWD_MAX_INCOMING;
        }
        if (profile == Profile.DEFAULT && has(Fault.MEMORY_HELD) && lot.oneIn(2)) {
            config.receiveSpaceWaitTicks = (int) pick(lot, 1, 10, 100);
        }
        if (profile == Profile.DEFAULT && has(Fault.RESTART) && lot.oneIn(2)) {
            config.restart = Config.Restart.NEVER;
        }
        boolean isCalm = swarm.isEmpty();
        return new HostPlan(
                profile,
                config,
                lot.oneIn(8) ? Long.MAX_VALUE - lot.nextLong(100 * MS) : lot.nextLong() >> lot.nextInt(63),
                has(Fault.CLOCK_SKEW) ? lot.nextInt(200_001) - 100_000 : 0,
                isCalm ? lot.nextLong(2 * US) : lot.nextLong(pick(lot, 100, 1_000, 10_000, 100_000)),
                1 + lot.nextInt(64),
                (int) pick(lot, 1, 4, 16, 64, 256),
                has(Fault.OVERFLOW) ? (int) pick(lot, 8, 64, 256) : 1 << 20,
                Endpoint.MIN_REGION_BYTES << (lot.oneIn(3) ? lot.nextInt(3) : 0),
                has(Fault.DRIVER_FULL) ? strength(lot) : 0,
                has(Fault.LATE_READ) && lot.oneIn(2) ? lot.nextLong(5 * MS) : 0,
                kind == Kind.CROWD || number == 0 || lot.oneIn(2) ? 1 : 2,
                has(Fault.NETWORK_ERROR));
    }

    // ---- network

    private LinkPlan drawLink(Prng lot) {
        if (swarm.isEmpty() || lot.oneIn(3)) {
            return LinkPlan.PERFECT;
        }
        return new LinkPlan(
                has(Fault.LOSS) ? strength(lot) : 0,
                has(Fault.DUPLICATION) ? strength(lot) : 0,
                has(Fault.REORDERING) ? strength(lot) : 0,
                US << lot.nextInt(12),
                has(Fault.CORRUPTION) ? strength(lot) : 0,
                has(Fault.HOSTILE_CORRUPTION) ? strength(lot) : 0,
                has(Fault.JITTER) ? US << lot.nextInt(11) : 0);
    }

    private void drawTimed(Prng lot) {
        for (Fault fault : swarm) {
            int times = switch (fault) {
                case CLOG, PARTITION, ONE_WAY_PARTITION, PAUSE, RECONFIGURATION, NAT_REBINDING -> 1 + lot.nextInt(4);
                case CRASH,
                        RESTART,
                        RESTART_ELSEWHERE,
                        RESTART_OTHER_PORTS,
                        MTU_TOLD,
                        MTU_BLACK_HOLE,
                        ABORT_ALL,
                        SHUTDOWN,
                        REOPENING,
                        NEW_CUTOFFS -> 1 + lot.nextInt(2);
                default -> 0;
            };
            for (int i = 0; i < times; i++) {
                long atNs = lot.nextLong(lot.oneIn(4) ? healNs : loadNs);
                long forNs = Math.min(1 + lot.nextLong(pick(lot, 1, 5, 20, 100, 1_000) * MS), healNs - atNs);
                int host = lot.nextInt(hosts.size());
                int other = (host + 1 + lot.nextInt(hosts.size() - 1)) % hosts.size();
                timed.add(new Timed(fault, atNs, forNs, host, other, lot.nextInt(1 << 30)));
            }
        }
    }

    // ---- calls

    private void drawCalls(Prng lot) {
        int count = 3 + lot.nextInt(4 << lot.nextInt(6));
        long budget = 400_000L << lot.nextInt(3);
        if (has(Fault.MEMORY_HELD) && lot.split(1).oneIn(2)) {
            // Enough to fill a receive region with what is kept.
            budget *= 8;
        }
        // The mix of sizes is the run's own: some are all short, some all long.
        int longest = 2 + lot.nextInt(4);
        boolean isBurst = lot.oneIn(4);
        int hub = lot.oneIn(3) ? lot.nextInt(hosts.size()) : -1;
        for (int i = 0; i < count; i++) {
            int client = lot.nextInt(hosts.size());
            int server = hub >= 0 && hub != client ? hub : lot.nextInt(hosts.size());
            server = server == client ? (server + 1) % hosts.size() : server;
            int request = length(lot, longest, budget);
            int response = length(lot, longest, budget);
            budget = Math.max(20_000, budget - request - response);
            calls.add(call(
                    lot, i, isBurst ? lot.nextLong(20 * US) : lot.nextLong(loadNs), client, server, request, response));
        }
    }

    private CallPlan call(Prng lot, int number, long atNs, int client, int server, int request, int response) {
        boolean isDismissed = has(Fault.DISMISSAL) && lot.oneIn(8);
        boolean isLeft = !isDismissed && has(Fault.NO_REPLY) && lot.oneIn(6);
        boolean isEnded = (has(Fault.ABORT) || has(Fault.FORGET)) && lot.oneIn(5);
        return new CallPlan(
                number,
                atNs,
                client,
                lot.nextInt(2) % hosts.get(client).sockets(),
                server,
                0,
                families == 3 ? lot.nextInt(2) : families - 1,
                request,
                response,
                lot.nextInt(Messages.STARTS),
                lot.nextInt(Messages.STARTS),
                lot.oneIn(3),
                isEnded ? 1 + lot.nextLong(loadNs) : 0,
                isEnded && (!has(Fault.ABORT) || has(Fault.FORGET) && lot.oneIn(2)),
                isDismissed ? CallPlan.Treatment.DISMISS : isLeft ? CallPlan.Treatment.LEAVE : CallPlan.Treatment.REPLY,
                has(Fault.SLOW_REPLY) && lot.oneIn(2)
                        ? lot.nextLong(pick(lot, 1, 10, 50, 300) * MS)
                        : lot.oneIn(2) ? 0 : lot.nextLong(20 * US),
                has(Fault.MEMORY_HELD) && lot.oneIn(2) ? lot.nextLong(pick(lot, 1, 20, 2_000) * MS) : 0,
                has(Fault.MEMORY_HELD) && lot.oneIn(2) ? lot.nextLong(pick(lot, 1, 20, 2_000) * MS) : 0);
    }

    private static int length(Prng lot, int longest, long budget) {
        int bound = switch (lot.nextInt(longest)) {
            case 0 -> 100;
            case 1 -> 1_500;
            case 2 -> 12_000;
            case 3 -> 100_000;
            default -> MAX_BYTES;
        };
        return (int) Math.min(lot.oneIn(12) ? bound : 1 + lot.nextInt(bound), Math.max(1, budget));
    }

    /**
     * One message of 300,000 bytes to host 0, and from all others messages that never end and always have fewer bytes left:
     * what the long one gets is the share of the oldest.
     */
    private void drawCrowd(Prng lot) {
        int number = 0;
        calls.add(call(lot, number++, 0, 1, 0, CROWD_BYTES, 1));
        long bytes = 0;
        for (long atNs = 5 * US; bytes < 14_000_000; atNs += 38 * US) {
            int client = 2 + lot.nextInt(2);
            int length = 41_000 + lot.nextInt(40_000);
            calls.add(call(lot, number++, atNs, client, 0, length, 1));
            bytes += length;
        }
    }

    /** {@code max_incoming} in a run with a crowd. */
    private static final int CROWD_MAX_INCOMING = 64_000;
    /** Bytes of the long message of a run with a crowd. */
    static final int CROWD_BYTES = 300_000;

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        text.append("seed ").append(seed).append(": ").append(kind).append(", ").append(encapsulation);
        text.append(", families ")
                .append(families)
                .append(", ")
                .append(bitsPerSecond / 1_000_000_000)
                .append(" Gbit/s, ");
        text.append(delayNs)
                .append(" ns, mtu ")
                .append(mtu)
                .append(", buffers ")
                .append(bufferBytes);
        text.append(", load ")
                .append(loadNs)
                .append(" ns, healed at ")
                .append(healNs)
                .append(" ns, ");
        text.append(calls.size()).append(" calls, ").append(swarm).append('\n');
        for (int i = 0; i < hosts.size(); i++) {
            HostPlan host = hosts.get(i);
            text.append("host ")
                    .append(i)
                    .append(": ")
                    .append(host.profile)
                    .append(", region ")
                    .append(host.regionBytes);
            text.append(", clock ")
                    .append(host.clockOffsetNs)
                    .append(" + ")
                    .append(host.driftPpm)
                    .append(" ppm, turn after ");
            text.append(host.turnDelayNs)
                    .append(" ns, batches of ")
                    .append(host.batchLimit)
                    .append(", ring ");
            text.append(host.ringPackets)
                    .append(", inbox ")
                    .append(host.inboxPackets)
                    .append(", ")
                    .append(host.sockets);
            text.append(" sockets")
                    .append(RandomParameters.text(host.config, host.profile))
                    .append('\n');
        }
        for (int from = 0; from < links.length; from++) {
            for (int to = 0; to < links.length; to++) {
                if (from != to && !links[from][to].equals(LinkPlan.PERFECT)) {
                    text.append("link ")
                            .append(from)
                            .append('>')
                            .append(to)
                            .append(": ")
                            .append(links[from][to])
                            .append('\n');
                }
            }
        }
        timed.forEach(event -> text.append(event).append('\n'));
        calls.forEach(call -> text.append(call).append('\n'));
        return text.toString();
    }
}
