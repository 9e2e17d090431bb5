package io.homa4j.protocol;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Hosts with real engines, each behind an uplink and a downlink of its own rate, under virtual time. What an engine sends
 * waits in the uplink's queue, which like a socket buffer refuses packets when it is full; the switch in the middle has no
 * rate of its own; a downlink has eight strict priorities, each with a queue that drops what it does not hold. An engine is turned when a packet arrives, at its
 * deadline and when its full uplink is half empty, each time late by a random time.
 */
final class ShapedNetwork {
    private static final int BATCH = 64;
    private static final int SLOT_BYTES = 1_536;
    /** Of every packet on the link, beside its Homa bytes: IPv4, UDP, Ethernet. */
    private static final int AROUND_BYTES = 28 + Pacer.ETHERNET_BYTES;

    private static final long NEVER = Long.MAX_VALUE;
    private static final long FULL_NS = 1_000_000;

    /** A packet in flight. */
    private static final class Flight implements Comparable<Flight> {
        final long arrivesNs;
        final long sequence;
        final Host target;
        final byte[] bytes;
        final long source;
        final int port;
        final int level;

        Flight(long arrivesNs, long sequence, Host target, byte[] bytes, long source, int port, int level) {
            this.level = level;
            this.arrivesNs = arrivesNs;
            this.sequence = sequence;
            this.target = target;
            this.bytes = bytes;
            this.source = source;
            this.port = port;
        }

        @Override
        public int compareTo(Flight other) {
            int byTime = Long.compare(arrivesNs, other.arrivesNs);
            return byTime != 0 ? byTime : Long.compare(sequence, other.sequence);
        }
    }

    private record Due(int bytes, long ns) {}

    /** Is told of answers: the size of the request and the time since it was due. */
    interface Answers {
        void answered(int bytes, long ns);
    }

    private final Arena arena = Arena.ofAuto();
    private final Random random;
    private final List<Host> hosts = new ArrayList<>();
    private final PriorityQueue<Flight> flights = new PriorityQueue<>();
    private final MemorySegment payload = arena.allocate(Config.MAX_MESSAGE_BYTES);
    private long sequences;
    long nowNs = 1_000_000_000;
    long latencyNs = 5_000;
    /** Most by which a turn is late, ns. */
    int latenessNs = 20_000;

    ShapedNetwork(long seed) {
        random = new Random(seed);
    }

    /** A host whose links have this rate, and which is not paced by hand. */
    Host host(double mbps) {
        return host(mbps, config -> {});
    }

    /** The same with other parameters. */
    Host host(double mbps, Consumer<Config> settings) {
        Host host = new Host(hosts.size(), mbps, settings);
        hosts.add(host);
        return host;
    }

    /** Lets virtual time pass. */
    void run(long ns) {
        long endNs = nowNs + ns;
        while (true) {
            Host next = null;
            long nextNs = flights.isEmpty() ? NEVER : flights.peek().arrivesNs;
            boolean isPort = false;
            for (Host host : hosts) {
                if (host.turnNs < nextNs || host.portNs < nextNs) {
                    next = host;
                    isPort = host.portNs <= host.turnNs;
                    nextNs = Math.min(host.portNs, host.turnNs);
                }
            }
            if (nextNs > endNs) {
                nowNs = endNs;
                return;
            }
            nowNs = Math.max(nowNs, nextNs);
            if (isPort && next != null) {
                next.portDone();
            } else if (next != null) {
                next.turn();
            } else {
                Flight flight = flights.remove();
                flight.target.arrive(flight);
            }
        }
    }

    final class Host {
        final Endpoint engine;
        final int socket;
        final int port;
        final long address;
        private final PacketBatch in =
                new PacketBatch(BATCH, arena.allocate((long) BATCH * SLOT_BYTES, 64), SLOT_BYTES);
        private final PacketBatch out = new PacketBatch(BATCH, arena.allocate(BATCH * 96L, 64), 96);
        private final List<Flight> arrived = new ArrayList<>();
        private final Message message = new Message();
        private final Event event = new Event();

        /** Rates of its links. */
        double uplinkMbps;

        double downlinkMbps;
        /** What the downlink's queue holds. */
        long downlinkBytes = 256_000;
        /** The driver makes its queue as long as the engine wishes. */
        boolean isQueueAdjustable = true;
        /** Largest IP packet that comes through. */
        int largestPacket = Integer.MAX_VALUE;
        /** Part of the packets to it that are lost. */
        double loss;

