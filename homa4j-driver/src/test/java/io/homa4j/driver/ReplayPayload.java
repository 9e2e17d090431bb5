package io.homa4j.driver;

import io.homa4j.wire.PacketType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * What the applications of the captures sent: the wished length of the response, the server's delay in milliseconds,
 * then a pattern by which every byte knows its place. Responses repeat the first eight bytes of their request.
 */
final class ReplayPayload {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    static final int HEAD_BYTES = 8;

    private ReplayPayload() {}

    static byte at(int offset) {
        return (byte) (31 * offset + (offset >> 8));
    }

    /** A message, padded so that the head always fits. */
    static byte[] message(int length, int wishedBytes, int delayMs) {
        byte[] bytes = new byte[Math.max(length, HEAD_BYTES)];
        for (int i = HEAD_BYTES; i < length; i++) {
            bytes[i] = at(i);
        }
        MemorySegment segment = MemorySegment.ofArray(bytes);
        segment.set(INT, 0, wishedBytes);
        segment.set(INT, 4, delayMs);
        return bytes;
    }

    /** A captured packet with those bytes of the application that the capture cut off. */
    static byte[] filled(Capture.Frame frame) {
        byte[] bytes = frame.payload().clone();
        if (frame.isReadable() && frame.kept() < bytes.length) {
            ReplayPacket packet = ReplayPacket.of(frame, true);
            int header = bytes.length - (packet.to() - packet.from());
            for (int i = Math.max(frame.kept(), header); packet.is(PacketType.DATA) && i < bytes.length; i++) {
                int offset = packet.from() + i - header;
                bytes[i] = offset < HEAD_BYTES ? 0 : at(offset);
            }
        }
        return bytes;
    }

    /** Place of the first byte that is not what it must be, or -1. */
    static int firstWrong(MemorySegment message, long at, int length) {
        for (int i = HEAD_BYTES; i < length; i++) {
            if (message.get(ValueLayout.JAVA_BYTE, at + i) != at(i)) {
                return i;
            }
        }
        return -1;
    }
}
