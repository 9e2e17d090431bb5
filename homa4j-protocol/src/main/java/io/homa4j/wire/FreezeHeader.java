package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * FREEZE: makes a host with the kernel module stop its internal trace; the common header alone. Sent with target port
 * and id 0; receivers drop it before looking anything up, and never answer (spec/protocol.md 2.7).
 */
public final class FreezeHeader {
    public static final int LENGTH = CommonHeader.LENGTH;

    private FreezeHeader() {}

    public static void write(MemorySegment packet, long at, int sourcePort, int targetPort, long senderId) {
        CommonHeader.write(packet, at, PacketType.FREEZE, sourcePort, targetPort, 0, senderId);
    }
}
