package io.homa4j.sim;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config;
import io.homa4j.protocol.Endpoint;
import io.homa4j.protocol.Event;
import io.homa4j.protocol.PacketBatch;
import io.homa4j.protocol.Status;
import io.homa4j.wire.CommonHeader;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A machine of a faulty world: an engine with a shell that does what real ones do to it. Packets arrive in batches of any
 * size and turns come late; the driver takes a part of a batch or nothing; the machine stops, crashes and comes back; its
 * clock starts anywhere and runs fast or slow; what others see of its ports changes. After each turn what must hold for
 * the engine is checked.
 */
final class FuzzHost implements Actor, Hop, Port.Source {
    static final int TURN = 0;
    static final int READ = 1;
    private static final long NEVER = Long.MAX_VALUE;
    private static final int SLOT_BYTES = 96;
    /** The fixed port of the tunnel. */
    private static final int TUNNEL_PORT = 7_000;
    /** Turns within a simulated millisecond, without a packet, after which the engine is taken for spinning. */
    private static final int MAX_TURNS = 10_000;

    final int number;
    final FuzzPlan.HostPlan plan;
    final HostApplication application;

    private final FuzzRun run;
    private final Prng chance;
    private final int self;
    private final Port uplink;

    // ---- what a start makes anew

    private @Nullable Endpoint engine;
    private Config config;
    private WireCheck wire;
    private int[] sockets = {};
    private MemorySegment[] regions = {};
    /** Shortest memory of ended RPCs since the start, ns. */
    private long memoryNs;
    /** Most unscheduled bytes that a configuration since the start allowed. */
    private int mostUnscheduledBytes;

    private int incarnation;
    private int openings;
    /** Network errors told to the engine. */
    private int networkErrors;
    /** Configurations since the start may have switched proof off. */
    private boolean provesReachability;

    // ---- what others see of it

    private final long[] hi = new long[2];
    private final long[] lo = new long[2];
    private int rebindings;
    private int portShift;
    private int portGeneration;

    // ---- its shell

    private final Deque<SimPacket> inbox = new ArrayDeque<>();
    private final Deque<SimPacket> outbox = new ArrayDeque<>();
    private final List<Runnable> commands = new ArrayList<>();
    private final PacketBatch in;
    private final PacketBatch out;
    private final Event event = new Event();
    private long wakePs = NEVER;
    private long pausedUntilPs;
    private boolean isFull;
    private boolean isSocketShut;
    private int turnsToAudit = 1;

    // ---- figures

    long packetsSent;
    long packetsDelivered;
    long packetsDiscarded;
    private int turns;
    /** The millisecond they are counted in, and the packets there had been. */
    private long turnsMs;

    private long packetsAtTurn;

    FuzzHost(FuzzRun run, int number, FuzzPlan.HostPlan plan, Port uplink, Prng chance) {
        this.run = run;
        this.number = number;
        this.plan = plan;
        this.uplink = uplink;
        this.chance = chance;
        config = plan.config();
        in = new PacketBatch(
                plan.batchLimit(), MemorySegment.ofArray(new byte[plan.batchLimit() * SLOT_BYTES]), SLOT_BYTES);
        out = new PacketBatch(
                plan.batchLimit(), MemorySegment.ofArray(new byte[plan.batchLimit() * SLOT_BYTES]), SLOT_BYTES);
        application = new HostApplication(run, this);
        wire = new WireCheck(run, this);
        self = run.simulation.add(this);
        uplink.source(this);
        moveTo(1 + number);
    }

    // ---- names

    private void moveTo(int machine) {
        hi[0] = 0;
        lo[0] = Address.mappedLo(0x0A00_0000 + machine);
        hi[1] = 0xFD00_0000_0000_0000L;
        lo[1] = machine;
    }

    boolean hasAddress(long addressHi, long addressLo) {
        return addressLo == lo[0] && addressHi == hi[0] && (run.plan.families & 1) != 0
                || addressLo == lo[1] && addressHi == hi[1] && (run.plan.families & 2) != 0;
    }

    long hi(int family) {
        return hi[family];
    }

