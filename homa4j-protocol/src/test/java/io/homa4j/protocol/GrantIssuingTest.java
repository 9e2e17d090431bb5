package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How many bytes an active message is granted, and who waits for headroom (spec scheduling 4, 5, 8, 9, 12). */
class GrantIssuingTest {
    private final Config config = GrantBench.config();

    @BeforeEach
    void window() {
        config.window = 1200;
    }

    // ---- accounting

    @Test
    @Pins("S-052")
    void contributionIsWhatIsGrantedAndHasNotCome() {
        config.window = 500;
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.add("a", 1, 20_000, 500);
        assertThat(a.in.expectedBytes).isEqualTo(500);
        assertThat(bench.granter.totalIncoming()).isEqualTo(500);
        config.window = 2000;
        bench.add("b", 2, 20_000);
        bench.granter.check(a);
        assertThat(a.in.expectedBytes).isEqualTo(2000);
        assertThat(bench.granter.totalIncoming()).isEqualTo(2000 + 2000);
        bench.receive(a, 700);
        assertThat(bench.grants()).endsWith("a 2700 p1");
        assertThat(a.in.expectedBytes).isEqualTo(2000);
    }

    @Test
    @Pins("S-052")
    void dataBeyondTheGrantContributesNothing() {
        config.window = 1;
        GrantBench bench = new GrantBench(config);
        bench.granter.maxIncoming(0, Integer.MAX_VALUE);
        Rpc a = bench.add("a", 1, 20_000, 500);
        bench.receive(a, 700);
        assertThat(a.in.granted).isEqualTo(500);
        assertThat(a.in.expectedBytes).isZero();
        assertThat(bench.granter.totalIncoming()).isZero();
    }

    @Test
    @Pins("S-053")
    void messageThatNeedsNoGrantsContributesNothing() {
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.add("a", 1, 20_000, 20_000);
        bench.receive(a, 1000);
        assertThat(a.in.expectedBytes).isZero();
        assertThat(bench.granter.totalIncoming()).isZero();
    }

    // ---- issuing

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Pins({"S-055", "S-056", "S-072", "S-075"})
    void firstCheckManagesTheMessageAndGrantsUpToTheWindow(boolean profileModule) {
        config.moduleProfile = profileModule;
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.begin("a", 1, 20_000, 300);
        bench.receive(a, 100);
        assertThat(a.in.slot).isZero();
        assertThat(bench.grants()).isEqualTo("a 1300 p0");
        assertThat(a.in.expectedBytes).isEqualTo(1200);
        assertThat(bench.granter.totalIncoming()).isEqualTo(1200);
    }

    @Test
    @Pins({"S-057", "S-073"})
    void messageThatNeedsNoGrantsGetsNoneNorDoOthersThroughIt() {
        GrantBench bench = new GrantBench(config);
        bench.granter.maxIncoming(0, Integer.MAX_VALUE);
        bench.add("needy", 1, 20_000);
        Rpc whole = bench.begin("whole", 2, 2000, 2000);
        bench.granter.maxIncoming(10_000, Integer.MAX_VALUE);
        bench.receive(whole, 500);
        assertThat(bench.grants()).isEmpty();
        assertThat(bench.count(Counters.NEEDY_GRANTS)).isZero();
    }

    @Test
    @Pins({"S-058", "S-077"})
    void nothingIsGrantedWhileAWholeWindowIsOut() {
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.begin("a", 1, 20_000, 5000);
        bench.receive(a, 1000);
        assertThat(a.in.expectedBytes).isEqualTo(4000);
        bench.receive(a, 2800);
        assertThat(bench.grants()).isEmpty();
        assertThat(a.in.granted).isEqualTo(5000);
        assertThat(a.in.expectedBytes).isEqualTo(1200);
        assertThat(bench.granter.totalIncoming()).isEqualTo(1200);
        bench.receive(a, 1);
        assertThat(bench.grants()).isEqualTo("a 5001 p0");
    }

    @Test
    @Pins("S-059")
    void grantIsCutAtTheEndOfTheMessage() {
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.begin("a", 1, 1000, 300);
        bench.receive(a, 100);
        assertThat(bench.grants()).isEqualTo("a 1000 p0");
        assertThat(bench.granter.totalIncoming()).isEqualTo(900);
    }

