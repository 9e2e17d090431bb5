package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import org.junit.jupiter.api.Test;

/** A client RPC from its request to its outcome (spec protocol 6.1, api 5 and 6). */
class ClientLifecycleTest {
    private final Config config = Rig.config();
    private final Rig rig = new Rig(config);

    @Test
    @Pins({"P-081", "S-351"})
    void requestGetsAnIdKeepsItsCookieAndLeavesAtOnce() {
        Object cookie = new Object();
        long id = rig.node.request(rig.client, rig.peer.peered(), 200, false, cookie);
        assertThat(id).isEqualTo(2);
        assertThat(Node.wordsWithIds(rig.node.send())).isEqualTo("2:DATA 200@0");
        assertThat(rig.node.request(rig.client, rig.peer.peered(), 200)).isEqualTo(4);
        assertThat(rig.info(id).attachment()).isSameAs(cookie);
        rig.respond(id, 50);
        assertThat(rig.node.take(rig.client).attachment()).isSameAs(cookie);
    }

    @Test
    @Pins("S-352")
    void requestIsCounted() {
        rig.requestSent(200);
        assertThat(rig.node.count("client_requests_started")).isEqualTo(1);
        assertThat(rig.node.count("client_request_bytes_started")).isEqualTo(200);
        assertThat(rig.node.count("client_requests_done")).isEqualTo(1);
        assertThat(rig.node.count("client_request_bytes_done")).isEqualTo(200);
    }

    @Test
    @Pins({"P-198", "S-374"})
    void responseIsDeliveredWithItsBytes() {
        long id = rig.requestSent(100);
        rig.node.receive(rig.peer.message(id ^ 1, 2000, 1400));
        Received response = rig.node.take(rig.client);
        assertThat(response.isRequest()).isFalse();
        assertThat(response.id()).isEqualTo(id);
        assertThat(response.status()).isEqualTo(Status.OK);
        assertThat(response.attachment()).isEqualTo("q100");
        assertThat(response.length()).isEqualTo(2000);
        assertThat(response.bytes()).isEqualTo(Node.message(2000));
        assertThat(Address.text(response.peerHi(), response.peerLo())).isEqualTo("10.0.0.2");
        assertThat(response.peerPort()).isEqualTo(Rig.SERVER_PORT);
        assertThat(rig.exists(id)).isFalse();
        assertThat(rig.node.count("client_responses_done")).isEqualTo(1);
    }

    @Test
    @Pins({"S-375", "P-240"})
    void responseOverIpv6IsTheApplicationsUntilReleased() {
        Injector peer = rig.peer("fd00::2");
        long id = rig.node.request(rig.client, peer.peered(), 100);
        assertThat(rig.node.send().getFirst().hi()).isEqualTo(0xfd00_0000_0000_0000L);
        long free = rig.socket(rig.client).freeReceiveBytes();
        rig.node.receive(peer.message(id ^ 1, 2000, 1400));
        Received response = rig.node.poll(rig.client);
        assertThat(response).isNotNull();
        assertThat(Address.text(response.peerHi(), response.peerLo())).isEqualTo("fd00:0:0:0:0:0:0:2");
        assertThat(rig.exists(id)).as("the RPC is over").isFalse();
        assertThat(rig.socket(rig.client).freeReceiveBytes()).isLessThan(free - 1999);
        assertThat(rig.node.engine.release(rig.client, response.regionOffset(), rig.node.nowNs))
                .isZero();
        assertThat(rig.socket(rig.client).freeReceiveBytes()).isEqualTo(free);
    }

    @Test
    @Pins("P-238")
    void ipv4PeerIsNamedByItsMappedAddress() {
        rig.requestSent(100);
        rig.request(100);
        Sent packet = rig.node.send().getFirst();
        assertThat(Address.isIpv4(packet.hi(), packet.lo())).isTrue();
        assertThat(packet.hi()).isZero();
        assertThat(packet.lo()).isEqualTo(0x0000_FFFF_0A00_0002L);
    }

