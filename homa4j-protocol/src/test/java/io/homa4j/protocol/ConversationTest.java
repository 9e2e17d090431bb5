package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.protocol.Node.Peered;
import io.homa4j.wire.DataPacket;
import io.homa4j.wire.PacketType;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two engines on a network that loses what the test says: the exchanges of spec protocol 7.4, packet by packet. */
class ConversationTest {
    private final Config config = Rig.config();
    private Node client = new Node("client", "10.0.0.1", config);
    private Node server = new Node("server", "10.0.0.2", config);
    private VirtualLink link = new VirtualLink(client, server);
    private int clientSocket;
    private int serverSocket;
    private final Peered target = new Peered(server.hi, server.lo, 99);

    private void connect(Config config) {
        client = new Node("client", "10.0.0.1", config);
        server = new Node("server", "10.0.0.2", config);
        link = new VirtualLink(client, server);
        clientSocket = client.client();
        serverSocket = server.server(target.port());
    }

    /** A pair that knows each other, so that no CUTOFFS is sent any more. */
    private void connect() {
        connect(config);
        long id = client.request(clientSocket, target, 10);
        Received request = nextRequest();
        server.reply(request, 10);
        link.until("first response", () -> ready(client, clientSocket) > 0);
        assertThat(client.take(clientSocket).id()).isEqualTo(id);
        // The ack rides on the next request.
        link.run(config.cutoffsGridNs);
        link.log.clear();
    }

    private Received nextRequest() {
        link.until("a request", () -> ready(server, serverSocket) > 0);
        return server.take(serverSocket);
    }

    private Received nextResponse() {
        link.until("a response", () -> ready(client, clientSocket) > 0);
        return client.take(clientSocket);
    }

    private static int ready(Node node, int socket) {
        SocketInfo info = node.engine.socketInfo(socket);
        return info == null ? 0 : info.ready();
    }

    private static int rpcs(Node node, int socket) {
        SocketInfo info = node.engine.socketInfo(socket);
        return info == null ? 0 : info.rpcs().size();
    }

    private static Predicate<Sent> type(int type) {
        return packet -> packet.packet().common().type() == type;
    }

    /** Loses the first packets that match. */
    private void loseFirst(int count, Predicate<Sent> which) {
        int[] left = {count};
        link.drop = packet -> left[0] > 0 && which.test(packet) && left[0]-- > 0;
    }

    private void run(long ticks) {
        link.run(ticks * config.tickNs);
    }

    @Test
    void shortCallIsTwoPacketsAndNothingMore() {
        connect();
        client.request(clientSocket, target, 100);
        Received request = nextRequest();
        assertThat(request.bytes()).isEqualTo(Node.message(100));
        server.reply(request, 200);
        assertThat(nextResponse().bytes()).isEqualTo(Node.message(200));
        assertThat(link.log).containsExactly("client>server DATA 100@0", "server>client DATA 200@0");
    }

    @Test
    void slowServerIsAskedEveryFiveTicksAndIsBusy() {
        connect();
        client.request(clientSocket, target, 100);
        Received request = nextRequest();
        link.log.clear();
        run(502);
        assertThat(link.log)
                .hasSizeBetween(190, 202)
                .allMatch(
                        packet -> packet.equals("client>server RESEND 0 -1 p7") || packet.equals("server>client BUSY"));
        server.reply(request, 100);
        assertThat(nextResponse().status()).isEqualTo(Status.OK);
    }

    @Test
    void lostRequestIsStartedAgain() {
        connect();
        loseFirst(3, type(PacketType.DATA));
        client.request(clientSocket, target, 3000);
        assertThat(nextRequest().bytes()).isEqualTo(Node.message(3000));
        assertThat(link.log)
                .containsExactly(
                        "client>server DATA 1400@0 LOST",
                        "client>server DATA 1400@1400 LOST",
                        "client>server DATA 200@2800 LOST",
                        "client>server RESEND 0 -1 p7",
                        "server>client RPC_UNKNOWN",
                        "client>server AGAIN 1400@0",
                        "client>server AGAIN 1400@1400",
                        "client>server AGAIN 200@2800");
    }

