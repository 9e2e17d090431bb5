package io.homa4j;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A piece of {@link SendMemory}. */
final class SendBuffer {
    final MemorySegment segment;
    /** What it was cut from. */
    final SendMemory.Block block;
    /** Neighbours among the free ones of the same size. */
    @Nullable
    SendBuffer next;

    @Nullable
    SendBuffer previous;

    SendBuffer(MemorySegment segment, SendMemory.Block block) {
        this.segment = segment;
        this.block = block;
    }
}