    @Test
    @Pins({"P-193", "S-371"})
    void privateRpcWithAnErrorIsReportedAtOnce() {
        long id = rig.node.request(rig.client, rig.peer.peered(), 100, true, "mine");
        rig.node.send();
        rig.peer.data(id ^ 1, 5000).bytes(1400).go();
        rig.node.engine.abort(id, Status.ABORTED, 77, rig.node.nowNs);
        Received failed = rig.node.takePrivate(rig.client, id);
        assertThat(failed).isNotNull();
        assertThat(failed.status()).isEqualTo(Status.ABORTED);
        assertThat(failed.abortCode()).isEqualTo(77);
        assertThat(failed.id()).isEqualTo(id);
        assertThat(failed.attachment()).isEqualTo("mine");
        assertThat(failed.length()).isZero();
        assertThat(rig.exists(id)).isFalse();
    }

    @Test
    @Pins({"P-194", "P-206", "S-293"})
    void privateResponseIsAnnouncedAndTakenByItsId() {
        long other = rig.node.request(rig.client, rig.peer.peered(), 100, true, "other");
        long id = rig.node.request(rig.client, rig.peer.peered(), 100, true, "mine");
        rig.node.send();
        rig.node.events.clear();
        rig.respond(id, 300);
        assertThat(rig.node.events).containsExactly("PRIVATE_READY " + id);
        assertThat(rig.node.poll(rig.client)).as("never in the shared queue").isNull();
        assertThat(rig.node.takePrivate(rig.client, other)).isNull();
        Received response = rig.node.takePrivate(rig.client, id);
        assertThat(response).isNotNull();
        assertThat(response.bytes()).isEqualTo(Node.message(300));
        assertThat(rig.node.takePrivate(rig.client, id)).isNull();
    }

    @Test
    @Pins({"P-195", "S-370"})
    void privateResponseThatIsNotReadyIsNotTakenAndLives() {
        long id = rig.node.request(rig.client, rig.peer.peered(), 100, true, null);
        rig.node.send();
        assertThat(rig.node.takePrivate(rig.client, id)).isNull();
        rig.peer.data(id ^ 1, 5000).bytes(1400).go();
        assertThat(rig.node.takePrivate(rig.client, id)).isNull();
        assertThat(rig.exists(id)).isTrue();
    }

    @Test
    @Pins({"P-192", "S-369"})
    void onlyPrivateRpcsCanBeTakenByTheirId() {
        long id = rig.requestSent(100);
        rig.respond(id, 300);
        assertThat(rig.node.takePrivate(rig.client, id)).isNull();
        assertThat(rig.node.takePrivate(rig.client, 4444)).isNull();
        assertThat(rig.node.take(rig.client).id()).isEqualTo(id);
    }

    @Test
    @Pins("P-199")
    void oldestReadyMessageIsTakenFirst() {
        long first = rig.requestSent(100);
        long second = rig.requestSent(100);
        long third = rig.requestSent(100);
        rig.respond(third, 100);
        rig.respond(first, 100);
        rig.respond(second, 100);
        assertThat(rig.node.events)
                .filteredOn(event -> event.startsWith("READABLE"))
                .hasSize(3);
        assertThat(rig.node.take(rig.client).id()).isEqualTo(third);
        assertThat(rig.socket(rig.client).ready()).isEqualTo(2);
        assertThat(rig.node.take(rig.client).id()).isEqualTo(first);
        assertThat(rig.node.take(rig.client).id()).isEqualTo(second);
    }

    @Test
    @Pins({"P-200", "S-372", "S-373", "S-363"})
    void nothingIsTakenWhenNothingIsReady() {
        assertThat(rig.node.poll(rig.client)).isNull();
        Message message = new Message();
        assertThat(rig.node.engine.receive(rig.client, message, rig.node.nowNs)).isFalse();
        assertThat(message.attachment).isNull();
        assertThat(message.id).isZero();
        rig.requestSent(100);
        assertThat(rig.node.poll(rig.client)).isNull();
    }

    @Test
    @Pins("P-204")
    void failedSharedRpcIsDeliveredWithoutItsData() {
        long id = rig.requestSent(100);
        rig.peer.data(id ^ 1, 1600).bytes(1400).go();
        long free = rig.socket(rig.client).freeReceiveBytes();
        rig.node.engine.abort(id, Status.ABORTED, 0, rig.node.nowNs);
        assertThat(rig.socket(rig.client).freeReceiveBytes()).isGreaterThan(free);
        Received failed = rig.node.take(rig.client);
        assertThat(failed.status()).isEqualTo(Status.ABORTED);
        assertThat(failed.bytes()).isEmpty();
    }

