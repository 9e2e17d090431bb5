package io.homa4j.protocol;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Ranges that receivers have asked for again, in the order of their RESENDs (spec protocol 5.5 step 2). A bounded ring;
 * a request that finds it full is dropped, the receiver will ask again. Positions are only given up when the driver has
 * taken the packets.
 */
final class RetransmitQueue {
    private static final int MAX_ENTRIES = 1 << 16;

    private int capacity = 64;
    private @Nullable Rpc[] rpc = new Rpc[capacity];
    private int[] generation = new int[capacity];
    private int[] next = new int[capacity];
    private int[] end = new int[capacity];
    private int[] incoming = new int[capacity];
    private int[] level = new int[capacity];

    private long head;
    private long tail;
    /** Entry that is polled now. */
    private long current;

    boolean isEmpty() {
        return current == tail;
    }

    /** Asks for every packet that intersects {@code [from, to)}, each whole. False if the queue is full. */
    boolean add(Rpc target, int from, int to, int announcedIncoming, int atLevel) {
        if (tail - head == capacity && !grow()) {
            return false;
        }
        target.out.resendPosition = tail;
        int place = place(tail++);
        rpc[place] = target;
        generation[place] = target.generation;
        next[place] = target.out.packetStart(from);
        end[place] = to;
        incoming[place] = announcedIncoming;
        level[place] = atLevel;
        return true;
    }

    /** Whether packets of this live RPC wait here. Its ranges leave in the order in which they came: the last one tells. */
    boolean isQueued(Rpc target) {
        long position = target.out.resendPosition;
        return position >= current && next[place(position)] < end[place(position)];
    }

    /** Moves to the next packet to be sent; false if there is none. Ranges of RPCs that have ended vanish. */
    boolean advance() {
        while (current < tail) {
            int place = place(current);
            Rpc target = rpc[place];
            if (target != null
                    && target.generation == generation[place]
                    && !target.isDead()
                    && next[place] < end[place]) {
                return true;
            }
            current++;
        }
        return false;
    }

    // ---- the present packet, after advance() has returned true

    Rpc rpc() {
        return Objects.requireNonNull(rpc[place(current)]);
    }

    int offset() {
        return next[place(current)];
    }

    int incoming() {
        return incoming[place(current)];
    }

    int level() {
        return level[place(current)];
    }

    long position() {
        return current;
    }

    /** The packet up to this offset is in the batch. */
    void sent(int packetEnd) {
        next[place(current)] = packetEnd;
    }

    /** Drops the rest of the present range. */
    void skip() {
        next[place(current)] = end[place(current)];
    }

    /** The packet at this offset was not handed over after all. */
    void takeBack(long position, int offset) {
        next[place(position)] = offset;
        current = Math.min(current, position);
    }

    /** Gives up all entries before the present one. */
    void commit() {
        while (head < current) {
            rpc[place(head++)] = null;
        }
    }

    private int place(long position) {
        return (int) (position & (capacity - 1));
    }

    private boolean grow() {
        if (capacity >= MAX_ENTRIES) {
            return false;
        }
        int old = capacity;
        capacity = 2 * old;
        @Nullable Rpc[] newRpc = new Rpc[capacity];
        int[][] columns = new int[5][capacity];
        for (long position = head; position < tail; position++) {
            int from = (int) (position & (old - 1));
            int to = place(position);
            newRpc[to] = rpc[from];
            columns[0][to] = generation[from];
            columns[1][to] = next[from];
            columns[2][to] = end[from];
            columns[3][to] = incoming[from];
            columns[4][to] = level[from];
        }
        rpc = newRpc;
        generation = columns[0];
        next = columns[1];
        end = columns[2];
        incoming = columns[3];
        level = columns[4];
        return true;
    }
}
