package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Messages that find no receive space: who waits, who is served when some comes free, what is asked for then (spec protocol 4.5, scheduling 13). */
class SpaceWaitTest {
    private static final int MIB = 1_000_000;

    private final Config config = Rig.config();
    private Rig rig = new Rig(config);
    private final List<Received> held = new ArrayList<>();

    /** Fills the region of 4 MiB with four messages that the application keeps. */
    private void fill() {
        for (int i = 0; i < 4; i++) {
            rig.node.receive(rig.caller.message(10 + 2 * i, MIB, 8000));
            Received received = rig.node.poll(rig.server);
            assertThat(received).isNotNull();
            held.add(received);
        }
        rig.node.send();
        assertThat(rig.socket(rig.server).freeReceiveBytes()).isZero();
    }

    private void release(int i) {
        assertThat(rig.node.engine.release(rig.server, held.get(i).regionOffset(), rig.node.nowNs))
                .isZero();
    }

    private void arrive(long id, int length) {
        rig.caller.data(id, length).bytes(1400).incoming(10_000).go();
        assertThat(rig.info(id + 1).waitsForSpace()).isTrue();
        assertThat(rig.node.sends()).isEmpty();
        rig.node.nowNs += 10;
    }

    @Test
    @Pins({"S-230", "S-243", "P-161"})
    void shortestWaitingMessageIsServedFirstAndAsksForEverything() {
        fill();
        arrive(100, 500_000);
        arrive(102, 2_000);
        arrive(104, 600_000);
        arrive(106, 2_000);
        arrive(108, 131_072);
        assertThat(rig.node.count("buffer_alloc_failures")).isEqualTo(5);
        assertThat(rig.socket(rig.server).waitingForSpace()).isEqualTo(5);
        rig.node.engine.reply(held.get(0).handle(), rig.node.region(rig.server), 0, 1, null, rig.node.nowNs);
        rig.node.send();
        release(0);
        // 1 MiB: both of 2000, that of 131072 and one of 500000; the longest still waits.
        assertThat(Node.wordsWithIds(rig.node.send()))
                .isEqualTo("103:RESEND 0 -1 p6, 107:RESEND 0 -1 p6, 109:RESEND 0 -1 p6, 101:RESEND 0 -1 p6");
        assertThat(rig.socket(rig.server).waitingForSpace()).isEqualTo(1);
        assertThat(rig.info(105).waitsForSpace()).isTrue();
        // What was dropped comes again and the message is taken.
        rig.node.receive(rig.caller.message(102, 2_000, 1400));
        assertThat(rig.node.take(rig.server).bytes()).isEqualTo(Node.message(2_000));
    }

    @Test
    @Pins({"S-231", "S-242"})
    void needIsThatOfTheFirstAndThenOfTheNext() {
        fill();
        arrive(100, 600_000);
        arrive(102, 300_000);
        arrive(104, 700_000);
        release(0);
        // 512 KiB for 300000, then 600000 needs a whole MiB, which is not there.
        assertThat(Node.wordsWithIds(rig.node.send())).isEqualTo("103:RESEND 0 -1 p6");
        release(1);
        assertThat(Node.wordsWithIds(rig.node.send())).isEqualTo("101:RESEND 0 -1 p6");
        release(2);
        assertThat(Node.wordsWithIds(rig.node.send())).isEqualTo("105:RESEND 0 -1 p6");
    }

    @Test
    @Pins("S-238")
    void nobodyIsServedBeforeTheFirst() {
        // Three quarters of the region are held, and the rest in small pieces, so that the first one does not fit.
        for (int i = 0; i < 64; i++) {
            rig.caller.data(10 + 2L * i, 60_000).bytes(10).go();
        }
        rig.node.send();
        assertThat(rig.socket(rig.server).freeReceiveBytes()).isZero();
        rig.caller.data(1000, 200_000).bytes(1400).go();
        rig.caller.data(1002, 300_000).bytes(1400).go();
        rig.node.send();
        rig.node.receive(rig.caller.ack(10));
        assertThat(rig.node.sends()).as("64 KiB are not enough for the first").isEmpty();
        assertThat(rig.socket(rig.server).waitingForSpace()).isEqualTo(2);
        rig.node.receive(rig.caller.ack(12), rig.caller.ack(14));
        assertThat(rig.node.sends()).isEmpty();
        rig.node.receive(rig.caller.ack(16));
        assertThat(Node.wordsWithIds(rig.node.send())).isEqualTo("1001:RESEND 0 -1 p6");
        assertThat(rig.info(1003).waitsForSpace()).isTrue();
    }

