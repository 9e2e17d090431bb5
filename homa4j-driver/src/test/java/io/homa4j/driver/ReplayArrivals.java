package io.homa4j.driver;

import io.homa4j.wire.PacketType;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * When and in which batches a replayed host gets the packets of a capture. A host may get to a packet later than the
 * capture point saw it, never earlier, and packets of one RPC stay in order. Two things show when it did:
 *
 * <ul>
 *   <li>While it still sent at the level of one GRANT it had not looked at the next, which is held back until then.
 *   <li>A normal GRANT of its own tells how much of the message it had received by then, offset less window, and was made
 *       once for a batch. So DATA of a message it granted waits for the next of these grants. Not with {@code grants
 *       steps}, where every packet was handled by itself.
 * </ul>
 */
final class ReplayArrivals {
    /** max_gro_skbs: the usual size of a batch where a grant does not tell it. */
    private static final int USUAL_BATCH = 20;
    /** A host that has not looked at a packet for this long is no explanation any more. */
    private static final long MAX_LAG_NS = 60_000_000;

    /** No packet for so long: the host has looked at all it had. */
    private static final long PAUSE_NS = 8_000_000;

    private static final long MAX_BATCH_WAIT_NS = 30_000_000;

    /** What the host knows of a message it sends. */
    private static final class Sending {
        final List<ReplayPacket> captured = new ArrayList<>();
        int sent;
        int granted;
        int level;
    }

    /** What is known of a message the host receives. */
    private static final class Receiving {
        final List<ReplayPacket> normalGrants = new ArrayList<>();
        final List<Long> arrivalsNs = new ArrayList<>();
        final BitSet received = new BitSet();
        int length;
    }

    private final ReplayedHost host;
    private final boolean isBatched;
    private final List<Capture.Frame> arrived = new ArrayList<>();
    private final List<Capture.Frame> waiting = new ArrayList<>();
    private final Map<String, Sending> sending = new HashMap<>();
    private final Map<String, Receiving> receiving = new HashMap<>();

    ReplayArrivals(ReplayedHost host, boolean isBatched, List<ReplayPacket> expected, List<Capture.Frame> inputs) {
        this.host = host;
        this.isBatched = isBatched;
        for (Capture.Frame frame : inputs) {
            if (!frame.isIcmp() && frame.isReadable()) {
                ReplayPacket packet = ReplayPacket.of(frame, true);
                if (packet.is(PacketType.DATA)) {
                    receiving(packet).arrivalsNs.add(frame.atNs());
                }
            }
        }
        for (ReplayPacket packet : expected) {
            if (packet.isFirstTransmission()) {
                sending.computeIfAbsent(packet.conversation(), _ -> new Sending())
                        .captured
                        .add(packet);
            } else if (packet.is(PacketType.GRANT) && packet.grantLevel() < host.fifoLevel()) {
                receiving(packet).normalGrants.add(packet);
            }
        }
    }

    private Receiving receiving(ReplayPacket packet) {
        return receiving.computeIfAbsent(packet.conversation(), _ -> new Receiving());
    }

    /** Bytes of this message the engine has been given. */
    int receivedBytes(String conversation) {
        Receiving message = receiving.get(conversation);
        return message == null ? 0 : message.received.cardinality();
    }

    /** The capture point has seen a packet. */
    void arrive(Capture.Frame frame) {
        arrived.add(frame);
    }

    /** The engine has sent a first transmission. */
    void sent(ReplayPacket packet) {
        sending.computeIfAbsent(packet.conversation(), _ -> new Sending()).sent++;
    }

    /** The engine asks for everything again: what it got of this message was dropped for lack of space. */
    void dropped(String conversation) {
        Receiving message = receiving.get(conversation);
        if (message != null) {
            message.received.clear();
        }
    }

    /** Gives the engine what it can have got to by now. */
    void handOver() {
        Set<String> heldBack = new HashSet<>();
        for (Iterator<Capture.Frame> each = arrived.iterator(); each.hasNext(); ) {
            Capture.Frame frame = each.next();
            if (!frame.isIcmp() && frame.isReadable()) {
                ReplayPacket packet = ReplayPacket.of(frame, true);
                if (heldBack.contains(packet.conversation()) || isNotReached(packet)) {
                    heldBack.add(packet.conversation());
                    continue;
                }
                each.remove();
                handOver(frame, packet);
            } else {
                each.remove();
                host.receive(List.of(frame));
            }
        }
        if (!waiting.isEmpty() && host.captureTime() >= batchDeadlineNs()) {
            handOverWaiting();
        }
    }

    private void handOver(Capture.Frame frame, ReplayPacket packet) {
        if (packet.is(PacketType.DATA)) {
            Receiving message = receiving(packet);
            message.length = message.length == 0 ? packet.messageLength() : message.length;
            if (isBatched && !message.normalGrants.isEmpty()) {
                waiting.add(frame);
                if (nextGrant(message) == null && isComplete(packet.conversation())) {
                    handOver(packet.conversation());
                }
                return;
            }
        } else {
            handOver(packet.conversation());
        }
        if (packet.is(PacketType.GRANT)) {
            Sending message = sending.computeIfAbsent(packet.conversation(), _ -> new Sending());
            message.granted = Math.max(message.granted, packet.from());
            message.level = packet.grantLevel();
        }
        receive(List.of(frame));
    }

