package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Ports, roles, lookup, shutdown, limits of sending (spec protocol 1.3, 3.3, 6.7; api 3, 11, 13). */
class SocketTest {
    private final Config config = Rig.config();
    private Rig rig = new Rig(config);

    private int bind(int socket, int port) {
        return rig.node.engine.bind(socket, port);
    }

    // ---- ports

    @Test
    @Pins("S-253")
    void automaticPortsGoOnWrapAndSkipThoseInUse() {
        assertThat(rig.node.engine.port(rig.client)).isEqualTo(32_768);
        assertThat(rig.node.engine.port(rig.node.client())).isEqualTo(32_769);
        Sockets sockets = new Sockets(config);
        sockets.open(32_770);
        sockets.open(32_768);
        for (int port = 32_769; port <= 65_535; port++) {
            if (port != 32_770) {
                assertThat(sockets.automaticPort()).isEqualTo(port);
            }
        }
        assertThat(sockets.automaticPort()).isEqualTo(32_769);
        assertThat(sockets.automaticPort()).isEqualTo(32_771);
    }

    @Test
    @Pins("S-254")
    void noPortLeftIsAnError() {
        Sockets sockets = new Sockets(config);
        for (int port = 32_768; port <= 65_535; port++) {
            assertThat(sockets.automaticPort()).isEqualTo(port);
            sockets.open(port);
        }
        assertThat(sockets.automaticPort()).isZero();
        Sock freed = sockets.at(50_000);
        assertThat(freed).isNotNull();
        sockets.unlink(freed);
        sockets.forget(freed);
        assertThat(sockets.automaticPort()).isEqualTo(50_000);
    }

    @Test
    @Pins("S-257")
    void newPortReplacesTheOldOneAtOnce() {
        assertThat(bind(rig.server, 100)).isZero();
        assertThat(rig.node.engine.socketAt(100)).isEqualTo(rig.server);
        assertThat(rig.node.engine.socketAt(Rig.SERVER_PORT)).isEqualTo(-1);
        int other = rig.node.server(Rig.SERVER_PORT);
        assertThat(rig.node.engine.socketAt(Rig.SERVER_PORT)).isEqualTo(other);
    }

    @Test
    @Pins({"S-258", "S-260"})
    void bindFollowsTheRulesOfTheModule() {
        int other = rig.node.client();
        assertThat(bind(other, 0)).isZero();
        assertThat(rig.node.engine.port(other)).isEqualTo(32_769);
        assertThat(rig.socket(other).acceptsRequests()).isFalse();
        assertThat(Status.of(bind(other, 32_770))).isEqualTo(Status.INVALID_ARGUMENT);
        assertThat(bind(other, 32_769)).as("its own automatic port").isZero();
        assertThat(rig.socket(other).acceptsRequests()).isFalse();
        assertThat(Status.of(bind(other, Rig.SERVER_PORT))).isEqualTo(Status.ADDRESS_IN_USE);
        assertThat(rig.node.engine.port(other)).isEqualTo(32_769);
        assertThat(rig.node.engine.socketAt(32_769)).isEqualTo(other);
        assertThat(rig.socket(other).acceptsRequests()).isFalse();
        assertThat(bind(other, 50)).isZero();
        assertThat(bind(other, 50)).as("its own port again").isZero();
        assertThat(bind(other, 51)).isZero();
        assertThat(rig.node.engine.socketAt(50)).isEqualTo(-1);
        assertThat(rig.node.engine.socketAt(32_769)).isEqualTo(-1);
        assertThat(rig.node.engine.socketAt(51)).isEqualTo(other);
    }

    @Test
    @Pins({"S-299", "S-301"})
    void bindMakesAServerForBothFamilies() {
        int socket = rig.node.client();
        assertThat(bind(socket, 98)).isZero();
        assertThat(rig.socket(socket).acceptsRequests()).isTrue();
        for (String address : List.of("10.0.0.2", "fd00::2")) {
            Injector caller = new Injector(rig.node, address, Rig.CALLER_PORT, 98);
            caller.data(1000, 100).go();
            assertThat(rig.node.take(socket).bytes()).isEqualTo(Node.message(100));
        }
    }

    @Test
    @Pins("S-261")
    void bindAfterShutdownFails() {
        rig.node.engine.shutdown(rig.server, rig.node.nowNs);
        assertThat(Status.of(bind(rig.server, 50))).isEqualTo(Status.SHUTDOWN);
        assertThat(rig.node.engine.socketAt(50)).isEqualTo(-1);
    }

