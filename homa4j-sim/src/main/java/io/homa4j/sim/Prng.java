package io.homa4j.sim;

import java.util.random.RandomGenerator;

/**
 * The simulator's source of chance: xoshiro256** (Blackman and Vigna 2018), seeded by SplitMix64. It is written out here so
 * that a seed means the same for ever and everywhere; whatever needs chance has a generator of its own, split off by a
 * name, so that one more draw in one place changes nothing in another.
 */
public final class Prng implements RandomGenerator {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private final long seed;
    private long s0;
    private long s1;
    private long s2;
    private long s3;

    public Prng(long seed) {
        this.seed = seed;
        long state = seed;
        s0 = mix(state += GOLDEN);
        s1 = mix(state += GOLDEN);
        s2 = mix(state += GOLDEN);
        s3 = mix(state + GOLDEN);
    }

    /** A generator that is independent of this one and of all others split off by other names; draws nothing. */
    public Prng split(long name) {
        return new Prng(mix(mix(seed) ^ mix(name * 0xD1342543DE82EF95L + 1)));
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** 64 random bits. */
    @Override
    public long nextLong() {
        long result = Long.rotateLeft(s1 * 5, 7) * 9;
        long t = s1 << 17;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= t;
        s3 = Long.rotateLeft(s3, 45);
        return result;
    }

    /** A number from 0 to {@code bound - 1}; the bias of at most bound / 2^64 is beyond any statistics made here. */
    @Override
    public int nextInt(int bound) {
        return (int) Math.unsignedMultiplyHigh(nextLong(), bound);
    }

    /** A number from 0 to {@code bound - 1}. */
    @Override
    public long nextLong(long bound) {
        return Math.unsignedMultiplyHigh(nextLong(), bound);
    }

    /** A number in (0, 1), a multiple of 2^-53 plus half of it. */
    @Override
    public double nextDouble() {
        return ((nextLong() >>> 11) + 0.5) * 0x1p-53;
    }

    /** True once in {@code every} draws on average. */
    public boolean oneIn(int every) {
        return nextInt(every) == 0;
    }

    /** True with this probability in millionths. */
    public boolean chance(int millionths) {
        return nextInt(1_000_000) < millionths;
    }

    /** A gap of a Poisson process with this mean, at least 1; by StrictMath, so that it is the same on every machine. */
    public long nextGap(double mean) {
        return Math.max(1, (long) (-StrictMath.log(nextDouble()) * mean));
    }
}