        private long queueBytes = 160_000;
        private double uplinkFreeNs = nowNs;
        private final List<ArrayDeque<Flight>> queues = new ArrayList<>();
        private final long[] portBytes = new long[Config.MAX_LEVELS];
        /** The packet that the downlink is sending, and when it is through. */
        private @Nullable Flight inPort;

        private long portNs = NEVER;
        private long turnNs = NEVER;

        // ---- load: requests of a size to some hosts, in turn, so many outstanding

        int requestBytes;
        int responseBytes = 100;
        int wanted;
        /** With less than the link's rate: time between requests; 0 = as soon as one ends. */
        long intervalNs;

        /** Sizes of requests to draw from instead, at random times; responses are as long. */
        int[] sizes = {};

        double meanIntervalNs;
        /** Told of every answer: size of the request, ns since it was due. */
        Answers answered = (bytes, ns) -> {};

        private long nextRequestNs;

        @Nullable
        Host[] targets = {};

        private int nextTarget;
        private int outstanding;
        long completed;
        long failed;
        long sentBytes;
        long lost;
        long refusals;
        /** Longest queue in the uplink since the last look, ns. */
        long longestQueueNs;

        private Host(int index, double mbps, Consumer<Config> settings) {
            uplinkMbps = mbps;
            downlinkMbps = mbps;
            Config config = Config.defaults();
            config.proveReachability = false;
            config.hostShare = 1;
            config.findLinkRate = true;
            settings.accept(config);
            for (int level = 0; level < Config.MAX_LEVELS; level++) {
                queues.add(new ArrayDeque<>());
            }
            engine = new Endpoint(config, index + 1, nowNs);
            port = 4_000 + index;
            address = Address.mappedLo(0x0A000001 + index);
            socket = engine.openSocket(port, true, arena.allocate(64 << 20, 64));
            engine.sendQueue(queueBytes);
        }

        /** Makes requests of sizes drawn from these, at random times, from now on. */
        void mixedLoad(int[] drawnFrom, double meanNs, Host... to) {
            sizes = drawnFrom;
            meanIntervalNs = meanNs;
            targets = to;
            nextRequestNs = nowNs;
            wake(nowNs);
        }

        /** Keeps so many requests outstanding from now on. */
        void load(int requests, int bytes, Host... to) {
            wanted = requests;
            requestBytes = bytes;
            targets = to;
            wake(nowNs);
        }

        private void wake(long ns) {
            turnNs = Math.min(turnNs, ns + (latenessNs == 0 ? 0 : random.nextInt(latenessNs)));
        }

        private void arrive(Flight flight) {
            long wire = (long) flight.bytes.length + AROUND_BYTES;
            if (portBytes[flight.level] + wire > downlinkBytes) {
                lost++;
                return;
            }
            portBytes[flight.level] += wire;
            queues.get(flight.level).add(flight);
            if (inPort == null) {
                portStart();
            }
        }

        private void portStart() {
            inPort = null;
            portNs = NEVER;
            for (int level = Config.MAX_LEVELS - 1; level >= 0; level--) {
                Flight first = queues.get(level).poll();
                if (first != null) {
                    inPort = first;
                    portNs = nowNs + (long) ((first.bytes.length + AROUND_BYTES) * 8_000L / downlinkMbps);
                    return;
                }
            }
        }

        private void portDone() {
            Flight done = java.util.Objects.requireNonNull(inPort);
            portBytes[done.level] -= (long) done.bytes.length + AROUND_BYTES;
            arrived.add(done);
            portStart();
            wake(nowNs);
        }

        private void turn() {
            turnNs = NEVER;
            receive();
            engine.onTime(nowNs);
            serve();
            call();
            boolean isFull = send();
            while (engine.pollEvent(event)) {
                // Payload is lent for ever here, so a release means nothing.
            }
            long dueNs = engine.nextDeadlineNs(nowNs);
            if (isFull) {
                double halfNs = uplinkFreeNs - queueBytes / 2.0 * 8_000 / uplinkMbps;
                wake(Math.min(nowNs + FULL_NS, Math.max(nowNs + 1, (long) halfNs)));
            } else if (dueNs != NEVER) {
                wake(Math.max(nowNs + 1, dueNs));
            }
            if (sizes.length > 0 || intervalNs > 0 && outstanding < wanted) {
                wake(nextRequestNs);
            }
        }

