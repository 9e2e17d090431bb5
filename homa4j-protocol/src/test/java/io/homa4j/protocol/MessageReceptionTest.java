package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Reception of a message: its start, gaps, and what is taken of each packet (spec protocol 4). Profile module. */
class MessageReceptionTest {
    private static final int LENGTH = 10_000;
    private static final long ID = 1000;

    private final Config config = Rig.config();
    private Rig rig = new Rig(config);

    // ---- start

    @ParameterizedTest
    @CsvSource({"127, 100, 100", "128, 500, 128", "128, 0, 0", "128, -1, 0"})
    @Pins({"P-094", "S-003"})
    void grantedStartsAsIncomingClippedToTheLength(int length, int incoming, int granted) {
        config.maxIncoming = 0;
        rig = new Rig(config);
        rig.caller.data(ID, length).bytes(50).incoming(incoming).go();
        assertThat(rig.info(ID + 1).receiveGranted()).isEqualTo(granted);
        assertThat(rig.info(ID + 1).receiveLength()).isEqualTo(length);
        assertThat(rig.node.sends()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {1_000_001, -1, Integer.MIN_VALUE})
    @Pins({"P-095", "P-096"})
    void illegalLengthIsRejected(int length) {
        rig.caller.data(ID, length).bytes(50).incoming(50).go();
        assertThat(rig.exists(ID + 1)).isFalse();
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.node.count("illegal_lengths")).isEqualTo(1);
        long id = rig.requestSent(100);
        rig.peer.data(id ^ 1, length).bytes(50).go();
        // D-2: the client RPC is as if nothing had come.
        assertThat(rig.info(id).receiveLength()).isEqualTo(-1);
        rig.respond(id, 100);
        assertThat(rig.node.take(rig.client).length()).isEqualTo(100);
    }

    /** D-3: the module takes such a message and never ends it. */
    @Test
    void lengthZeroIsRejected() {
        rig.caller.data(ID, 0).bytes(0).go();
        assertThat(rig.exists(ID + 1)).isFalse();
    }

    @Test
    @Pins("P-099")
    void firstResponsePacketSetsLengthRemainingAndGranted() {
        config.maxIncoming = 0;
        rig = new Rig(config);
        long id = rig.requestSent(100);
        rig.peer.data(id ^ 1, LENGTH).at(1400).bytes(1400).incoming(5000).go();
        RpcInfo info = rig.info(id);
        assertThat(info.receiveLength()).isEqualTo(LENGTH);
        assertThat(info.receiveRemaining()).isEqualTo(LENGTH - 1400);
        assertThat(info.receiveGranted()).isEqualTo(5000);
    }

    @Test
    void laterPacketsDoNotChangeLengthOrGranted() {
        config.maxIncoming = 0;
        rig = new Rig(config);
        rig.caller.data(ID, LENGTH).bytes(1400).incoming(2000).go();
        rig.caller.data(ID, 20_000).at(1400).bytes(1400).incoming(9000).go();
        RpcInfo info = rig.info(ID + 1);
        assertThat(info.receiveLength()).isEqualTo(LENGTH);
        assertThat(info.receiveGranted()).isEqualTo(2000);
        assertThat(info.receiveRemaining()).isEqualTo(LENGTH - 2800);
    }

    // ---- gaps; what is missing is seen in the RESENDs that silence brings

    private void take(int... offsetsAndBytes) {
        for (int i = 0; i < offsetsAndBytes.length; i += 2) {
            rig.caller
                    .data(ID, LENGTH)
                    .at(offsetsAndBytes[i])
                    .bytes(offsetsAndBytes[i + 1])
                    .go();
        }
    }

    /** The missing ranges as {@code 1400..4200}, the tail included. */
    private String missing() {
        return rig.node.ticks(config.resendTicks).stream()
                .map(Sent::word)
                .map(word -> word.split(" "))
                .map(words -> words[1] + ".." + (Integer.parseInt(words[1]) + Integer.parseInt(words[2])))
                .collect(Collectors.joining(" "));
    }

    private int remaining() {
        return rig.info(ID + 1).receiveRemaining();
    }

    @Test
    @Pins("P-100")
    void packetsInAnyOrderOpenAndCloseGaps() {
        take(1400, 1400);
        assertThat(rig.info(ID + 1).gapBytes()).isEqualTo(1400);
        take(4200, 800);
        assertThat(rig.info(ID + 1).gaps()).isEqualTo(2);
        assertThat(rig.info(ID + 1).gapBytes()).isEqualTo(2800);
        take(0, 1400);
        assertThat(rig.info(ID + 1).gaps()).isEqualTo(1);
        take(2800, 1400);
        assertThat(rig.info(ID + 1).gaps()).isZero();
        assertThat(remaining()).isEqualTo(5000);
        assertThat(missing()).isEqualTo("5000..10000");
    }

