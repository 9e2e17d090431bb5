package io.homa4j.sim;

import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.DataHeader;
import io.homa4j.wire.PacketType;
import io.homa4j.wire.ResendHeader;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Turns an engine in profile {@code module} into a peer of the stripped variant (spec protocol 12), by changing its packets on
 * their way in and out. Outside they look as the stripped variant's do: no grants, no priorities, whole messages at once,
 * RESENDs of 36 bytes that reach up to the message's end. Inside the engine sees messages that need no grants.
 */
final class StrippedDialect {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private StrippedDialect() {}

    /** A packet that leaves; whether the variant sends such packets at all. */
    static boolean leaves(SimPacket packet) {
        packet.level = 0;
        CommonHeader.checksum(packet.bytes, packet.at, 0);
        packet.bytes.set(ValueLayout.JAVA_BYTE, packet.at + CommonHeader.FLAGS, (byte) 0);
        packet.bytes.set(ValueLayout.JAVA_BYTE, packet.at + CommonHeader.URGENT, (byte) 0);
        packet.bytes.set(ValueLayout.JAVA_BYTE, packet.at + CommonHeader.URGENT + 1, (byte) 0);
        switch (CommonHeader.type(packet.bytes, packet.at)) {
            case PacketType.GRANT, PacketType.CUTOFFS, PacketType.FREEZE -> {
                return false;
            }
            case PacketType.DATA -> {
                packet.bytes.set(INT, packet.at + DataHeader.INCOMING, 0);
                packet.bytes.set(ValueLayout.JAVA_BYTE, packet.at + DataHeader.CUTOFF_VERSION, (byte) 0);
                packet.bytes.set(ValueLayout.JAVA_BYTE, packet.at + DataHeader.CUTOFF_VERSION + 1, (byte) 0);
            }
            case PacketType.RESEND -> {
                packet.length = ResendHeader.STRIPPED_LENGTH;
                packet.wireBytes--;
            }
            default -> {
                // As in the module.
            }
        }
        return true;
    }

    /** A packet that arrives; whether the variant looks at it. */
    static boolean arrives(SimPacket packet) {
        int type = PacketType.check(packet.bytes, packet.at, packet.length);
        if (type == PacketType.GRANT || type == PacketType.CUTOFFS || type == PacketType.FREEZE) {
            return false;
        }
        if (type == PacketType.DATA) {
            packet.bytes.set(INT, packet.at + DataHeader.INCOMING, DataHeader.messageLength(packet.bytes, packet.at));
        }
        return true;
    }
}
