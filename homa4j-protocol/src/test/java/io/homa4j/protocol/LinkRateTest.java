package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rate of the uplink is found out from what a full driver takes (design 6, link rate). */
class LinkRateTest {
    private static final long MS = 1_000_000;
    private final ShapedNetwork network = new ShapedNetwork(7);

    private static double mbps(ShapedNetwork.Host host) {
        return host.engine.linkMbps();
    }

    @ParameterizedTest
    @ValueSource(ints = {100, 1_000, 10_000})
    void rateIsFoundUnderLoadAndKeepsTheQueueShort(int linkMbps) {
        ShapedNetwork.Host client = network.host(linkMbps);
        ShapedNetwork.Host[] servers = {network.host(linkMbps), network.host(linkMbps), network.host(linkMbps)};
        client.load(30, 300_000, servers);
        network.run(400 * MS);
        assertThat(mbps(client)).isCloseTo(linkMbps, within(linkMbps * 0.03));
        long before = client.sentBytes;
        client.longestQueueNs = 0;
        network.run(200 * MS);
        double sentMbps = (client.sentBytes - before) * 8_000.0 / (200 * MS);
        assertThat(sentMbps).isGreaterThan(0.94 * linkMbps);
        assertThat(client.longestQueueNs).isLessThan(8 * MS);
    }

    @Test
    void rateRisesWithTheLink() {
        ShapedNetwork.Host client = network.host(100);
        ShapedNetwork.Host[] servers = {network.host(10_000), network.host(10_000), network.host(10_000)};
        client.load(30, 300_000, servers);
        network.run(300 * MS);
        assertThat(mbps(client)).isCloseTo(100, within(3.0));
        client.uplinkMbps = 1_000;
        network.run(3_000 * MS);
        assertThat(mbps(client)).isCloseTo(1_000, within(40.0));
    }

    @Test
    void rateFallsWithTheLink() {
        ShapedNetwork.Host client = network.host(1_000);
        ShapedNetwork.Host[] servers = {network.host(10_000), network.host(10_000), network.host(10_000)};
        client.load(30, 300_000, servers);
        network.run(300 * MS);
        assertThat(mbps(client)).isCloseTo(1_000, within(30.0));
        client.uplinkMbps = 100;
        network.run(500 * MS);
        assertThat(mbps(client)).isCloseTo(100, within(3.0));
    }

    @Test
    void idleAndModestLoadsChangeNothing() {
        ShapedNetwork.Host client = network.host(1_000);
        ShapedNetwork.Host server = network.host(1_000);
        client.load(30, 300_000, server);
        network.run(300 * MS);
        double found = mbps(client);
        client.wanted = 0;
        network.run(2_000 * MS);
        assertThat(mbps(client)).isEqualTo(found);
        client.intervalNs = 10 * MS;
        client.load(30, 100_000, server);
        network.run(2_000 * MS);
        assertThat(client.failed).isZero();
        assertThat(mbps(client)).isEqualTo(found);
    }

    @Test
    void slowReceiverIsNotTakenForASlowLink() {
        ShapedNetwork.Host client = network.host(1_000);
        ShapedNetwork.Host fast = network.host(1_000);
        ShapedNetwork.Host slow = network.host(1_000);
        slow.downlinkMbps = 50;
        client.load(30, 300_000, fast);
        network.run(300 * MS);
        double found = mbps(client);
        assertThat(found).isCloseTo(1_000, within(30.0));
        client.load(10, 300_000, slow);
        network.run(1_000 * MS);
        assertThat(mbps(client)).isCloseTo(1_000, within(30.0));
    }

    @Test
    void nothingIsPacedThatWasNeverRefused() {
        ShapedNetwork.Host client = network.host(1_000);
        ShapedNetwork.Host slow = network.host(1_000);
        slow.downlinkMbps = 50;
        client.load(2, 300_000, slow);
        network.run(1_000 * MS);
        assertThat(client.completed).isPositive();
        assertThat(mbps(client)).isZero();
    }

    // ---- what a driver says while threads are late and queues change

    private final Turn turn = new Turn(Config.defaults(), 0);
    private final LinkRate rate = new LinkRate(turn);

    private void passes(long ns) {
        turn.now(turn.nowNs + ns);
    }

