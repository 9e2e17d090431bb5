package io.homa4j.driver.libc;

/** {@code struct iovec}: a piece of memory. */
public final class IoVector {
    public static final int SIZE = 16;
    /** Address of the memory. */
    public static final int BASE = 0;
    /** {@code long}. */
    public static final int LENGTH = 8;

    private IoVector() {}
}
