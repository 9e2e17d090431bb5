package io.homa4j.sim;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config;
import io.homa4j.protocol.PacketBatch;
import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.DataHeader;
import io.homa4j.wire.GrantHeader;
import io.homa4j.wire.PacketType;
import io.homa4j.wire.ResendHeader;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Watches the packets of one engine: what it sends must be made of the right bytes at the right time and stay within what
 * it was allowed; what it sends to who has not proved to receive stays within three times what came from there.
 */
final class WireCheck {
    /** Bytes of IP and UDP headers that count for who is unproven. */
    private static final int IP_BYTES = 28;

    private final FuzzRun run;
    private final FuzzHost host;

    /** Packets handed to the driver by type, from DATA on. */
    final long[] sent = new long[PacketType.ACK - PacketType.DATA + 1];
    /** Packets given to the engine. */
    final long[] received = new long[sent.length];

    /** Unscheduled bytes announced by the packets of the present turn. */
    long announcedBytes;

    /** The most that the sender of a message has announced to send unasked, by its id (+ 1), whether a call has it or not. */
    private final LongTable<int[]> announced = new LongTable<>();

    private final List<Remote> remotes = new ArrayList<>();

    /** Another end, as far as bytes to and from it count. */
    private static final class Remote {
        final int socket;
        final long hi;
        final long lo;
        final int port;
        long in;
        long out;
        boolean mayBeProven;

        Remote(int socket, long hi, long lo, int port) {
            this.socket = socket;
            this.hi = hi;
            this.lo = lo;
            this.port = port;
        }
    }

    WireCheck(FuzzRun run, FuzzHost host) {
        this.run = run;
        this.host = host;
    }

    private Remote remote(int socket, long hi, long lo, int port) {
        boolean isUdp = run.plan.encapsulation == Config.Encapsulation.UDP;
        int socketKey = isUdp ? socket : 0;
        int portKey = run.plan.encapsulation == Config.Encapsulation.IP ? 0 : port;
        for (Remote remote : remotes) {
            if (remote.lo == lo && remote.hi == hi && remote.port == portKey && remote.socket == socketKey) {
                return remote;
            }
        }
        Remote remote = new Remote(socketKey, hi, lo, portKey);
        remotes.add(remote);
        return remote;
    }

    /** The application calls this address: nobody else made it. */
    void called(int socket, long hi, long lo, int port) {
        remote(socket, hi, lo, port).mayBeProven = true;
    }

    /** A packet is about to be given to the engine. */
    void received(SimPacket packet, int socket) {
        int type = PacketType.check(packet.bytes, packet.at, packet.length);
        if (type < 0) {
            return;
        }
        received[type - PacketType.DATA]++;
        int port = run.plan.encapsulation == Config.Encapsulation.UDP
                ? packet.sourcePort
                : CommonHeader.sourcePort(packet.bytes, packet.at);
        Remote remote = remote(socket, packet.sourceHi, packet.sourceLo, port);
        remote.in += packet.length + IP_BYTES;
        long id = CommonHeader.senderId(packet.bytes, packet.at);
        switch (type) {
            case PacketType.DATA -> {
                remote.mayBeProven |= DataHeader.cutoffVersion(packet.bytes, packet.at) != 0;
                announced(id, DataHeader.incoming(packet.bytes, packet.at));
            }
            default -> mayBeManaged();
        }
    }

    /** The packet may make the granter look at a message whose sender announced so much, in this packet or before. */
    private void announced(long senderId, int incoming) {
        int[] most = announced.get(senderId + 1);
        if (most == null) {
            most = new int[1];
            announced.put(senderId + 1, most);
        }
        most[0] = Math.max(most[0], incoming);
        announcedBytes += most[0];
    }

    /** The packet may make the granter look at a message that has got receive space since its last packet. */
    private void mayBeManaged() {
        announcedBytes += FuzzPlan.MAX_BYTES;
    }

    /** The receiver of a message of the call lets its sender go so far. */
    private static void mayGoTo(@Nullable Call call, long senderId, long offset) {
        if (call == null) {
            return;
        }
        if ((senderId & 1) == 0) {
            call.responseGranted = (int) Math.max(call.responseGranted, Math.min(offset, FuzzPlan.MAX_BYTES));
        } else {
            call.requestGranted = (int) Math.max(call.requestGranted, Math.min(offset, FuzzPlan.MAX_BYTES));
        }
    }

