package io.homa4j;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Off-heap memory for outgoing messages, in sizes of powers of two from 256 bytes to 1 MiB. Pieces are cut when first
 * needed, up to a limit in all, and used again and again; a size that has run out borrows from larger ones. Safe for any
 * thread: each size has its own lock, held for a few instructions.
 */
final class SendMemory {
    private static final int SMALLEST_BITS = 8;
    private static final int LARGEST_BITS = 20;
    private static final int SIZES = LARGEST_BITS - SMALLEST_BITS + 1;
    /** Small pieces are cut from blocks of this size, bytes. */
    private static final int BLOCK_BYTES = 1 << 16;

    private static final class Shelf {
        @Nullable
        SendBuffer free;

        long freeBytes;
    }

    private final Arena arena = Arena.ofShared();
    private final long limitBytes;
    private final Shelf[] shelves = new Shelf[SIZES];
    private final Object cutting = new Object();
    private volatile long cutBytes;

    SendMemory(long limitBytes) {
        this.limitBytes = limitBytes;
        for (int i = 0; i < SIZES; i++) {
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

    void give(SendBuffer buffer) {
        Shelf shelf = shelves[buffer.size];
        synchronized (shelf) {
            buffer.next = shelf.free;
            shelf.free = buffer;
            shelf.freeBytes += 1L << (SMALLEST_BITS + buffer.size);
        }
    }

    private @Nullable SendBuffer takeFree(int size) {
        Shelf shelf = shelves[size];
        synchronized (shelf) {
            SendBuffer buffer = shelf.free;
            if (buffer != null) {
                shelf.free = buffer.next;
                shelf.freeBytes -= 1L << (SMALLEST_BITS + size);
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
            if (cutBytes + block > limitBytes) {
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
