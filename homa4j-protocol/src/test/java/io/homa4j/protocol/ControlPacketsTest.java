package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import io.homa4j.wire.Common;
import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.PacketType;
import org.junit.jupiter.api.Test;

/** How control packets are addressed, marked and prioritised (spec protocol 2.1, 2.2). */
class ControlPacketsTest {
    private final Config config = Rig.config();

    @Test
    @Pins("P-001")
    void controlPacketsLeaveAtTheHighestLevelAsMapped() {
        config.priorityMap = new int[] {7, 6, 5, 4, 2, 1, 0, 3};
        Rig rig = new Rig(config);
        rig.node.receive(rig.caller.resend(1000, 0, -1, 0));
        assertThat(rig.node.send()).singleElement().satisfies(packet -> {
            assertThat(packet.word()).isEqualTo("RPC_UNKNOWN");
            assertThat(packet.level()).isEqualTo(3);
        });
        rig.request(100);
        assertThat(rig.node.send())
                .singleElement()
                .satisfies(packet ->
                        assertThat(packet.level()).as("DATA at level 6").isZero());
        config.numPriorities = 3;
        rig = new Rig(config);
        rig.node.receive(rig.caller.resend(1000, 0, -1, 0));
        assertThat(rig.node.send())
                .singleElement()
                .satisfies(packet -> assertThat(packet.level()).isEqualTo(5));
    }

    @Test
    @Pins("P-002")
    void serversControlPacketIsAddressedToItsClient() {
        Rig rig = new Rig(config);
        rig.serve(1000, 100);
        rig.node.receive(rig.caller.resend(1000, 0, -1, 0));
        Sent busy = rig.node.send().getFirst();
        assertThat(busy.word()).isEqualTo("BUSY");
        assertThat(busy.packet().common().sourcePort()).isEqualTo(Rig.SERVER_PORT);
        assertThat(busy.packet().common().targetPort()).isEqualTo(Rig.CALLER_PORT);
        assertThat(busy.id()).isEqualTo(1001);
        assertThat(busy.hi()).isEqualTo(rig.caller.hi);
        assertThat(busy.lo()).isEqualTo(rig.caller.lo);
    }

    @Test
    @Pins("P-003")
    void clientsControlPacketIsAddressedToItsServer() {
        Rig rig = new Rig(config);
        long id = rig.requestSent(100);
        rig.node.receive(rig.peer.needAck(id ^ 1));
        Sent resend = rig.node.send().getFirst();
        assertThat(resend.word()).isEqualTo("RESEND 0 -1 p7");
        assertThat(resend.packet().common().sourcePort()).isEqualTo(rig.node.engine.port(rig.client));
        assertThat(resend.packet().common().targetPort()).isEqualTo(Rig.SERVER_PORT);
        assertThat(resend.id()).isEqualTo(id);
    }

    /** No packet of the format is shorter than Ethernet's least payload, so there is nothing to pad. */
    @Test
    @Pins("P-004")
    void noPacketIsShortEnoughToBePadded() {
        for (int type = PacketType.DATA; type <= PacketType.ACK; type++) {
            assertThat(PacketType.minLength(type)).as(PacketType.name(type)).isGreaterThanOrEqualTo(26);
        }
        Rig rig = new Rig(config);
        rig.serve(1000, 100);
        rig.node.receive(rig.caller.resend(1000, 0, -1, 0));
        assertThat(rig.node.send().getFirst().packet().length()).isEqualTo(CommonHeader.LENGTH);
        rig.request(1);
        assertThat(rig.node.send().getFirst().packet().length()).isEqualTo(57);
    }

    @Test
    @Pins("P-009")
    void rpcUnknownMirrorsThePacketItAnswers() {
        Rig rig = new Rig(config);
        rig.node.receive(rig.caller.resend(99_990, 0, -1, 0));
        Common common = rig.node.send().getFirst().packet().common();
        assertThat(common.type()).isEqualTo(PacketType.RPC_UNKNOWN);
        assertThat(common.sourcePort()).isEqualTo(Rig.SERVER_PORT);
        assertThat(common.targetPort()).isEqualTo(Rig.CALLER_PORT);
        assertThat(common.senderId()).isEqualTo(99_991);
    }

    /** A multi-homed host answers from the address that was asked (design 6). */
    @Test
    void answersLeaveFromTheAddressThatWasAsked() {
        Rig rig = new Rig(config);
        long asked = Address.mappedLo(0x0A090909);
        rig.node.receive(to(asked, rig.caller.resend(1000, 0, -1, 0)));
        assertThat(rig.node.send())
                .singleElement()
                .satisfies(packet -> assertThat(packet.localLo()).isEqualTo(asked));
        rig.node.receive(to(asked, rig.caller.data(1002, 100).packet()));
        rig.node.reply(rig.node.take(rig.server), 100);
        assertThat(rig.node.send())
                .singleElement()
                .satisfies(packet -> assertThat(packet.localLo()).isEqualTo(asked));
    }

    private static Datagram to(long localLo, Datagram packet) {
        return new Datagram(packet.bytes(), packet.hi(), packet.lo(), packet.port(), 0, localLo, -1);
    }
}