    @Test
    @Pins("S-244")
    void withOneLevelTheResendUsesLevelZero() {
        for (int levels = 1; levels <= 3; levels++) {
            config.numPriorities = levels;
            rig = new Rig(config);
            held.clear();
            fill();
            arrive(100, 5_000);
            release(0);
            assertThat(rig.node.sends()).isEqualTo("RESEND 0 -1 p" + (levels == 3 ? 1 : 0));
        }
    }

    @Test
    @Pins("S-245")
    void messagesThatWantNoGrantsAreAskedForToo() {
        fill();
        rig.caller.data(100, 5_000).bytes(1400).incoming(5_000).go();
        release(0);
        assertThat(rig.node.sends()).isEqualTo("RESEND 0 -1 p6");
        assertThat(rig.node.engine.totalIncomingBytes()).isZero();
    }

    @Test
    @Pins("S-246")
    void whoFindsTheSpaceTakenAgainGoesOnWaiting() {
        fill();
        arrive(100, 600_000);
        // A newcomer may get memory before one that waits: it is tried directly.
        for (int i = 0; i < 2; i++) {
            release(i);
            if (i == 0) {
                assertThat(Node.wordsWithIds(rig.node.send())).isEqualTo("101:RESEND 0 -1 p6");
            }
        }
        rig.caller.data(102, 700_000).bytes(1400).go();
        assertThat(rig.info(103).waitsForSpace()).isFalse();
        rig.node.send();
        arrive(104, 800_000);
        arrive(106, 3_000);
        assertThat(rig.node.sends()).isEmpty();
        release(2);
        assertThat(Node.wordsWithIds(rig.node.send())).isEqualTo("107:RESEND 0 -1 p6");
        assertThat(rig.info(105).waitsForSpace()).isTrue();
    }

    @Test
    @Pins({"S-247", "P-161"})
    void endedRpcLeavesTheQueue() {
        fill();
        arrive(100, 5_000);
        arrive(102, 6_000);
        rig.node.receive(rig.caller.rpcUnknown(100));
        assertThat(rig.socket(rig.server).waitingForSpace()).isEqualTo(1);
        release(0);
        assertThat(Node.wordsWithIds(rig.node.send())).isEqualTo("103:RESEND 0 -1 p6");
    }

    @Test
    @Pins({"P-180", "S-248"})
    void spaceOfAnEndedRpcServesTheNext() {
        for (int i = 0; i < 4; i++) {
            rig.caller.data(10 + 2 * i, MIB).bytes(1400).go();
        }
        rig.node.send();
        arrive(100, MIB);
        rig.node.receive(rig.caller.rpcUnknown(12));
        assertThat(Node.wordsWithIds(rig.node.send())).isEqualTo("101:RESEND 0 -1 p6");
        assertThat(rig.socket(rig.server).freeReceiveBytes()).isZero();
    }