    /** It refuses until it has sent what it holds too much of, and takes control packets all the while. */
    @Test
    void aQueueThatWasMadeShorterIsNotTakenForASlowLink() {
        rate.queueBytes(400_000);
        rate.taken(400_000, 400_000, true);
        rate.queueBytes(64_000);
        for (int i = 0; i < 4_000; i++) {
            passes(MS / 10);
            rate.taken(103, 0, true);
        }
        assertThat(rate.mbps()).isZero();
    }

    @Test
    void whatIsTakenAfterALongTimeBelongsToThatTime() {
        rate.queueBytes(400_000);
        rate.taken(400_000, 400_000, true);
        for (int i = 0; i < 200 && rate.mbps() == 0; i++) {
            // The owner was kept from turning, so that it saw at once what had left in 20 ms.
            passes(20 * MS);
            rate.taken(1_542, 1_542, true);
            passes(MS / 10);
            rate.taken(250_000, 250_000, true);
        }
        assertThat(rate.mbps()).isCloseTo(100, within(2.0));
    }

    /** 100 Mbit/s, in brims 2 ms apart; the last answer to whether rate or gain has changed. */
    private void brims(int count) {
        for (int i = 0; i < count; i++) {
            passes(2 * MS);
            rate.taken(25_000, 25_000, true);
        }
    }

    private void findAndTest() {
        rate.queueBytes(64_000);
        rate.taken(64_000, 64_000, true);
        brims(11);
        assertThat(rate.mbps()).isCloseTo(100, within(1.0));
        assertThat(rate.gain()).isEqualTo(1);
        isHeldFor(1_100);
        assertThat(rate.gain()).isGreaterThan(1);
    }

    private void isHeldFor(int ms) {
        for (int i = 0; i < ms; i++) {
            passes(MS);
            rate.held(true);
        }
    }

    /** Short messages wait in a full queue meanwhile. */
    @Test
    void aTestThatConfirmsTheRateIsOverSoon() {
        findAndTest();
        brims(3);
        assertThat(rate.gain()).isGreaterThan(1);
        brims(1);
        assertThat(rate.gain()).isEqualTo(1);
        assertThat(rate.mbps()).isCloseTo(100, within(1.0));
    }

    @Test
    void aTestForWhichThereAreTooFewDataIsNotRepeatedAtOnce() {
        findAndTest();
        brims(2);
        passes(51 * MS);
        assertThat(rate.taken(1_500, 1_500, false)).isTrue();
        assertThat(rate.gain()).isEqualTo(1);
        isHeldFor(400);
        assertThat(rate.gain()).isEqualTo(1);
        isHeldFor(700);
        assertThat(rate.gain()).isGreaterThan(1);
    }

    @Test
    void aRateIsFoundFromShortBurstsThatAgree() {
        rate.queueBytes(64_000);
        for (int burst = 0; burst < 3; burst++) {
            assertThat(rate.mbps()).isZero();
            rate.taken(64_000, 64_000, true);
            brims(4);
            passes(60 * MS);
            rate.taken(1_500, 1_500, false);
        }
        assertThat(rate.mbps()).isCloseTo(100, within(1.0));
    }

    @Test
    void noRateIsFoundFromShortBurstsThatDoNotAgree() {
        rate.queueBytes(64_000);
        for (int burst = 0; burst < 12; burst++) {
            rate.taken(64_000, 64_000, true);
            brims(4);
            passes((burst % 3) * MS);
            rate.taken(1_500, 1_500, true);
            passes(60 * MS);
            rate.taken(1_500, 1_500, false);
        }
        assertThat(rate.mbps()).isZero();
    }

    /** A full queue of short messages holds less than one of long ones; in a long streak that does not count. */
    @Test
    void queuesThatAreFullOfDifferentPacketsAreNotTakenForAnotherRate() {
        rate.queueBytes(64_000);
        rate.taken(64_000, 64_000, true);
        boolean isShort = false;
        for (int i = 0; i < 200 && rate.mbps() == 0; i++) {
            passes(2 * MS);
            isShort = !isShort;
            rate.taken(25_000 + (isShort ? -12_000 : 12_000), 1_542, true);
        }
        assertThat(rate.mbps()).isCloseTo(100, within(6.0));
    }
}