    @Test
    void missingPartOfARequestIsAskedFor() {
        connect();
        link.drop = packet -> packet.packet() instanceof DataPacket data
                && data.retransmit() == 0
                && (data.offset() == 1400 || data.offset() == 4200);
        client.request(clientSocket, target, 5000);
        assertThat(nextRequest().bytes()).isEqualTo(Node.message(5000));
        assertThat(link.log)
                .contains(
                        "server>client RESEND 1400 1400 p7",
                        "server>client RESEND 4200 800 p7",
                        "client>server AGAIN 1400@1400",
                        "client>server AGAIN 800@4200")
                .doesNotContain("client>server AGAIN 1400@0", "client>server AGAIN 1400@2800");
    }

    @Test
    void lostGrantIsRepairedByTheReceiver() {
        connect();
        link.drop = type(PacketType.GRANT);
        client.request(clientSocket, target, 14_000);
        assertThat(nextRequest().bytes()).isEqualTo(Node.message(14_000));
        assertThat(link.log).contains("server>client RESEND 10000 4000 p7", "client>server DATA 1400@10000");
    }

    @Test
    void lostResponseIsAskedForWhenTheServerWantsItsAck() {
        connect();
        loseFirst(2, packet -> type(PacketType.DATA).test(packet) && (packet.id() & 1) != 0);
        client.request(clientSocket, target, 100);
        server.reply(nextRequest(), 2000);
        link.log.clear();
        assertThat(nextResponse().bytes()).isEqualTo(Node.message(2000));
        assertThat(link.log)
                .containsSubsequence(
                        "server>client DATA 1400@0 LOST",
                        "server>client DATA 600@1400 LOST",
                        "server>client NEED_ACK",
                        "client>server RESEND 0 -1 p7",
                        "server>client AGAIN 1400@0",
                        "server>client AGAIN 600@1400");
    }

    /**
     * Responses of which the dead server sent only the unscheduled part neither wait for their timeout nor keep the grants
     * from the calls that come after them.
     */
    @Test
    void callsOfARestartedServerAreAllAnsweredByItsSuccessor() {
        Config own = Rig.ownConfig();
        own.unschedBytes = 1400;
        own.maxIncoming = 10_000;
        connect(own);
        int calls = 50;
        for (int i = 0; i < calls; i++) {
            client.request(clientSocket, target, 100);
        }
        for (int i = 0; i < calls; i++) {
            server.reply(nextRequest(), 5_000);
        }
        link.until("all first parts", () -> client.count("client_responses_started") == calls);
        int before = ready(client, clientSocket);
        assertThat(before).isLessThan(calls);

        server = new Node("successor", "10.0.0.2", own, client.nowNs);
        serverSocket = server.server(target.port());
        link = new VirtualLink(client, server);
        for (int answered = before; answered < calls; answered++) {
            server.reply(nextRequest(), 6_000);
        }
        link.until("all responses", () -> ready(client, clientSocket) == calls);
        for (int i = 0; i < calls; i++) {
            Received response = client.take(clientSocket);
            assertThat(response.status()).isEqualTo(Status.OK);
            assertThat(response.bytes()).isEqualTo(Node.message(response.length()));
        }
        assertThat(client.count("rpc_timeouts")).isZero();
    }

    @Test
    void needAckIsAnsweredWhetherTheResponseWasFetchedOrNot() {
        connect();
        long id = client.request(clientSocket, target, 100);
        server.reply(nextRequest(), 100);
        link.until("a response", () -> ready(client, clientSocket) > 0);
        link.log.clear();
        link.until("the ack", () -> rpcs(server, serverSocket) == 0);
        assertThat(link.log).containsExactly("server>client NEED_ACK", "client>server ACK " + id);
        assertThat(client.take(clientSocket).id()).isEqualTo(id);
    }

    @Test
    void serverForgetsTheRequestOfAClientThatHasDroppedIt() {
        connect();
        link.drop = packet -> packet.packet() instanceof DataPacket data && data.offset() > 0;
        long id = client.request(clientSocket, target, 5000);
        link.run(1_000_000);
        client.engine.forget(id, client.nowNs);
        link.log.clear();
        link.until("the server forgets", () -> rpcs(server, serverSocket) == 0);
        assertThat(link.log).contains("server>client RESEND 1400 3600 p7", "client>server RPC_UNKNOWN");
    }

