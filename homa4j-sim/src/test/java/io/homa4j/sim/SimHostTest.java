package io.homa4j.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config;
import io.homa4j.protocol.Event;
import io.homa4j.protocol.Message;
import io.homa4j.protocol.Status;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Two machines at one switch: an echo server and its client. */
class SimHostTest {
    private static final int PORT = 4000;

    private final List<String> heard = new ArrayList<>();
    private final Message message = new Message();

    /** A pair of hosts whose messages are echoed by whoever gets them. */
    private final class Pair implements Application {
        final Simulation simulation;
        final SimHost[] hosts = new SimHost[2];
        final Port[] down = new Port[2];
        final int[] sockets = new int[2];
        final MemorySegment[] regions = new MemorySegment[2];

        Pair(boolean hasPayload) {
            simulation = new Simulation(10, hasPayload ? 1500 : 0);
            for (int i = 0; i < 2; i++) {
                down[i] = new Port(simulation, 10_000_000_000L, 500 * Simulation.NS, 0);
            }
            Switch tor = new Switch(0, 1, down, new Port[0], new Prng(1));
            for (int i = 0; i < 2; i++) {
                Port uplink = new Port(simulation, 10_000_000_000L, 1_250 * Simulation.NS, 0);
                uplink.connect(tor);
                hosts[i] = new SimHost(simulation, i, (hi, lo) -> (int) (lo & 0xFF) - 1, Framing.HOMA, this, uplink);
                down[i].connect(hosts[i]);
                hosts[i].start(Config.defaults(), 7 + i, 0, Address.mappedLo(0x0A000001 + i));
                regions[i] = MemorySegment.ofArray(new byte[8 << 20]);
                sockets[i] = hasPayload
                        ? hosts[i].engine().openSocket(PORT, true, regions[i])
                        : hosts[i].engine().openPhantomSocket(PORT, true, 1L << 40);
            }
        }

        void request(int length) {
            MemorySegment payload = MemorySegment.ofArray(new byte[length]);
            for (int i = 0; i < length; i++) {
                payload.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31 >>> 3));
            }
            long id = hosts[0].engine()
                    .request(
                            sockets[0],
                            hosts[1].hi(),
                            hosts[1].lo(),
                            PORT,
                            payload,
                            0,
                            length,
                            false,
                            null,
                            hosts[0].nowNs());
            assertThat(id).isPositive();
            hosts[0].turn();
        }

        @Override
        public void onEvent(SimHost host, Event event) {
            if (event.kind != Event.Kind.READABLE) {
                return;
            }
            int socket = sockets[host.number];
            while (host.engine().receive(socket, message, host.nowNs())) {
                heard.add(
                        (message.isRequest ? "request " : "response ") + message.length + " at " + simulation.nowPs());
                assertThat(message.status).isEqualTo(Status.OK);
                MemorySegment bytes = simulation.hasPayload()
                        ? regions[host.number].asSlice(message.regionOffset, message.length)
                        : MemorySegment.NULL;
                if (simulation.hasPayload()) {
                    for (int i = 0; i < message.length; i += 97) {
                        assertThat(bytes.get(ValueLayout.JAVA_BYTE, i)).isEqualTo((byte) (i * 31 >>> 3));
                    }
                }
                if (message.isRequest) {
                    MemorySegment answer = simulation.hasPayload()
                            ? MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_BYTE))
                            : MemorySegment.NULL;
                    host.engine().reply(message.handle, answer, 0, message.length, null, host.nowNs());
                }
                assertThat(host.engine().release(socket, message.regionOffset, host.nowNs()))
                        .isZero();
            }
        }
    }

    private List<String> conversation(boolean hasPayload) {
        heard.clear();
        Pair pair = new Pair(hasPayload);
        for (int length : new int[] {1, 1_000, 30_000, 1_000_000}) {
            pair.request(length);
        }
        pair.simulation.run(100 * Simulation.MS);
        assertThat(pair.simulation.packetsInUse()).as("packets that got lost").isZero();
        assertThat(pair.hosts[0].engine().rpcCount()).isZero();
        assertThat(pair.hosts[1].engine().rpcCount()).isZero();
        return List.copyOf(heard);
    }

    @Test
    void messagesArriveIntactBothWays() {
        assertThat(conversation(true)).hasSize(8);
    }

    @Test
    void phantomPayloadChangesNothingButTheBytes() {
        assertThat(conversation(false)).isEqualTo(conversation(true));
    }

    @Test
    void aMessageOfOnePacketTakesTheTimeOfItsLinks() {
        Pair pair = new Pair(false);
        pair.request(100);
        pair.simulation.run(Simulation.MS);
        // 100 bytes, header, UDP and IP, Ethernet: 222 bytes twice at 0.8 ns, and the delays of the links.
        assertThat(heard.getFirst()).isEqualTo("request 100 at " + (2 * 222 * 800 + 1_750_000));
    }

    @Test
    void aMachineThatCrashedHearsNothingAndStartsAnew() {
        Pair pair = new Pair(true);
        pair.request(1_000_000);
        pair.simulation.run(50 * Simulation.US);
        pair.hosts[1].crash();
        pair.simulation.run(Simulation.MS);
        assertThat(heard).isEmpty();
        pair.hosts[1].start(Config.defaults(), 9, pair.hosts[1].hi(), pair.hosts[1].lo());
        pair.sockets[1] = pair.hosts[1].engine().openSocket(PORT, true, pair.regions[1]);
        pair.simulation.run(Simulation.S);
        assertThat(heard).hasSize(2);
    }
}
