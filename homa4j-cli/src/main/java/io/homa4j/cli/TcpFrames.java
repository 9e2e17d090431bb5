package io.homa4j.cli;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;

/**
 * One end of a TCP connection that carries RPC messages, as the rival of Homa: each message is preceded by its length and
 * the number of its call, both 32 bits, big-endian. Non-blocking and pipelined: messages are put into one large buffer and
 * leave with as few writes as possible, and arriving ones are read in large pieces and handed over where they lie.
 *
 * <p>Belongs to one thread.
 */
final class TcpFrames implements AutoCloseable {
    /** Takes what arrives. */
    interface Sink {
        /**
         * @param message readable during this method only
         * @return false to have the message again later: there is no room for its answer now
         */
        boolean message(int call, MemorySegment message);
    }

    private static final int HEADER = 8;
    /** Room for the largest message twice, and many small ones. */
    private static final int BUFFER = 4 << 20;
    /** Beyond this fill no further message is read, so that the peer is slowed down instead of our memory filled up. */
    private static final int LARGEST_FRAME = HEADER + 1_000_000;

    private final SocketChannel channel;
    private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER);
    private final MemorySegment inSegment =
            MemorySegment.ofBuffer(in.duplicate().clear());
    private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER);
    private final MemorySegment outSegment =
            MemorySegment.ofBuffer(out.duplicate().clear());
    /** Bytes of {@link #in} that were handed over already. */
    private int taken;
    /** Bytes of {@link #out} that were written already. */
    private int written;

    TcpFrames(SocketChannel channel) throws IOException {
        this.channel = channel;
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    SocketChannel channel() {
        return channel;
    }

    /** Puts a message into the buffer. @return false if it does not fit now */
    boolean put(int call, MemorySegment message) {
        int length = (int) message.byteSize();
        if (out.remaining() < HEADER + length) {
            if (written > 0) {
                out.flip().position(written);
                out.compact();
                written = 0;
            }
            if (out.remaining() < HEADER + length) {
                return false;
            }
        }
        out.putInt(length).putInt(call);
        MemorySegment.copy(message, 0, outSegment, out.position(), length);
        out.position(out.position() + length);
        return true;
    }

    /** Writes what the kernel takes. @return bytes written */
    int flush() {
        int end = out.position();
        if (written == end) {
            return 0;
        }
        try {
            out.limit(end).position(written);
            int count = channel.write(out);
            written += count;
            if (written == end) {
                written = 0;
                out.clear();
            } else {
                out.limit(out.capacity()).position(end);
            }
            return count;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether bytes wait for the kernel. */
    boolean isFlushNeeded() {
        return written != out.position();
    }

    /** What a selector should watch for. */
    int interest() {
        return isFlushNeeded() ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_READ;
    }

    /**
     * Reads what is there and hands over the messages that are complete.
     *
     * @return messages handed over, plus one if bytes were read
     * @throws UncheckedIOException also when the peer has closed the connection
     */
    int read(Sink sink) {
        int done = 0;
        try {
            if (in.hasRemaining()) {
                int count = channel.read(in);
                if (count < 0) {
                    throw new EOFException("the peer closed the connection");
                }
                done = count > 0 ? 1 : 0;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        while (in.position() - taken >= HEADER) {
            int length = in.getInt(taken);
            if (length < 1 || length > LARGEST_FRAME - HEADER) {
                throw new UncheckedIOException(new IOException("a frame of " + length + " bytes"));
            }
            if (in.position() - taken < HEADER + length
                    || !sink.message(in.getInt(taken + 4), inSegment.asSlice(taken + HEADER, length))) {
                break;
            }
            taken += HEADER + length;
            done++;
        }
        makeRoom();
        return done;
    }

    /** Moves the rest to the front when everything was taken, or when the next message might not fit behind it. */
    private void makeRoom() {
        if (taken == in.position()) {
            in.clear();
            taken = 0;
        } else if (taken > 0 && in.capacity() - taken < LARGEST_FRAME) {
            in.flip().position(taken);
            in.compact();
            taken = 0;
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