    @Test
    @Pins({"P-160", "P-162", "P-205"})
    void endedRpcLeavesTheReadyQueue() {
        long first = rig.requestSent(100);
        long second = rig.requestSent(100);
        rig.respond(first, 100);
        rig.respond(second, 100);
        rig.node.engine.forget(first, rig.node.nowNs);
        assertThat(rig.socket(rig.client).ready()).isEqualTo(1);
        assertThat(rig.node.take(rig.client).id()).isEqualTo(second);
        assertThat(rig.node.poll(rig.client)).isNull();
    }

    @Test
    @Pins({"P-158", "P-159"})
    void endedRpcIsFoundNowhereAndEndsOnce() {
        config.maxIncoming = 20_000;
        Rig here = new Rig(config);
        long id = here.requestSent(100);
        here.peer.data(id ^ 1, 100_000).bytes(1400).incoming(10_000).go();
        assertThat(here.node.sends()).isEqualTo("GRANT 11400 p0");
        assertThat(here.node.engine.totalIncomingBytes()).isEqualTo(10_000);
        assertThat(here.node.engine.forget(id, here.node.nowNs)).isZero();
        assertThat(here.exists(id)).isFalse();
        assertThat(here.node.engine.rpcCount()).isZero();
        assertThat(here.node.engine.totalIncomingBytes()).isZero();
        assertThat(Status.of(here.node.engine.forget(id, here.node.nowNs))).isEqualTo(Status.UNKNOWN_RPC);
        assertThat(Status.of(here.node.engine.abort(id, Status.ABORTED, 0, here.node.nowNs)))
                .isEqualTo(Status.UNKNOWN_RPC);
        here.node.receive(here.peer.resend(id ^ 1, 0, -1, 0));
        assertThat(here.node.sends()).isEqualTo("RPC_UNKNOWN");
        assertThat(here.node.ticks(200)).isEmpty();
        assertThat(here.node.events).containsExactly("RELEASED q100");
    }

    @Test
    @Pins("P-164")
    void endedRpcLeavesTheTransmitQueue() {
        config.linkMbps = 10;
        Rig here = new Rig(config);
        long first = here.request(5000);
        here.request(6000);
        here.node.send();
        here.node.engine.forget(first, here.node.nowNs);
        here.node.send();
        assertThat(here.node.ticks(20)).isNotEmpty().allMatch(packet -> packet.id() == 4);
    }

    /** Lent memory comes back exactly once, and not before the driver has let go of it. */
    @Test
    @Pins("P-178")
    void lentMemoryOfAnEndedRpcComesBackOnce() {
        long id = rig.request(5000);
        rig.node.send(1);
        rig.node.engine.forget(id, rig.node.nowNs);
        rig.node.send();
        rig.node.ticks(10);
        assertThat(rig.node.events).containsExactly("RELEASED q5000");
        assertThat(rig.socket(rig.client).outgoingBytes()).isZero();
    }

    @Test
    void responseAfterAnErrorIsNotDelivered() {
        long id = rig.requestSent(100);
        rig.node.engine.abort(id, Status.ABORTED, 0, rig.node.nowNs);
        rig.respond(id, 100);
        assertThat(rig.node.take(rig.client).status()).isEqualTo(Status.ABORTED);
        assertThat(rig.node.poll(rig.client)).isNull();
    }

    /** D-15: a host that guesses an id may not feed or end somebody's RPC. */
    @Test
    void responsesOfStrangersAreDroppedOutsideProfileModule() {
        config.checkSource = true;
        Rig here = new Rig(config);
        long id = here.requestSent(100);
        here.peer("10.0.0.66").data(id ^ 1, 100).go();
        assertThat(here.node.poll(here.client)).isNull();
        assertThat(here.node.count("wrong_source")).isEqualTo(1);
        here.respond(id, 100);
        assertThat(here.node.take(here.client).status()).isEqualTo(Status.OK);
    }

    @Test
    @Pins("P-074")
    void clientRpcsAreFoundAmongMany() {
        long[] ids = new long[3000];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = rig.requestSent(10);
        }
        for (int i = ids.length - 1; i >= 0; i -= 7) {
            rig.respond(ids[i], 20);
            assertThat(rig.node.take(rig.client).id()).isEqualTo(ids[i]);
        }
        rig.node.receive(rig.peer.data(ids[ids.length - 1] + 2 + 1, 20).packet());
        assertThat(rig.node.poll(rig.client)).isNull();
    }
}
