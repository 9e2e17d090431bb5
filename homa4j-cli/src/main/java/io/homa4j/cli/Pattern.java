package io.homa4j.cli;

import io.homa4j.protocol.Config;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The messages of the load commands. A request says what answer it wants, so that any client can ask for any exchange:
 *
 * <pre>
 * bytes 0-3  length of the response wanted, big-endian
 * bytes 4-7  milliseconds to wait before answering, big-endian
 * byte i     (31 i + (i &gt;&gt; 8)) mod 256, for every i from 8 on
 * </pre>
 *
 * Responses follow the rule from byte 0 on. The rule is a function of the place alone, so that a message is made by one
 * copy and checked by one comparison with a block computed once.
 */
public final class Pattern {
    /** Bytes a request must have to say what it wants. */
    public static final int HEADER = 8;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final MemorySegment BLOCK = block();

    private Pattern() {}

    private static MemorySegment block() {
        MemorySegment block = Arena.global().allocate(Config.MAX_MESSAGE_BYTES);
        for (int i = 0; i < Config.MAX_MESSAGE_BYTES; i++) {
            block.set(ValueLayout.JAVA_BYTE, i, byteAt(i));
        }
        return block.asReadOnly();
    }

    static byte byteAt(int i) {
        return (byte) (31 * i + (i >> 8));
    }

    /** A response: read-only memory that is never released and that all responses share. */
    public static MemorySegment response(int length) {
        return BLOCK.asSlice(0, length);
    }

    /** A request; of a header that does not fit, only the first bytes are there. */
    static byte[] request(int length, int responseLength, int delayMs) {
        byte[] request = new byte[length];
        MemorySegment.copy(BLOCK, ValueLayout.JAVA_BYTE, 0, request, 0, length);
        byte[] header = new byte[HEADER];
        MemorySegment words = MemorySegment.ofArray(header);
        words.set(INT, 0, responseLength);
        words.set(INT, 4, delayMs);
        System.arraycopy(header, 0, request, 0, Math.min(HEADER, length));
        return request;
    }

    /** What the request, of at least {@link #HEADER} bytes, wants as length of the response. */
    public static int responseLength(MemorySegment request) {
        return request.get(INT, 0);
    }

    /** How long the request, of at least {@link #HEADER} bytes, wants its server to wait, ms. */
    static int delayMs(MemorySegment request) {
        return request.get(INT, 4);
    }

    /** Whether every byte behind the header is what it should be. */
    static boolean isIntact(MemorySegment message) {
        long length = message.byteSize();
        return length <= HEADER
                || length <= Config.MAX_MESSAGE_BYTES
                        && MemorySegment.mismatch(message, HEADER, length, BLOCK, HEADER, length) < 0;
    }
}
