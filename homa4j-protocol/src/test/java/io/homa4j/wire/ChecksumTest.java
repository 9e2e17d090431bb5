package io.homa4j.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Against the checksum as RFC 1071 describes it: word by word over pseudo-header and packet in one piece. */
class ChecksumTest {
    private static final long SEED = 0x436865636bL;

    private final SplittableRandom random = new SplittableRandom(SEED);

    @Test
    void agreesWithThePlainAlgorithmAtEveryLength() {
        for (int length = CommonHeader.LENGTH; length < 1500; length++) {
            byte[] bytes = bytes(length);
            byte[] source = bytes(length % 2 == 0 ? 4 : 16);
            byte[] target = bytes(source.length);
            MemorySegment packet = MemorySegment.ofArray(bytes);
            int computed = Checksum.compute(packet, 0, length, source, target);
            assertThat(computed).as("length %d, seed %d", length, SEED).isEqualTo(plain(bytes, source, target));

            CommonHeader.checksum(packet, 0, computed);
            assertThat(Checksum.verify(packet, 0, length, source, target)).isTrue();
            bytes[random.nextInt(length)] ^= (byte) (1 << random.nextInt(8));
            assertThat(Checksum.verify(packet, 0, length, source, target)).isFalse();
        }
    }

    /** Words of all ones are where carries and the two zeros of one's complement go wrong. */
    @Test
    void agreesWithThePlainAlgorithmOnExtremeWords() {
        for (int round = 0; round < 10_000; round++) {
            byte[] bytes = new byte[CommonHeader.LENGTH + random.nextInt(40)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) (random.nextBoolean() ? 0xFF : 0);
            }
            byte[] source = new byte[16];
            byte[] target = new byte[16];
            Arrays.fill(random.nextBoolean() ? source : target, (byte) 0xFF);
            assertThat(Checksum.compute(MemorySegment.ofArray(bytes), 0, bytes.length, source, target))
                    .as("round %d, seed %d", round, SEED)
                    .isEqualTo(plain(bytes, source, target));
        }
    }

    @Test
    void mappedAddressesAreIpv4Addresses() {
        MemorySegment packet = MemorySegment.ofArray(bytes(100));
        byte[] source = {10, 0, 0, 1};
        byte[] target = {(byte) 192, (byte) 168, 1, (byte) 255};
        int expected = Checksum.compute(packet, 0, 100, source, target);
        assertThat(Checksum.compute(packet, 0, 100, 0, 0xFFFF_0A00_0001L, 0, 0xFFFF_C0A8_01FFL))
                .isEqualTo(expected);
        assertThat(Checksum.compute(packet, 0, 100, mapped(source), mapped(target)))
                .isEqualTo(expected);
    }

    @Test
    void largestPacketDoesNotOverflow() {
        byte[] bytes = new byte[65535];
        Arrays.fill(bytes, (byte) 0xFF);
        byte[] address = new byte[16];
        Arrays.fill(address, (byte) 0xFF);
        assertThat(Checksum.compute(MemorySegment.ofArray(bytes), 0, bytes.length, address, address))
                .isEqualTo(plain(bytes, address, address));
    }

    private static int plain(byte[] packet, byte[] source, byte[] target) {
        ByteBuffer all = ByteBuffer.allocate(2 * source.length + 8 + packet.length + 1);
        all.put(source).put(target).putInt(6).putInt(packet.length).put(packet);
        int checksumAt = 2 * source.length + 8 + CommonHeader.CHECKSUM;
        all.putShort(checksumAt, (short) 0);
        int sum = 0;
        for (int at = 0; at + 1 < all.capacity(); at += 2) {
            sum += Short.toUnsignedInt(all.getShort(at));
            sum = (sum & 0xFFFF) + (sum >>> 16);
        }
        return ~sum & 0xFFFF;
    }

    private static byte[] mapped(byte[] address) {
        byte[] mapped = new byte[16];
        mapped[10] = mapped[11] = (byte) 0xFF;
        System.arraycopy(address, 0, mapped, 12, 4);
        return mapped;
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }
}
