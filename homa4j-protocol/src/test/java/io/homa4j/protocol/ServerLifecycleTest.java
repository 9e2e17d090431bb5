package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server RPC from its first packet to its end (spec protocol 3.4, 6.2). */
class ServerLifecycleTest {
    private final Config config = Rig.config();
    private Rig rig = new Rig(config);

    // ---- creation

    @Test
    @Pins({"P-064", "P-084", "S-383"})
    void dataOfAnUnknownRequestCreatesItsRpc() {
        rig.caller.data(1000, 10_000).bytes(1400).go();
        RpcInfo info = rig.info(1001);
        assertThat(info.peerLo()).isEqualTo(rig.caller.lo);
        assertThat(info.peerPort()).isEqualTo(Rig.CALLER_PORT);
        assertThat(info.receiveRemaining()).isEqualTo(8600);
        assertThat(info.sendLength()).isEqualTo(-1);
        // Receiving, not in service: it cannot be answered, and it asks for what is missing.
        assertThat(info.isReady()).isFalse();
        assertThat(Node.words(rig.node.ticks(5))).isEqualTo("RESEND 1400 8600 p7");
        assertThat(rig.node.count("requests_received")).isEqualTo(1);
    }

    /** Any packet will do: one in the middle, or one sent again. */
    @Test
    void anyPacketOfARequestCreatesItsRpc() {
        rig.caller.data(1000, 10_000).at(2800).bytes(1400).retransmit().go();
        assertThat(rig.info(1001).receiveRemaining()).isEqualTo(8600);
        assertThat(rig.info(1001).gapBytes()).isEqualTo(2800);
    }

    @Test
    @Pins("P-066")
    void dataAreAddedToTheExistingRpc() {
        rig.caller.data(1000, 10_000).bytes(1400).go();
        assertThat(rig.info(1001).receiveRemaining()).isEqualTo(8600);
        rig.caller.data(1000, 10_000).at(1400).bytes(1400).go();
        assertThat(rig.info(1001).receiveRemaining()).isEqualTo(7200);
        assertThat(rig.node.engine.rpcCount()).isEqualTo(1);
    }

    @Test
    @Pins("P-086")
    void sameSourceAndIdAreTheSameRpc() {
        rig.caller.data(1000, 10_000).bytes(1400).go();
        rig.caller.data(1000, 10_000).at(1400).bytes(1400).go();
        assertThat(rig.infos(rig.server)).hasSize(1);
        rig.caller.data(1002, 10_000).bytes(1400).go();
        assertThat(rig.infos(rig.server)).extracting(RpcInfo::id).containsExactly(1001L, 1003L);
        rig.caller("10.0.0.3").data(1000, 10_000).bytes(1400).go();
        assertThat(rig.infos(rig.server)).extracting(RpcInfo::id).containsExactly(1001L, 1003L, 1001L);
    }

    @Test
    @Pins("P-075")
    void serverRpcsAreFoundAmongMany() {
        Injector other = rig.caller("10.0.0.3");
        for (long id = 2; id <= 4000; id += 2) {
            rig.node.receive(
                    rig.caller.data(id, 200).bytes(100).packet(),
                    other.data(id, 300).bytes(100).packet());
        }
        rig.node.send();
        for (long id = 4000; id >= 2; id -= 18) {
            other.data(id, 300).at(100).bytes(200).go();
            Received request = rig.node.take(rig.server);
            assertThat(request.id()).isEqualTo(id + 1);
            assertThat(request.peerLo()).isEqualTo(other.lo);
            assertThat(request.bytes()).isEqualTo(Node.message(300));
        }
        rig.node.receive(rig.caller("10.0.0.4").resend(2, 0, -1, 0), rig.caller.resend(5000, 0, -1, 0));
        assertThat(rig.node.sends()).isEqualTo("RPC_UNKNOWN, RPC_UNKNOWN");
    }

