package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.protocol.Config.Encapsulation;
import io.homa4j.protocol.PacketBatch;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That captures written by the driver are captures: read again, with right lengths, ports and checksums. */
class PcapDriverTest {
    @TempDir
    Path folder;

    @Test
    void whatPassesIsInTheFileInBothDirectionsAndFamilies() throws Exception {
        Path file = folder.resolve("all.pcap");
        int from;
        int to;
        try (PcapDriver driver = new PcapDriver(new PortableDriver(), file, Encapsulation.UDP, 0)) {
            from = driver.bind(null, 0);
            to = driver.bind(null, 0);
            driver.attach(from, 0);
            driver.attach(to, 1);
            PacketBatch out = Batches.toSend();
            PacketBatch in = Batches.toReceive(driver);
            Batches.add(out, 0, 0, Batches.LOOPBACK_LO, to, 5, 60, 101);
            Batches.add(out, 0, 0, 1, to, 7, 33, 0);
            assertThat(driver.send(out)).isEqualTo(2);
            int received = 0;
            while (received < 2) {
                received += Batches.receive(driver, in);
            }
        }
        List<PcapFrame> frames = PcapFile.readAll(file);
        assertThat(frames).hasSize(4);
        check(frames.get(0), from, to, 5, 60, 101, 20);
        check(frames.get(1), from, to, 7, 33, 0, 40);
        check(frames.get(2), from, to, 5, 60, 101, 20);
        check(frames.get(3), from, to, 7, 33, 0, 40);
        assertThat(frames.get(0).timeNs()).isLessThanOrEqualTo(frames.get(3).timeNs());
    }

    @Test
    void aTunnelShowsItsPortAndIpHasNoUdpHeader() throws Exception {
        PacketBatch out = Batches.toSend();
        Batches.add(out, 0, 0, Batches.LOOPBACK_LO, 99, 5, 60, 7);
        Path tunnel = folder.resolve("tunnel.pcap");
        try (PcapWriter writer = new PcapWriter(tunnel, Encapsulation.UDP_TUNNEL, 4_791)) {
            writer.sent(out, 0, 98);
        }
        check(PcapFile.readAll(tunnel).getFirst(), 4_791, 4_791, 5, 60, 7, 20);
        Path ip = folder.resolve("ip.pcap");
        try (PcapWriter writer = new PcapWriter(ip, Encapsulation.IP, 0)) {
            writer.sent(out, 0, 98);
        }
        PcapFrame frame = PcapFile.readAll(ip).getFirst();
        assertThat(frame.wireLength()).isEqualTo(14 + 20 + 67);
        assertThat(frame.bytes()[14 + 9]).isEqualTo((byte) IpPacket.HOMA);
        assertThat(frame.bytes()[14 + 20]).isEqualTo((byte) 5);
    }

    private static void check(PcapFrame frame, int from, int to, int mark, int header, int payload, int ipHeader) {
        byte[] bytes = frame.bytes();
        assertThat(frame.etherType()).isEqualTo(ipHeader == 20 ? PcapFrame.IPV4 : PcapFrame.IPV6);
        assertThat(frame.wireLength()).isEqualTo(bytes.length).isEqualTo(14 + ipHeader + 8 + header + payload);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int udp = 14 + ipHeader;
        assertThat(Short.toUnsignedInt(in.getShort(udp))).isEqualTo(from);
        assertThat(Short.toUnsignedInt(in.getShort(udp + 2))).isEqualTo(to);
        for (int i = 0; i < header + payload; i++) {
            assertThat(bytes[udp + 8 + i]).isEqualTo((byte) (i < header ? mark : mark + 1));
        }
        int addresses = ipHeader == 20 ? 8 : 32;
        assertThat(sum(bytes, udp - addresses, bytes.length, 17 + bytes.length - udp))
                .as("the UDP checksum fits")
                .isEqualTo(0xFFFF);
        if (ipHeader == 20) {
            assertThat(sum(bytes, 14, 34, 0)).as("the IP checksum fits").isEqualTo(0xFFFF);
        }
    }

    private static int sum(byte[] bytes, int from, int to, int start) {
        int sum = start;
        for (int i = from; i < to; i++) {
            sum += (bytes[i] & 255) << ((i - from) % 2 == 0 ? 8 : 0);
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xFFFF) + (sum >>> 16);
        }
        return sum;
    }
}
