package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.List;
import org.junit.jupiter.api.Test;

/** First transmission of a message: cutting, what may be sent when, and the levels (spec protocol 2.10, 5.1 to 5.4). */
class TransmissionTest {
    private final Config config = Rig.config();

    @Test
    @Pins("P-012")
    void singlePacketCarriesOffsetLengthAndUnscheduledBytes() {
        Rig rig = new Rig(config);
        rig.request(1234);
        Sent packet = rig.node.send().getFirst();
        assertThat(packet.word()).isEqualTo("DATA 1234@0");
        assertThat(packet.data().messageLength()).isEqualTo(1234);
        assertThat(packet.data().incoming()).isEqualTo(1234);
        assertThat(packet.data().common().doff()).isEqualTo(0xE0);

        config.unschedBytes = 500;
        rig = new Rig(config);
        rig.request(1234);
        packet = rig.node.send().getFirst();
        assertThat(packet.word()).isEqualTo("DATA 500@0");
        assertThat(packet.data().incoming()).isEqualTo(500);
    }

    @Test
    @Pins("P-013")
    void messageIsCutIntoFullPacketsAndARest() {
        Rig rig = new Rig(config);
        long id = rig.request(3000);
        List<Sent> sent = rig.node.send();
        assertThat(Node.words(sent)).isEqualTo("DATA 1400@0, DATA 1400@1400, DATA 200@2800");
        assertThat(sent).allMatch(packet -> packet.data().incoming() == 3000);
        assertThat(rig.info(id).sendGranted()).isEqualTo(3000);
        for (Sent packet : sent) {
            byte[] bytes = packet.data().data().toArray();
            for (int i = 0; i < bytes.length; i++) {
                assertThat(bytes[i]).isEqualTo(Node.messageByte(packet.data().offset() + i));
            }
        }
    }

    @Test
    @Pins("P-014")
    void emptyMessageIsRefused() {
        Rig rig = new Rig(config);
        assertThat(Status.of(rig.node.request(rig.client, rig.peer.peered(), 0)))
                .isEqualTo(Status.INVALID_LENGTH);
        assertThat(rig.node.engine.rpcCount()).isZero();
    }

