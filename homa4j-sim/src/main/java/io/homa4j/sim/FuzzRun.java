package io.homa4j.sim;

import io.homa4j.protocol.Config;
import io.homa4j.protocol.Counters;
import io.homa4j.protocol.RpcInfo;
import io.homa4j.protocol.SocketInfo;
import io.homa4j.protocol.Status;
import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.PacketType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One seed: the world its plan describes, from the first call to the silence after the last. Faults end at a time of their
 * own; then everybody gives back what they hold, and within a bound nothing may be left: no call without an outcome, no
 * RPC, no memory, no timer.
 */
final class FuzzRun {
    /** Packets of an IP packet's payload that headers take at least. */
    private static final int HEADROOM = 100;

    final FuzzPlan plan;
    final Simulation simulation;
    final Coverage coverage = new Coverage();
    final Trace trace;
    final Regions regions;
    final Sabotage sabotage;
    /** Chance of the applications. */
    final Prng chance;
    /** Turns between two looks at everything, at most. */
    final int auditEvery = 96;

    final List<Call> calls = new ArrayList<>();
    /** Stands for no packet. */
    final SimPacket nowhere;

    private final List<FuzzHost> hosts = new ArrayList<>();
    private final Port[] downlinks;
    private final FaultyNetwork network;
    private final LongTable<Call> callsById = new LongTable<>();
    private final Excuses excuses;
    private final Prng sabotageChance;

    private boolean isHealed;
    private int openCalls;
    private int unmadeCalls;
    private int nextMachine = 100;

    FuzzRun(FuzzPlan plan, Regions regions, Sabotage sabotage, @Nullable Consumer<String> reader) {
        this.plan = plan;
        this.regions = regions;
        this.sabotage = sabotage;
        simulation = new Simulation(1, plan.mtu + HEADROOM);
        trace = new Trace(reader);
        trace.clock(simulation);
        nowhere = simulation.packet();
        Prng root = new Prng(plan.seed);
        chance = root.split(10);
        sabotageChance = root.split(11);
        downlinks = new Port[plan.hosts.size()];
        network = new FaultyNetwork(this, downlinks, root.split(12));
        for (int i = 0; i < downlinks.length; i++) {
            Port uplink = new Port(simulation, plan.bitsPerSecond, plan.delayNs * Simulation.NS, 0);
            uplink.connect(network);
            FuzzHost host = new FuzzHost(this, i, plan.hosts.get(i), uplink, root.split(200 + i));
            hosts.add(host);
            downlinks[i] = new Port(simulation, plan.bitsPerSecond, plan.delayNs * Simulation.NS, plan.bufferBytes);
            downlinks[i].connect(host);
        }
        excuses = new Excuses(plan);
    }

    // ---- the run

    /** Runs to the end. @throws FuzzFailure if something happens that must not */
    void run() {
        try {
            begin();
            simulation.run(plan.healNs * Simulation.NS);
            heal();
            settle();
            checkEnd();
        } catch (FuzzFailure e) {
            throw e;
        } catch (RuntimeException | AssertionError e) {
            throw new FuzzFailure(e + " at " + place(e), e);
        } finally {
            long sent = 0;
            for (FuzzHost host : hosts) {
                sent += host.packetsSent;
            }
            coverage.ran(calls.size(), sent, simulation.nowNs());
            regions.reset();
        }
    }

    private static String place(Throwable e) {
        StackTraceElement[] stack = e.getStackTrace();
        return stack.length == 0 ? "an unknown place" : stack[0].toString();
    }

    private void begin() {
        for (FuzzHost host : hosts) {
            host.start();
            countKind(host);
        }
        if (plan.kind == FuzzPlan.Kind.CROWD) {
            coverage.count(Fault.CROWD);
        }
        if (plan.encapsulation != Config.Encapsulation.UDP) {
            coverage.count(plan.encapsulation == Config.Encapsulation.IP ? Fault.OVER_IP : Fault.OVER_TUNNEL);
        }
        for (CallPlan callPlan : plan.calls) {
            Call call = new Call(callPlan, hosts.get(callPlan.client()), hosts.get(callPlan.server()));
            calls.add(call);
            unmadeCalls++;
            at(callPlan.atNs(), () -> make(call));
        }
        for (FuzzPlan.Timed timed : plan.timed) {
            at(timed.atNs(), () -> happen(timed));
        }
    }

