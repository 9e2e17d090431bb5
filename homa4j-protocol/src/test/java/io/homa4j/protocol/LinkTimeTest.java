package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import io.homa4j.wire.DataHeader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How long packets are reckoned to occupy the link (spec scheduling 20). Here a byte takes a microsecond. */
class LinkTimeTest {
    private final Config config = Rig.config();
    private final Turn turn = new Turn(config, 0);

    private Pacer pacer() {
        config.linkMbps = 8;
        config.maxLinkUsage = 100;
        config.maxNicEstBacklogUsecs = 0;
        return new Pacer(config, turn);
    }

    @Test
    @Pins("P-054")
    void ipv6PacketOf1400BytesOccupies1538Bytes() {
        Pacer pacer = pacer();
        pacer.charge(DataHeader.LENGTH + 1400, false);
        assertThat(pacer.maySendNs()).isEqualTo(1538 * 1000);
        pacer.charge(DataHeader.LENGTH + 1400, true);
        assertThat(pacer.maySendNs()).isEqualTo((1538 + 1518) * 1000);
    }

    /** Whatever may become one segmented send: each segment is charged with all its headers. */
    @Test
    @Pins("P-022")
    void headersAreChargedOncePerSegment() {
        config.linkMbps = 8;
        config.maxLinkUsage = 100;
        config.maxNicEstBacklogUsecs = 0;
        config.pacerFifoFraction = 0;
        Rig rig = new Rig(config);
        rig.request(3 * 1400);
        rig.request(10_000);
        long startNs = rig.node.nowNs;
        List<String> sent = new ArrayList<>();
        while (sent.size() < 4) {
            for (Sent packet : rig.node.send()) {
                sent.add((packet.nowNs() - startNs) / 1000 + " us " + packet.id() + ":" + packet.word());
            }
            rig.node.nowNs = rig.node.engine.nextDeadlineNs(rig.node.nowNs);
            rig.node.engine.onTime(rig.node.nowNs);
        }
        int packetBytes = 1400 + 56 + 20 + 42;
        assertThat(sent)
                .containsExactly(
                        "0 us 2:DATA 1400@0",
                        packetBytes + " us 2:DATA 1400@1400",
                        2 * packetBytes + " us 2:DATA 1400@2800",
                        3 * packetBytes + " us 4:DATA 1400@0");
    }
}