    long lo(int family) {
        return lo[family];
    }

    /** The port others reach a socket by. */
    int visiblePort(int socket) {
        Endpoint running = engine;
        int port = running == null || socket >= sockets.length ? 0 : running.port(sockets[socket]);
        return port <= 0 ? 4_000 + number : port + portShift;
    }

    int rebindings() {
        return rebindings;
    }

    int incarnation() {
        return incarnation;
    }

    int openings() {
        return openings;
    }

    boolean isUp() {
        return engine != null;
    }

    Endpoint engine() {
        Endpoint running = engine;
        if (running == null) {
            throw new IllegalStateException(this + " is down");
        }
        return running;
    }

    int socket(int which) {
        return sockets[which];
    }

    int socketCount() {
        return sockets.length;
    }

    MemorySegment region(int socket) {
        for (int i = 0; i < sockets.length; i++) {
            if (sockets[i] == socket) {
                return regions[i];
            }
        }
        throw run.failure(this + " has no socket " + socket);
    }

    boolean isSocketShut() {
        return isSocketShut;
    }

    /** What its configuration says now; not to be changed. */
    Config config() {
        return config;
    }

    boolean provesReachability() {
        return provesReachability;
    }

    int mostUnscheduledBytes() {
        return mostUnscheduledBytes;
    }

    long memoryNs() {
        return memoryNs;
    }

    int networkErrors() {
        return networkErrors;
    }

    WireCheck wire() {
        return wire;
    }

    /** By its own clock. */
    long nowNs() {
        long trueNs = run.simulation.nowNs();
        return plan.clockOffsetNs() + trueNs + trueNs * plan.driftPpm() / 1_000_000;
    }

    // ---- up and down

    void start() {
        incarnation++;
        config = plan.config().copy();
        if (incarnation > 1 && config.firstId != 0) {
            config.firstId = chance.nextLong() >>> 2 & ~1L | 2;
        }
        memoryNs = Long.MAX_VALUE;
        mostUnscheduledBytes = 0;
        provesReachability = true;
        networkErrors = 0;
        note(config);
        Config given = config.copy();
        if (run.sabotage == Sabotage.FORGETS_ENDED_RPCS) {
            given.finishedRpcMsecs = 0;
        }
        if (run.sabotage == Sabotage.TRUSTS_STRANGERS) {
            given.proveReachability = false;
        }
        if (run.sabotage == Sabotage.STARVES_THE_OLDEST) {
            given.grantFifoFraction = 0;
        }
        wire = new WireCheck(run, this);
        engine = new Endpoint(given, chance.nextLong(), nowNs());
        if (plan.profile() == FuzzPlan.Profile.DEFAULT && chance.oneIn(3)) {
            engine.link((int) (run.plan.bitsPerSecond / 1_000_000), chance.oneIn(2) ? 0 : 200_000);
        }
        sockets = new int[plan.sockets()];
        regions = new MemorySegment[plan.sockets()];
        openSockets(engine);
        run.trace.event("starts", number, incarnation, openings);
        wake(0);
    }

    private void openSockets(Endpoint running) {
        openings++;
        isSocketShut = false;
        for (int i = 0; i < sockets.length; i++) {
            regions[i] = run.regions.take(plan.regionBytes());
            int port =
                    i == 0 ? 4_000 + number + 100 * portGeneration : portGeneration == 0 ? 0 : 33_000 + portGeneration;
            sockets[i] = running.openSocket(port, i == 0, regions[i]);
            if (sockets[i] < 0) {
                throw run.failure(this + " cannot open a socket: " + Status.of(sockets[i]));
            }
        }
    }

    /** A configuration is in force from now on. */
    private void note(Config next) {
        memoryNs = Math.min(memoryNs, next.maxFinishedRpcs == 0 ? 0 : next.finishedRpcMsecs * FuzzPlan.MS);
        mostUnscheduledBytes = Math.max(mostUnscheduledBytes, next.unschedBytes);
        provesReachability &= next.proveReachability && !next.moduleProfile;
    }

