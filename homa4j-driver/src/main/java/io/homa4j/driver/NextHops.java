package io.homa4j.driver;

import io.homa4j.driver.libc.Netlink;
import io.homa4j.protocol.Address;
import org.jspecify.annotations.Nullable;

/**
 * Who is next on the way to each peer, as the kernel's tables say: the Ethernet address frames are sent to, and the address
 * they leave from. Decides which packets can leave as frames; the kernel must send the others: those by another interface,
 * those whose next hop it has yet to find (which it does when it gets one to send), and now and then one to a next hop it is no
 * longer sure of, so that it asks. A cache of bounded size, corrected as the kernel tells of changes. Owner.
 */
final class NextHops implements Rtnetlink.Listener {
    /** Ways of a set: a newcomer takes the place of the one that was looked at longest ago. */
    private static final int WAYS = 4;

    private static final int SETS = 1024;
    private static final int SET_BITS = 10;
    /** What the kernel has not told of is looked at anew after this time. */
    private static final long RECHECK_NS = 30_000_000_000L;
    /** Where packets cannot leave as frames. */
    private static final long RETRY_NS = 1_000_000_000;
    /** After a change of the kernel's tables; so many changes cost little. */
    private static final long CHANGED_RECHECK_NS = 20_000_000;
    /** How often the kernel gets a packet for a next hop it is not sure of. */
    private static final long TOUCH_NS = 1_000_000_000;
    /** Questions to the kernel per turn of the engine; other packets leave through the kernel meanwhile. */
    private static final int QUESTIONS_PER_TURN = 8;

    private static final int DEFAULT_HOP_LIMIT = 64;
    private static final int SURE = Netlink.STATE_REACHABLE | Netlink.STATE_PERMANENT | Netlink.STATE_NOARP;
    private static final int USABLE = SURE | Netlink.STATE_STALE | Netlink.STATE_DELAY | Netlink.STATE_PROBE;

    /** The way to one peer from one local address. */
    static final class Hop {
        long peerHi;
        long peerLo;
        /** The local address that was asked for; both halves 0: any. */
        private long localHi;

        private long localLo;
        boolean isIpv4;
        long sourceHi;
        long sourceLo;
        private long nextHi;
        private long nextLo;
        long linkAddress;
        long ownLinkAddress;
        int hopLimit;
        /** Bytes of IP packets. */
        int mtu;
        /** Sum of the two addresses, for checksums. */
        long addressSum;
        /** By our interface, to one neighbour. */
        private boolean isOurs;

        /** Of the neighbour: a bit of {@link Netlink}. */
        private int state;

        private int generation;
        private long checkedNs;
        private long touchedNs;
    }

    private final Rtnetlink kernel;
    private final int interfaceIndex;
    private final @Nullable Hop[] hops = new Hop[SETS * WAYS];

    private long ownLinkAddress;
    private int interfaceMtu;
    private boolean isUp;
    /** Grows when anything may have changed. */
    private int generation;

    private int questions;
    /** Since it was last asked: {@link #hasChanged}. */
    private boolean hasChanged = true;

    NextHops(Rtnetlink kernel, int interfaceIndex) {
        this.kernel = kernel;
        this.interfaceIndex = interfaceIndex;
    }

    /** The interface as it is now. */
    void link(Rtnetlink.Link link) {
        ownLinkAddress = link.linkAddress();
        interfaceMtu = link.mtu();
        isUp = link.isUp();
        generation++;
    }

    /** No interface any more. */
    void gone() {
        isUp = false;
    }

    boolean isUp() {
        return isUp;
    }

    /** A new turn of the engine. */
    void beginTurn() {
        questions = 0;
    }

    /** Whether interfaces, addresses or routes have changed since this was last asked. */
    boolean takeChanged() {
        boolean was = hasChanged;
        hasChanged = false;
        return was;
    }

    /** The way by which a packet can leave as a frame; null: the kernel shall send it. */
    @Nullable
    Hop find(long peerHi, long peerLo, long localHi, long localLo, long nowNs) {
        Hop hop = isUp ? known(peerHi, peerLo, localHi, localLo, nowNs) : null;
        if (hop == null || !hop.isOurs || (hop.state & USABLE) == 0) {
            return null;
        }
        if ((hop.state & SURE) == 0 && nowNs - hop.touchedNs > TOUCH_NS) {
            hop.touchedNs = nowNs;
            return null;
        }
        return hop;
    }