    private void countKind(FuzzHost host) {
        switch (host.plan.profile()) {
            case MODULE -> coverage.count(Fault.MODULE_PEER);
            case STRIPPED -> coverage.count(Fault.STRIPPED_PEER);
            case DEFAULT -> {
                // What is usual is not counted.
            }
        }
        if (plan.swarm.contains(Fault.RANDOM_PARAMETERS)) {
            coverage.count(Fault.RANDOM_PARAMETERS);
        }
        if (plan.swarm.contains(Fault.TINY_TABLES)) {
            coverage.count(Fault.TINY_TABLES);
        }
        if (host.plan.driftPpm() != 0) {
            coverage.count(Fault.CLOCK_SKEW);
        }
        if ((plan.families & 2) != 0) {
            coverage.count(Fault.OVER_IPV6);
        }
    }

    private void make(Call call) {
        unmadeCalls--;
        call.client.command(() -> call.client.application.call(call));
    }

    /** No faults from now on, and nobody keeps anything. */
    private void heal() {
        trace.event("healed", -1, 0, 0);
        isHealed = true;
        network.heal();
        for (FuzzHost host : hosts) {
            if (host.isUp()) {
                host.unpause();
                host.command(host.application::relent);
            }
        }
    }

    private void settle() {
        do {
            awaitQuiet();
            // What is still under way arrives, and the last acks leave.
            simulation.run(Math.max(simulation.nowPs(), plan.healNs * Simulation.NS) + 100 * Simulation.MS);
        } while (!isQuiet());
    }

    private void awaitQuiet() {
        long stepNs = FuzzPlan.MS;
        long boundNs = plan.healNs + excuses.quietBoundNs();
        boolean isGivenUp = false;
        for (long untilNs = plan.healNs; !isQuiet(); untilNs += stepNs) {
            if (isHostile() && !isGivenUp && untilNs - plan.healNs > excuses.quietBoundNs() / 2) {
                // An attacker who knows an id can keep its RPC from ending; the application's deadline ends it then.
                isGivenUp = true;
                hosts.stream().filter(FuzzHost::isUp).forEach(host -> host.command(host.application::abortAll));
            }
            if (untilNs - plan.healNs > excuses.quietBoundNs() / 2) {
                hosts.stream()
                        .filter(host -> host.isUp() && waitsForItself(host))
                        .forEach(host -> host.command(host.application::abortAll));
            }
            if (untilNs > boundNs) {
                throw failure(
                        "not quiet " + (boundNs - plan.healNs) / FuzzPlan.MS + " ms after the last fault: " + unrest());
            }
            simulation.run(untilNs * Simulation.NS);
            stepNs = Math.min(2 * stepNs, 50 * FuzzPlan.MS);
        }
    }

    private boolean isQuiet() {
        return openCalls == 0 && unmadeCalls == 0 && unrest().isEmpty();
    }

    /** Who still has something; empty if nobody has. */
    private String unrest() {
        StringBuilder text = new StringBuilder();
        for (FuzzHost host : hosts) {
            if (!host.isUp()) {
                continue;
            }
            if (host.hasCommands()) {
                text.append(host).append(" has commands; ");
            }
            String pending = host.application.pending();
            // In profile module what may stay also counts for send limits.
            boolean mayBeBlocked = host.config().moduleProfile && host.engine().rpcCount() > 0;
            if (!pending.isEmpty() && !mayBeBlocked) {
                text.append(host).append(" has ").append(pending).append("; ");
            }
            if (host.engine().rpcCount() > 0) {
                rpcsLeft(host, text);
            }
        }
        if (openCalls > 0) {
            calls.stream()
                    .filter(Call::isOpen)
                    .limit(3)
                    .forEach(call -> text.append(call).append("; "));
        }
        return text.toString();
    }

    private void rpcsLeft(FuzzHost host, StringBuilder text) {
        for (int i = 0; i < host.socketCount(); i++) {
            SocketInfo info = host.engine().socketInfo(host.socket(i));
            if (info == null) {
                continue;
            }
            for (RpcInfo rpc : info.rpcs()) {
                if (!mayStay(host, rpc)) {
                    Call call = callById(rpc.id() & ~1L);
                    text.append("%s (%s) has %x of %s: sends %d of %d of %d, misses %d of %d granted %d%s%s; "
                            .formatted(
                                    host,
                                    host.plan.profile(),
                                    rpc.id(),
                                    call,
                                    rpc.sentBytes(),
                                    rpc.sendGranted(),
                                    rpc.sendLength(),
                                    rpc.receiveRemaining(),
                                    rpc.receiveLength(),
                                    rpc.receiveGranted(),
                                    rpc.waitsForSpace() ? ", waits for space" : "",
                                    rpc.isReady() ? ", is ready" : ""));
                }
            }
        }
    }

