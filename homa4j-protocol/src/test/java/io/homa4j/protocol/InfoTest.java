package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import org.junit.jupiter.api.Test;

/** The state of sockets and RPCs as reported to the application (spec api 10). */
class InfoTest {
    private final Config config = Rig.config();
    private final Rig rig = new Rig(config);

    @Test
    @Pins("P-210")
    void reportsIdentityLengthsAndProgress() {
        Object cookie = new Object();
        config.maxIncoming = 0;
        Rig here = new Rig(config);
        long id = here.node.request(here.client, here.peer.peered(), 1000, false, cookie);
        here.node.send();
        here.peer.data(id ^ 1, 20_000).bytes(1400).incoming(10_000).go();
        RpcInfo info = here.info(id);
        assertThat(info.id()).isEqualTo(2);
        assertThat(info.peerHi()).isEqualTo(here.peer.hi);
        assertThat(info.peerLo()).isEqualTo(here.peer.lo);
        assertThat(info.peerPort()).isEqualTo(Rig.SERVER_PORT);
        assertThat(info.attachment()).isSameAs(cookie);
        assertThat(info.sendLength()).isEqualTo(1000);
        assertThat(info.sentBytes()).isEqualTo(1000);
        assertThat(info.sendGranted()).isEqualTo(1000);
        assertThat(info.receiveLength()).isEqualTo(20_000);
        assertThat(info.receiveRemaining()).isEqualTo(18_600);
        assertThat(info.receiveGranted()).isEqualTo(10_000);
    }

    @Test
    @Pins("P-211")
    void ipv4AddressIsReportedAsIpv4() {
        long id = rig.requestSent(100);
        RpcInfo info = rig.info(id);
        assertThat(Address.isIpv4(info.peerHi(), info.peerLo())).isTrue();
        assertThat(Address.bytes(info.peerHi(), info.peerLo())).containsExactly(10, 0, 0, 2);
        long other = rig.node.request(rig.client, rig.peer("fd00::2").peered(), 100);
        info = rig.info(other);
        assertThat(Address.isIpv4(info.peerHi(), info.peerLo())).isFalse();
        assertThat(Address.bytes(info.peerHi(), info.peerLo())).hasSize(16);
    }

    @Test
    @Pins("P-212")
    void reportsOffsetGrantAndLevelOfAPartlySentMessage() {
        long id = rig.requestSent(30_000);
        assertThat(rig.info(id).sentBytes()).isEqualTo(10_000);
        assertThat(rig.info(id).sendLevel()).isZero();
        rig.node.receive(rig.peer.grant(id ^ 1, 15_000, 3));
        rig.node.send(2);
        RpcInfo info = rig.info(id);
        assertThat(info.sentBytes()).isEqualTo(12_800);
        assertThat(info.sendGranted()).isEqualTo(15_000);
        assertThat(info.sendLevel()).isEqualTo(3);
    }

    @Test
    @Pins("P-213")
    void responseNotSuppliedHasNoLength() {
        Received request = rig.serve(1000, 100);
        assertThat(rig.info(1001).sendLength()).isEqualTo(-1);
        rig.node.reply(request, 50);
        assertThat(rig.info(1001).sendLength()).isEqualTo(50);
    }

    @Test
    @Pins("P-214")
    void gapsAreCountedAndSummed() {
        rig.caller.data(1000, 10_000).at(1000).bytes(1000).go();
        rig.caller.data(1000, 10_000).at(5000).bytes(1000).go();
        assertThat(rig.info(1001).gaps()).isEqualTo(2);
        assertThat(rig.info(1001).gapBytes()).isEqualTo(4000);
    }

    @Test
    @Pins("P-215")
    void nothingReceivedHasNoLength() {
        long id = rig.requestSent(100);
        assertThat(rig.info(id).receiveLength()).isEqualTo(-1);
        assertThat(rig.info(id).receiveRemaining()).isZero();
    }

    @Test
    @Pins("P-216")
    void waitingForSpaceIsFlagged() {
        for (int i = 0; i < 4; i++) {
            rig.caller.data(10 + 2 * i, 1_000_000).bytes(1400).go();
            assertThat(rig.info(11 + 2 * i).waitsForSpace()).isFalse();
        }
        rig.caller.data(100, 10_000).bytes(1400).go();
        assertThat(rig.info(101).waitsForSpace()).isTrue();
        assertThat(rig.socket(rig.server).waitingForSpace()).isEqualTo(1);
    }

