package io.homa4j.grpc;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Reads fields of a received message; whatever the sender wrote, it never reads beyond the end. */
final class Reader {
    private final ByteBuffer bytes;

    Reader(byte[] message, int from, int to) {
        bytes = ByteBuffer.wrap(message, from, to - from);
    }

    private Reader(ByteBuffer bytes) {
        this.bytes = bytes;
    }

    /** Another reader at the same place. */
    Reader copy() {
        return new Reader(bytes.duplicate());
    }

    boolean isAtEnd() {
        return !bytes.hasRemaining();
    }

    int remaining() {
        return bytes.remaining();
    }

    /** Where the next field begins in the message. */
    int position() {
        return bytes.position();
    }

    int u8() throws ProtocolException {
        require(1);
        return bytes.get() & 0xff;
    }

    int u16() throws ProtocolException {
        require(2);
        return bytes.getShort() & 0xffff;
    }

    int i32() throws ProtocolException {
        require(4);
        return bytes.getInt();
    }

    long i64() throws ProtocolException {
        require(8);
        return bytes.getLong();
    }

    /** A length that the rest of the message has room for. */
    int length() throws ProtocolException {
        int length = i32();
        if (length < 0) {
            throw new ProtocolException("a length of " + length);
        }
        require(length);
        return length;
    }

    byte[] bytes(int length) throws ProtocolException {
        require(length);
        byte[] copy = new byte[length];
        bytes.get(copy);
        return copy;
    }

    String text(int length) throws ProtocolException {
        return new String(bytes(length), StandardCharsets.UTF_8);
    }

    void skip(int length) throws ProtocolException {
        require(length);
        bytes.position(bytes.position() + length);
    }

    private void require(int length) throws ProtocolException {
        if (bytes.remaining() < length) {
            throw new ProtocolException("the message ends " + (length - bytes.remaining()) + " bytes early");
        }
    }
}