    /**
     * In profile {@code module} headroom that an ended RPC leaves is granted with the next packet only, and a client that has
     * received all that it has granted waits without a timer; if its server is gone, only its application ends that.
     */
    private boolean waitsForItself(FuzzHost host) {
        if (!host.config().moduleProfile) {
            return false;
        }
        boolean waits = false;
        for (int i = 0; i < host.socketCount(); i++) {
            SocketInfo info = host.engine().socketInfo(host.socket(i));
            if (info == null) {
                continue;
            }
            for (RpcInfo rpc : info.rpcs()) {
                boolean isClient = (rpc.id() & 1) == 0;
                Call call = callById(rpc.id() & ~1L);
                boolean hasAllGranted = rpc.receiveRemaining() > 0
                        && rpc.receiveLength() - rpc.receiveRemaining() >= rpc.receiveGranted();
                if (isClient && hasAllGranted && call != null && !isServed(call)) {
                    waits = true;
                } else if (!mayStay(host, rpc)) {
                    return false;
                }
            }
        }
        return waits;
    }

    /** Whether the server of a call still has it, and knows where its client is. */
    private boolean isServed(Call call) {
        if (call.rebindings != call.client.rebindings()) {
            return false;
        }
        FuzzHost server = call.server;
        for (int i = 0; server.isUp() && i < server.socketCount(); i++) {
            SocketInfo info = server.engine().socketInfo(server.socket(i));
            if (info != null && info.rpcs().stream().anyMatch(rpc -> rpc.id() == (call.id | 1))) {
                return true;
            }
        }
        return false;
    }

    /**
     * In profile {@code module} an RPC stays at the server for ever if its client has gone without an ack (D-4, D-5, and
     * requests of which nothing more is expected).
     */
    private boolean mayStay(FuzzHost host, RpcInfo rpc) {
        if (!host.config().moduleProfile || (rpc.id() & 1) == 0) {
            return false;
        }
        Call call = callById(rpc.id() & ~1L);
        return call == null
                || !call.client.isUp()
                || call.incarnation != call.client.incarnation()
                || call.opening != call.client.openings()
                || call.rebindings != call.client.rebindings()
                || call.state == Call.State.DROPPED
                || call.state == Call.State.LOST
                || call.state == Call.State.ENDED && (call.outcome != Status.OK || call.executions.size() > 1);
    }

    // ---- what the plan makes happen

    private void happen(FuzzPlan.Timed timed) {
        FuzzHost host = hosts.get(timed.host());
        int from = timed.host();
        int to = timed.other();
        long untilNs = simulation.nowNs() + timed.forNs();
        trace.event(timed.fault().name(), from, to, timed.forNs());
        switch (timed.fault()) {
            case PARTITION, ONE_WAY_PARTITION -> {
                int back = timed.fault() == Fault.PARTITION ? 1 : 0;
                coverage.count(timed.fault());
                network.cut(from, to, 1);
                network.cut(to, from, back);
                at(untilNs, () -> {
                    if (!isHealed) {
                        network.cut(from, to, -1);
                        network.cut(to, from, -back);
                    }
                });
            }
            case CLOG -> {
                coverage.count(Fault.CLOG);
                network.clog(from, to, untilNs * Simulation.NS);
            }
            case MTU_TOLD, MTU_BLACK_HOLE -> {
                boolean tells = timed.fault() == Fault.MTU_TOLD;
                // What no path carries is believed in profile module only.
                int least = tells && timed.value() % 4 == 0 ? 60 : plan.families == 1 ? 576 : 1_280;
                network.narrow(from, to, least == 60 ? 60 : Math.max(400 + timed.value() % 1_000, least), tells);
                at(untilNs, () -> network.narrow(from, to, 0, false));
            }
            case CRASH, RESTART, RESTART_ELSEWHERE, RESTART_OTHER_PORTS -> crash(host, timed, untilNs);
            default -> {
                if (host.isUp()) {
                    happenAt(host, timed, untilNs);
                }
            }
        }
    }

    private void crash(FuzzHost host, FuzzPlan.Timed timed, long untilNs) {
        if (!host.isUp()) {
            return;
        }
        coverage.count(timed.fault());
        host.crash();
        if (timed.fault() != Fault.CRASH) {
            at(untilNs, () -> host.restart(timed.fault(), nextMachine++));
        }
    }

