package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import org.junit.jupiter.api.Test;

/** Aborts by the application (spec protocol 6.6, api 9). */
class AbortTest {
    private final Rig rig = new Rig();

    private int abort(long id, int code) {
        return rig.node.engine.abort(id, Status.ABORTED, code, rig.node.nowNs);
    }

    @Test
    @Pins({"P-166", "P-271"})
    void abortDeliversItsErrorAtTheClient() {
        long id = rig.requestSent(100);
        rig.node.events.clear();
        assertThat(abort(id, 125)).isZero();
        rig.node.send();
        assertThat(rig.node.events).containsExactly("READABLE " + rig.client);
        Received failed = rig.node.take(rig.client);
        assertThat(failed.id()).isEqualTo(id);
        assertThat(failed.status()).isEqualTo(Status.ABORTED);
        assertThat(failed.abortCode()).isEqualTo(125);
        assertThat(failed.attachment()).isEqualTo("q100");
        assertThat(rig.node.sends()).as("the server is not told").isEmpty();
        assertThat(rig.exists(id)).isFalse();
    }

    @Test
    @Pins({"P-271", "S-307"})
    void unknownAndServerIdsCannotBeAborted() {
        rig.serve(1000, 100);
        assertThat(Status.of(abort(4444, 1))).isEqualTo(Status.UNKNOWN_RPC);
        assertThat(Status.of(abort(1001, 1))).isEqualTo(Status.UNKNOWN_RPC);
        assertThat(Status.of(rig.node.engine.forget(1001, rig.node.nowNs))).isEqualTo(Status.UNKNOWN_RPC);
        assertThat(rig.exists(1001)).isTrue();
    }

    /** Even a response that has arrived is given up (spec api 9). */
    @Test
    void abortWinsOverAResponseThatIsReady() {
        long id = rig.requestSent(100);
        rig.respond(id, 100);
        long free = rig.socket(rig.client).freeReceiveBytes();
        abort(id, 3);
        assertThat(rig.node.take(rig.client).status()).isEqualTo(Status.ABORTED);
        assertThat(rig.node.poll(rig.client)).isNull();
        assertThat(rig.socket(rig.client).freeReceiveBytes()).isGreaterThan(free);
    }

    @Test
    @Pins({"P-182", "S-306"})
    void abortOfAllHitsClientRpcsOfThatSocketOnly() {
        long first = rig.requestSent(100);
        long second = rig.requestSent(100);
        Received request = rig.serve(1000, 100);
        long other = rig.node.request(rig.server, rig.peer.peered(), 100);
        assertThat(rig.node.engine.abortAll(rig.client, Status.ABORTED, 125, rig.node.nowNs))
                .isEqualTo(2);
        assertThat(rig.exists(first)).as("it stays until received").isTrue();
        assertThat(rig.node.take(rig.client).id()).isEqualTo(first);
        Received failed = rig.node.take(rig.client);
        assertThat(failed.id()).isEqualTo(second);
        assertThat(failed.abortCode()).isEqualTo(125);
        assertThat(rig.exists(other)).isTrue();
        assertThat(rig.node.reply(request, 100)).isZero();
        assertThat(rig.node.engine.abortAll(rig.server, Status.ABORTED, 125, rig.node.nowNs))
                .isEqualTo(1);
        assertThat(rig.exists(1001)).as("server RPCs go on").isTrue();
    }

    @Test
    @Pins({"P-185", "S-303"})
    void withoutAnErrorTheRpcIsGone() {
        long id = rig.requestSent(100);
        assertThat(rig.node.engine.forget(id, rig.node.nowNs)).isZero();
        assertThat(rig.exists(id)).isFalse();
        assertThat(rig.node.poll(rig.client)).isNull();
        rig.respond(id, 100);
        assertThat(rig.node.poll(rig.client)).isNull();
    }

    @Test
    @Pins({"P-172", "P-184"})
    void firstEndCounts() {
        long gone = rig.requestSent(100);
        long failed = rig.requestSent(100);
        rig.node.engine.forget(gone, rig.node.nowNs);
        abort(failed, 1);
        assertThat(rig.node.engine.abortAll(rig.client, Status.ABORTED, 2, rig.node.nowNs))
                .isLessThanOrEqualTo(1);
        rig.node.engine.unreachable(rig.peer.hi, rig.peer.lo, 0, Status.HOST_UNREACHABLE, rig.node.nowNs);
        Received received = rig.node.take(rig.client);
        assertThat(received.id()).isEqualTo(failed);
        assertThat(received.status()).isEqualTo(Status.ABORTED);
        assertThat(received.abortCode()).as("D-13: the first error stays").isEqualTo(1);
        assertThat(rig.node.poll(rig.client)).isNull();
    }

    /** What the server then hears (captures 06e to 06g). */
    @Test
    void serverOfAForgottenRpcIsAnsweredOnlyWhenItAsks() {
        long id = rig.requestSent(20_000);
        rig.node.engine.forget(id, rig.node.nowNs);
        rig.node.receive(
                rig.peer.grant(id ^ 1, 20_000, 0), rig.peer.data(id ^ 1, 100).packet());
        assertThat(rig.node.sends()).isEmpty();
        rig.node.receive(rig.peer.resend(id ^ 1, 0, -1, 0));
        assertThat(rig.node.sends()).isEqualTo("RPC_UNKNOWN");
        rig.node.receive(rig.peer.needAck(id ^ 1));
        assertThat(rig.node.sends()).isEqualTo("ACK " + id);
    }

    /** D-13: the module goes on asking for the response until the failure is fetched, homa4j by itself does not. */
    @Test
    void failedRpcIsQuietOutsideProfileModule() {
        Rig own = new Rig(Rig.ownConfig());
        long id = own.requestSent(100);
        own.node.engine.abort(id, Status.ABORTED, 1, own.node.nowNs);
        assertThat(own.node.ticks(300)).isEmpty();
        assertThat(own.node.take(own.client).abortCode()).isEqualTo(1);
    }
}
