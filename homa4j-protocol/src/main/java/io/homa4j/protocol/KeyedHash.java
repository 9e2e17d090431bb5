package io.homa4j.protocol;

/**
 * Keyed hashes from the engine's seed: a fast one that keeps strangers from choosing table buckets, and a strong one
 * (SipHash-1-3 on three words) for cutoff versions that cannot be guessed (design 6, proof of reachability).
 */
final class KeyedHash {
    private final long k0;
    private final long k1;

    KeyedHash(long seed) {
        k0 = mix(seed);
        k1 = mix(seed + 0x9E3779B97F4A7C15L);
    }

    /** Hash bits for table buckets; the low bits are as good as the high ones. */
    int of(long a, long b, long c) {
        long x = fold(a ^ k0, b ^ k1);
        long y = fold(x ^ c, k1 | 1);
        return (int) (y ^ (y >>> 32));
    }

    private static long fold(long a, long b) {
        return Math.unsignedMultiplyHigh(a, b) ^ (a * b);
    }

    /** 64 bits of three words that tell nothing about the key. */
    long strong(long a, long b, long c) {
        long v0 = k0 ^ 0x736f6d6570736575L;
        long v1 = k1 ^ 0x646f72616e646f6dL;
        long v2 = k0 ^ 0x6c7967656e657261L;
        long v3 = k1 ^ 0x7465646279746573L;
        for (int i = 0; i < 7; i++) {
            long word = i == 0 ? a : i == 1 ? b : i == 2 ? c : 0;
            if (i < 3) {
                v3 ^= word;
            } else if (i == 3) {
                // 24 bytes were hashed; the length closes the message.
                word = 24L << 56;
                v3 ^= word;
            } else if (i == 4) {
                v2 ^= 0xff;
            }
            v0 += v1;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v3;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 += v3;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 += v1;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v2 = Long.rotateLeft(v2, 32);
            if (i < 4) {
                v0 ^= word;
            }
        }
        return v0 ^ v1 ^ v2 ^ v3;
    }

    /** A well-spread number from the seed, for purposes numbered by {@code purpose}. */
    long number(int purpose) {
        return strong(purpose, 0x686f6d61346aL, 0);
    }

    private static long mix(long z) {
        long x = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        x = (x ^ (x >>> 27)) * 0x94D049BB133111EBL;
        return x ^ (x >>> 31);
    }
}