    /** Outside profile module every port may be served (design 6). */
    @Test
    void highPortsMayBeServedOutsideProfileModule() {
        rig = new Rig(Rig.ownConfig());
        assertThat(bind(rig.server, 40_000)).isZero();
        assertThat(rig.node.engine.socketAt(40_000)).isEqualTo(rig.server);
    }

    @Test
    @Pins({"S-263", "S-266"})
    void socketsAreFoundByTheirPorts() {
        for (int port = 1; port <= 2000; port++) {
            if (port != Rig.SERVER_PORT) {
                int socket = rig.node.engine.openSocket(port, true, rig.node.region(rig.server));
                assertThat(rig.node.engine.socketAt(port)).isEqualTo(socket);
            }
        }
        for (int port : new int[] {3, 1027, 1999, 1000, 24}) {
            Injector caller = new Injector(rig.node, "10.0.0.2", Rig.CALLER_PORT, port);
            caller.data(2L * port, 100).bytes(10).go();
            SocketInfo info = rig.socket(rig.node.engine.socketAt(port));
            assertThat(info.port()).isEqualTo(port);
            assertThat(info.rpcs()).extracting(RpcInfo::id).containsExactly(2L * port + 1);
        }
        assertThat(rig.node.engine.socketAt(2001)).isEqualTo(-1);
        assertThat(rig.node.engine.socketAt(70_000)).isEqualTo(-1);
        assertThat(rig.node.engine.socketAt(-1)).isEqualTo(-1);
    }

    // ---- packets for nobody

    @Test
    @Pins({"P-060", "P-061"})
    void unknownPortAsksForPortUnreachable() {
        for (String address : List.of("10.0.0.2", "fd00::2")) {
            Injector stranger = new Injector(rig.node, address, Rig.CALLER_PORT, 1234);
            rig.node.receive(stranger.data(1000, 10_000).bytes(1400).packet());
            assertThat(rig.node.portUnreachable).containsExactly(true);
            assertThat(rig.node.engine.rpcCount()).isZero();
            rig.node.receive(stranger.resend(1000, 0, -1, 0));
            assertThat(rig.node.portUnreachable).containsExactly(true);
            assertThat(rig.node.sends()).isEmpty();
        }
    }

    /** What captures show of the module's fast path (spec protocol 3.3). */
    @Test
    void singlePacketMessageOverIpv4DrawsNoErrorInProfileModule() {
        Injector stranger = new Injector(rig.node, "10.0.0.2", Rig.CALLER_PORT, 1234);
        rig.node.receive(stranger.data(1000, 100).packet());
        assertThat(rig.node.portUnreachable).containsExactly(false);
        stranger = new Injector(rig.node, "fd00::2", Rig.CALLER_PORT, 1234);
        rig.node.receive(stranger.data(1000, 100).packet());
        assertThat(rig.node.portUnreachable).containsExactly(true);
    }

    @Test
    @Pins({"P-062", "S-330", "S-337"})
    void socketWithoutServerRoleTakesNoRequests() {
        rig.node.engine.acceptRequests(rig.server, false);
        assertThat(rig.socket(rig.server).acceptsRequests()).isFalse();
        rig.node.receive(rig.caller.data(1000, 10_000).bytes(1400).packet());
        assertThat(rig.node.portUnreachable).containsExactly(true);
        assertThat(rig.node.engine.rpcCount()).isZero();
        rig.node.engine.acceptRequests(rig.server, true);
        assertThat(rig.socket(rig.server).acceptsRequests()).isTrue();
        rig.node.receive(rig.caller.data(1000, 10_000).bytes(1400).packet());
        assertThat(rig.node.portUnreachable).containsExactly(false);
        assertThat(rig.exists(1001)).isTrue();
        // Switched off it cuts off RPCs in progress, too (spec protocol 1.3 item 5).
        rig.node.engine.acceptRequests(rig.server, false);
        rig.node.receive(rig.caller.data(1000, 10_000).at(1400).bytes(1400).packet());
        assertThat(rig.info(1001).receiveRemaining()).isEqualTo(8600);
        // Responses come in all the same.
        long id = rig.node.request(rig.server, rig.peer.peered(), 100);
        new Injector(rig.node, "10.0.0.2", Rig.SERVER_PORT, Rig.SERVER_PORT)
                .data(id ^ 1, 100)
                .go();
        assertThat(rig.node.take(rig.server).id()).isEqualTo(id);
    }

