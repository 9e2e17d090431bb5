package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import io.homa4j.wire.DataPacket;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Which message sends next, and how much at a time (spec scheduling 19 to 21). A full packet costs 1518 ns of the link,
 * so that the limit of 5000 ns lets four leave at once. Messages are called a, b, c in the order of their requests; an
 * order of sending is the string of their names, one letter per DATA packet.
 */
class SendOrderTest {
    private static final int PACKET_NS = 1400 + 56 + 20 + 42;
    /** From a burst until the next packet. */
    private static final int PAUSE_NS = 4 * PACKET_NS - 5000;

    private Config config = Rig.config();

    private void profile(boolean module) {
        config = module ? Rig.config() : Rig.ownConfig();
        pace();
    }

    @BeforeEach
    void pace() {
        config.linkMbps = 8000;
        config.maxLinkUsage = 100;
        config.unschedBytes = 60_000;
        config.pacerFifoFraction = 0;
    }

    private static char name(Sent packet) {
        return (char) ('a' + packet.id() / 2 - 1);
    }

    private static String order(List<Sent> sent) {
        return sent.stream()
                .filter(packet -> packet.packet() instanceof DataPacket data && data.retransmit() == 0)
                .map(packet -> String.valueOf(name(packet)))
                .collect(Collectors.joining());
    }

    private static long waitNs(Rig rig) {
        return rig.node.engine.nextDeadlineNs(rig.node.nowNs) - rig.node.nowNs;
    }

    private static boolean isWaiting(Rig rig) {
        return rig.infos(rig.client).stream().anyMatch(rpc -> rpc.sentBytes() < rpc.sendLength());
    }

    /** Everything that leaves, at the times the engine asks for, until no request has bytes left. */
    private static List<Sent> drain(Rig rig) {
        List<Sent> sent = new ArrayList<>(rig.node.send());
        for (int turns = 0; isWaiting(rig); turns++) {
            assertThat(turns).as("turns until all is sent").isLessThan(10_000);
            sent.addAll(rig.node.pass(Math.max(1, waitNs(rig))));
        }
        return sent;
    }

    private static Rig rig(Config config, int... requests) {
        Rig rig = new Rig(config);
        for (int length : requests) {
            rig.request(length);
        }
        return rig;
    }

    // ---- how much at a time

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Pins({"S-108", "S-110", "S-136", "S-149", "S-165", "S-186", "S-188", "S-189", "S-194"})
    void asMuchLeavesAsTheBacklogAllowsAndTheRestAtTheTimeTheEngineSays(boolean profileModule) {
        profile(profileModule);
        Rig rig = rig(config, 20_000);
        assertThat(rig.node.sends()).isEqualTo("DATA 1400@0, DATA 1400@1400, DATA 1400@2800, DATA 1400@4200");
        assertThat(rig.node.sends()).isEmpty();
        assertThat(waitNs(rig)).isEqualTo(PAUSE_NS);
        assertThat(rig.node.pass(PAUSE_NS - 1)).isEmpty();
        assertThat(Node.words(rig.node.pass(1))).isEqualTo("DATA 1400@5600");
        assertThat(waitNs(rig)).isEqualTo(PACKET_NS);
    }

    @Test
    @Pins({"S-107", "S-184"})
    void requestToAnIdleEngineAsksForATurnAtOnce() {
        Rig rig = new Rig(config);
        rig.node.ticks(100);
        assertThat(rig.node.engine.nextDeadlineNs(rig.node.nowNs)).isEqualTo(Long.MAX_VALUE);
        rig.request(2800);
        assertThat(waitNs(rig)).isLessThanOrEqualTo(0);
        assertThat(rig.node.sends()).isEqualTo("DATA 1400@0, DATA 1400@1400");
    }

    @Test
    @Pins({"S-111", "S-160", "S-161", "S-171", "S-190"})
    void withoutMessagesNothingLeavesAndNothingIsCharged() {
        Rig rig = new Rig(config);
        for (int i = 0; i < 10; i++) {
            assertThat(rig.node.send()).isEmpty();
        }
        rig.request(20_000);
        assertThat(order(rig.node.send())).isEqualTo("aaaa");
    }

