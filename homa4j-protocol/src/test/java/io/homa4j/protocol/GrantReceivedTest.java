package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import org.junit.jupiter.api.Test;

/** What a sender does with a GRANT (spec protocol 3.7). */
class GrantReceivedTest {
    private final Rig rig = new Rig();

    @Test
    @Pins("P-036")
    void grantRaisesTheLimitAndNeverLowersIt() {
        long id = rig.requestSent(20_000);
        rig.node.receive(rig.peer.grant(id ^ 1, 11_000, 3));
        assertThat(rig.node.sends()).isEqualTo("DATA 1400@10000");
        assertThat(rig.info(id).sendGranted()).isEqualTo(11_000);
        rig.node.receive(rig.peer.grant(id ^ 1, 10_000, 3));
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.info(id).sendGranted()).isEqualTo(11_000);
        rig.node.receive(rig.peer.data(id ^ 1, 5000).bytes(1400).packet());
        rig.node.receive(rig.peer.grant(id ^ 1, 20_000, 3));
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.info(id).sendGranted()).isEqualTo(11_000);
    }

    @Test
    @Pins("P-037")
    void grantBeyondTheEndIsClipped() {
        long id = rig.requestSent(11_000);
        rig.node.receive(rig.peer.grant(id ^ 1, 20_000, 3));
        assertThat(rig.info(id).sendGranted()).isEqualTo(11_000);
        assertThat(rig.node.sends()).isEqualTo("DATA 1000@10000");
    }

    /** D-10: the module takes the level of an old GRANT, homa4j by itself does not. */
    @Test
    void levelOfAnOldGrantCountsOnlyInProfileModule() {
        for (boolean module : new boolean[] {true, false}) {
            Config config = Rig.config();
            config.moduleProfile = module;
            Rig here = new Rig(config);
            long id = here.requestSent(20_000);
            here.node.receive(here.peer.grant(id ^ 1, 12_000, 3));
            here.node.send();
            here.node.receive(here.peer.grant(id ^ 1, 11_000, 1));
            assertThat(here.info(id).sendLevel()).isEqualTo(module ? 1 : 3);
            here.node.receive(here.peer.grant(id ^ 1, 20_000, 9));
            assertThat(here.node.send()).isNotEmpty().allMatch(packet -> packet.level() == 7);
        }
    }

    @Test
    void grantWithANegativeOffsetIsHarmless() {
        long id = rig.requestSent(20_000);
        rig.node.receive(rig.peer.grant(id ^ 1, -5, 3));
        assertThat(rig.node.sends()).isEmpty();
        assertThat(rig.info(id).sendGranted()).isEqualTo(10_000);
    }
}
