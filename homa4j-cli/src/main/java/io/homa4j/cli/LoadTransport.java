package io.homa4j.cli;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Something that carries requests to servers and answers back, turned by the thread that makes the load: Homa, or its
 * rival. It does nothing between two calls, and tells what happened from within {@link #turn} and {@link #await} alone; calls
 * may be started from there.
 */
interface LoadTransport extends AutoCloseable {
    /** Where the outcomes go; exactly one per call started. */
    interface Outcomes {
        /**
         * @param response readable during this method only
         */
        void answered(Call call, MemorySegment response);

        /** @param kind one word in small letters, as Homa's own reasons: timeout, closed, ... */
        void failed(Call call, String kind);
    }

    /** A request on its way; belongs to the load generator, and comes back with the outcome. */
    final class Call {
        /** When it was started, or should have been. */
        long startNs;
        /** Its class in the workload. */
        int size;
        /** Which of the servers it goes to. */
        int target;
        /** Whether its outcome counts; calls of the warm-up do not. */
        boolean measured;
        /** The next in the list of idle ones. */
        @Nullable
        Call next;
    }

    /** Takes on a request, which must not change before the outcome. @return false if there is no room at present */
    boolean start(byte[] request, Call call);

    /** Sends what can be sent and takes what has arrived, without waiting. @return how much was done; 0 = idle */
    int turn(Outcomes outcomes);

    /** As {@link #turn}, but sleeps up to that long if there is nothing to do. */
    int await(long waitNs, Outcomes outcomes);

    /** How much longer than asked for a sleep may last, ns; waits no longer than this are polled. */
    long oversleepNs();

    @Override
    void close();
}
