package io.homa4j.wire;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HexFormat;

/** Bytes as a value, so that the records of packets have a proper {@code equals}. Holds a copy of what it is made of. */
public final class Bytes {
    public static final Bytes EMPTY = new Bytes(new byte[0]);

    private static final int SHOWN = 16;

    private final byte[] array;

    private Bytes(byte[] array) {
        this.array = array;
    }

    public static Bytes of(byte... bytes) {
        return bytes.length == 0 ? EMPTY : new Bytes(bytes.clone());
    }

    /** Copies {@code [start, end)} of a segment. */
    static Bytes read(MemorySegment segment, long start, long end) {
        return start == end
                ? EMPTY
                : new Bytes(segment.asSlice(start, end - start).toArray(ValueLayout.JAVA_BYTE));
    }

    void write(MemorySegment segment, long at) {
        MemorySegment.copy(array, 0, segment, ValueLayout.JAVA_BYTE, at, array.length);
    }

    public int length() {
        return array.length;
    }

    /** A copy that belongs to the caller. */
    public byte[] toArray() {
        return array.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Bytes bytes && Arrays.equals(array, bytes.array);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(array);
    }

    /** The number of bytes, and the first of them in hexadecimal. */
    @Override
    public String toString() {
        String shown = HexFormat.of().formatHex(array, 0, Math.min(array.length, SHOWN));
        return array.length + " bytes" + (array.length == 0 ? "" : " " + shown) + (array.length > SHOWN ? "..." : "");
    }
}
