package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What happens when nothing arrives: RESENDs, timeouts, NEED_ACKs (spec protocol 7). Strict counts of profile module. */
class TimersTest {
    private final Config config = Rig.config();

    /** The words sent in each of the next ticks, {@code -} for silence: {@code "- - RESEND 0 -1 p7 -"}. */
    private static String ticks(Rig rig, int count) {
        List<String> words = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String sent = Node.words(rig.node.ticks(1));
            words.add(sent.isEmpty() ? "-" : sent);
        }
        return String.join(" ", words);
    }

    @Test
    @Pins("P-148")
    void needAckComesTwoTicksAfterTheResponseWasSeenSent() {
        Rig rig = new Rig(config);
        Received request = rig.serve(1000, 100);
        rig.node.reply(request, 20_000);
        rig.node.send();
        assertThat(ticks(rig, 10)).as("not fully sent").isEqualTo("- - - - - - - - - -");
        rig.node.receive(rig.caller.grant(1000, 20_000, 0));
        assertThat(rig.node.send()).hasSize(8);
        // The first tick sees the response sent, and the second one after it asks; then each tick.
        assertThat(ticks(rig, 5)).isEqualTo("- - NEED_ACK NEED_ACK NEED_ACK");
        rig.node.receive(rig.caller.ack(1000));
        assertThat(ticks(rig, 3)).isEqualTo("- - -");
    }

    @Test
    @Pins("P-149")
    void nothingIsAskedForWhenEverythingGrantedIsHere() {
        config.maxIncoming = 0;
        Rig rig = new Rig(config);
        rig.caller.data(1000, 10_000).bytes(1400).incoming(1400).go();
        assertThat(rig.node.ticks(300)).isEmpty();
        assertThat(rig.exists(1001)).isTrue();
    }

    @Test
    @Pins("P-150")
    void messageThatWaitsForSpaceIsNotSilent() {
        Rig rig = new Rig(config);
        for (int i = 0; i < 4; i++) {
            rig.node.receive(rig.caller.message(10 + 2 * i, 1_000_000, 8000));
        }
        rig.caller.data(1000, 10_000).bytes(1400).go();
        assertThat(rig.info(1001).waitsForSpace()).isTrue();
        rig.node.send();
        assertThat(rig.node.ticks(300)).isEmpty();
        assertThat(rig.exists(1001)).isTrue();
    }

    @Test
    @Pins("P-151")
    void serverWithTheCompleteRequestIsNotSilent() {
        Rig rig = new Rig(config);
        rig.caller.data(1000, 100).go();
        assertThat(rig.node.ticks(300)).isEmpty();
        assertThat(rig.exists(1001)).isTrue();
    }

    @Test
    @Pins("P-152")
    void clientWithUnsentGrantedBytesIsNotSilent() {
        Rig rig = new Rig(config);
        long id = rig.request(5000);
        rig.node.maxBytes = 0;
        assertThat(rig.node.ticks(300)).isEmpty();
        rig.node.maxBytes = Integer.MAX_VALUE;
        assertThat(rig.node.send()).hasSize(4);
        assertThat(ticks(rig, 5)).isEqualTo("- - - - RESEND 0 -1 p7");
        assertThat(rig.exists(id)).isTrue();
    }

    @Test
    @Pins({"P-153", "S-376"})
    void timeoutComesExactlyAtItsTick() {
        Rig rig = new Rig(config);
        long id = rig.node.request(rig.client, rig.peer.peered(), 100, false, "cookie");
        rig.node.send();
        List<Sent> resends = rig.node.ticks(config.timeoutTicks - 1);
        assertThat(resends).hasSize(19).allMatch(packet -> packet.word().equals("RESEND 0 -1 p7"));
        assertThat(rig.node.poll(rig.client)).isNull();
        assertThat(rig.node.ticks(1)).isEmpty();
        Received failed = rig.node.take(rig.client);
        assertThat(failed.status()).isEqualTo(Status.TIMEOUT);
        assertThat(failed.id()).isEqualTo(id);
        assertThat(failed.attachment()).isEqualTo("cookie");
        assertThat(failed.peerHi()).isEqualTo(rig.peer.hi);
        assertThat(failed.peerLo()).isEqualTo(rig.peer.lo);
        assertThat(failed.peerPort()).isEqualTo(Rig.SERVER_PORT);
        assertThat(failed.regionOffset()).isEqualTo(-1);
        assertThat(rig.exists(id)).isFalse();
        assertThat(rig.node.count("rpc_timeouts")).isEqualTo(1);
    }

    @Test
    @Pins("P-154")
    void resendsComeAtTheirTicksUpToGranted() {
        config.resendTicks = 3;
        config.resendInterval = 2;
        config.maxIncoming = 0;
        Rig rig = new Rig(config);
        rig.caller.data(1000, 10_000).bytes(1400).incoming(3000).go();
        assertThat(ticks(rig, 5)).isEqualTo("- - RESEND 1400 1600 p7 - RESEND 1400 1600 p7");
    }

    @Test
    @Pins("P-155")
    void wholePassOfTheTimer() {
        config.resendTicks = 3;
        config.resendInterval = 2;
        config.timeoutTicks = 5;
        Rig rig = new Rig(config);
        rig.caller.data(1000, 10_000).bytes(1400).go();
        rig.node.ticks(1);
        long id = rig.requestSent(100);
        assertThat(ticks(rig, 2)).isEqualTo("- RESEND 1400 8600 p7");
        assertThat(ticks(rig, 1)).isEqualTo("RESEND 0 -1 p7");
        assertThat(ticks(rig, 1)).isEqualTo("-");
        assertThat(rig.exists(1001)).as("its own five ticks are over").isFalse();
        assertThat(rig.node.poll(rig.client)).isNull();
        assertThat(ticks(rig, 1)).isEqualTo("-");
        assertThat(rig.node.take(rig.client).id()).isEqualTo(id);
    }

    @Test
    @Pins("P-157")
    void serverInServiceNeverTimesOut() {
        Rig rig = new Rig(config);
        Received request = rig.serve(1000, 100);
        assertThat(rig.node.ticks(1000)).isEmpty();
        assertThat(rig.node.reply(request, 100)).isZero();
        assertThat(rig.node.sends()).isEqualTo("DATA 100@0");
    }

    @Test
    void incompleteRequestIsGivenUpSilently() {
        Rig rig = new Rig(config);
        rig.caller.data(1000, 10_000).bytes(1400).go();
        assertThat(rig.node.ticks(config.timeoutTicks)).hasSize(19);
        assertThat(rig.exists(1001)).isFalse();
        assertThat(rig.node.ticks(50)).isEmpty();
    }

    // ---- what resets silence (spec protocol 3.6)

    /** Ticks from now until the engine asks again. */
    private static int ticksUntilResend(Rig rig) {
        for (int tick = 1; tick <= 200; tick++) {
            if (rig.node.ticks(1).stream().anyMatch(packet -> packet.word().startsWith("RESEND"))) {
                return tick;
            }
        }
        throw new AssertionError("no RESEND within 200 ticks");
    }

    @Test
    @Pins("P-069")
    void grantResetsSilenceAndCutoffsDoNot() {
        Rig rig = new Rig(config);
        long id = rig.requestSent(100);
        rig.node.ticks(3);
        rig.node.receive(rig.peer.grant(id ^ 1, 100, 0));
        assertThat(ticksUntilResend(rig)).isEqualTo(5);
        rig.node.ticks(3);
        rig.node.receive(rig.peer.cutoffs(id ^ 1, 3, 0, 0, 0, 0, 1_000_000, 15_000, 2_800, 200));
        assertThat(ticksUntilResend(rig)).isEqualTo(2);
    }

    @Test
    void repeatedGrantDoesNotPutOffTheResend() {
        config.grantFifoFraction = 0;
        Rig rig = new Rig(config);
        for (Datagram packet : rig.caller.message(1000, 20_000, 1400)) {
            rig.node.receive(packet);
        }
        assertThat(rig.node.take(rig.server).bytes()).hasSize(20_000);
        List<Datagram> packets = new ArrayList<>();
        for (int offset = 0; offset < 20_000; offset += 1400) {
            packets.add(rig.caller
                    .data(1002, 20_000)
                    .incoming(10_000)
                    .at(offset)
                    .bytes(Math.min(1400, 20_000 - offset))
                    .packet());
        }
        packets.remove(3);
        rig.node.receive(packets);
        rig.node.send();
        List<String> sent = new ArrayList<>();
        for (int tick = 0; tick < 12; tick++) {
            // Each draws GRANT(length) again in profile module.
            rig.node.receive(rig.caller.resend(1002, 0, -1, 7));
            rig.node.ticks(1).forEach(packet -> sent.add(packet.word()));
        }
        assertThat(sent).contains("GRANT 20000 p0").contains("RESEND 4200 1400 p7");
    }

    @Test
    @Pins("P-070")
    void needAckDoesNotResetSilence() {
        Rig rig = new Rig(config);
        long id = rig.requestSent(100);
        rig.node.ticks(3);
        rig.node.receive(rig.peer.needAck(id ^ 1));
        assertThat(rig.node.sends()).isEqualTo("RESEND 0 -1 p7");
        assertThat(ticksUntilResend(rig)).isEqualTo(2);
    }

    @Test
    void busyAndDroppedDataResetSilence() {
        Rig rig = new Rig(config);
        long id = rig.requestSent(100);
        rig.node.ticks(3);
        rig.node.receive(rig.peer.busy(id ^ 1));
        assertThat(ticksUntilResend(rig)).isEqualTo(5);
        rig.peer.data(id ^ 1, 5000).bytes(1400).go();
        rig.node.ticks(3);
        rig.peer.data(id ^ 1, 5000).bytes(1400).go();
        assertThat(ticksUntilResend(rig)).isEqualTo(5);
        rig.node.receive(rig.peer.resend(id ^ 1, 0, 100, 0), rig.peer.rpcUnknown(id ^ 1));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 100@0");
        assertThat(ticksUntilResend(rig)).isEqualTo(5);
        assertThat(ticks(rig, 5)).isEqualTo("- - - - RESEND 1400 3600 p7");
    }

    // ---- by itself, homa4j spaces and bounds what the module repeats for ever (design 6)

    @Test
    void needAckIsSpacedAndBoundedOutsideProfileModule() {
        Rig rig = new Rig(Rig.ownConfig());
        rig.answered(1000, 100);
        List<Sent> asked = rig.node.ticks(1200);
        assertThat(asked)
                .isNotEmpty()
                .hasSizeLessThan(30)
                .allMatch(packet -> packet.word().equals("NEED_ACK"));
        assertThat(rig.exists(1001))
                .as("D-4: a client that has vanished is given up")
                .isFalse();
    }

    @Test
    void responseThatWaitsForGrantsIsGivenUpOutsideProfileModule() {
        Rig rig = new Rig(Rig.ownConfig());
        rig.answered(1000, 20_000);
        rig.node.ticks(1200);
        assertThat(rig.exists(1001)).as("D-5").isFalse();
    }

    @Test
    void responseThatWaitsForGrantsIsKeptWhileItsClientSaysSo() {
        Rig rig = new Rig(Rig.ownConfig());
        rig.answered(1000, 20_000);
        for (int tick = 0; tick < 5_000; tick++) {
            for (Sent sent : rig.node.ticks(1)) {
                assertThat(sent.word()).isEqualTo("NEED_ACK");
                rig.node.receive(rig.caller.busy(1000));
            }
        }
        assertThat(rig.exists(1001)).isTrue();
    }

    /** One lost answer in ten is nothing special; three in a row must not end what may have to wait for hours. */
    @Test
    void responseThatWaitsForGrantsIsKeptThoughFiveAnswersOfItsClientAreLostInARow() {
        Rig rig = new Rig(Rig.ownConfig());
        rig.answered(1000, 20_000);
        int asked = 0;
        for (int tick = 0; tick < 6_000; tick++) {
            for (Sent sent : rig.node.ticks(1)) {
                assertThat(sent.word()).isEqualTo("NEED_ACK");
                if (asked++ % 6 == 5) {
                    rig.node.receive(rig.caller.busy(1000));
                }
            }
        }
        assertThat(rig.exists(1001)).isTrue();
        assertThat(asked).isLessThan(80);
    }

    @Test
    void resendsToAPatientServerAreSpacedOutsideProfileModule() {
        Rig rig = new Rig(Rig.ownConfig());
        long id = rig.requestSent(100);
        int resends = 0;
        for (int tick = 0; tick < 10_000; tick++) {
            for (Sent sent : rig.node.ticks(1)) {
                assertThat(sent.word()).isEqualTo("RESEND 0 -1 p7");
                resends++;
                rig.node.receive(rig.peer.busy(id ^ 1));
            }
        }
        assertThat(rig.exists(id)).as("ten seconds of BUSY fail nothing").isTrue();
        assertThat(resends).isBetween(40, 60);
    }

    /** Asking again for what waits in a queue makes the queue longer (design 6). */
    @Test
    void longQueuesPutOffTheFirstResendOutsideProfileModule() {
        Rig rig = new Rig(Rig.ownConfig());
        acknowledged(rig, 1000, 100_000);
        rig.requestSent(100);
        assertThat(ticksUntilResend(rig)).isEqualTo(5);
        for (int i = 1; i <= 40; i++) {
            acknowledged(rig, 1000 + 2 * i, 3 * Node.MS);
        }
        rig.requestSent(100);
        // Four times the 2.9 ms by which round trips are longer than the shortest one.
        assertThat(ticksUntilResend(rig)).isBetween(10, 13);
        for (int i = 1; i <= 40; i++) {
            acknowledged(rig, 2000 + 2 * i, 100_000);
        }
        rig.requestSent(100);
        assertThat(ticksUntilResend(rig)).as("the queue is gone").isEqualTo(5);
    }

    /** A response whose NEED_ACK is answered after so many nanoseconds. */
    private static void acknowledged(Rig rig, long id, long roundTripNs) {
        rig.answered(id, 100);
        while (rig.node.ticks(1).stream().noneMatch(packet -> packet.word().equals("NEED_ACK"))) {
            assertThat(rig.exists(id + 1)).isTrue();
        }
        rig.node.pass(roundTripNs);
        rig.node.receive(rig.caller.ack(id));
        rig.node.ticks(50);
    }

    /** A stop of the whole process counts as at most one interval of silence (design 6). */
    @Test
    void lateTurnAsksAgainButNeverTimesOutAtOnce() {
        Rig rig = new Rig(Rig.ownConfig());
        long id = rig.requestSent(100);
        rig.node.engine.nextDeadlineNs(rig.node.nowNs);
        List<Sent> sent = rig.node.pass(300_000 * Node.MS);
        assertThat(sent).hasSize(1).allMatch(packet -> packet.word().equals("RESEND 0 -1 p7"));
        assertThat(rig.exists(id)).isTrue();
        assertThat(rig.node.poll(rig.client)).isNull();
    }

    /**
     * Nor does a busy processor on which the owner runs commands and sends, but comes to look at what has arrived only now and
     * then: of a second without a look one interval counts.
     */
    @Test
    void timeInWhichNobodyLookedForPacketsIsNoSilence() {
        Config own = Rig.ownConfig();
        own.timeoutTicks = 500;
        Rig rig = new Rig(own);
        long id = rig.requestSent(100);
        rig.node.engine.nextDeadlineNs(rig.node.nowNs);
        for (int look = 0; look < 5; look++) {
            for (int ms = 0; ms < 1_000; ms++) {
                rig.node.nowNs += Node.MS;
                assertThat(rig.node.send()).as("nobody has looked").isEmpty();
                rig.node.engine.nextDeadlineNs(rig.node.nowNs);
            }
            List<Sent> sent = rig.node.pass(Node.MS);
            assertThat(sent).hasSize(1).allMatch(packet -> packet.word().equals("RESEND 0 -1 p7"));
            rig.node.engine.nextDeadlineNs(rig.node.nowNs);
        }
        rig.node.receive(rig.peer.busy(id ^ 1));
        assertThat(rig.exists(id)).isTrue();
        assertThat(rig.node.poll(rig.client)).isNull();
    }

    /** A GRANT may have crossed the NEED_ACK: what it allows is only just being sent, and asked for it would come twice. */
    @Test
    void needAckIsAnsweredWithBusyForBytesJustGrantedOutsideProfileModule() {
        Config own = Rig.ownConfig();
        Rig rig = new Rig(own);
        long id = rig.requestSent(100);
        rig.peer.data(id ^ 1, 30_000).bytes(1400).incoming(1400).go();
        assertThat(rig.node.sends()).startsWith("GRANT");
        rig.node.receive(rig.peer.needAck(id ^ 1));
        assertThat(rig.node.sends()).isEqualTo("BUSY");
    }
}
