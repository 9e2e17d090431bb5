package io.homa4j;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Off-heap memory for outgoing messages, in sizes of powers of two from 256 bytes to 1 MiB. Pieces are cut when first
 * needed, up to a limit in all, and used again and again; a size that has run out takes the memory of blocks of which no piece
 * is in use, whatever they were cut into, and else borrows from larger ones. Safe for any thread: each size has its own lock,
 * held for a few instructions.
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

    /** Memory that was cut into pieces of one size. */
    static final class Block {
        final Arena arena = Arena.ofShared();
        final int bytes;
        final SendBuffer[] pieces;
        /** Number of its shelf. */
        final int size;
        /** Pieces that nobody has; guarded by the shelf. */
        int free;

        Block(int bytes, int pieceBytes, int size) {
            this.bytes = bytes;
            this.size = size;
            pieces = new SendBuffer[bytes / pieceBytes];
            MemorySegment memory = arena.allocate(bytes, 64);
            for (int i = 0; i < pieces.length; i++) {
                pieces[i] = new SendBuffer(memory.asSlice((long) i * pieceBytes, pieceBytes), this);
            }
        }

        boolean isIdle() {
            return free == pieces.length;
        }
    }

    /** The free pieces of one size. Pieces given back last are taken first, so that blocks not needed become idle. */
    private static final class Shelf {
        private final List<Block> blocks = new ArrayList<>();
        private @Nullable SendBuffer first;
        private long freeBytes;
        private long idleBytes;

        synchronized void add(Block block) {
            blocks.add(block);
            for (SendBuffer piece : block.pieces) {
                push(piece);
            }
        }

        synchronized void give(SendBuffer piece) {
            push(piece);
        }

        private void push(SendBuffer piece) {
            SendBuffer head = first;
            piece.next = head;
            piece.previous = null;
            if (head != null) {
                head.previous = piece;
            }
            first = piece;
            freeBytes += piece.segment.byteSize();
            piece.block.free++;
            idleBytes += piece.block.isIdle() ? piece.block.bytes : 0;
        }

        synchronized @Nullable SendBuffer take() {
            SendBuffer piece = first;
            if (piece != null) {
                remove(piece);
            }
            return piece;
        }

        private void remove(SendBuffer piece) {
            SendBuffer next = piece.next;
            SendBuffer previous = piece.previous;
            if (previous == null) {
                first = next;
            } else {
                previous.next = next;
            }
            if (next != null) {
                next.previous = previous;
            }
            piece.next = null;
            piece.previous = null;
            freeBytes -= piece.segment.byteSize();
            idleBytes -= piece.block.isIdle() ? piece.block.bytes : 0;
            piece.block.free--;
        }

        synchronized long freeBytes() {
            return freeBytes;
        }

        synchronized long idleBytes() {
            return idleBytes;
        }

        /** Takes a block out of which nobody has a piece; null if there is none. */
        synchronized @Nullable Block takeIdle() {
            for (int i = blocks.size() - 1; i >= 0 && idleBytes > 0; i--) {
                Block block = blocks.get(i);
                if (block.isIdle()) {
                    blocks.remove(i);
                    for (SendBuffer piece : block.pieces) {
                        remove(piece);
                    }
                    return block;
                }
            }
            return null;
        }

        synchronized List<Block> blocks() {
            return List.copyOf(blocks);
        }
    }

    private final long limitBytes;
    private final Shelf[] shelves = new Shelf[SIZES + 1];
    private final long reserveBytes;
    private long reserveCutBytes;
    private final Object cutting = new Object();
    private volatile long cutBytes;
    private boolean isClosed;

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
        SendBuffer own = shelves[wanted].take();
        if (own != null) {
            return own;
        }
        if (cut(wanted)) {
            return shelves[wanted].take();
        }
        for (int larger = wanted; larger < SIZES; larger++) {
            SendBuffer borrowed = shelves[larger].take();
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
        SendBuffer reserved = shelves[RESERVE].take();
        return reserved != null || !cutReserve() ? reserved : shelves[RESERVE].take();
    }

    private boolean cutReserve() {
        int bytes = 1 << LARGEST_BITS;
        synchronized (cutting) {
            if (reserveCutBytes + bytes > reserveBytes) {
                return false;
            }
            add(bytes, bytes, RESERVE);
            reserveCutBytes += bytes;
            cutBytes += bytes;
            return true;
        }
    }

    void give(SendBuffer buffer) {
        shelves[buffer.block.size].give(buffer);
    }

    /** Cuts a block into pieces of a size; false if the limit leaves no room, and idle blocks of other sizes make none. */
    private boolean cut(int size) {
        int bytes = 1 << (SMALLEST_BITS + size);
        int block = Math.max(bytes, BLOCK_BYTES);
        synchronized (cutting) {
            long lacking = cutBytes - reserveCutBytes + block - limitBytes;
            if (lacking > 0) {
                long given = giveUpIdle(lacking);
                cutBytes -= given;
                lacking -= given;
            }
            if (lacking > 0) {
                return false;
            }
            add(block, bytes, size);
            cutBytes += block;
            return true;
        }
    }

    /** Gives up idle blocks of at least so many bytes, those of the smallest pieces first; nothing if there are not as many. */
    private long giveUpIdle(long bytes) {
        long idle = 0;
        for (int size = 0; size < SIZES; size++) {
            idle += shelves[size].idleBytes();
        }
        long given = 0;
        for (int size = 0; idle >= bytes && given < bytes && size < SIZES; size++) {
            for (Block block = shelves[size].takeIdle(); block != null; block = shelves[size].takeIdle()) {
                try {
                    block.arena.close();
                } catch (IllegalStateException e) {
                    // A thread still reads what it has given back: the block is not idle in truth.
                    shelves[size].add(block);
                    break;
                }
                given += block.bytes;
                if (given >= bytes) {
                    break;
                }
            }
        }
        return given;
    }

    private void add(int blockBytes, int pieceBytes, int size) {
        if (isClosed) {
            throw new IllegalStateException("send memory is closed");
        }
        shelves[size].add(new Block(blockBytes, pieceBytes, size));
    }

    /** Bytes in pieces that somebody has. */
    long usedBytes() {
        long free = 0;
        for (Shelf shelf : shelves) {
            free += shelf.freeBytes();
        }
        return Math.max(0, cutBytes - free);
    }

    long limitBytes() {
        return limitBytes;
    }

    long reserveBytes() {
        return reserveBytes;
    }

    /**
     * Frees everything: pieces still in somebody's hands throw when touched.
     *
     * @throws IllegalStateException if a thread reads or writes one at this moment; its block stays
     */
    void close() {
        synchronized (cutting) {
            isClosed = true;
            IllegalStateException inUse = null;
            for (Shelf shelf : shelves) {
                for (Block block : shelf.blocks()) {
                    try {
                        if (block.arena.scope().isAlive()) {
                            block.arena.close();
                        }
                    } catch (IllegalStateException e) {
                        inUse = e;
                    }
                }
            }
            if (inUse != null) {
                throw inUse;
            }
        }
    }

    private static int sizeFor(int length) {
        int bits = 32 - Integer.numberOfLeadingZeros(Math.max(1, length) - 1);
        return Math.max(bits, SMALLEST_BITS) - SMALLEST_BITS;
    }
}
