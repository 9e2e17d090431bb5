package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Peers of the stripped variant (spec protocol 12): no grants, whole messages at once, nothing announced. */
class StrippedPeerTest {
    /** The packets of a message as the stripped variant sends it. */
    private static List<Datagram> message(Injector from, long id, int length) {
        List<Datagram> packets = new ArrayList<>();
        for (int offset = 0; offset < length; offset += 1400) {
            packets.add(from.data(id, length)
                    .incoming(0)
                    .cutoffVersion(0)
                    .at(offset)
                    .bytes(Math.min(1400, length - offset))
                    .packet());
        }
        return packets;
    }

    /** It never proves that it receives, and so is never granted anything. */
    @Test
    void lostPacketOfARequestIsAskedFor() {
        Config config = Rig.ownConfig();
        config.proveReachability = true;
        Rig rig = new Rig(config);
        List<Datagram> packets = message(rig.caller, 1000, 7_000);
        Datagram lost = packets.remove(2);
        rig.node.receive(packets);
        assertThat(Node.words(rig.node.ticks(6))).contains("RESEND 2800 1400");
        rig.node.receive(lost);
        assertThat(rig.node.take(rig.server).bytes()).isEqualTo(Node.message(7_000));
    }

    @Test
    void lostEndOfARequestIsAskedFor() {
        Rig rig = new Rig(Rig.ownConfig());
        List<Datagram> packets = message(rig.caller, 1000, 7_000);
        rig.node.receive(packets.subList(0, 3));
        assertThat(Node.words(rig.node.ticks(6))).contains("RESEND 4200 2800").doesNotContain("GRANT");
    }

    @Test
    void lostPacketOfAResponseIsAskedFor() {
        Rig rig = new Rig(Rig.ownConfig());
        long id = rig.requestSent(100);
        List<Datagram> packets = message(rig.peer, id ^ 1, 7_000);
        packets.remove(0);
        rig.node.receive(packets);
        assertThat(Node.words(rig.node.ticks(6))).contains("RESEND 0 1400");
    }

    @Test
    void requestOfWhichNothingMoreComesIsGivenUp() {
        Rig rig = new Rig(Rig.ownConfig());
        rig.node.receive(message(rig.caller, 1000, 7_000).subList(0, 1));
        rig.node.ticks(2 * Rig.ownConfig().timeoutTicks);
        assertThat(rig.exists(1001)).isFalse();
    }
}
