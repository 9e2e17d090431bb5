package io.homa4j.protocol;

import io.homa4j.wire.DataHeader;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Grants one packet at a time, as the simulator behind the paper did ({@link Policy#SIGCOMM18}). Senders are ranked by their
 * best message; the best {@code max_overcommit} of them are active. An active sender is granted the next packet of its best
 * message when a packet of its arrives or it becomes active, while less than {@code window} is granted and not received; if
 * that leaves room for more, again after the time a packet takes.
 *
 * <p>Levels: the active senders use adjacent scheduled levels, the lowest that are free. A sender that comes first takes the
 * next level above the others if there is one, so that these keep theirs and what is under way is overtaken.
 */
final class PacketGranter extends Granter {
    private final Config config;
    private final Turn turn;
    private final Priorities priorities;
    private final ControlQueue control;
    private final Silence silence;

    /** Senders with messages that want grants, the best first; each knows its place as {@link Host#grantPlace}. */
    private Host[] senders = new Host[16];

    private int count;
    /** Levels left free above the first sender's, of {@code max_overcommit} there are. */
    private int freeAbove;

    // ---- senders that may be granted more by the clock, first due first: all wait equally long

    private @Nullable Host firstDue;
    private @Nullable Host lastDue;

    private long totalIncoming;

    PacketGranter(Config config, Turn turn, Priorities priorities, ControlQueue control, Silence silence) {
        this.config = config;
        this.turn = turn;
        this.priorities = priorities;
        this.control = control;
        this.silence = silence;
        Arrays.fill(senders, Host.NONE);
        freeAbove = config.maxOvercommit;
    }

    @Override
    void linkMbps(double mbps) {}

    @Override
    void arrived(long bytes) {}

    @Override
    void maxIncoming(int bytes, int limitBytes) {}

    /** What the active senders may have under way together. */
    @Override
    int maxIncoming() {
        return (int) Math.min(Integer.MAX_VALUE, (long) config.maxOvercommit * config.window);
    }

    @Override
    int mostIncoming() {
        return maxIncoming();
    }

    @Override
    long totalIncoming() {
        return totalIncoming;
    }

    // ---- inputs

    @Override
    void check(Rpc rpc) {
        InboundMessage in = rpc.in;
        Host host = rpc.peer.host;
        if (in.isGrantable) {
            if (in.remaining == 0) {
                forget(rpc);
            } else {
                if (!in.isManaged && in.hasSpace() && rpc.peer.isProven) {
                    in.isManaged = true;
                    rank(in);
                    host.packetQueue.add(rpc);
                    place(host);
                }
                expect(in);
            }
        }
        if (isActive(host)) {
            grant(host);
        }
    }

    @Override
    void forget(Rpc rpc) {
        InboundMessage in = rpc.in;
        in.isGrantable = false;
        if (!in.isManaged) {
            return;
        }
        in.isManaged = false;
        totalIncoming -= in.expectedBytes;
        in.expectedBytes = 0;
        if (rpc.grantPlace >= 0) {
            Host host = rpc.peer.host;
            host.packetQueue.remove(rpc);
            place(host);
            grantLastActive();
        }
    }

    @Override
    int passedOver() {
        return Math.max(0, count - config.maxOvercommit);
    }

    @Override
    void onTime() {
        for (Host host = firstDue; host != null && host.grantDueNs - turn.nowNs <= 0; host = firstDue) {
            cancelDue(host);
            if (isActive(host)) {
                grant(host);
            }
        }
    }

    @Override
    long nextDeadlineNs() {
        Host host = firstDue;
        return host == null ? Long.MAX_VALUE : host.grantDueNs;
    }

    private void expect(InboundMessage in) {
        int expected = in.isManaged ? Math.max(0, in.granted - in.receivedBytes()) : 0;
        totalIncoming += expected - in.expectedBytes;
        in.expectedBytes = expected;
    }

    // ---- rank of senders

    /** Fewest bytes left to grant first, then the shortest; else all are equal, and the oldest comes first. */
    private void rank(InboundMessage in) {
        in.grantRank = config.policy.grantsShortestFirst() ? (long) (in.length - in.granted) << 32 | in.length : 0;
    }

    private boolean isActive(Host host) {
        return host.grantPlace >= 0 && host.grantPlace < config.maxOvercommit;
    }

    /** Brings the sender to the place its best message gives it, or takes it out if it has none. */
    private void place(Host host) {
        int from = host.grantPlace;
        int to = from < 0 ? count : from;
        Rpc best = host.packetQueue.first();
        if (best == null) {
            if (from >= 0) {
                takeOut(from);
                cancelDue(host);
            }
            return;
        }
        while (to > 0 && host.packetQueue.before(best, best(senders[to - 1]))) {
            to--;
        }
        if (from >= 0 && to == from) {
            while (to + 1 < count && host.packetQueue.before(best(senders[to + 1]), best)) {
                to++;
            }
            if (to == from) {
                return;
            }
        }
        if (from >= 0) {
            takeOut(from);
        }
        putIn(host, to);
    }

    private static Rpc best(Host host) {
        Rpc rpc = host.packetQueue.first();
        if (rpc == null) {
            throw new AssertionError("a sender without messages");
        }
        return rpc;
    }

    private void takeOut(int from) {
        Host host = senders[from];
        count--;
        for (int i = from; i < count; i++) {
            senders[i] = senders[i + 1];
            senders[i].grantPlace = i;
        }
        senders[count] = Host.NONE;
        host.grantPlace = -1;
        if (count == 0) {
            freeAbove = config.maxOvercommit;
        } else if (from == 0 && freeAbove + Math.min(count, config.maxOvercommit) < config.maxOvercommit) {
            freeAbove++;
        }
    }

    private void putIn(Host host, int to) {
        if (count == senders.length) {
            senders = Arrays.copyOf(senders, 2 * count);
            Arrays.fill(senders, count, senders.length, Host.NONE);
        }
        for (int i = count; i > to; i--) {
            senders[i] = senders[i - 1];
            senders[i].grantPlace = i;
        }
        senders[to] = host;
        host.grantPlace = to;
        count++;
        if (to == 0 && freeAbove > 0) {
            freeAbove--;
        }
        freeAbove = Math.min(freeAbove, config.maxOvercommit - Math.min(count, config.maxOvercommit));
    }

    // ---- issuing

    /** A sender has become the last of the active ones, or may have. */
    private void grantLastActive() {
        if (count >= config.maxOvercommit) {
            grant(senders[config.maxOvercommit - 1]);
        }
    }

    /** Grants the next packet of an active sender's best message, if that is due. */
    private void grant(Host host) {
        Rpc rpc = best(host);
        InboundMessage in = rpc.in;
        if (in.granted - in.receivedBytes() >= config.window) {
            return;
        }
        int level = level(host.grantPlace, in.length - in.granted);
        if (host.isDue) {
            if (level <= host.grantLevel) {
                return;
            }
            cancelDue(host);
        }
        host.grantLevel = level;
        if (in.probeOffset < 0) {
            in.probeOffset = in.granted;
            in.probeNs = turn.nowNs;
        }
        boolean wasExpected = in.receivedBytes() < in.granted;
        in.granted += Math.min(packetBytes(rpc), in.length - in.granted);
        expect(in);
        control.grant(rpc, in.granted, level);
        if (!wasExpected) {
            silence.restart(rpc);
        }
        if (in.granted == in.length) {
            host.packetQueue.remove(rpc);
        } else {
            rank(in);
            host.packetQueue.moved(rpc);
        }
        place(host);
        Rpc next = host.packetQueue.first();
        if (next != null && next.in.granted - next.in.receivedBytes() < config.window) {
            due(host);
        }
        if (!isActive(host)) {
            grantLastActive();
        }
    }

    /** Data in a full packet from there, as far as this host can tell: what its own would carry. */
    private int packetBytes(Rpc rpc) {
        return Math.max(1, rpc.peer.host.mtu - ipBytes(rpc.peer) - DataHeader.LENGTH);
    }

    private int ipBytes(Peer peer) {
        int udpBytes = config.encapsulation == Config.Encapsulation.IP ? 0 : 8;
        return udpBytes + (Address.isIpv4(peer.hi, peer.lo) ? 20 : 40);
    }

    /** The scheduled level of this rank, or the unscheduled one of what is left if that is higher. */
    private int level(int place, int bytesToGrant) {
        int scheduled = Math.max(0, priorities.maxScheduledLevel() - freeAbove - place);
        return bytesToGrant < config.policy.tailBytes()
                ? Math.max(scheduled, priorities.unscheduledLevel(bytesToGrant))
                : scheduled;
    }

    // ---- the clock

    private void due(Host host) {
        host.isDue = true;
        host.grantDueNs = turn.nowNs + config.policy.grantIntervalNs();
        host.dueNext = null;
        host.duePrevious = lastDue;
        if (lastDue == null) {
            firstDue = host;
        } else {
            lastDue.dueNext = host;
        }
        lastDue = host;
    }

    private void cancelDue(Host host) {
        if (!host.isDue) {
            return;
        }
        host.isDue = false;
        Host previous = host.duePrevious;
        Host next = host.dueNext;
        if (previous == null) {
            firstDue = next;
        } else {
            previous.dueNext = next;
        }
        if (next == null) {
            lastDue = previous;
        } else {
            next.duePrevious = previous;
        }
        host.dueNext = null;
        host.duePrevious = null;
    }

    // ---- figures

    @Override
    void audit(Audit audit, RpcTable rpcs, PeerTable peers) {
        long expected = 0;
        int queued = 0;
        for (int i = 0; i < rpcs.made(); i++) {
            Rpc rpc = rpcs.at(i);
            if (!rpc.isDead() && rpc.in.isManaged) {
                expected += rpc.in.expectedBytes;
                queued += rpc.grantPlace >= 0 ? 1 : 0;
                if (rpc.grantPlace >= 0 == (rpc.in.granted == rpc.in.length)) {
                    audit.wrong("RPC " + rpc.id + " waits for grants without need, or does not wait in need");
                }
            }
        }
        audit.equal("bytes expected", expected, totalIncoming);
        int queuedOfSenders = 0;
        for (int i = 0; i < count; i++) {
            Host host = senders[i];
            queuedOfSenders += host.packetQueue.size();
            audit.inOrder("the messages of a sender", host.packetQueue);
            if (host.grantPlace != i || i > 0 && host.packetQueue.before(best(host), best(senders[i - 1]))) {
                audit.wrong("sender " + i + " is out of order");
            }
        }
        audit.equal("messages waiting for grants", queuedOfSenders, queued);
    }

    /** Messages of one sender, by {@link InboundMessage#grantRank} and age. */
    static final class Queue extends IndexedHeap<Rpc> {
        @Override
        boolean before(Rpc a, Rpc b) {
            return a.in.grantRank != b.in.grantRank ? a.in.grantRank < b.in.grantRank : a.in.birthNs - b.in.birthNs < 0;
        }

        @Override
        int place(Rpc rpc) {
            return rpc.grantPlace;
        }

        @Override
        void place(Rpc rpc, int place) {
            rpc.grantPlace = place;
        }
    }
}
