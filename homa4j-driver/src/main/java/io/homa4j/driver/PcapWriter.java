package io.homa4j.driver;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config.Encapsulation;
import io.homa4j.protocol.PacketBatch;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.System.Logger;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Writes packets of batches as a pcap file (nanoseconds, Ethernet frames with IP and UDP headers made up around them). */
final class PcapWriter implements AutoCloseable {
    private static final Logger LOG = System.getLogger(PcapWriter.class.getName());
    private static final int NANOSECOND_MAGIC = 0xA1B23C4D;
    private static final int SNAP_LENGTH = 1 << 18;
    private static final int ETHERNET = 1;
    private static final int RECORD_HEADER = 16;
    private static final int ETHERNET_HEADER = 14;
    private static final int UDP_HEADER = 8;
    private static final int UDP = 17;
    private static final int HOP_LIMIT = 64;

    private final Encapsulation encapsulation;
    private final int tunnelPort;
    private final OutputStream out;
    private final ByteBuffer frame = ByteBuffer.allocate(RECORD_HEADER + (1 << 17));
    private final MemorySegment frameSegment = MemorySegment.ofBuffer(frame);
    private boolean isBroken;

    PcapWriter(Path file, Encapsulation encapsulation, int tunnelPort) throws IOException {
        this.encapsulation = encapsulation;
        this.tunnelPort = tunnelPort;
        out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
        ByteBuffer header = ByteBuffer.allocate(24).order(ByteOrder.BIG_ENDIAN);
        header.putInt(NANOSECOND_MAGIC)
                .putShort((short) 2)
                .putShort((short) 4)
                .putInt(0)
                .putInt(0);
        header.putInt(SNAP_LENGTH).putInt(ETHERNET);
        out.write(header.array());
    }

    void received(PacketBatch batch, int i, int localPort) {
        write(
                batch,
                i,
                batch.peerHi[i],
                batch.peerLo[i],
                batch.peerPort[i],
                batch.localHi[i],
                batch.localLo[i],
                localPort,
                null);
    }

    void sent(PacketBatch batch, int i, int localPort) {
        write(
                batch,
                i,
                batch.localHi[i],
                batch.localLo[i],
                localPort,
                batch.peerHi[i],
                batch.peerLo[i],
                batch.peerPort[i],
                batch.payload[i]);
    }

    private void write(
            PacketBatch batch,
            int i,
            long sourceHi,
            long sourceLo,
            int sourcePort,
            long targetHi,
            long targetLo,
            int targetPort,
            @Nullable MemorySegment payload) {
        if (isBroken) {
            return;
        }
        int header = batch.length[i];
        int data = payload == null ? 0 : batch.payloadLength[i];
        boolean isUdp = encapsulation != Encapsulation.IP;
        int transportLength = (isUdp ? UDP_HEADER : 0) + header + data;
        boolean ipv4 = Address.isIpv4(sourceHi, sourceLo) || Address.isIpv4(targetHi, targetLo);
        int ipHeader = ipv4 ? 20 : 40;
        int wire = ETHERNET_HEADER + ipHeader + transportLength;
        Instant now = Instant.now();

        frame.clear();
        frame.putInt((int) now.getEpochSecond())
                .putInt(now.getNano())
                .putInt(wire)
                .putInt(wire);
        frame.put(new byte[12]).putShort((short) (ipv4 ? PcapFrame.IPV4 : PcapFrame.IPV6));
        int ipAt = frame.position();
        int trafficClass = batch.level[i] << 5;
        if (ipv4) {
            frame.put((byte) 0x45).put((byte) trafficClass).putShort((short) (ipHeader + transportLength));
            frame.putShort((short) 0)
                    .putShort((short) 0x4000)
                    .put((byte) HOP_LIMIT)
                    .put((byte) (isUdp ? UDP : IpPacket.HOMA))
                    .putShort((short) 0);
            frame.putInt((int) sourceLo).putInt((int) targetLo);
            frame.putShort(ipAt + 10, (short) ~sum(ipAt, ipHeader, 0));
        } else {
            frame.putInt(6 << 28 | trafficClass << 20)
                    .putShort((short) transportLength)
                    .put((byte) (isUdp ? UDP : IpPacket.HOMA))
                    .put((byte) HOP_LIMIT);
            frame.putLong(sourceHi).putLong(sourceLo).putLong(targetHi).putLong(targetLo);
        }
        int udpAt = frame.position();
        boolean isTunnel = encapsulation == Encapsulation.UDP_TUNNEL;
        if (isUdp) {
            frame.putShort((short) (isTunnel ? tunnelPort : sourcePort))
                    .putShort((short) (isTunnel ? tunnelPort : targetPort))
                    .putShort((short) transportLength)
                    .putShort((short) 0);
        }
        int at = frame.position();
        MemorySegment.copy(batch.packet[i], batch.packetAt[i], frameSegment, at, header);
        if (payload != null) {
            MemorySegment.copy(payload, batch.payloadAt[i], frameSegment, at + header, data);
        }
        if (isUdp) {
            // The checksum covers the addresses and, once more, protocol and length.
            int addresses = ipv4 ? 8 : 32;
            int checksum = ~sum(udpAt - addresses, addresses + transportLength, UDP + transportLength) & 0xFFFF;
            frame.putShort(udpAt + 6, (short) (checksum == 0 ? 0xFFFF : checksum));
        }
        try {
            out.write(frame.array(), 0, RECORD_HEADER + wire);
        } catch (IOException e) {
            isBroken = true;
            LOG.log(Logger.Level.WARNING, "the capture ends here, packets go on: " + e.getMessage(), e);
        }
    }

    /** The Internet checksum's sum of 16-bit words, carries folded. */
    private int sum(int at, int length, long start) {
        long sum = start;
        for (int i = 0; i + 1 < length; i += 2) {
            sum += Short.toUnsignedInt(frame.getShort(at + i));
        }
        if ((length & 1) != 0) {
            sum += (frameSegment.get(ValueLayout.JAVA_BYTE, at + length - 1) & 255) << 8;
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xFFFF) + (sum >>> 16);
        }
        return (int) sum;
    }

    @Override
    public void close() {
        isBroken = true;
        try {
            out.close();
        } catch (IOException e) {
            LOG.log(Logger.Level.WARNING, "closing the capture: " + e.getMessage(), e);
        }
    }
}
