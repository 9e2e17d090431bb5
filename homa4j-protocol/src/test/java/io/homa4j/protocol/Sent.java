package io.homa4j.protocol;

import io.homa4j.wire.AckPacket;
import io.homa4j.wire.BusyPacket;
import io.homa4j.wire.CutoffsPacket;
import io.homa4j.wire.DataPacket;
import io.homa4j.wire.FreezePacket;
import io.homa4j.wire.GrantPacket;
import io.homa4j.wire.NeedAckPacket;
import io.homa4j.wire.Packet;
import io.homa4j.wire.ResendPacket;
import io.homa4j.wire.RpcUnknownPacket;
import java.util.stream.Collectors;

/**
 * A packet an engine has sent, as tests see it.
 *
 * @param packet what is on the wire behind IP or UDP
 * @param level wire priority
 * @param hi target address, high half
 * @param lo target address, low half
 * @param port target port as the driver sees it
 * @param localHi address the packet leaves from, high half
 * @param localLo address the packet leaves from, low half
 * @param socket number of the sending socket
 * @param nowNs when it left
 */
record Sent(Packet packet, int level, long hi, long lo, int port, long localHi, long localLo, int socket, long nowNs) {

    /**
     * The packet in a few words: {@code DATA 1400@2800}, {@code GRANT 5000 p0}, {@code RESEND 0 -1 p7}, {@code ACK 4},
     * {@code ACK 4 [2:99]}, {@code CUTOFFS v1}, {@code BUSY}. DATA sent again starts with {@code AGAIN}.
     */
    String word() {
        return switch (packet) {
            case DataPacket data ->
                (data.retransmit() == 0 ? "DATA " : "AGAIN ") + data.data().length() + "@" + data.offset();
            case GrantPacket grant -> "GRANT " + grant.offset() + " p" + grant.priority();
            case ResendPacket resend ->
                "RESEND " + resend.offset() + " " + resend.rangeLength() + " p" + resend.priority();
            case RpcUnknownPacket _ -> "RPC_UNKNOWN";
            case BusyPacket _ -> "BUSY";
            case CutoffsPacket cutoffs -> "CUTOFFS v" + cutoffs.version();
            case FreezePacket _ -> "FREEZE";
            case NeedAckPacket _ -> "NEED_ACK";
            case AckPacket ack ->
                "ACK " + id()
                        + (ack.count() == 0
                                ? ""
                                : ack.validSlots().stream()
                                        .map(slot -> slot.clientId() + ":" + slot.serverPort())
                                        .collect(Collectors.joining(" ", " [", "]")));
        };
    }

    @Override
    public String toString() {
        return id() + ":" + word() + " at level " + level;
    }

    /** The RPC's id at the sender. */
    long id() {
        return packet.common().senderId();
    }

    /** This packet, which must be DATA. */
    DataPacket data() {
        return (DataPacket) packet;
    }
}
