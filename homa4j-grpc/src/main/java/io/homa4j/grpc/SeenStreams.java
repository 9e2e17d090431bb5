package io.homa4j.grpc;

import java.util.Map;
import java.util.TreeMap;

/**
 * Which streams of a session have begun, so that none begins twice. Numbers come nearly in order; the few gaps are kept, and when
 * there are too many, the oldest one counts as seen. Not thread-safe.
 */
final class SeenStreams {
    private static final int MAX_GAPS = 4096;

    /** First and last number of each gap below {@link #highest}. */
    private final TreeMap<Integer, Integer> gaps = new TreeMap<>();

    private int highest;

    boolean isSeen(int stream) {
        if (stream > highest) {
            return false;
        }
        Map.Entry<Integer, Integer> gap = gaps.floorEntry(stream);
        return gap == null || gap.getValue() < stream;
    }

    /** Marks a stream that was not seen. */
    void mark(int stream) {
        if (stream > highest) {
            if (stream > highest + 1) {
                gaps.put(highest + 1, stream - 1);
                if (gaps.size() > MAX_GAPS) {
                    gaps.pollFirstEntry();
                }
            }
            highest = stream;
            return;
        }
        Map.Entry<Integer, Integer> gap = gaps.floorEntry(stream);
        if (gap == null || gap.getValue() < stream) {
            throw new IllegalArgumentException("stream " + stream + " was seen before");
        }
        gaps.remove(gap.getKey());
        if (gap.getKey() < stream) {
            gaps.put(gap.getKey(), stream - 1);
        }
        if (stream < gap.getValue()) {
            gaps.put(stream + 1, gap.getValue());
        }
    }
}
