package io.homa4j;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Off-heap memory for outgoing messages, in sizes of powers of two from 256 bytes to 1 MiB. Pieces are cut when first
 * needed, up to a limit in all, and used again and again; a size that has run out borrows from larger ones. Safe for any
 * thread: each size has its own lock, held for a few instructions.
 *
 * <p>Beyond the limit there is a reserve for responses alone, in pieces for the longest of them: requests keep their memory
 * until they are answered, and two hosts whose requests to each other have filled theirs would never answer.
 */
final class SendMemory {
    private static final int SMALLEST_BITS = 8;
    private static final int LARGEST_BITS = 20;
    private static final int SIZES = LARGEST_BITS - SMALLEST_BITS + 1;
    /** Small pieces are cut from blocks of this size, bytes. */
    private static final int BLOCK_BYTES = 1 << 16;
    /** The reserve is one of so many parts of the limit, but at least so many pieces. */
    private static final int RESERVE_PART = 16;

    private static final int LEAST_RESERVE_PIECES = 2;
    /** Number of the shelf of the reserve, behind those of the sizes. */
    private static final int RESERVE = SIZES;

    private static final class Shelf {
        @Nullable
        SendBuffer free;

        long freeBytes;
    }

    private final Arena arena = Arena.ofShared();
    private final long limitBytes;
    private final Shelf[] shelves = new Shelf[SIZES + 1];
    private final long reserveBytes;
    private long reserveCutBytes;
    private final Object cutting = new Object();
    private volatile long cutBytes;

    SendMemory(long limitBytes) {
        this.limitBytes = limitBytes;
        reserveBytes = Math.max((long) LEAST_RESERVE_PIECES << LARGEST_BITS, limitBytes / RESERVE_PART);
        for (int i = 0; i < shelves.length; i++) {
            shelves[i] = new Shelf();
        }
    }

    /** A piece for at least {@code length} bytes; null if the limit is reached. */
    @Nullable
    SendBuffer take(int length) {
        int wanted = sizeFor(length);
        SendBuffer own = takeFree(wanted);
        if (own != null) {
            return own;
        }
        if (cut(wanted)) {
            return takeFree(wanted);
        }
        for (int larger = wanted; larger < SIZES; larger++) {
            SendBuffer borrowed = takeFree(larger);
            if (borrowed != null) {
                return borrowed;
            }
        }
        return null;
    }

    /** As {@link #take}, for a response: null only if the reserve is in use as well. */
    @Nullable
    SendBuffer takeForResponse(int length) {
        SendBuffer usual = take(length);
        if (usual != null) {
            return usual;
        }
        SendBuffer reserved = takeFree(RESERVE);
        return reserved != null || !cutReserve() ? reserved : takeFree(RESERVE);
    }

    private boolean cutReserve() {
        int bytes = 1 << LARGEST_BITS;
        synchronized (cutting) {
            if (reserveCutBytes + bytes > reserveBytes) {
                return false;
            }
            give(new SendBuffer(arena.allocate(bytes, 64), RESERVE));
            reserveCutBytes += bytes;
            cutBytes += bytes;
            return true;
        }
    }

    void give(SendBuffer buffer) {
        Shelf shelf = shelves[buffer.size];
        synchronized (shelf) {
            buffer.next = shelf.free;
            shelf.free = buffer;
            shelf.freeBytes += buffer.segment.byteSize();
        }
    }

    private @Nullable SendBuffer takeFree(int size) {
        Shelf shelf = shelves[size];
        synchronized (shelf) {
            SendBuffer buffer = shelf.free;
            if (buffer != null) {
                shelf.free = buffer.next;
                shelf.freeBytes -= buffer.segment.byteSize();
                buffer.next = null;
            }
            return buffer;
        }
    }

    /** False if the limit leaves no room. */
    private boolean cut(int size) {
        int bytes = 1 << (SMALLEST_BITS + size);
        int block = Math.max(bytes, BLOCK_BYTES);
        synchronized (cutting) {
            if (cutBytes - reserveCutBytes + block > limitBytes) {
                return false;
            }
            MemorySegment memory = arena.allocate(block, 64);
            cutBytes += block;
            for (int at = 0; at < block; at += bytes) {
                give(new SendBuffer(memory.asSlice(at, bytes), size));
            }
            return true;
        }
    }

    /** Bytes in pieces that somebody has. */
    long usedBytes() {
        long free = 0;
        for (Shelf shelf : shelves) {
            synchronized (shelf) {
                free += shelf.freeBytes;
            }
        }
        return Math.max(0, cutBytes - free);
    }

    long limitBytes() {
        return limitBytes;
    }

    long reserveBytes() {
        return reserveBytes;
    }

    /** Frees everything: pieces still in somebody's hands throw when touched. */
    void close() {
        synchronized (cutting) {
            if (arena.scope().isAlive()) {
                arena.close();
            }
        }
    }

    private static int sizeFor(int length) {
        int bits = 32 - Integer.numberOfLeadingZeros(Math.max(1, length) - 1);
        return Math.max(bits, SMALLEST_BITS) - SMALLEST_BITS;
    }
}