    private @Nullable Hop known(long peerHi, long peerLo, long localHi, long localLo, long nowNs) {
        int set = set(peerHi, peerLo, localHi, localLo);
        int oldest = set;
        for (int i = set; i < set + WAYS; i++) {
            Hop hop = hops[i];
            if (hop == null) {
                oldest = i;
                break;
            }
            if (hop.peerLo == peerLo && hop.peerHi == peerHi && hop.localLo == localLo && hop.localHi == localHi) {
                if (isDue(hop, nowNs)) {
                    ask(hop, nowNs);
                }
                return hop;
            }
            Hop other = hops[oldest];
            if (other != null && hop.checkedNs - other.checkedNs < 0) {
                oldest = i;
            }
        }
        if (questions >= QUESTIONS_PER_TURN) {
            return null;
        }
        Hop hop = hops[oldest];
        if (hop == null) {
            hop = new Hop();
            hops[oldest] = hop;
        }
        hop.peerHi = peerHi;
        hop.peerLo = peerLo;
        hop.localHi = localHi;
        hop.localLo = localLo;
        hop.isIpv4 = Address.isIpv4(peerHi, peerLo);
        hop.touchedNs = nowNs;
        ask(hop, nowNs);
        return hop;
    }

    private boolean isDue(Hop hop, long nowNs) {
        long age = nowNs - hop.checkedNs;
        if (hop.generation != generation && age > CHANGED_RECHECK_NS) {
            return questions < QUESTIONS_PER_TURN;
        }
        boolean isUsable = hop.isOurs && (hop.state & USABLE) != 0;
        return age > (isUsable ? RECHECK_NS : RETRY_NS) && questions < QUESTIONS_PER_TURN;
    }

    private void ask(Hop hop, long nowNs) {
        questions++;
        hop.generation = generation;
        hop.checkedNs = nowNs;
        hop.isOurs = false;
        hop.state = 0;
        if (kernel.route(hop.peerHi, hop.peerLo, hop.localHi, hop.localLo) < 0
                || !kernel.isPlainRoute
                || kernel.routeInterface != interfaceIndex
                || (kernel.sourceHi | kernel.sourceLo) == 0
                || Address.isIpv4(kernel.sourceHi, kernel.sourceLo) != hop.isIpv4) {
            return;
        }
        hop.isOurs = true;
        hop.sourceHi = kernel.sourceHi;
        hop.sourceLo = kernel.sourceLo;
        hop.nextHi = kernel.nextHopHi;
        hop.nextLo = kernel.nextHopLo;
        hop.hopLimit = kernel.hopLimit > 0 && kernel.hopLimit <= 255 ? kernel.hopLimit : DEFAULT_HOP_LIMIT;
        hop.mtu = kernel.routeMtu > 0 ? Math.min(kernel.routeMtu, interfaceMtu) : interfaceMtu;
        hop.ownLinkAddress = ownLinkAddress;
        hop.addressSum = EthernetFrame.sumOf(hop.sourceHi, hop.sourceLo, hop.isIpv4)
                + EthernetFrame.sumOf(hop.peerHi, hop.peerLo, hop.isIpv4);
        int state = kernel.neighbour(interfaceIndex, hop.nextHi, hop.nextLo);
        if (state > 0) {
            hop.state = state;
            hop.linkAddress = kernel.linkAddress;
        }
    }

    @Override
    public void neighbour(int index, long hi, long lo, int state, long linkAddress) {
        if (index != interfaceIndex) {
            return;
        }
        for (Hop hop : hops) {
            if (hop != null && hop.isOurs && hop.nextLo == lo && hop.nextHi == hi) {
                hop.state = state;
                hop.linkAddress = linkAddress;
            }
        }
    }

    @Override
    public void changed() {
        generation++;
        hasChanged = true;
    }

    private static int set(long peerHi, long peerLo, long localHi, long localLo) {
        long mixed = (peerHi * 0x9E3779B97F4A7C15L ^ peerLo) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ localHi ^ Long.rotateLeft(localLo, 32)) * 0x94D049BB133111EBL;
        return (int) (mixed >>> (64 - SET_BITS)) * WAYS;
    }
}
