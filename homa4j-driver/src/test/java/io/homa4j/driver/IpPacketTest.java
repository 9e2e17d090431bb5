package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class IpPacketTest {
    private static final String ADDRESSES = "0a000001" + "0a000002";
    private static final String ADDRESSES_V6 = "fd000000000000000000000000000001" + "fd000000000000000000000000000002";

    @Test
    @Pins("P-258")
    void ipv4OptionsAreSkipped() {
        IpPacket ip = v4("47e00020000040004092" + "0000" + ADDRESSES + "0101010101010101" + "aabbccdd");
        assertThat(ip.protocol()).isEqualTo(IpPacket.HOMA);
        assertThat(ip.transportLength()).isEqualTo(4);
        assertThat(hex(ip.transport())).isEqualTo("aabbccdd");
        assertThat(ip.isFirstFragment()).isTrue();
        assertThat(ip.moreFragments()).isFalse();
    }

    @Test
    void bytesBehindTheIpPacketAreLeftOut() {
        IpPacket ip = v4("45e00018000040004092" + "0000" + ADDRESSES + "aabbccdd" + "00".repeat(22));
        assertThat(hex(ip.transport())).isEqualTo("aabbccdd");
    }

    @Test
    void bytesNotCapturedAreMissing() {
        IpPacket ip = v4("45e00078000040004092" + "0000" + ADDRESSES + "aabb");
        assertThat(ip.transportLength()).isEqualTo(100);
        assertThat(hex(ip.transport())).isEqualTo("aabb");
        assertThat(IpPacket.v4(new byte[19], 0)).isNull();
        assertThat(IpPacket.v4(new byte[30], 11)).isNull();
        assertThat(IpPacket.v6(new byte[39], 0)).isNull();
    }

    @Test
    void fragmentsAreToldApart() {
        IpPacket first = v4("45000018000020004092" + "0000" + ADDRESSES + "aabbccdd");
        assertThat(first.isFirstFragment()).isTrue();
        assertThat(first.moreFragments()).isTrue();
        IpPacket last = v4("45000018000000b94092" + "0000" + ADDRESSES + "aabbccdd");
        assertThat(last.isFirstFragment()).isFalse();
        assertThat(last.fragmentOffset()).isEqualTo(1480);
        assertThat(last.moreFragments()).isFalse();
    }

    /** Hop-by-hop options, routing, authentication, then a fragment header. */
    @Test
    @Pins("P-258")
    void ipv6ExtensionHeadersAreSkipped() {
        String extensions =
                "2b01" + "00".repeat(14) + "3300" + "00".repeat(6) + "2c02" + "00".repeat(14) + "9200000100000000";
        IpPacket ip = v6("6e000000" + "%04x".formatted(extensions.length() / 2 + 4) + "0040" + ADDRESSES_V6 + extensions
                + "aabbccdd");
        assertThat(ip.nextHeader()).isZero();
        assertThat(ip.protocol()).isEqualTo(IpPacket.HOMA);
        assertThat(ip.extensionLength()).isEqualTo(48);
        assertThat(ip.transportLength()).isEqualTo(4);
        assertThat(hex(ip.transport())).isEqualTo("aabbccdd");
        assertThat(ip.isFirstFragment()).isTrue();
        assertThat(ip.moreFragments()).isTrue();
    }

    @Test
    void laterIpv6FragmentHoldsNoHeaders() {
        IpPacket ip = v6("6e000000000c2c40" + ADDRESSES_V6 + "920005c800000000" + "aabbccdd");
        assertThat(ip.protocol()).isEqualTo(IpPacket.HOMA);
        assertThat(ip.fragmentOffset()).isEqualTo(1480);
        assertThat(ip.isFirstFragment()).isFalse();
        assertThat(hex(ip.transport())).isEqualTo("aabbccdd");
        // A fragment header of offset 0 that names another extension: that one is skipped, too.
        IpPacket first = v6("6e00000000142c40" + ADDRESSES_V6 + "3c00000100000000" + "9200000000000000" + "aabbccdd");
        assertThat(first.protocol()).isEqualTo(IpPacket.HOMA);
        assertThat(hex(first.transport())).isEqualTo("aabbccdd");
        // The same in a later fragment is data.
        IpPacket later = v6("6e00000000142c40" + ADDRESSES_V6 + "3c0005c800000000" + "9200000000000000" + "aabbccdd");
        assertThat(later.protocol()).isEqualTo(60);
        assertThat(later.transportLength()).isEqualTo(12);
    }

    /** Never beyond what was captured, however long a header claims to be. */
    @Test
    void cutExtensionHeadersAreNotFollowed() {
        String whole = "6e00000000140040" + ADDRESSES_V6 + "3c00000000000000" + "92ff000000000000" + "aabbccdd";
        for (int length = 40; length < whole.length() / 2; length++) {
            IpPacket ip = IpPacket.v6(Arrays.copyOf(HexFormat.of().parseHex(whole), length), 0);
            assertThat(ip).isNotNull();
            assertThat(ip.protocol()).isEqualTo(length < 48 ? 0 : length < 56 ? 60 : IpPacket.HOMA);
        }
        assertThat(v6(whole).transport()).isEmpty();
        assertThat(v6(whole).transportLength()).isNegative();
    }

    @Test
    void udpPayloadEndsWhereUdpSays() {
        IpPacket ip = v4("45e00024000040004011" + "0000" + ADDRESSES + "0fa09c40000b0000" + "aabbcc" + "0000000000");
        IpPacket.Udp udp = ip.udp();
        assertThat(udp).isNotNull();
        assertThat(udp.sourcePort()).isEqualTo(4000);
        assertThat(udp.targetPort()).isEqualTo(40000);
        assertThat(udp.length()).isEqualTo(3);
        assertThat(hex(udp.payload())).isEqualTo("aabbcc");
        assertThat(v4("45e00018000040004092" + "0000" + ADDRESSES + "aabbccdd").udp())
                .isNull();
        assertThat(v4("45e0001b000040004011" + "0000" + ADDRESSES + "0fa09c40000b00")
                        .udp())
                .isNull();
        assertThat(v4("45e00024000000b94011" + "0000" + ADDRESSES + "0fa09c40000b0000" + "aabbcc")
                        .udp())
                .isNull();
    }

    private static IpPacket v4(String hex) {
        IpPacket ip = IpPacket.v4(HexFormat.of().parseHex(hex), 0);
        assertThat(ip).isNotNull();
        return ip;
    }

    private static IpPacket v6(String hex) {
        IpPacket ip = IpPacket.v6(HexFormat.of().parseHex(hex), 0);
        assertThat(ip).isNotNull();
        return ip;
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
