package io.homa4j;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A bounded first-in-first-out queue for any number of threads at either end, without locks and without allocation: Dmitry
 * Vyukov's array of cells that carry a ticket. A cell whose ticket equals the position of a producer is free for it; one more,
 * and it is filled for the consumer of that position.
 *
 * <p>A producer that was stopped between taking its position and filling its cell makes the queue look empty behind it
 * until it goes on.
 */
final class BoundedQueue<T> {
    private static final VarHandle TICKETS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle TAIL;
    private static final VarHandle HEAD;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            TAIL = lookup.findVarHandle(BoundedQueue.class, "tail", long.class);
            HEAD = lookup.findVarHandle(BoundedQueue.class, "head", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int mask;
    private final long[] tickets;
    private final @Nullable Object[] cells;

    /** Next position to be filled. */
    @SuppressWarnings("unused") // through TAIL
    private volatile long tail;

    // Producers and consumers write to different cache lines.
    @SuppressWarnings("unused")
    private long p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15;

    /** Next position to be taken. */
    @SuppressWarnings("unused") // through HEAD
    private volatile long head;

    /** @param capacity rounded up to a power of two */
    BoundedQueue(int capacity) {
        int size = Integer.highestOneBit(Math.max(2, capacity) * 2 - 1);
        mask = size - 1;
        tickets = new long[size];
        cells = new Object[size];
        for (int i = 0; i < size; i++) {
            tickets[i] = i;
        }
    }

    /** False if the queue is full. */
    boolean offer(T item) {
        long position = tail;
        while (true) {
            int cell = (int) position & mask;
            long ticket = (long) TICKETS.getAcquire(tickets, cell);
            if (ticket == position) {
                if (TAIL.compareAndSet(this, position, position + 1)) {
                    cells[cell] = item;
                    TICKETS.setRelease(tickets, cell, position + 1);
                    return true;
                }
                position = tail;
            } else if (ticket - position < 0) {
                return false;
            } else {
                position = tail;
            }
        }
    }

    /** The oldest item; null if the queue is empty. */
    @SuppressWarnings("unchecked")
    @Nullable
    T poll() {
        long position = head;
        while (true) {
            int cell = (int) position & mask;
            long ticket = (long) TICKETS.getAcquire(tickets, cell);
            if (ticket == position + 1) {
                if (HEAD.compareAndSet(this, position, position + 1)) {
                    T item = (T) cells[cell];
                    cells[cell] = null;
                    TICKETS.setRelease(tickets, cell, position + mask + 1);
                    return item;
                }
                position = head;
            } else if (ticket - (position + 1) < 0) {
                return null;
            } else {
                position = head;
            }
        }
    }

    /** Whether nothing is queued or being queued. */
    boolean isEmpty() {
        return head == tail;
    }
}
