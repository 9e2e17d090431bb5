package io.homa4j.driver;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config;
import io.homa4j.protocol.Endpoint;
import io.homa4j.protocol.PacketBatch;
import io.homa4j.protocol.Status;
import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.PacketType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An engine in the place of one host of a capture, under virtual time: the next event is the next captured packet, the
 * next thing the application does, or the engine's own deadline. {@link ReplayArrivals} decides when it gets the packets
 * the host got, {@link ReplayApplication} does what the script says. The driver is played here: it hands a DATA packet
 * over whenever the captured host sent one and asks for none in between, so that the engine chooses (which message,
 * which level) when the host did. Control packets leave at once.
 */
final class ReplayedHost implements AutoCloseable {
    /** Where tick 0 of the script lies on the engine's clock; a jiffy begins there, too. */
    private static final long ORIGIN_NS = 1_000_000_000_000L;

    private static final long TICK_NS = 1_000_000;
    private static final int TICKS_BEFORE = 100;
    private static final int MAX_BATCH = 800;
    private static final int SLOT_BYTES = 4096;

    private final ReplayScript.Side side;
    private final ReplayClock clock;
    private final Arena arena = Arena.ofConfined();
    private final Config config = Config.module();
    private final Endpoint endpoint;
    private final PacketBatch incoming;
    private final PacketBatch outgoing;
    private final ReplayApplication application;
    private final ReplayArrivals arrivals;

    private final List<Capture.Frame> inputs = new ArrayList<>();
    private final List<ReplayPacket> expected = new ArrayList<>();
    private final List<Capture.Frame> expectedErrors = new ArrayList<>();
    private final List<ReplayPacket> produced = new ArrayList<>();
    private final List<ReplayPacket> producedErrors = new ArrayList<>();
    private final List<String> complaints = new ArrayList<>();

    private final Map<String, ReplayPacket> lastGrant = new HashMap<>();
    private final Map<String, Integer> fifoGrants = new HashMap<>();
    /** Grants since the last batch: more than one of a kind for a message is one too many. */
    private final Set<String> grantsOfBatch = new HashSet<>();

    /** DATA packets the driver would take now. */
    private long credit;

    private long nowNs;

    ReplayedHost(ReplayScript script, ReplayScript.Side side, List<Capture.Frame> frames) throws IOException {
        this.side = side;
        Set<String> addresses = new HashSet<>();
        for (String text : script.hosts.getOrDefault(side.host, List.of())) {
            byte[] bytes = InetAddress.getByName(text).getAddress();
            addresses.add(Address.text(Address.hi(bytes), Address.lo(bytes)));
        }
        for (Capture.Frame captured : frames) {
            byte[] tail = script.tails.get(captured.number());
            Capture.Frame frame = tail == null ? captured : captured.withTail(tail);
            if (!script.artefacts.contains(frame.number()) && !side.without.contains(clientId(frame))) {
                sort(frame, addresses, script.lost);
            }
        }
        ReplayParameters.set(config, script.parameters);
        ReplayParameters.set(config, side.parameters);
        clock = new ReplayClock(side.clock, script.tickMs, ORIGIN_NS);
        nowNs = startNs();
        if (side.nextId != 0) {
            config.firstId =
                    side.acks.stream().flatMap(acks -> acks.ids().stream()).reduce(side.nextId, Math::min);
        }
        incoming = new PacketBatch(MAX_BATCH, arena.allocate((long) MAX_BATCH * SLOT_BYTES, 64), SLOT_BYTES);
        outgoing = new PacketBatch(1, arena.allocate(128, 64), 128);
        endpoint = new Endpoint(config, 1, nowNs);
        application = new ReplayApplication(this, side, endpoint, config, arena);
        arrivals = new ReplayArrivals(this, script.grants != ReplayScript.Grants.STEPS, expected, inputs);
    }

    private static long clientId(Capture.Frame frame) {
        return frame.isIcmp() ? 0 : CommonHeader.senderId(frame.segment(), 0) & ~1L;
    }

    private void sort(Capture.Frame frame, Set<String> addresses, Set<Integer> lost) {
        if (addresses.contains(frame.target()) && !lost.contains(frame.number())) {
            inputs.add(frame);
        } else if (addresses.contains(frame.source()) && frame.isPortUnreachable()) {
            expectedErrors.add(frame);
        } else if (addresses.contains(frame.source()) && !frame.isIcmp()) {
            ReplayPacket packet = ReplayPacket.of(frame, false);
            if (!packet.is(PacketType.FREEZE)) {
                // FREEZE is a debugging aid of the module, which homa4j does not send.
                expected.add(packet);
            }
        }
    }

    @Override
    public void close() {
        arena.close();
    }

    List<ReplayPacket> expected() {
        return expected;
    }

    List<ReplayPacket> produced() {
        return produced;
    }

    /** ICMP errors the captured host sent. */
    List<Capture.Frame> expectedErrors() {
        return expectedErrors;
    }

