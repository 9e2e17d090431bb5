package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.List;
import org.junit.jupiter.api.Test;

/** RPC_UNKNOWN: a client starts again, a server forgets (spec protocol 5.6). */
class RestartTest {
    private final Config config = Rig.config();

    @Test
    @Pins("P-056")
    void clientRepeatsTheWholeRequest() {
        Rig rig = new Rig(config);
        long id = rig.requestSent(2000);
        rig.node.receive(rig.peer.rpcUnknown(id ^ 1));
        List<Sent> again = rig.node.send();
        assertThat(Node.words(again)).isEqualTo("AGAIN 1400@0, AGAIN 600@1400");
        assertThat(again)
                .allMatch(packet -> packet.data().incoming() == 2000)
                .allMatch(packet -> packet.id() == id)
                .allMatch(packet -> packet.level() == 6);
        assertThat(rig.info(id).receiveLength()).isEqualTo(-1);
    }

    @Test
    @Pins("P-057")
    void restartRepeatsOnlyWhatWasSent() {
        config.unschedBytes = 1400;
        Rig rig = new Rig(config);
        long id = rig.requestSent(2000);
        rig.node.receive(rig.peer.rpcUnknown(id ^ 1));
        assertThat(rig.node.send()).singleElement().satisfies(packet -> {
            assertThat(packet.word()).isEqualTo("AGAIN 1400@0");
            assertThat(packet.data().incoming()).isEqualTo(1400);
        });
        assertThat(rig.info(id).sendGranted()).isEqualTo(1400);
    }

    /** Also bytes that were granted go at the level of unscheduled ones (capture 05d). */
    @Test
    void restartUsesTheUnscheduledLevelThroughout() {
        config.unschedBytes = 1400;
        Rig rig = new Rig(config);
        long id = rig.requestSent(4000);
        rig.node.receive(rig.peer.grant(id ^ 1, 4000, 1));
        rig.node.send();
        rig.node.receive(rig.peer.rpcUnknown(id ^ 1));
        assertThat(rig.node.send()).hasSize(3).allMatch(packet -> packet.level() == 6);
    }

    @Test
    @Pins("P-058")
    void serverForgetsTheRpc() {
        Rig rig = new Rig(config);
        Received request = rig.serve(1000, 100);
        rig.node.receive(rig.caller.rpcUnknown(1000));
        assertThat(rig.exists(1001)).isFalse();
        assertThat(Status.of(rig.node.reply(request, 100))).isEqualTo(Status.UNKNOWN_RPC);
        assertThat(rig.node.sends()).isEmpty();
    }

