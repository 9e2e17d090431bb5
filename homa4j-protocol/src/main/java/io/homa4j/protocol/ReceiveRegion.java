package io.homa4j.protocol;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The memory that holds incoming messages of one socket, divided by a buddy allocator so that each message is one
 * contiguous piece (design 3). It also knows which host each piece is charged to and whether the application holds it.
 */
class ReceiveRegion {
    /** Smallest piece, bytes. */
    static final int UNIT_BYTES = 256;
    /** Result of {@link #allocate} without space. */
    static final long NONE = -1;

    private static final int MAX_ORDER = 22;
    private static final byte ALLOCATED = 0x20;
    private static final byte WITH_APPLICATION = 0x40;
    private static final int ORDER_MASK = 0x1F;
    private static final byte INNER = (byte) 0x80;

    private final MemorySegment memory;
    /** Number of the socket, under which hosts are charged. */
    private final int socket;

    private final int units;
    /** Per unit: order of the piece that starts here with its flags, or INNER. */
    private final byte[] state;
    /** Free pieces of one order, linked through their first units. */
    private final int[] next;

    private final int[] previous;
    private final int[] free = new int[MAX_ORDER + 1];
    private final Host[] owner;
    private long freeBytes;

    ReceiveRegion(MemorySegment memory, int socket) {
        this.memory = memory;
        this.socket = socket;
        units = (int) Math.min(Integer.MAX_VALUE / 2, memory.byteSize() / UNIT_BYTES);
        state = new byte[units];
        next = new int[units];
        previous = new int[units];
        owner = new Host[units];
        Arrays.fill(owner, Host.NONE);
        Arrays.fill(state, INNER);
        Arrays.fill(free, -1);
        freeBytes = (long) units * UNIT_BYTES;
        for (int unit = 0; unit < units; ) {
            int order =
                    Math.min(MAX_ORDER, Math.min(trailingZeros(unit), 31 - Integer.numberOfLeadingZeros(units - unit)));
            putFree(unit, order);
            unit += 1 << order;
        }
    }

    /** Copies payload of a packet to its place in a piece. */
    void put(MemorySegment packet, long packetAt, long at, int bytes) {
        MemorySegment.copy(packet, packetAt, memory, at, bytes);
    }

    /** Usable bytes. */
    long size() {
        return (long) units * UNIT_BYTES;
    }

    long freeBytes() {
        return freeBytes;
    }

    /** Bytes that a message of this length takes. */
    static long pieceBytes(int length) {
        return (long) UNIT_BYTES << order(length);
    }

    /** Whether a message of this length fits at all when nothing else is there. */
    boolean canEverHold(int length) {
        return pieceBytes(length) <= Long.highestOneBit(Math.max(1, size()));
    }

    /** Takes a piece for a message and charges it to the host; its offset in the region, or {@link #NONE}. */
    long allocate(int length, Host host) {
        int order = order(length);
        int from = order;
        while (from <= MAX_ORDER && free[from] < 0) {
            from++;
        }
        if (from > MAX_ORDER) {
            return NONE;
        }
        int unit = free[from];
        removeFree(unit, from);
        while (from > order) {
            from--;
            putFree(unit + (1 << from), from);
        }
        state[unit] = (byte) (order | ALLOCATED);
        owner[unit] = host;
        long bytes = (long) UNIT_BYTES << order;
        if (host != Host.NONE) {
            host.charge(socket, bytes);
        }
        freeBytes -= bytes;
        return (long) unit * UNIT_BYTES;
    }

    /** The piece is the application's from now on. */
    void handOver(long at) {
        state[(int) (at / UNIT_BYTES)] |= WITH_APPLICATION;
    }

    /** Whether the offset is the start of a piece in the application's hands. */
    boolean isWithApplication(long at) {
        return at >= 0
                && at % UNIT_BYTES == 0
                && at / UNIT_BYTES < units
                && state[(int) (at / UNIT_BYTES)] >= 0
                && (state[(int) (at / UNIT_BYTES)] & WITH_APPLICATION) != 0;
    }

    /** Host a taken piece is charged to. */
    Host owner(long at) {
        return owner[(int) (at / UNIT_BYTES)];
    }

    /** Gives a piece back and joins it with its free buddies. */
    void free(long at) {
        int unit = (int) (at / UNIT_BYTES);
        assert (state[unit] & ALLOCATED) != 0;
        int order = state[unit] & ORDER_MASK;
        long bytes = (long) UNIT_BYTES << order;
        if (owner[unit] != Host.NONE) {
            owner[unit].charge(socket, -bytes);
            owner[unit] = Host.NONE;
        }
        freeBytes += bytes;
        state[unit] = INNER;
        while (order < MAX_ORDER) {
            int buddy = unit ^ (1 << order);
            if (buddy + (1 << order) > units || state[buddy] != order) {
                break;
            }
            removeFree(buddy, order);
            unit = Math.min(unit, buddy);
            order++;
        }
        putFree(unit, order);
    }

    /** The socket is gone: no host is charged for what the application still holds. */
    void abandon() {
        for (int unit = 0; unit < units; unit++) {
            if (owner[unit] != Host.NONE) {
                owner[unit].charge(socket, -((long) UNIT_BYTES << (state[unit] & ORDER_MASK)));
                owner[unit] = Host.NONE;
            }
        }
    }

    /**
     * Pieces are whole and follow each other, and free bytes are what they add up to.
     *
     * @return bytes of taken pieces that are not with the application
     */
    long audit(Audit audit) {
        long countedFree = 0;
        long ofMessages = 0;
        int unit = 0;
        while (unit < units) {
            byte piece = state[unit];
            if (piece == INNER) {
                audit.wrong("unit " + unit + " of a region belongs to no piece");
                return ofMessages;
            }
            long bytes = (long) UNIT_BYTES << (piece & ORDER_MASK);
            if ((piece & ALLOCATED) == 0) {
                countedFree += bytes;
            } else if ((piece & WITH_APPLICATION) == 0) {
                ofMessages += bytes;
            }
            unit += 1 << (piece & ORDER_MASK);
        }
        audit.equal("free bytes of a region", countedFree, freeBytes);
        return ofMessages;
    }

    private static int order(int length) {
        int needed = (length + UNIT_BYTES - 1) / UNIT_BYTES;
        return needed <= 1 ? 0 : 32 - Integer.numberOfLeadingZeros(needed - 1);
    }

    private static int trailingZeros(int unit) {
        return unit == 0 ? MAX_ORDER : Integer.numberOfTrailingZeros(unit);
    }

    private void putFree(int unit, int order) {
        state[unit] = (byte) order;
        next[unit] = free[order];
        previous[unit] = -1;
        if (free[order] >= 0) {
            previous[free[order]] = unit;
        }
        free[order] = unit;
    }

    private void removeFree(int unit, int order) {
        if (previous[unit] < 0) {
            free[order] = next[unit];
        } else {
            next[previous[unit]] = next[unit];
        }
        if (next[unit] >= 0) {
            previous[next[unit]] = previous[unit];
        }
        state[unit] = INNER;
    }
}
