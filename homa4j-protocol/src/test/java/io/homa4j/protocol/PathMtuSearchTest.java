package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Paths that take smaller packets than the interface and say nothing (design 6, MTU). */
class PathMtuSearchTest {
    private static final long MS = 1_000_000;
    private static final long S = 1_000 * MS;

    private final ShapedNetwork network = new ShapedNetwork(1);
    private final ShapedNetwork.Host client = network.host(10_000);
    private final ShapedNetwork.Host server = network.host(10_000);

    private static int mtu(ShapedNetwork.Host from, ShapedNetwork.Host to) {
        return from.engine.pathMtu(0, to.address);
    }

    private static long count(ShapedNetwork.Host host, String counter) {
        return host.engine.counters().value(counter);
    }

    @ParameterizedTest
    @CsvSource({"1450, 100, 1", "2000, 100, 1", "50000, 100, 4", "1000000, 100, 1", "100, 1450, 1", "100, 1000000, 2"})
    void messagesGetThroughABlackHole(int requestBytes, int responseBytes, int outstanding) {
        server.largestPacket = 1_400;
        client.largestPacket = 1_400;
        server.responseBytes = responseBytes;
        client.load(outstanding, requestBytes, server);
        network.run(S);
        ShapedNetwork.Host sender = requestBytes > responseBytes ? client : server;
        ShapedNetwork.Host receiver = sender == client ? server : client;
        assertThat(client.failed).isZero();
        assertThat(client.completed).isGreaterThan(20);
        assertThat(mtu(sender, receiver)).as("found by trying").isEqualTo(1_400);
        assertThat(count(sender, "mtu_black_holes")).isEqualTo(1);
        assertThat(count(sender, "mtu_reductions")).isEqualTo(1);
        assertThat(count(receiver, "mtu_reductions")).as("the other direction").isZero();
        long again = count(sender, "resent_packets");
        long before = client.completed;
        network.run(S);
        assertThat(count(sender, "resent_packets"))
                .as("nothing is lost any more")
                .isEqualTo(again);
        assertThat(client.completed).isGreaterThan(before + 20);
    }

    /** Of four messages that met it two lower the size; that the others then come through says nothing of the new size. */
    @ParameterizedTest
    @ValueSource(longs = {2, 3, 4, 5})
    void oneBlackHoleCountsOnceHoweverManyMessagesMetIt(long seed) {
        ShapedNetwork many = new ShapedNetwork(seed);
        ShapedNetwork.Host from = many.host(10_000);
        ShapedNetwork.Host to = many.host(10_000);
        to.largestPacket = 1_400;
        from.load(4, 50_000, to);
        many.run(S);
        assertThat(mtu(from, to)).isEqualTo(1_400);
        assertThat(count(from, "mtu_black_holes")).isEqualTo(1);
    }

    /** Below what tunnels leave there is what every path carries. */
    @Test
    void narrowestPathIsFound() {
        server.largestPacket = 600;
        client.load(1, 20_000, server);
        network.run(S);
        assertThat(client.failed).isZero();
        assertThat(client.completed).isGreaterThan(20);
        assertThat(mtu(client, server)).isEqualTo(552);
    }

    @ParameterizedTest
    @ValueSource(ints = {1_450, 5_000, 100_000})
    void ordinaryLossLowersNothing(int requestBytes) {
        server.loss = 0.05;
        client.loss = 0.05;
        client.load(1, requestBytes, server);
        network.run(8 * S);
        assertThat(client.failed).isZero();
        assertThat(count(client, "resent_packets")).as("lost").isGreaterThan(100);
        assertThat(count(client, "mtu_black_holes")).isZero();
        assertThat(mtu(client, server)).isEqualTo(1_500);
    }

    /** A path that is mended is used again in full, after a while. */
    @Test
    void largerPacketsAreTriedAgainAfterAWhile() {
        server.largestPacket = 1_300;
        client.load(1, 20_000, server);
        client.intervalNs = 10 * MS;
        network.run(S);
        assertThat(mtu(client, server)).isEqualTo(1_280);
        server.largestPacket = Integer.MAX_VALUE;
        network.run(500 * S);
        assertThat(mtu(client, server)).as("not yet").isEqualTo(1_280);
        network.run(110 * S);
        assertThat(mtu(client, server)).isEqualTo(1_500);
        assertThat(count(client, "mtu_raises")).isEqualTo(4);
        assertThat(client.failed).isZero();
    }

    /** Also after the network has said that less fits: it may have been wrong, or lying. */
    @Test
    void whatTheNetworkSaidIsTriedAgainToo() {
        client.load(1, 20_000, server);
        client.intervalNs = 10 * MS;
        network.run(S);
        client.engine.pathMtu(0, server.address, 700);
        network.run(S);
        assertThat(mtu(client, server)).isEqualTo(700);
        network.run(700 * S);
        assertThat(mtu(client, server)).isEqualTo(1_500);
        assertThat(client.failed).isZero();
    }

    /** Trials cost single messages a moment, and end. */
    @Test
    void trialsOfAPathThatStaysNarrowAreFew() {
        server.largestPacket = 1_300;
        client.load(1, 20_000, server);
        client.intervalNs = 10 * MS;
        network.run(S);
        long again = count(client, "resent_packets");
        network.run(1_250 * S);
        assertThat(mtu(client, server)).isEqualTo(1_280);
        // Two times within this, three messages tried 1400 bytes each: 15 packets, sent again in two parts each.
        assertThat(count(client, "resent_packets") - again).isBetween(6L, 6L * 15 * 2);
        assertThat(count(client, "mtu_black_holes")).isEqualTo(1);
        assertThat(client.failed).isZero();
    }

    /** Each packet lies within one that was cut before, whatever sizes follow each other. */
    @Test
    void subdivisionsNest() {
        OutboundMessage out = new OutboundMessage();
        out.begin(java.lang.foreign.MemorySegment.NULL, 0, 100_000, 30_000, 8_900, 8_900, 1);
        int[] before = starts(out);
        for (int bytes : new int[] {4_268, 1_416, 1_366, 1_200}) {
            out.subdivide(bytes, 492);
            int[] after = starts(out);
            assertThat(after).as("cut to " + bytes).contains(before);
            assertThat(out.smallestCut()).isLessThanOrEqualTo(bytes);
            for (int offset = 0; offset < out.length; offset += 7) {
                int start = out.packetStart(offset);
                assertThat(after).contains(start);
                assertThat(out.packetEnd(start)).isGreaterThan(offset);
            }
            before = after;
        }
    }

    private static int[] starts(OutboundMessage out) {
        java.util.stream.IntStream.Builder starts = java.util.stream.IntStream.builder();
        for (int start = 0; start < out.length; start = out.packetEnd(start)) {
            starts.add(start);
        }
        return starts.build().toArray();
    }

    @Test
    void zeroLossesTurnTheSearchOff() {
        Config config = Config.defaults();
        config.proveReachability = false;
        config.hostShare = 1;
        config.blackHoleLosses = 0;
        client.engine.reconfigure(config, network.nowNs);
        server.largestPacket = 1_400;
        client.load(1, 5_000, server);
        network.run(5 * S);
        assertThat(client.completed).isZero();
        assertThat(mtu(client, server)).isEqualTo(1_500);
    }
}