    /** The driver takes packet i of the batch. */
    void sent(PacketBatch batch, int i) {
        MemorySegment header = batch.packet[i];
        long at = batch.packetAt[i];
        int type = CommonHeader.type(header, at);
        sent[type - PacketType.DATA]++;
        if (batch.level[i] < 0 || batch.level[i] > 7 || batch.peerPort[i] < 0 || batch.peerPort[i] > 65_535) {
            throw run.failure(host + " sends at level " + batch.level[i] + " to port " + batch.peerPort[i]);
        }
        long id = CommonHeader.senderId(header, at);
        Call call = run.callById(id & ~1L);
        if (type == PacketType.DATA) {
            dataSent(batch, i, id, call);
        } else if (type == PacketType.GRANT && !run.isHostile()) {
            granted(GrantHeader.offset(header, at), GrantHeader.priority(header, at), id, call);
        } else if (type == PacketType.RESEND) {
            int length = ResendHeader.length(header, at);
            mayGoTo(call, id, length < 0 ? 0 : ResendHeader.offset(header, at) + (long) length);
        }
        if (host.provesReachability()) {
            Remote remote = remote(batch.socket[i], batch.peerHi[i], batch.peerLo[i], batch.peerPort[i]);
            remote.out += batch.length[i] + batch.payloadLength[i] + IP_BYTES;
            if (!remote.mayBeProven && remote.out > 3 * remote.in) {
                throw run.failure(
                        host + " has sent " + remote.out + " bytes to an unproven peer that sent " + remote.in);
            }
        }
    }

    private void dataSent(PacketBatch batch, int i, long id, @Nullable Call call) {
        MemorySegment header = batch.packet[i];
        long at = batch.packetAt[i];
        if (call == null) {
            // In a hostile run a damaged id may have made an RPC of its own.
            if (!run.isHostile()) {
                throw run.failure(host + " sends data of an RPC that nobody made: " + Long.toUnsignedString(id, 16));
            }
            return;
        }
        boolean isRequest = (id & 1) == 0;
        int length = isRequest ? call.plan.requestBytes() : call.plan.responseBytes();
        int from = isRequest ? call.plan.requestAt() : call.plan.responseAt();
        int offset = DataHeader.offset(header, at);
        int bytes = batch.payloadLength[i];
        MemorySegment payload = Objects.requireNonNull(batch.payload[i]);
        if (DataHeader.messageLength(header, at) != length
                || offset < 0
                || bytes < 1
                || offset + bytes > length
                || payload.address() != Messages.PATTERN.address()
                || batch.payloadAt[i] != from + offset) {
            throw run.failure(host + " sends wrong bytes: " + bytes + "@" + offset + " of " + call);
        }
        int ip = run.plan.encapsulation == Config.Encapsulation.IP ? 0 : 8;
        ip += Address.isIpv4(batch.peerHi[i], batch.peerLo[i]) ? 20 : 40;
        if (batch.length[i] + bytes + ip > run.plan.mtu) {
            throw run.failure(host + " sends a packet of " + (batch.length[i] + bytes + ip) + " bytes; " + call);
        }
        int incoming = DataHeader.incoming(header, at);
        int granted = isRequest ? call.requestGranted : call.responseGranted;
        if (!DataHeader.retransmit(header, at)) {
            if (incoming > Math.max(60_000, host.mostUnscheduledBytes())) {
                throw run.failure(host + " announces " + incoming + " unscheduled bytes; " + call);
            }
            granted = Math.max(granted, incoming);
            if (isRequest) {
                call.requestGranted = granted;
            } else {
                call.responseGranted = granted;
            }
        }
        if (offset >= granted && !run.isHostile()) {
            throw run.failure(
                    host + " sends " + bytes + "@" + offset + " although only " + granted + " are granted; " + call);
        }
        // A packet that starts below the grant goes whole, and may come again in parts.
        mayGoTo(call, id ^ 1, offset + bytes);
        boolean isReleased = isRequest ? call.released > 0 : host.hasReleased(call);
        if (isReleased && !run.isHostile()) {
            throw run.failure(host + " sends bytes whose memory it has released; " + call);
        }
    }

    /** A grant of the receiver at this host; what it grants anew counts. */
    private void granted(int offset, int level, long id, @Nullable Call call) {
        if (call == null) {
            throw run.failure(host + " grants to an RPC that nobody made");
        }
        boolean isResponse = (id & 1) == 0;
        int length = isResponse ? call.plan.responseBytes() : call.plan.requestBytes();
        if (offset < 0 || offset > length || level < 0 || level > 7) {
            throw run.failure(host + " grants " + offset + " at level " + level + "; " + call);
        }
        mayGoTo(call, id, offset);
    }
}