    /** Everything it knew is gone. */
    void crash() {
        run.trace.event("crashes", number, incarnation, 0);
        engine = null;
        discard(inbox);
        discard(outbox);
        commands.clear();
        application.crash();
    }

    /** Comes back, perhaps at another address or with other ports. */
    void restart(Fault how, int machine) {
        if (how == Fault.RESTART_ELSEWHERE) {
            moveTo(machine);
            rebindings++;
        } else if (how == Fault.RESTART_OTHER_PORTS) {
            portGeneration++;
            rebindings++;
        }
        start();
    }

    private void discard(Deque<SimPacket> packets) {
        for (SimPacket packet = packets.poll(); packet != null; packet = packets.poll()) {
            packetsDiscarded++;
            run.simulation.free(packet);
        }
    }

    void pause(long untilPs) {
        pausedUntilPs = Math.max(pausedUntilPs, untilPs);
    }

    void unpause() {
        pausedUntilPs = 0;
        wake(0);
    }

    /** A NAT before it forgets its table: from now on it is seen with other ports. */
    void rebind() {
        portShift = 20_000 + chance.nextInt(10_000);
        rebindings++;
    }

    void reconfigure() {
        RandomParameters.change(chance, config);
        note(config);
        engine().reconfigure(config, nowNs());
    }

    /** Takes all sockets away; {@link #reopen} follows. */
    void shutSockets() {
        isSocketShut = true;
        application.shut();
        for (int socket : sockets) {
            engine().shutdown(socket, nowNs());
        }
    }

    void reopen() {
        application.shut();
        for (int socket : sockets) {
            engine().closeSocket(socket, nowNs());
        }
        openSockets(engine());
    }

    // ---- turns

    /** Something the application or the world wants of the engine, done in a turn; at the latest when a pause ends. */
    void command(Runnable command) {
        if (engine != null) {
            commands.add(command);
            wake(0);
        }
    }

    boolean hasCommands() {
        return !commands.isEmpty();
    }

    void wake(long afterNs) {
        long atPs = Math.max(run.simulation.nowPs() + afterNs * Simulation.NS, pausedUntilPs);
        if (atPs < wakePs) {
            wakePs = atPs;
            run.simulation.at(atPs, self, TURN);
        }
    }

    @Override
    public void act(int code) {
        if (code == READ) {
            command(application::readAll);
            return;
        }
        if (wakePs != run.simulation.nowPs()) {
            return; // Replaced by an earlier one.
        }
        wakePs = NEVER;
        if (pausedUntilPs > run.simulation.nowPs()) {
            wake(0);
            return;
        }
        Endpoint running = engine;
        if (running != null) {
            turn(running);
        }
    }

    /** After so long a time what is ready will be read. */
    void readAfter(long ns) {
        run.simulation.at(run.simulation.nowPs() + ns * Simulation.NS, self, READ);
    }

    private void turn(Endpoint running) {
        long nowNs = nowNs();
        checkPace();
        long fifoBefore = Figures.value(running.counters(), "fifo_grant_bytes");
        long totalBefore = running.totalIncomingBytes();
        long mostBefore = running.mostIncomingBytes();
        wire.announcedBytes = 0;
        receive(running, nowNs);
        for (int i = 0; i < commands.size(); i++) {
            commands.get(i).run();
        }
        commands.clear();
        if (run.sabotage != Sabotage.STOPS_TIMERS) {
            running.onTime(nowNs);
        }
        pump(running, nowNs);
        while (running.pollEvent(event)) {
            application.onEvent(event);
        }
        pump(running, nowNs);
        checkGrants(running, totalBefore, fifoBefore, mostBefore);
        if (--turnsToAudit <= 0) {
            turnsToAudit = 1 + chance.nextInt(run.auditEvery);
            audit(running);
        }
        plan(running, nowNs);
    }

    private void checkPace() {
        long ms = run.simulation.nowPs() / Simulation.MS;
        long packets = packetsSent + packetsDelivered;
        boolean isIdle = ms == turnsMs && packets == packetsAtTurn;
        turns = isIdle ? turns + 1 : 0;
        turnsMs = ms;
        packetsAtTurn = packets;
        if (turns > MAX_TURNS) {
            throw run.failure(this + " has had " + turns + " turns in a millisecond without a packet and wants more");
        }
    }

