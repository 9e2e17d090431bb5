package io.homa4j.protocol;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Decides which senders may transmit scheduled bytes, how many and at which level (spec scheduling 2 to 13). Up to
 * {@code max_overcommit} messages are active and receive grants; the others wait in a queue per host. A small share goes
 * to the oldest message whatever its rank. It is asked after each group of packets of one RPC and when an RPC ends; it
 * sends nothing but GRANTs, and has no timer.
 */
final class WindowGranter extends Granter {
    /** Rate assumed for the FIFO share while the link's is unknown: the module's default {@code link_mbps}. */
    private static final int ASSUMED_MBPS = 25_000;
    /** While the rate is assumed the oldest message waits so long at most for others to have their share, ns. */
    private static final long FIFO_PATIENCE_NS = 10_000_000;
    /**
     * A GRANT allows so many bytes at least, or a quarter of the window if that is less, or the rest of the message. One for each
     * packet that comes would cost both sides a system call and the link a fifteenth of its rate; the window covers what waits.
     */
    private static final int QUANTUM_BYTES = 16_000;

    private static final int QUANTA_PER_WINDOW = 4;
    /** Two packets of the common size, in windows that have room for as much again. */
    private static final int LEAST_QUANTUM_BYTES = 2 * 1416;

    /** The oldest message may have so many bytes granted and not received beyond the window, and still gets its share. */
    private static final int FIFO_AHEAD_BYTES = 100_000;

    /** So many times {@code max_incoming} may be granted while longer messages do not use what they have been granted. */
    private static final int OVERTAKING = 2;

    private final Config config;
    private final Counters counters;
    private final Turn turn;
    private final Priorities priorities;
    private final ControlQueue control;
    private final Silence silence;

    // ---- active set

    private final @Nullable Rpc[] slots = new Rpc[Config.MAX_LEVELS];
    private final boolean[] needy = new boolean[Config.MAX_LEVELS];
    private int active;
    private int needyCount;
    private int window;
    /** Least bytes worth a GRANT. */
    private int quantum;

    /** Bytes expected to arrive without further grants; may exceed the limits, and be negative for a moment. */
    private long totalIncoming;

    private int maxIncoming;
    private int mostIncoming;

    /** Hosts with queued messages, the one with the best message first. */
    private final HostQueue hosts = new HostQueue();

    private final Host[] passedOver = new Host[Config.MAX_LEVELS + 1];

    // ---- FIFO grants

    private @Nullable Rpc oldest;
    private long fifoDueNs;
    private long fifoIntervalNs;
    /** Nobody has told the rate: the oldest has its share of what comes in, for the link may be far slower. */
    private boolean isRateAssumed;
    /** Arrived since the last FIFO grant, and when that was. */
    private long arrivedBytes;

    private long fifoNs;

    // ---- figures

    private int managed;
    private long managedSinceNs;

    WindowGranter(
            Config config, Counters counters, Turn turn, Priorities priorities, ControlQueue control, Silence silence) {
        this.config = config;
        this.counters = counters;
        this.turn = turn;
        this.priorities = priorities;
        this.control = control;
        this.silence = silence;
        maxIncoming = config.maxIncoming;
        mostIncoming = mostIncoming(Integer.MAX_VALUE);
        fifoDueNs = turn.nowNs;
        fifoNs = turn.nowNs;
        managedSinceNs = turn.nowNs;
        Arrays.fill(passedOver, Host.NONE);
        linkMbps(config.linkMbps);
        updateWindow();
    }

    /** Sets the FIFO interval for this rate of the link; 0 = unknown (spec scheduling 11). */
    @Override
    void linkMbps(double mbps) {
        isRateAssumed = mbps == 0 && !config.moduleProfile;
        long fifoMbps = (long) ((mbps == 0 ? ASSUMED_MBPS : mbps) * config.grantFifoFraction / 1000);
        fifoIntervalNs = fifoMbps == 0 || config.fifoGrantIncrement == 0
                ? 1_000_000_000L
                : config.fifoGrantIncrement * 8_000L / fifoMbps;
    }