    @Test
    @Pins("S-172")
    void onePacketIsSentAndCharged() {
        Rig rig = rig(config, 20_000);
        assertThat(Node.words(rig.node.send(1))).isEqualTo("DATA 1400@0");
        assertThat(order(rig.node.send())).isEqualTo("aaa");
        assertThat(waitNs(rig)).isEqualTo(PAUSE_NS);
    }

    @ParameterizedTest
    @CsvSource({"false, 500", "true, 500"})
    @Pins({"S-132", "S-182"})
    void shortMessagePassesWhateverTheBacklog(boolean profileModule, int length) {
        profile(profileModule);
        Rig rig = rig(config, 20_000);
        rig.node.send();
        rig.request(length);
        assertThat(order(rig.node.send())).isEqualTo("b");
        // only the legacy pacer, which the module's profile has, does not charge it
        assertThat(waitNs(rig)).isEqualTo(profileModule ? PAUSE_NS : PAUSE_NS + length + 56 + 20 + 42);
    }

    @Test
    @Pins("S-104")
    void retransmissionIsForcedByTheModuleAndCharged() {
        Rig rig = rig(config, 20_000);
        rig.node.send();
        rig.node.receive(rig.peer.resend(3, 0, 1400, 7));
        assertThat(rig.node.sends()).isEqualTo("AGAIN 1400@0");
        assertThat(waitNs(rig)).isEqualTo(PAUSE_NS + PACKET_NS);
    }

    @Test
    void retransmissionWaitsForTheLinkByDefault() {
        profile(false);
        Rig rig = rig(config, 20_000);
        rig.node.send();
        rig.node.receive(rig.peer.resend(3, 0, 1400, 7));
        assertThat(rig.node.sends()).isEmpty();
        assertThat(Node.words(rig.node.pass(PAUSE_NS))).isEqualTo("AGAIN 1400@0");
    }

    /** What peers ask for again cannot keep back what others wait for. */
    @Test
    void retransmissionsAndNewDataTakeTurnsByDefault() {
        profile(false);
        Rig rig = rig(config, 12_600);
        rig.node.send();
        rig.node.receive(rig.peer.resend(3, 0, -1, 7));
        assertThat(kinds(drain(rig))).isEqualTo("RDRDRDRDD");
    }

    /** The same without a limit of the link: half of each batch, and what was handed over is what counts. */
    @Test
    void retransmissionsHaveHalfOfABatchWhileDataWait() {
        profile(false);
        config.linkMbps = 0;
        Rig rig = rig(config, 56_000);
        rig.node.send(20);
        rig.node.receive(rig.peer.resend(3, 0, -1, 7));
        rig.node.maxBytes = 10 * 1456;
        assertThat(kinds(rig.node.sendOnly(5))).isEqualTo("RRRRRDDDDD");
        assertThat(kinds(rig.node.sendOnly(1))).isEqualTo("DDDDDDDDDD");
        assertThat(kinds(rig.node.sendOnly(4))).isEqualTo("DDDDDDDDDD");
        assertThat(kinds(rig.node.sendOnly(10))).isEqualTo("RRRRRDDDDD");
    }

    private static String kinds(List<Sent> sent) {
        return sent.stream()
                .map(packet -> packet.data().retransmit() == 0 ? "D" : "R")
                .collect(Collectors.joining());
    }

    @Test
    @Pins({"S-118", "S-148", "S-170"})
    void timeIsCountedWhileDataWaitForTheLink() {
        Rig rig = rig(config, 8400);
        rig.node.send();
        assertThat(rig.node.count("nic_backlog_cycles")).isZero();
        rig.node.pass(PAUSE_NS);
        assertThat(rig.node.count("nic_backlog_cycles")).isEqualTo(PAUSE_NS);
        assertThat(order(rig.node.pass(PACKET_NS))).isEqualTo("a");
        assertThat(rig.node.count("nic_backlog_cycles")).isEqualTo(PAUSE_NS + PACKET_NS);
        // nothing waits any more
        rig.node.pass(PACKET_NS);
        assertThat(rig.node.count("nic_backlog_cycles")).isEqualTo(PAUSE_NS + PACKET_NS);
    }

