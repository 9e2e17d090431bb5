package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.wire.CutoffsPacket;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Peers that have not proved to receive at their address (design 6): what they may have, and how they prove it. */
class StrangersTest {
    private static Config config() {
        Config config = Rig.ownConfig();
        config.proveReachability = true;
        return config;
    }

    private static int toldVersion(List<Sent> sent) {
        return sent.stream()
                .filter(packet -> packet.packet() instanceof CutoffsPacket)
                .map(packet -> ((CutoffsPacket) packet.packet()).version())
                .findFirst()
                .orElseThrow(() -> new AssertionError("no CUTOFFS in " + Node.words(sent)));
    }

    @Test
    void strangerGetsNoMoreThanThreeTimesWhatItSent() {
        Rig rig = new Rig(config());
        rig.caller.data(12, 100).cutoffVersion(0).go();
        List<Sent> first = rig.node.send();
        assertThat(rig.node.reply(rig.node.take(rig.server), 50_000)).isZero();
        List<Sent> all = new java.util.ArrayList<>(first);
        all.addAll(rig.node.ticks(150));

        assertThat(all.stream()
                        .mapToInt(packet -> packet.packet().length() + 28)
                        .sum())
                .isLessThanOrEqualTo(3 * (56 + 100 + 28));
        assertThat(Node.words(all))
                .contains("CUTOFFS")
                .contains("RESEND 0 1 p7")
                .doesNotContain("DATA");
        assertThat(rig.exists(13)).as("the response is given up after a while").isFalse();
    }

    @Test
    void echoedVersionLetsTheResponseGo() {
        Rig rig = new Rig(config());
        rig.caller.data(12, 100).cutoffVersion(0).go();
        int version = toldVersion(rig.node.send());
        assertThat(version).isPositive();
        rig.node.reply(rig.node.take(rig.server), 5_000);
        rig.node.send();

        rig.caller.data(12, 100).cutoffVersion(version).retransmit().go();

        assertThat(rig.node.sends()).isEqualTo("DATA 1400@0, DATA 1400@1400, DATA 1400@2800, DATA 800@4200");
        assertThat(rig.node.count("proofs")).isEqualTo(1);
    }

    /** A request in two packets of one tick: the first asks for the proof, the answer to the second must not wait for ever. */
    @Test
    void responseThatWaitsForAProofAskedForInTheSameTickIsGivenUpToo() {
        Rig rig = new Rig(config());
        rig.caller.data(12, 100).bytes(50).incoming(50).cutoffVersion(0).go();
        rig.caller.data(12, 100).at(50).bytes(50).incoming(50).cutoffVersion(0).go();
        assertThat(rig.node.reply(rig.node.take(rig.server), 50_000)).isZero();
        rig.node.send();
        rig.node.ticks(250);

        assertThat(rig.exists(13)).isFalse();
        assertThat(rig.socket(rig.server).outgoingBytes()).isZero();
    }

    /** Over IP 146 it makes a record of the address; anybody can forge it. */
    @Test
    void pathMtuProvesNothing() {
        Rig rig = new Rig(config());
        rig.node.engine.pathMtu(rig.caller.hi, rig.caller.lo, 1_400);
        rig.caller.data(12, 100).cutoffVersion(0).go();
        assertThat(rig.node.reply(rig.node.take(rig.server), 50_000)).isZero();
        assertThat(bytes(rig.node.send())).isLessThanOrEqualTo(3 * (56 + 100 + 28));
    }

    /** RPC_UNKNOWN counts too, beside a response that takes all it may. */
    @Test
    void answersToUnknownRpcsCountForTheThreefold() {
        Rig rig = new Rig(config());
        rig.caller.data(12, 1_000).cutoffVersion(0).go();
        long received = 56 + 1_000 + 28;
        assertThat(rig.node.reply(rig.node.take(rig.server), 50_000)).isZero();
        long sent = bytes(rig.node.send());
        for (int i = 0; i < 60; i++) {
            rig.node.receive(rig.caller.resend(1_000 + 2 * i, 0, -1, 7));
            received += 37 + 28;
            sent += bytes(rig.node.send());
            assertThat(sent).isLessThanOrEqualTo(3 * received);
            rig.node.ticks(i % 4 == 3 ? 1 : 0);
        }
        assertThat(rig.node.count("packets_sent_RPC_UNKNOWN")).isPositive();
        assertThat(rig.node.count("packets_sent_DATA")).isGreaterThan(2);
    }

