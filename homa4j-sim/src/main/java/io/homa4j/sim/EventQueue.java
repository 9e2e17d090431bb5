package io.homa4j.sim;

import java.util.Arrays;

/**
 * What will happen, in order of time; what has the same time, in the order in which it was scheduled, so that runs are the
 * same bit for bit. Nothing is allocated per event.
 *
 * <p>Nearly all events of a network lie within the next microseconds, so those are kept in a wheel of short sorted
 * lists, one per slice of time (a calendar queue, Brown 1988); scheduling and taking one are O(1) as long as the slices are
 * as narrow as the events are dense. What lies beyond the wheel waits in a heap and moves over when its time comes near.
 */
public final class EventQueue {
    /** Largest code of an event. */
    public static final int MAX_CODE = 7;

    private static final int NONE = -1;
    /** Time one turn of the wheel covers: the delays within a network. */
    private static final int HORIZON_BITS = 22;

    // ---- events, linked in lists; free ones too

    private long[] time = new long[1024];
    private int[] what = new int[1024];
    private int[] next = new int[1024];
    private int firstFree = NONE;
    private int made;

    // ---- the wheel

    /** A slice is 2 to this many picoseconds. */
    private final int sliceBits;

    private final int mask;
    private final int[] head;
    private final int[] tail;
    private final long[] occupied;
    /** Slice of the present; the wheel holds all events of slices from here to here + mask. */
    private long slice;

    // ---- the heap of what lies beyond; four children each

    private int[] far = new int[64];
    private long[] farOrder = new long[64];
    private int farSize;
    private long farSequence;

    private int size;
    private long nowPs;
    private long taken;

    /**
     * An empty queue at time 0.
     *
     * @param perMicrosecond events expected in a simulated microsecond; a wrong guess costs time only
     */
    public EventQueue(int perMicrosecond) {
        // About one event in two slices.
        int bits = 20 - (32 - Integer.numberOfLeadingZeros(Math.max(1, perMicrosecond)));
        sliceBits = Math.clamp(bits, 4, 16);
        int slices = 1 << (HORIZON_BITS - sliceBits);
        mask = slices - 1;
        head = new int[slices];
        tail = new int[slices];
        Arrays.fill(head, NONE);
        occupied = new long[Math.max(1, slices / 64)];
    }

    /** Time of the event taken last, ps. */
    public long nowPs() {
        return nowPs;
    }

    /** Events waiting. */
    public int size() {
        return size;
    }

    /** Events taken so far. */
    public long taken() {
        return taken;
    }

    /**
     * Schedules an event.
     *
     * @param timePs not before the present
     * @param actor whose event it is; 0 to 2^28 - 1
     * @param code 0 to {@link #MAX_CODE}
     */
    public void add(long timePs, int actor, int code) {
        if (timePs < nowPs) {
            throw new IllegalArgumentException("time " + timePs + " is before the present " + nowPs);
        }
        int event = firstFree;
        if (event == NONE) {
            event = grow();
        } else {
            firstFree = next[event];
        }
        time[event] = timePs;
        what[event] = actor << 3 | code;
        size++;
        if ((timePs >>> sliceBits) - slice <= mask) {
            link(event, timePs);
        } else {
            addFar(event);
        }
    }

    /**
     * Takes the next event, whose time becomes the present.
     *
     * @param limitPs nothing at this time or later is taken; the present then stays
     * @return actor * 8 + code, or -1
     */
    public int poll(long limitPs) {
        if (size == 0) {
            return NONE;
        }
        long at = slice + ahead();
        if (at > slice + mask) {
            // The wheel is empty: on to the first event beyond it.
            at = time[far[0]] >>> sliceBits;
            if (time[far[0]] >= limitPs) {
                return NONE;
            }
            turnTo(at);
        }
        int place = (int) at & mask;
        int event = head[place];
        long timePs = time[event];
        if (timePs >= limitPs) {
            return NONE;
        }
        if (at != slice) {
            turnTo(at);
        }
        int following = next[event];
        head[place] = following;
        if (following == NONE) {
            occupied[place >>> 6] &= ~(1L << place);
        }
        next[event] = firstFree;
        firstFree = event;
        size--;
        taken++;
        nowPs = timePs;
        return what[event];
    }

    // ---- the wheel

    /** Slices from the present one to the first with an event; more than mask if there is none. */
    private long ahead() {
        int start = (int) slice & mask;
        int word = start >>> 6;
        long bits = occupied[word] & (-1L << start);
        int words = occupied.length;
        for (int i = 0; i <= words; i++) {
            if (bits != 0) {
                return (((long) word << 6) + Long.numberOfTrailingZeros(bits) - start) & mask;
            }
            word = word + 1 == words ? 0 : word + 1;
            bits = occupied[word];
        }
        return mask + 1L;
    }

    private void link(int event, long timePs) {
        int place = (int) (timePs >>> sliceBits) & mask;
        int first = head[place];
        if (first == NONE) {
            head[place] = event;
            tail[place] = event;
            next[event] = NONE;
            occupied[place >>> 6] |= 1L << place;
            return;
        }
        int last = tail[place];
        if (time[last] <= timePs) {
            next[last] = event;
            next[event] = NONE;
            tail[place] = event;
        } else if (time[first] > timePs) {
            next[event] = first;
            head[place] = event;
        } else {
            int before = first;
            while (time[next[before]] <= timePs) {
                before = next[before];
            }
            next[event] = next[before];
            next[before] = event;
        }
    }

    /** The present is in this slice now; what has come within reach of the wheel goes there, before anything newer. */
    private void turnTo(long at) {
        slice = at;
        while (farSize > 0 && (time[far[0]] >>> sliceBits) - slice <= mask) {
            int event = far[0];
            removeFar();
            link(event, time[event]);
        }
    }

    // ---- the heap

    private void addFar(int event) {
        if (farSize == far.length) {
            far = Arrays.copyOf(far, 2 * farSize);
            farOrder = Arrays.copyOf(farOrder, 2 * farSize);
        }
        long order = farSequence++;
        long timePs = time[event];
        int place = farSize++;
        while (place > 0) {
            int parent = (place - 1) >>> 2;
            if (time[far[parent]] <= timePs) {
                break;
            }
            far[place] = far[parent];
            farOrder[place] = farOrder[parent];
            place = parent;
        }
        far[place] = event;
        farOrder[place] = order;
    }

    private void removeFar() {
        farSize--;
        int event = far[farSize];
        long order = farOrder[farSize];
        int place = 0;
        while (true) {
            int child = 4 * place + 1;
            if (child >= farSize) {
                break;
            }
            int end = Math.min(child + 4, farSize);
            int best = child;
            for (int i = child + 1; i < end; i++) {
                if (isBefore(far[i], farOrder[i], far[best], farOrder[best])) {
                    best = i;
                }
            }
            if (!isBefore(far[best], farOrder[best], event, order)) {
                break;
            }
            far[place] = far[best];
            farOrder[place] = farOrder[best];
            place = best;
        }
        far[place] = event;
        farOrder[place] = order;
    }

    private boolean isBefore(int a, long orderA, int b, long orderB) {
        return time[a] != time[b] ? time[a] < time[b] : orderA < orderB;
    }

    private int grow() {
        if (made == time.length) {
            int wider = 2 * made;
            time = Arrays.copyOf(time, wider);
            what = Arrays.copyOf(what, wider);
            next = Arrays.copyOf(next, wider);
        }
        return made++;
    }
}