    // ---- whose turn it is

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Pins({"S-106", "S-114"})
    void shorterMessageIsSentCompletelyAndThenTheLongerOne(boolean profileModule) {
        profile(profileModule);
        Rig rig = rig(config, 10_000, 4200);
        // the pass goes on with the next message when one has nothing left
        assertThat(order(rig.node.send())).isEqualTo("bbba");
        List<Sent> rest = drain(rig);
        assertThat(order(rest)).isEqualTo("aaaaaaa");
        assertThat(rest.get(1).nowNs() - rest.get(0).nowNs()).isEqualTo(PACKET_NS);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Pins({"S-115", "S-145", "S-150", "S-176", "S-177", "S-178"})
    void fewestBytesLeftGoFirstAndEqualsInTheOrderOfTheirCreation(boolean profileModule) {
        profile(profileModule);
        Rig rig = rig(config, 7000, 7000, 9800, 4200, 8400, 7000);
        assertThat(order(drain(rig))).isEqualTo("ddd" + "aaaaa" + "bbbbb" + "fffff" + "eeeeee" + "ccccccc");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Pins({"S-151", "S-152"})
    void orderIsRightWhenEachNewcomerIsShorterOrLongerThanAll(boolean profileModule) {
        profile(profileModule);
        config.deferMinBytes = 0;
        int[] shorter = new int[20];
        int[] longer = new int[20];
        for (int i = 0; i < 20; i++) {
            shorter[i] = 400 - 10 * i;
            longer[i] = 200 + 10 * i;
        }
        assertThat(order(drain(rig(config, shorter)))).isEqualTo("tsrqponmlkjihgfedcba");
        assertThat(order(drain(rig(config, longer)))).isEqualTo("abcdefghijklmnopqrst");
    }

    @Test
    @Pins("S-115")
    void grantToAMessageThatWaitsDoesNotDoubleIt() {
        config.unschedBytes = 10_000;
        Rig rig = rig(config, 12_600);
        rig.node.send();
        rig.node.receive(rig.peer.grant(3, 11_200, 0), rig.peer.grant(3, 12_600, 0), rig.peer.grant(3, 12_600, 0));
        assertThat(drain(rig).stream().map(packet -> packet.data().offset()))
                .containsExactly(5600, 7000, 8400, 9800, 10_000, 11_400);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Pins("S-135")
    void longerNewcomerDoesNotOvertakeWhatWaits(boolean profileModule) {
        profile(profileModule);
        Rig rig = rig(config, 20_000);
        rig.node.send();
        // the limit is long since clear when it comes
        rig.node.nowNs += 1_000_000;
        rig.request(30_000);
        assertThat(order(rig.node.send())).isEqualTo("aaaa");
        rig.request(4200);
        assertThat(order(rig.node.pass(1_000_000))).isEqualTo("ccca");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Pins("S-134")
    void whatTheDriverDidNotTakeIsChosenAnew(boolean profileModule) {
        profile(profileModule);
        config.linkMbps = 0;
        Rig rig = rig(config, 20_000);
        assertThat(rig.node.sendOnly(3)).hasSize(15);
        rig.request(4200);
        assertThat(rig.node.sends())
                .startsWith("DATA 1400@0, DATA 1400@1400, DATA 1400@2800, DATA 1400@4200, DATA 1400@5600");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Pins({"S-147", "S-167"})
    void bytesSentAgainDoNotDemoteAMessage(boolean profileModule) {
        profile(profileModule);
        Rig rig = rig(config, 30_000);
        rig.node.send();
        rig.request(25_000);
        rig.node.receive(rig.peer.resend(3, 0, -1, 7));
        List<Sent> sent = drain(rig);
        assertThat(order(sent)).isEqualTo("a".repeat(18) + "b".repeat(18));
        assertThat(Node.words(sent)).contains("AGAIN 1400@0", "AGAIN 1400@4200");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Pins({"S-117", "S-174", "S-175"})
    void endOfAnRpcTakesItsMessageOutOfTheQueue(boolean profileModule) {
        profile(profileModule);
        config.pacerFifoFraction = 500;
        Rig rig = rig(config, 20_000, 30_000, 2800);
        assertThat(order(rig.node.send())).contains("c");
        assertThat(rig.node.engine.abort(2, Status.ABORTED, 1, rig.node.nowNs)).isZero();
        assertThat(rig.node.engine.forget(2, rig.node.nowNs)).isZero();
        // has nothing in the queue
        assertThat(rig.node.engine.forget(6, rig.node.nowNs)).isZero();
        assertThat(order(drain(rig))).matches("b+");
        assertThat(rig.info(4).sentBytes()).isEqualTo(30_000);
    }

    // ---- the share of the oldest message

    @Test
    @Pins("S-112")
    void legacyShareCountsSelections() {
        config.pacerFifoFraction = 150;
        Rig rig = rig(config, 60_000, 50_000);
        // 1000 850 .. 100 -50: a, 950; .. 200 50 -100: a, 900; .. 0: a, 1000
        assertThat(order(drain(rig))).startsWith("bbbbbba" + "bbbbbba" + "bbbbba" + "bbbbbba");
    }

    @Test
    @Pins({"S-159", "S-163", "S-169"})
    void oldestMessageHasItsShareOfTheBytes() {
        profile(false);
        config.pacerFifoFraction = 200;
        Rig rig = rig(config, 60_000, 58_800);
        // 30000 bytes are the others' first, then four packets for each of the oldest message
        assertThat(order(drain(rig))).isEqualTo("b".repeat(21) + "abbbb".repeat(5) + "ab" + "a".repeat(43 - 6));
        assertThat(rig.node.count("pacer_fifo_bytes")).isEqualTo(6 * 1456);
    }

    @Test
    @Pins("S-162")
    void shareIsCountedInBytesAndNotInPackets() {
        profile(false);
        config.pacerFifoFraction = 200;
        config.deferMinBytes = 0;
        int[] requests = new int[150];
        java.util.Arrays.fill(requests, 300 - 56);
        requests[0] = 60_000;
        Rig rig = rig(config, requests);
        String order =
                drain(rig).stream().map(packet -> packet.id() == 2 ? "a" : ".").collect(Collectors.joining());
        // 5824 bytes for each packet of the oldest: 20, 19 or 20 small ones
        assertThat(order).startsWith(".".repeat(100) + "a" + ".".repeat(20) + "a" + ".".repeat(19) + "a");
    }

    @Test
    @Pins("S-164")
    void withoutShareTheOldestWaits() {
        profile(false);
        Rig rig = rig(config, 60_000, 58_800);
        assertThat(order(drain(rig))).isEqualTo("b".repeat(42) + "a".repeat(43));
        assertThat(rig.node.count("pacer_fifo_bytes")).isZero();
    }

    @Test
    @Pins("S-166")
    void nextOldestTakesTheShareWhenTheOldestHasNothingLeft() {
        profile(false);
        config.pacerFifoFraction = 200;
        // a has one packet left for the share, then it is b's
        Rig rig = rig(config, 60_000, 60_000, 58_800);
        rig.node.engine.forget(2, rig.node.nowNs);
        assertThat(order(drain(rig))).startsWith("c".repeat(21) + "bccccbccccb");
    }

    @Test
    @Pins("S-168")
    void messageIsRankedByWhatItHasLeftAfterItsShare() {
        profile(false);
        config.pacerFifoFraction = 200;
        Rig rig = rig(config, 50_000, 33_600, 49_000);
        assertThat(order(drain(rig))).isEqualTo("b".repeat(21) + "a" + "bbb" + "a".repeat(36 - 1) + "c".repeat(35));
    }

    @ParameterizedTest
    @CsvSource({"500, abababab", "200, abbbbabbbbabbbb", "800, aabaaaabaaaabaaaab"})
    @Pins("S-200")
    void weightOfTheShareFollowsFromTheFraction(int fraction, String pattern) {
        profile(false);
        config.pacerFifoFraction = fraction;
        Rig rig = rig(config, 60_000, 58_800);
        assertThat(order(drain(rig))).startsWith("b".repeat(21) + pattern);
    }

    /** What the driver refuses was never chosen: the oldest message gains nothing from it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void packetsTheDriverDidNotTakeDoNotCountForTheShare(boolean profileModule) {
        profile(profileModule);
        config.linkMbps = 0;
        config.pacerFifoFraction = 200;
        Rig rig = rig(config, 60_000, 58_800);
        StringBuilder order = new StringBuilder();
        for (int i = 0; i < 36; i++) {
            order.append(name(rig.node.sendOnly(1).getFirst()));
        }
        assertThat(order.toString())
                .isEqualTo(profileModule ? "bbbba".repeat(7) + "b" : "b".repeat(21) + "abbbb".repeat(3));
    }

    // ---- the rate of the link

    @Test
    @Pins("S-199")
    void configuredRateCountsIfTheDeviceTellsNone() {
        Rig rig = rig(config, 20_000);
        rig.node.engine.link(0, 0);
        assertThat(order(rig.node.send())).isEqualTo("aaaa");
    }

    @Test
    @Pins("S-198")
    void rateOfTheDeviceCountsUnlessOneIsConfigured() {
        config.linkMbps = 0;
        Rig unknown = rig(config, 20_000);
        assertThat(order(unknown.node.send())).hasSize(15);

        Rig told = rig(config, 20_000);
        told.node.engine.link(8000, 0);
        assertThat(order(told.node.send())).isEqualTo("aaaa");

        config.linkMbps = 8000;
        Rig configured = rig(config, 20_000);
        configured.node.engine.link(80_000, 0);
        assertThat(order(configured.node.send())).isEqualTo("aaaa");

        config.maxLinkUsage = 90;
        Rig less = rig(config, 20_000);
        assertThat(order(less.node.send())).isEqualTo("aaa");
        assertThat(waitNs(less)).isEqualTo(3 * (PACKET_NS * 10 / 9) - 5000);
    }

    /** A change of any other parameter leaves the rate the driver has told. */
    @Test
    void rateOfTheDeviceSurvivesAReconfiguration() {
        config.linkMbps = 0;
        Rig rig = rig(config, 20_000);
        rig.node.engine.link(8000, 0);
        Config changed = config.copy();
        changed.resendTicks = 7;
        rig.node.engine.reconfigure(changed, rig.node.nowNs);
        assertThat(order(rig.node.send())).isEqualTo("aaaa");
        changed.linkMbps = 16_000;
        rig.node.engine.reconfigure(changed, rig.node.nowNs);
        assertThat(order(rig.node.pass(20_000))).hasSize(7);
    }

    @Test
    @Pins("S-201")
    void limitIsInMicroseconds() {
        config.maxNicEstBacklogUsecs = 6;
        Rig rig = rig(config, 20_000);
        assertThat(order(rig.node.send())).isEqualTo("aaaa");
        assertThat(waitNs(rig)).isEqualTo(4 * PACKET_NS - 6000);
    }

    @ParameterizedTest
    @CsvSource({"1000, 100", "4, 5", "-1, 5"})
    @Pins("S-203")
    void usageOfTheLinkIsClamped(int configured, int used) {
        config.maxNicEstBacklogUsecs = 0;
        config.maxLinkUsage = configured;
        Rig rig = rig(config, 20_000);
        assertThat(order(rig.node.send())).isEqualTo("a");
        assertThat(waitNs(rig)).isEqualTo(PACKET_NS * 100 / used);
    }
}