    @Test
    @Pins("P-063")
    void batchForAnUnknownPortAsksForOneError() {
        Injector stranger = new Injector(rig.node, "10.0.0.2", Rig.CALLER_PORT, 1234);
        rig.node.receive(stranger.message(1000, 4200, 1400));
        assertThat(rig.node.portUnreachable).hasSize(3).containsOnlyOnce(true);
        assertThat(rig.node.engine.rpcCount()).isZero();
    }

    // ---- shutdown and close

    @Test
    @Pins({"P-083", "P-090", "P-207", "S-259", "S-268"})
    void shutDownSocketIsFoundNoMoreAndOthersAre() {
        long id = rig.requestSent(100);
        rig.node.engine.shutdown(rig.client, rig.node.nowNs);
        rig.node.engine.shutdown(rig.server, rig.node.nowNs);
        assertThat(rig.node.engine.socketAt(Rig.SERVER_PORT)).isEqualTo(-1);
        assertThat(Status.of(rig.node.request(rig.client, rig.peer.peered(), 100)))
                .isEqualTo(Status.SHUTDOWN);
        rig.node.send();
        rig.node.events.clear();
        rig.respond(id, 100);
        rig.node.receive(rig.caller.data(1000, 10_000).bytes(1400).packet());
        assertThat(rig.node.portUnreachable).containsExactly(true);
        assertThat(rig.node.engine.rpcCount()).isZero();
        assertThat(rig.node.poll(rig.client)).isNull();
        assertThat(rig.node.events).isEmpty();
        // The port is free.
        int next = rig.node.server(Rig.SERVER_PORT);
        rig.caller.data(1000, 100).go();
        assertThat(rig.node.take(next).id()).isEqualTo(1001);
    }

    @Test
    @Pins("S-269")
    void secondShutdownHasNoEffect() {
        rig.node.engine.shutdown(rig.server, rig.node.nowNs);
        int next = rig.node.server(Rig.SERVER_PORT);
        rig.node.engine.shutdown(rig.server, rig.node.nowNs);
        assertThat(rig.node.engine.socketAt(Rig.SERVER_PORT)).isEqualTo(next);
    }

    @Test
    @Pins({"S-173", "S-270"})
    void shutdownEndsAllRpcsSilentlyWhateverTheirState() {
        config.linkMbps = 10;
        rig = new Rig(config);
        rig.request(20_000);
        rig.node.send();
        long waiting = rig.request(30_000);
        assertThat(rig.info(waiting).sentBytes()).isZero();
        rig.serve(1000, 100);
        rig.answered(1002, 100);
        rig.caller.data(1004, 100).go();
        rig.caller.data(1006, 10_000).bytes(1400).go();
        rig.node.send();
        rig.node.engine.shutdown(rig.client, rig.node.nowNs);
        rig.node.engine.shutdown(rig.server, rig.node.nowNs);
        assertThat(rig.node.engine.rpcCount()).isZero();
        assertThat(rig.node.engine.totalIncomingBytes()).isZero();
        rig.node.nowNs += 100 * Node.MS;
        assertThat(rig.node.ticks(300)).isEmpty();
        assertThat(rig.node.events).contains("RELEASED q20000", "RELEASED q30000", "RELEASED r100");
    }

    @Test
    @Pins({"P-183", "P-197", "S-310"})
    void nothingWorksOnAShutDownSocket() {
        rig.requestSent(100);
        rig.node.engine.shutdown(rig.client, rig.node.nowNs);
        assertThat(rig.node.engine.abortAll(rig.client, Status.ABORTED, 1, rig.node.nowNs))
                .isZero();
        assertThat(rig.node.engine.socketInfo(rig.client)).isNull();
        assertThat(rig.node.poll(rig.client)).isNull();
    }

    /** Numbers are used again; the next socket has nothing of the former one. */
    @Test
    void closedSocketIsForgotten() {
        rig.node.engine.closeSocket(rig.server, rig.node.nowNs);
        assertThat(rig.node.engine.socketInfo(rig.server)).isNull();
        assertThat(Status.of(rig.node.engine.port(rig.server))).isEqualTo(Status.INVALID_ARGUMENT);
        int next = rig.node.server(77);
        assertThat(next).isEqualTo(rig.server);
        assertThat(rig.socket(next).rpcs()).isEmpty();
        assertThat(rig.node.engine.socketAt(77)).isEqualTo(next);
    }

