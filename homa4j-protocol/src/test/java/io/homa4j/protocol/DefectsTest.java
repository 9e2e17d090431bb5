package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.homa4j.wire.CutoffsPacket;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What homa4j does about defects of the module that no other test is about; docs/defects.md names the test of each. */
class DefectsTest {
    /** D-6: a copy that arrives after the answer was acknowledged. */
    @Test
    void lateCopyOfARequestRunsAgainOnlyInProfileModule() {
        Rig module = new Rig();
        module.answered(1000, 100);
        module.node.receive(module.caller.ack(1000));
        module.caller.data(1000, 100).go();
        assertThat(module.node.poll(module.server)).isNotNull();

        Rig rig = new Rig(Rig.ownConfig());
        rig.answered(1000, 100);
        rig.node.receive(rig.caller.ack(1000));
        rig.caller.data(1000, 100).go();
        rig.caller.data(1000, 100).retransmit().go();
        assertThat(rig.node.poll(rig.server)).isNull();
        assertThat(rig.node.count("duplicate_requests")).isEqualTo(2);
        rig.node.receive(rig.caller.resend(1000, 0, -1, 7));
        assertThat(rig.node.sends()).endsWith("RPC_UNKNOWN");
    }

    @Test
    void pathMtuNeverExceedsTheInterface() {
        Config config = Rig.ownConfig();
        config.mtu = 600;
        Rig rig = new Rig(config);
        rig.node.engine.pathMtu(rig.peer.hi, rig.peer.lo, 1_400);
        rig.request(5_000);
        assertThat(rig.node.send())
                .isNotEmpty()
                .allMatch(packet -> packet.packet().length() + 20 <= 600);
    }

    /** D-6: the memory ends after its time, not before. */
    @Test
    void endedRequestIsRememberedForItsTime() {
        Config config = Rig.ownConfig();
        Rig rig = new Rig(config);
        rig.answered(1000, 100);
        rig.node.receive(rig.caller.ack(1000));
        rig.node.ticks(config.finishedRpcMsecs / 2);
        rig.caller.data(1000, 100).go();
        assertThat(rig.node.poll(rig.server)).isNull();
        rig.node.ticks(config.finishedRpcMsecs);
        rig.caller.data(1000, 100).go();
        assertThat(rig.node.poll(rig.server)).isNotNull();
    }

    /** D-7: whatever way a request ended without an answer. */
    @Test
    void requestThatEndedWithoutAnAnswerDoesNotRunAgain() {
        Rig rig = new Rig(Rig.ownConfig());
        Received dismissed = rig.serve(1000, 100);
        rig.node.engine.dismiss(dismissed.handle(), rig.node.nowNs);
        rig.serve(1002, 100);
        rig.node.engine.unreachable(rig.caller.hi, rig.caller.lo, Rig.CALLER_PORT, Status.NO_SERVER, rig.node.nowNs);
        assertThat(rig.infos(rig.server)).isEmpty();
        rig.caller.data(1000, 100).go();
        rig.caller.data(1002, 100).go();
        assertThat(rig.node.poll(rig.server)).isNull();
    }

    /** D-7: a response the engine refuses does not destroy the RPC. */
    @Test
    void refusedResponseLeavesTheRequestAnswerable() {
        Rig rig = new Rig();
        Received request = rig.serve(1000, 100);
        assertThat(rig.node.reply(request, 0)).isEqualTo(Status.INVALID_LENGTH.code());
        assertThat(rig.node.reply(request, 1_000_001)).isEqualTo(Status.INVALID_LENGTH.code());
        assertThat(rig.node.reply(request, 100)).isZero();
        assertThat(rig.node.sends()).isEqualTo("DATA 100@0");
    }

    /** D-9: 200 is no level, and must not be an index either. */
    @Test
    void levelsBeyondTheTableAreClipped() {
        Rig rig = new Rig();
        long id = rig.requestSent(20_000);
        rig.node.receive(rig.peer.grant(id ^ 1, 11_000, 200));
        rig.node.receive(rig.peer.resend(id ^ 1, 0, 1400, 200));
        List<Sent> sent = rig.node.send();
        assertThat(Node.words(sent)).isEqualTo("AGAIN 1400@0, DATA 1400@10000");
        assertThat(sent).allMatch(packet -> packet.level() == 7);
    }

