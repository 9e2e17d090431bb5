package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import io.homa4j.wire.AckPacket;
import io.homa4j.wire.PacketType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Acknowledgements: the client's buffer of five, NEED_ACK, and what acks end at the server (spec protocol 6.5). */
class AcksTest {
    private final Config config = Rig.config();
    private final Rig rig = new Rig(config);

    // ---- NEED_ACK

    @Test
    @Pins("P-129")
    void needAckForACompleteResponseDrawsAck() {
        long id = rig.requestSent(100);
        rig.respond(id, 100);
        rig.node.receive(rig.peer.needAck(id ^ 1));
        List<Sent> sent = rig.node.send();
        assertThat(Node.words(sent)).isEqualTo("ACK 2");
        assertThat(sent.getFirst().packet().common().sourcePort()).isEqualTo(rig.node.engine.port(rig.client));
        assertThat(sent.getFirst().packet().common().targetPort()).isEqualTo(Rig.SERVER_PORT);
        // The application has not fetched it yet; it stays deliverable.
        assertThat(rig.node.take(rig.client).status()).isEqualTo(Status.OK);
    }

    @Test
    @Pins("P-130")
    void needAckForAnIncompleteResponseDrawsResend() {
        config.maxIncoming = 0;
        Rig here = new Rig(config);
        long id = here.requestSent(100);
        here.peer.data(id ^ 1, 5000).bytes(1400).incoming(3000).go();
        here.node.receive(here.peer.needAck(id ^ 1));
        assertThat(here.node.sends()).isEqualTo("RESEND 1400 1600 p7");
    }

    @Test
    @Pins("P-131")
    void needAckBeforeAnyResponseDrawsResendOfAll() {
        long id = rig.requestSent(100);
        rig.node.receive(rig.peer.needAck(id ^ 1));
        assertThat(rig.node.sends()).isEqualTo("RESEND 0 -1 p7");
    }

    @Test
    @Pins("P-132")
    void needAckForAnUnknownRpcDrawsAckWithWaitingAcks() {
        long first = rig.call(100);
        long second = rig.requestSent(100);
        long third = rig.requestSent(100);
        rig.respond(third, 100);
        rig.node.take(rig.client);
        rig.respond(second, 100);
        rig.node.take(rig.client);
        // The first ack has ridden on the second request; the others leave in the order of the fetches.
        assertThat(first).isEqualTo(2);
        rig.node.receive(rig.peer.needAck(101));
        assertThat(rig.node.sends()).isEqualTo("ACK 100 [%d:99 %d:99]".formatted(third, second));
        rig.node.receive(rig.peer.needAck(101));
        assertThat(rig.node.sends()).isEqualTo("ACK 100");
        rig.node.receive(rig.peer("10.0.0.9").needAck(101));
        assertThat(rig.node.sends()).isEqualTo("ACK 100");
    }

    @Test
    void needAckToAServerInServiceIsIgnored() {
        rig.serve(1000, 100);
        rig.node.receive(rig.caller.needAck(1000));
        assertThat(rig.node.sends()).isEmpty();
    }

    // ---- what an ACK ends

    @Test
    @Pins("P-133")
    void ackEndsTheRpcOfItsHeader() {
        Received request = rig.serve(1000, 100);
        rig.node.receive(rig.caller.ack(1000));
        assertThat(rig.exists(1001)).isFalse();
        assertThat(Status.of(rig.node.reply(request, 10))).isEqualTo(Status.UNKNOWN_RPC);
    }

    @Test
    @Pins({"P-134", "P-138"})
    void slotsEndTheirRpcsToo() {
        for (long id = 1000; id <= 1006; id += 2) {
            rig.answered(id, 100);
        }
        rig.node.receive(rig.caller.ack(1000, 1002, 1004));
        assertThat(rig.exists(1001)).isFalse();
        assertThat(rig.exists(1003)).isFalse();
        assertThat(rig.exists(1005)).isFalse();
        assertThat(rig.exists(1007)).isTrue();
    }