    private static long bytes(List<Sent> packets) {
        return packets.stream()
                .mapToLong(packet -> packet.packet().length() + 28)
                .sum();
    }

    @Test
    void guessingTheVersionEndsAfterAFewTries() {
        Rig rig = new Rig(config());
        rig.caller.data(12, 10_000).bytes(1).incoming(10_000).cutoffVersion(0).go();
        int version = toldVersion(rig.node.send());
        for (int guess = 1; guess <= 20; guess++) {
            int wrong = guess == version ? guess + 100 : guess;
            rig.caller.data(12, 10_000).bytes(1).at(guess).cutoffVersion(wrong).go();
        }
        rig.caller.data(12, 10_000).bytes(1).at(50).cutoffVersion(version).go();

        assertThat(rig.node.count("proofs")).isZero();
        assertThat(rig.node.count("proof_guesses")).isEqualTo(1);
    }

    @Test
    void staleVersionFromAFormerServerDoesNotPreventTheProof() {
        Rig rig = new Rig(config());
        rig.caller.data(12, 10_000).bytes(1_000).cutoffVersion(4_711).go();
        int version = toldVersion(rig.node.send());
        for (int i = 1; i < 9; i++) {
            rig.caller
                    .data(12, 10_000)
                    .bytes(1_000)
                    .at(i * 1_000)
                    .cutoffVersion(4_711)
                    .go();
        }
        rig.caller
                .data(12, 10_000)
                .bytes(1_000)
                .at(9_000)
                .cutoffVersion(version)
                .go();

        assertThat(rig.node.count("proofs")).isEqualTo(1);
    }

    @Test
    void strangersTakeNoGrantSlotsFromThoseWhoAnswer() {
        Rig rig = new Rig(config());
        for (int i = 0; i < 8; i++) {
            rig.caller("10.0.1." + i)
                    .data(100 + 2 * i, 1_000)
                    .bytes(1)
                    .incoming(0)
                    .cutoffVersion(0)
                    .go();
        }
        rig.node.send();
        rig.caller.data(12, 100).cutoffVersion(0).go();
        int version = toldVersion(rig.node.send());
        rig.node.take(rig.server);
        rig.caller
                .data(14, 500_000)
                .bytes(1_400)
                .incoming(1_400)
                .cutoffVersion(version)
                .go();

        assertThat(rig.node.sends()).startsWith("GRANT ");
    }

    @Test
    void longMessageOfAStrangerIsGrantedOnceItHasProvedItself() {
        Rig rig = new Rig(config());
        rig.caller
                .data(12, 100_000)
                .bytes(1_400)
                .incoming(1_400)
                .cutoffVersion(0)
                .go();
        List<Sent> sent = rig.node.send();
        assertThat(Node.words(sent)).contains("RESEND 0 1 p7").doesNotContain("GRANT");
        rig.caller
                .data(12, 100_000)
                .bytes(1_400)
                .incoming(1)
                .cutoffVersion(toldVersion(sent))
                .retransmit()
                .go();

        assertThat(rig.node.sends()).startsWith("GRANT ");
    }

    @Test
    void refusedStrangerIsToldTheTableAndComesBackProven() {
        Config config = config();
        config.maxPeers = 16;
        config.unprovenShare = 8;
        Rig rig = new Rig(config);
        rig.caller("10.0.1.1").data(100, 1_000).bytes(1).cutoffVersion(0).go();
        rig.caller("10.0.1.2").data(100, 1_000).bytes(1).cutoffVersion(0).go();
        rig.node.send();

        rig.caller.data(12, 100).cutoffVersion(0).go();
        List<Sent> answer = rig.node.send();
        assertThat(rig.exists(13)).isFalse();
        assertThat(rig.node.count("unproven_refused")).isEqualTo(1);
        rig.caller.data(12, 100).cutoffVersion(toldVersion(answer)).retransmit().go();

        assertThat(rig.exists(13)).isTrue();
        assertThat(rig.node.reply(rig.node.take(rig.server), 5_000)).isZero();
        assertThat(rig.node.sends()).startsWith("DATA 1400@0");
    }

