package io.homa4j;

/**
 * Whether code of the application that runs on the thread that turns the engine has left enough of its stack for a call of
 * the engine. A stack that ends within the engine leaves it neither here nor there; one that ends here has touched nothing.
 */
final class SpareStack {
    /** Frames of {@link #frame}: compiled, they take some 16 KB; the engine takes less than half of that. */
    private static final int FRAMES = 96;

    private SpareStack() {}

    /**
     * Takes about a microsecond.
     *
     * @throws StackOverflowError if too little is left
     */
    static void check() {
        if (frame(FRAMES, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1) == 0) {
            throw new AssertionError("the sum of ones");
        }
    }

    /** The arguments change places and are needed afterwards, so that every frame has to keep all of them. */
    private static long frame(
            int depth, long a, long b, long c, long d, long e, long f, long g, long h, long i, long j, long k, long l) {
        if (depth == 0) {
            return a;
        }
        long below = frame(depth - 1, b, c, d, e, f, g, h, i, j, k, l, a);
        return below | a | b | c | d | e | f | g | h | i | j | k | l;
    }
}