    @Test
    @Pins("P-059")
    void strangersRpcUnknownIsDropped() {
        Rig rig = new Rig(config);
        long unknownBefore = rig.node.count("unknown_rpcs");
        rig.node.receive(rig.peer.rpcUnknown(99_999));
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.node.count("unknown_rpcs")).isEqualTo(unknownBefore + 1);
    }

    @Test
    void clientThatReceivesItsResponseDoesNotStartAgainInProfileModule() {
        Rig rig = new Rig(config);
        long id = rig.requestSent(2000);
        rig.peer.data(id ^ 1, 3000).bytes(1400).go();
        rig.node.receive(rig.peer.rpcUnknown(id ^ 1));
        assertThat(rig.node.sends()).isEmpty();
    }

    /** The server was restarted between two packets of its response. */
    @Test
    void byItselfHoma4jStartsAgainAlsoWhenItHasPartOfAResponse() {
        Rig rig = new Rig(Rig.ownConfig());
        long id = rig.requestSent(2000);
        rig.peer.data(id ^ 1, 9000).bytes(1400).incoming(9000).go();
        long free = rig.socket(rig.client).freeReceiveBytes();
        assertThat(Node.words(rig.node.ticks(config.resendTicks))).isEqualTo("RESEND 1400 7600 p7");
        rig.node.receive(rig.peer.rpcUnknown(id ^ 1), rig.peer.rpcUnknown(id ^ 1));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1400@0, AGAIN 600@1400");
        assertThat(rig.node.count("rpc_restarts")).isEqualTo(1);
        assertThat(rig.socket(rig.client).freeReceiveBytes()).isGreaterThan(free);
        // Another response, even of another length, is the answer.
        rig.respond(id, 700);
        Received response = rig.node.take(rig.client);
        assertThat(response.status()).isEqualTo(Status.OK);
        assertThat(response.length()).isEqualTo(700);
        assertThat(rig.node.count("client_responses_done")).isEqualTo(rig.node.count("client_responses_started"));
    }

    @Test
    void restartIsForbiddenAlsoWhenThereIsPartOfAResponse() {
        Config own = Rig.ownConfig();
        own.restart = Config.Restart.NEVER;
        Rig rig = new Rig(own);
        long id = rig.requestSent(2000);
        rig.peer.data(id ^ 1, 9000).bytes(1400).incoming(9000).go();
        rig.node.ticks(own.resendTicks);
        rig.node.receive(rig.peer.rpcUnknown(id ^ 1));
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.node.take(rig.client).status()).isEqualTo(Status.OUTCOME_UNKNOWN);
    }

    /** A server that has given the response up and remembers it runs nothing again: the call ends by its timeout. */
    @Test
    void whoIsAlwaysToldThatTheRpcIsUnknownTimesOut() {
        Config own = Rig.ownConfig();
        Rig rig = new Rig(own);
        long id = rig.requestSent(2000);
        rig.peer.data(id ^ 1, 9000).bytes(1400).incoming(9000).go();
        for (int tick = 0; tick < own.timeoutTicks + 2 * own.resendTicks; tick++) {
            for (Sent sent : rig.node.ticks(1)) {
                if (sent.word().startsWith("RESEND")) {
                    rig.node.receive(rig.peer.rpcUnknown(id ^ 1));
                }
            }
        }
        assertThat(rig.node.count("rpc_restarts")).isGreaterThan(5);
        assertThat(rig.node.take(rig.client).status()).isEqualTo(Status.TIMEOUT);
    }

    /** A forged RPC_UNKNOWN may not make anybody send: it must answer a RESEND, and counts once for each (design 6). */
    @Test
    void byItselfHoma4jBelievesOnlyAnAnswerToItsOwnResend() {
        config.moduleProfile = false;
        Rig rig = new Rig(config);
        long id = rig.requestSent(2000);
        rig.node.receive(rig.peer.rpcUnknown(id ^ 1));
        assertThat(rig.node.sends()).isEmpty();
        assertThat(Node.words(rig.node.ticks(config.resendTicks))).isEqualTo("RESEND 0 -1 p7");
        rig.node.receive(rig.peer.rpcUnknown(id ^ 1), rig.peer.rpcUnknown(id ^ 1));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1400@0, AGAIN 600@1400");
        assertThat(rig.node.count("rpc_restarts")).isEqualTo(1);
    }

    @Test
    void restartMayBeForbidden() {
        config.restart = Config.Restart.NEVER;
        Rig rig = new Rig(config);
        long id = rig.requestSent(2000);
        rig.node.receive(rig.peer.rpcUnknown(id ^ 1));
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.node.take(rig.client).status()).isEqualTo(Status.OUTCOME_UNKNOWN);
    }

    /** Who goes on not knowing a request gets it less and less often: it may have no room, and the network less. */
    @Test
    void restartsAreSpacedOutsideProfileModule() {
        config.moduleProfile = false;
        Rig rig = new Rig(config);
        long id = rig.requestSent(1000);
        for (int tick = 0; tick < 90; tick++) {
            if (Node.words(rig.node.ticks(1)).contains("RESEND")) {
                rig.node.receive(rig.peer.rpcUnknown(id ^ 1));
            }
        }
        assertThat(rig.node.count("rpc_restarts")).isBetween(2L, 4L);
    }

    /** Meanwhile the server may have run the request, waited for acks in vain, and forgotten it: running it again is worse. */
    @Test
    void clientThatSleptThroughItsServersMemoryDoesNotStartAgain() {
        Config own = Rig.ownConfig();
        Rig rig = new Rig(own);
        long id = rig.requestSent(1000);
        rig.node.ticks(1);
        rig.node.nowNs += own.timeoutTicks * own.tickNs + 20_000_000;
        rig.node.receive(rig.peer.resend(id ^ 1, 0, 1, 7));
        assertThat(rig.node.sends()).as("asked for before the pause ended").doesNotContain("AGAIN");
        assertThat(Node.words(rig.node.ticks(own.resendInterval))).contains("RESEND 0 -1");

        rig.node.receive(rig.peer.rpcUnknown(id ^ 1));

        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.node.take(rig.client).status()).isEqualTo(Status.OUTCOME_UNKNOWN);
        assertThat(rig.node.count("outcome_unknown")).isEqualTo(1);
    }

    /** What a live server asks for after the pause it gets. */
    @Test
    void resendsAfterAPauseAreAnsweredAgain() {
        Config own = Rig.ownConfig();
        Rig rig = new Rig(own);
        long id = rig.requestSent(1000);
        rig.node.ticks(1);
        rig.node.nowNs += own.timeoutTicks * own.tickNs + 20_000_000;
        rig.node.ticks(3);
        rig.node.receive(rig.peer.resend(id ^ 1, 0, 1000, 7));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1000@0");
    }

    @Test
    void clientStartsAgainAfterAShortPauseAndWithARequestSentAfterALongOne() {
        Config own = Rig.ownConfig();
        Rig rig = new Rig(own);
        long before = rig.requestSent(1000);
        rig.node.nowNs += 300_000_000;
        assertThat(Node.words(rig.node.ticks(own.resendInterval))).contains("RESEND 0 -1");
        rig.node.receive(rig.peer.rpcUnknown(before ^ 1));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1000@0");

        rig.node.nowNs += own.timeoutTicks * own.tickNs + 20_000_000;
        rig.node.ticks(2);
        long after = rig.requestSent(1200);
        List<Sent> sent = rig.node.ticks(own.resendTicks + 1);
        assertThat(sent)
                .anyMatch(packet -> packet.id() == after && packet.word().startsWith("RESEND 0 -1"));
        rig.node.receive(rig.peer.rpcUnknown(after ^ 1));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1200@0");
    }

    /**
     * A response that was waiting for grants had no timer: nothing was expected. A NEED_ACK found a hole in it, and the RESEND
     * drew RPC_UNKNOWN.
     */
    @Test
    void clientWhoseResponseWaitedForGrantsIsTimedWhenItStartsAgain() {
        Config own = Rig.ownConfig();
        own.maxOvercommit = 1;
        own.grantFifoFraction = 0;
        Rig rig = new Rig(own);
        long granted = rig.requestSent(100);
        long waiting = rig.requestSent(200);
        rig.peer.data(granted ^ 1, 200_000).bytes(1400).incoming(1400).go();
        rig.peer.data(waiting ^ 1, 500_000).bytes(5_000).incoming(10_000).go();
        rig.peer
                .data(waiting ^ 1, 500_000)
                .at(5_100)
                .bytes(5_100)
                .incoming(10_000)
                .go();
        rig.node.ticks(2 * own.resendTicks);
        rig.node.receive(rig.peer.needAck(waiting ^ 1));
        assertThat(rig.node.sends()).isEqualTo("RESEND 5000 100 p7");

        rig.node.receive(rig.peer.rpcUnknown(waiting ^ 1));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 200@0");

        // The repeated request is lost too: it asks again.
        assertThat(Node.wordsWithIds(rig.node.ticks(2 * own.resendTicks))).contains(waiting + ":RESEND 0 -1 p7");
    }

    /** What never was whole cannot have run: a client that was stopped for longer than the server waits starts again. */
    @Test
    void serverRunsARequestThatItHadGivenUpBeforeItWasWhole() {
        Config own = Rig.ownConfig();
        Rig rig = new Rig(own);
        rig.caller.data(1000, 2_000).bytes(1_400).go();
        rig.node.ticks(own.timeoutTicks + 2 * own.resendTicks);
        assertThat(rig.exists(1001)).isFalse();
        rig.node.receive(rig.caller.message(1000, 2_000, 1_400));
        assertThat(rig.node.take(rig.server).bytes()).isEqualTo(Node.message(2_000));
    }

    /** One that was whole may have run: its copies are dropped. */
    @Test
    void serverDoesNotRunARequestAgainWhoseResponseItHasGivenUp() {
        Config own = Rig.ownConfig();
        Rig rig = new Rig(own);
        rig.answered(1000, 100);
        rig.node.ticks(own.timeoutTicks + 2 * own.busyResendMaxTicks);
        assertThat(rig.exists(1001)).isFalse();
        rig.node.receive(rig.caller.message(1000, 100, 1_400));
        assertThat(rig.node.poll(rig.server)).isNull();
        assertThat(rig.node.count("duplicate_requests")).isEqualTo(1);
    }
}
