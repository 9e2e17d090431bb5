package io.homa4j.driver.libc;

/** {@code struct timespec}: a time span. */
public final class TimeSpec {
    public static final int SIZE = 16;
    /** {@code long}. */
    public static final int SECONDS = 0;
    /** {@code long}, below 1,000,000,000. */
    public static final int NANOSECONDS = 8;

    private TimeSpec() {}
}
