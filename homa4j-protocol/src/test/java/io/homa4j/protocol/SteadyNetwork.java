package io.homa4j.protocol;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A hub and many leaves, each a real engine, joined by preallocated rings under virtual time: every engine calls and
 * serves, sizes are mixed, packets get lost. The network itself allocates nothing while it runs, so that what a thread
 * allocates meanwhile is the engines' doing.
 */
final class SteadyNetwork {
    private static final int[] SIZES = {1, 100, 100, 700, 1_400, 5_000, 20_000, 60_000, 150_000};
    private static final int BATCH = 64;
    private static final int PACKET_BYTES = 1_536;
    private static final long STEP_NS = 50_000;

    private final Arena arena;
    private final Node[] nodes;
    private final MemorySegment payload;
    private final Message message = new Message();
    private final Event event = new Event();
    private int lossPerThousand;
    private long random;
    private long nowNs;

    /** Packets handed from engine to engine, lost ones included. */
    long packets;
    /** Calls completed and failed. */
    long completed;

    long failed;

    SteadyNetwork(Arena arena, int leaves, int lossPerThousand, long seed) {
        this.arena = arena;
        this.lossPerThousand = lossPerThousand;
        random = seed;
        payload = arena.allocate(Config.MAX_MESSAGE_BYTES);
        nodes = new Node[leaves + 1];
        for (int i = 0; i < nodes.length; i++) {
            nodes[i] = new Node(i, seed + i);
        }
        nodes[0].wanted = 4 * leaves;
    }

    /** Runs until so many more packets have been handed over. */
    void run(long morePackets) {
        long until = packets + morePackets;
        while (packets < until) {
            nowNs += STEP_NS;
            for (Node node : nodes) {
                node.turn();
            }
        }
    }

    /** Runs with twice the calls and five times the loss, so that every table and pool gets its largest size. */
    void warmUp(long morePackets) {
        for (Node node : nodes) {
            node.wanted *= 2;
        }
        int loss = lossPerThousand;
        lossPerThousand = 5 * loss;
        run(morePackets);
        lossPerThousand = loss;
        for (Node node : nodes) {
            node.wanted /= 2;
        }
    }

    Endpoint engine(int i) {
        return nodes[i].engine;
    }

    private int random(int bound) {
        random = random * 6364136223846793005L + 1442695040888963407L;
        return (int) ((random >>> 33) % bound);
    }

    private final class Node {
        final int index;
        final Endpoint engine;
        final int socket;
        final int port;
        final long address;
        final PacketBatch arrivals = new PacketBatch(BATCH, arena.allocate((long) BATCH * 90), 90);
        final PacketBatch departures = new PacketBatch(BATCH, arena.allocate((long) BATCH * 90), 90);
        final int ringSize;
        final MemorySegment ring;
        final int[] length;
        final int[] source;
        long head;
        long tail;
        /** Calls to keep outstanding. */
        int wanted = 4;

        int outstanding;

        Node(int index, long seed) {
            this.index = index;
            Config config = Config.defaults();
            config.hostShare = 1;
            engine = new Endpoint(config, seed, nowNs);
            port = 4_000 + index;
            address = Address.mappedLo(0x0A000001 + index);
            socket = engine.openSocket(port, true, arena.allocate(index == 0 ? 128 << 20 : 4 << 20, 64));
            ringSize = index == 0 ? 1 << 14 : 1 << 10;
            ring = arena.allocate((long) ringSize * PACKET_BYTES);
            length = new int[ringSize];
            source = new int[ringSize];
        }

        void turn() {
            receive();
            engine.onTime(nowNs);
            serve();
            call();
            send();
            while (engine.pollEvent(event)) {
                // Payload is lent for ever here, so a release means nothing.
            }
            engine.nextDeadlineNs(nowNs);
        }

        private void receive() {
            while (head < tail) {
                arrivals.clear();
                while (head < tail && arrivals.count < BATCH) {
                    int place = (int) (head++ & (ringSize - 1));
                    int i = arrivals.count++;
                    Node from = nodes[source[place]];
                    arrivals.packet[i] = ring;
                    arrivals.packetAt[i] = (long) place * PACKET_BYTES;
                    arrivals.length[i] = length[place];
                    arrivals.socket[i] = socket;
                    arrivals.peerLo[i] = from.address;
                    arrivals.peerPort[i] = from.port;
                    arrivals.localLo[i] = address;
                }
                engine.onPackets(arrivals, nowNs);
            }
        }

        private void serve() {
            while (engine.receive(socket, message, nowNs)) {
                if (message.regionOffset >= 0) {
                    engine.release(socket, message.regionOffset, nowNs);
                }
                if (message.isRequest) {
                    int status = engine.reply(message.handle, payload, 0, SIZES[random(SIZES.length)], null, nowNs);
                    assert status == 0;
                } else {
                    outstanding--;
                    completed += message.status == Status.OK ? 1 : 0;
                    failed += message.status == Status.OK ? 0 : 1;
                }
            }
        }

        private void call() {
            while (outstanding < wanted) {
                Node to = nodes[index == 0 ? 1 + random(nodes.length - 1) : 0];
                long id = engine.request(
                        socket, 0, to.address, to.port, payload, 0, SIZES[random(SIZES.length)], false, null, nowNs);
                assert id > 0;
                outstanding++;
            }
        }

        private void send() {
            int count = engine.pollPackets(departures, 64 * 1_500, nowNs);
            for (int i = 0; i < count; i++) {
                packets++;
                if (random(1000) >= lossPerThousand) {
                    nodes[(int) (departures.peerLo[i] - Address.mappedLo(0x0A000001))].accept(departures, i, index);
                }
            }
            if (count > 0) {
                engine.onSent(count, nowNs);
            }
        }

        private void accept(PacketBatch batch, int i, int from) {
            if (tail - head == ringSize) {
                return;
            }
            int place = (int) (tail++ & (ringSize - 1));
            long at = (long) place * PACKET_BYTES;
            MemorySegment.copy(batch.packet[i], batch.packetAt[i], ring, at, batch.length[i]);
            MemorySegment data = batch.payload[i];
            if (data != null) {
                MemorySegment.copy(data, batch.payloadAt[i], ring, at + batch.length[i], batch.payloadLength[i]);
            }
            length[place] = batch.length[i] + batch.payloadLength[i];
            source[place] = from;
        }
    }

    /**
     * Runs as a program of its own, for collectors that never collect.
     *
     * @param arguments packets, leaves, losses per thousand
     */
    public static void main(String[] arguments) {
        try (Arena arena = Arena.ofConfined()) {
            SteadyNetwork network =
                    new SteadyNetwork(arena, Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]), 1);
            long startNs = System.nanoTime();
            network.run(Long.parseLong(arguments[0]));
            System.out.println(
                    network.packets + " packets, " + network.completed + " calls, " + network.failed + " failed, "
                            + (System.nanoTime() - startNs) / network.packets + " ns per packet sent and received");
        }
    }
}
