package io.homa4j.sim;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Receive regions, used again by one run after the other; each run begins with what looks like fresh memory. */
final class Regions {
    private static final byte FRESH = 0;

    private final Arena arena = Arena.ofAuto();
    private final Map<Long, List<MemorySegment>> spare = new HashMap<>();
    private final List<MemorySegment> inUse = new ArrayList<>();

    MemorySegment take(long bytes) {
        List<MemorySegment> fitting = spare.computeIfAbsent(bytes, size -> new ArrayList<>());
        MemorySegment region = fitting.isEmpty()
                ? arena.allocate(bytes, 64)
                : fitting.removeLast().fill(FRESH);
        inUse.add(region);
        return region;
    }

    /** Takes all of them back. */
    void reset() {
        for (MemorySegment region : inUse) {
            spare.computeIfAbsent(region.byteSize(), size -> new ArrayList<>()).add(region);
        }
        inUse.clear();
    }
}