    /** close() loses nothing: no new requests, but what was begun goes on until it is acknowledged (design 6). */
    @Test
    void closingSocketFinishesWhatItBegan() {
        Received request = rig.serve(1000, 100);
        rig.node.engine.beginClose(rig.server, rig.node.nowNs);
        assertThat(rig.node.engine.isDrained(rig.server)).isFalse();
        rig.node.receive(rig.caller.data(1002, 100).packet());
        assertThat(rig.exists(1003)).isFalse();
        assertThat(Status.of(rig.node.request(rig.server, rig.peer.peered(), 100)))
                .isEqualTo(Status.SHUTDOWN);
        assertThat(rig.node.reply(request, 100)).isZero();
        assertThat(rig.node.sends()).isEqualTo("DATA 100@0");
        assertThat(rig.node.engine.isDrained(rig.server)).isFalse();
        rig.node.receive(rig.caller.ack(1000));
        assertThat(rig.node.engine.isDrained(rig.server)).isTrue();
    }

    // ---- send memory

    @Test
    @Pins({"P-181", "S-272", "S-273", "S-276", "S-279", "S-394"})
    void sendersWaitAboveTheLimitAndAreWokenBelowIt() {
        config.wmemMax = 10_000;
        rig = new Rig(config);
        long first = rig.requestSent(9_999);
        long second = rig.node.request(rig.client, rig.peer.peered(), 5_000);
        assertThat(second).as("used is below the limit").isPositive();
        assertThat(Status.of(rig.node.request(rig.client, rig.peer.peered(), 1)))
                .isEqualTo(Status.SEND_LIMIT);
        assertThat(Status.of(rig.node.request(rig.client, rig.peer.peered(), 1)))
                .isEqualTo(Status.SEND_LIMIT);
        rig.node.send();
        assertThat(rig.node.events).isEmpty();
        rig.node.engine.forget(second, rig.node.nowNs);
        rig.node.send();
        assertThat(rig.node.events).containsExactly("RELEASED q5000", "WRITABLE " + rig.client);
        assertThat(rig.node.request(rig.client, rig.peer.peered(), 1)).isPositive();
        rig.node.events.clear();
        rig.respond(first, 100);
        rig.node.take(rig.client);
        rig.node.send();
        assertThat(rig.node.events)
                .as("nobody was refused since")
                .containsExactly("READABLE " + rig.client, "RELEASED q9999");
    }

    @Test
    void responsesAreUnderTheSameLimitAndMayBeTriedAgain() {
        config.wmemMax = 1_000;
        rig = new Rig(config);
        Received first = rig.serve(1000, 100);
        Received second = rig.serve(1002, 100);
        assertThat(rig.node.reply(first, 1_000)).isZero();
        assertThat(Status.of(rig.node.reply(second, 100))).isEqualTo(Status.SEND_LIMIT);
        rig.node.receive(rig.caller.ack(1000));
        assertThat(rig.node.events).contains("WRITABLE " + rig.server);
        assertThat(rig.node.reply(second, 100)).isZero();
    }

    @Test
    void responsesDoNotWaitForRequestsOutsideProfileModule() {
        assertThat(replyWhileARequestIsAtTheLimit(Rig.config())).isEqualTo(Status.SEND_LIMIT);
        assertThat(replyWhileARequestIsAtTheLimit(Rig.ownConfig()))
                .as("else two hosts that call each other up to the limit never answer")
                .isEqualTo(Status.OK);
    }

    private Status replyWhileARequestIsAtTheLimit(Config limited) {
        limited.maxOutgoing = 1;
        rig = new Rig(limited);
        long asked = rig.node.request(rig.server, rig.peer.peered(), 100);
        assertThat(asked).isPositive();
        Received request = rig.serve(1000, 100);
        return Status.of(rig.node.reply(request, 100));
    }

    @Test
    @Pins("S-348")
    void requestToOneHostTooManyFailsAndLeavesNothing() {
        config.maxPeers = 1;
        rig = new Rig(config);
        rig.requestSent(100);
        long refused = rig.node.request(rig.client, rig.peer("10.0.0.3").peered(), 100);
        assertThat(Status.of(refused)).isEqualTo(Status.TOO_MANY);
        assertThat(rig.node.engine.rpcCount()).isEqualTo(1);
        assertThat(rig.socket(rig.client).outgoingBytes()).isEqualTo(100);
    }

    @Test
    @Pins("S-341")
    void requestToNoPortIsRefused() {
        for (int port : new int[] {0, -1, 65_536}) {
            long refused = rig.node.request(rig.client, new Node.Peered(rig.peer.hi, rig.peer.lo, port), 100);
            assertThat(Status.of(refused)).isEqualTo(Status.INVALID_ARGUMENT);
        }
        assertThat(rig.node.engine.rpcCount()).isZero();
    }
}