    @Override
    void arrived(long bytes) {
        arrivedBytes += bytes;
    }

    /** Changes {@code max_incoming}; in profile module windows follow with the next change of the active set. */
    @Override
    void maxIncoming(int bytes, int limitBytes) {
        maxIncoming = bytes;
        mostIncoming = mostIncoming(limitBytes);
        if (!config.moduleProfile) {
            updateWindow();
            // Who waits for headroom need not wait for the next packet too.
            serveNeedy();
        }
    }

    @Override
    int maxIncoming() {
        return maxIncoming;
    }

    @Override
    int mostIncoming() {
        return mostIncoming;
    }

    private int mostIncoming(int limitBytes) {
        return config.moduleProfile ? maxIncoming : (int) Math.min((long) OVERTAKING * maxIncoming, limitBytes);
    }

    @Override
    long totalIncoming() {
        return totalIncoming;
    }

    int window() {
        return window;
    }

    int active() {
        return active;
    }

    /** Messages in the active set or queued. */
    int managed() {
        return managed;
    }

    // ---- inputs

    /** Looks at a message after a group of its packets has been processed (spec scheduling 12). */
    @Override
    void check(Rpc rpc) {
        counters.add(Counters.GRANT_CHECK_CALLS, 1);
        checkMessage(rpc);
        if (!config.moduleProfile && managed > 0) {
            // In the module exhausted headroom stops FIFO grants too, and a stream of short messages exhausts it for
            // good.
            checkFifo();
        }
    }

    private void checkMessage(Rpc rpc) {
        InboundMessage in = rpc.in;
        if (!in.isGrantable) {
            return;
        }
        if (in.remaining == 0) {
            unmanage(rpc);
        } else {
            if (!in.isManaged) {
                if (!in.hasSpace() || !rpc.peer.isProven) {
                    // No slot for a stranger: it might never answer, and would hold up those who do.
                    serveNeedy();
                    return;
                }
                manage(rpc);
            }
            updateExpected(rpc);
            if (in.slot >= 0) {
                trySend(rpc, true);
            }
        }
        serveNeedy();
    }

    /** Forgets the message of an RPC that ends; what it held is granted to others at once. */
    @Override
    void forget(Rpc rpc) {
        if (rpc.in.isGrantable) {
            boolean wasManaged = rpc.in.isManaged;
            unmanage(rpc);
            if (wasManaged && !config.moduleProfile) {
                serveNeedy();
            }
        }
    }

    @Override
    int passedOver() {
        return managed - active;
    }

    /** It has no clock of its own. */
    @Override
    void onTime() {}

    @Override
    long nextDeadlineNs() {
        return Long.MAX_VALUE;
    }

    // ---- active set and queues

    private void manage(Rpc rpc) {
        countManaged(1);
        rpc.in.isManaged = true;
        int slot = chooseSlot(rpc);
        if (slot < 0) {
            enqueue(rpc);
        } else {
            takeSlot(rpc, slot);
        }
    }

    private void unmanage(Rpc rpc) {
        InboundMessage in = rpc.in;
        in.isGrantable = false;
        if (!in.isManaged) {
            return;
        }
        in.isManaged = false;
        countManaged(-1);
        totalIncoming -= in.expectedBytes;
        in.expectedBytes = 0;
        if (oldest == rpc) {
            oldest = null;
        }
        int slot = in.slot;
        if (slot >= 0) {
            leaveSlot(rpc);
            promoteInto(slot);
        } else {
            dequeue(rpc);
        }
    }

    /** Slot for a message: empty, or that of a victim it may evict; -1 if it must wait (spec scheduling 7.1). */
    private int chooseSlot(Rpc rpc) {
        Host host = rpc.peer.host;
        int victimSlot = -1;
        Rpc victim = rpc;
        int victimLoad = -1;
        for (int slot = 0; slot < config.maxOvercommit; slot++) {
            Rpc candidate = slots[slot];
            if (candidate == null) {
                return slot;
            }
            int load = candidate.peer.host.activeMessages + (candidate.peer.host == host ? 1 : 0);
            if (load > victimLoad || load == victimLoad && comesAfter(candidate, victim)) {
                victimSlot = slot;
                victim = candidate;
                victimLoad = load;
            }
        }
        if (victimLoad > host.activeMessages + 1 || comesAfter(victim, rpc)) {
            return victimSlot;
        }
        return -1;
    }

