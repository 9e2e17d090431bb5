package io.homa4j;

import java.lang.System.Logger;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Send memory as callers see it: taken at once or waited for, responses first, then the oldest; filled, given back. For
 * responses there is a reserve ({@link SendMemory}).
 */
final class SendSpace {
    private static final Logger LOG = System.getLogger(SendSpace.class.getName());

    private final EngineLoop loop;
    private final SendMemory memory;
    private final ServeOp serveOp = new ServeOp();
    /** Who waits, oldest first. Owner. */
    private final ArrayDeque<MemoryOp> forResponses = new ArrayDeque<>();

    private final ArrayDeque<MemoryOp> forOthers = new ArrayDeque<>();
    /** Somebody waits; written by the owner. */
    private volatile boolean isWanted;

    SendSpace(EngineLoop loop, SendMemory memory) {
        this.loop = loop;
        this.memory = memory;
    }

    // ---- any thread

    /** Memory for a message; null if there is none left. */
    @Nullable
    SendBuffer tryTake(int length, boolean isResponse) {
        return isResponse ? memory.takeForResponse(length) : memory.take(length);
    }

    /** Gives it back to the pool. */
    void giveBack(SendBuffer buffer) {
        memory.give(buffer);
        if (isWanted) {
            loop.submit(serveOp);
        }
    }

    /** A message in send memory; null if there is none left. */
    @Nullable
    SendBuffer tryCopy(MemorySegment message, int length, boolean isResponse) {
        SendBuffer buffer = tryTake(length, isResponse);
        if (buffer != null) {
            copy(message, buffer, length);
        }
        return buffer;
    }

    /** Copies a message to its send memory; gives the memory back if that fails. */
    void copy(MemorySegment message, SendBuffer buffer, int length) {
        try {
            MemorySegment.copy(message, 0, buffer.segment, 0, length);
        } catch (RuntimeException e) {
            giveBack(buffer);
            throw loop.isClosed() ? loop.closedException("this Homa") : e;
        }
    }

    long usedBytes() {
        return memory.usedBytes();
    }

    long limitBytes() {
        return memory.limitBytes();
    }

    // ---- owner

    /** Puts an operation on the list of those that wait. */
    void addWaiter(MemoryOp op) {
        waiters(op).add(op);
        isWanted = true;
        loop.deadlines.add(op);
    }

    void removeWaiter(MemoryOp op) {
        waiters(op).remove(op);
        isWanted = !forResponses.isEmpty() || !forOthers.isEmpty();
        loop.deadlines.remove(op);
    }

    private ArrayDeque<MemoryOp> waiters(MemoryOp op) {
        return op.isResponse ? forResponses : forOthers;
    }

    private void serve() {
        serve(forResponses);
        serve(forOthers);
    }

    private void serve(ArrayDeque<MemoryOp> waiters) {
        for (MemoryOp op = waiters.peek(); op != null; op = waiters.peek()) {
            SendBuffer buffer = tryTake(op.length, op.isResponse);
            if (buffer == null) {
                return;
            }
            removeWaiter(op);
            op.succeed(buffer);
        }
    }

    /** The engine is closed. */
    void refuseAll() {
        refuseAll(forResponses);
        refuseAll(forOthers);
    }

    private void refuseAll(ArrayDeque<MemoryOp> waiters) {
        for (MemoryOp op : waiters) {
            op.refuse(loop);
        }
        waiters.clear();
    }

    /** Somebody may read into or out of lent memory at this moment: then it stays until the process ends. */
    void close() {
        try {
            memory.close();
        } catch (IllegalStateException e) {
            LOG.log(Logger.Level.WARNING, "send memory is still in use by another thread and is not freed", e);
        }
    }

    /** Gives waiting threads the memory that came back. */
    private static final class ServeOp extends Command {
        @Override
        void run(EngineLoop loop, long nowNs) {
            loop.sendSpace.serve();
        }

        @Override
        void refuse(EngineLoop loop) {
            // The loop has already refused those who wait.
        }
    }
}
