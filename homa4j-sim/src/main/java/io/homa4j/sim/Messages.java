package io.homa4j.sim;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The bytes of all messages: pieces of one pattern, so that none has to be made and any can be checked. Where a piece
 * starts is drawn for each message; two pieces differ in nearly every byte.
 */
final class Messages {
    /** Pieces start at 0 to this. */
    static final int STARTS = 1 << 20;

    /** Native memory that lives as long as the process, and is never written again. */
    static final MemorySegment PATTERN = pattern();

    private Messages() {}

    private static MemorySegment pattern() {
        MemorySegment pattern = Arena.global().allocate(STARTS + FuzzPlan.MAX_BYTES + 8L, 64);
        Prng bytes = new Prng(0x686f6d61);
        for (long at = 0; at + 8 <= pattern.byteSize(); at += 8) {
            pattern.set(ValueLayout.JAVA_LONG, at, bytes.nextLong());
        }
        return pattern.asReadOnly();
    }

    /** Whether the bytes there are those of a message; -1 if so, else the offset of the first that is not. */
    static long firstWrong(MemorySegment memory, long at, int length, int patternAt) {
        return MemorySegment.mismatch(memory, at, at + length, PATTERN, patternAt, patternAt + length);
    }
}