    /** Whether {@code a} has more bytes to come than {@code b}, or as many and a later birth. */
    private boolean comesAfter(Rpc a, Rpc b) {
        int remainingA = ranked(a);
        int remainingB = ranked(b);
        return remainingA != remainingB ? remainingA > remainingB : a.in.birthNs - b.in.birthNs > 0;
    }

    /**
     * Remaining bytes of an active message as far as other messages are concerned. The module keeps what they were when
     * the message entered its slot (spec scheduling 24), which captures show.
     */
    private int ranked(Rpc rpc) {
        return config.moduleProfile && rpc.in.slot >= 0 ? rpc.in.rankedRemaining : rpc.in.remaining;
    }

    /** Puts a message that is in no queue into a slot; a former holder is queued. */
    private void takeSlot(Rpc rpc, int slot) {
        Rpc victim = slots[slot];
        if (victim != null) {
            leaveSlot(victim);
            enqueue(victim);
        }
        slots[slot] = rpc;
        rpc.in.slot = slot;
        rpc.in.rankedRemaining = rpc.in.remaining;
        rpc.peer.host.activeMessages++;
        active++;
        updateWindow();
    }

    private void leaveSlot(Rpc rpc) {
        int slot = rpc.in.slot;
        slots[slot] = null;
        rpc.in.slot = -1;
        clearNeedy(slot);
        rpc.peer.host.activeMessages--;
        active--;
        updateWindow();
    }

    private void enqueue(Rpc rpc) {
        Host host = rpc.peer.host;
        host.queued.add(rpc);
        adjust(host);
    }

    private void dequeue(Rpc rpc) {
        Host host = rpc.peer.host;
        host.queued.remove(rpc);
        adjust(host);
    }

    /** Brings the host to the place its best message gives it. */
    private void adjust(Host host) {
        if (host.queued.size() == 0) {
            hosts.remove(host);
        } else if (hosts.contains(host)) {
            hosts.moved(host);
        } else {
            hosts.add(host);
        }
    }

    /** Fills a free slot with the best message of the host with fewest active ones; it is granted without a packet. */
    private void promoteInto(int slot) {
        if (slot >= config.maxOvercommit) {
            return;
        }
        Host best = null;
        int looked = 0;
        // At most as many hosts as there are slots have active messages; the next one has none.
        while (looked < passedOver.length) {
            Host host = hosts.first();
            if (host == null) {
                break;
            }
            if (best == null || host.activeMessages < best.activeMessages) {
                best = host;
            }
            if (host.activeMessages == 0) {
                break;
            }
            hosts.remove(host);
            passedOver[looked++] = host;
        }
        for (int i = 0; i < looked; i++) {
            hosts.add(passedOver[i]);
            passedOver[i] = Host.NONE;
        }
        Rpc rpc = best == null ? null : best.queued.first();
        if (rpc != null) {
            dequeue(rpc);
            takeSlot(rpc, slot);
            setNeedy(slot);
        }
    }

    /** A queued message whose rank has improved may move up, and into a slot if it leads its queue. */
    private void promote(Rpc rpc) {
        Host host = rpc.peer.host;
        host.queued.moved(rpc);
        if (host.queued.first() == rpc) {
            int slot = chooseSlot(rpc);
            if (slot >= 0) {
                dequeue(rpc);
                takeSlot(rpc, slot);
                return;
            }
        }
        adjust(host);
    }

