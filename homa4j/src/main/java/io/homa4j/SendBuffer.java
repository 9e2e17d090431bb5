package io.homa4j;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A piece of {@link SendMemory}. */
final class SendBuffer {
    final MemorySegment segment;
    /** Number of the shelf it belongs to. */
    final int size;
    /** Next free one of the same size. */
    @Nullable
    SendBuffer next;

    SendBuffer(MemorySegment segment, int size) {
        this.segment = segment;
        this.size = size;
    }
}
