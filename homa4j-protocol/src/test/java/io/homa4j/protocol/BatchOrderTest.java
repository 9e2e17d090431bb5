package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.List;
import org.junit.jupiter.api.Test;

/** In which order the packets of one batch are processed, and that grants are looked at once per group (spec protocol 3.2). */
class BatchOrderTest {
    private final Config config = Rig.config();
    private final Rig rig = new Rig(config);

    private Datagram part(long id, int offset, int length) {
        return rig.caller
                .data(id, length)
                .at(offset)
                .bytes(Math.min(1400, length - offset))
                .packet();
    }

    private List<Long> order() {
        return rig.infos(rig.server).stream().map(RpcInfo::id).toList();
    }

    @Test
    @Pins({"P-259", "S-386"})
    void shortMessagesGoFirst() {
        rig.node.receive(
                part(2, 0, 2000),
                part(4, 0, 1400),
                part(6, 0, 1399),
                // a short packet of a long message is not moved forward
                part(8, 1400, 1600),
                part(10, 0, 100),
                part(12, 0, 5000));
        assertThat(order()).containsExactly(7L, 11L, 3L, 5L, 9L, 13L);
    }

    @Test
    @Pins({"P-260", "S-387"})
    void controlPacketsGoFirst() {
        rig.node.receive(
                part(2, 0, 5000),
                rig.caller.resend(2, 0, -1, 0),
                part(4, 0, 5000),
                rig.caller.resend(4, 0, -1, 0),
                rig.caller.needAck(6));
        // The RESENDs came before the data that would have made their RPCs known.
        assertThat(Node.wordsWithIds(rig.node.send())).isEqualTo("3:RPC_UNKNOWN, 5:RPC_UNKNOWN, 7:ACK 7");
        assertThat(order()).containsExactly(3L, 5L);
    }

    @Test
    void questionsComeLastOutsideProfileModule() {
        Rig own = new Rig(Rig.ownConfig());
        own.node.receive(
                own.caller.resend(2, 0, -1, 0),
                own.caller.data(2, 5000).bytes(1400).packet(),
                own.caller.data(4, 100).packet());
        assertThat(Node.wordsWithIds(own.node.send()))
                .as("the RESEND came before the request it asks about")
                .isEqualTo("3:BUSY");
    }

    @Test
    @Pins({"P-261", "S-389"})
    void longMessagesAreGroupedByRpcInOrderOfFirstArrival() {
        config.maxIncoming = 1_000_000;
        Rig here = new Rig(config);
        Injector caller = here.caller;
        Injector.Data[] inner = new Injector.Data[5];
        int[] offsets = {0, 1400, 4200, 2800, 7000};
        for (int i = 0; i < 5; i++) {
            inner[i] = caller.data(2, 100_000).at(offsets[i]).bytes(1400).incoming(10_000);
        }
        here.node.receive(
                inner[0].packet(),
                caller.data(4, 100_000).bytes(1400).incoming(10_000).packet(),
                inner[1].packet(),
                inner[2].packet(),
                caller.data(4, 100_000).at(1400).bytes(1400).incoming(10_000).packet(),
                inner[3].packet(),
                inner[4].packet());
        // One GRANT per message, made after all its packets: the window behind what has arrived.
        assertThat(Node.wordsWithIds(here.node.send())).isEqualTo("3:GRANT 100000 p0, 5:GRANT 100000 p0");
        assertThat(here.node.count("grant_check_calls")).isEqualTo(2);
        // Inner order is that of arrival: two gaps appeared, the first one was filled.
        assertThat(here.info(3).gaps()).isEqualTo(1);
        assertThat(here.info(3).gapBytes()).isEqualTo(1400);
        assertThat(here.node.count("gaps_created")).isEqualTo(2);
    }

    @Test
    @Pins("S-388")
    void onlyLongMessagesKeepTheirOrder() {
        rig.node.receive(part(8, 0, 2000), part(2, 0, 3000), part(6, 0, 4000), part(4, 0, 5000));
        assertThat(order()).containsExactly(9L, 3L, 7L, 5L);
    }

    @Test
    @Pins("P-079")
    void batchMixesRpcsPortsHostsAndRoles() {
        int other = rig.node.server(98);
        Injector toOther = new Injector(rig.node, "10.0.0.7", 50_000, 98);
        long id = rig.requestSent(100);
        rig.node.receive(
                part(2, 0, 100),
                toOther.data(2, 200).packet(),
                rig.peer.data(id ^ 1, 300).packet(),
                new Injector(rig.node, "10.0.0.7", 50_000, 1234)
                        .data(2, 5000)
                        .bytes(100)
                        .packet(),
                rig.caller.resend(500, 0, -1, 0));
        assertThat(rig.node.take(rig.server).length()).isEqualTo(100);
        assertThat(rig.node.take(other).length()).isEqualTo(200);
        assertThat(rig.node.take(rig.client).length()).isEqualTo(300);
        assertThat(rig.node.portUnreachable).containsExactly(false, false, false, true, false);
        assertThat(rig.node.sends()).isEqualTo("RPC_UNKNOWN");
    }

    @Test
    @Pins({"P-072", "S-075"})
    void grantsAreLookedAtAfterTheGroup() {
        rig.node.receive(
                rig.caller.data(2, 20_000).bytes(1400).incoming(10_000).packet(),
                rig.caller.data(2, 20_000).at(1400).bytes(1400).incoming(10_000).packet());
        assertThat(rig.node.sends()).isEqualTo("GRANT 20000 p0");
    }
}
