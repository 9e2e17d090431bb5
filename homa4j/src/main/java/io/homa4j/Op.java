package io.homa4j;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A command whose caller waits for its end, which may come long after {@link #run}. Fields without a remark are written by
 * the caller before the command is submitted and by the owner afterwards; {@link #isDone} hands them back.
 */
abstract class Op extends Command {
    /** {@link #deadlineNs} of an operation that may take for ever. */
    static final long NO_DEADLINE = Long.MAX_VALUE;

    /** When the owner shall call {@link #onDeadline}; set before submission. */
    long deadlineNs = NO_DEADLINE;
    /** Place in the owner's {@link DeadlineHeap}; -1 outside. Owner. */
    int heapIndex = -1;

    /** Counts the uses of a pooled object. */
    private volatile int use;

    private volatile boolean done;
    private volatile @Nullable Thread waiter;

    /** The deadline has passed: make it done. Owner. */
    abstract void onDeadline(EngineLoop loop, long nowNs);

    /** The caller was interrupted: make it done as soon as possible, or ignore it if it is about to be. Owner. */
    abstract void onCancel(EngineLoop loop, long nowNs);

    /** Which use of the object this is. */
    final int use() {
        return use;
    }

    final boolean isDone() {
        return done;
    }

    /** The results are written; the caller goes on. Owner, or whoever refuses. */
    final void finish() {
        done = true;
        Thread parked = waiter;
        if (parked != null) {
            LockSupport.unpark(parked);
        }
    }

    /** Must be called by the thread that is going to park, before submission. */
    final void parksFor(Thread thread) {
        waiter = thread;
    }

    /** Makes the object ready for another use. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // nobody else has the object now
    final void resetDone() {
        use = use + 1;
        done = false;
        waiter = null;
        deadlineNs = NO_DEADLINE;
    }
}
