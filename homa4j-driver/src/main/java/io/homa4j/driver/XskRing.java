package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.homa4j.driver.libc.Xdp;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * This process's end of a ring that it shares with the kernel: one side produces entries, the other consumes them, and each
 * writes one index only, which counts on through 2^32. What was written to entries is published by the release of the own index,
 * and seen by the acquisition of the other's. Owner.
 */
final class XskRing {
    private static final VarHandle INT = JAVA_INT.varHandle();

    private final MemorySegment memory;
    private final long ownAt;
    private final long otherAt;
    private final long flagsAt;
    private final long entriesAt;
    private final int entryBytes;
    private final int size;

    private int own;
    /** The other side's index as last seen. */
    private int other;

    /**
     * @param memory of the ring
     * @param ownAt offset of the index that this side writes
     * @param otherAt offset of the index that the other side writes
     * @param flagsAt offset of the flags
     * @param entriesAt offset of the entries
     * @param size entries, a power of two
     */
    XskRing(MemorySegment memory, long ownAt, long otherAt, long flagsAt, long entriesAt, int entryBytes, int size) {
        this.memory = memory;
        this.ownAt = ownAt;
        this.otherAt = otherAt;
        this.flagsAt = flagsAt;
        this.entriesAt = entriesAt;
        this.entryBytes = entryBytes;
        this.size = size;
        own = (int) INT.getAcquire(memory, ownAt);
        other = (int) INT.getAcquire(memory, otherAt);
    }

    int size() {
        return size;
    }

    /** Producing: entries that are free. Asks for the other's index only if fewer than so many are known to be. */
    int room(int wanted) {
        if (size - (own - other) < wanted) {
            other = (int) INT.getAcquire(memory, otherAt);
        }
        return size - (own - other);
    }

    /** Producing: entries that the other side has not taken yet. */
    int pending() {
        return size - room(size);
    }

    /** Consuming: entries that are there. Asks for the other's index only if none is known. */
    int available() {
        if (other == own) {
            other = (int) INT.getAcquire(memory, otherAt);
        }
        return other - own;
    }

    /** Where the entry {@code ahead} of the own index lies. */
    private long entryAt(int ahead) {
        return entriesAt + (long) (own + ahead & size - 1) * entryBytes;
    }

    /** The UMEM offset in the entry so far ahead. */
    long address(int ahead) {
        return memory.get(JAVA_LONG, entryAt(ahead) + Xdp.DESCRIPTOR_ADDRESS);
    }

    /** Bytes of the frame in the entry so far ahead; only in rings of descriptors. */
    int length(int ahead) {
        return memory.get(JAVA_INT, entryAt(ahead) + Xdp.DESCRIPTOR_LENGTH);
    }

    void address(int ahead, long address) {
        memory.set(JAVA_LONG, entryAt(ahead) + Xdp.DESCRIPTOR_ADDRESS, address);
    }

    void descriptor(int ahead, long address, int length) {
        long at = entryAt(ahead);
        memory.set(JAVA_LONG, at + Xdp.DESCRIPTOR_ADDRESS, address);
        memory.set(JAVA_INT, at + Xdp.DESCRIPTOR_LENGTH, length);
        memory.set(JAVA_INT, at + Xdp.DESCRIPTOR_OPTIONS, 0);
    }

    /** Gives so many entries to the other side. */
    void advance(int entries) {
        own += entries;
        INT.setRelease(memory, ownAt, own);
    }

    /** Whether the kernel sleeps until a system call is made. To be asked after {@link #advance}. */
    boolean needsWakeup() {
        // Else the flag might be read before the kernel can see the index, and nobody would ever wake it.
        VarHandle.fullFence();
        return ((int) INT.getOpaque(memory, flagsAt) & Xdp.RING_NEED_WAKEUP) != 0;
    }
}
