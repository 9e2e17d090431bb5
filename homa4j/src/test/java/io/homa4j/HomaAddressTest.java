package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HomaAddressTest {
    @ParameterizedTest
    @CsvSource({
        "192.0.2.1:4000, 192.0.2.1, 4000, 192.0.2.1:4000",
        "[2001:db8::1]:1, 2001:db8:0:0:0:0:0:1, 1, [2001:db8::1]:1",
        "' homa://127.0.0.1:65535', 127.0.0.1, 65535, 127.0.0.1:65535",
        "homa+udp://[::1]:7, 0:0:0:0:0:0:0:1, 7, homa+udp://[::1]:7",
        "homa+ip://127.0.0.1:99, 127.0.0.1, 99, homa+ip://127.0.0.1:99",
        "homa+udp-tunnel://127.0.0.1:99, 127.0.0.1, 99, homa+udp-tunnel://127.0.0.1:99",
        "[::ffff:192.0.2.9]:5, 192.0.2.9, 5, [::ffff:192.0.2.9]:5",
    })
    void readsWhatPeopleWrite(String text, String address, int port, String shown) {
        HomaAddress read = HomaAddress.parse(text);
        assertThat(read.address().getHostAddress()).isEqualTo(address);
        assertThat(read.port()).isEqualTo(port);
        assertThat(read).hasToString(shown);
        assertThat(HomaAddress.parse(read.toString())).isEqualTo(read).hasSameHashCodeAs(read);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "host",
                ":4000",
                "127.0.0.1:",
                "127.0.0.1:x",
                "127.0.0.1:0",
                "127.0.0.1:65536",
                "127.0.0.1:-1",
                "::1:4000",
                "2001:db8::1",
                "[::1]",
                "homa+tcp://127.0.0.1:1",
                "http://127.0.0.1:1",
                "no-such-host.invalid:1"
            })
    void saysWhatIsWrongWithOtherText(String text) {
        assertThatThrownBy(() -> HomaAddress.parse(text)).isInstanceOfSatisfying(HomaAddressException.class, e -> {
            assertThat(e.reason()).isEqualTo(Reason.BAD_ADDRESS);
            assertThat(e.remedy()).isNotBlank();
            assertThat(e).hasMessageEndingWith(e.remedy());
        });
    }

    @Test
    void namesAreResolvedToTheFamilyAskedFor() {
        assertThat(HomaAddress.of("localhost", 1, Family.IPV4).isIpv6()).isFalse();
        assertThat(HomaAddress.of("::1", 1, Family.IPV6).isIpv6()).isTrue();
        assertThatThrownBy(() -> HomaAddress.of("127.0.0.1", 1, Family.IPV6))
                .isInstanceOf(HomaAddressException.class)
                .hasMessageContaining("no IPv6 address");
    }

    @Test
    void equalAddressesAreEqualWhateverTheirName() throws Exception {
        HomaAddress byName = HomaAddress.of("localhost", 4000, Family.IPV4);
        HomaAddress byNumber =
                HomaAddress.of(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 4000));
        assertThat(byName).isEqualTo(byNumber).hasSameHashCodeAs(byNumber);
        assertThat(byName).isNotEqualTo(HomaAddress.of("127.0.0.1", 4001));
        assertThatThrownBy(() -> HomaAddress.of(InetSocketAddress.createUnresolved("x", 1)))
                .isInstanceOf(HomaAddressException.class);
    }
}
