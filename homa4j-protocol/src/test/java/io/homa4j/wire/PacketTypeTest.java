package io.homa4j.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.homa4j.conformance.Pins;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PacketTypeTest {
    private static final long SEED = 0x484f4d41;

    static IntStream types() {
        return IntStream.rangeClosed(PacketType.DATA, PacketType.ACK);
    }

    /** The table of spec/protocol.md 2.3; RESEND may lack its last byte (12). */
    @ParameterizedTest
    @CsvSource({
        "0x10, DATA, 56",
        "0x11, GRANT, 33",
        "0x12, RESEND, 36",
        "0x13, RPC_UNKNOWN, 28",
        "0x14, BUSY, 28",
        "0x15, CUTOFFS, 62",
        "0x16, FREEZE, 28",
        "0x17, NEED_ACK, 28",
        "0x18, ACK, 80"
    })
    void namesAndLengthsAreThoseOfTheTable(String value, String name, int minLength) {
        int type = Integer.decode(value);
        assertThat(PacketType.name(type)).isEqualTo(name);
        assertThat(PacketType.minLength(type)).isEqualTo(minLength);
    }

    /** In a segment just as long as the packet, so that whatever the readers do beyond it would throw. */
    @ParameterizedTest
    @MethodSource("types")
    @Pins({"P-256", "S-384"})
    void onePacketByteTooFewIsShort(int type) {
        int length = PacketType.minLength(type);
        assertThat(PacketType.check(packet(type, length), 0, length)).isEqualTo(type);
        assertThat(PacketType.check(packet(type, length), 0, length - 1)).isEqualTo(PacketType.SHORT);
        assertThat(PacketType.check(packet(type, length + 9), 0, length + 9)).isEqualTo(type);
    }

    @Test
    @Pins({"P-257", "S-385"})
    void typesBesideTheNineAreUnknown() {
        for (int type = 0; type <= 0xFF; type++) {
            boolean exists = type >= 0x10 && type <= 0x18;
            assertThat(PacketType.check(packet(type, 100), 0, 100))
                    .as("type 0x%02x", type)
                    .isEqualTo(exists ? type : PacketType.UNKNOWN);
        }
        assertThat(PacketType.name(0x19)).isEqualTo("0x19");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PacketType.minLength(0x19))
                .withMessage("no packet type 0x19");
    }

    /** The order of spec/protocol.md 3.1: without 28 bytes the type is not looked at, with them it decides first. */
    @Test
    void lengthOfTheCommonHeaderIsCheckedBeforeTheType() {
        assertThat(PacketType.check(packet(0x19, 27), 0, 27)).isEqualTo(PacketType.SHORT);
        assertThat(PacketType.check(packet(0x19, 28), 0, 28)).isEqualTo(PacketType.UNKNOWN);
        assertThat(PacketType.check(packet(PacketType.ACK, 28), 0, 28)).isEqualTo(PacketType.SHORT);
    }

    @Test
    void lengthsBeyondTheSegmentAreShort() {
        assertThat(PacketType.check(packet(PacketType.BUSY, 40), 0, 41)).isEqualTo(PacketType.SHORT);
        assertThat(PacketType.check(packet(PacketType.BUSY, 40), 20, 28)).isEqualTo(PacketType.SHORT);
        assertThat(PacketType.check(packet(PacketType.BUSY, 40), 0, Integer.MAX_VALUE))
                .isEqualTo(PacketType.SHORT);
        assertThat(PacketType.check(packet(PacketType.BUSY, 40), 0, -1)).isEqualTo(PacketType.SHORT);
        assertThat(PacketType.check(MemorySegment.ofArray(new byte[0]), 0, 0)).isEqualTo(PacketType.SHORT);
    }

    /** Random bytes of every length from 0 up: whatever passes the check can be read in full, and encodes to itself. */
    @Test
    void noReaderLeavesACheckedPacket() {
        SplittableRandom random = new SplittableRandom(SEED);
        int passed = 0;
        for (int round = 0; round < 200_000; round++) {
            byte[] bytes = new byte[random.nextInt(110)];
            random.nextBytes(bytes);
            if (bytes.length > CommonHeader.TYPE && random.nextInt(10) > 0) {
                bytes[CommonHeader.TYPE] = (byte) (PacketType.DATA + random.nextInt(9));
            }
            MemorySegment packet = MemorySegment.ofArray(bytes);
            if (PacketType.check(packet, 0, bytes.length) >= 0) {
                passed++;
                readEverything(packet, bytes.length);
                byte[] encoded = new byte[bytes.length];
                Packet.decode(packet, 0, bytes.length).encode(MemorySegment.ofArray(encoded), 0);
                assertThat(HexFormat.of().formatHex(encoded))
                        .as("round %d of seed %d", round, SEED)
                        .isEqualTo(HexFormat.of().formatHex(bytes));
            }
        }
        assertThat(passed).isGreaterThan(80_000);
    }

    /** A good packet of each type, cut at every length. */
    @ParameterizedTest
    @MethodSource("types")
    void everyTruncationIsEitherShortOrReadable(int type) {
        int passed = 0;
        for (int length = 0; length <= 100; length++) {
            MemorySegment packet = packet(type, length);
            if (PacketType.check(packet, 0, length) >= 0) {
                readEverything(packet, length);
                passed++;
            }
        }
        assertThat(passed).isEqualTo(101 - PacketType.minLength(type));
    }

    private static void readEverything(MemorySegment packet, int length) {
        long sum = CommonHeader.sourcePort(packet, 0)
                + CommonHeader.targetPort(packet, 0)
                + CommonHeader.sequence(packet, 0)
                + CommonHeader.doff(packet, 0)
                + CommonHeader.window(packet, 0)
                + CommonHeader.checksum(packet, 0)
                + CommonHeader.senderId(packet, 0)
                + (CommonHeader.isHijackMarked(packet, 0) ? 1 : 0);
        switch (CommonHeader.type(packet, 0)) {
            case PacketType.DATA ->
                sum += DataHeader.messageLength(packet, 0)
                        + DataHeader.incoming(packet, 0)
                        + DataHeader.ackClientId(packet, 0)
                        + DataHeader.ackServerPort(packet, 0)
                        + DataHeader.cutoffVersion(packet, 0)
                        + (DataHeader.retransmit(packet, 0) ? 1 : 0)
                        + DataHeader.offset(packet, 0);
            case PacketType.GRANT -> sum += GrantHeader.offset(packet, 0) + GrantHeader.priority(packet, 0);
            case PacketType.RESEND ->
                sum += ResendHeader.offset(packet, 0)
                        + ResendHeader.length(packet, 0)
                        + ResendHeader.priority(packet, 0, length, 0);
            case PacketType.CUTOFFS -> {
                for (int level = 0; level < CutoffsHeader.LEVELS; level++) {
                    sum += CutoffsHeader.cutoff(packet, 0, level);
                }
                sum += CutoffsHeader.version(packet, 0);
            }
            case PacketType.ACK -> {
                for (int i = 0; i < AckHeader.count(packet, 0); i++) {
                    sum += AckHeader.clientId(packet, 0, i) + AckHeader.serverPort(packet, 0, i);
                }
            }
            default -> {
                // nothing behind the common header
            }
        }
        // Any sum will do, as long as it is made.
        assertThat(sum).isNotEqualTo(Long.MIN_VALUE);
    }

    private static MemorySegment packet(int type, int length) {
        byte[] bytes = new byte[length];
        if (length > CommonHeader.TYPE) {
            bytes[CommonHeader.TYPE] = (byte) type;
        }
        return MemorySegment.ofArray(bytes);
    }
}
