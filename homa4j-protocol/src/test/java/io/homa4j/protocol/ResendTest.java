package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a sender does with a RESEND: BUSY, RPC_UNKNOWN, packets again, or a raised limit (spec protocol 5.5). */
class ResendTest {
    private final Config config = Rig.config();

    @Test
    @Pins("P-038")
    void unknownClientRpcDrawsRpcUnknown() {
        Rig rig = new Rig(config);
        rig.node.receive(rig.peer.resend(101, 0, -1, 7));
        List<Sent> sent = rig.node.send();
        assertThat(Node.wordsWithIds(sent)).isEqualTo("100:RPC_UNKNOWN");
    }

    /** Whose length is wrong would be told to wait for ever. */
    @Test
    void whatLiesBehindTheEndIsBusyOnlyInProfileModule() {
        Rig module = new Rig(config);
        long id = module.requestSent(1_000);
        module.node.receive(module.peer.resend(id ^ 1, 1_000, 64, 7));
        assertThat(module.node.sends()).isEqualTo("BUSY");

        Rig rig = new Rig(Rig.ownConfig());
        id = rig.requestSent(1_000);
        rig.node.receive(rig.peer.resend(id ^ 1, 1_000, 64, 7));
        assertThat(rig.node.sends()).isEmpty();
    }

    @Test
    @Pins("P-039")
    void unknownServerRpcDrawsRpcUnknown() {
        Rig rig = new Rig(config);
        rig.node.receive(rig.caller.resend(1000, 0, -1, 7));
        List<Sent> sent = rig.node.send();
        assertThat(Node.wordsWithIds(sent)).isEqualTo("1001:RPC_UNKNOWN");
    }

    @Test
    @Pins({"P-040", "P-041"})
    void requestInServiceIsBusy() {
        Rig rig = new Rig(config);
        rig.serve(1000, 5000);
        rig.serve(1002, 5000);
        rig.node.receive(rig.caller.resend(1002, 0, 1000, 7));
        assertThat(Node.wordsWithIds(rig.node.send())).isEqualTo("1003:BUSY");
    }

    @Test
    @Pins("P-042")
    void incompleteRequestIsBusyAlthoughAllGrantedBytesCame() {
        config.maxIncoming = 0;
        Rig rig = new Rig(config);
        rig.caller.data(1000, 10_000).bytes(1400).incoming(1400).go();
        assertThat(rig.info(1001).receiveGranted()).isEqualTo(1400);
        rig.node.receive(rig.caller.resend(1000, 0, 1000, 7));
        assertThat(rig.node.sends()).isEqualTo("BUSY");
    }

    /** A request of which 2800 bytes have been sent: 1400 unscheduled, then a GRANT to 2000. */
    private Rig partlySent() {
        config.unschedBytes = 1400;
        Rig rig = new Rig(config);
        rig.requestSent(10_000);
        rig.node.receive(rig.peer.grant(3, 2000, 2));
        assertThat(rig.node.sends()).isEqualTo("DATA 1400@1400");
        return rig;
    }

    @Test
    @Pins("P-043")
    void lengthMinusOneRepeatsEverythingSent() {
        Rig rig = partlySent();
        rig.node.receive(rig.peer.resend(3, 0, -1, 5));
        List<Sent> again = rig.node.send();
        assertThat(Node.words(again)).isEqualTo("AGAIN 1400@0, AGAIN 1400@1400");
        assertThat(again).allMatch(packet -> packet.data().incoming() == 2800 && packet.level() == 5);
        assertThat(again)
                .allMatch(packet -> packet.data().segmentOffset()
                                == packet.data().offset()
                        && packet.data().common().sequence() == packet.data().offset());
    }

    @Test
    @Pins("P-044")
    void clientRepeatsWhileItReceivesTheResponse() {
        Rig rig = new Rig(config);
        rig.requestSent(3000);
        rig.peer.data(3, 5000).bytes(1400).go();
        rig.node.receive(rig.peer.resend(3, 1400, 1400, 5));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1400@1400");
    }