    @Test
    void strangersPushOutNobodyWhoHasProvedItself() {
        Config config = config();
        config.maxPeers = 32;
        config.unprovenShare = 8;
        Rig rig = new Rig(config);
        rig.caller.data(12, 100).cutoffVersion(0).go();
        int version = toldVersion(rig.node.send());
        rig.caller.data(14, 100).cutoffVersion(version).go();
        rig.node.take(rig.server);
        rig.node.take(rig.server);
        for (int i = 0; i < 200; i++) {
            rig.caller("10.0.2." + i).data(100, 100).cutoffVersion(0).go();
            rig.node.ticks(1);
        }

        rig.caller.data(16, 100).cutoffVersion(version).go();
        assertThat(rig.exists(17)).isTrue();
        assertThat(rig.node.engine.peerCount()).isLessThanOrEqualTo(32);
        assertThat(rig.node.count("proofs"))
                .as("the peer was not forgotten meanwhile")
                .isEqualTo(1);
    }

    @Test
    void hostOverItsShareOfReceiveSpaceHoldsUpNobodyElse() {
        Rig rig = new Rig(Rig.ownConfig());
        Injector greedy = rig.caller("10.0.3.1");
        for (int i = 0; i < 40; i++) {
            greedy.data(200 + 2 * i, 60_000).bytes(1_400).incoming(1_400).go();
        }
        int overShare = rig.socket(rig.server).waitingForSpace();
        assertThat(overShare).isPositive();
        for (int i = 0; i < 3; i++) {
            rig.caller("10.0.4." + i)
                    .data(400, 1_000_000)
                    .bytes(1_400)
                    .incoming(1_400)
                    .go();
        }
        rig.caller.data(12, 500_000).bytes(1_400).incoming(1_400).go();
        assertThat(rig.info(13).waitsForSpace()).as("the region is full").isTrue();

        rig.node.receive(rig.caller("10.0.4.0").ack(400));

        assertThat(rig.info(13).waitsForSpace()).isFalse();
        assertThat(rig.socket(rig.server).waitingForSpace()).isEqualTo(overShare);
    }

    /** A message that found the share of the unproven full, of which others hold all, gets space when its peer proves itself. */
    @Test
    void proofGivesWaitingMessagesOfThePeerTheirSpace() {
        Rig rig = new Rig(config());
        Injector other = rig.caller("10.0.0.9");
        other.data(12, 300_000).bytes(1_400).incoming(1_400).cutoffVersion(0).go();
        rig.node.send();
        rig.caller
                .data(14, 400_000)
                .bytes(1_400)
                .incoming(1_400)
                .cutoffVersion(0)
                .go();
        int version = toldVersion(rig.node.send());
        assertThat(rig.info(13).waitsForSpace()).isFalse();
        assertThat(rig.info(15).waitsForSpace()).isTrue();

        rig.caller
                .data(14, 400_000)
                .bytes(1_400)
                .incoming(1_400)
                .cutoffVersion(version)
                .go();

        assertThat(rig.info(15).waitsForSpace()).isFalse();
        assertThat(rig.node.sends()).contains("RESEND 0 -1 p6");
    }

    @Test
    void cutoffsAreBelievedOnlyForALiveRpc() {
        Rig rig = new Rig(config());
        long id = rig.call(100);
        rig.node.receive(rig.peer.cutoffs(id ^ 1, 77, 0, 0, 0, 0, 0, 0, 0, 1_000_000));
        rig.node.ticks(3);
        long next = rig.request(100);

        assertThat(rig.node.send().getLast().data().cutoffVersion()).isZero();
        assertThat(next).isEqualTo(id + 2);
    }

    /** A refused stranger leaves no record, but its guesses count. */
    @Test
    void guessesOfRefusedStrangersAreCountedToo() {
        Config config = config();
        config.maxPeers = config.unprovenShare;
        Rig rig = new Rig(config);
        rig.caller.data(12, 10_000).bytes(1_000).cutoffVersion(0).go();
        rig.node.send();
        Injector other = rig.caller("10.0.5.1");
        other.data(14, 100).cutoffVersion(0).go();
        int version = toldVersion(rig.node.send());
        for (int guess = 1; guess <= 20; guess++) {
            other.data(14, 100).cutoffVersion(guess == version ? 100 : guess).go();
        }
        other.data(14, 100).cutoffVersion(version).go();

        assertThat(rig.node.poll(rig.server)).isNull();
        assertThat(rig.node.count("proof_guesses")).isEqualTo(1);
        assertThat(rig.node.count("proofs")).isZero();
    }

