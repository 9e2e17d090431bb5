package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import org.junit.jupiter.api.Test;

/** Which ranges a receiver asks for again (spec protocol 7.3). Here NEED_ACK makes a client ask. */
class RetransmissionRequestTest {
    private final Config config = Rig.config();

    @Test
    @Pins("P-144")
    void oneResendPerGapAtTheHighestLevel() {
        Rig rig = new Rig(config);
        long id = rig.requestSent(100);
        int[] here = {0, 1000, 2000, 2000, 6000, 1000, 8000, 2000};
        for (int i = 0; i < here.length; i += 2) {
            rig.peer.data(id ^ 1, 10_000).at(here[i]).bytes(here[i + 1]).go();
        }
        rig.node.receive(rig.peer.needAck(id ^ 1));
        assertThat(rig.node.sends()).isEqualTo("RESEND 1000 1000 p7, RESEND 4000 2000 p7, RESEND 7000 1000 p7");
    }

    @Test
    @Pins("P-145")
    void nothingIsAskedForWhenNothingGrantedIsMissing() {
        config.maxIncoming = 0;
        Rig rig = new Rig(config);
        long id = rig.requestSent(100);
        rig.peer.data(id ^ 1, 10_000).bytes(1400).incoming(1400).go();
        rig.node.receive(rig.peer.needAck(id ^ 1));
        assertThat(rig.node.sends()).isEmpty();
    }

    /** A client that has everything it has granted says so, or the server would give the response up. */
    @Test
    void whereNothingGrantedIsMissingHoma4jSaysThatItWaits() {
        Config own = Rig.ownConfig();
        own.maxIncoming = 1400;
        Rig rig = new Rig(own);
        long first = rig.requestSent(100);
        long second = rig.requestSent(100);
        rig.peer.data(first ^ 1, 3_000).bytes(1400).incoming(1400).go();
        rig.peer.data(second ^ 1, 10_000).bytes(1400).incoming(1400).go();
        rig.node.sends();
        rig.node.receive(rig.peer.needAck(second ^ 1));
        assertThat(rig.node.sends()).isEqualTo("BUSY");
    }

    @Test
    @Pins("P-146")
    void missingGrantedTailIsAskedFor() {
        config.maxIncoming = 0;
        Rig rig = new Rig(config);
        long id = rig.requestSent(100);
        rig.peer.data(id ^ 1, 10_000).bytes(1400).incoming(3000).go();
        rig.node.receive(rig.peer.needAck(id ^ 1));
        assertThat(rig.node.sends()).isEqualTo("RESEND 1400 1600 p7");
    }

    @Test
    @Pins("P-147")
    void everythingIsAskedForBeforeAnythingCame() {
        Rig rig = new Rig(config);
        long id = rig.requestSent(100);
        rig.node.receive(rig.peer.needAck(id ^ 1));
        assertThat(rig.node.sends()).isEqualTo("RESEND 0 -1 p7");
    }

    @Test
    void gapsComeBeforeTheTail() {
        config.maxIncoming = 0;
        Rig rig = new Rig(config);
        long id = rig.requestSent(100);
        rig.peer.data(id ^ 1, 10_000).bytes(1000).incoming(8000).go();
        rig.peer.data(id ^ 1, 10_000).at(2000).bytes(1000).go();
        rig.node.receive(rig.peer.needAck(id ^ 1));
        assertThat(rig.node.sends()).isEqualTo("RESEND 1000 1000 p7, RESEND 3000 5000 p7");
    }

    @Test
    void levelIsTheHighestInUse() {
        config.numPriorities = 4;
        Rig rig = new Rig(config);
        long id = rig.requestSent(100);
        rig.node.receive(rig.peer.needAck(id ^ 1));
        assertThat(rig.node.sends()).isEqualTo("RESEND 0 -1 p3");
    }
}
