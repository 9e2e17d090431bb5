package io.homa4j;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A piece of a socket's receive region in the hands of the application, from the moment it gets a message until it closes
 * it. The object is used again for other pieces; its {@link #generation} tells them apart: who holds an old one can neither
 * read nor give back the new piece.
 */
final class Lease extends Command {
    private static final VarHandle GENERATION;

    static {
        try {
            GENERATION = MethodHandles.lookup().findVarHandle(Lease.class, "generation", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Counts up when the application gives the piece back. */
    private volatile int generation;

    final SocketCore socket;
    /** Where the piece lies in the socket's region. */
    long regionOffset;

    int length;
    long takenNs;
    // Who has it, for people.
    boolean isRequest;
    long peerHi;
    long peerLo;
    int peerPort;
    /** Debug mode: where it was taken. */
    @Nullable
    Throwable taken;

    // Neighbours in the socket's list of pieces that are out, or of free objects. Owner.
    @Nullable
    Lease previous;

    @Nullable
    Lease next;

    Lease(SocketCore socket) {
        this.socket = socket;
    }

    int generation() {
        return generation;
    }

    boolean isValid(int expected) {
        return generation == expected && !socket.isClosed();
    }

    /** Gives the piece back, once; later calls with the same number do nothing. Any thread. */
    void close(int expected) {
        if (GENERATION.compareAndSet(this, expected, expected + 1)) {
            socket.loop.submit(this);
        }
    }

    /** As {@link #close}, by the owner as part of another command. */
    void closeNow(int expected, long nowNs) {
        if (GENERATION.compareAndSet(this, expected, expected + 1)) {
            socket.release(this, nowNs);
        }
    }

    MemorySegment segment() {
        return socket.region().asSlice(regionOffset, length);
    }

    @Override
    void run(EngineLoop loop, long nowNs) {
        socket.release(this, nowNs);
    }

    @Override
    void refuse(EngineLoop loop) {
        // The whole region is gone with the engine.
    }
}