    @Test
    void incompleteRequestOfADeadClientIsGivenUp() {
        connect();
        link.drop = packet -> packet.packet() instanceof DataPacket data && data.offset() > 0;
        client.request(clientSocket, target, 5000);
        link.run(1_000_000);
        link.drop = packet -> true;
        run(config.timeoutTicks - 3);
        assertThat(rpcs(server, serverSocket)).isEqualTo(1);
        run(4);
        assertThat(rpcs(server, serverSocket)).isZero();
    }

    @Test
    void deadClientIsAskedForItsAckEveryTick() {
        connect();
        client.request(clientSocket, target, 100);
        Received request = nextRequest();
        link.drop = packet -> true;
        server.reply(request, 100);
        link.log.clear();
        run(150);
        assertThat(link.log.stream().filter(packet -> packet.equals("server>client NEED_ACK LOST")))
                .hasSizeBetween(145, 150);
        assertThat(rpcs(server, serverSocket)).as("D-4").isEqualTo(1);
    }

    @Test
    void deadServerIsATimeout() {
        connect();
        link.drop = packet -> true;
        client.request(clientSocket, target, 100);
        run(config.timeoutTicks - 1);
        assertThat(ready(client, clientSocket)).isZero();
        run(2);
        assertThat(client.take(clientSocket).status()).isEqualTo(Status.TIMEOUT);
    }

    // ---- everything at once

    /** Over direct UDP, as homa4j does by itself: strangers prove themselves, acks leave alone, repeats are spaced. */
    private static Config udp() {
        Config config = Config.defaults();
        config.firstId = 2;
        return config;
    }

    /** Loss and reordering; every byte is checked, and by itself homa4j runs every request once (the module: D-6). */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void manyCallsSurviveLossAndReordering(long seed) {
        boolean own = seed % 2 == 0;
        connect(own ? udp() : config);
        Random random = new Random(seed);
        link.drop = packet -> random.nextInt(100) < 3;
        link.slow = packet -> random.nextInt(100) < 10;
        int calls = 150;
        int[] lengths = new int[2 * calls + 2];
        Set<Long> executed = new HashSet<>();
        int started = 0;
        int finished = 0;
        while (finished < calls) {
            while (started < calls && started - finished < 20) {
                int length = (int) Math.exp(random.nextDouble() * Math.log(200_000));
                long id = client.request(clientSocket, target, length);
                assertThat(id).as("seed %d", seed).isEqualTo(2L * started + 2);
                lengths[(int) id] = length;
                started++;
            }
            link.until(
                    "something (seed " + seed + ")",
                    () -> ready(client, clientSocket) + ready(server, serverSocket) > 0);
            while (ready(server, serverSocket) > 0) {
                Received request = server.take(serverSocket);
                assertThat(VirtualLink.isIntact(request)).as("seed %d", seed).isTrue();
                assertThat(request.length()).isEqualTo(lengths[(int) request.id() - 1]);
                assertThat(executed.add(request.id()) || !own)
                        .as("run twice, seed %d", seed)
                        .isTrue();
                int length = (int) Math.exp(random.nextDouble() * Math.log(200_000));
                lengths[(int) request.id()] = length;
                assertThat(server.reply(request, length)).isZero();
            }
            while (ready(client, clientSocket) > 0) {
                Received response = client.take(clientSocket);
                assertThat(response.status()).as("seed %d", seed).isEqualTo(Status.OK);
                assertThat(VirtualLink.isIntact(response)).as("seed %d", seed).isTrue();
                assertThat(response.length()).isEqualTo(lengths[(int) response.id() + 1]);
                finished++;
            }
        }
        link.drop = packet -> false;
        link.until("everything is acknowledged", () -> rpcs(server, serverSocket) == 0);
        assertThat(rpcs(client, clientSocket)).isZero();
        assertThat(server.engine.totalIncomingBytes()).isZero();
        assertThat(client.engine.totalIncomingBytes()).isZero();
        SocketInfo info = server.engine.socketInfo(serverSocket);
        assertThat(info).isNotNull();
        assertThat(info.freeReceiveBytes()).isEqualTo(info.receiveRegionBytes());
        assertThat(info.outgoingBytes()).isZero();
    }
}
