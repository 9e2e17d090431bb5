package io.homa4j.sim;

import io.homa4j.protocol.Config;
import io.homa4j.protocol.Endpoint;
import io.homa4j.protocol.Event;
import io.homa4j.protocol.Message;
import io.homa4j.protocol.Status;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The incast of the paper (SIGCOMM 2018, section 5): a client with many RPCs under way at once, whose responses meet in the
 * queue of the one switch before it. Engines are homa4j's own profile with the rate of the link known; hosts and switch
 * take the times of {@link Fabric}. The client calls each server once before, alone; then it begins all RPCs at once, and
 * a new one whenever one has ended.
 */
public final class IncastWorld implements Application, Directory, World<IncastResult> {
    private static final int PORT = 4_000;
    private static final int CLIENT = 0;
    /** Time for the first calls, one after the other. */
    private static final long MEETING_PS = 50 * Simulation.US;

    private static final int MEET = 0;
    private static final int BEGIN = 1;
    private static final int MEASURE = 2;

    private final IncastPlan plan;
    private final Simulation simulation = new Simulation(64, 0);
    private final SimHost[] hosts;
    private final Port toClient;
    private final int socket;
    private final int self;
    private final Message message = new Message();
    private final long startPs;
    private final long endPs;

    /** Up to here everything has happened, ps. */
    private long reachedPs;

    private boolean isOver;

    /** RPCs under way. */
    private int open;

    private int nextServer;
    private boolean hasBegun;
    private int completed;
    private long failed;
    /** Time that each of the completed RPCs took. */
    private long[] tookPs = new long[4_096];

    public IncastWorld(IncastPlan plan) {
        this.plan = plan;
        hosts = new SimHost[plan.servers() + 1];
        Port[] uplinks = new Port[hosts.length];
        Port[] downlinks = new Port[hosts.length];
        for (int i = 0; i < hosts.length; i++) {
            uplinks[i] = new Port(simulation, Fabric.HOST_BITS_PER_SECOND, Fabric.HOST_OUT_PS + Fabric.SWITCH_PS, 0);
            downlinks[i] = new Port(
                    simulation, Fabric.HOST_BITS_PER_SECOND, Fabric.HOST_IN_PS, i == CLIENT ? plan.bufferBytes() : 0);
        }
        Switch tor = new Switch(0, 1, downlinks, new Port[0], new Prng(plan.seed()));
        int clientSocket = -1;
        for (int i = 0; i < hosts.length; i++) {
            uplinks[i].connect(tor);
            hosts[i] = new SimHost(simulation, i, this, Framing.HOMA, this, uplinks[i]);
            downlinks[i].connect(hosts[i]);
            hosts[i].start(config(), plan.seed() * 1_000_003 + i, 0, Fabric.FIRST_ADDRESS + i);
            int opened = hosts[i].engine().openPhantomSocket(PORT, true, 1L << 50);
            clientSocket = i == CLIENT ? opened : clientSocket;
        }
        socket = clientSocket;
        toClient = downlinks[CLIENT];
        long beginPs = (plan.servers() + 1) * MEETING_PS;
        startPs = beginPs + plan.measuredPs() / 2;
        endPs = startPs + plan.measuredPs();
        self = simulation.add(this::act);
        for (int i = 0; i < plan.servers(); i++) {
            simulation.at((i + 1) * MEETING_PS, self, MEET);
        }
        simulation.at(beginPs, self, BEGIN);
        simulation.at(startPs, self, MEASURE);
    }

    private Config config() {
        Config config = Config.defaults();
        config.linkMbps = (int) (Fabric.HOST_BITS_PER_SECOND / 1_000_000);
        config.firstId = 2;
        if (!plan.isControlled()) {
            config.incastBytes = 0;
        }
        return config;
    }

    private void act(int code) {
        switch (code) {
            case MEET -> {
                call();
                hosts[CLIENT].turn();
            }
            case BEGIN -> {
                hasBegun = true;
                for (int i = open; i < plan.rpcs(); i++) {
                    call();
                }
                hosts[CLIENT].turn();
            }
            default -> {
                toClient.resetStatistics();
                completed = 0;
                failed = 0;
            }
        }
    }

    private void call() {
        open++;
        SimHost server = hosts[1 + nextServer];
        nextServer = (nextServer + 1) % plan.servers();
        long id = hosts[CLIENT]
                .engine()
                .request(
                        socket,
                        server.hi(),
                        server.lo(),
                        PORT,
                        MemorySegment.NULL,
                        0,
                        plan.requestBytes(),
                        false,
                        Long.valueOf(simulation.nowPs()),
                        hosts[CLIENT].nowNs());
        if (id < 0) {
            throw new IllegalStateException("the engine refused a request: " + Status.of(id));
        }
    }

    @Override
    public int hostAt(long hi, long lo) {
        long number = lo - Fabric.FIRST_ADDRESS;
        return number >= 0 && number < hosts.length ? (int) number : -1;
    }

    @Override
    public void onEvent(SimHost host, Event event) {
        if (event.kind != Event.Kind.READABLE) {
            return;
        }
        Endpoint engine = host.engine();
        long nowNs = host.nowNs();
        while (engine.receive(event.socket, message, nowNs)) {
            boolean isOk = message.status == Status.OK;
            if (isOk) {
                engine.release(event.socket, message.regionOffset, nowNs);
            }
            if (message.isRequest) {
                engine.reply(message.handle, MemorySegment.NULL, 0, plan.responseBytes(), null, nowNs);
                continue;
            }
            if (isOk) {
                completed(message.attachment);
            } else {
                failed++;
            }
            open--;
            if (hasBegun) {
                call();
            }
        }
    }

    private void completed(@Nullable Object begunPs) {
        if (completed == tookPs.length) {
            tookPs = Arrays.copyOf(tookPs, 2 * completed);
        }
        tookPs[completed++] = simulation.nowPs() - (Long) Objects.requireNonNull(begunPs);
    }

    private static double tookUs(long[] sorted, double fraction) {
        return sorted.length == 0
                ? Double.NaN
                : (double) sorted[(int) (fraction * (sorted.length - 1))] / Simulation.US;
    }

    @Override
    public double progress() {
        return (double) simulation.nowPs() / endPs;
    }

    @Override
    public boolean advance() {
        long untilPs = Math.min(endPs, reachedPs + Math.max(1, endPs / 100));
        simulation.run(untilPs);
        reachedPs = untilPs;
        isOver = untilPs == endPs;
        return !isOver;
    }

    @Override
    public IncastResult result() {
        long resent = 0;
        for (SimHost host : hosts) {
            resent += host.engine().counters().value("resent_packets");
        }
        long[] sorted = Arrays.copyOf(tookPs, completed);
        Arrays.sort(sorted);
        return new IncastResult(
                plan,
                completed,
                failed,
                completed * 8e3 * plan.responseBytes() / plan.measuredPs(),
                tookUs(sorted, 0.5),
                tookUs(sorted, 0.99),
                toClient.droppedPackets(),
                resent,
                toClient.maxQueuedBytes(),
                simulation.eventCount());
    }
}
