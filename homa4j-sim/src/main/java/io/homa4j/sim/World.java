package io.homa4j.sim;

/**
 * A simulation that is run piece by piece, so that who runs it can show progress and stop. One thread at a time.
 *
 * @param <R> what comes of it
 */
public interface World<R> {
    /**
     * Goes on for a small part of the planned time.
     *
     * @return false if it is over
     */
    boolean advance();

    /** Part of the planned time that is over, 0 to 1; above while only what has begun is completed. */
    double progress();

    /** What came of it, when it is over. */
    R result();
}
