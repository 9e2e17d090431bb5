package io.homa4j.sim;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.Endpoint;
import io.homa4j.protocol.Event;
import io.homa4j.protocol.Message;
import io.homa4j.protocol.Status;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The datacenter of the paper (SIGCOMM 2018, section 5.2): racks of hosts at 10 Gbit/s, a switch on top of each, four
 * spine switches that each top-of-rack switch reaches at 40 Gbit/s, packets sprayed over them; open-loop traffic from all to all.
 *
 * <p>Messages are one-way: each is the request of an RPC whose response costs nothing. When the server has received the
 * request, both engines forget the RPC at the same moment ({@link Endpoint#dismiss}, {@link Endpoint#forget}), as if an
 * empty response had been received and acknowledged without using the network.
 *
 * <p>Delays: a host takes 0.5 us to hand a packet to its NIC, the NIC 0.5 us to send it, and 0.5 us pass on the way in; a switch
 * takes 0.25 us. None of them limits throughput, so they are part of the links before or behind.
 */
public final class Fabric implements Application, Directory, World<FabricResult> {
    static final long HOST_BITS_PER_SECOND = 10_000_000_000L;

    private static final long SPINE_BITS_PER_SECOND = 40_000_000_000L;
    static final long HOST_OUT_PS = 1_000 * Simulation.NS;
    static final long HOST_IN_PS = 500 * Simulation.NS;
    static final long SWITCH_PS = 250 * Simulation.NS;
    private static final int SPINES = 4;
    private static final int PORT = 4_000;
    static final long FIRST_ADDRESS = Address.mappedLo(0x0A000001);
    /** More hosts than this do not meet beforehand. */
    private static final int MAX_MEETING = 1_000;
    /** Time between two looks at idle links. */
    private static final long SAMPLE_PS = 5 * Simulation.US;

    private final FabricPlan plan;
    private final Simulation simulation;
    private final SimHost[] hosts;
    private final Sender[] senders;
    private final Port[] torUp;
    private final Port[] torDown;
    private final Port[] spineDown;
    private final Samples samples;
    private final Message message = new Message();

    private final long startPs;
    private final long endPs;
    private boolean isStopped;
    private long openMeasured;
    private long begun;
    private long completed;
    private long measuredMessages;

    // ---- figures of the measured time

    private long idleSamples;
    private long wastedSamples;
    private long linkSamples;
    private FabricResult.Network network = FabricResult.Network.NONE;

    public Fabric(FabricPlan plan) {
        this.plan = plan;
        int count = plan.hosts;
        if (count < 2) {
            throw new IllegalArgumentException("hosts " + count + ": at least 2");
        }
        simulation = new Simulation(Math.max(16, 6 * count), 0);
        samples = new Samples(plan.workload.classes());
        Prng prng = new Prng(plan.seed);
        int racks = (count + plan.hostsPerRack - 1) / plan.hostsPerRack;
        int spines = racks > 1 ? SPINES : 0;
        hosts = new SimHost[count];
        senders = new Sender[count];
        torUp = new Port[racks * spines];
        torDown = new Port[count];
        spineDown = new Port[racks * spines];
        build(prng, racks, spines);
        long meetingPs = plan.rules != FabricPlan.Rules.SIGCOMM18 && count <= MAX_MEETING ? meet() : 0;
        startPs = meetingPs + plan.warmUpPs;
        endPs = startPs + plan.measuredPs;
        double gapPs = 8e12 * plan.nominalMeanBytes() / (plan.load * plan.loadFactor() * HOST_BITS_PER_SECOND);
        for (int i = 0; i < count; i++) {
            senders[i].begin(meetingPs, gapPs);
        }
        new Watch();
    }

    private void build(Prng prng, int racks, int spines) {
        Switch[] tors = new Switch[racks];
        Port[] uplinks = new Port[hosts.length];
        for (int i = 0; i < hosts.length; i++) {
            torDown[i] = new Port(simulation, HOST_BITS_PER_SECOND, HOST_IN_PS, 0);
            uplinks[i] = new Port(simulation, HOST_BITS_PER_SECOND, HOST_OUT_PS + SWITCH_PS, 0);
        }
        for (int i = 0; i < torUp.length; i++) {
            torUp[i] = new Port(simulation, SPINE_BITS_PER_SECOND, SWITCH_PS, 0);
            spineDown[i] = new Port(simulation, SPINE_BITS_PER_SECOND, SWITCH_PS, 0);
        }
        for (int rack = 0; rack < racks; rack++) {
            int first = rack * plan.hostsPerRack;
            int end = Math.min(first + plan.hostsPerRack, hosts.length);
            tors[rack] = new Switch(
                    first,
                    1,
                    Arrays.copyOfRange(torDown, first, end),
                    Arrays.copyOfRange(torUp, rack * spines, (rack + 1) * spines),
                    prng.split(1_000_000 + rack));
            for (int i = first; i < end; i++) {
                uplinks[i].connect(tors[rack]);
                hosts[i] = new SimHost(simulation, i, this, plan.framing(), this, uplinks[i]);
                torDown[i].connect(hosts[i]);
                hosts[i].start(plan.config(), plan.seed + i, 0, FIRST_ADDRESS + i);
                int socket = hosts[i].engine().openPhantomSocket(PORT, true, 1L << 50);
                senders[i] = new Sender(hosts[i], socket, prng.split(i));
            }
        }
        for (int spine = 0; spine < spines; spine++) {
            Port[] down = new Port[racks];
            for (int rack = 0; rack < racks; rack++) {
                down[rack] = spineDown[spine * racks + rack];
                down[rack].connect(tors[rack]);
            }
            Switch spineSwitch = new Switch(0, plan.hostsPerRack, down, new Port[0], prng.split(2_000_000 + spine));
            for (int rack = 0; rack < racks; rack++) {
                torUp[rack * spines + spine].connect(spineSwitch);
            }
        }
    }

    /** Every host calls every other one twice, with a real answer, so that all know each other's cutoffs; when that is over. */
    private long meet() {
        long gapPs = 2 * Simulation.US;
        for (int i = 0; i < hosts.length; i++) {
            new Meeting(senders[i], gapPs);
        }
        return (2L * hosts.length + 10) * gapPs;
    }

    // ---- running

    @Override
    public double progress() {
        return (double) simulation.nowPs() / endPs;
    }

    /** Goes on for a hundredth of the planned time; over when all messages that count are completed, or the time for that is. */
    @Override
    public boolean advance() {
        long nowPs = simulation.nowPs();
        if (nowPs >= endPs + plan.drainPs || nowPs >= endPs && openMeasured == 0) {
            isStopped = true;
            return false;
        }
        long sliceEndPs = nowPs + Math.max(1, endPs / 100);
        simulation.run(nowPs < endPs ? Math.min(endPs, sliceEndPs) : sliceEndPs);
        if (simulation.nowPs() == nowPs) {
            // Nothing at all happens in so short a time.
            simulation.step(Long.MAX_VALUE);
        }
        return true;
    }

    /** Runs to the end. */
    public FabricResult run() {
        while (true) {
            if (!advance()) {
                return result();
            }
        }
    }

    @Override
    public FabricResult result() {
        long resent = 0;
        for (SimHost host : hosts) {
            resent += host.engine().counters().value("resent_packets");
        }
        return new FabricResult(
                plan,
                samples,
                measuredMessages,
                openMeasured,
                begun - completed,
                simulation.eventCount(),
                simulation.nowPs(),
                resent,
                network);
    }

    // ---- messages

    @Override
    public int hostAt(long hi, long lo) {
        long number = lo - FIRST_ADDRESS;
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
            if (message.status != Status.OK) {
                throw new IllegalStateException("a message failed: " + message.status);
            }
            engine.release(event.socket, message.regionOffset, nowNs);
            if (!message.isRequest) {
                completed(senders[host.number], host.number, message.id);
                continue;
            }
            int from = hostAt(message.peerHi, message.peerLo);
            if (senders[from].isMeeting(message.id ^ 1)) {
                engine.reply(message.handle, MemorySegment.NULL, 0, 1, null, nowNs);
            } else {
                engine.dismiss(message.handle, nowNs);
                completed(senders[from], host.number, message.id ^ 1);
                hosts[from].engine().forget(message.id ^ 1, hosts[from].nowNs());
            }
        }
    }

    private void completed(Sender sender, int to, long id) {
        completed++;
        int place = sender.place(id);
        long begunPs = sender.begunPs[place];
        int sizeClass = sender.sizeClass[place];
        sender.id[place] = 0;
        if (begunPs >= startPs && begunPs < endPs && sizeClass >= 0) {
            openMeasured--;
            int from = sender.host.number;
            long idealPs = Slowdown.idealPs(
                    plan.workload.bytes(sizeClass), from / plan.hostsPerRack == to / plan.hostsPerRack);
            samples.add(sizeClass, (double) (simulation.nowPs() - begunPs) / idealPs);
        }
    }

    /** The application of one host that begins messages, at times and of sizes that depend on nothing but the seed. */
    private final class Sender implements Actor {
        final SimHost host;
        private final int self;
        private final int socket;
        private final Prng prng;
        private double gapPs;

        // ---- messages under way, by id; ids rise by two

        long[] id = new long[64];
        long[] begunPs = new long[64];
        int[] sizeClass = new int[64];

        Sender(SimHost host, int socket, Prng prng) {
            this.host = host;
            this.socket = socket;
            this.prng = prng;
            self = simulation.add(this);
        }

        void begin(long fromPs, double meanGapPs) {
            gapPs = meanGapPs;
            simulation.at(fromPs + prng.nextGap(gapPs), self, 0);
        }

        @Override
        public void act(int code) {
            if (isStopped) {
                return;
            }
            int drawn = plan.workload.draw(prng);
            int other = prng.nextInt(hosts.length - 1);
            send(other < host.number ? other : other + 1, drawn, plan.workload.bytes(drawn));
            simulation.at(simulation.nowPs() + prng.nextGap(gapPs), self, 0);
        }

        /** Sends a message; class -1 counts nowhere. */
        void send(int to, int classOfSize, int bytes) {
            long given = host.engine()
                    .request(
                            socket,
                            hosts[to].hi(),
                            hosts[to].lo(),
                            PORT,
                            MemorySegment.NULL,
                            0,
                            bytes,
                            false,
                            null,
                            host.nowNs());
            if (given < 0) {
                throw new IllegalStateException("the engine refused a message: " + Status.of(given));
            }
            begun++;
            int place = place(given);
            while (id[place] != 0) {
                grow();
                place = place(given);
            }
            long nowPs = simulation.nowPs();
            id[place] = given;
            begunPs[place] = nowPs;
            sizeClass[place] = classOfSize;
            if (nowPs >= startPs && nowPs < endPs && classOfSize >= 0) {
                openMeasured++;
                measuredMessages++;
            }
            host.turn();
        }

        /** Whether the message counts nowhere and is answered, because hosts are to meet. */
        boolean isMeeting(long messageId) {
            return sizeClass[place(messageId)] < 0;
        }

        int place(long messageId) {
            return (int) (messageId >>> 1) & (id.length - 1);
        }

        private void grow() {
            long[] oldId = id;
            long[] oldBegun = begunPs;
            int[] oldClass = sizeClass;
            id = new long[2 * oldId.length];
            begunPs = new long[id.length];
            sizeClass = new int[id.length];
            for (int i = 0; i < oldId.length; i++) {
                if (oldId[i] != 0) {
                    int place = place(oldId[i]);
                    id[place] = oldId[i];
                    begunPs[place] = oldBegun[i];
                    sizeClass[place] = oldClass[i];
                }
            }
        }
    }

    /** Two small calls to every other host, one after the other. */
    private final class Meeting implements Actor {
        private final Sender sender;
        private final long gapPs;
        private final int self;
        private int said;

        Meeting(Sender sender, long gapPs) {
            this.sender = sender;
            this.gapPs = gapPs;
            self = simulation.add(this);
            simulation.at(simulation.nowPs() + gapPs, self, 0);
        }

        @Override
        public void act(int code) {
            int others = hosts.length - 1;
            int to = (sender.host.number + 1 + said % others) % hosts.length;
            said++;
            sender.send(to, -1, 1);
            if (said < 2 * others) {
                simulation.at(simulation.nowPs() + gapPs, self, 0);
            }
        }
    }

    // ---- the network in the measured time

    private final class Watch implements Actor {
        private static final int BEGIN = 0;
        private static final int SAMPLE = 1;
        private static final int END = 2;

        private final int self;

        Watch() {
            self = simulation.add(this);
            simulation.at(startPs, self, BEGIN);
            simulation.at(endPs, self, END);
        }

        @Override
        public void act(int code) {
            switch (code) {
                case BEGIN -> {
                    for (SimHost host : hosts) {
                        host.uplink().resetStatistics();
                    }
                    reset(torUp);
                    reset(torDown);
                    reset(spineDown);
                    simulation.at(simulation.nowPs() + SAMPLE_PS, self, SAMPLE);
                }
                case SAMPLE -> {
                    sample();
                    if (simulation.nowPs() + SAMPLE_PS < endPs) {
                        simulation.at(simulation.nowPs() + SAMPLE_PS, self, SAMPLE);
                    }
                }
                default -> network = network();
            }
        }

        private void reset(Port[] ports) {
            for (Port port : ports) {
                port.resetStatistics();
            }
        }

        /** A link is wasted while it is idle and its host knows of a message that it does not grant. */
        private void sample() {
            for (SimHost host : hosts) {
                linkSamples++;
                if (!torDown[host.number].isBusy()) {
                    idleSamples++;
                    wastedSamples += host.engine().passedOver() > 0 ? 1 : 0;
                }
            }
        }
    }

    private FabricResult.Network network() {
        Port[] hostUp = new Port[hosts.length];
        for (int i = 0; i < hostUp.length; i++) {
            hostUp[i] = hosts[i].uplink();
        }
        return new FabricResult.Network(
                FabricResult.Links.of(hostUp, plan.measuredPs),
                FabricResult.Links.of(torUp, plan.measuredPs),
                FabricResult.Links.of(spineDown, plan.measuredPs),
                FabricResult.Links.of(torDown, plan.measuredPs),
                linkSamples == 0 ? 0 : (double) wastedSamples / linkSamples,
                linkSamples == 0 ? 0 : (double) idleSamples / linkSamples);
    }
}