    @Test
    @Pins("P-135")
    void sixthSlotIsNotRead() {
        for (long id = 1000; id <= 1012; id += 2) {
            rig.answered(id, 100);
        }
        Datagram ack = rig.caller.ack(1000, 1002, 1004, 1006, 1008, 1010);
        byte[] longer = java.util.Arrays.copyOf(ack.bytes(), 90);
        MemorySegment packet = MemorySegment.ofArray(longer);
        packet.set(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN), 28, (short) 6);
        packet.set(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN), 80, 1012);
        packet.set(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN), 88, (short) Rig.SERVER_PORT);
        rig.node.receive(rig.caller.datagram(longer));
        assertThat(rig.infos(rig.server)).extracting(RpcInfo::id).containsExactly(1013L);
    }

    @Test
    @Pins({"P-136", "P-141"})
    void slotsCountAlthoughTheHeaderIsUnknown() {
        rig.answered(1000, 100);
        rig.answered(1002, 100);
        rig.node.receive(rig.caller.ack(5000, 6000, 1000, 7000, 1002));
        assertThat(rig.infos(rig.server)).isEmpty();
    }

    @Test
    @Pins("P-137")
    void severalAcksInOneBatchAreAllProcessed() {
        List<Datagram> acks = new ArrayList<>();
        for (long id = 1000; id <= 1008; id += 2) {
            rig.answered(id, 100);
            acks.add(rig.caller.ack(id));
        }
        rig.node.receive(acks);
        assertThat(rig.infos(rig.server)).isEmpty();
    }

    @Test
    @Pins("P-139")
    void ackReachesTheSocketOfItsPort() {
        int other = rig.node.server(98);
        Injector toOther = new Injector(rig.node, "10.0.0.2", Rig.CALLER_PORT, 98);
        rig.node.receive(toOther.data(1000, 100).packet());
        rig.node.take(other);
        assertThat(rig.infos(other)).hasSize(1);
        // Over the socket of port 99, with a slot for port 98.
        Datagram ack = rig.caller.ack(5000, 1000);
        MemorySegment.ofArray(ack.bytes())
                .set(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN), 38, (short) 98);
        rig.node.receive(ack);
        assertThat(rig.infos(other)).isEmpty();
    }

    @Test
    @Pins("P-140")
    void acksForUnknownPortsAreSkipped() {
        rig.answered(1000, 100);
        rig.answered(1002, 100);
        Datagram ack = rig.caller.ack(5000, 1000, 1002);
        MemorySegment.ofArray(ack.bytes())
                .set(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN), 38, (short) 5);
        rig.node.receive(ack);
        assertThat(rig.infos(rig.server)).extracting(RpcInfo::id).containsExactly(1001L);
    }

    @Test
    void acksOfAnotherHostEndNothing() {
        rig.answered(1000, 100);
        rig.node.receive(rig.caller("10.0.0.3").ack(1000, 1000));
        assertThat(rig.exists(1001)).isTrue();
        // Odd ids in slots are no client ids, and 0 is an empty slot (capture 22a).
        rig.node.receive(rig.caller.ack(5000, 1001, 0));
        assertThat(rig.exists(1001)).isTrue();
    }

    /** D-8: outside profile module a stray ACK cannot make a client RPC vanish. */
    @Test
    void ackEndsAClientRpcOnlyInProfileModule() {
        long id = rig.requestSent(100);
        rig.node.receive(rig.peer.ack(id ^ 1));
        assertThat(rig.exists(id)).isFalse();
        config.moduleProfile = false;
        Rig here = new Rig(config);
        id = here.requestSent(100);
        here.node.receive(here.peer.ack(id ^ 1));
        assertThat(here.exists(id)).isTrue();
    }

    // ---- the client's buffer

    @Test
    @Pins({"P-142", "P-265", "S-377"})
    void sixthFinishedRpcEmptiesTheBuffer() {
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            ids.add(rig.requestSent(100));
        }
        for (int i = 0; i < 5; i++) {
            rig.respond(ids.get(i), 100);
            rig.node.take(rig.client);
            assertThat(rig.node.sends()).isEmpty();
            assertThat(rig.exists(ids.get(i))).isFalse();
        }
        rig.respond(ids.get(5), 100);
        rig.node.take(rig.client);
        List<Sent> sent = rig.node.send();
        assertThat(Node.words(sent)).isEqualTo("ACK 12 [2:99 4:99 6:99 8:99 10:99]");
        assertThat(sent.getFirst().packet().length()).isEqualTo(80);
        assertThat(sent.getFirst().packet().common().type()).isEqualTo(PacketType.ACK);
        rig.node.receive(rig.peer.needAck(101));
        assertThat(((AckPacket) rig.node.send().getFirst().packet()).count()).isZero();
    }

    @Test
    @Pins("P-143")
    void newestAckRidesFirst() {
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            ids.add(rig.requestSent(100));
        }
        for (long id : ids) {
            rig.respond(id, 100);
            rig.node.take(rig.client);
        }
        List<Long> ridden = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            rig.request(100);
            ridden.add(rig.node.send().getFirst().data().ackClientId());
        }
        assertThat(ridden).containsExactly(6L, 4L, 2L, 0L);
    }

    @Test
    void failedRpcLeavesNoAck() {
        long id = rig.requestSent(100);
        rig.node.engine.abort(id, Status.ABORTED, 5, rig.node.nowNs);
        assertThat(rig.node.take(rig.client).status()).isEqualTo(Status.ABORTED);
        rig.request(100);
        assertThat(rig.node.send().getFirst().data().ackClientId()).isZero();
    }

    /** The module has no timer for acks; homa4j sends them itself before the server asks (design 6). */
    @Test
    void oldAcksLeaveByThemselvesOutsideProfileModule() {
        config.ackDelayTicks = 1;
        Rig here = new Rig(config);
        here.call(100);
        here.requestSent(100);
        here.respond(4, 100);
        here.node.take(here.client);
        assertThat(here.node.sends()).isEmpty();
        assertThat(Node.words(here.node.ticks(2))).isEqualTo("ACK 4");
        assertThat(here.node.ticks(20)).isEmpty();
    }
}
