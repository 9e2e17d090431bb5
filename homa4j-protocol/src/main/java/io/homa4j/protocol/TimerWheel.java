package io.homa4j.protocol;

import org.jspecify.annotations.Nullable;

/**
 * One timer per RPC, counted in ticks: a wheel of lists linked through the RPCs. Arming, moving and cancelling are
 * O(1); an entry further away than one turn of the wheel is passed over until its tick has come.
 */
final class TimerWheel {
    private static final int SLOTS = 1024;
    private static final int MASK = SLOTS - 1;

    private final @Nullable Rpc[] slots = new Rpc[SLOTS];
    private final long[] occupied = new long[SLOTS / 64];
    private int size;

    int size() {
        return size;
    }

    /** Arms the RPC's timer for a tick, replacing what was armed. */
    void arm(Rpc rpc, long tick) {
        if (rpc.timerTick == tick) {
            return;
        }
        cancel(rpc);
        int slot = (int) tick & MASK;
        Rpc head = slots[slot];
        rpc.timerTick = tick;
        rpc.timerNext = head;
        rpc.timerPrevious = null;
        if (head != null) {
            head.timerPrevious = rpc;
        }
        slots[slot] = rpc;
        occupied[slot >>> 6] |= 1L << slot;
        size++;
    }

    void cancel(Rpc rpc) {
        if (rpc.timerTick == Rpc.NO_TIMER) {
            return;
        }
        int slot = (int) rpc.timerTick & MASK;
        Rpc next = rpc.timerNext;
        Rpc previous = rpc.timerPrevious;
        if (previous == null) {
            slots[slot] = next;
            if (next == null) {
                occupied[slot >>> 6] &= ~(1L << slot);
            }
        } else {
            previous.timerNext = next;
        }
        if (next != null) {
            next.timerPrevious = previous;
        }
        rpc.timerNext = null;
        rpc.timerPrevious = null;
        rpc.timerTick = Rpc.NO_TIMER;
        size--;
    }

    /** Takes one RPC whose timer is due at this tick out of the wheel; null if there is none. */
    @Nullable
    Rpc pollDue(long tick) {
        for (Rpc rpc = slots[(int) tick & MASK]; rpc != null; rpc = rpc.timerNext) {
            if (rpc.timerTick <= tick) {
                cancel(rpc);
                return rpc;
            }
        }
        return null;
    }

    /** The first tick after {@code tick} at which something may be due; Long.MAX_VALUE if no timer is armed. */
    long nextTick(long tick) {
        if (size == 0) {
            return Long.MAX_VALUE;
        }
        for (int ahead = 1; ahead <= SLOTS; ) {
            int slot = (int) (tick + ahead) & MASK;
            long word = occupied[slot >>> 6] >>> slot;
            if (word != 0) {
                return tick + ahead + Long.numberOfTrailingZeros(word);
            }
            ahead += 64 - (slot & 63);
        }
        // Only the slot of this tick itself is occupied: one turn of the wheel from now.
        return tick + SLOTS;
    }
}
