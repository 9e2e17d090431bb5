package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** What large numbers of RPCs and peers cost: memory for open ones, packets for waiting ones. */
class ManyRpcsTest {
    /** Heap that 100,000 open RPCs with 10,000 peers may take (docs/operating.md states it). */
    private static final long STATED_BYTES = 100L << 20;

    @Test
    void hundredThousandOpenRpcsWithTenThousandPeersStayWithinTheStatedMemory() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment payload = arena.allocate(1_000);
            MemorySegment region = arena.allocate(Endpoint.MIN_REGION_BYTES, 64);
            PacketBatch out = new PacketBatch(64, arena.allocate(64 * 96), 96);
            long before = usedHeap();
            Endpoint engine = new Endpoint(Config.defaults(), 1, 0);
            int socket = engine.openSocket(4_000, false, region);
            for (int i = 0; i < 100_000; i++) {
                long address = Address.mappedLo(0x0A000000 + i % 10_000);
                assertThat(engine.request(socket, 0, address, 99, payload, 0, 1_000, false, null, i))
                        .isPositive();
            }
            for (int count = engine.pollPackets(out, 1 << 20, 100_000);
                    count > 0;
                    count = engine.pollPackets(out, 1 << 20, 100_000)) {
                engine.onSent(count, 100_000);
            }
            long used = usedHeap() - before;

            assertThat(engine.rpcCount()).isEqualTo(100_000);
            assertThat(engine.peerCount()).isEqualTo(10_000);
            assertThat(used).as("heap of the engine, bytes").isLessThan(STATED_BYTES);
            System.out.println("100,000 open RPCs and 10,000 peers take " + (used >> 20) + " MiB of heap");
        }
    }

    private static long usedHeap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    @Test
    void tenThousandWaitingRpcsCostFewerThanAHundredThousandPacketsASecond() {
        Node client = new Node("client", "10.0.0.1", Config.defaults());
        Node server = new Node("server", "10.0.0.2", serverConfig());
        VirtualLink link = new VirtualLink(client, server);
        link.log.clear();
        int to = server.server(99);
        int from = client.client();
        Node.Peered peer = new Node.Peered(server.hi, server.lo, 99);
        for (int i = 0; i < 10_000; i++) {
            assertThat(client.request(from, peer, 100)).isPositive();
        }
        // On first contact only a share of them is let in at once; the rest follows after the proof.
        int taken = 0;
        for (int i = 0; i < 3_000 && taken < 10_000; i++) {
            link.run(Node.MS);
            while (server.poll(to) != null) {
                taken++;
            }
        }
        assertThat(taken).isEqualTo(10_000);
        // Intervals double with each BUSY until they have their full length.
        link.run(6_000 * Node.MS);
        int before = link.sent.size();
        link.run(1_000 * Node.MS);

        // A RESEND and a BUSY for each of sixteen probes in every eighth tick; a hundred thousand would be too many.
        assertThat(link.sent.size() - before).isBetween(1_000, 10_000);
        assertThat(client.engine.rpcCount()).isEqualTo(10_000);
    }

    private static Config serverConfig() {
        Config config = Config.defaults();
        config.hostShare = 1;
        return config;
    }
}
