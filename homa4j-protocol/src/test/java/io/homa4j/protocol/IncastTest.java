package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.wire.DataHeader;
import io.homa4j.wire.DataPacket;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Incast control: who waits for many responses asks for less of each without grants (ARCHITECTURE.md, Incast). */
class IncastTest {
    private static Config config() {
        Config config = Rig.ownConfig();
        config.incastBytes = 50_000;
        return config;
    }

    /** The limit each DATA packet carries. */
    private static List<Integer> limits(List<Sent> sent) {
        return sent.stream()
                .filter(packet -> packet.packet() instanceof DataPacket)
                .map(packet -> ((DataPacket) packet.packet()).pad())
                .toList();
    }

    @Test
    void requestsAskForLessOnlyOnceMoreIsAwaitedThanTheTarget() {
        Rig rig = new Rig(config());
        for (int i = 0; i < 5; i++) {
            rig.request(100);
        }
        assertThat(limits(rig.node.send())).containsOnly(0).hasSize(5);
        for (int i = 0; i < 20; i++) {
            rig.request(100);
        }
        assertThat(limits(rig.node.send())).containsOnly(50_000 / 25).hasSize(20);
        assertThat(rig.node.count("incast_limits")).isEqualTo(20);
    }

    @Test
    void shortResponsesMakeNoIncast() {
        Rig rig = new Rig(config());
        for (int i = 0; i < 200; i++) {
            rig.call(100);
        }
        for (int i = 0; i < 400; i++) {
            rig.request(100);
        }
        assertThat(limits(rig.node.send())).containsOnly(0).hasSize(400);
    }

    @Test
    void limitNeverFallsBelowWhatIsWorthAPacket() {
        Rig rig = new Rig(config());
        for (int i = 0; i < 5_000; i++) {
            rig.request(100);
        }
        assertThat(limits(rig.node.send()))
                .containsOnly(Incast.LEAST_LIMIT_BYTES)
                .hasSize(5_000);
    }

    @Test
    void profileModuleNeitherAsksNorListens() {
        Rig rig = new Rig();
        for (int i = 0; i < 1_000; i++) {
            rig.request(100);
        }
        assertThat(limits(rig.node.send())).containsOnly(0).hasSize(1_000);
        assertThat(response(rig, 500)).isEqualTo("DATA 1400@0, DATA 1400@1400, DATA 1400@2800, DATA 800@4200");
    }

    @Test
    void serverSendsNoMoreThanAskedForBeforeGrants() {
        Rig rig = new Rig(config());
        assertThat(response(rig, 500)).isEqualTo("DATA 500@0");
        rig.node.receive(rig.caller.grant(6, 5_000, 0));
        assertThat(rig.node.sends()).isEqualTo("DATA 1400@500, DATA 1400@1900, DATA 1400@3300, DATA 300@4700");
    }

    @Test
    void aWishAboveWhatIsUsualChangesNothing() {
        Rig rig = new Rig(config());
        assertThat(response(rig, (1 << 24) - 1))
                .isEqualTo("DATA 1400@0, DATA 1400@1400, DATA 1400@2800, DATA 800@4200");
    }

    /** What leaves of a response of 5,000 bytes to a request that carries the limit. */
    private static String response(Rig rig, int limit) {
        Datagram packet = rig.caller.data(6, 100).packet();
        DataHeader.responseLimit(MemorySegment.ofArray(packet.bytes()), 0, limit);
        rig.node.receive(packet);
        rig.node.send();
        Received request = rig.node.take(rig.server);
        assertThat(rig.node.reply(request, 5_000)).isZero();
        return rig.node.sends();
    }

    @Test
    void manyCallsAtOnceAllCompleteAndTheirUnscheduledBytesStayNearTheTarget() {
        Config config = config();
        Node client = new Node("client", "10.0.0.1", config);
        int socket = client.client();
        List<Node> nodes = new ArrayList<>(List.of(client));
        for (int i = 0; i < 4; i++) {
            Node server = new Node("server" + i, "10.0.1." + i, Rig.ownConfig());
            server.server(Rig.SERVER_PORT);
            nodes.add(server);
        }
        VirtualLink link = new VirtualLink(nodes.toArray(Node[]::new));
        int calls = 200;
        for (int i = 0; i < calls; i++) {
            Node server = nodes.get(1 + i % 4);
            assertThat(client.request(socket, new Node.Peered(server.hi, server.lo, Rig.SERVER_PORT), 100))
                    .isPositive();
        }
        List<Received> responses = new ArrayList<>();
        link.until("all calls complete", () -> {
            for (Node server : nodes.subList(1, 5)) {
                for (Received r = server.poll(0); r != null; r = server.poll(0)) {
                    server.engine.release(0, r.regionOffset(), server.nowNs);
                    assertThat(server.reply(r, 10_000)).isZero();
                }
            }
            for (Received r = client.poll(socket); r != null; r = client.poll(socket)) {
                client.engine.release(socket, r.regionOffset(), client.nowNs);
                responses.add(r);
            }
            return responses.size() == calls;
        });
        assertThat(responses).allMatch(r -> r.status() == Status.OK && VirtualLink.isIntact(r));
        Map<Long, Integer> unscheduled = link.sent.stream()
                .filter(sent -> sent.packet() instanceof DataPacket data && data.messageLength() == 10_000)
                .collect(Collectors.toMap(Sent::id, sent -> ((DataPacket) sent.packet()).incoming(), Math::min));
        assertThat(unscheduled).hasSize(calls);
        assertThat(unscheduled.values().stream().mapToInt(bytes -> bytes).sum()).isLessThanOrEqualTo(50_000);
    }
}