    /** D-13: the error is the first one in both profiles. */
    @Test
    void failedRequestGoesOnAskingOnlyInProfileModule() {
        for (Config config : List.of(Rig.config(), Rig.ownConfig())) {
            Rig rig = new Rig(config);
            long id = rig.requestSent(100);
            rig.node.engine.abort(id, Status.ABORTED, 7, rig.node.nowNs);
            List<Sent> asked = rig.node.ticks(2 * config.timeoutTicks);
            assertThat(asked.isEmpty())
                    .as("profile module: %s", config.moduleProfile)
                    .isEqualTo(!config.moduleProfile);
            Received outcome = rig.node.take(rig.client);
            assertThat(outcome.status()).isEqualTo(Status.ABORTED);
            assertThat(outcome.abortCode()).isEqualTo(7);
        }
    }

    /** D-14: more changes of the table than the version has values. */
    @Test
    void versionOfTheTableIsComparedInSixteenBits() {
        Config config = Rig.config();
        Rig rig = new Rig(config);
        for (int change = 0; change < 0x1_0000 + 4; change++) {
            rig.node.engine.installCutoffs(config.unschedCutoffs);
        }
        rig.caller.data(1000, 10_000).bytes(1400).cutoffVersion(4).go();
        assertThat(rig.node.sends()).isEqualTo("CUTOFFS v5");
        rig.node.ticks(5);
        rig.caller.data(1000, 10_000).at(1400).bytes(1400).cutoffVersion(5).go();
        assertThat(rig.node.sends()).isEmpty();
    }

    /** D-14: by itself, homa4j tells each peer another version, and a new one with each table, never 0. */
    @Test
    void versionOfTheTableIsAHashOutsideProfileModule() {
        Config config = Rig.ownConfig();
        config.proveReachability = true;
        Rig rig = new Rig(config);
        int first = versionTold(rig, rig.caller("10.0.0.3"), 1000);
        int second = versionTold(rig, rig.caller("10.0.0.4"), 1000);
        rig.node.engine.installCutoffs(config.unschedCutoffs);
        int renewed = versionTold(rig, rig.caller("10.0.0.3"), 1002);
        assertThat(List.of(first, second, renewed)).doesNotHaveDuplicates().doesNotContain(0);
    }

    private static int versionTold(Rig rig, Injector caller, long id) {
        rig.node.ticks(5);
        caller.data(id, 100).bytes(50).cutoffVersion(0).go();
        return rig.node.send().stream()
                .map(Sent::packet)
                .filter(CutoffsPacket.class::isInstance)
                .map(CutoffsPacket.class::cast)
                .findFirst()
                .orElseThrow()
                .version();
    }

    /** D-17: a smaller path aborts nothing; packets are subdivided at their old boundaries, new messages cut anew. */
    @Test
    void smallerPathMtuSubdividesPackets() {
        Rig rig = new Rig();
        long id = rig.request(4_200);
        rig.node.send(1);
        rig.node.engine.pathMtu(rig.peer.hi, rig.peer.lo, 1000 + 56 + 20);
        assertThat(rig.node.sends()).isEqualTo("DATA 1000@1400, DATA 400@2400, DATA 1000@2800, DATA 400@3800");
        rig.node.receive(rig.peer.resend(id ^ 1, 0, 1400, 7));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1000@0, AGAIN 400@1000");
        rig.request(2_500);
        assertThat(rig.node.sends()).isEqualTo("DATA 1000@0, DATA 1000@1000, DATA 500@2000");
        assertThat(rig.node.count("mtu_reductions")).isEqualTo(1);
    }

    /** D-18: odd ids are those of servers. */
    @Test
    void oddFirstIdIsRefused() {
        Config config = Rig.config();
        config.firstId = 3;
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Endpoint(config, 1, 0))
                .withMessageContaining("next_id = 3");
    }

    /** D-19: the report tells private RPCs from shared ones. */
    @Test
    void reportKnowsPrivateRpcs() {
        Rig rig = new Rig();
        long shared = rig.request(100);
        long own = rig.node.request(rig.client, rig.peer.peered(), 100, true, null);
        assertThat(rig.info(shared).isPrivate()).isFalse();
        assertThat(rig.info(own).isPrivate()).isTrue();
    }
}