    private void happenAt(FuzzHost host, FuzzPlan.Timed timed, long untilNs) {
        switch (timed.fault()) {
            case PAUSE -> {
                coverage.count(Fault.PAUSE);
                host.pause(untilNs * Simulation.NS);
            }
            case RECONFIGURATION -> {
                coverage.count(Fault.RECONFIGURATION);
                host.command(host::reconfigure);
            }
            case NAT_REBINDING -> {
                if (plan.encapsulation == Config.Encapsulation.UDP) {
                    coverage.count(Fault.NAT_REBINDING);
                    host.rebind();
                }
            }
            case ABORT_ALL -> host.command(host.application::abortAll);
            case SHUTDOWN -> {
                host.command(() -> {
                    if (!host.isSocketShut()) {
                        host.shutSockets();
                    }
                });
                at(
                        untilNs,
                        () -> host.command(() -> {
                            if (host.isSocketShut()) {
                                host.reopen();
                            }
                        }));
            }
            case REOPENING ->
                host.command(() -> {
                    coverage.count(Fault.REOPENING);
                    host.reopen();
                });
            case NEW_CUTOFFS -> {
                coverage.count(Fault.NEW_CUTOFFS);
                host.command(() -> host.engine()
                        .installCutoffs(new int[] {0, 0, 0, 1_000_000, 200_000, 10_000, 1_000, timed.value() % 1_000}));
            }
            default -> throw new AssertionError(timed.fault());
        }
    }

    /** ICMP: a packet has reached nobody at this host. */
    void sendError(FuzzHost host, SimPacket packet, Status kind) {
        if (!host.plan.tellsErrors()) {
            return;
        }
        FuzzHost sender = hosts.get(packet.source);
        long hi = packet.targetHi;
        long lo = packet.targetLo;
        int port = plan.encapsulation == Config.Encapsulation.UDP
                ? packet.targetPort
                : CommonHeader.targetPort(packet.bytes, packet.at);
        later(sender, 2 * plan.delayNs, () -> sender.networkError(hi, lo, kind == Status.NO_SERVER ? port : 0, kind));
    }

    /** The machine is there, but homa4j does not run on it. */
    void sendErrorOfDeadHost(FuzzHost host, SimPacket packet) {
        sendError(
                host,
                packet,
                plan.encapsulation == Config.Encapsulation.IP
                        ? Status.PROTOCOL_UNSUPPORTED
                        : chance.oneIn(2) ? Status.NO_SERVER : Status.HOST_UNREACHABLE);
    }

    // ---- calls

    void opened(Call call) {
        callsById.put(call.id, call);
        openCalls++;
    }

    /** The call has its outcome; whether that may be. */
    void ended(Call call) {
        openCalls--;
        call.endedNs = simulation.nowNs();
        coverage.outcome(call.outcome);
        if (call.outcome != Status.OK && !isHostile()) {
            String why = excuses.missing(call);
            if (!why.isEmpty()) {
                throw failure(call + " failed although " + why);
            }
        }
    }

    void dropped(Call call) {
        openCalls -= call.isOpen() ? 1 : 0;
    }

    @Nullable
    Call callById(long id) {
        return id == 0 ? null : callsById.get(id);
    }

    // ---- for all parts

    FuzzHost host(int number) {
        return hosts.get(number);
    }

    /** Number of the host with this address; -1 if nobody has it. */
    int hostAt(long hi, long lo) {
        for (int i = 0; i < hosts.size(); i++) {
            if (hosts.get(i).hasAddress(hi, lo)) {
                return i;
            }
        }
        return -1;
    }

    boolean isHostile() {
        return plan.kind == FuzzPlan.Kind.HOSTILE;
    }

    boolean isHealed() {
        return isHealed;
    }

    /** Whether this fault shall be planted here now. */
    boolean sabotages(Sabotage kind) {
        return sabotage == kind && sabotageChance.oneIn(20);
    }

    /** What is done in a turn of a host, after so long a time, if it has not started anew. */
    void later(FuzzHost host, long afterNs, Runnable what) {
        int incarnation = host.incarnation();
        at(simulation.nowNs() + afterNs, () -> {
            if (host.isUp() && host.incarnation() == incarnation) {
                host.command(what);
            }
        });
    }

    private void at(long ns, Runnable what) {
        simulation.at(Math.max(ns * Simulation.NS, simulation.nowPs()), simulation.add(code -> what.run()), 0);
    }

    FuzzFailure failure(String what) {
        return new FuzzFailure(what);
    }

    // ---- the end