    /** Nothing in the engine contradicts itself. */
    void audit(Endpoint running) {
        String contradictions = running.audit();
        if (!contradictions.isEmpty()) {
            throw run.failure(this + " contradicts itself: " + contradictions);
        }
    }

    /**
     * A grant is only given while fewer bytes are expected than may be, and up to there; beyond it go the grants of the FIFO
     * share and what senders announce by themselves.
     */
    private void checkGrants(Endpoint running, long totalBefore, long fifoBefore, long mostBefore) {
        long total = running.totalIncomingBytes();
        boolean hasGranted = total > totalBefore + wire.announcedBytes;
        if (!hasGranted || Figures.value(running.counters(), "fifo_grant_bytes") != fifoBefore) {
            return;
        }
        long most = Math.max(mostBefore, running.mostIncomingBytes()) + wire.announcedBytes;
        if (total > most) {
            throw run.failure(this + " has granted up to " + total + " bytes instead of " + most);
        }
    }

    private void plan(Endpoint running, long nowNs) {
        long deadlineNs = running.nextDeadlineNs(nowNs);
        if (deadlineNs == NEVER) {
            return;
        }
        long waitNs = deadlineNs - nowNs;
        if (waitNs <= 0) {
            if (!isFull) {
                wake(10);
            }
            return;
        }
        // A fast clock gets there sooner.
        wake(Math.max(1, (long) (Math.min(waitNs, 3_600_000_000_000L) / (1 + plan.driftPpm() / 1e6)) + 1));
    }

    // ---- packets in

    @Override
    public void arrive(SimPacket packet) {
        if (engine == null) {
            discardDelivered(packet);
            run.sendErrorOfDeadHost(this, packet);
            return;
        }
        if (!run.isHealed() && inbox.size() >= plan.inboxPackets()) {
            run.coverage.count(Fault.OVERFLOW);
            discardDelivered(packet);
            return;
        }
        inbox.add(packet);
        wake(plan.turnDelayNs());
    }

    private void discardDelivered(SimPacket packet) {
        packetsDiscarded++;
        run.trace.packet("discarded", packet);
        run.simulation.free(packet);
    }

    private void receive(Endpoint running, long nowNs) {
        while (!inbox.isEmpty()) {
            in.clear();
            SimPacket[] packets = new SimPacket[in.capacity];
            while (in.count < in.capacity) {
                SimPacket packet = inbox.poll();
                if (packet == null) {
                    break;
                }
                if (accepts(running, packet)) {
                    packets[in.count] = packet;
                    fill(running, packet, in.count++);
                }
            }
            running.onPackets(in, nowNs);
            for (int i = 0; i < in.count; i++) {
                if (in.portUnreachable[i]) {
                    run.sendError(this, packets[i], Status.NO_SERVER);
                }
                run.simulation.free(packets[i]);
            }
        }
    }

    /** Whether the operating system, or the variant of the protocol, lets the packet through to the engine. */
    private boolean accepts(Endpoint running, SimPacket packet) {
        if (run.plan.encapsulation == Config.Encapsulation.UDP && running.socketAt(packet.targetPort - portShift) < 0) {
            run.sendError(this, packet, Status.NO_SERVER);
            discardDelivered(packet);
            return false;
        }
        if (plan.profile() == FuzzPlan.Profile.STRIPPED && !StrippedDialect.arrives(packet)) {
            discardDelivered(packet);
            return false;
        }
        return true;
    }

    private void fill(Endpoint running, SimPacket packet, int i) {
        packetsDelivered++;
        boolean isUdp = run.plan.encapsulation == Config.Encapsulation.UDP;
        in.packet[i] = packet.bytes;
        in.packetAt[i] = packet.at;
        in.length[i] = packet.length;
        in.socket[i] = isUdp ? running.socketAt(packet.targetPort - portShift) : -1;
        in.localHi[i] = packet.targetHi;
        in.localLo[i] = packet.targetLo;
        in.peerHi[i] = packet.sourceHi;
        in.peerLo[i] = packet.sourceLo;
        in.peerPort[i] = isUdp ? packet.sourcePort : TUNNEL_PORT;
        in.level[i] = packet.level;
        in.portUnreachable[i] = false;
        run.trace.packet("arrives", packet);
        wire.received(packet, in.socket[i]);
    }

