package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How users write them. */
class XdpOptionsTest {
    @Test
    void whatIsNotSaidIsTheDefault() {
        assertThat(XdpOptions.parse("")).isEqualTo(XdpOptions.DEFAULT);
        assertThat(XdpOptions.parse("eth1"))
                .isEqualTo(new XdpOptions("eth1", 0, XdpOptions.Mode.AUTO, XdpOptions.ZeroCopy.AUTO, 0, 4096));
        assertThat(XdpOptions.parse("queue=3"))
                .isEqualTo(new XdpOptions(null, 3, XdpOptions.Mode.AUTO, XdpOptions.ZeroCopy.AUTO, 0, 4096));
    }

    @Test
    void everythingCanBeSaid() {
        assertThat(XdpOptions.parse("eth1, queue=2,mode=generic,zero-copy=off,busy-poll=20,frames=128"))
                .isEqualTo(new XdpOptions("eth1", 2, XdpOptions.Mode.GENERIC, XdpOptions.ZeroCopy.OFF, 20, 128));
        assertThat(XdpOptions.parse("mode=native,zero-copy=required"))
                .isEqualTo(new XdpOptions(null, 0, XdpOptions.Mode.NATIVE, XdpOptions.ZeroCopy.REQUIRED, 0, 4096));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "eth0,eth1",
                "queue=x",
                "queue=-1",
                "mode=fast",
                "zero-copy=on",
                "frames=100",
                "frames=32",
                "frames=131072",
                "busy-poll=",
                "colour=red"
            })
    void nonsenseIsNamed(String text) {
        assertThatThrownBy(() -> XdpOptions.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("null");
    }
}
