package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.PacketBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames as they are written and read, against a second opinion ({@link IpPacket}) and against damage. */
class EthernetFrameTest {
    private static final int AT = 4096;
    private static final long PEER4 = Address.mappedLo(0x0A5E0002);
    private static final long OWN4 = Address.mappedLo(0x0A5E0001);
    private static final long PREFIX6 = 0xFD94_0000_0000_0000L;

    private final MemorySegment frame = Arena.ofAuto().allocate(8192, 64);
    private final PacketBatch out = Batches.toSend();
    private final PacketBatch in = new PacketBatch(1, Arena.ofAuto().allocate(128, 8), 128);

    private static NextHops.Hop hop(boolean isIpv4) {
        NextHops.Hop hop = new NextHops.Hop();
        hop.isIpv4 = isIpv4;
        hop.peerHi = isIpv4 ? 0 : PREFIX6;
        hop.peerLo = isIpv4 ? PEER4 : 2;
        hop.sourceHi = isIpv4 ? 0 : PREFIX6;
        hop.sourceLo = isIpv4 ? OWN4 : 1;
        hop.linkAddress = 0x0605_0403_0201L;
        hop.ownLinkAddress = 0x1615_1413_1211L;
        hop.hopLimit = 64;
        hop.addressSum = EthernetFrame.sumOf(hop.sourceHi, hop.sourceLo, isIpv4)
                + EthernetFrame.sumOf(hop.peerHi, hop.peerLo, isIpv4);
        return hop;
    }

    private int write(EthernetFrame frames, boolean isIpv4, int payload) {
        out.clear();
        NextHops.Hop hop = hop(isIpv4);
        Batches.add(out, 1, hop.peerHi, hop.peerLo, 4000, 5, 60, payload);
        return frames.write(frame, AT, out, 0, hop, 50_123, 4000);
    }

