package io.homa4j;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Memory to build a message in that is then sent without a copy. Sending it gives it away: the engine has it until the
 * message is no longer needed, then it returns to its pool. One that is not sent must be closed. Not thread-safe before it
 * is sent.
 */
public final class HomaBuffer implements AutoCloseable {
    private final EngineLoop loop;
    private final int length;
    private final AtomicReference<@Nullable SendBuffer> buffer;

    HomaBuffer(EngineLoop loop, SendBuffer buffer, int length) {
        this.loop = loop;
        this.length = length;
        this.buffer = new AtomicReference<>(buffer);
    }

    /**
     * The memory, as long as was asked for; its content is undefined at first.
     *
     * @throws IllegalStateException after it was sent or closed
     */
    public MemorySegment segment() {
        SendBuffer own = buffer.get();
        if (own == null) {
            throw new IllegalStateException("the buffer was sent or closed");
        }
        return own.segment.asSlice(0, length);
    }

    /** Bytes of the message. */
    public int length() {
        return length;
    }

    /** Gives it back unsent; does nothing after it was sent. */
    @Override
    public void close() {
        SendBuffer own = buffer.getAndSet(null);
        if (own != null) {
            loop.sendSpace.giveBack(own);
        }
    }

    /** Takes the memory out, to be sent. */
    SendBuffer consume() {
        SendBuffer own = buffer.getAndSet(null);
        if (own == null) {
            throw new IllegalStateException("the buffer was sent or closed");
        }
        return own;
    }
}
