package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** How many bytes of a message go unasked: as many as bridge a round trip, and no more than that where it is known well. */
class PathsTest {
    private static final int PACKET_BYTES = 1_400;

    private final Config config = Config.defaults();
    private final GrantBench bench;
    private final Paths paths;
    private final Host host = new Host();

    PathsTest() {
        config.linkMbps = 10_000;
        bench = new GrantBench(config);
        paths = new Paths(
                config, bench.turn, new Pacer(config, bench.turn), bench.granter, new ArrivalRate(bench.turn));
        host.lo = Address.mappedLo(0x0A000001);
        host.rttNs = 8_000;
    }

    private void turnsAreLateBy(long ns) {
        for (int i = 0; i < 10_000; i++) {
            bench.turn.lateness.add(ns);
        }
    }

    private int unscheduledBytes() {
        return paths.unscheduledBytes(host, PACKET_BYTES);
    }

    @Test
    void untilTurnsAreKnownToBePunctualARoundTripCountsForTheTimeOfThreadsThatSleep() {
        assertThat(unscheduledBytes()).isEqualTo(60_000);
        config.linkMbps = 1_000;
        paths.reconfigured();
        assertThat(unscheduledBytes()).isEqualTo(31_250);
    }

    @Test
    void punctualTurnsLeaveRateTimesRoundTrip() {
        turnsAreLateBy(0);
        assertThat(unscheduledBytes()).isEqualTo(10_000);
        host.rttNs = 100;
        assertThat(unscheduledBytes()).isEqualTo(PACKET_BYTES);
    }

    @Test
    void lateTurnsOfBothSidesAreBridged() {
        turnsAreLateBy(8_500);
        assertThat(unscheduledBytes()).isEqualTo(10_000 + 2 * 12_500);
        turnsAreLateBy(200_000);
        assertThat(unscheduledBytes()).isEqualTo(60_000);
    }

    @Test
    void longRoundTripsCountAsTheyAre() {
        config.linkMbps = 100;
        paths.reconfigured();
        host.rttNs = 1_000_000;
        assertThat(unscheduledBytes()).isEqualTo(12_500);
        turnsAreLateBy(0);
        assertThat(unscheduledBytes()).isEqualTo(12_500);
    }
}
