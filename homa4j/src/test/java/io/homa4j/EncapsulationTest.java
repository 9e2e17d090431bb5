package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Encapsulations as users write them. */
class EncapsulationTest {
    @ParameterizedTest
    @ValueSource(strings = {"udp", "ip", "udp-tunnel:1", "udp-tunnel:65535"})
    void whatIsReadIsWrittenInTheSameWay(String text) {
        assertThat(Encapsulation.parse(text)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "tcp",
                "udp:7",
                "udp-tunnel",
                "udp-tunnel:",
                "udp-tunnel:x",
                "udp-tunnel:0",
                "udp-tunnel:65536"
            })
    void whatIsNoneIsRefusedWithItsReason(String text) {
        assertThatThrownBy(() -> Encapsulation.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .message()
                .isNotEmpty();
    }

    @Test
    void onlyATunnelHasAPort() {
        assertThatThrownBy(() -> new Encapsulation(Encapsulation.UDP.kind(), 7))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
