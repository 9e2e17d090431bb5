package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Four hosts at 100 Mbit/s that send each other requests and responses of very different sizes, three quarters of what their links
 * carry. Nobody tells them the rate of the links or the round trip (design 6, link rate, round trip, pacing).
 */
class RackTest {
    private static final long MS = 1_000_000;
    private static final int HOSTS = 4;
    private static final int MBPS = 100;
    private static final double LOAD = 0.75;
    private static final int SHORT_BYTES = 1_000;
    private static final int LONG_BYTES = 500_000;

    private final ShapedNetwork network = new ShapedNetwork(7);
    private final List<ShapedNetwork.Host> hosts = new ArrayList<>();
    private final List<Long> shortNs = new ArrayList<>();
    private final List<Long> middleNs = new ArrayList<>();
    private final List<Long> longNs = new ArrayList<>();

    /** 70 % of 100 to 1000 bytes, 25 % of 10,000, 5 % of 500,000. */
    private static int[] mix() {
        int[] sizes = new int[100];
        for (int i = 0; i < 100; i++) {
            sizes[i] = i < 70 ? 100 * (i / 7 + 1) : i < 95 ? 10_000 : LONG_BYTES;
        }
        return sizes;
    }

    private void load() {
        for (int i = 0; i < HOSTS; i++) {
            hosts.add(network.host(MBPS));
        }
        double meanWireBytes = 0;
        for (int size : mix()) {
            meanWireBytes += (size + Math.ceilDiv(size, 1_416) * 126) / 100.0;
        }
        double meanIntervalNs = 2 * meanWireBytes * 8_000 / MBPS / LOAD;
        for (ShapedNetwork.Host host : hosts) {
            host.downlinkBytes = 128 << 10;
            host.answered = (bytes, ns) -> {
                if (bytes <= SHORT_BYTES) {
                    shortNs.add(ns);
                } else {
                    (bytes == LONG_BYTES ? longNs : middleNs).add(ns);
                }
            };
            ShapedNetwork.Host[] others =
                    hosts.stream().filter(other -> other != host).toArray(ShapedNetwork.Host[]::new);
            host.mixedLoad(mix(), meanIntervalNs, others);
        }
    }

    private long sum(int counter) {
        return hosts.stream()
                .mapToLong(host -> host.engine.counters().value(counter))
                .sum();
    }

    private static long percentile(List<Long> of, int percent) {
        return LongStream.concat(of.stream().mapToLong(Long::longValue), LongStream.empty())
                .sorted()
                .toArray()[of.size() * percent / 100];
    }

    @ParameterizedTest
    @ValueSource(ints = {20_000, 200_000, 2_000_000})
    void shortMessagesDoNotWaitBehindLongOnesHoweverLateThreadsWake(int latenessNs) {
        network.latenessNs = latenessNs;
        load();
        network.run(3_000 * MS);
        shortNs.clear();
        middleNs.clear();
        longNs.clear();
        network.run(5_000 * MS);
        for (ShapedNetwork.Host host : hosts) {
            assertThat(host.engine.linkMbps()).isCloseTo(MBPS, within(0.03 * MBPS));
            assertThat(host.failed).isZero();
        }
        // A 500 kB message takes 43 ms on each link, twice there and twice back.
        assertThat(percentile(shortNs, 50)).isLessThan(MS + 2L * latenessNs);
        assertThat(percentile(shortNs, 99)).isLessThan(6 * MS + latenessNs);
        // Of 10 kB: 0.9 ms on each link. No longer message whose sender is busy elsewhere keeps it from being granted.
        assertThat(percentile(middleNs, 99)).isLessThan(18 * MS + 2L * latenessNs);
        assertThat(percentile(longNs, 50)).isLessThan(700 * MS);
        // What waits in the network is not asked for again, and few packets are sent to say so.
        assertThat(sum(Counters.RESENT_PACKETS)).isLessThan(sum(Counters.PACKETS_SENT_DATA) / 100);
        assertThat(sum(Counters.PACKETS_SENT_GRANT)).isLessThan(sum(Counters.PACKETS_SENT_DATA) / 3);
        assertThat(sum(Counters.PACKETS_SENT_NEED_ACK)).isLessThan(sum(Counters.REQUESTS_RECEIVED));
    }
}