    // ---- packets out

    private void pump(Endpoint running, long nowNs) {
        while (outbox.size() < plan.ringPackets()) {
            int maxBytes = chance.oneIn(4) ? 1 + chance.nextInt(20_000) : Integer.MAX_VALUE;
            int count = running.pollPackets(out, maxBytes, nowNs);
            if (count == 0) {
                return;
            }
            int taken = Math.min(count, plan.ringPackets() - outbox.size());
            if (!run.isHealed() && chance.chance(plan.driverFull())) {
                taken = chance.nextInt(taken + 1);
                run.coverage.count(Fault.DRIVER_FULL);
            }
            int leaving = run.sabotages(Sabotage.SENDS_UNTAKEN) ? count : taken;
            for (int i = 0; i < leaving; i++) {
                wire.sent(out, i);
                send(i);
            }
            running.onSent(taken, nowNs);
            uplink.kick();
            if (taken < count) {
                if (outbox.size() < plan.ringPackets()) {
                    wake(1 + chance.nextInt(20_000));
                } else {
                    isFull = true;
                }
                return;
            }
        }
        isFull = true;
    }

    private void send(int i) {
        SimPacket packet = run.simulation.packet();
        int header = out.length[i];
        int payload = out.payloadLength[i];
        MemorySegment.copy(out.packet[i], out.packetAt[i], packet.bytes, packet.at, header);
        MemorySegment bytes = out.payload[i];
        if (bytes != null) {
            MemorySegment.copy(bytes, out.payloadAt[i], packet.bytes, packet.at + header, payload);
        }
        boolean isUdp = run.plan.encapsulation == Config.Encapsulation.UDP;
        packet.length = header + payload;
        packet.wireBytes = Framing.ethernet(header + payload);
        packet.level = out.level[i];
        packet.source = number;
        packet.target = number;
        packet.targetHi = out.peerHi[i];
        packet.targetLo = out.peerLo[i];
        int family = Address.isIpv4(out.peerHi[i], out.peerLo[i]) ? 0 : 1;
        packet.sourceHi = hi[family];
        packet.sourceLo = lo[family];
        packet.sourcePort = isUdp ? CommonHeader.sourcePort(packet.bytes, packet.at) + portShift : TUNNEL_PORT;
        packet.targetPort = isUdp ? out.peerPort[i] : TUNNEL_PORT;
        packetsSent++;
        if (plan.profile() == FuzzPlan.Profile.STRIPPED && !StrippedDialect.leaves(packet)) {
            packetsDiscarded++;
            run.simulation.free(packet);
            return;
        }
        run.trace.packet("leaves", packet);
        outbox.add(packet);
    }

    @Override
    public @Nullable SimPacket pollPacket() {
        SimPacket packet = outbox.poll();
        if (isFull && outbox.size() < plan.ringPackets()) {
            isFull = false;
            wake(0);
        }
        return packet;
    }

    // ---- network errors

    /** ICMP says that a packet to this address and port reached nobody. */
    void networkError(long peerHi, long peerLo, int port, Status kind) {
        run.coverage.count(Fault.NETWORK_ERROR);
        networkErrors++;
        run.trace.event("hears " + kind, number, peerLo, port);
        engine().unreachable(peerHi, peerLo, port, kind, nowNs());
    }

    /** Whether a response of this host to the call has been released and none is still lent. */
    boolean hasReleased(Call call) {
        boolean isReleased = false;
        for (Execution execution : call.executions) {
            if (execution.server == this && execution.incarnation == incarnation && execution.isReplied) {
                if (execution.released == 0) {
                    return false;
                }
                isReleased = true;
            }
        }
        return isReleased;
    }

    @Override
    public String toString() {
        return "host " + number;
    }
}