    /** Whether the captured host cannot have looked at this GRANT yet: it went on at the level of the one before. */
    private boolean isNotReached(ReplayPacket grant) {
        Sending message = sending.get(grant.conversation());
        if (!grant.is(PacketType.GRANT)
                || message == null
                || message.sent >= message.captured.size()
                || host.captureTime() - grant.atNs() > MAX_LAG_NS) {
            return false;
        }
        ReplayPacket next = message.captured.get(message.sent);
        return next.from() < message.granted && next.level() == message.level && next.level() != grant.grantLevel();
    }

    // ---- batches

    /** When waiting packets are handed over at the latest; Long.MAX_VALUE if there are none. */
    long batchDeadlineNs() {
        return waiting.isEmpty() ? Long.MAX_VALUE : waiting.getFirst().atNs() + MAX_BATCH_WAIT_NS;
    }

    /** The captured host sent a packet: before that it had looked at those that made it do so. */
    void capturedHostSent(ReplayPacket packet) {
        if (waiting.isEmpty() || packet.is(PacketType.GRANT) && packet.grantLevel() == host.fifoLevel()) {
            return;
        }
        if (packet.is(PacketType.GRANT)) {
            handOverFor(packet);
        } else {
            handOver(packet.conversation());
        }
    }

    private void handOverFor(ReplayPacket grant) {
        String conversation = grant.conversation();
        Receiving message = receiving(grant);
        boolean tells = grant.from() < message.length;
        int limit = tells ? Integer.MAX_VALUE : Math.clamp(waitingOf(conversation) - reserve(message), 1, USUAL_BATCH);
        int bytes = message.received.cardinality();
        List<Capture.Frame> batch = new ArrayList<>();
        for (Iterator<Capture.Frame> each = waiting.iterator(); each.hasNext() && batch.size() < limit; ) {
            Capture.Frame frame = each.next();
            ReplayPacket packet = ReplayPacket.of(frame, true);
            if (tells && bytes + host.windowBytes() >= grant.from()) {
                break;
            }
            if (packet.conversation().equals(conversation)) {
                batch.add(frame);
                each.remove();
                bytes += packet.to() - packet.from();
            }
        }
        receive(batch);
        long nextNs = nextArrivalNs(message);
        boolean isPause = nextNs - host.captureTime() > PAUSE_NS && grantsBefore(message, nextNs) == 0;
        if (isPause || nextGrant(message) == null && isComplete(conversation)) {
            handOver(conversation);
        }
    }

    private int waitingOf(String conversation) {
        return (int) waiting.stream()
                .filter(frame -> ReplayPacket.of(frame, true).conversation().equals(conversation))
                .count();
    }

    /** When the next packet of a message comes; Long.MAX_VALUE if none does. */
    private long nextArrivalNs(Receiving message) {
        return message.arrivalsNs.stream()
                .mapToLong(Long::longValue)
                .filter(this::isAhead)
                .findFirst()
                .orElse(Long.MAX_VALUE);
    }

    /** Packets to keep for grants that were made before more packets came; each was made for at least one. */
    private int reserve(Receiving message) {
        long nextNs = nextArrivalNs(message);
        // The last packet of the message draws no grant.
        return grantsBefore(message, nextNs) + (nextNs == Long.MAX_VALUE ? 1 : 0);
    }

    private int grantsBefore(Receiving message, long endNs) {
        return (int) message.normalGrants.stream()
                .filter(grant -> isAhead(grant.atNs()) && grant.atNs() < endNs)
                .count();
    }

    private boolean isAhead(long captureNs) {
        return captureNs > host.captureTime() + ReplayClock.ROUNDING_NS;
    }

    private @Nullable ReplayPacket nextGrant(Receiving message) {
        for (ReplayPacket grant : message.normalGrants) {
            if (isAhead(grant.atNs())) {
                return grant;
            }
        }
        return null;
    }

    /** Whether the message is complete with what waits. */
    private boolean isComplete(String conversation) {
        Receiving message = receiving.getOrDefault(conversation, new Receiving());
        BitSet bytes = (BitSet) message.received.clone();
        for (Capture.Frame frame : waiting) {
            ReplayPacket packet = ReplayPacket.of(frame, true);
            if (packet.conversation().equals(conversation)) {
                bytes.set(packet.from(), packet.to());
            }
        }
        return bytes.cardinality() == message.length;
    }

    /** Hands over what waits of one conversation. */
    private void handOver(String conversation) {
        List<Capture.Frame> batch = waiting.stream()
                .filter(frame -> ReplayPacket.of(frame, true).conversation().equals(conversation))
                .toList();
        waiting.removeAll(batch);
        receive(batch);
    }

    /** Hands over all that waits, as one batch. */
    void handOverWaiting() {
        List<Capture.Frame> batch = List.copyOf(waiting);
        waiting.clear();
        receive(batch);
    }

    private void receive(List<Capture.Frame> batch) {
        if (batch.isEmpty()) {
            return;
        }
        for (Capture.Frame frame : batch) {
            ReplayPacket packet = ReplayPacket.of(frame, true);
            if (packet.is(PacketType.DATA) && packet.from() >= 0 && packet.to() <= packet.messageLength()) {
                receiving(packet).received.set(packet.from(), packet.to());
            }
        }
        host.receive(batch);
    }
}
