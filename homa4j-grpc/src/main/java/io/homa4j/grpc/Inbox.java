package io.homa4j.grpc;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a stream receives in one direction: puts messages into order, and says how many bytes the sender may send. Homa delivers
 * in any order, so a message that overtook an earlier one waits here; honest senders keep within the limit they were told, and
 * what goes beyond is a {@link ProtocolException}. Within the stream's own order of execution; not thread-safe.
 */
final class Inbox {
    /** Most messages that wait for an earlier one: more than a sender ever has on their way. */
    static final int MAX_EARLY = 64;

    private final int windowBytes;
    private final Map<Integer, Message> early = new HashMap<>();
    private long earlyBytes;
    private int nextSequence;
    /** DATA bytes received in order. */
    private long receivedBytes;
    /** DATA bytes the application has taken. */
    private long consumedBytes;
    /** The highest limit the sender was told. */
    private long toldLimitBytes;

    /** The records of one message: the part of {@code bytes} from {@code recordsAt} on. */
    static final class Message {
        final byte[] bytes;
        final int recordsAt;

        Message(byte[] bytes, int recordsAt) {
            this.bytes = bytes;
            this.recordsAt = recordsAt;
        }
    }

    Inbox(int windowBytes) {
        this.windowBytes = windowBytes;
        this.toldLimitBytes = windowBytes;
    }

    /** A message has arrived. */
    void add(int sequence, byte[] bytes, int recordsAt) throws ProtocolException {
        if (sequence - nextSequence < 0 || early.containsKey(sequence)) {
            throw new ProtocolException("message " + sequence + " of a stream came twice");
        }
        if (sequence - nextSequence >= MAX_EARLY) {
            throw new ProtocolException(
                    "message " + sequence + " of a stream comes too early: " + nextSequence + " is missing");
        }
        earlyBytes += bytes.length;
        if (earlyBytes > windowBytes + 2L * Frames.MAX_MESSAGE_BYTES) {
            throw new ProtocolException("more bytes than were allowed");
        }
        early.put(sequence, new Message(bytes, recordsAt));
    }

    /** The next message in order; null if it is not there. */
    @Nullable
    Message poll() {
        Message next = early.remove(nextSequence);
        if (next != null) {
            nextSequence++;
            earlyBytes -= next.bytes.length;
        }
        return next;
    }

    /** So many DATA bytes were taken out of messages in order. */
    void received(int bytes) throws ProtocolException {
        receivedBytes += bytes;
        if (receivedBytes > toldLimitBytes) {
            throw new ProtocolException("more bytes than were allowed");
        }
    }

    /** The application has taken so many bytes. */
    void consumed(int bytes) {
        consumedBytes += bytes;
    }

    /** How many bytes the sender may send, since the beginning. Who asks tells it the sender. */
    long tellLimit() {
        toldLimitBytes = consumedBytes + windowBytes;
        return toldLimitBytes;
    }

    /** Whether the sender may be waiting for being told. */
    boolean isLimitWorthTelling() {
        return consumedBytes + windowBytes - toldLimitBytes >= windowBytes / 2;
    }

    void discard() {
        early.clear();
        earlyBytes = 0;
    }
}