    @Test
    void guessesAreForgottenAfterAWhile() {
        Rig rig = new Rig(config());
        rig.caller.data(12, 100).cutoffVersion(0).go();
        int version = toldVersion(rig.node.send());
        for (int guess = 1; guess <= 20; guess++) {
            rig.caller
                    .data(12, 100)
                    .cutoffVersion(guess == version ? 100 : guess)
                    .go();
        }
        rig.node.pass(10_000 * Node.MS);
        rig.caller.data(14, 100).cutoffVersion(version).go();

        assertThat(rig.node.count("proofs")).isEqualTo(1);
    }

    /** The first message of a newcomer finds no space because strangers hold their share: it may prove itself all the same. */
    @Test
    void newcomerProvesItselfWithoutSpace() {
        Rig rig = new Rig(config());
        rig.caller("10.0.5.1").data(12, 400_000).bytes(1_400).cutoffVersion(0).go();
        rig.node.send();
        rig.caller.data(14, 100).cutoffVersion(0).go();
        assertThat(rig.info(15).waitsForSpace()).isTrue();
        List<Sent> told = rig.node.send();
        assertThat(Node.words(told)).contains("RESEND 0 1 p7");

        rig.caller.data(14, 100).cutoffVersion(toldVersion(told)).retransmit().go();

        assertThat(rig.node.take(rig.server).bytes()).isEqualTo(Node.message(100));
    }

    @Test
    void strangersThatWaitForSpaceHoldUpNobodyElse() {
        Rig rig = new Rig(config());
        for (int i = 0; i < 3; i++) {
            proven(rig, "10.0.6." + i).data(12, 1_000_000).bytes(1_400).go();
        }
        Injector last = proven(rig, "10.0.6.3");
        Injector waiting = proven(rig, "10.0.6.4");
        rig.caller("10.0.5.1").data(12, 400_000).bytes(1_400).cutoffVersion(0).go();
        last.data(12, 300_000).bytes(1_400).go();
        waiting.data(16, 400_000).bytes(1_400).go();
        rig.caller("10.0.5.2").data(18, 200).bytes(100).cutoffVersion(0).go();
        assertThat(rig.info(17).waitsForSpace()).isTrue();
        assertThat(rig.info(19).waitsForSpace()).isTrue();

        rig.node.receive(last.ack(12));

        assertThat(rig.info(17).waitsForSpace()).isFalse();
        assertThat(rig.info(19).waitsForSpace()).isTrue();
    }

    /** A message that waited for its host's share, and then for the region, gets space whoever gives it back. */
    @Test
    void messageUnderItsShareIsServedFromEverybodysSpace() {
        Rig rig = new Rig(Rig.ownConfig());
        Injector greedy = rig.caller("10.0.7.1");
        greedy.data(12, 400_000).bytes(1_400).go();
        greedy.data(14, 400_000).bytes(1_400).go();
        greedy.data(16, 900_000).bytes(1_400).go();
        for (int i = 2; i < 5; i++) {
            rig.caller("10.0.7." + i).data(12, 1_000_000).bytes(1_400).go();
        }
        rig.caller("10.0.7.5").data(18, 400_000).bytes(1_400).go();
        assertThat(rig.socket(rig.server).waitingForSpace()).isEqualTo(2);
        rig.node.receive(greedy.ack(12));
        assertThat(rig.info(19).waitsForSpace()).isFalse();
        rig.node.receive(greedy.ack(14));
        assertThat(rig.info(17).waitsForSpace())
                .as("half of what it needs is free")
                .isTrue();

        rig.node.receive(rig.caller("10.0.7.2").ack(12));

        assertThat(rig.info(17).waitsForSpace()).isFalse();
    }

    /** A made-up client that has proved to receive at its address. */
    private static Injector proven(Rig rig, String address) {
        Injector client = rig.caller(address);
        client.data(2, 100).cutoffVersion(0).go();
        int version = toldVersion(rig.node.send());
        client.data(4, 100).cutoffVersion(version).go();
        for (int i = 0; i < 2; i++) {
            rig.node.engine.dismiss(rig.node.take(rig.server).handle(), rig.node.nowNs);
        }
        return client;
    }