    private void checkEnd() {
        for (Call call : calls) {
            int expected = switch (call.state) {
                case ENDED, DROPPED -> 1;
                default -> 0;
            };
            boolean isGone = call.incarnation != call.client.incarnation() || !call.client.isUp();
            if (!isGone && call.released != expected) {
                throw failure("the request was released " + call.released + " times: " + call);
            }
            for (Execution execution : call.executions) {
                boolean isServerGone = execution.incarnation != execution.server.incarnation()
                        || !execution.server.isUp()
                        || execution.server.config().moduleProfile;
                if (!isServerGone && execution.released != (execution.isReplied ? 1 : 0)) {
                    throw failure("the response was released " + execution.released + " times: " + call);
                }
            }
        }
        for (FuzzHost host : hosts) {
            if (host.isUp()) {
                checkEnd(host);
            }
        }
        checkPackets();
        if (plan.kind == FuzzPlan.Kind.CROWD) {
            excuses.checkCrowd(this);
        }
        if (plan.kind == FuzzPlan.Kind.CALM) {
            excuses.checkShares(this);
        }
    }

    private void checkEnd(FuzzHost host) {
        host.audit(host.engine());
        int left = host.engine().rpcCount();
        for (int i = 0; i < host.socketCount(); i++) {
            SocketInfo info = host.engine().socketInfo(host.socket(i));
            if (info == null || left > 0) {
                continue;
            }
            if (info.freeReceiveBytes() != info.receiveRegionBytes()
                    || info.outgoingBytes() != 0
                    || info.inService() != 0
                    || info.waitingForSpace() != 0
                    || info.ready() != 0) {
                throw failure(host + " has something left: " + info);
            }
        }
        if (left == 0 && host.engine().totalIncomingBytes() != 0) {
            throw failure(host + " still expects " + host.engine().totalIncomingBytes() + " bytes");
        }
        long deadlineNs = host.engine().nextDeadlineNs(host.nowNs());
        if (left == 0 && deadlineNs != Long.MAX_VALUE && sabotage != Sabotage.STOPS_TIMERS) {
            throw failure(host + " wants a turn in " + (deadlineNs - host.nowNs()) + " ns and has nothing to do");
        }
        checkCounters(host);
    }

    /** What the engine says it has sent and received is what came and went. */
    private void checkCounters(FuzzHost host) {
        Counters counters = host.engine().counters();
        WireCheck wire = host.wire();
        for (int type = PacketType.DATA; type <= PacketType.ACK; type++) {
            long sent = Figures.value(counters, "packets_sent_" + PacketType.name(type));
            if (sent != wire.sent[type - PacketType.DATA]) {
                throw failure(host + " counts " + sent + " " + PacketType.name(type) + " packets sent, "
                        + wire.sent[type - PacketType.DATA] + " were");
            }
            long received = Figures.value(counters, "packets_rcvd_" + PacketType.name(type));
            if (received > wire.received[type - PacketType.DATA]) {
                throw failure(host + " counts " + received + " " + PacketType.name(type) + " packets received, "
                        + wire.received[type - PacketType.DATA] + " were");
            }
        }
        equal(host, "client_requests_started", "client_requests_done", counters);
        equal(host, "client_request_bytes_started", "client_request_bytes_done", counters);
        equal(host, "client_responses_started", "client_responses_done", counters);
        equal(host, "client_response_bytes_started", "client_response_bytes_done", counters);
        equal(host, "server_requests_started", "server_requests_done", counters);
        equal(host, "server_request_bytes_started", "server_request_bytes_done", counters);
        equal(host, "server_responses_started", "server_responses_done", counters);
        equal(host, "server_response_bytes_started", "server_response_bytes_done", counters);
    }

    private void equal(FuzzHost host, String started, String done, Counters counters) {
        if (host.engine().rpcCount() == 0 && Figures.value(counters, started) != Figures.value(counters, done)) {
            throw failure(host + " counts " + Figures.value(counters, started) + " " + started + " and "
                    + Figures.value(counters, done) + " " + done);
        }
    }

    /** Every packet has arrived somewhere or is counted as lost. */
    private void checkPackets() {
        long made = network.duplicated;
        long gone = network.lost;
        for (int i = 0; i < hosts.size(); i++) {
            FuzzHost host = hosts.get(i);
            made += host.packetsSent;
            gone += host.packetsDelivered + host.packetsDiscarded + downlinks[i].droppedPackets();
            coverage.count(Fault.OVERFLOW, downlinks[i].droppedPackets());
        }
        // One stands for none.
        int underWay = simulation.packetsInUse() - 1;
        if (made != gone + underWay || underWay != 0 && !hasModuleLeftovers()) {
            throw failure(
                    made + " packets were sent, " + gone + " arrived or were lost, " + underWay + " are under way");
        }
    }

    private boolean hasModuleLeftovers() {
        for (FuzzHost host : hosts) {
            if (host.isUp() && host.engine().rpcCount() > 0) {
                return true;
            }
        }
        return false;
    }
}
