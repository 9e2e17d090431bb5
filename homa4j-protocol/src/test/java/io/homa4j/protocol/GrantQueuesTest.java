package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages that wait for a slot: their order, how they get one, what they leave behind (spec scheduling 7). */
class GrantQueuesTest {
    private final Config config = GrantBench.config();

    @BeforeEach
    void oneSlot() {
        config.maxOvercommit = 1;
    }

    /** One slot, held by a message that outranks all others, {@code top}. */
    private GrantBench full() {
        GrantBench bench = new GrantBench(config);
        bench.add("top", 9, 100);
        return bench;
    }

    // ---- order of peers and of messages

    @Test
    @Pins("S-020")
    void peerWithoutQueuedMessagesIsNotWaiting() {
        GrantBench bench = full();
        Rpc a = bench.add("a", 1, 20_000);
        assertThat(a.peer.host.grantPlace).isZero();
        bench.granter.forget(a);
        assertThat(a.peer.host.grantPlace).isEqualTo(-1);
        assertThat(bench.drain()).isEqualTo("top");
    }

    @Test
    @Pins({"S-021", "S-022", "S-029"})
    void peersWaitInTheOrderOfTheirBestMessages() {
        GrantBench bench = full();
        bench.add("a", 1, 30_000);
        bench.add("b", 2, 50_000);
        bench.add("between", 3, 40_000);
        bench.add("last", 4, 60_000);
        bench.add("a2", 1, 70_000);
        bench.add("last2", 4, 29_000);
        assertThat(bench.drain()).isEqualTo("top last2 a between b last a2");
    }

    @Test
    @Pins("S-023")
    void peerMovesUpPastSeveralWhenItsBestMessageGetsShorter() {
        GrantBench bench = full();
        bench.add("a", 1, 20_000);
        bench.add("b", 2, 30_000);
        bench.add("c", 3, 40_000);
        Rpc d = bench.add("d", 4, 50_000, 45_000);
        bench.receive(d, 25_000);
        assertThat(bench.drain()).isEqualTo("top a d b c");
    }

    /** As of senders that do not wait for grants. */
    @Test
    void bytesBeyondTheGrantMoveAQueuedMessage() {
        GrantBench bench = full();
        bench.add("a", 1, 20_000);
        Rpc b = bench.add("b", 2, 50_000, 100);
        bench.receive(b, 100);
        bench.receive(b, 45_000);
        assertThat(bench.drain()).isEqualTo("top b a");
    }

    @Test
    @Pins("S-024")
    void peerCanMoveToTheFront() {
        GrantBench bench = full();
        bench.add("a", 1, 20_000);
        bench.add("b", 2, 30_000);
        Rpc c = bench.add("c", 3, 50_000, 45_000);
        bench.receive(c, 35_000);
        assertThat(bench.drain()).isEqualTo("top c a b");
    }

    @Test
    @Pins("S-025")
    void peerMovesDownWhenItsBestMessageIsGone() {
        GrantBench bench = full();
        Rpc best = bench.add("best", 1, 20_000);
        bench.add("second", 1, 45_000);
        bench.add("b", 2, 30_000);
        bench.add("c", 3, 40_000);
        bench.add("d", 4, 50_000);
        bench.granter.forget(best);
        assertThat(bench.drain()).isEqualTo("top b c second d");
    }

    @Test
    @Pins("S-026")
    void peerCanMoveToTheEnd() {
        GrantBench bench = full();
        Rpc best = bench.add("best", 1, 20_000);
        bench.add("second", 1, 60_000);
        bench.add("b", 2, 30_000);
        bench.add("c", 3, 40_000);
        bench.granter.forget(best);
        assertThat(bench.drain()).isEqualTo("top b c second");
    }

    @Test
    @Pins("S-028")
    void messagesOfOnePeerWaitInTheOrderOfTheirBytesToCome() {
        GrantBench bench = full();
        bench.add("a", 1, 30_000);
        bench.add("b", 1, 20_000);
        bench.add("c", 1, 50_000);
        bench.add("d", 1, 40_000);
        assertThat(bench.drain()).isEqualTo("top b a d c");
    }

    @Test
    @Pins("S-030")
    void removingAMessageThatIsNotFirstLeavesThePeerInItsPlace() {
        GrantBench bench = full();
        bench.add("a", 1, 30_000);
        bench.add("b", 2, 20_000);
        Rpc second = bench.add("second", 2, 60_000);
        bench.add("c", 3, 40_000);
        bench.granter.forget(second);
        assertThat(bench.drain()).isEqualTo("top b a c");
    }