    @Test
    @Pins("P-045")
    void rangeIsCutAtWhatHasBeenSent() {
        Rig rig = new Rig(config);
        long id = rig.request(10_000);
        assertThat(Node.words(rig.node.send(2))).isEqualTo("DATA 1400@0, DATA 1400@1400");
        rig.node.receive(rig.peer.resend(id ^ 1, 1400, 5000, 5));
        assertThat(Node.words(rig.node.send(2))).isEqualTo("AGAIN 1400@1400, DATA 1400@2800");
    }

    @Test
    @Pins("P-046")
    void rangeInsideOnePacketRepeatsThatPacket() {
        Rig rig = partlySent();
        rig.node.receive(rig.peer.resend(3, 1500, 100, 5));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1400@1400");
    }

    @Test
    @Pins("P-047")
    void rangeBeyondGrantedRaisesIt() {
        config.unschedBytes = 1400;
        Rig rig = new Rig(config);
        long id = rig.requestSent(10_000);
        rig.node.receive(rig.peer.resend(id ^ 1, 1400, 2000, 5));
        List<Sent> sent = rig.node.send();
        assertThat(sent.stream().map(Sent::word)).containsExactlyInAnyOrder("BUSY", "DATA 1400@1400", "DATA 1400@2800");
        assertThat(rig.info(id).sendGranted()).isEqualTo(3400);
        assertThat(rig.info(id).sentBytes()).isEqualTo(4200);
        // First transmissions are scheduled data: their level is that of the last GRANT, and there was none.
        assertThat(sent).filteredOn(packet -> packet.word().startsWith("DATA")).allMatch(packet -> packet.level() == 0);
    }

    @Test
    @Pins("P-049")
    void rangeBeyondTheEndRaisesGrantedToTheLength() {
        config.unschedBytes = 1400;
        Rig rig = new Rig(config);
        long id = rig.requestSent(4000);
        rig.node.receive(rig.peer.resend(id ^ 1, 1400, 100_000, 5));
        assertThat(rig.info(id).sendGranted()).isEqualTo(4000);
        assertThat(rig.node.send().stream().map(Sent::word))
                .containsExactlyInAnyOrder("BUSY", "DATA 1400@1400", "DATA 1200@2800");
    }

