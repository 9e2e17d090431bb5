package io.homa4j.wire;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A CUTOFFS packet as a value (spec/protocol.md 2.8).
 *
 * @param cutoffs eight entries, lowest level first
 * @param extra bytes behind the header, which receivers ignore
 */
public record CutoffsPacket(Common common, List<Integer> cutoffs, int version, Bytes extra) implements Packet {
    public CutoffsPacket {
        cutoffs = List.copyOf(cutoffs);
        if (cutoffs.size() != CutoffsHeader.LEVELS) {
            throw new IllegalArgumentException(cutoffs.size() + " cutoffs");
        }
    }

    static CutoffsPacket read(MemorySegment packet, long at, int length) {
        return new CutoffsPacket(
                Common.read(packet, at),
                IntStream.range(0, CutoffsHeader.LEVELS)
                        .mapToObj(level -> CutoffsHeader.cutoff(packet, at, level))
                        .toList(),
                CutoffsHeader.version(packet, at),
                Bytes.read(packet, at + CutoffsHeader.LENGTH, at + length));
    }

    @Override
    public int length() {
        return CutoffsHeader.LENGTH + extra.length();
    }

    @Override
    public void encode(MemorySegment packet, long at) {
        common.write(packet, at);
        for (int level = 0; level < CutoffsHeader.LEVELS; level++) {
            BigEndian.i32(packet, at + CutoffsHeader.CUTOFFS + 4L * level, cutoffs.get(level));
        }
        BigEndian.u16(packet, at + CutoffsHeader.VERSION, version);
        extra.write(packet, at + CutoffsHeader.LENGTH);
    }
}
