package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/** BUSY: the answer to a RESEND for data that cannot be sent yet; the common header alone (spec/protocol.md 2.7). */
public final class BusyHeader {
    public static final int LENGTH = CommonHeader.LENGTH;

    private BusyHeader() {}

    public static void write(MemorySegment packet, long at, int sourcePort, int targetPort, long senderId) {
        CommonHeader.write(packet, at, PacketType.BUSY, sourcePort, targetPort, 0, senderId);
    }
}