    /** Not only the request that brought the proof: all of a peer that has proved itself leave the share of the others. */
    @Test
    void proofFreesWhatEarlierRequestsOfThePeerHold() {
        Rig rig = new Rig(config());
        rig.caller.data(12, 2_000).bytes(1_400).cutoffVersion(0).go();
        int version = toldVersion(rig.node.send());
        rig.caller
                .data(14, 300_000)
                .bytes(1_400)
                .incoming(1_400)
                .cutoffVersion(0)
                .go();
        rig.caller.data(12, 2_000).bytes(600).at(1_400).cutoffVersion(version).go();

        rig.caller("10.0.0.3")
                .data(16, 400_000)
                .bytes(1_400)
                .incoming(1_400)
                .cutoffVersion(0)
                .go();

        assertThat(rig.info(15).waitsForSpace()).isFalse();
        assertThat(rig.info(17).waitsForSpace()).isFalse();
    }

    /** As above, but the proof comes with a new request. */
    @Test
    void proofByANewRequestFreesWhatEarlierOnesHold() {
        Rig rig = new Rig(config());
        rig.caller
                .data(12, 300_000)
                .bytes(1_400)
                .incoming(1_400)
                .cutoffVersion(0)
                .go();
        int version = toldVersion(rig.node.send());
        rig.caller.data(14, 100).cutoffVersion(version).go();
        assertThat(rig.node.count("proofs")).isEqualTo(1);

        rig.caller("10.0.0.3")
                .data(16, 400_000)
                .bytes(1_400)
                .incoming(1_400)
                .cutoffVersion(0)
                .go();

        assertThat(rig.info(17).waitsForSpace()).isFalse();
    }

    /** We choose to talk to a stranger: its earlier requests are no stranger's any more. */
    @Test
    void requestToAStrangerFreesWhatItsRequestsHold() {
        Rig rig = new Rig(config());
        rig.caller
                .data(12, 300_000)
                .bytes(1_400)
                .incoming(1_400)
                .cutoffVersion(0)
                .go();
        rig.caller
                .data(14, 400_000)
                .bytes(1_400)
                .incoming(1_400)
                .cutoffVersion(0)
                .go();
        assertThat(rig.info(15).waitsForSpace()).isTrue();

        rig.request(100);

        assertThat(rig.info(15).waitsForSpace()).isFalse();
        rig.caller("10.0.0.3")
                .data(16, 400_000)
                .bytes(1_400)
                .incoming(1_400)
                .cutoffVersion(0)
                .go();
        assertThat(rig.info(17).waitsForSpace()).isFalse();
    }

    /** Each packet of a stranger lets as much go as it pays for; the rest is not tried in vain again and again. */
    @Test
    void bytesOfAStrangerWakeNoMoreResponsesThanTheyPayFor() {
        Rig rig = new Rig(config());
        for (int i = 0; i < 100; i++) {
            rig.caller.data(100 + 2 * i, 10).cutoffVersion(0).go();
            assertThat(rig.node.reply(rig.node.take(rig.server), 1_400)).isZero();
        }
        rig.node.send();
        long waits = rig.node.count("proof_waits");
        long sent = rig.node.count("packets_sent_DATA");
        assertThat(waits).isGreaterThan(80);
        for (int i = 0; i < 60; i++) {
            rig.caller.data(100, 10).cutoffVersion(0).go();
            rig.node.send();
        }
        assertThat(rig.node.count("packets_sent_DATA") - sent).isBetween(3L, 20L);
        assertThat(rig.node.count("proof_waits") - waits).isLessThan(20);
    }

    /** A stranger whose process was stopped, or whose packets waited for long, is no worse off than one that was never heard of. */
    @Test
    void requestOfAStrangerGivenUpBeforeItWasWholeMayComeAgain() {
        Rig rig = new Rig(config());
        rig.caller.data(12, 2_000).bytes(1_400).incoming(1_400).cutoffVersion(0).go();
        int version = toldVersion(rig.node.send());
        rig.node.ticks(150);
        assertThat(rig.exists(13)).isFalse();

        rig.caller
                .data(12, 2_000)
                .bytes(1_400)
                .cutoffVersion(version)
                .retransmit()
                .go();
        rig.caller
                .data(12, 2_000)
                .at(1_400)
                .bytes(600)
                .cutoffVersion(version)
                .retransmit()
                .go();

        assertThat(rig.node.take(rig.server).bytes()).isEqualTo(Node.message(2_000));
    }
}