    private void updateWindow() {
        window = config.window != 0 ? config.window : maxIncoming / (active + 1);
        // A window set by hand may be larger than all there is.
        int most = Math.min(window, maxIncoming);
        int least = Math.min(most / 2, LEAST_QUANTUM_BYTES);
        quantum = config.moduleProfile ? 1 : Math.max(1, Math.clamp(most / QUANTA_PER_WINDOW, least, QUANTUM_BYTES));
    }

    // ---- accounting and issuing

    private void updateExpected(Rpc rpc) {
        InboundMessage in = rpc.in;
        int expected = Math.max(0, in.granted - in.receivedBytes());
        int change = expected - in.expectedBytes;
        if (change == 0) {
            if (in.slot < 0) {
                // Bytes beyond the grant have come: fewer remain all the same.
                rpc.peer.host.queued.moved(rpc);
                adjust(rpc.peer.host);
            }
            return;
        }
        totalIncoming += change;
        in.expectedBytes = expected;
        if (in.slot < 0) {
            promote(rpc);
        }
    }

    /** Issues a normal grant to an active message, if one is due and there is headroom (spec scheduling 8). */
    private void trySend(Rpc rpc, boolean respectNeedy) {
        InboundMessage in = rpc.in;
        int wanted = in.receivedBytes() + window - in.granted;
        if (wanted <= 0) {
            return;
        }
        wanted = Math.min(wanted, in.length - in.granted);
        if (wanted == 0 && !config.moduleProfile) {
            // The module repeats GRANT(length) here; nothing needs it.
            return;
        }
        if (wanted < quantum && wanted < in.length - in.granted) {
            return;
        }
        long room = headroom(rpc);
        if (room < Math.min(wanted, quantum) || respectNeedy && needyCount > 0) {
            setNeedy(in.slot);
            return;
        }
        int given = (int) Math.min(wanted, room + receivedAhead(in));
        grant(rpc, given, level(rpc));
        if (given < wanted) {
            setNeedy(in.slot);
        }
        checkFifo();
    }

    /**
     * How many more bytes the message may have granted. Expected bytes of longer messages do not stand in its way: their sender may
     * be busy with another receiver for long, and should it send them they come at a lower level. In the module they
     * do, so that such a sender holds up everybody (spec scheduling 8).
     */
    private long headroom(Rpc rpc) {
        if (config.moduleProfile) {
            return maxIncoming - totalIncoming;
        }
        long ahead = rpc.in.expectedBytes;
        for (int slot = 0; slot < slots.length; slot++) {
            Rpc other = slots[slot];
            if (other != null && other != rpc && otherOutranks(other, rpc)) {
                ahead += other.in.expectedBytes;
            }
        }
        return Math.min(maxIncoming - ahead, mostIncoming - totalIncoming);
    }

    /**
     * Bytes that have come beyond the grant, because a packet that starts below it goes whole: to grant them makes nothing
     * more come. The module takes them for expected until the next packet (spec scheduling 8), which may never come.
     */
    private int receivedAhead(InboundMessage in) {
        return config.moduleProfile ? 0 : Math.max(0, in.receivedBytes() - in.granted);
    }

    private void grant(Rpc rpc, int bytes, int level) {
        InboundMessage in = rpc.in;
        if (in.probeOffset < 0 && bytes > 0) {
            in.probeOffset = in.granted;
            in.probeNs = turn.nowNs;
        }
        boolean wasExpected = in.receivedBytes() < in.granted;
        int expected = bytes - Math.min(bytes, receivedAhead(in));
        in.granted += bytes;
        in.expectedBytes += expected;
        totalIncoming += expected;
        control.grant(rpc, in.granted, level);
        if (!wasExpected) {
            silence.restart(rpc);
        }
    }

    /** Level of a normal grant: the lowest levels that tell the active messages apart (spec scheduling 10). */
    private int level(Rpc rpc) {
        int outranking = 0;
        for (int slot = 0; slot < slots.length; slot++) {
            Rpc other = slots[slot];
            if (other != null && other != rpc && otherOutranks(other, rpc)) {
                outranking++;
            }
        }
        return Math.max(0, Math.min(priorities.maxScheduledLevel(), active - 1) - outranking);
    }

