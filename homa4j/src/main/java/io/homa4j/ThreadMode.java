package io.homa4j;

/** Who turns the engine. */
public enum ThreadMode {
    /**
     * A thread of its own, which polls for up to {@code poll_usecs} after the last packet and then sleeps in the kernel; a
     * platform thread in a blocking call turns the engine itself when it finds it idle, which saves a hand-off of 20 to 25 us.
     */
    DEFAULT,
    /** A thread of its own that never sleeps: lowest latency for other threads' calls, at the price of one core. */
    POLLING,
    /**
     * No thread: the application calls {@link Homa#doWork}. A blocking call by the same thread turns the engine itself; blocking
     * calls of other threads work as long as somebody turns it, and fail with a clear error else.
     */
    INVOKER
}
