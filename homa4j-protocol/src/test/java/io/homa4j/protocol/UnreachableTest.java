package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Network errors about a peer: which RPCs they end, and how (spec protocol 2.13). */
class UnreachableTest {
    private final Rig rig = new Rig();

    private void unreachable(Injector host, int port, Status kind) {
        rig.node.engine.unreachable(host.hi, host.lo, port, kind, rig.node.nowNs);
    }

    @Test
    @Pins({"P-170", "P-262", "S-390", "S-392"})
    void portUnreachableEndsRpcsToThatHostAndPort() {
        for (String address : List.of("10.0.0.2", "fd00::2")) {
            Injector peer = rig.peer(address);
            long hit = rig.node.request(rig.client, peer.peered(), 100);
            long spared = rig.node.request(rig.client, new Node.Peered(peer.hi, peer.lo, 98), 100);
            rig.node.send();
            unreachable(peer, Rig.SERVER_PORT, Status.NO_SERVER);
            Received failed = rig.node.take(rig.client);
            assertThat(failed.id()).isEqualTo(hit);
            assertThat(failed.status()).isEqualTo(Status.NO_SERVER);
            assertThat(rig.node.poll(rig.client)).isNull();
            assertThat(rig.exists(spared)).isTrue();
        }
    }

    @Test
    @Pins({"P-082", "P-171", "P-263", "S-391"})
    void hostUnreachableEndsRpcsToAnyPort() {
        long first = rig.requestSent(100);
        long second = rig.node.request(rig.client, new Node.Peered(rig.peer.hi, rig.peer.lo, 98), 100);
        unreachable(rig.peer, 0, Status.HOST_UNREACHABLE);
        assertThat(rig.node.take(rig.client).id()).isEqualTo(first);
        Received failed = rig.node.take(rig.client);
        assertThat(failed.id()).isEqualTo(second);
        assertThat(failed.status()).isEqualTo(Status.HOST_UNREACHABLE);
    }

    @Test
    @Pins({"P-264", "S-393"})
    void unknownProtocolEndsRpcsWithThatError() {
        Injector peer = rig.peer("fd00::2");
        rig.node.request(rig.client, peer.peered(), 100);
        unreachable(peer, 0, Status.PROTOCOL_UNSUPPORTED);
        assertThat(rig.node.take(rig.client).status()).isEqualTo(Status.PROTOCOL_UNSUPPORTED);
    }

    @Test
    @Pins({"P-167", "P-169"})
    void rpcsWithOtherHostsGoOn() {
        long hit = rig.requestSent(100);
        long ready = rig.requestSent(100);
        rig.respond(ready, 100);
        long spared = rig.node.request(rig.client, rig.peer("10.0.0.3").peered(), 100);
        unreachable(rig.peer, 0, Status.HOST_UNREACHABLE);
        // Also one whose response had arrived but was not fetched.
        Received first = rig.node.take(rig.client);
        Received second = rig.node.take(rig.client);
        assertThat(List.of(first.id(), second.id())).containsExactlyInAnyOrder(hit, ready);
        assertThat(first.status()).isEqualTo(Status.HOST_UNREACHABLE);
        assertThat(second.status()).isEqualTo(Status.HOST_UNREACHABLE);
        assertThat(rig.exists(spared)).isTrue();
        assertThat(rig.node.poll(rig.client)).isNull();
    }

    @Test
    @Pins("P-168")
    void allSocketsAreConcerned() {
        int other = rig.node.client();
        long first = rig.requestSent(100);
        long second = rig.node.request(other, rig.peer.peered(), 100);
        unreachable(rig.peer, 0, Status.HOST_UNREACHABLE);
        assertThat(rig.node.take(rig.client).id()).isEqualTo(first);
        assertThat(rig.node.take(other).id()).isEqualTo(second);
    }

    @Test
    @Pins("P-173")
    void serverRpcsEndToo() {
        rig.serve(1000, 100);
        rig.answered(1002, 20_000);
        rig.serve(rig.caller("10.0.0.3"), 1000, 100);
        unreachable(rig.caller, 0, Status.HOST_UNREACHABLE);
        assertThat(rig.infos(rig.server))
                .singleElement()
                .satisfies(info -> assertThat(info.peerLo()).isEqualTo(rig.caller("10.0.0.3").lo));
        assertThat(rig.node.ticks(20)).isEmpty();
    }

    @Test
    @Pins("P-267")
    void failureIsFetchedOnceWithIdAndCookie() {
        Object cookie = new Object();
        long id = rig.node.request(rig.client, rig.peer.peered(), 100, false, cookie);
        unreachable(rig.peer, Rig.SERVER_PORT, Status.NO_SERVER);
        Received failed = rig.node.take(rig.client);
        assertThat(failed.status()).isEqualTo(Status.NO_SERVER);
        assertThat(failed.id()).isEqualTo(id);
        assertThat(failed.attachment()).isSameAs(cookie);
        assertThat(rig.exists(id)).isFalse();
        assertThat(rig.node.poll(rig.client)).isNull();
    }
    /** Over UDP the port in the error names one of the host's peers; a host that is not known concerns nobody. */
    @Test
    void errorConcernsThePeersOfItsHostOnly() {
        Rig own = new Rig(Config.defaults());
        Injector other = own.peer("10.0.0.3");
        long hit = own.requestSent(100);
        long otherPort = own.node.request(own.client, new Node.Peered(own.peer.hi, own.peer.lo, 98), 100);
        long otherHost = own.node.request(own.client, other.peered(), 100);
        own.node.engine.unreachable(0, Address.mappedLo(0x0A000009), 0, Status.HOST_UNREACHABLE, own.node.nowNs);
        assertThat(own.node.poll(own.client)).isNull();
        own.node.engine.unreachable(own.peer.hi, own.peer.lo, Rig.SERVER_PORT, Status.NO_SERVER, own.node.nowNs);
        assertThat(own.node.take(own.client).id()).isEqualTo(hit);
        assertThat(own.node.poll(own.client)).isNull();
        own.node.engine.unreachable(own.peer.hi, own.peer.lo, 0, Status.HOST_UNREACHABLE, own.node.nowNs);
        assertThat(own.node.take(own.client).id()).isEqualTo(otherPort);
        assertThat(own.exists(otherHost)).isTrue();
    }

    /** In the module the error wins (P-167). Here what has arrived is delivered: a server that closes has answered before. */
    @Test
    void byItselfHoma4jKeepsResponsesThatHaveArrived() {
        Rig own = new Rig(Rig.ownConfig());
        long ready = own.requestSent(100);
        long hit = own.requestSent(100);
        own.respond(ready, 300);
        own.node.engine.unreachable(own.peer.hi, own.peer.lo, 0, Status.NO_SERVER, own.node.nowNs);
        Received first = own.node.take(own.client);
        assertThat(first.id()).isEqualTo(ready);
        assertThat(first.status()).isEqualTo(Status.OK);
        assertThat(first.bytes()).isEqualTo(Node.message(300));
        Received second = own.node.take(own.client);
        assertThat(second.id()).isEqualTo(hit);
        assertThat(second.status()).isEqualTo(Status.NO_SERVER);
    }
}
