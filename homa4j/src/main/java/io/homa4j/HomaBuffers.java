package io.homa4j;

import org.jspecify.annotations.Nullable;

/** The pool of send memory of one {@link Homa}. Any thread. */
public final class HomaBuffers {
    private final EngineLoop loop;

    HomaBuffers(EngineLoop loop) {
        this.loop = loop;
    }

    /**
     * A buffer to build a message in; waits while all memory is in use.
     *
     * @param length 1 to 1,000,000
     * @throws HomaLimitException if all memory is in use and this is the thread that turns the engine
     * @throws HomaClosedException if this Homa is closed, or gets closed meanwhile
     */
    public HomaBuffer take(int length) throws InterruptedException {
        HomaBuffer buffer = tryTake(length);
        if (buffer != null) {
            return buffer;
        }
        if (loop.isOwner()) {
            throw new HomaLimitException(Reason.SEND_LIMIT, "send memory of " + limitBytes() + " bytes");
        }
        MemoryOp op = new MemoryOp(length, false, Op.NO_DEADLINE);
        boolean interrupted = loop.executeQuietly(op);
        SendBuffer found = op.buffer();
        if (interrupted) {
            if (found != null) {
                loop.sendSpace.giveBack(found);
            }
            throw new InterruptedException();
        }
        if (found == null) {
            throw loop.closedException("this Homa");
        }
        return new HomaBuffer(loop, found, length);
    }

    /** As {@link #take}, without waiting: null if all memory is in use. */
    public @Nullable HomaBuffer tryTake(int length) {
        if (length < 1 || length > loop.config.maxMessageBytes) {
            throw new IllegalArgumentException(
                    "a message of " + length + " bytes: it must have 1 to " + loop.config.maxMessageBytes);
        }
        SendBuffer buffer = loop.sendSpace.tryTake(length, false);
        return buffer == null ? null : new HomaBuffer(loop, buffer, length);
    }

    /** Bytes in use, by messages on their way and by buffers taken. */
    public long usedBytes() {
        return loop.sendSpace.usedBytes();
    }

    /** Most bytes there are ({@link Homa.Builder#sendMemory}). */
    public long limitBytes() {
        return loop.sendSpace.limitBytes();
    }
}
