package io.homa4j;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A received message: its bytes lie in the socket's receive region and stay there until {@link #close}, which gives the
 * memory back for other messages. The region is bounded: who keeps messages too long stops the socket from receiving.
 *
 * <p>After {@code close()} the accessors throw {@link IllegalStateException}; closing again does nothing, also after the
 * socket was closed. Views ({@link #buffer}, {@link #segment}) are not checked that way: after {@code close()} they show
 * whatever message came next, and after the socket was closed they throw. Any thread.
 */
public sealed class HomaMessage implements AutoCloseable permits Reply, Request {
    private final long id;
    private final @Nullable Lease lease;
    private final int generation;
    private final int length;

    HomaMessage(long id, @Nullable Lease lease) {
        this.id = id;
        this.lease = lease;
        this.generation = lease == null ? 0 : lease.generation();
        this.length = lease == null ? 0 : lease.length;
    }

    /** The RPC's id on this host: even for the outcome of an own request, odd for a request of somebody else. */
    public final long id() {
        return id;
    }

    /** Whether this is a request to be answered; else it is the outcome of an own request. */
    public boolean isRequest() {
        return this instanceof Request;
    }

    /** The other side. */
    public HomaAddress peer() {
        throw new AssertionError("every message has a peer");
    }

    /** The object given with the request this is the outcome of; null if none was, and for requests. */
    public @Nullable Object cookie() {
        return null;
    }

    /**
     * Why the RPC failed; null if this message has bytes. Only {@link HomaSocket#receive} and its kin return failed RPCs;
     * {@code call} throws instead.
     */
    public @Nullable HomaRpcException failure() {
        return null;
    }

    /** Bytes of the message, 1 to 1,000,000. */
    public final int length() {
        checkOpen();
        return length;
    }

    /** The message as an array of its own. */
    public final byte[] bytes() {
        byte[] copy = new byte[length];
        copyTo(copy, 0);
        return copy;
    }

    /** One byte. */
    public final byte byteAt(int index) {
        byte value = open().segment().get(ValueLayout.JAVA_BYTE, index);
        checkOpen();
        return value;
    }

    /** Copies the whole message. */
    public final void copyTo(byte[] target, int targetAt) {
        copyTo(MemorySegment.ofArray(target), targetAt);
    }

    /** Copies the whole message. */
    public final void copyTo(MemorySegment target, long targetAt) {
        MemorySegment.copy(open().segment(), 0, target, targetAt, length);
        // Closed by another thread meanwhile: what was copied may belong to the next message.
        checkOpen();
    }

    /** A read-only view of the message, valid until {@link #close}. */
    public final ByteBuffer buffer() {
        return segment().asByteBuffer();
    }

    /** A read-only view of the message, valid until {@link #close}. */
    public final MemorySegment segment() {
        return open().segment().asReadOnly();
    }

    /** The memory itself: writable, unchecked, valid until {@link #close}. What is written there nobody else sees. */
    public final MemorySegment unsafeSegment() {
        return open().segment();
    }

    @Override
    public final String toString() {
        return (isRequest() ? "request " : "reply ") + id + " from " + peer() + ", " + length + " bytes";
    }

    /** Gives the memory back; idempotent. */
    @Override
    public void close() {
        Lease held = lease;
        if (held != null) {
            held.close(generation);
        }
    }

    /** Gives the memory back as part of a command. Owner. */
    final void closeByOwner(long nowNs) {
        Lease held = lease;
        if (held != null) {
            held.closeNow(generation, nowNs);
        }
    }

    private Lease open() {
        checkOpen();
        return Objects.requireNonNull(lease);
    }

    private void checkOpen() {
        HomaRpcException failed = failure();
        if (failed != null) {
            throw failed;
        }
        Lease held = lease;
        if (held == null || !held.isValid(generation)) {
            throw new IllegalStateException("the message from " + peer() + " is closed");
        }
    }
}