    private boolean otherOutranks(Rpc other, Rpc rpc) {
        int remaining = ranked(other);
        return remaining != rpc.in.remaining ? remaining < rpc.in.remaining : other.in.birthNs - rpc.in.birthNs < 0;
    }

    // ---- needy messages (spec scheduling 9)

    private void serveNeedy() {
        while (needyCount > 0) {
            // No other has more headroom.
            Rpc best = bestNeedy();
            if (headroom(best) < quantum) {
                return;
            }
            clearNeedy(best.in.slot);
            counters.add(Counters.NEEDY_GRANTS, 1);
            trySend(best, false);
        }
    }

    private Rpc bestNeedy() {
        Rpc best = null;
        for (int slot = 0; slot < slots.length; slot++) {
            Rpc rpc = slots[slot];
            if (rpc != null && needy[slot] && (best == null || comesAfter(best, rpc))) {
                best = rpc;
            }
        }
        if (best == null) {
            throw new AssertionError("a needy slot is empty");
        }
        return best;
    }

    private void setNeedy(int slot) {
        if (!needy[slot]) {
            needy[slot] = true;
            needyCount++;
        }
    }

    private void clearNeedy(int slot) {
        if (needy[slot]) {
            needy[slot] = false;
            needyCount--;
        }
    }

    // ---- FIFO grants (spec scheduling 11)

    private void checkFifo() {
        if (turn.nowNs - fifoDueNs < 0 || isRateAssumed && !haveOthersTheirShare()) {
            return;
        }
        fifoDueNs = turn.nowNs + fifoIntervalNs;
        if (config.grantFifoFraction == 0 || config.fifoGrantIncrement == 0) {
            return;
        }
        Rpc rpc = oldest;
        if (rpc == null || !mayHaveFifoGrant(rpc)) {
            rpc = findOldest();
            oldest = rpc;
        }
        if (rpc == null) {
            return;
        }
        int bytes = Math.min(config.fifoGrantIncrement, rpc.in.length - rpc.in.granted);
        counters.add(Counters.FIFO_GRANT_BYTES, bytes);
        grant(rpc, bytes, priorities.secondLevel());
        arrivedBytes = 0;
        fifoNs = turn.nowNs;
        if (rpc.in.slot < 0) {
            promote(rpc);
        }
    }

    private boolean haveOthersTheirShare() {
        return arrivedBytes * config.grantFifoFraction >= config.fifoGrantIncrement * 1_000L
                || turn.nowNs - fifoNs >= FIFO_PATIENCE_NS;
    }

    private boolean mayHaveFifoGrant(Rpc rpc) {
        long ahead = 2L * config.fifoGrantIncrement;
        if (!config.moduleProfile) {
            // Small grants are no reason for a smaller share: normal grants before them may lie in the network for
            // long.
            ahead = Math.max(ahead, FIFO_AHEAD_BYTES);
        }
        return rpc.in.granted < rpc.in.length && rpc.in.expectedBytes < window + ahead;
    }

    private @Nullable Rpc findOldest() {
        Rpc best = null;
        for (int slot = 0; slot < slots.length; slot++) {
            best = older(best, slots[slot]);
        }
        for (int h = 0; h < hosts.size(); h++) {
            Host.GrantQueue queued = hosts.at(h).queued;
            for (int i = 0; i < queued.size(); i++) {
                best = older(best, queued.at(i));
            }
        }
        return best;
    }

    private @Nullable Rpc older(@Nullable Rpc best, @Nullable Rpc rpc) {
        if (rpc == null || !mayHaveFifoGrant(rpc)) {
            return best;
        }
        return best == null || rpc.in.birthNs - best.in.birthNs < 0 ? rpc : best;
    }

