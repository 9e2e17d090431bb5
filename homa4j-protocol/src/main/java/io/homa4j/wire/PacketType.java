package io.homa4j.wire;

import java.lang.foreign.MemorySegment;

/**
 * The nine packet types, their lengths, and the one check that must come before any other read of a received packet
 * (spec/protocol.md 2.3 and 3.1).
 */
public final class PacketType {
    /** A segment of a message, from its sender to its receiver: {@link DataHeader}. */
    public static final int DATA = 0x10;
    /** Leave to send more of a message, from its receiver: {@link GrantHeader}. */
    public static final int GRANT = 0x11;
    /** A wish to have part of a message again, from its receiver: {@link ResendHeader}. */
    public static final int RESEND = 0x12;
    /** The answer to a RESEND for an RPC that does not exist: {@link RpcUnknownHeader}. */
    public static final int RPC_UNKNOWN = 0x13;
    /** The answer to a RESEND for data that cannot be sent yet: {@link BusyHeader}. */
    public static final int BUSY = 0x14;
    /** The unscheduled priority levels to use towards the sender of this packet: {@link CutoffsHeader}. */
    public static final int CUTOFFS = 0x15;
    /** A debugging aid of the kernel module, to be dropped: {@link FreezeHeader}. */
    public static final int FREEZE = 0x16;
    /** A server's wish to hear that its response has arrived: {@link NeedAckHeader}. */
    public static final int NEED_ACK = 0x17;
    /** A client's word that responses have arrived: {@link AckHeader}. */
    public static final int ACK = 0x18;

    /** Result of {@link #check}: too short for its type. */
    public static final int SHORT = -1;
    /** Result of {@link #check}: no such type. */
    public static final int UNKNOWN = -2;

    private PacketType() {}

    /**
     * Decides whether a received packet may be read at all, in the order of spec/protocol.md 3.1. A type as result
     * means that every reader of that type's header class is safe; nothing else of the packet has been looked at.
     *
     * @param length the transport length: what IP or UDP says the packet holds, not the frame length (2.1 item 5)
     * @return the type, {@link #SHORT} or {@link #UNKNOWN}; also SHORT if {@code length} runs past the segment
     */
    public static int check(MemorySegment packet, long at, int length) {
        if (length < CommonHeader.LENGTH || length > packet.byteSize() - at) {
            return SHORT;
        }
        int type = CommonHeader.type(packet, at);
        if (type < DATA || type > ACK) {
            return UNKNOWN;
        }
        return length < minLength(type) ? SHORT : type;
    }

    /**
     * The least transport length of a packet of this type; longer ones are fine. A RESEND without its last byte is
     * accepted, as stripped peers send it (spec/protocol.md 12).
     *
     * @throws IllegalArgumentException if there is no such type
     */
    public static int minLength(int type) {
        return switch (type) {
            case DATA -> DataHeader.LENGTH;
            case GRANT -> GrantHeader.LENGTH;
            case RESEND -> ResendHeader.STRIPPED_LENGTH;
            case RPC_UNKNOWN, BUSY, FREEZE, NEED_ACK -> CommonHeader.LENGTH;
            case CUTOFFS -> CutoffsHeader.LENGTH;
            case ACK -> AckHeader.LENGTH;
            default -> throw new IllegalArgumentException("no packet type " + name(type));
        };
    }

    /** The name of a type, for people; {@code 0x19} and the like for what is none. */
    public static String name(int type) {
        return switch (type) {
            case DATA -> "DATA";
            case GRANT -> "GRANT";
            case RESEND -> "RESEND";
            case RPC_UNKNOWN -> "RPC_UNKNOWN";
            case BUSY -> "BUSY";
            case CUTOFFS -> "CUTOFFS";
            case FREEZE -> "FREEZE";
            case NEED_ACK -> "NEED_ACK";
            case ACK -> "ACK";
            default -> "0x%02x".formatted(type);
        };
    }
}
