package io.homa4j.protocol;

/**
 * Incast control: keeps the answers to many requests from arriving all at once, each with its unscheduled bytes, and
 * overrunning the queue before this host (paper of 2018, section 3.6; ARCHITECTURE.md, Incast). A client that waits for more
 * unscheduled bytes than {@code incast_bytes} writes a smaller limit into its requests, so that all answers together stay
 * near that; what is beyond the limit comes by grants. It decides from the number of RPCs and from what responses were
 * like so far, and sends nothing by itself.
 */
final class Incast {
    /** The least limit: below it a packet is mostly headers. */
    static final int LEAST_LIMIT_BYTES = 64;
    /** Responses over which the expected length is smoothed. */
    private static final int SAMPLES = 16;

    private final Config config;
    private final Counters counters;
    private final RpcTable rpcs;
    private final Granter granter;

    /** Unscheduled bytes of a response without a limit, smoothed, times {@link #SAMPLES}. */
    private long expectedBytes;

    Incast(Config config, Counters counters, RpcTable rpcs, Granter granter) {
        this.config = config;
        this.counters = counters;
        this.rpcs = rpcs;
        this.granter = granter;
        expectedBytes = (long) config.unschedBytes * SAMPLES;
    }

    /** A response of so many bytes begins to arrive, of which the server would have sent so many unasked. */
    void onResponse(int length, int unscheduledBytes) {
        expectedBytes += Math.min(length, unscheduledBytes) - expectedBytes / SAMPLES;
    }

    /**
     * Unscheduled bytes that a response to a request sent now shall have at most; 0 = no limit: the answers that are
     * waited for fit.
     */
    int limitBytes() {
        if (config.incastBytes == 0) {
            return 0;
        }
        int waiting = rpcs.clients();
        long target = Math.min(config.incastBytes, granter.maxIncoming());
        if (waiting * expectedBytes <= target * SAMPLES) {
            return 0;
        }
        counters.add(Counters.INCAST_LIMITS, 1);
        return (int) Math.max(LEAST_LIMIT_BYTES, target / waiting);
    }
}
