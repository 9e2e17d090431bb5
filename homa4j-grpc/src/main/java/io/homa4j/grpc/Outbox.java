package io.homa4j.grpc;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * What a stream has to send in one direction: headers, then bytes of gRPC's frames, then its end. Decides what the next message
 * carries: everything that is flushed, as far as a message has room and the receiver's limit allows.
 *
 * <p><b>Sizes stay honest.</b> Homa sends the shortest message first, so a long one must not leave in small pieces: what is ready is
 * cut into as few pieces as possible, all of about the same size, and a piece that the receiver's limit does not admit waits until it
 * does. Receivers' windows hold at least one whole piece, so it always will. Within the stream's own order of execution; not
 * thread-safe.
 */
final class Outbox {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final byte[] EMPTY = {};

    /** Bytes of a message before its records. */
    private final int preambleBytes;
    /** Null: none, or sent. */
    private byte @Nullable [] headers;

    private final ArrayDeque<HeapBuffer> frames = new ArrayDeque<>();
    /** Bytes in {@link #frames}. */
    private long queuedBytes;
    /** The first bytes of {@link #frames} that may leave. */
    private long flushedBytes;

    private boolean isHeadersFlushed;
    /** Null: not ended yet. */
    private byte @Nullable [] end;

    private int endType;
    private boolean isEndSent;

    /** DATA bytes sent since the beginning. */
    private long sentBytes;
    /** DATA bytes that the receiver takes, since the beginning. */
    private long limitBytes;

    private int sequence;

    // ---- the next message, as planned
    private boolean nextHasHeaders;
    private int nextDataBytes;
    private boolean nextHasEnd;

    Outbox(int preambleBytes, long limitBytes) {
        this.preambleBytes = preambleBytes;
        this.limitBytes = limitBytes;
    }

    // ---- filling

    /** The body of the HEADERS record. */
    void headers(byte[] body, boolean flush) {
        headers = body;
        isHeadersFlushed |= flush;
    }

    void frame(HeapBuffer frame) {
        frames.add(frame);
        queuedBytes += frame.length;
    }

    /** What was given so far may leave. */
    void flush() {
        isHeadersFlushed = true;
        flushedBytes = queuedBytes;
    }

    /** Nothing comes after what was given so far, which may leave. */
    void end(int recordType, byte[] body) {
        endType = recordType;
        end = body;
        flush();
    }

    void end(int recordType) {
        end(recordType, EMPTY);
    }

    /** The receiver takes so many bytes since the beginning. */
    void limit(long bytes) {
        limitBytes = Math.max(limitBytes, bytes);
    }

    boolean isEnded() {
        return end != null;
    }

    /** Whether the end has left. */
    boolean isDone() {
        return isEndSent;
    }

    /** Forgets what has not left. */
    int discard() {
        int discarded = (int) Math.min(Integer.MAX_VALUE, queuedBytes);
        frames.clear();
        headers = null;
        queuedBytes = 0;
        flushedBytes = 0;
        return discarded;
    }

    // ---- emptying

    /** Plans the next message; false if there is nothing to send, or nothing may leave. */
    boolean plan() {
        byte[] head = headers;
        nextHasHeaders = head != null && isHeadersFlushed;
        int room = Frames.MAX_MESSAGE_BYTES - preambleBytes;
        if (nextHasHeaders && head != null) {
            room -= Frames.RECORD_HEADER_BYTES + head.length;
        }
        nextDataBytes = 0;
        if (flushedBytes > 0 && (head == null || nextHasHeaders)) {
            int most = room - Frames.RECORD_HEADER_BYTES;
            long pieces = (flushedBytes + most - 1) / most;
            int piece = (int) ((flushedBytes + pieces - 1) / pieces);
            if (piece <= limitBytes - sentBytes) {
                nextDataBytes = piece;
                room -= Frames.RECORD_HEADER_BYTES + piece;
            }
        }
        byte[] tail = end;
        nextHasEnd = tail != null
                && !isEndSent
                && nextDataBytes == flushedBytes
                && room >= Frames.RECORD_HEADER_BYTES + tail.length;
        return nextHasHeaders || nextDataBytes > 0 || nextHasEnd;
    }

    /** Bytes of the planned message. */
    int plannedBytes() {
        int length = preambleBytes;
        if (nextHasHeaders && headers != null) {
            length += Frames.RECORD_HEADER_BYTES + headers.length;
        }
        if (nextDataBytes > 0) {
            length += Frames.RECORD_HEADER_BYTES + nextDataBytes;
        }
        if (nextHasEnd && end != null) {
            length += Frames.RECORD_HEADER_BYTES + end.length;
        }
        return length;
    }

    /** DATA bytes of the planned message. */
    int plannedDataBytes() {
        return nextDataBytes;
    }

    /** The sequence of the planned message. */
    int plannedSequence() {
        return sequence;
    }

    /** Writes the records of the planned message behind its preamble; they have left then. */
    void take(MemorySegment message) {
        long at = preambleBytes;
        byte[] head = headers;
        if (nextHasHeaders && head != null) {
            at = record(message, at, Frames.HEADERS, head);
            headers = null;
        }
        if (nextDataBytes > 0) {
            at = recordHeader(message, at, Frames.DATA, nextDataBytes);
            takeData(message, at);
            at += nextDataBytes;
            sentBytes += nextDataBytes;
            queuedBytes -= nextDataBytes;
            flushedBytes -= nextDataBytes;
        }
        byte[] tail = end;
        if (nextHasEnd && tail != null) {
            record(message, at, endType, tail);
            isEndSent = true;
        }
        sequence++;
    }

    private void takeData(MemorySegment message, long from) {
        long at = from;
        int left = nextDataBytes;
        while (left > 0) {
            HeapBuffer frame = frames.element();
            int count = Math.min(left, frame.length - frame.taken);
            MemorySegment.copy(frame.bytes, frame.taken, message, ValueLayout.JAVA_BYTE, at, count);
            frame.taken += count;
            at += count;
            left -= count;
            if (frame.taken == frame.length) {
                frames.remove();
            }
        }
    }

    private static long record(MemorySegment message, long at, int type, byte[] body) {
        long bodyAt = recordHeader(message, at, type, body.length);
        MemorySegment.copy(body, 0, message, ValueLayout.JAVA_BYTE, bodyAt, body.length);
        return bodyAt + body.length;
    }

    private static long recordHeader(MemorySegment message, long at, int type, int length) {
        message.set(ValueLayout.JAVA_BYTE, at, (byte) type);
        message.set(INT, at + 1, length);
        return at + Frames.RECORD_HEADER_BYTES;
    }
}
