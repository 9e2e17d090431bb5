package io.homa4j.grpc;

import io.grpc.internal.WritableBuffer;

/** Bytes that gRPC's framer writes and a message takes, in one or several pieces. */
final class HeapBuffer implements WritableBuffer {
    private static final int MIN_BYTES = 64;
    private static final int MAX_BYTES = 1 << 20;

    final byte[] bytes;
    /** Bytes written. */
    int length;
    /** Bytes taken; by the stream. */
    int taken;

    private HeapBuffer(int capacity) {
        bytes = new byte[capacity];
    }

    /** Room for about so many bytes: what does not fit goes into further buffers. */
    static HeapBuffer allocate(int wantedBytes) {
        return new HeapBuffer(Math.clamp(wantedBytes, MIN_BYTES, MAX_BYTES));
    }

    @Override
    public void write(byte[] source, int from, int count) {
        System.arraycopy(source, from, bytes, length, count);
        length += count;
    }

    @Override
    public void write(byte value) {
        bytes[length++] = value;
    }

    @Override
    public int writableBytes() {
        return bytes.length - length;
    }

    @Override
    public int readableBytes() {
        return length;
    }

    @Override
    public void release() {
        // The collector's.
    }
}