    @Test
    @Pins("S-076")
    void messageWithoutSpaceIsGrantedNothing() {
        fill();
        arrive(100, 500_000);
        rig.caller.data(100, 500_000).at(1400).bytes(1400).go();
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.node.engine.totalIncomingBytes()).isZero();
        release(0);
        assertThat(rig.node.sends()).isEqualTo("RESEND 0 -1 p6");
        rig.caller.data(100, 500_000).bytes(1400).incoming(10_000).retransmit().go();
        assertThat(rig.node.sends()).isEqualTo("GRANT 201400 p0");
    }

    // ---- release

    @Test
    @Pins({"S-236", "S-237", "S-368"})
    void onlyHeldMemoryCanBeReleased() {
        rig.caller.data(2, 5_000).bytes(1400).go();
        rig.node.receive(rig.caller.message(4, 5_000, 1400));
        Received received = rig.node.poll(rig.server);
        assertThat(received).isNotNull();
        long free = rig.socket(rig.server).freeReceiveBytes();
        long regionBytes = rig.socket(rig.server).receiveRegionBytes();
        List<Long> wrong = new ArrayList<>(List.of(-1L, -256L, regionBytes, regionBytes + 256, Long.MAX_VALUE));
        for (long at = 0; at < 100_000; at += 64) {
            if (at != received.regionOffset()) {
                wrong.add(at);
            }
        }
        for (long at : wrong) {
            assertThat(Status.of(rig.node.engine.release(rig.server, at, rig.node.nowNs)))
                    .as("offset %d", at)
                    .isEqualTo(Status.INVALID_ARGUMENT);
        }
        assertThat(rig.socket(rig.server).freeReceiveBytes()).isEqualTo(free);
        assertThat(rig.node.engine.release(rig.server, received.regionOffset(), rig.node.nowNs))
                .isZero();
        assertThat(Status.of(rig.node.engine.release(rig.server, received.regionOffset(), rig.node.nowNs)))
                .as("a second time")
                .isEqualTo(Status.INVALID_ARGUMENT);
    }

    @Test
    @Pins({"S-234", "S-367"})
    void releaseMakesRoomWhileOthersKeepTheirs() {
        fill();
        release(1);
        assertThat(rig.socket(rig.server).freeReceiveBytes()).isEqualTo(1 << 20);
        rig.node.receive(rig.caller.message(100, MIB, 8000));
        Received next = rig.node.poll(rig.server);
        assertThat(next).isNotNull();
        assertThat(next.regionOffset()).isEqualTo(held.get(1).regionOffset());
        // The bytes of the others are as they were.
        byte[] kept = rig.node
                .region(rig.server)
                .asSlice(held.get(2).regionOffset(), MIB)
                .toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
        assertThat(java.util.Arrays.equals(kept, Node.message(MIB))).isTrue();
        assertThat(rig.node.poll(rig.server)).isNull();
        release(2);
        assertThat(rig.socket(rig.server).freeReceiveBytes()).isEqualTo(1 << 20);
    }

    // ---- by itself, homa4j waits for space no longer than a second (design 6)

    @Test
    void waitForSpaceEndsWithATypedError() {
        Config own = Rig.ownConfig();
        own.hostShare = 1;
        rig = new Rig(own);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(rig.requestSent(100));
        }
        for (int i = 0; i < 4; i++) {
            rig.node.receive(rig.peer.message(ids.get(i) ^ 1, MIB, 8000));
            held.add(rig.node.poll(rig.client));
        }
        rig.peer.data(ids.get(4) ^ 1, MIB).bytes(1400).go();
        assertThat(rig.info(ids.get(4)).waitsForSpace()).isTrue();
        rig.node.ticks(own.receiveSpaceWaitTicks + 1);
        assertThat(rig.node.take(rig.client).status()).isEqualTo(Status.NO_RECEIVE_SPACE);
        assertThat(rig.node.count("receive_space_failures")).isEqualTo(1);
    }

    /** One host may hold a quarter of the region; another host is served meanwhile (design 6, bounds). */
    @Test
    void hostOverItsShareWaitsAndBlocksNobody() {
        Config own = Rig.ownConfig();
        rig = new Rig(own);
        assertThat(rig.socket(rig.server).receiveRegionBytes()).isEqualTo(4 << 20);
        rig.caller.data(2, MIB).bytes(1400).go();
        assertThat(rig.info(3).waitsForSpace()).isFalse();
        rig.caller.data(6, MIB).bytes(1400).go();
        assertThat(rig.info(7).waitsForSpace()).isTrue();
        rig.caller("10.0.0.3").data(8, MIB).bytes(1400).go();
        assertThat(rig.info(9).waitsForSpace()).isFalse();
    }

    /** Among long messages of one host those that have waited longer go first in the end; short ones never wait for them. */
    @Test
    void longMessagesThatWaitForSpaceAreNotOvertakenForEver() {
        rig = new Rig(Rig.ownConfig());
        rig.caller.data(2, 400_000).bytes(1400).go();
        rig.caller.data(4, MIB).bytes(1400).go();
        assertThat(rig.info(5).waitsForSpace()).isTrue();
        rig.caller.data(6, 400_000).bytes(1400).go();
        assertThat(rig.info(7).waitsForSpace()).as("a shorter newcomer").isFalse();
        for (int i = 0; i < 30; i++) {
            rig.node.ticks(10);
            rig.caller.data(2, 400_000).bytes(1400).at(1400 * (i + 1)).go();
            rig.caller.data(6, 400_000).bytes(1400).at(1400 * (i + 1)).go();
        }
        rig.node.receive(rig.caller.ack(2));
        rig.caller.data(8, 400_000).bytes(1400).go();
        assertThat(rig.info(9).waitsForSpace()).as("a newcomer after 300 ticks").isTrue();
        rig.caller.data(10, 1_000).bytes(1000).go();
        assertThat(rig.info(11).waitsForSpace()).as("a short message").isFalse();

        rig.node.receive(rig.caller.ack(6));
        rig.node.receive(rig.caller.ack(10));

        assertThat(rig.info(5).waitsForSpace()).isFalse();
        assertThat(rig.info(9).waitsForSpace()).isTrue();
    }
    /** Eight long messages would fill the share of their host; some of it stays for shorter ones, which pass them. */
    @Test
    void longMessagesLeaveSomeOfTheirHostsShareToShorterOnes() {
        rig = new Rig(Rig.ownConfig());
        int server = rig.node.open(98, true, 32 << 20);
        Injector caller = new Injector(rig.node, "10.0.0.2", Rig.CALLER_PORT, 98);
        for (int i = 0; i < 10; i++) {
            caller.data(2 + 2 * i, 1_000_000).bytes(1400).go();
        }
        long waiting = rig.infos(server).stream().filter(RpcInfo::waitsForSpace).count();
        assertThat(waiting).isEqualTo(3);

        caller.data(100, 100_000).bytes(1400).go();

        assertThat(rig.infos(server).stream().filter(rpc -> rpc.id() == 101).noneMatch(RpcInfo::waitsForSpace))
                .isTrue();
    }

    /** What has not been taken cannot have run: a request given up for want of space may be started again. */
    @Test
    void requestGivenUpForWantOfSpaceMayComeAgain() {
        Config own = Rig.ownConfig();
        rig = new Rig(own);
        rig.caller.data(2, MIB).bytes(1400).go();
        rig.caller.data(4, MIB).bytes(1400).go();
        assertThat(rig.info(5).waitsForSpace()).isTrue();
        for (int i = 0; i < own.receiveSpaceWaitTicks / 100 + 1; i++) {
            rig.node.ticks(100);
            rig.caller.data(2, MIB).bytes(1400).at(1400 * (i + 1)).go();
        }
        assertThat(rig.exists(5)).isFalse();

        rig.caller.data(4, MIB).bytes(1400).go();

        assertThat(rig.info(5).waitsForSpace()).isTrue();
    }

    /** A host has a share of each socket's region: waiting for that of one holds up nothing at another. */
    @Test
    void messageThatWaitsForItsHostsShareHoldsUpNoOtherSocket() {
        rig = new Rig(Rig.ownConfig());
        int other = rig.node.server(98);
        Injector toOther = new Injector(rig.node, "10.0.0.2", Rig.CALLER_PORT, 98);
        rig.caller.data(2, MIB).bytes(1400).go();
        rig.caller.data(4, 400_000).bytes(1400).go();
        toOther.data(6, MIB).bytes(1400).go();
        toOther.data(8, 500_000).bytes(1400).go();
        assertThat(rig.info(5).waitsForSpace()).isTrue();
        assertThat(rig.socket(other).waitingForSpace()).isEqualTo(1);

        rig.node.receive(toOther.ack(6));

        assertThat(rig.socket(other).waitingForSpace()).isZero();
        assertThat(rig.info(5).waitsForSpace()).isTrue();
    }

    /** What a host's messages wait for may change from its share to space; then they need not wait for each other any more. */
    @Test
    void messagesOfAHostUnderItsShareAreServedFromEverybodysSpace() {
        rig = new Rig(Rig.ownConfig());
        int server = rig.node.open(98, true, 32 << 20);
        Injector greedy = new Injector(rig.node, "10.0.8.1", Rig.CALLER_PORT, 98);
        Injector other = new Injector(rig.node, "10.0.8.2", Rig.CALLER_PORT, 98);
        for (int i = 0; i < 32; i++) {
            (i < 29 ? greedy : other).data(100 + 2 * i, 200_000).bytes(1400).go();
        }
        for (int i = 0; i < 24; i++) {
            new Injector(rig.node, "10.0.8." + (3 + i / 7), Rig.CALLER_PORT, 98)
                    .data(200 + 2 * i, MIB)
                    .bytes(1400)
                    .go();
        }
        assertThat(rig.socket(server).freeReceiveBytes()).isZero();
        greedy.data(300, 400_000).bytes(1400).go();
        rig.node.ticks(60);
        greedy.data(302, 200_000).bytes(1400).go();
        assertThat(rig.socket(server).waitingForSpace()).isEqualTo(2);
        // Half of what the first needs, in a share that then suffices for both.
        rig.node.receive(greedy.ack(100));
        assertThat(rig.socket(server).waitingForSpace()).isEqualTo(2);

        rig.node.receive(new Injector(rig.node, "10.0.8.3", Rig.CALLER_PORT, 98).ack(200));

        assertThat(rig.socket(server).waitingForSpace()).isZero();
    }

    /** A response that waits for space is still wanted: its server would otherwise give it up before there is any. */
    @Test
    void whileAResponseWaitsForSpaceItsServerIsToldThatItIsWanted() {
        rig = new Rig(Rig.ownConfig());
        long[] ids = new long[5];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = rig.requestSent(100);
        }
        for (int i = 0; i < 4; i++) {
            rig.node.receive(rig.peer.message(ids[i] ^ 1, MIB, 8000));
            held.add(rig.node.poll(rig.client));
        }
        rig.peer.data(ids[4] ^ 1, MIB).bytes(1400).go();
        assertThat(rig.info(ids[4]).waitsForSpace()).isTrue();
        rig.node.ticks(3);

        rig.node.receive(rig.peer.needAck(ids[4] ^ 1));

        assertThat(Node.wordsWithIds(rig.node.send())).isEqualTo(ids[4] + ":BUSY");
    }
}