    @Test
    @Pins("P-101")
    void offsetNear2To32IsRejected() {
        take(0, 1400, 0xFFFFFFF0, 1400);
        assertThat(remaining()).isEqualTo(LENGTH - 1400);
        assertThat(missing()).isEqualTo("1400..10000");
    }

    @Test
    @Pins({"P-102", "P-123"})
    void packetAcrossTheEndIsDroppedWhole() {
        take(0, 1400, 9000, 1001);
        assertThat(remaining()).isEqualTo(LENGTH - 1400);
        assertThat(rig.node.count("packet_discards")).isEqualTo(1);
        take(9000, 1000);
        assertThat(remaining()).isEqualTo(LENGTH - 2400);
    }

    @Test
    @Pins("P-103")
    void consecutivePacketsLeaveNoGap() {
        take(0, 1400, 1400, 1400);
        assertThat(rig.info(ID + 1).gaps()).isZero();
        assertThat(missing()).isEqualTo("2800..10000");
    }

    @Test
    @Pins("P-104")
    void packetAheadOpensAGap() {
        take(0, 1400, 4200, 1400);
        assertThat(rig.info(ID + 1).gaps()).isEqualTo(1);
        assertThat(missing()).isEqualTo("1400..4200 5600..10000");
    }

    /** With [0, 1400) and [4200, 5600) here, so that [1400, 4200) is a gap. */
    @ParameterizedTest(name = "{0} bytes at {1}: {2}")
    @CsvSource({
        "1400, 0,    1400..4200 5600..10000",
        "1400, 4200, 1400..4200 5600..10000",
    })
    @Pins("P-105")
    void duplicateIsDropped(int bytes, int offset, String missing) {
        take(0, 1400, 4200, 1400, offset, bytes);
        assertThat(missing()).isEqualTo(missing);
        assertThat(rig.node.count("packet_discards")).isEqualTo(1);
    }

    @Test
    @Pins("P-106")
    void overlapWithTheStartOfAGapFromBelowIsDroppedWhole() {
        take(0, 1400, 4200, 1400, 1000, 1400);
        assertThat(missing()).isEqualTo("1400..4200 5600..10000");
    }

    @Test
    @Pins("P-107")
    void packetLongerThanTheGapItStartsWithIsDroppedWhole() {
        take(0, 1400, 4200, 1400, 1400, 2801);
        assertThat(missing()).isEqualTo("1400..4200 5600..10000");
    }

    @Test
    @Pins("P-108")
    void packetAtTheStartShortensTheGap() {
        take(0, 1400, 4200, 1400, 1400, 1400);
        assertThat(missing()).isEqualTo("2800..4200 5600..10000");
    }

    @Test
    @Pins("P-109")
    void packetEqualToTheGapRemovesIt() {
        take(0, 1400, 4200, 1400, 1400, 2800);
        assertThat(missing()).isEqualTo("5600..10000");
    }

    @Test
    @Pins("P-110")
    void packetAcrossTheReceivedEndIsDroppedWhole() {
        take(0, 1400, 4200, 1400, 5000, 1400);
        assertThat(missing()).isEqualTo("1400..4200 5600..10000");
    }

    @Test
    @Pins("P-111")
    void overlapWithTheEndOfAGapIsDroppedWhole() {
        take(0, 1400, 4200, 1400, 3000, 1400);
        assertThat(missing()).isEqualTo("1400..4200 5600..10000");
    }

    @Test
    @Pins("P-112")
    void packetAtTheEndShortensTheGap() {
        take(0, 1400, 4200, 1400, 2800, 1400);
        assertThat(missing()).isEqualTo("1400..2800 5600..10000");
    }

    @Test
    @Pins("P-113")
    void packetInsideAGapSplitsIt() {
        take(0, 1400, 4200, 1400, 2000, 1000);
        assertThat(rig.info(ID + 1).gaps()).isEqualTo(2);
        assertThat(missing()).isEqualTo("1400..2000 3000..4200 5600..10000");
    }