    @Test
    @Pins("S-031")
    void removingTheOnlyMessageRemovesThePeer() {
        GrantBench bench = full();
        Rpc a = bench.add("a", 1, 20_000);
        bench.add("b", 2, 30_000);
        bench.granter.forget(a);
        assertThat(a.peer.host.queued.size()).isZero();
        assertThat(a.peer.host.grantPlace).isEqualTo(-1);
        assertThat(bench.drain()).isEqualTo("top b");
    }

    // ---- entering and leaving management

    @Test
    @Pins("S-032")
    void evictedMessageIsQueuedAndNotForgotten() {
        GrantBench bench = new GrantBench(config);
        Rpc former = bench.add("former", 1, 30_000, 500);
        assertThat(bench.grants()).isEqualTo("former 10000 p0");
        Rpc shorter = bench.add("shorter", 2, 20_000);
        assertThat(bench.active()).isEqualTo("shorter");
        assertThat(former.in.isManaged).isTrue();
        assertThat(former.peer.host.queued.first()).isSameAs(former);
        assertThat(former.peer.host.activeMessages).isZero();
        // it keeps what it was granted
        assertThat(former.in.granted).isEqualTo(10_000);
        assertThat(bench.granter.totalIncoming()).isEqualTo(20_000);
        bench.granter.forget(shorter);
        assertThat(bench.active()).isEqualTo("former");
    }

    @Test
    @Pins({"S-036", "S-037"})
    void integralGrowsByTheFormerNumberOfGrantableMessagesTimesTheTimePassed() {
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.begin("a", 1, 20_000, 0);
        Rpc b = bench.begin("b", 2, 30_000, 0);
        Rpc c = bench.begin("c", 3, 40_000, 0);
        bench.granter.check(a);
        bench.pass(100);
        bench.granter.check(b);
        assertThat(b.in.slot).isEqualTo(-1);
        assertThat(b.peer.host.queued.first()).isSameAs(b);
        assertThat(bench.count(Counters.GRANTABLE_RPCS_INTEGRAL)).isEqualTo(100);
        bench.pass(10);
        bench.granter.check(c);
        assertThat(bench.count(Counters.GRANTABLE_RPCS_INTEGRAL)).isEqualTo(100 + 2 * 10);
        assertThat(bench.granter.managed()).isEqualTo(3);
        bench.pass(150);
        bench.granter.forget(c);
        assertThat(bench.count(Counters.GRANTABLE_RPCS_INTEGRAL)).isEqualTo(120 + 3 * 150);
        assertThat(bench.granter.managed()).isEqualTo(2);
    }

    @Test
    @Pins("S-039")
    void removingAMessageThatNeedsNoGrantsChangesNothing() {
        GrantBench bench = new GrantBench(config);
        bench.add("a", 1, 20_000, 5000);
        Rpc whole = bench.add("whole", 1, 5000, 5000);
        bench.pass(100);
        bench.granter.forget(whole);
        assertThat(bench.granter.managed()).isEqualTo(1);
        assertThat(bench.granter.active()).isEqualTo(1);
        assertThat(bench.granter.totalIncoming()).isEqualTo(10_000);
        assertThat(bench.count(Counters.GRANTABLE_RPCS_INTEGRAL)).isZero();
    }

    @Test
    @Pins("S-040")
    void messagesAreRemovedFromTheirSlotOrTheirQueue() {
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.add("a", 1, 20_000);
        Rpc b = bench.add("b", 1, 30_000);
        long before = bench.count(Counters.GRANTABLE_RPCS_INTEGRAL);
        bench.pass(100);
        bench.granter.forget(b);
        assertThat(bench.granter.managed()).isEqualTo(1);
        assertThat(a.peer.host.queued.size()).isZero();
        bench.pass(30);
        bench.granter.forget(a);
        assertThat(bench.granter.managed()).isZero();
        assertThat(bench.granter.active()).isZero();
        assertThat(a.peer.host.activeMessages).isZero();
        assertThat(bench.count(Counters.GRANTABLE_RPCS_INTEGRAL) - before).isEqualTo(2 * 100 + 30);
        assertThat(a.in.isGrantable || a.in.isManaged || b.in.isGrantable || b.in.isManaged)
                .isFalse();
    }

    @Test
    @Pins("S-041")
    void bestQueuedMessageIsPromotedAtOnce() {
        GrantBench bench = full();
        bench.add("a", 1, 40_000);
        bench.add("b", 2, 30_000);
        assertThat(bench.active()).isEqualTo("top");
        bench.granter.forget(bench.message("top"));
        assertThat(bench.active()).isEqualTo("b");
    }