    /** Spec scheduling 8: only the module repeats GRANT(length) while the message is incomplete. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void completeGrantIsRepeatedOnlyByTheModule(boolean profileModule) {
        config.moduleProfile = profileModule;
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.begin("a", 1, 1000, 300);
        bench.receive(a, 100);
        bench.grants();
        bench.receive(a, 100);
        assertThat(bench.grants()).isEqualTo(profileModule ? "a 1000 p0" : "");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Pins("S-060")
    void withoutHeadroomAMessageBecomesNeedy(boolean profileModule) {
        config.moduleProfile = profileModule;
        config.maxIncoming = 4000;
        GrantBench bench = new GrantBench(config);
        Rpc blocker = bench.add("blocker", 1, 9_000, 5000);
        bench.add("a", 2, 10_000);
        assertThat(bench.grants()).isEmpty();
        assertThat(bench.granter.totalIncoming()).isEqualTo(5000);
        // headroom comes with a packet of another message
        bench.receive(blocker, 3000);
        assertThat(bench.grants()).isEqualTo("a 1200 p0");
    }

    /** In the module a long message whose sender is busy elsewhere holds up the short ones of everybody. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void longerMessageDoesNotHoldTheHeadroomOfAShorterOneExceptInTheModule(boolean profileModule) {
        config.moduleProfile = profileModule;
        config.maxIncoming = 4000;
        GrantBench bench = new GrantBench(config);
        bench.add("long", 1, 20_000, 5000);
        bench.add("short", 2, 10_000);
        assertThat(bench.grants()).isEqualTo(profileModule ? "" : "short 1200 p1");
        // what the short one expects stands in the way of longer ones
        bench.add("between", 3, 15_000);
        assertThat(bench.grants()).isEqualTo(profileModule ? "" : "between 1200 p1");
        assertThat(bench.granter.totalIncoming()).isEqualTo(profileModule ? 5000 : 7400);
    }

    @Test
    void overtakenMessagesHaveTwiceTheHeadroomAtMost() {
        config.moduleProfile = false;
        config.maxIncoming = 4000;
        config.window = 3000;
        GrantBench bench = new GrantBench(config);
        bench.add("long", 1, 30_000, 5000);
        bench.add("first", 2, 20_000);
        bench.add("second", 3, 10_000);
        assertThat(bench.grants()).isEqualTo("first 3000 p1");
        assertThat(bench.granter.totalIncoming()).isEqualTo(8000);
        bench.receive(bench.message("long"), 2000);
        assertThat(bench.grants()).isEqualTo("second 2000 p2");
        assertThat(bench.granter.totalIncoming()).isEqualTo(8000);
    }

    @Test
    void overtakingStaysBelowHalfOfWhatTheSocketHolds() {
        config.moduleProfile = false;
        GrantBench bench = new GrantBench(config);
        bench.granter.maxIncoming(4000, 5700);
        bench.add("long", 1, 30_000, 5000);
        bench.add("short", 2, 20_000);
        assertThat(bench.grants()).isEqualTo("short 700 p1");
        assertThat(bench.granter.totalIncoming()).isEqualTo(5700);
    }

    @Test
    @Pins({"S-061", "S-062"})
    void rankDecidesAmongTheNeedyAndNotWhoHasJustReceivedSomething() {
        config.maxIncoming = 3000;
        GrantBench bench = new GrantBench(config);
        Rpc late = bench.add("late", 1, 30_000, 3000);
        bench.add("first", 2, 10_000);
        bench.add("second", 3, 20_000);
        assertThat(bench.grants()).isEmpty();
        // 2400 bytes of headroom, none of them for the message that made it
        bench.receive(late, 2400);
        assertThat(bench.grants()).isEqualTo("first 1200 p2, second 1200 p1");
        assertThat(bench.count(Counters.NEEDY_GRANTS)).isEqualTo(2);
        // it was queued up as needy itself
        bench.complete(bench.message("first"));
        assertThat(bench.grants()).isEqualTo("late 3600 p0");
    }

    @Test
    @Pins("S-063")
    void grantIsCutToTheHeadroomAndTheMessageStaysNeedy() {
        config.maxIncoming = 5500;
        GrantBench bench = new GrantBench(config);
        Rpc blocker = bench.add("blocker", 1, 20_000, 5000);
        Rpc a = bench.add("a", 2, 10_000);
        assertThat(bench.grants()).isEqualTo("a 500 p1");
        assertThat(bench.granter.totalIncoming()).isEqualTo(5500);
        bench.receive(blocker, 100);
        assertThat(bench.grants()).isEqualTo("a 600 p1");
        assertThat(a.in.expectedBytes).isEqualTo(600);
    }

    @Test
    @Pins("S-064")
    void shortestOfThreeIsGrantedAtLevelTwo() {
        GrantBench bench = new GrantBench(config);
        bench.add("a", 1, 30_000);
        bench.add("b", 2, 20_000);
        bench.add("c", 3, 10_000);
        assertThat(bench.grants()).isEqualTo("a 1200 p0, b 1200 p1, c 1200 p2");
    }

    @Test
    @Pins("S-065")
    void birthDecidesTheLevelOfEquallyLongMessages() {
        GrantBench bench = new GrantBench(config);
        Rpc oldest = bench.begin("oldest", 1, 20_000, 0);
        Rpc second = bench.begin("second", 2, 20_000, 0);
        Rpc third = bench.begin("third", 3, 20_000, 0);
        Rpc youngest = bench.begin("youngest", 4, 20_000, 0);
        for (Rpc rpc : new Rpc[] {youngest, third, oldest}) {
            bench.granter.check(rpc);
        }
        bench.grants();
        bench.granter.check(second);
        assertThat(bench.grants()).isEqualTo("second 1200 p2");
    }

    // ---- needy messages

    @Test
    @Pins("S-067")
    void needyMessageIsServedWithTheNextHeadroom() {
        config.maxIncoming = 4000;
        GrantBench bench = new GrantBench(config);
        Rpc blocker = bench.add("blocker", 1, 20_000, 5000);
        bench.add("a", 2, 10_000);
        bench.receive(blocker, 3000);
        assertThat(bench.grants()).isEqualTo("a 1200 p1");
        assertThat(bench.count(Counters.NEEDY_GRANTS)).isEqualTo(1);
        // its mark is gone: headroom alone draws no second grant
        bench.receive(blocker, 100);
        assertThat(bench.grants()).isEmpty();
        assertThat(bench.count(Counters.NEEDY_GRANTS)).isEqualTo(1);
    }

    @Test
    @Pins("S-068")
    void needyMessageWaitsWhileThereIsNoHeadroom() {
        config.maxIncoming = 4000;
        GrantBench bench = new GrantBench(config);
        Rpc blocker = bench.add("blocker", 1, 20_000, 5000);
        bench.add("a", 2, 10_000);
        bench.receive(blocker, 1000);
        assertThat(bench.granter.totalIncoming()).isEqualTo(4000);
        assertThat(bench.grants()).isEmpty();
        assertThat(bench.count(Counters.NEEDY_GRANTS)).isZero();
        bench.receive(blocker, 1);
        assertThat(bench.grants()).isEqualTo("a 1 p1");
    }

    @Test
    @Pins("S-069")
    void headroomAloneGrantsNothing() {
        config.maxIncoming = 10_000;
        GrantBench bench = new GrantBench(config);
        bench.add("a", 1, 20_000, 5000);
        Rpc b = bench.add("b", 2, 20_000, 5000);
        bench.receive(b, 1000);
        assertThat(bench.grants()).isEmpty();
        assertThat(bench.count(Counters.NEEDY_GRANTS)).isZero();
    }

    @Test
    @Pins("S-070")
    void needyMessagesAreServedInTheOrderOfTheirRanks() {
        GrantBench bench = new GrantBench(config);
        bench.granter.maxIncoming(0, Integer.MAX_VALUE);
        Rpc c = bench.add("c", 1, 30_000);
        bench.add("a", 2, 10_000);
        bench.add("b", 3, 20_000);
        assertThat(bench.grants()).isEmpty();
        bench.granter.maxIncoming(3000, Integer.MAX_VALUE);
        bench.granter.check(c);
        assertThat(bench.grants()).isEqualTo("a 1200 p2, b 1200 p1, c 600 p0");
        assertThat(bench.count(Counters.NEEDY_GRANTS)).isEqualTo(3);
        bench.granter.maxIncoming(10_000, Integer.MAX_VALUE);
        bench.granter.check(bench.message("a"));
        assertThat(bench.grants()).isEqualTo("c 1200 p0");
        assertThat(bench.count(Counters.NEEDY_GRANTS)).isEqualTo(4);
    }

    // ---- when

    @Test
    @Pins("S-074")
    void completeMessageLeavesForGoodAndTheNextIsGrantedAtOnce() {
        config.maxOvercommit = 1;
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.add("a", 1, 10_000);
        bench.add("b", 2, 20_000);
        bench.grants();
        bench.complete(a);
        assertThat(a.in.isGrantable).isFalse();
        assertThat(a.in.isManaged).isFalse();
        assertThat(bench.granter.managed()).isEqualTo(1);
        assertThat(bench.active()).isEqualTo("b");
        assertThat(bench.grants()).isEqualTo("b 1200 p0");
        bench.granter.check(a);
        assertThat(bench.active()).isEqualTo("b");
    }

    @Test
    @Pins("S-076")
    void messageWithoutReceiveSpaceIsNotManaged() {
        GrantBench bench = new GrantBench(config);
        Rpc a = bench.begin("a", 1, 20_000, 500);
        a.in.regionAt = InboundMessage.NO_SPACE;
        bench.granter.check(a);
        assertThat(a.in.isManaged).isFalse();
        assertThat(bench.granter.totalIncoming()).isZero();
        assertThat(bench.grants()).isEmpty();
        a.in.regionAt = 0;
        bench.granter.check(a);
        assertThat(bench.grants()).isEqualTo("a 1200 p0");
    }

    @Test
    @Pins("S-078")
    void queuedMessageGetsNoGrant() {
        config.maxOvercommit = 1;
        GrantBench bench = new GrantBench(config);
        bench.add("a", 1, 10_000);
        Rpc b = bench.add("b", 2, 20_000, 500);
        bench.grants();
        bench.receive(b, 500);
        assertThat(b.in.expectedBytes).isZero();
        assertThat(bench.grants()).isEmpty();
    }

    @Test
    @Pins("S-079")
    void needyMessageIsServedBeforeTheOneThatMadeHeadroom() {
        config.maxIncoming = 2000;
        GrantBench bench = new GrantBench(config);
        Rpc b = bench.add("b", 1, 20_000, 2000);
        bench.add("a", 2, 10_000);
        assertThat(bench.grants()).isEmpty();
        bench.receive(b, 1500);
        assertThat(bench.grants()).isEqualTo("a 1200 p1, b 2300 p0");
        // 300 of the 1200 b could have: it is needy
        bench.complete(bench.message("a"));
        assertThat(bench.grants()).isEqualTo("b 2700 p0");
    }

    /** Design: what an RPC held when it ended is granted to others at once; the module waits for a packet. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void endOfAMessageServesTheNeedyAtOnceExceptInTheModule(boolean profileModule) {
        config.moduleProfile = profileModule;
        config.maxIncoming = 4000;
        GrantBench bench = new GrantBench(config);
        Rpc blocker = bench.add("blocker", 1, 9_000, 5000);
        bench.add("a", 2, 10_000);
        bench.granter.forget(blocker);
        assertThat(bench.grants()).isEqualTo(profileModule ? "" : "a 1200 p0");
    }

    @Test
    void headroomMadeByAReconfigurationIsGrantedWithoutAnotherPacketOutsideProfileModule() {
        Config own = Rig.ownConfig();
        own.maxIncoming = 10_000;
        own.window = 20_000;
        own.grantFifoFraction = 0;
        Rig rig = new Rig(own);
        rig.caller.data(6, 100_000).bytes(1400).incoming(10_000).go();
        assertThat(Node.words(rig.node.send())).doesNotContain("GRANT");
        own.maxIncoming = 50_000;
        rig.node.engine.reconfigure(own, rig.node.nowNs);
        assertThat(rig.node.sends()).startsWith("GRANT 21400");
    }

    /** The module looks at who waits for headroom when packets come; its audit finds nothing wrong with that. */
    @Test
    void headroomLeftByAnEndedMessageIsGrantedAtOnceOutsideProfileModule() {
        for (Config config : List.of(Rig.config(), Rig.ownConfig())) {
            config.maxIncoming = 10_000;
            config.window = 20_000;
            config.grantFifoFraction = 0;
            Rig rig = new Rig(config);
            long ended = rig.requestSent(100);
            long waiting = rig.requestSent(100);
            rig.peer.data(ended ^ 1, 100_000).bytes(1400).incoming(10_000).go();
            rig.peer.data(waiting ^ 1, 100_000).bytes(1400).incoming(5_000).go();
            rig.node.send();

            rig.node.engine.forget(ended, rig.node.nowNs);

            assertThat(rig.node.sends()).isEqualTo(config.moduleProfile ? "" : "GRANT 11400 p0");
            assertThat(rig.node.engine.audit()).isEmpty();
        }
    }

    /** Found by fuzzing: what has come beyond the grant stood for bytes to come, and held the headroom for ever. */
    @Test
    void bytesThatCameBeyondTheGrantAreGrantedWithoutHeadroom() {
        Config own = Rig.ownConfig();
        own.maxIncoming = 1_500;
        own.window = 20_000;
        own.grantFifoFraction = 0;
        Rig rig = new Rig(own);
        rig.caller.data(6, 20_000).bytes(500).incoming(500).go();
        assertThat(rig.node.sends()).isEqualTo("GRANT 2000 p0");
        rig.node.receive(List.of(
                rig.caller.data(6, 20_000).at(500).bytes(1_400).incoming(500).packet(),
                rig.caller.data(6, 20_000).at(1_900).bytes(1_400).incoming(500).packet()));

        assertThat(rig.node.sends()).isEqualTo("GRANT 4800 p0");
        assertThat(rig.node.engine.totalIncomingBytes()).isEqualTo(1_500);
        assertThat(rig.node.engine.audit()).isEmpty();
    }
}
