package io.homa4j.driver;

import io.homa4j.protocol.Address;
import io.homa4j.wire.AckPacket;
import io.homa4j.wire.BusyPacket;
import io.homa4j.wire.CutoffsPacket;
import io.homa4j.wire.DataPacket;
import io.homa4j.wire.FreezePacket;
import io.homa4j.wire.GrantPacket;
import io.homa4j.wire.NeedAckPacket;
import io.homa4j.wire.Packet;
import io.homa4j.wire.PacketType;
import io.homa4j.wire.ResendPacket;
import io.homa4j.wire.RpcUnknownPacket;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * A packet as replay compares it. {@link #what} holds everything that must agree, written for people; the rest is for
 * sorting and counting.
 *
 * @param atNs time from the first frame
 * @param frame its number in the capture, 0 if it is not in one
 * @param peerHi upper half of the other host's address
 * @param level the priority it travels at
 * @param from DATA and RESEND: first byte; GRANT: the offset
 * @param to DATA: end of its data; RESEND: the length it asks for, -1 for everything
 * @param grantLevel GRANT: the level it gives, else -1
 * @param again DATA: retransmission
 * @param bytes the packet
 * @param kept bytes of it that are known
 */
@SuppressWarnings("ArrayRecordComponent") // values to read, not to compare
record ReplayPacket(
        long atNs,
        int frame,
        long peerHi,
        long peerLo,
        int type,
        long id,
        int level,
        int from,
        int to,
        int messageLength,
        int grantLevel,
        boolean again,
        String what,
        byte[] bytes,
        int kept) {

    static ReplayPacket of(Capture.Frame frame, boolean received) {
        return of(
                frame.atNs(),
                frame.number(),
                received ? frame.sourceHi() : frame.targetHi(),
                received ? frame.sourceLo() : frame.targetLo(),
                frame.level(),
                frame.payload(),
                frame.kept());
    }

    static ReplayPacket of(long atNs, int frame, long peerHi, long peerLo, int level, byte[] bytes, int kept) {
        Packet packet = Packet.decode(MemorySegment.ofArray(bytes), 0, bytes.length);
        int from = 0;
        int to = 0;
        int messageLength = 0;
        int grantLevel = -1;
        boolean again = false;
        String fields;
        switch (packet) {
            case DataPacket data -> {
                from = data.offset();
                to = from + data.data().length();
                messageLength = data.messageLength();
                again = data.retransmit() == 1;
                fields = " [" + from + "," + to + ") of " + messageLength + " incoming " + data.incoming()
                        + (data.ackClientId() == 0 ? "" : " ack " + data.ackClientId() + ":" + data.ackServerPort())
                        + " cutoffs " + data.cutoffVersion() + (again ? " again" : "");
            }
            case GrantPacket grant -> {
                from = grant.offset();
                grantLevel = grant.priority();
                fields = " to " + from + " level " + grantLevel;
            }
            case ResendPacket resend -> {
                from = resend.offset();
                to = resend.rangeLength();
                fields = " [" + from + ",+" + resend.rangeLength() + ") level " + resend.priority();
            }
            case CutoffsPacket cutoffs -> fields = " version " + cutoffs.version() + " " + cutoffs.cutoffs();
            case AckPacket ack ->
                fields = " slots " + ack.count()
                        + ack.validSlots().stream()
                                .map(slot -> " " + slot.clientId() + ":" + slot.serverPort())
                                .collect(Collectors.joining());
            case RpcUnknownPacket _, BusyPacket _, NeedAckPacket _, FreezePacket _ -> fields = "";
        }
        int type = packet.common().type();
        String what = PacketType.name(type) + " " + packet.common().sourcePort() + ">"
                + packet.common().targetPort() + " id " + packet.common().senderId() + " p" + level + fields;
        return new ReplayPacket(
                atNs,
                frame,
                peerHi,
                peerLo,
                type,
                packet.common().senderId(),
                level,
                from,
                to,
                messageLength,
                grantLevel,
                again,
                what,
                bytes,
                kept);
    }

    /** What can be compared with a control packet of which only so many bytes were captured. */
    String what(int known) {
        if (known >= bytes.length || type == PacketType.DATA) {
            return what;
        }
        byte[] cut = Arrays.copyOf(Arrays.copyOf(bytes, known), bytes.length);
        return of(atNs, frame, peerHi, peerLo, level, cut, known).what;
    }

    boolean is(int wanted) {
        return type == wanted;
    }

    /** A first transmission of DATA. */
    boolean isFirstTransmission() {
        return type == PacketType.DATA && !again;
    }

    /** The conversation a packet belongs to: peer and RPC. */
    String conversation() {
        return Address.text(peerHi, peerLo) + " RPC " + (id & ~1L);
    }

    String line() {
        return String.format("%10.3f %s", atNs / 1e6, what);
    }
}