    /** Packets for which the engine wants an ICMP error sent. */
    List<ReplayPacket> producedErrors() {
        return producedErrors;
    }

    List<Capture.Frame> inputs() {
        return inputs;
    }

    /** What went wrong besides packets: refused calls, wrong bytes, wrong outcomes. */
    List<String> complaints() {
        return complaints;
    }

    long nowNs() {
        return nowNs;
    }

    /** The present on the clock of the capture, ns from its first frame. */
    long captureTime() {
        return clock.captureNs(nowNs);
    }

    int fifoLevel() {
        return config.numPriorities - 2;
    }

    /** The largest window a message can have. */
    int windowBytes() {
        return config.window != 0 ? config.window : config.maxIncoming / 2;
    }

    // ---- the run

    /** Whole ticks before everything else. */
    private long startNs() {
        long earliest =
                side.actions.isEmpty() ? 0 : Math.min(0, side.actions.getFirst().atNs());
        return ORIGIN_NS - ((ORIGIN_NS - clock.engineNs(earliest)) / TICK_NS + TICKS_BEFORE) * TICK_NS;
    }

    /** A moment at which the captured host sent something; no packet: something that is not in the capture. */
    private record Departure(long atNs, @Nullable ReplayPacket packet) {}

    /** Replays the whole capture and a little more, so that what comes too late is seen as well. */
    void run() throws IOException {
        application.prepare();
        produced.clear();
        credit = 0;
        Deque<ReplayScript.Action> actions = new ArrayDeque<>(side.actions);
        Deque<Departure> departures = departures();
        Deque<Capture.Frame> frames = new ArrayDeque<>(inputs);
        long endNs = clock.engineNs(endNs());
        while (nowNs < endNs) {
            long next = Math.min(endNs, endpoint.nextDeadlineNs(nowNs));
            // Packets that wait for the driver make the engine want a turn at once; they get one when the driver has
            // room.
            next = next <= nowNs ? nowNs + TICK_NS / 8 : next;
            next = Math.min(
                    next,
                    at(actions.isEmpty() ? Long.MAX_VALUE : actions.getFirst().atNs()));
            next = Math.min(
                    next,
                    at(
                            departures.isEmpty()
                                    ? Long.MAX_VALUE
                                    : departures.getFirst().atNs()));
            next = Math.min(
                    next,
                    at(frames.isEmpty() ? Long.MAX_VALUE : frames.getFirst().atNs()));
            next = Math.min(next, at(arrivals.batchDeadlineNs()));
            nowNs = Math.max(nowNs, next);
            while (!actions.isEmpty() && at(actions.getFirst().atNs()) <= nowNs) {
                application.act(actions.removeFirst());
                turn();
            }
            while (!departures.isEmpty() && at(departures.getFirst().atNs()) <= nowNs) {
                depart(departures.removeFirst());
            }
            while (!frames.isEmpty() && at(frames.getFirst().atNs()) <= nowNs) {
                arrivals.arrive(frames.removeFirst());
            }
            arrivals.handOver();
            turn();
        }
        application.finish();
    }

    private long at(long captureNs) {
        return captureNs == Long.MAX_VALUE ? Long.MAX_VALUE : clock.engineNs(captureNs);
    }

    private long endNs() {
        long end = Math.max(
                side.untilNs,
                side.actions.isEmpty() ? 0 : side.actions.getLast().atNs());
        end = Math.max(end, inputs.isEmpty() ? 0 : inputs.getLast().atNs());
        return TICK_NS
                + Math.max(end, expected.isEmpty() ? 0 : expected.getLast().atNs());
    }

    private Deque<Departure> departures() {
        List<Departure> all = new ArrayList<>();
        expected.forEach(packet -> all.add(new Departure(packet.atNs(), packet)));
        side.hidden.stream()
                .filter(hidden -> hidden.type().isEmpty())
                .forEach(hidden -> all.add(new Departure(hidden.atNs(), null)));
        all.sort(Comparator.comparingLong(Departure::atNs));
        return new ArrayDeque<>(all);
    }

    private void depart(Departure departure) {
        ReplayPacket packet = departure.packet();
        if (packet == null || packet.is(PacketType.DATA)) {
            credit++;
        }
        if (packet != null) {
            arrivals.capturedHostSent(packet);
        }
        turn();
    }

    /** The driver takes this many DATA packets more. */
    void allow(int packets) {
        credit += packets;
        turn();
    }

    /** What was sent so far was only preparation. */
    void forgetProduced() {
        produced.clear();
    }

    void turn() {
        endpoint.onTime(nowNs);
        pump();
        application.takeMessages();
        pump();
    }