    @Test
    @Pins("S-043")
    void removedMessageTakesItsExpectedBytesAlong() {
        GrantBench bench = new GrantBench(config);
        Rpc active = bench.add("active", 1, 20_000, 3000);
        Rpc queued = bench.add("queued", 2, 30_000, 7000);
        bench.receive(queued, 1000);
        assertThat(bench.granter.totalIncoming()).isEqualTo(10_000 + 6000);
        bench.granter.forget(queued);
        assertThat(bench.granter.totalIncoming()).isEqualTo(10_000);
        assertThat(queued.in.expectedBytes).isZero();
        bench.granter.forget(active);
        assertThat(bench.granter.totalIncoming()).isZero();
        assertThat(active.in.expectedBytes).isZero();
    }

    // ---- promotion

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Pins("S-044")
    void promotionPrefersAPeerWithoutActiveMessagesAndGrantsItWithoutAPacket(boolean profileModule) {
        config.moduleProfile = profileModule;
        config.maxOvercommit = 2;
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.add("a", 1, 10_000, 9000);
        Rpc b = bench.add("b", 2, 20_000);
        bench.add("shorter", 1, 25_000);
        bench.add("longer", 3, 40_000);
        assertThat(bench.active()).isEqualTo("a b");
        bench.grants();
        bench.granter.forget(b);
        assertThat(bench.active()).isEqualTo("a longer");
        // the module serves it only with the next packet of any grantable message
        bench.granter.check(a);
        assertThat(bench.grants()).endsWith("longer 10000 p0");
        assertThat(bench.count(Counters.NEEDY_GRANTS)).isGreaterThanOrEqualTo(1);
    }

    @Test
    @Pins("S-045")
    void promotionPrefersThePeerWithFewerActiveMessages() {
        config.maxOvercommit = 4;
        GrantBench bench = new GrantBench(config);
        bench.add("a1", 1, 10_000);
        bench.add("a2", 1, 11_000);
        bench.add("b1", 2, 12_000);
        Rpc free = bench.add("free", 3, 9000);
        bench.add("a3", 1, 15_000);
        bench.add("b2", 2, 20_000);
        assertThat(bench.active()).isEqualTo("a1 a2 b1 free");
        bench.granter.forget(free);
        assertThat(bench.active()).isEqualTo("a1 a2 b1 b2");
    }

    @Test
    @Pins("S-046")
    void slotStaysEmptyIfNothingIsQueued() {
        config.maxOvercommit = 2;
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.add("a", 1, 10_000);
        bench.add("b", 2, 20_000);
        bench.granter.forget(a);
        assertThat(bench.active()).isEqualTo("- b");
        assertThat(bench.count(Counters.NEEDY_GRANTS)).isZero();
    }

    @Test
    @Pins("S-047")
    void activeMessageThatGetsShorterStaysInItsSlot() {
        config.maxOvercommit = 2;
        GrantBench bench = new GrantBench(config);
        bench.add("a", 1, 10_000);
        Rpc b = bench.add("b", 2, 20_000);
        bench.receive(b, 15_000);
        assertThat(bench.active()).isEqualTo("a b");
        assertThat(b.peer.host.queued.size()).isZero();
        assertThat(b.peer.host.activeMessages).isEqualTo(1);
    }

    @Test
    @Pins("S-048")
    void queuedMessageThatGetsShorterMovesUpAmongThoseOfItsPeer() {
        GrantBench bench = full();
        bench.add("a", 1, 20_000);
        bench.add("b", 1, 30_000);
        Rpc c = bench.add("c", 1, 40_000, 35_000);
        bench.receive(c, 15_000);
        assertThat(bench.drain()).isEqualTo("top a c b");
    }

    @Test
    @Pins("S-049")
    void queuedMessageThatGetsShorterTakesAFreeSlot() {
        GrantBench bench = full();
        Rpc a = bench.add("a", 1, 40_000, 35_000);
        config.maxOvercommit = 2;
        bench.receive(a, 1000);
        assertThat(bench.active()).isEqualTo("top a");
        assertThat(a.peer.host.queued.size()).isZero();
    }

    @Test
    @Pins({"S-050", "S-054"})
    void queuedMessageTakesTheSlotOfOneItNowOutranks() {
        GrantBench bench = new GrantBench(config);
        Rpc former = bench.add("former", 1, 20_000);
        Rpc a = bench.add("a", 2, 30_000, 25_000);
        bench.receive(a, 5000);
        assertThat(bench.active()).isEqualTo("former");
        bench.receive(a, 10_000);
        assertThat(bench.active()).isEqualTo("a");
        assertThat(former.peer.host.queued.first()).isSameAs(former);
    }

    @Test
    @Pins("S-051")
    void messageThatBecomesFirstOfItsPeerMovesThePeer() {
        GrantBench bench = full();
        bench.add("a", 1, 25_000);
        Rpc a2 = bench.add("a2", 1, 60_000, 50_000);
        bench.add("b", 2, 20_000);
        bench.receive(a2, 45_000);
        assertThat(bench.drain()).isEqualTo("top a2 b a");
    }
}