    /** Every checksum as its standard defines it, word by word. */
    private static int checksum(byte[]... parts) {
        long sum = 0;
        for (byte[] part : parts) {
            for (int i = 0; i < part.length; i++) {
                sum += (long) (part[i] & 255) << (i % 2 == 0 ? 8 : 0);
            }
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xFFFF) + (sum >>> 16);
        }
        return (int) ~sum & 0xFFFF;
    }

    @ParameterizedTest
    @CsvSource({"true, 0", "true, 1", "true, 1412", "false, 0", "false, 33", "false, 1392"})
    void aFrameIsWhatAnyHostWouldSend(boolean isIpv4, int payload) {
        int length = write(new EthernetFrame(IpPacket.UDP), isIpv4, payload);
        byte[] bytes = frame.asSlice(AT, length).toArray(JAVA_BYTE);
        assertThat(bytes).startsWith(1, 2, 3, 4, 5, 6, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16);
        IpPacket packet = isIpv4 ? IpPacket.v4(bytes, 14) : IpPacket.v6(bytes, 14);
        assertThat(packet).isNotNull();
        assertThat(packet.level()).isEqualTo(5);
        assertThat(packet.tos()).isEqualTo(5 << 5);
        assertThat(packet.ttl()).isEqualTo(64);
        assertThat(packet.protocol()).isEqualTo(17);
        assertThat(packet.moreFragments()).isFalse();
        NextHops.Hop hop = hop(isIpv4);
        assertThat(packet.source()).isEqualTo(Address.bytes(hop.sourceHi, hop.sourceLo));
        assertThat(packet.target()).isEqualTo(Address.bytes(hop.peerHi, hop.peerLo));
        IpPacket.Udp udp = packet.udp();
        assertThat(udp).isNotNull();
        assertThat(udp.sourcePort()).isEqualTo(50_123);
        assertThat(udp.targetPort()).isEqualTo(4000);
        assertThat(udp.length()).isEqualTo(60 + payload);
        for (int i = 0; i < udp.length(); i++) {
            assertThat(udp.payload()[i]).isEqualTo((byte) (i < 60 ? 5 : 6));
        }
        if (isIpv4) {
            assertThat(checksum(frame.asSlice(AT + 14, 20).toArray(JAVA_BYTE))).isZero();
            assertThat(bytes[20]).as("DF").isEqualTo((byte) 0x40);
        }
        int udpBytes = udp.length() + 8;
        byte[] pseudo = {0, 17, (byte) (udpBytes >>> 8), (byte) udpBytes};
        assertThat(checksum(packet.source(), packet.target(), pseudo, packet.transport()))
                .isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatIsWrittenIsRead(boolean isIpv4) {
        for (int protocol : new int[] {IpPacket.UDP, IpPacket.HOMA}) {
            EthernetFrame frames = new EthernetFrame(protocol);
            for (int payload : new int[] {0, 1, 7, 100, 1_391}) {
                int length = write(frames, isIpv4, payload);
                assertThat(frames.read(frame, AT, length, in, 0)).isTrue();
                assertThat(in.length[0]).isEqualTo(60 + payload);
                assertThat(in.packetAt[0]).isEqualTo(AT + frames.headerBytes(isIpv4));
                NextHops.Hop hop = hop(isIpv4);
                assertThat(in.peerHi[0]).isEqualTo(hop.sourceHi);
                assertThat(in.peerLo[0]).isEqualTo(hop.sourceLo);
                assertThat(in.localHi[0]).isEqualTo(hop.peerHi);
                assertThat(in.localLo[0]).isEqualTo(hop.peerLo);
                assertThat(in.peerPort[0]).isEqualTo(protocol == IpPacket.UDP ? 50_123 : 0);
                if (protocol == IpPacket.UDP) {
                    assertThat(frames.targetPort).isEqualTo(4000);
                }
            }
            assertThat(frames.damaged + frames.wrongChecksums + frames.unfinishedChecksums)
                    .isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void everyFlippedBitBehindTheEthernetHeaderIsFoundExceptWhereNothingGuardsIt(boolean isIpv4) {
        EthernetFrame frames = new EthernetFrame(IpPacket.UDP);
        int length = write(frames, isIpv4, 100);
        for (int bit = 14 * 8; bit < length * 8; bit++) {
            int at = bit / 8 - 14;
            // Version, class, flow, next header and hop limit of IPv6 have no checksum.
            boolean isUnguarded = !isIpv4 && (at < 4 || at == 6 || at == 7);
            byte before = frame.get(JAVA_BYTE, AT + bit / 8);
            frame.set(JAVA_BYTE, AT + bit / 8, (byte) (before ^ 1 << bit % 8));
            assertThat(frames.read(frame, AT, length, in, 0)).as("bit %d", bit).isEqualTo(isUnguarded);
            frame.set(JAVA_BYTE, AT + bit / 8, before);
        }
        assertThat(frames.wrongChecksums).isPositive();
    }

    @Test
    void noBytesWhateverMakeItReadBeyondTheFrame() {
        long seed = System.nanoTime();
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        EthernetFrame frames = new EthernetFrame(IpPacket.UDP);
        // A frame at the very end of its memory: reading beyond it would throw.
        for (int round = 0; round < 20_000; round++) {
            boolean isIpv4 = random.nextBoolean();
            int length = write(frames, isIpv4, random.nextInt(200));
            int kept = random.nextInt(14, length + 1);
            MemorySegment exact = Arena.ofAuto().allocate(Math.max(kept, 62));
            MemorySegment.copy(frame, AT, exact, 0, kept);
            for (int i = random.nextInt(4); i > 0; i--) {
                exact.set(JAVA_BYTE, random.nextInt(14, kept + 1) % Math.max(kept, 62), (byte) random.nextInt());
            }
            if (frames.read(exact, 0, kept, in, 0)) {
                assertThat(in.packetAt[0] + in.length[0])
                        .as("seed %d round %d", seed, round)
                        .isLessThanOrEqualTo(kept);
            }
        }
        assertThat(frames.damaged).isPositive();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aChecksumThatIsLeftToANetworkCardIsTakenAndCounted(boolean isIpv4) {
        EthernetFrame frames = new EthernetFrame(IpPacket.UDP);
        int length = write(frames, isIpv4, 100);
        int udp = 14 + (isIpv4 ? 20 : 40);
        NextHops.Hop hop = hop(isIpv4);
        int udpBytes = length - udp;
        byte[] pseudo = {0, 17, (byte) (udpBytes >>> 8), (byte) udpBytes};
        int partial =
                ~checksum(Address.bytes(hop.sourceHi, hop.sourceLo), Address.bytes(hop.peerHi, hop.peerLo), pseudo)
                        & 0xFFFF;
        frame.set(JAVA_SHORT_UNALIGNED, AT + udp + 6, Short.reverseBytes((short) partial));
        assertThat(frames.read(frame, AT, length, in, 0)).isTrue();
        assertThat(frames.unfinishedChecksums).isEqualTo(1);
        frame.set(JAVA_SHORT_UNALIGNED, AT + udp + 6, Short.reverseBytes((short) (partial + 1)));
        assertThat(frames.read(frame, AT, length, in, 0)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void noChecksumIsGoodEnoughForIpv4Only(boolean isIpv4) {
        EthernetFrame frames = new EthernetFrame(IpPacket.UDP);
        int length = write(frames, isIpv4, 100);
        frame.set(JAVA_SHORT_UNALIGNED, AT + 14 + (isIpv4 ? 20 : 40) + 6, (short) 0);
        assertThat(frames.read(frame, AT, length, in, 0)).isEqualTo(isIpv4);
    }

    @Test
    void sourcesThatNobodyMayHaveAreRefused() {
        EthernetFrame frames = new EthernetFrame(IpPacket.HOMA);
        for (int source : new int[] {0, 0x7F000001, 0xE0000001, 0xFFFFFFFF, 0x0A5E0002}) {
            NextHops.Hop hop = hop(true);
            hop.sourceLo = Address.mappedLo(source);
            hop.addressSum = EthernetFrame.sumOf(0, hop.sourceLo, true) + EthernetFrame.sumOf(0, hop.peerLo, true);
            out.clear();
            Batches.add(out, 1, 0, PEER4, 4000, 5, 60, 10);
            int length = frames.write(frame, AT, out, 0, hop, 0, 0);
            assertThat(frames.read(frame, AT, length, in, 0)).isFalse();
        }
        for (long[] source : new long[][] {{0, 1}, {0, 0}, {0, OWN4}, {0xFF02L << 48, 1}, {PREFIX6, 2}}) {
            NextHops.Hop hop = hop(false);
            hop.sourceHi = source[0];
            hop.sourceLo = source[1];
            out.clear();
            Batches.add(out, 1, PREFIX6, 2, 4000, 5, 60, 10);
            int length = frames.write(frame, AT, out, 0, hop, 0, 0);
            assertThat(frames.read(frame, AT, length, in, 0)).isFalse();
        }
        assertThat(frames.damaged).isEqualTo(10);
    }

    @Test
    void theSumIsThatOfTheStandardForEveryLength() {
        long seed = System.nanoTime();
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        for (int length = 0; length < 300; length++) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            MemorySegment.copy(bytes, 0, frame, JAVA_BYTE, 3, length);
            int ours = ~EthernetFrame.fold(EthernetFrame.sum(frame, 3, length)) & 0xFFFF;
            assertThat(Short.toUnsignedInt(Short.reverseBytes((short) ours)))
                    .as("seed %d, %d bytes", seed, length)
                    .isEqualTo(checksum(bytes));
        }
    }
}
