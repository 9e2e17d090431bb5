package io.homa4j.cli;

import io.homa4j.protocol.Config;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/**
 * What every message of a soak looks like, so that both ends can make and check it without asking the other.
 *
 * <p>RPC number n has a request length drawn from (run seed, n), log-uniform from 1 B to 1,000,000 B, and a message seed,
 * which is n scrambled reversibly. A message starts with its seed (as many of its 8 bytes as fit) and goes on with a piece of
 * a block of random bytes, whose place follows from the seed: one copy to make it, one comparison to check it, and bytes that
 * were moved, lost or taken from another message do not match. The response's length and seed follow from what the request
 * carries, so that a request damaged in its first bytes draws a response that its client does not expect.
 *
 * <p>A request of {@link #NUMBERED} bytes or more tells its number; of a shorter one only the carried bytes are known.
 */
final class SoakPlan {
    /** Requests of at least so many bytes carry their number. */
    static final int NUMBERED = 8;

    private static final int MAX_BYTES = Config.MAX_MESSAGE_BYTES;
    /** Number of places in the block where a message can start. */
    private static final int PLACES = 1 << 20;

    private static final long FACTOR_1 = 0xff51afd7ed558ccdL;
    private static final long FACTOR_2 = 0xc4ceb9fe1a85ec53L;
    private static final long INVERSE_1 = inverse(FACTOR_1);
    private static final long INVERSE_2 = inverse(FACTOR_2);

    private static final long REQUEST_LENGTHS = 0x9e3779b97f4a7c15L;
    private static final long RESPONSE_LENGTHS = 0xd1b54a32d192ed03L;
    private static final long RESPONSE_SEEDS = 0x8cb92ba72f3d8dd7L;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final long key;
    private final MemorySegment block;

    /**
     * @param runSeed both ends must have the same
     */
    SoakPlan(long runSeed) {
        this.key = scramble(runSeed + 1);
        MemorySegment bytes = Arena.ofAuto().allocate(PLACES + MAX_BYTES, Long.BYTES);
        SplittableRandom random = new SplittableRandom(runSeed);
        for (long at = 0; at + Long.BYTES <= bytes.byteSize(); at += Long.BYTES) {
            bytes.set(ValueLayout.JAVA_LONG, at, random.nextLong());
        }
        this.block = bytes.asReadOnly();
    }

    int requestLength(long number) {
        return logUniform(scramble(number ^ key ^ REQUEST_LENGTHS));
    }

    /** What the request of this number carries in its first bytes. */
    long requestSeed(long number) {
        return carried(scramble(number ^ key), requestLength(number));
    }

    /** The number behind a whole seed; any value, also a negative one, if the seed is none of this run. */
    long number(long requestSeed) {
        return unscramble(requestSeed) ^ key;
    }

    int responseLength(long requestSeed, int requestLength) {
        return logUniform(scramble(requestSeed ^ key ^ RESPONSE_LENGTHS * requestLength));
    }

    /** What the response to a request of this seed and length carries. */
    long responseSeed(long requestSeed, int requestLength) {
        long seed = scramble(requestSeed ^ key ^ RESPONSE_SEEDS * requestLength);
        return carried(seed, responseLength(requestSeed, requestLength));
    }

    /** What of a seed fits into a message. */
    private static long carried(long seed, int length) {
        return length >= Long.BYTES ? seed : seed & (1L << 8 * length) - 1;
    }

    /** The seed a message carries. */
    static long seed(MemorySegment message) {
        long length = message.byteSize();
        if (length >= Long.BYTES) {
            return message.get(LONG, 0);
        }
        long seed = 0;
        for (int i = 0; i < length; i++) {
            seed |= Byte.toUnsignedLong(message.get(ValueLayout.JAVA_BYTE, i)) << 8 * i;
        }
        return seed;
    }

    /** Writes the message of a seed. */
    void fill(MemorySegment message, long seed) {
        long length = message.byteSize();
        MemorySegment.copy(block, place(seed), message, 0, length);
        if (length >= Long.BYTES) {
            message.set(LONG, 0, seed);
        } else {
            for (int i = 0; i < length; i++) {
                message.set(ValueLayout.JAVA_BYTE, i, (byte) (seed >>> 8 * i));
            }
        }
    }

    /** Whether a message is, byte for byte, the one of this seed. */
    boolean isIntact(MemorySegment message, long seed) {
        long length = message.byteSize();
        if (seed(message) != seed) {
            return false;
        }
        long place = place(seed);
        return length <= Long.BYTES
                || MemorySegment.mismatch(message, Long.BYTES, length, block, place + Long.BYTES, place + length) < 0;
    }

    private static long place(long seed) {
        return scramble(seed) >>> 44;
    }

    /** 1 to 1,000,000, every decade equally likely. */
    private static int logUniform(long random) {
        double fraction = (random >>> 11) * 0x1p-53;
        return Math.min(MAX_BYTES, (int) Math.exp(fraction * Math.log(MAX_BYTES + 1.0)));
    }

    /** A well-known reversible scrambling of 64 bits (the finalizer of MurmurHash3). */
    static long scramble(long value) {
        long x = value;
        x = (x ^ x >>> 33) * FACTOR_1;
        x = (x ^ x >>> 33) * FACTOR_2;
        return x ^ x >>> 33;
    }

    static long unscramble(long value) {
        long x = value ^ value >>> 33;
        x *= INVERSE_2;
        x = (x ^ x >>> 33) * INVERSE_1;
        return x ^ x >>> 33;
    }

    /** The number whose product with an odd one is 1 modulo 2^64; each step doubles the bits that are right. */
    private static long inverse(long odd) {
        long inverse = odd;
        for (int rightBits = 3; rightBits < 64; rightBits *= 2) {
            inverse *= 2 - odd * inverse;
        }
        return inverse;
    }
}
