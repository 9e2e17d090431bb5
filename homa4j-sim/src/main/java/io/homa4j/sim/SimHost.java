package io.homa4j.sim;

import io.homa4j.protocol.Config;
import io.homa4j.protocol.Endpoint;
import io.homa4j.protocol.Event;
import io.homa4j.protocol.PacketBatch;
import io.homa4j.wire.CommonHeader;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A machine: one engine, its shell, and an uplink. A turn of the engine follows whatever happens: a packet arrives, the
 * application gave commands ({@link #turn}), a deadline has come, the uplink is idle. Packets leave the engine one by one, each
 * when the link can really take it, and arrive one by one; there is no queue on either side.
 */
public final class SimHost implements Actor, Hop, Port.Source {
    private static final int DEADLINE = 0;
    private static final long NEVER = Long.MAX_VALUE;
    private static final int SLOT_BYTES = 96;

    /** Its number, which switches route by. */
    public final int number;

    private final Simulation simulation;
    private final int self;
    private final Directory directory;
    private final Framing framing;
    private final Application application;
    private final Port uplink;

    private long hi;
    private long lo;
    /** The engine; null while the machine is down. */
    private @Nullable Endpoint engine;

    private long clockOffsetNs;
    private int clockDriftPpm;

    private final PacketBatch in = new PacketBatch(1, MemorySegment.ofArray(new byte[SLOT_BYTES]), SLOT_BYTES);
    private final PacketBatch out = new PacketBatch(1, MemorySegment.ofArray(new byte[SLOT_BYTES]), SLOT_BYTES);
    private final Event event = new Event();
    /** When the next deadline event is due; NEVER if none is. */
    private long wakePs = NEVER;

    /**
     * A machine that is down; its uplink asks it for packets from now on.
     *
     * @param number what packets to it carry as their target
     */
    public SimHost(
            Simulation simulation,
            int number,
            Directory directory,
            Framing framing,
            Application application,
            Port uplink) {
        this.simulation = simulation;
        this.number = number;
        this.directory = directory;
        this.framing = framing;
        this.application = application;
        this.uplink = uplink;
        self = simulation.add(this);
        uplink.source(this);
    }

    // ---- up and down

    /** Starts with a new engine that knows nothing of the past, at this address. */
    public void start(Config config, long seed, long addressHi, long addressLo) {
        hi = addressHi;
        lo = addressLo;
        engine = new Endpoint(config, seed, nowNs());
    }

    /** Stops at once: the engine and all it knew are gone, packets to it are lost. What has left goes its way. */
    public void crash() {
        engine = null;
    }

    public boolean isUp() {
        return engine != null;
    }

    /**
     * Its engine, for commands; {@link #turn} must follow them, unless they are given during
     * {@link Application#onEvent}.
     *
     * @throws IllegalStateException if the machine is down
     */
    public Endpoint engine() {
        Endpoint running = engine;
        if (running == null) {
            throw new IllegalStateException("host " + number + " is down");
        }
        return running;
    }

    /** Upper and lower half of its address. */
    public long hi() {
        return hi;
    }

    public long lo() {
        return lo;
    }

    public Port uplink() {
        return uplink;
    }

    // ---- its clock

    /** From now on its clock is so far ahead and runs so many millionths faster than true time; it never jumps back. */
    public void clock(long offsetNs, int driftPpm) {
        long before = nowNs();
        clockDriftPpm = driftPpm;
        clockOffsetNs = offsetNs;
        clockOffsetNs += Math.max(0, before - nowNs());
    }

    /** The present by its own clock, ns. */
    public long nowNs() {
        long trueNs = simulation.nowNs();
        return clockDriftPpm == 0
                ? trueNs + clockOffsetNs
                : trueNs
                        + clockOffsetNs
                        + trueNs / 1_000_000 * clockDriftPpm
                        + trueNs % 1_000_000 * clockDriftPpm / 1_000_000;
    }

    // ---- turns

    /** A turn after commands. */
    public void turn() {
        Endpoint running = engine;
        if (running != null) {
            finish(running, nowNs());
        }
    }

    @Override
    public void arrive(SimPacket packet) {
        Endpoint running = engine;
        if (running == null) {
            simulation.free(packet);
            return;
        }
        long nowNs = nowNs();
        in.count = 1;
        in.socket[0] = running.socketAt(packet.targetPort);
        in.packet[0] = packet.bytes;
        in.packetAt[0] = packet.at;
        in.length[0] = packet.length;
        in.localHi[0] = packet.targetHi;
        in.localLo[0] = packet.targetLo;
        in.peerHi[0] = packet.sourceHi;
        in.peerLo[0] = packet.sourceLo;
        in.peerPort[0] = packet.sourcePort;
        in.level[0] = packet.level;
        running.onPackets(in, nowNs);
        simulation.free(packet);
        finish(running, nowNs);
    }

    @Override
    public void act(int code) {
        assert code == DEADLINE;
        if (wakePs != simulation.nowPs()) {
            return; // A later event was replaced by an earlier one.
        }
        wakePs = NEVER;
        turn();
    }

    /** The parts of a turn behind its input. */
    private void finish(Endpoint running, long nowNs) {
        running.onTime(nowNs);
        uplink.kick();
        while (engine == running && running.pollEvent(event)) {
            application.onEvent(this, event);
        }
        if (engine == running) {
            uplink.kick();
            plan(running, nowNs);
        }
    }

    /** Remembers when the engine wants its next turn, if nothing happens before. */
    private void plan(Endpoint running, long nowNs) {
        long deadlineNs = running.nextDeadlineNs(nowNs);
        if (deadlineNs == NEVER) {
            return;
        }
        long waitNs = deadlineNs - nowNs;
        if (waitNs <= 0) {
            if (uplink.isBusy()) {
                return; // The next turn comes when the link is idle.
            }
            waitNs = 1;
        }
        long wantedPs = (simulation.nowNs() + waitNs) * Simulation.NS;
        if (wantedPs < wakePs) {
            wakePs = wantedPs;
            simulation.at(wantedPs, self, DEADLINE);
        }
    }

    // ---- sending

    @Override
    public @Nullable SimPacket pollPacket() {
        Endpoint running = engine;
        if (running == null) {
            return null;
        }
        long nowNs = nowNs();
        while (running.pollPackets(out, 1, nowNs) > 0) {
            int target = directory.hostAt(out.peerHi[0], out.peerLo[0]);
            SimPacket packet = target < 0 ? null : packet(target);
            running.onSent(1, nowNs);
            plan(running, nowNs);
            if (packet != null) {
                return packet;
            }
        }
        return null;
    }

    /** The polled packet on its way to a host. */
    private SimPacket packet(int target) {
        SimPacket packet = simulation.packet();
        int headerBytes = out.length[0];
        int payloadBytes = out.payloadLength[0];
        MemorySegment.copy(out.packet[0], out.packetAt[0], packet.bytes, packet.at, headerBytes);
        MemorySegment payload = out.payload[0];
        if (payload != null && simulation.hasPayload()) {
            MemorySegment.copy(payload, out.payloadAt[0], packet.bytes, packet.at + headerBytes, payloadBytes);
        }
        packet.length = headerBytes + payloadBytes;
        packet.wireBytes = framing.wireBytes(packet.bytes, packet.at, headerBytes, payloadBytes);
        packet.level = out.level[0];
        packet.source = number;
        packet.target = target;
        packet.sourceHi = hi;
        packet.sourceLo = lo;
        packet.targetHi = out.peerHi[0];
        packet.targetLo = out.peerLo[0];
        packet.sourcePort = CommonHeader.sourcePort(packet.bytes, packet.at);
        packet.targetPort = out.peerPort[0];
        return packet;
    }
}