    /** Active set, queues and totals agree with what messages say of themselves; no limit is exceeded (spec 7 to 9). */
    @Override
    void audit(Audit audit, RpcTable rpcs, PeerTable peers) {
        long expected = 0;
        int countedManaged = 0;
        int inSlots = 0;
        int countedNeedy = 0;
        int queued = 0;
        for (int i = 0; i < rpcs.made(); i++) {
            Rpc rpc = rpcs.at(i);
            if (rpc.isDead() || !rpc.in.isManaged) {
                continue;
            }
            countedManaged++;
            expected += rpc.in.expectedBytes;
            queued += rpc.in.slot < 0 ? 1 : 0;
            if (rpc.in.slot >= 0 ? slots[rpc.in.slot] != rpc : !rpc.peer.host.queued.contains(rpc)) {
                audit.wrong("RPC " + rpc.id + " is managed and not where it says");
            }
            if (!rpc.peer.isProven) {
                audit.wrong("RPC " + rpc.id + " of an unproven peer is granted");
            }
            if (!config.moduleProfile) {
                int missing = Math.max(0, rpc.in.granted - rpc.in.receivedBytes());
                audit.equal("bytes expected of RPC " + rpc.id, missing, rpc.in.expectedBytes);
            }
        }
        for (int slot = 0; slot < slots.length; slot++) {
            Rpc rpc = slots[slot];
            inSlots += rpc == null ? 0 : 1;
            countedNeedy += needy[slot] ? 1 : 0;
            if (rpc == null ? needy[slot] : rpc.isDead() || rpc.in.slot != slot) {
                audit.wrong("slot " + slot + " is needy without a message or holds a dead one");
            }
        }
        audit.equal("managed messages", countedManaged, managed);
        audit.equal("active messages", inSlots, active);
        audit.equal("needy messages", countedNeedy, needyCount);
        audit.equal("bytes expected", expected, totalIncoming);
        if (!config.moduleProfile) {
            audit.equal("window", config.window != 0 ? config.window : maxIncoming / (active + 1), window);
        }
        audit.inOrder("the queue of hosts", hosts);
        // The module serves them after the next packet of a message that it grants.
        if (!config.moduleProfile && needyCount > 0 && headroom(bestNeedy()) >= quantum) {
            audit.wrong("messages wait for headroom that is there");
        }
        if (oldest != null && !oldest.in.isManaged) {
            audit.wrong("the oldest message is not managed");
        }
        auditHosts(audit, peers, queued);
    }

    private void auditHosts(Audit audit, PeerTable peers, int queued) {
        int activeOfHosts = 0;
        int queuedOfHosts = 0;
        int waitingWithoutSlot = 0;
        int most = 0;
        for (int i = 0; i < peers.size(); i++) {
            Host host = peers.get(i).host;
            if (peers.get(i) != peers.firstOf(host)) {
                continue;
            }
            activeOfHosts += host.activeMessages;
            queuedOfHosts += host.queued.size();
            most = Math.max(most, host.activeMessages);
            waitingWithoutSlot += host.activeMessages == 0 && host.queued.size() > 0 ? 1 : 0;
            if (host.queued.size() > 0 != hosts.contains(host)) {
                audit.wrong("a host is in the queue of hosts without messages, or the other way round");
            }
        }
        audit.equal("active messages of hosts", activeOfHosts, active);
        audit.equal("queued messages", queuedOfHosts, queued);
        if (!config.moduleProfile && waitingWithoutSlot > 0 && most > 1) {
            audit.wrong("a host has " + most + " active messages while another has none");
        }
    }

    private void countManaged(int change) {
        counters.add(Counters.GRANTABLE_RPCS_INTEGRAL, managed * (turn.nowNs - managedSinceNs));
        managedSinceNs = turn.nowNs;
        managed += change;
    }

    /** Hosts by the rank of their best queued message. */
    private static final class HostQueue extends IndexedHeap<Host> {
        @Override
        boolean before(Host a, Host b) {
            Rpc bestA = a.queued.first();
            Rpc bestB = b.queued.first();
            return bestA != null && (bestB == null || outranks(bestA, bestB));
        }

        @Override
        int place(Host host) {
            return host.grantPlace;
        }

        @Override
        void place(Host host, int place) {
            host.grantPlace = place;
        }
    }
}
