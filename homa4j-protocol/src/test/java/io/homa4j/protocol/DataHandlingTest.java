package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import io.homa4j.wire.CutoffsPacket;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a DATA packet does besides adding bytes: states, CUTOFFS, notification, acks (spec protocol 3.8). */
class DataHandlingTest {
    private final Config config = Rig.config();
    private Rig rig = new Rig(config);

    @Test
    @Pins({"P-067", "P-116"})
    void firstResponsePacketStartsReception() {
        long id = rig.requestSent(100);
        rig.peer.data(id ^ 1, 1600).bytes(1400).go();
        RpcInfo info = rig.info(id);
        assertThat(info.receiveRemaining()).isEqualTo(200);
        assertThat(info.receiveGranted()).isEqualTo(1600);
        // In INCOMING a GRANT means nothing any more.
        rig.node.receive(rig.peer.rpcUnknown(id ^ 1));
        assertThat(rig.node.sends()).isEmpty();
        rig.peer.data(id ^ 1, 1600).at(1400).bytes(200).go();
        assertThat(rig.node.take(rig.client).bytes()).isEqualTo(Node.message(1600));
    }

    @Test
    @Pins({"P-117", "P-187"})
    void dataForAnEndedClientRpcChangeNothing() {
        long id = rig.requestSent(100);
        rig.peer.data(id ^ 1, 1600).bytes(1400).go();
        rig.node.engine.forget(id, rig.node.nowNs);
        rig.node.send();
        rig.node.events.clear();
        rig.node.region(rig.client).fill((byte) 0x55);
        rig.peer.data(id ^ 1, 1600).at(1400).bytes(200).go();
        rig.peer.data(id ^ 1, 1600).go();
        assertThat(rig.exists(id)).isFalse();
        assertThat(rig.node.events).isEmpty();
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.node.poll(rig.client)).isNull();
        assertThat(rig.node.region(rig.client).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE))
                .containsOnly(0x55);
    }

    @Test
    @Pins("P-119")
    void dataForAServerThatIsAnsweringChangeNothing() {
        rig.answered(1000, 20_000);
        RpcInfo before = rig.info(1001);
        rig.caller.data(1000, 100).go();
        assertThat(rig.info(1001)).isEqualTo(before);
        assertThat(rig.node.poll(rig.server)).isNull();
        assertThat(rig.node.sends()).isEmpty();
    }

    @Test
    void dataForARequestInServiceChangeNothing() {
        Received request = rig.serve(1000, 100);
        rig.caller.data(1000, 100).go();
        assertThat(rig.node.poll(rig.server)).isNull();
        assertThat(rig.node.reply(request, 10)).isZero();
    }

    @Test
    @Pins({"P-092", "P-098", "P-120", "S-213", "S-223"})
    void withoutSpaceDataAreDroppedAndCounted() {
        rig.node.receive(rig.caller.message(10, 1_000_000, 8000));
        rig.node.receive(rig.caller.message(12, 1_000_000, 8000));
        rig.node.receive(rig.caller.message(14, 1_000_000, 8000));
        rig.node.receive(rig.caller.message(16, 1_000_000, 8000));
        rig.node.send();
        long dropped = rig.node.count("dropped_data_no_bufs");
        assertThat(dropped).isZero();
        long free = rig.socket(rig.server).freeReceiveBytes();
        rig.node.events.clear();
        rig.caller.data(18, 500_000).bytes(1400).incoming(10_000).go();
        assertThat(rig.node.count("dropped_data_no_bufs")).isEqualTo(1400);
        assertThat(rig.info(19).waitsForSpace()).isTrue();
        assertThat(rig.info(19).receiveLength()).isEqualTo(500_000);
        assertThat(rig.info(19).receiveRemaining()).isEqualTo(500_000);
        assertThat(rig.info(19).receiveGranted()).isEqualTo(10_000);
        assertThat(rig.socket(rig.server).freeReceiveBytes()).isEqualTo(free);
        rig.caller.data(18, 500_000).at(1400).bytes(1000).go();
        assertThat(rig.node.count("dropped_data_no_bufs")).isEqualTo(2400);
        assertThat(rig.node.events).isEmpty();
        assertThat(rig.node.sends()).isEmpty();
    }

    @Test
    @Pins("P-121")
    void staleCutoffVersionDrawsTheTableOncePerTick() {
        rig.caller.data(1000, 10_000).bytes(1400).cutoffVersion(0).go();
        List<Sent> sent = rig.node.send();
        assertThat(sent).hasSize(1);
        CutoffsPacket cutoffs = (CutoffsPacket) sent.getFirst().packet();
        assertThat(cutoffs.version()).isEqualTo(1);
        assertThat(cutoffs.cutoffs()).containsExactly(0, 0, 0, 0, 1_000_000, 15_000, 2_800, 200);
        assertThat(cutoffs.common().senderId()).isEqualTo(1001);
        rig.caller.data(1000, 10_000).at(1400).bytes(1400).cutoffVersion(0).go();
        rig.caller.data(1002, 10_000).bytes(1400).cutoffVersion(2).go();
        rig.node.nowNs += config.cutoffsGridNs - 1;
        rig.caller.data(1000, 10_000).at(2800).bytes(1400).cutoffVersion(0).go();
        assertThat(rig.node.sends()).isEmpty();
        rig.node.nowNs += 1;
        rig.caller.data(1000, 10_000).at(4200).bytes(1400).cutoffVersion(0).go();
        assertThat(rig.node.sends()).isEqualTo("CUTOFFS v1");
    }

    @Test
    @Pins("P-122")
    void matchingCutoffVersionDrawsNothing() {
        rig.caller.data(1000, 10_000).bytes(1400).cutoffVersion(1).go();
        assertThat(rig.node.sends()).isEmpty();
    }

    @Test
    @Pins("P-123")
    void packetOutsideTheMessageStoresNothing() {
        rig.caller.data(1000, 10_000).bytes(1400).go();
        RpcInfo before = rig.info(1001);
        rig.caller.data(1000, 10_000).at(10_000).bytes(1).go();
        rig.caller.data(1000, 10_000).at(1_000_000).bytes(1400).go();
        assertThat(rig.info(1001)).isEqualTo(before);
    }

    @Test
    @Pins({"P-091", "P-093", "P-124", "P-209"})
    void applicationIsToldOnceAndOnlyOfTheWholeMessage() {
        List<Datagram> packets = rig.caller.message(1000, 5000, 1400);
        for (int i = 0; i < 3; i++) {
            rig.node.receive(packets.get(i));
            assertThat(rig.node.events).isEmpty();
        }
        rig.node.receive(packets.get(3));
        rig.node.receive(packets);
        assertThat(rig.node.events).containsExactly("READABLE " + rig.server);
        assertThat(rig.socket(rig.server).ready()).isEqualTo(1);
        rig.node.take(rig.server);
        assertThat(rig.node.poll(rig.server)).isNull();
    }

    @Test
    @Pins("P-125")
    void piggybackedAckComesAfterTheData() {
        rig.answered(1000, 100);
        assertThat(rig.exists(1001)).isTrue();
        rig.caller.data(1002, 5000).bytes(1400).ack(1000, Rig.SERVER_PORT).go();
        assertThat(rig.exists(1001)).isFalse();
        assertThat(rig.info(1003).receiveRemaining()).isEqualTo(3600);
        // Its own RPC: the data count first, then it ends (capture 22a).
        rig.caller
                .data(1002, 5000)
                .at(1400)
                .bytes(1400)
                .ack(1002, Rig.SERVER_PORT)
                .go();
        assertThat(rig.exists(1003)).isFalse();
        assertThat(rig.node.count("packets_rcvd_DATA")).isEqualTo(3);
    }

    @Test
    void ackCountsThoughTheDataAreDropped() {
        rig.answered(1000, 100);
        rig.serve(1002, 100);
        rig.caller.data(1002, 100).ack(1000, Rig.SERVER_PORT).go();
        assertThat(rig.exists(1001)).isFalse();
        assertThat(rig.exists(1003)).isTrue();
    }

    @Test
    @Pins("P-126")
    void ackOnTheFirstPacketOfANewRpcCounts() {
        rig.answered(1000, 100);
        rig.caller.data(1002, 100).ack(1000, Rig.SERVER_PORT).go();
        assertThat(rig.exists(1001)).isFalse();
        assertThat(rig.node.take(rig.server).id()).isEqualTo(1003);
    }

    @Test
    void ackInAResponseCountsToo() {
        rig.answered(1000, 100);
        long id = rig.requestSent(100);
        rig.peer.data(id ^ 1, 100).ack(1000, Rig.SERVER_PORT).go();
        assertThat(rig.exists(1001)).isFalse();
    }

    // ---- CUTOFFS received

    @Test
    @Pins("P-127")
    void cutoffsForAnUnknownRpcApplyToTheSendingHost() {
        rig.node.receive(rig.peer.cutoffs(99_999, 7, 0, 0, 0, Integer.MAX_VALUE, 0, 0, 0, 50));
        rig.request(50);
        Sent packet = rig.node.send().getFirst();
        assertThat(packet.level()).isEqualTo(7);
        assertThat(packet.data().cutoffVersion()).isEqualTo(7);
        rig.node.request(rig.client, rig.peer("10.0.0.3").peered(), 50);
        packet = rig.node.send().getFirst();
        assertThat(packet.level()).isEqualTo(6);
        assertThat(packet.data().cutoffVersion()).isZero();
    }

    @Test
    @Pins("P-128")
    void entriesOneToSevenAndTheVersionAreStored() {
        rig.node.receive(rig.peer.cutoffs(1, 0xABCD, 999_999, 70, 60, 50, 40, 30, 20, 10));
        int[] lengths = {10, 20, 30, 40, 50, 60, 70, 71};
        for (int i = 0; i < lengths.length; i++) {
            rig.request(lengths[i]);
            Sent packet = rig.node.send().getFirst();
            assertThat(packet.level()).as("length %d", lengths[i]).isEqualTo(7 - i);
            assertThat(packet.data().cutoffVersion()).isEqualTo(0xABCD);
        }
        // Entry 0 covers everything, whatever was sent.
        rig.request(1_000_000);
        assertThat(rig.node.send().getFirst().level()).isZero();
    }
}