    @Test
    @Pins({"P-015", "S-349"})
    void messageAboveTheMaximumIsRefusedAndHoldsNothing() {
        Rig rig = new Rig(config);
        assertThat(Status.of(rig.node.request(rig.client, rig.peer.peered(), 1_000_001)))
                .isEqualTo(Status.INVALID_LENGTH);
        assertThat(rig.node.engine.rpcCount()).isZero();
        assertThat(rig.socket(rig.client).outgoingBytes()).isZero();
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.node.request(rig.client, rig.peer.peered(), 1_000_000)).isPositive();
    }

    @Test
    @Pins("P-016")
    void mtuMustLeaveRoomForData() {
        config.mtu = 20 + 56;
        Rig rig = new Rig(config);
        assertThat(Status.of(rig.node.request(rig.client, rig.peer.peered(), 10)))
                .isEqualTo(Status.MTU_TOO_SMALL);
        config.mtu++;
        rig = new Rig(config);
        rig.request(2);
        assertThat(rig.node.sends()).isEqualTo("DATA 1@0, DATA 1@1");
    }

    /** IP headers are those of the peer's address family (spec protocol 2.10). */
    @Test
    @Pins("S-255")
    void packetsToIpv6PeersAreTwentyBytesShorter() {
        config.mtu = 1500;
        Rig rig = new Rig(config);
        rig.node.request(rig.client, rig.peer.peered(), 2000);
        assertThat(rig.node.sends()).isEqualTo("DATA 1424@0, DATA 576@1424");
        rig.node.request(rig.client, rig.peer("fd00::2").peered(), 2000);
        assertThat(rig.node.sends()).isEqualTo("DATA 1404@0, DATA 596@1404");
    }

    @Test
    @Pins("P-010")
    void cutoffVersionIsReadWhenThePacketLeaves() {
        Rig rig = new Rig(config);
        long id = rig.request(3000);
        assertThat(rig.node.send(1).getFirst().data().cutoffVersion()).isZero();
        rig.node.receive(rig.peer.cutoffs(id ^ 1, 77, 0, 0, 0, 0, 1_000_000, 15_000, 2_800, 200));
        assertThat(rig.node.send()).hasSize(2).allMatch(packet -> packet.data().cutoffVersion() == 77);
    }

    @Test
    @Pins("P-011")
    void waitingAckRidesOnANewMessage() {
        Rig rig = new Rig(config);
        long acknowledged = rig.call(100);
        rig.request(3000);
        List<Sent> sent = rig.node.send();
        assertThat(sent).hasSize(3);
        assertThat(sent.getFirst().data().ackClientId()).isEqualTo(acknowledged);
        assertThat(sent.getFirst().data().ackServerPort()).isEqualTo(Rig.SERVER_PORT);
        assertThat(sent.subList(1, 3)).allMatch(packet -> packet.data().ackClientId() == 0);
        rig.request(100);
        assertThat(rig.node.send().getFirst().data().ackClientId()).isZero();
    }

    @Test
    @Pins("P-028")
    void unscheduledPartLeavesAtOnceAndTheRestWaitsForGrants() {
        Rig rig = new Rig(config);
        long id = rig.request(20_000);
        List<Sent> sent = rig.node.send();
        assertThat(sent).hasSize(8);
        assertThat(sent.getLast().word()).isEqualTo("DATA 200@9800");
        assertThat(sent).allMatch(packet -> packet.data().incoming() == 10_000);
        assertThat(rig.info(id).sendGranted()).isEqualTo(10_000);
        rig.node.ticks(3);
        assertThat(rig.node.sends()).isEmpty();
    }

    @Test
    @Pins("P-029")
    void packetsStartBelowGrantedAtTheLevelOfTheirPart() {
        config.unschedBytes = 2800;
        Rig rig = new Rig(config);
        long id = rig.request(20_000);
        List<Sent> sent = rig.node.send();
        assertThat(Node.words(sent)).isEqualTo("DATA 1400@0, DATA 1400@1400");
        assertThat(sent).allMatch(packet -> packet.level() == 6);
        rig.node.receive(rig.peer.grant(id ^ 1, 5000, 2));
        sent = rig.node.send();
        assertThat(Node.words(sent)).isEqualTo("DATA 1400@2800, DATA 1400@4200");
        assertThat(sent).allMatch(packet -> packet.level() == 2);
        assertThat(rig.info(id).sentBytes()).isEqualTo(5600);
    }

    @Test
    @Pins("P-030")
    void thousandGrantedBytesReleaseOneFullPacket() {
        config.unschedBytes = 0;
        Rig rig = new Rig(config);
        long id = rig.request(10_000);
        assertThat(rig.node.sends()).isEmpty();
        rig.node.receive(rig.peer.grant(id ^ 1, 1000, 0));
        assertThat(rig.node.sends()).isEqualTo("DATA 1400@0");
        assertThat(rig.node.sends()).isEmpty();
    }

    /** A link on which each packet takes more than a millisecond, so that the second one is held back. */
    private Rig slow() {
        config.linkMbps = 10;
        return new Rig(config);
    }

    @Test
    @Pins("P-033")
    void backlogStopsSendingAndKeepsThePosition() {
        Rig rig = slow();
        long id = rig.request(5000);
        assertThat(rig.node.sends()).isEqualTo("DATA 1400@0");
        assertThat(rig.info(id).sentBytes()).isEqualTo(1400);
        long dueNs = rig.node.engine.nextDeadlineNs(rig.node.nowNs);
        assertThat(dueNs).isGreaterThan(rig.node.nowNs);
        assertThat(Node.words(rig.node.pass(dueNs - rig.node.nowNs))).isEqualTo("DATA 1400@1400");
    }

    @Test
    @Pins("P-031")
    void shortRestIsSentInSpiteOfABacklog() {
        Rig rig = slow();
        rig.requestSent(5000);
        rig.request(config.deferMinBytes + 1);
        assertThat(rig.node.sends()).isEmpty();
        rig.request(config.deferMinBytes);
        assertThat(rig.node.sends()).isEqualTo("DATA 1000@0");
    }

    @Test
    @Pins("P-032")
    void repeatIsForcedThroughABacklogAndTheRestWaits() {
        Rig rig = slow();
        long id = rig.requestSent(5000);
        rig.node.receive(rig.peer.resend(id ^ 1, 0, 1000, 5));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1400@0");
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.info(id).sentBytes()).isEqualTo(1400);
    }

    @Test
    @Pins("P-034")
    void endedRpcStopsBetweenTwoPackets() {
        Rig rig = new Rig(config);
        long id = rig.request(5000);
        assertThat(rig.node.send(2)).hasSize(2);
        assertThat(rig.node.engine.forget(id, rig.node.nowNs)).isZero();
        assertThat(rig.node.sends()).isEmpty();
    }

    @Test
    @Pins({"P-035", "S-179"})
    void sentBytesEndWhereThePacerHolds() {
        Rig rig = slow();
        long id = rig.request(5000);
        assertThat(rig.info(id).sentBytes()).isZero();
        rig.node.send();
        rig.node.receive(rig.peer.resend(id ^ 1, 0, -1, 5));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1400@0");
        rig.node.receive(rig.peer.resend(id ^ 1, 1400, 1400, 5));
        assertThat(rig.node.sends()).isEqualTo("BUSY");
    }

    @Test
    @Pins("P-242")
    void unscheduledLevelFollowsThePeersTable() {
        Rig rig = new Rig(config);
        rig.node.receive(rig.peer.cutoffs(1, 1, 0, 0, 0, Integer.MAX_VALUE, 200, 100, 0, 0));
        int[][] cases = {{10, 5}, {100, 5}, {200, 4}, {201, 3}, {1_000_000, 3}};
        for (int[] lengthAndLevel : cases) {
            rig.request(lengthAndLevel[0]);
            assertThat(rig.node.send().getFirst().level())
                    .as("length %d", lengthAndLevel[0])
                    .isEqualTo(lengthAndLevel[1]);
        }
    }

    /** D-12: with so few levels no entry of the initial table matches. */
    @Test
    void fewLevelsNeverRunOffTheTable() {
        for (int levels = 1; levels <= 6; levels++) {
            config.numPriorities = levels;
            Rig rig = new Rig(config);
            rig.request(100);
            assertThat(rig.node.send().getFirst().level()).isBetween(0, levels - 1);
        }
    }
}