    @Test
    @Pins("P-050")
    void rangeNotSentYetIsBusy() {
        Rig rig = new Rig(config);
        long id = rig.request(5000);
        rig.node.receive(rig.peer.resend(id ^ 1, 0, -1, 5));
        assertThat(rig.node.send(1).getFirst().word()).isEqualTo("BUSY");
        assertThat(Node.words(rig.node.send(1))).isEqualTo("DATA 1400@0");
        rig.node.receive(rig.peer.resend(id ^ 1, 1400, 100, 5));
        assertThat(rig.node.send(1).getFirst().word()).isEqualTo("BUSY");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            4199 | 2    | 'AGAIN 1400@2800, AGAIN 1400@4200'
            4200 | 1    | 'AGAIN 1400@4200'
            4199 | 1    | 'AGAIN 1400@2800'
            0    | 1    | 'AGAIN 1400@0'
            9799 | 2    | 'AGAIN 1400@8400, AGAIN 200@9800'
            9800 | 200  | 'AGAIN 200@9800'
            9999 | 2    | 'AGAIN 200@9800, AGAIN 1400@10000'
            4200 | 0    | ''
            4200 | -2   | ''
            """)
    @Pins("P-051")
    void everyPacketThatMeetsTheRangeIsRepeated(int offset, int length, String expected) {
        Rig rig = new Rig(config);
        long id = rig.requestSent(30_000);
        rig.node.receive(rig.peer.grant(id ^ 1, 20_000, 1));
        rig.node.send();
        rig.node.receive(rig.peer.resend(id ^ 1, offset, length, 4));
        List<Sent> again = rig.node.send();
        assertThat(Node.words(again)).isEqualTo(expected);
        assertThat(again)
                .allMatch(packet -> packet.level() == 4 && packet.data().retransmit() == 1);
    }

    @Test
    @Pins("P-051")
    void rangePastTheEndRepeatsNothing() {
        Rig rig = new Rig(config);
        long id = rig.requestSent(5000);
        rig.node.receive(rig.peer.resend(id ^ 1, 5000, 100, 4));
        assertThat(rig.node.sends()).isEqualTo("BUSY");
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "0, 1000", "999, 1", "500, 5000"})
    @Pins("P-052")
    void onePacketMessageIsRepeatedWhole(int offset, int length) {
        Rig rig = new Rig(config);
        long id = rig.requestSent(1000);
        rig.node.receive(rig.peer.resend(id ^ 1, offset, length, 4));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1000@0");
    }

    @Test
    @Pins("P-053")
    void incomingOfARepeatIsTheEndOfTheRange() {
        Rig rig = new Rig(config);
        long id = rig.requestSent(10_000);
        rig.node.receive(rig.peer.resend(id ^ 1, 8600, 200, 4));
        assertThat(rig.node.send()).singleElement().satisfies(packet -> {
            assertThat(packet.word()).isEqualTo("AGAIN 1400@8400");
            assertThat(packet.data().incoming()).isEqualTo(8800);
        });
    }

    @Test
    @Pins("P-055")
    void retransmissionStopsWhenTheRpcEnds() {
        Rig rig = new Rig(config);
        long id = rig.requestSent(10_000);
        rig.node.receive(rig.peer.resend(id ^ 1, 0, -1, 4));
        assertThat(Node.words(rig.node.send(2))).isEqualTo("AGAIN 1400@0, AGAIN 1400@1400");
        rig.node.engine.forget(id, rig.node.nowNs);
        assertThat(rig.node.sends()).isEmpty();
    }

    /** D-16: the sum of two hostile numbers may not wrap, nor may a negative offset reach outside the message. */
    @Test
    void hostileRangesAreHarmless() {
        Rig rig = new Rig(config);
        long id = rig.requestSent(10_000);
        rig.node.receive(rig.peer.resend(id ^ 1, Integer.MAX_VALUE, Integer.MAX_VALUE, 4));
        assertThat(rig.node.sends()).isEqualTo("BUSY");
        rig.node.receive(rig.peer.resend(id ^ 1, Integer.MIN_VALUE, Integer.MIN_VALUE, 4));
        assertThat(rig.node.sends()).isEmpty();
        rig.node.receive(rig.peer.resend(id ^ 1, -100, 200, 250));
        assertThat(rig.node.send()).singleElement().satisfies(packet -> {
            assertThat(packet.word()).isEqualTo("AGAIN 1400@0");
            assertThat(packet.data().incoming()).isEqualTo(100);
            assertThat(packet.level()).isEqualTo(7);
        });
    }

    /** Each request for bytes that have just been repeated would otherwise multiply traffic (design 6). */
    @Test
    void bytesAreRepeatedOncePerMillisecondOutsideProfileModule() {
        config.retransmitMinIntervalNs = 1_000_000;
        Rig rig = new Rig(config);
        long id = rig.requestSent(3000);
        rig.node.receive(rig.peer.resend(id ^ 1, 0, -1, 4), rig.peer.resend(id ^ 1, 0, -1, 4));
        assertThat(rig.node.send()).hasSize(3);
        rig.node.nowNs += 1_000_000;
        rig.node.receive(rig.peer.resend(id ^ 1, 0, -1, 4));
        assertThat(rig.node.send()).hasSize(3);
    }

    /** What left less than a round trip ago cannot have been missed yet. */
    @Test
    void bytesThatCannotHaveArrivedAreNotRepeatedByDefault() {
        Rig rig = new Rig(Rig.ownConfig());
        long id = rig.requestSent(30_000);
        rig.node.nowNs += 2 * Node.MS;
        rig.node.receive(rig.peer.grant(id ^ 1, 12_000, 2));
        assertThat(rig.node.sends()).isEqualTo("DATA 1400@10000, DATA 1400@11400");
        rig.node.receive(rig.peer.resend(id ^ 1, 9_000, 3_000, 7));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1400@8400, AGAIN 200@9800");
        rig.node.nowNs += 2 * Node.MS;
        rig.node.receive(rig.peer.resend(id ^ 1, 9_000, 3_000, 7));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1400@8400, AGAIN 200@9800, AGAIN 1400@10000, AGAIN 1400@11400");
    }

    /** On a link that is busy a repeat may wait for longer than the other side does before it asks again. */
    @Test
    void bytesThatWaitToBeRepeatedAreNotQueuedAgain() {
        Config own = Rig.ownConfig();
        own.linkMbps = 5;
        Rig rig = new Rig(own);
        long id = rig.requestSent(10_000);
        rig.node.ticks(30);
        rig.node.receive(rig.peer.resend(id ^ 1, 0, 10_000, 7));
        List<String> again = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            rig.node.ticks(1).stream()
                    .map(Sent::word)
                    .filter(word -> word.startsWith("AGAIN"))
                    .forEach(again::add);
            if (i == 3 || i == 6 || i == 9) {
                rig.node.receive(rig.peer.resend(id ^ 1, 0, 10_000, 7));
            }
        }
        assertThat(again)
                .containsExactly(
                        "AGAIN 1400@0",
                        "AGAIN 1400@1400",
                        "AGAIN 1400@2800",
                        "AGAIN 1400@4200",
                        "AGAIN 1400@5600",
                        "AGAIN 1400@7000",
                        "AGAIN 1400@8400",
                        "AGAIN 200@9800");
    }

    /** What was repeated and lost again is repeated again once it has left for long enough. */
    @Test
    void bytesThatHaveLeftAreRepeatedAgainThoughOthersWait() {
        Rig rig = new Rig(Rig.ownConfig());
        long id = rig.requestSent(3_000);
        rig.node.nowNs += 2 * Node.MS;
        rig.node.receive(rig.peer.resend(id ^ 1, 0, 3_000, 7));
        assertThat(Node.words(rig.node.sendOnly(1))).startsWith("AGAIN 1400@0, AGAIN 1400@1400");
        rig.node.nowNs += 2 * Node.MS;
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1400@1400, AGAIN 200@2800");
        rig.node.nowNs += Node.MS / 2;
        rig.node.receive(rig.peer.resend(id ^ 1, 0, 3_000, 7));
        assertThat(rig.node.sends()).as("just left").isEmpty();
        rig.node.nowNs += Node.MS / 2;
        rig.node.receive(rig.peer.resend(id ^ 1, 0, 3_000, 7));
        assertThat(rig.node.sends()).contains("AGAIN 1400@0, AGAIN 1400@1400, AGAIN 200@2800");
    }

    /** A client that is being sent again what it lacks is not asked whether it has it. */
    @Test
    void needAckWaitsForRepeats() {
        Config own = Rig.ownConfig();
        own.linkMbps = 5;
        Rig rig = new Rig(own);
        Received request = rig.serve(1000, 100);
        assertThat(rig.node.reply(request, 10_000)).isZero();
        List<Sent> first = rig.node.ticks(22);
        assertThat(Node.words(first)).contains("DATA 200@9800").contains("NEED_ACK");
        rig.node.receive(rig.caller.resend(1000, 0, 10_000, 7));
        List<Sent> sent = rig.node.ticks(24);
        int last = Node.words(sent).lastIndexOf("AGAIN");
        assertThat(last).isPositive();
        assertThat(Node.words(sent).indexOf("NEED_ACK")).isGreaterThan(last);
    }
}
