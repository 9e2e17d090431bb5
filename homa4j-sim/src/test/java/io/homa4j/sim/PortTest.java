package io.homa4j.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PortTest {
    private final Simulation simulation = new Simulation(100, 0);
    private final List<String> arrived = new ArrayList<>();

    private Port port(long bufferBytes) {
        Port port = new Port(simulation, 10_000_000_000L, 1_000, bufferBytes);
        port.connect(packet -> {
            arrived.add(packet.source + " at " + simulation.nowPs());
            simulation.free(packet);
        });
        return port;
    }

    private SimPacket packet(int number, int level, int wireBytes) {
        SimPacket packet = simulation.packet();
        packet.source = number;
        packet.level = level;
        packet.wireBytes = wireBytes;
        return packet;
    }

    @Test
    void theHighestLevelLeavesFirstAndNothingIsInterrupted() {
        Port port = port(0);
        port.enqueue(packet(0, 0, 1_000));
        port.enqueue(packet(1, 0, 100));
        port.enqueue(packet(2, 3, 100));
        port.enqueue(packet(3, 7, 100));
        port.enqueue(packet(4, 3, 100));
        simulation.run(Simulation.S);
        assertThat(arrived)
                .containsExactly("0 at 801000", "3 at 881000", "2 at 961000", "4 at 1041000", "1 at 1121000");
        assertThat(simulation.packetsInUse()).isZero();
    }

    @Test
    void aFullBufferDropsAndCounts() {
        Port port = port(250);
        for (int i = 0; i < 5; i++) {
            port.enqueue(packet(i, i % 2, 100));
        }
        simulation.run(Simulation.S);
        assertThat(arrived).hasSize(3);
        assertThat(port.droppedPackets()).isEqualTo(2);
        assertThat(port.maxQueuedBytes()).isEqualTo(200);
        assertThat(port.sentBytes(0) + port.sentBytes(1)).isEqualTo(300);
        assertThat(simulation.packetsInUse()).isZero();
    }

    @Test
    void theMeanQueueIsWeightedByTime() {
        Port port = port(0);
        port.enqueue(packet(0, 0, 1_000));
        port.enqueue(packet(1, 0, 1_000));
        // One packet waits while the first is sent, none while the second is.
        simulation.run(2 * 800_000 + 1);
        assertThat(port.meanQueuedBytes()).isBetween(499.0, 501.0);
    }
}