    @Test
    @Pins("P-065")
    void requestThatCannotBeTakenIsDroppedSilently() {
        config.maxServerRpcs = 2;
        rig = new Rig(config);
        rig.caller.data(1000, 100).go();
        rig.caller.data(1002, 100).go();
        rig.caller.data(1004, 100).go();
        assertThat(rig.infos(rig.server)).extracting(RpcInfo::id).containsExactly(1001L, 1003L);
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.node.portUnreachable).containsExactly(false);
        assertThat(rig.node.count("rpc_table_full")).isEqualTo(1);
        // Nothing is left of it: later there is room.
        rig.node.engine.dismiss(rig.node.take(rig.server).handle(), rig.node.nowNs);
        rig.caller.data(1004, 100).go();
        assertThat(rig.exists(1005)).isTrue();
    }

    @Test
    @Pins({"P-068"})
    void grantForAnUnknownServerRpcIsNoAnomaly() {
        rig.node.receive(rig.caller.grant(1000, 5000, 0));
        assertThat(rig.node.count("unknown_rpcs")).isZero();
        rig.node.receive(rig.peer.grant(1001, 5000, 0));
        assertThat(rig.node.count("unknown_rpcs")).isEqualTo(1);
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.node.engine.rpcCount()).isZero();
    }

    @Test
    @Pins({"P-071", "P-257", "S-385"})
    void unknownTypeForAKnownRpcIsDropped() {
        rig.caller.data(1000, 10_000).bytes(1400).go();
        RpcInfo before = rig.info(1001);
        rig.node.receive(rig.caller.raw(0x19, 1000, 100), rig.caller.raw(0x0F, 1000, 100));
        assertThat(rig.info(1001)).isEqualTo(before);
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.node.count("unknown_packet_types")).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x10, 0x11, 0x13, 0x14, 0x15, 0x17, 0x18})
    @Pins({"P-256", "S-384"})
    void packetOneByteTooShortIsDropped(int type) {
        rig.answered(1000, 20_000);
        RpcInfo before = rig.info(1001);
        long shortBefore = rig.node.count("short_packets");
        rig.node.receive(rig.caller.raw(type, 1000, io.homa4j.wire.PacketType.minLength(type) - 1));
        assertThat(rig.node.count("short_packets")).isEqualTo(shortBefore + 1);
        assertThat(rig.info(1001)).isEqualTo(before);
        assertThat(rig.node.sends()).isEmpty();
    }

    @Test
    void freezeIsDropped() {
        rig.node.receive(rig.caller.freeze());
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.node.portUnreachable).containsExactly(false);
        assertThat(rig.node.count("freezes")).isEqualTo(1);
    }

    // ---- service

    @Test
    @Pins({"P-266", "S-378"})
    void receivedRequestIsInServiceAndQueuesNoAck() {
        rig.caller.data(1000, 100).go();
        assertThat(rig.info(1001).isReady()).isTrue();
        Received request = rig.node.take(rig.server);
        assertThat(request.isRequest()).isTrue();
        assertThat(request.id()).isEqualTo(1001);
        assertThat(request.attachment()).isNull();
        assertThat(request.bytes()).isEqualTo(Node.message(100));
        assertThat(request.peerPort()).isEqualTo(Rig.CALLER_PORT);
        assertThat(rig.socket(rig.server).inService()).isEqualTo(1);
        assertThat(rig.info(1001).isReady()).isFalse();
        rig.request(100);
        assertThat(rig.node.send().getFirst().data().ackClientId()).isZero();
    }

    @Test
    @Pins("S-359")
    void replyMovesTheRpcToSending() {
        Received request = rig.serve(1000, 100);
        assertThat(rig.node.reply(request, 20_000)).isZero();
        assertThat(rig.info(1001).sendLength()).isEqualTo(20_000);
        List<Sent> sent = rig.node.send();
        assertThat(sent).hasSize(8).allMatch(packet -> packet.id() == 1001);
        assertThat(sent.getFirst().packet().common().targetPort()).isEqualTo(Rig.CALLER_PORT);
        // Only a sending RPC takes GRANTs.
        rig.node.receive(rig.caller.grant(1000, 11_000, 0));
        assertThat(rig.node.sends()).isEqualTo("DATA 1400@10000");
    }

    @Test
    @Pins("S-360")
    void responseIsCounted() {
        rig.answered(1000, 200);
        assertThat(rig.node.count("server_responses_started")).isEqualTo(1);
        assertThat(rig.node.count("server_response_bytes_started")).isEqualTo(200);
        assertThat(rig.node.count("server_responses_done")).isEqualTo(1);
        assertThat(rig.node.count("server_response_bytes_done")).isEqualTo(200);
    }

    @Test
    @Pins({"P-268", "S-354", "S-355"})
    void replyToAnRpcThatIsGoneHasNoEffect() {
        Received request = rig.serve(1000, 100);
        rig.node.engine.unreachable(rig.caller.hi, rig.caller.lo, 0, Status.HOST_UNREACHABLE, rig.node.nowNs);
        assertThat(Status.of(rig.node.reply(request, 100))).isEqualTo(Status.UNKNOWN_RPC);
        assertThat(rig.node.sends()).isEmpty();
        rig.node.send();
        assertThat(rig.node.events).doesNotContain("RELEASED r100");
        assertThat(rig.socket(rig.server).outgoingBytes()).isZero();
        // The object may have a new tenant by now; the old handle never means it.
        rig.serve(1002, 100);
        assertThat(Status.of(rig.node.reply(request, 100))).isEqualTo(Status.UNKNOWN_RPC);
    }

    @Test
    @Pins({"P-269", "S-356"})
    void replyInAWrongStateFailsAndHarmsNothing() {
        Received request = rig.serve(1000, 100);
        assertThat(rig.node.reply(request, 5000)).isZero();
        assertThat(Status.of(rig.node.reply(request, 100))).isEqualTo(Status.WRONG_STATE);
        assertThat(rig.node.sends()).isEqualTo("DATA 1400@0, DATA 1400@1400, DATA 1400@2800, DATA 800@4200");
        assertThat(rig.info(1001).sendLength()).isEqualTo(5000);
    }

    /** Arguments are checked before any state changes: in the module the RPC would be gone and run again (D-7). */
    @Test
    @Pins({"P-270", "S-357"})
    void replyOfAWrongLengthFailsAndMayBeRepeated() {
        Received request = rig.serve(1000, 100);
        assertThat(Status.of(rig.node.reply(request, 1_000_001))).isEqualTo(Status.INVALID_LENGTH);
        assertThat(Status.of(rig.node.reply(request, 0))).isEqualTo(Status.INVALID_LENGTH);
        assertThat(rig.node.reply(request, 100)).isZero();
        assertThat(rig.node.sends()).isEqualTo("DATA 100@0");
    }

    @Test
    @Pins({"P-165", "S-379"})
    void failedServerRpcEndsSilently() {
        rig.caller.data(1000, 100).go();
        rig.node.engine.unreachable(rig.caller.hi, rig.caller.lo, 0, Status.HOST_UNREACHABLE, rig.node.nowNs);
        assertThat(rig.exists(1001)).isFalse();
        assertThat(rig.node.poll(rig.server)).isNull();
        assertThat(rig.socket(rig.server).freeReceiveBytes())
                .isEqualTo(rig.socket(rig.server).receiveRegionBytes());
        assertThat(rig.node.sends()).isEmpty();
    }

    @Test
    void dismissedRequestEndsAndItsClientStartsAgainOrGivesUp() {
        Received request = rig.serve(1000, 100);
        assertThat(rig.node.engine.dismiss(request.handle(), rig.node.nowNs)).isZero();
        assertThat(rig.exists(1001)).isFalse();
        rig.node.receive(rig.caller.resend(1000, 0, -1, 0));
        assertThat(rig.node.sends()).isEqualTo("RPC_UNKNOWN");
        assertThat(Status.of(rig.node.engine.dismiss(request.handle(), rig.node.nowNs)))
                .isEqualTo(Status.UNKNOWN_RPC);
    }

    // ---- at most once (design 6)

    @Test
    void lateCopyOfAFinishedRequestIsNotRunAgain() {
        Rig own = new Rig(Rig.ownConfig());
        own.answered(1000, 100);
        own.node.receive(own.caller.ack(1000));
        own.caller.data(1000, 100).go();
        assertThat(own.exists(1001)).isFalse();
        assertThat(own.node.poll(own.server)).isNull();
        assertThat(own.node.count("duplicate_requests")).isEqualTo(1);
        own.node.receive(own.caller.resend(1000, 0, -1, 0));
        assertThat(own.node.sends()).isEqualTo("RPC_UNKNOWN");
        // D-6: the module has no such memory.
        rig.answered(1000, 100);
        rig.node.receive(rig.caller.ack(1000));
        rig.caller.data(1000, 100).go();
        assertThat(rig.node.poll(rig.server)).isNotNull();
    }

    /** Beyond the limit complete requests wait, and responses still come through (design 6, bounds). */
    @Test
    void requestsInServiceAreBounded() {
        config.maxInService = 2;
        rig = new Rig(config);
        Received first = rig.serve(1000, 100);
        rig.serve(1002, 100);
        rig.caller.data(1004, 100).go();
        assertThat(rig.node.poll(rig.server)).isNull();
        rig.node.events.clear();
        rig.node.reply(first, 100);
        rig.node.send();
        assertThat(rig.node.events).containsExactly("READABLE " + rig.server);
        assertThat(rig.node.take(rig.server).id()).isEqualTo(1005);
    }
}