    @Test
    @Pins("P-217")
    void readyMeansComplete() {
        rig.caller.data(1000, 2000).bytes(1400).go();
        assertThat(rig.info(1001).isReady()).isFalse();
        rig.caller.data(1000, 2000).at(1400).bytes(600).go();
        assertThat(rig.info(1001).isReady()).isTrue();
        assertThat(rig.socket(rig.server).ready()).isEqualTo(1);
        rig.node.take(rig.server);
        assertThat(rig.info(1001).isReady()).isFalse();
    }

    @Test
    @Pins("P-218")
    void privateRpcsAreFlagged() {
        long shared = rig.requestSent(100);
        long mine = rig.node.request(rig.client, rig.peer.peered(), 100, true, null);
        assertThat(rig.info(shared).isPrivate()).isFalse();
        assertThat(rig.info(mine).isPrivate()).isTrue();
    }

    @Test
    @Pins({"S-309", "S-210", "S-250", "S-332"})
    void socketReportsItsPortAndFreeBytes() {
        SocketInfo info = rig.socket(rig.server);
        assertThat(info.port()).isEqualTo(Rig.SERVER_PORT);
        assertThat(info.receiveRegionBytes()).isEqualTo(4 << 20);
        assertThat(info.freeReceiveBytes()).isEqualTo(4 << 20);
        rig.caller.data(1000, 100_000).bytes(1400).go();
        assertThat(rig.socket(rig.server).freeReceiveBytes()).isEqualTo((4 << 20) - (128 << 10));
        rig.caller.data(1002, 256).bytes(10).go();
        assertThat(rig.socket(rig.server).freeReceiveBytes()).isEqualTo((4 << 20) - (128 << 10) - 256);
        int odd = rig.node.open(0, false, (3 << 20) + 255);
        assertThat(rig.socket(odd).receiveRegionBytes()).as("whole units only").isEqualTo(3 << 20);
    }

    @Test
    @Pins({"S-311", "S-312", "S-314"})
    void rpcsAreListedInOrderOfCreationWithoutEndedOnes() {
        assertThat(rig.socket(rig.server).rpcs()).isEmpty();
        for (long id : new long[] {1006, 1002, 1004}) {
            rig.caller.data(id, 10_000).bytes(1400).go();
        }
        assertThat(rig.socket(rig.server).rpcs()).extracting(RpcInfo::id).containsExactly(1007L, 1003L, 1005L);
        rig.node.receive(rig.caller.ack(1002));
        assertThat(rig.socket(rig.server).rpcs()).extracting(RpcInfo::id).containsExactly(1007L, 1005L);
        assertThat(rig.socket(rig.client).rpcs()).isEmpty();
    }

    @Test
    @Pins({"S-395", "S-397"})
    void readinessFollowsTheQueueOfSharedMessages() {
        rig.node.send();
        assertThat(rig.node.events).isEmpty();
        assertThat(rig.socket(rig.client).ready()).isZero();
        assertThat(rig.socket(rig.client).outgoingBytes()).isLessThan(config.wmemMax);
        long mine = rig.node.request(rig.client, rig.peer.peered(), 100, true, null);
        rig.respond(mine, 100);
        assertThat(rig.socket(rig.client).ready())
                .as("private ones never count")
                .isZero();
        long shared = rig.requestSent(100);
        rig.respond(shared, 100);
        assertThat(rig.socket(rig.client).ready()).isEqualTo(1);
        assertThat(rig.node.events).containsExactly("PRIVATE_READY " + mine, "READABLE " + rig.client);
    }

    @Test
    @Pins("S-398")
    void metricsHaveNameValueAndDescriptionInColumns() {
        rig.requestSent(200);
        String[] lines = rig.node.engine.counters().text().split("\n");
        assertThat(lines).hasSize(rig.node.engine.counters().count());
        for (String line : lines) {
            assertThat(line).matches("\\S+ +\\d+ \\S.*");
            assertThat(line.substring(31, 51)).as(line).matches(" *\\d+");
            assertThat(line.charAt(30)).isEqualTo(' ');
            assertThat(line.charAt(51)).isEqualTo(' ');
        }
        assertThat(lines)
                .anySatisfy(line ->
                        assertThat(line).startsWith("client_request_bytes_started   " + " ".repeat(17) + "200 "));
    }
}