    @Test
    @Pins("P-114")
    void rightOneOfSeveralGapsIsFound() {
        take(1000, 1000, 3000, 1000, 5000, 1000, 7000, 1000);
        take(4000, 1000);
        assertThat(rig.info(ID + 1).gaps()).isEqualTo(3);
        take(6200, 300);
        assertThat(missing()).isEqualTo("0..1000 2000..3000 6000..6200 6500..7000 8000..10000");
    }

    @Test
    @Pins("P-115")
    void redundantAndUsefulPacketsAreCounted() {
        take(0, 1400, 4200, 1400, 0, 1400);
        rig.caller.data(ID, LENGTH).at(4200).bytes(1400).retransmit().go();
        rig.caller.data(ID, LENGTH).at(4200).bytes(1400).retransmit().go();
        rig.caller.data(ID, LENGTH).at(1400).bytes(1400).retransmit().go();
        assertThat(rig.node.count("packet_discards")).isEqualTo(1);
        assertThat(rig.node.count("resent_discards")).isEqualTo(2);
        assertThat(rig.node.count("resent_packets_used")).isEqualTo(1);
        assertThat(rig.node.count("gaps_created")).isEqualTo(1);
    }

    // ---- where the bytes go

    @Test
    @Pins({"P-088", "P-186", "P-188"})
    void bytesLandAtTheirOffsetsWhateverTheOrder() {
        long seed = 12345;
        Random random = new Random(seed);
        for (int length : new int[] {1, 1399, 1400, 1401, 65_536, 65_537, 200_000, 1_000_000}) {
            List<Datagram> packets = rig.caller.message(ID + 2L * length, length, 1400);
            Collections.shuffle(packets, random);
            rig.node.receive(packets);
            Received received = rig.node.take(rig.server);
            assertThat(received.length()).isEqualTo(length);
            assertThat(Arrays.equals(received.bytes(), Node.message(length)))
                    .as("%d bytes, seed %d", length, seed)
                    .isTrue();
            rig.node.engine.dismiss(received.handle(), rig.node.nowNs);
        }
    }

    /** What lies beside a message in the region is another's. */
    @Test
    @Pins({"P-190", "P-191"})
    void noByteIsWrittenOutsideTheMessage() {
        rig.node.region(rig.server).fill((byte) 0x55);
        rig.caller.data(ID, 300).bytes(200).go();
        rig.caller.data(ID, 300).at(200).bytes(101).go();
        rig.caller.data(ID, 300).at(300).bytes(100).go();
        rig.caller.data(ID, 300).at(5000).bytes(100).go();
        rig.caller.data(ID, 300).at(-100).bytes(100).go();
        rig.caller.data(ID, 300).at(200).bytes(100).go();
        Received received = rig.node.poll(rig.server);
        assertThat(received).isNotNull();
        assertThat(received.bytes()).isEqualTo(Node.message(300));
        byte[] region = rig.node.region(rig.server).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
        for (int i = 0; i < region.length; i++) {
            boolean inside = i >= received.regionOffset() && i < received.regionOffset() + 300;
            if (!inside && region[i] != 0x55) {
                throw new AssertionError("byte " + i + " was written; the message is at " + received.regionOffset());
            }
        }
    }

    /** Spec protocol 4.3: what the module does with empty packets (capture 19a). */
    @Test
    void emptyPacketsActAsInTheModule() {
        take(0, 1400, 4200, 1400, 2000, 0);
        assertThat(rig.info(ID + 1).gaps()).isEqualTo(2);
        take(1800, 400);
        assertThat(missing()).isEqualTo("1400..2000 2000..4200 5600..10000");
    }

    // ---- by itself, homa4j takes the new part of a packet (D-20) and ignores empty ones

    @Test
    void outsideProfileModuleTheNewPartOfAPacketIsTaken() {
        config.moduleProfile = false;
        rig = new Rig(config);
        take(0, 1400, 4200, 1400);
        take(1000, 1000);
        assertThat(rig.info(ID + 1).gapBytes()).isEqualTo(2200);
        take(2000, 5000);
        assertThat(rig.info(ID + 1).gapBytes()).isZero();
        assertThat(remaining()).isEqualTo(3000);
        take(2100, 0);
        take(7000, 3000);
        assertThat(rig.node.take(rig.server).bytes()).isEqualTo(Node.message(LENGTH));
    }

    @Test
    void holesAreBounded() {
        config.maxGaps = 10;
        rig = new Rig(config);
        for (int offset = 100; offset < LENGTH; offset += 200) {
            take(offset, 100);
        }
        assertThat(rig.info(ID + 1).gaps()).isEqualTo(10);
        assertThat(rig.node.count("gaps_refused")).isEqualTo(40);
    }
}
