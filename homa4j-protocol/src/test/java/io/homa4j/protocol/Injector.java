package io.homa4j.protocol;

import io.homa4j.protocol.Node.Peered;
import io.homa4j.wire.AckHeader;
import io.homa4j.wire.BusyHeader;
import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.CutoffsHeader;
import io.homa4j.wire.DataHeader;
import io.homa4j.wire.FreezeHeader;
import io.homa4j.wire.GrantHeader;
import io.homa4j.wire.NeedAckHeader;
import io.homa4j.wire.ResendHeader;
import io.homa4j.wire.RpcUnknownHeader;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A made-up host that speaks to one engine packet by packet: every field is the test's to choose. Ids are those of the
 * sender, as on the wire: even when the injector is the client of the RPC, odd when it is the server.
 */
final class Injector {
    final Node target;
    final long hi;
    final long lo;
    /** Homa port the packets come from. */
    int port;
    /** Homa port the packets go to. */
    int targetPort;

    Injector(Node target, String address, int port, int targetPort) {
        this.target = target;
        this.port = port;
        this.targetPort = targetPort;
        byte[] bytes = Node.address(address);
        hi = Address.hi(bytes);
        lo = Address.lo(bytes);
    }

    /** This host and port as the target of requests. */
    Peered peered() {
        return new Peered(hi, lo, port);
    }

    /** DATA of a message of this length: all of it in one packet unless told otherwise. */
    Data data(long id, int messageLength) {
        return new Data(id, messageLength);
    }

    /** The packets of a message, each with so many bytes, all announced as unscheduled. */
    List<Datagram> message(long id, int messageLength, int packetBytes) {
        List<Datagram> packets = new ArrayList<>();
        for (int offset = 0; offset < messageLength; offset += packetBytes) {
            packets.add(data(id, messageLength)
                    .at(offset)
                    .bytes(Math.min(packetBytes, messageLength - offset))
                    .packet());
        }
        return packets;
    }

    Datagram grant(long id, int offset, int priority) {
        byte[] bytes = new byte[GrantHeader.LENGTH];
        GrantHeader.write(MemorySegment.ofArray(bytes), 0, port, targetPort, id, offset, priority);
        return datagram(bytes);
    }

    Datagram resend(long id, int offset, int length, int priority) {
        byte[] bytes = new byte[ResendHeader.LENGTH];
        ResendHeader.write(MemorySegment.ofArray(bytes), 0, port, targetPort, id, offset, length, priority);
        return datagram(bytes);
    }

    Datagram rpcUnknown(long id) {
        byte[] bytes = new byte[CommonHeader.LENGTH];
        RpcUnknownHeader.write(MemorySegment.ofArray(bytes), 0, port, targetPort, id);
        return datagram(bytes);
    }

    Datagram busy(long id) {
        byte[] bytes = new byte[CommonHeader.LENGTH];
        BusyHeader.write(MemorySegment.ofArray(bytes), 0, port, targetPort, id);
        return datagram(bytes);
    }

    Datagram needAck(long id) {
        byte[] bytes = new byte[CommonHeader.LENGTH];
        NeedAckHeader.write(MemorySegment.ofArray(bytes), 0, port, targetPort, id);
        return datagram(bytes);
    }

    Datagram freeze() {
        byte[] bytes = new byte[CommonHeader.LENGTH];
        FreezeHeader.write(MemorySegment.ofArray(bytes), 0, port, targetPort, 0);
        return datagram(bytes);
    }

    Datagram cutoffs(long id, int version, int... cutoffs) {
        byte[] bytes = new byte[CutoffsHeader.LENGTH];
        CutoffsHeader.write(MemorySegment.ofArray(bytes), 0, port, targetPort, id, cutoffs, version);
        return datagram(bytes);
    }

    /** An ACK that names {@code id}; slots are client ids, all of server port {@link #targetPort}. */
    Datagram ack(long id, long... slots) {
        byte[] bytes = new byte[AckHeader.LENGTH];
        MemorySegment packet = MemorySegment.ofArray(bytes);
        AckHeader.write(packet, 0, port, targetPort, id, slots.length);
        for (int i = 0; i < slots.length; i++) {
            AckHeader.slot(packet, 0, i, slots[i], targetPort);
        }
        return datagram(bytes);
    }

    /** A packet with only a common header, of any type and any length. */
    Datagram raw(int type, long id, int length) {
        byte[] bytes = new byte[Math.max(length, CommonHeader.LENGTH)];
        CommonHeader.write(MemorySegment.ofArray(bytes), 0, type, port, targetPort, 0, id);
        return datagram(java.util.Arrays.copyOf(bytes, length));
    }

    Datagram datagram(byte[] bytes) {
        return new Datagram(bytes, hi, lo, port, target.hi, target.lo, -1);
    }

    /** A DATA packet in the making. */
    final class Data {
        private final long id;
        private final int messageLength;
        private int offset;
        private int bytes;
        private int incoming;
        private int cutoffVersion = 1;
        private long ackId;
        private int ackPort;
        private boolean retransmit;

        Data(long id, int messageLength) {
            this.id = id;
            this.messageLength = messageLength;
            bytes = messageLength;
            incoming = messageLength;
        }

        Data at(int offset) {
            this.offset = offset;
            return this;
        }

        Data bytes(int bytes) {
            this.bytes = bytes;
            return this;
        }

        Data incoming(int incoming) {
            this.incoming = incoming;
            return this;
        }

        Data cutoffVersion(int version) {
            cutoffVersion = version;
            return this;
        }

        Data ack(long id, int port) {
            ackId = id;
            ackPort = port;
            return this;
        }

        Data retransmit() {
            retransmit = true;
            return this;
        }

        Datagram packet() {
            byte[] packet = new byte[DataHeader.LENGTH + bytes];
            DataHeader.write(
                    MemorySegment.ofArray(packet),
                    0,
                    port,
                    targetPort,
                    id,
                    offset,
                    messageLength,
                    incoming,
                    ackId,
                    ackPort,
                    cutoffVersion,
                    retransmit);
            for (int i = 0; i < bytes; i++) {
                packet[DataHeader.LENGTH + i] = Node.messageByte(offset + i);
            }
            return datagram(packet);
        }

        /** Gives this packet to the engine as a batch of its own. */
        void go() {
            target.receive(packet());
        }
    }
}
