package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.cli.DecodedFrame.Encapsulation;
import io.homa4j.conformance.Pins;
import io.homa4j.driver.IpPacket;
import io.homa4j.driver.PcapFile;
import io.homa4j.driver.PcapFrame;
import io.homa4j.wire.CommonHeader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Homa packets in TCP's clothes are told from real TCP by their marker alone (spec 2.12). */
class HijackedFramesTest {
    private static final Path GOLDEN = Path.of(System.getProperty("homa.golden", "../golden"));

    /** The TCP frames of a capture, all of which are Homa's. */
    private static List<PcapFrame> tcp(String capture) throws IOException {
        List<PcapFrame> frames = PcapFile.readAll(GOLDEN.resolve(capture + ".pcap")).stream()
                .filter(frame -> ip(frame).protocol() == IpPacket.TCP)
                .toList();
        assertThat(frames).isNotEmpty();
        return frames;
    }

    private static IpPacket ip(PcapFrame frame) {
        return Objects.requireNonNull(frame.ip());
    }

    private static void assertAllAreHoma(String capture) throws IOException {
        for (PcapFrame frame : tcp(capture)) {
            DecodedFrame.Homa homa = DecodedFrame.of(frame, Set.of()).homa();
            assertThat(homa).as("frame %d", frame.number()).isNotNull();
            assertThat(homa.encapsulation()).isEqualTo(Encapsulation.TCP);
        }
    }

    @Test
    @Pins("P-251")
    void markedIpv4TcpIsHoma() throws IOException {
        assertAllAreHoma("09a_hijack_short_ipv4");
    }

    @Test
    @Pins("P-250")
    void markedIpv6TcpIsHoma() throws IOException {
        assertAllAreHoma("09b_hijack_short_ipv6");
    }

    @Test
    @Pins("P-249")
    void tcpWithoutTheMarkerIsTcp() throws IOException {
        PcapFrame frame = tcp("09a_hijack_short_ipv4").getFirst();
        int transportAt = frame.networkStart() + 20;
        assertThat(homaAfter(frame, transportAt + CommonHeader.FLAGS, 0)).isNotNull();
        assertThat(homaAfter(frame, transportAt + CommonHeader.FLAGS, 0x10)).isNull();
        assertThat(homaAfter(frame, transportAt + CommonHeader.URGENT, 1)).isNull();
        assertThat(homaAfter(frame, transportAt + CommonHeader.URGENT + 1, 1)).isNull();
    }

    private static DecodedFrame.@Nullable Homa homaAfter(PcapFrame frame, int at, int change) {
        byte[] bytes = frame.bytes().clone();
        bytes[at] ^= (byte) change;
        PcapFrame changed = new PcapFrame(frame.number(), frame.timeNs(), frame.linkType(), frame.wireLength(), bytes);
        return DecodedFrame.of(changed, Set.of()).homa();
    }
}