        private void receive() {
            int from = 0;
            while (from < arrived.size()) {
                in.clear();
                while (from < arrived.size() && in.count < BATCH) {
                    Flight flight = arrived.get(from++);
                    int i = in.count++;
                    MemorySegment.copy(
                            flight.bytes, 0, in.packet[i], ValueLayout.JAVA_BYTE, in.packetAt[i], flight.bytes.length);
                    in.length[i] = flight.bytes.length;
                    in.socket[i] = socket;
                    in.peerLo[i] = flight.source;
                    in.peerPort[i] = flight.port;
                    in.localLo[i] = address;
                }
                engine.onPackets(in, nowNs);
            }
            arrived.subList(0, from).clear();
        }

        private void serve() {
            while (engine.receive(socket, message, nowNs)) {
                if (message.regionOffset >= 0) {
                    engine.release(socket, message.regionOffset, nowNs);
                }
                if (message.isRequest) {
                    int length = sizes.length > 0 ? message.length : responseBytes;
                    int status = engine.reply(message.handle, payload, 0, length, null, nowNs);
                    assert status == 0;
                } else {
                    if (message.status == Status.OK && message.attachment instanceof Due due) {
                        answered.answered(due.bytes, nowNs - due.ns);
                    }
                    outstanding--;
                    completed += message.status == Status.OK ? 1 : 0;
                    failed += message.status == Status.OK ? 0 : 1;
                }
            }
        }

        private void call() {
            while (sizes.length > 0 && nextRequestNs <= nowNs) {
                Host to = java.util.Objects.requireNonNull(targets[random.nextInt(targets.length)]);
                int bytes = sizes[random.nextInt(sizes.length)];
                Due due = new Due(bytes, nextRequestNs);
                long id = engine.request(socket, 0, to.address, to.port, payload, 0, bytes, false, due, nowNs);
                assert id > 0;
                outstanding++;
                nextRequestNs += (long) (-Math.log(1 - random.nextDouble()) * meanIntervalNs);
            }
            while (outstanding < wanted && targets.length > 0 && (intervalNs == 0 || nextRequestNs <= nowNs)) {
                nextRequestNs = Math.max(nowNs, nextRequestNs + intervalNs);
                Host to = java.util.Objects.requireNonNull(targets[nextTarget++ % targets.length]);
                long id = engine.request(socket, 0, to.address, to.port, payload, 0, requestBytes, false, null, nowNs);
                assert id > 0;
                outstanding++;
            }
        }

        /** Whether the uplink's queue took not all. */
        private boolean send() {
            while (true) {
                int count = engine.pollPackets(out, Integer.MAX_VALUE, nowNs);
                if (count == 0) {
                    return false;
                }
                int taken = 0;
                while (taken < count && queued() < queueBytes) {
                    launch(taken++);
                }
                engine.onSent(taken, nowNs);
                if (isQueueAdjustable
                        && engine.wantedSendQueueBytes() != 0
                        && engine.wantedSendQueueBytes() != queueBytes) {
                    queueBytes = engine.wantedSendQueueBytes();
                    engine.sendQueue(queueBytes);
                }
                if (taken < count) {
                    refusals++;
                    return true;
                }
            }
        }

        private long queued() {
            return (long) (Math.max(0, uplinkFreeNs - nowNs) * uplinkMbps / 8_000);
        }

        private void launch(int i) {
            byte[] bytes = new byte[out.length[i] + out.payloadLength[i]];
            MemorySegment.copy(out.packet[i], ValueLayout.JAVA_BYTE, out.packetAt[i], bytes, 0, out.length[i]);
            MemorySegment data = out.payload[i];
            if (data != null) {
                MemorySegment.copy(
                        data, ValueLayout.JAVA_BYTE, out.payloadAt[i], bytes, out.length[i], out.payloadLength[i]);
            }
            long wire = (long) bytes.length + AROUND_BYTES;
            uplinkFreeNs = Math.max(uplinkFreeNs, (double) nowNs) + wire * 8_000 / uplinkMbps;
            longestQueueNs = Math.max(longestQueueNs, (long) uplinkFreeNs - nowNs);
            sentBytes += wire;
            Host target = hosts.get((int) (out.peerLo[i] - Address.mappedLo(0x0A000001)));
            if (bytes.length + 28 <= target.largestPacket && (target.loss == 0 || random.nextDouble() >= target.loss)) {
                flights.add(new Flight(
                        (long) uplinkFreeNs + latencyNs, sequences++, target, bytes, address, port, out.level[i]));
            }
        }
    }
}