    private void pump() {
        while (endpoint.pollPackets(outgoing, credit > 0 ? Integer.MAX_VALUE : 0, nowNs) > 0) {
            int header = outgoing.length[0];
            byte[] bytes = new byte[header + outgoing.payloadLength[0]];
            MemorySegment.copy(outgoing.packet[0], ValueLayout.JAVA_BYTE, outgoing.packetAt[0], bytes, 0, header);
            MemorySegment payload = outgoing.payload[0];
            if (payload != null) {
                MemorySegment.copy(
                        payload, ValueLayout.JAVA_BYTE, outgoing.payloadAt[0], bytes, header, bytes.length - header);
            }
            ReplayPacket packet = ReplayPacket.of(
                    captureTime(), 0, outgoing.peerHi[0], outgoing.peerLo[0], outgoing.level[0], bytes, bytes.length);
            endpoint.onSent(1, nowNs);
            produced.add(packet);
            if (packet.is(PacketType.DATA)) {
                credit--;
                if (packet.isFirstTransmission()) {
                    arrivals.sent(packet);
                }
            } else if (packet.is(PacketType.GRANT)) {
                checkGrant(packet);
            } else if (packet.is(PacketType.RESEND) && packet.to() == -1) {
                arrivals.dropped(packet.conversation());
            }
        }
    }

    /** Whatever the batches: one grant of a kind for each, never back, never further ahead than it may be. */
    private void checkGrant(ReplayPacket grant) {
        String conversation = grant.conversation();
        ReplayPacket before = lastGrant.put(conversation, grant);
        boolean isFifo = grant.grantLevel() == fifoLevel();
        int fifo = fifoGrants.merge(conversation, isFifo ? 1 : 0, Integer::sum);
        int received = arrivals.receivedBytes(conversation);
        if (before != null && before.from() > grant.from()) {
            complaints.add(grant.line() + " goes back behind " + before.from());
        }
        if (grant.from() > (long) received + windowBytes() + (long) fifo * config.fifoGrantIncrement) {
            complaints.add(grant.line() + " is beyond " + received + " bytes received, window " + windowBytes()
                    + " and " + fifo + " FIFO grants");
        }
        if (!grantsOfBatch.add(conversation + isFifo)) {
            complaints.add(grant.line() + " is the second for one batch of packets");
        }
    }

    // ---- packets in

    /** Gives the engine a batch of packets, or what an ICMP error means, and a turn. */
    void receive(List<Capture.Frame> frames) {
        incoming.clear();
        grantsOfBatch.clear();
        for (Capture.Frame frame : frames) {
            if (frame.isIcmp()) {
                unreachable(frame);
                continue;
            }
            int i = incoming.count++;
            byte[] bytes = ReplayPayload.filled(frame);
            incoming.packet[i] = incoming.slab;
            incoming.packetAt[i] = (long) i * SLOT_BYTES;
            MemorySegment.copy(bytes, 0, incoming.slab, ValueLayout.JAVA_BYTE, incoming.packetAt[i], bytes.length);
            incoming.length[i] = bytes.length;
            incoming.socket[i] = -1;
            incoming.peerHi[i] = frame.sourceHi();
            incoming.peerLo[i] = frame.sourceLo();
            incoming.peerPort[i] = 0;
            incoming.localHi[i] = frame.targetHi();
            incoming.localLo[i] = frame.targetLo();
            incoming.level[i] = frame.level();
        }
        endpoint.onPackets(incoming, nowNs);
        for (int i = 0; i < incoming.count; i++) {
            if (incoming.portUnreachable[i]) {
                producedErrors.add(ReplayPacket.of(frames.get(i), true));
            }
        }
        turn();
    }

    /** What a driver makes of an ICMP error (spec protocol 2.13). */
    private void unreachable(Capture.Frame frame) {
        boolean isV6 = frame.protocol() == IpPacket.ICMPV6;
        int error = (frame.payload()[0] & 255) << 8 | (frame.payload()[1] & 255);
        IpPacket quoted = frame.quoted();
        // IPv4 drops errors that quote less than eight bytes of the transport header.
        if (quoted == null || quoted.transport().length < (isV6 ? 4 : 8)) {
            return;
        }
        Status kind = isV6 ? kindV6(error) : kindV4(error);
        if (kind != Status.OK) {
            endpoint.unreachable(
                    Address.hi(quoted.target()),
                    Address.lo(quoted.target()),
                    kind == Status.NO_SERVER
                            ? CommonHeader.targetPort(MemorySegment.ofArray(quoted.transport()), 0)
                            : 0,
                    kind,
                    nowNs);
        }
    }

    private static Status kindV4(int error) {
        return switch (error) {
            case 0x0303 -> Status.NO_SERVER;
            case 0x0302 -> Status.PROTOCOL_UNSUPPORTED;
            default -> error >> 8 == 3 ? Status.HOST_UNREACHABLE : Status.OK;
        };
    }

    private static Status kindV6(int error) {
        return switch (error) {
            case 0x0104 -> Status.NO_SERVER;
            case 0x0401 -> Status.PROTOCOL_UNSUPPORTED;
            case 0x0103 -> Status.HOST_UNREACHABLE;
            default -> Status.OK;
        };
    }
}
