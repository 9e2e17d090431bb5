package io.homa4j.cli;

import io.homa4j.sim.Workload;
import java.util.List;

/** What {@code homa bench} measures, each with Homa and with its rival in turn. */
enum BenchMeasurement {
    RTT("round trip, 100 B requests and responses, one at a time", 100, 100, 1),
    RATE("RPC rate, 100 B requests and responses, 100 outstanding", 100, 100, 100),
    THROUGHPUT("throughput to the server, 500 kB requests, 100 B responses, 10 outstanding", 500_000, 100, 10);

    /** The transports, in the order in which they are measured and shown. */
    static final List<String> TRANSPORTS = List.of("homa-udp", "tcp-nio");

    private static final long SECOND_NS = 1_000_000_000L;
    /** Load before each round, so that queues and peers have found their state. */
    private static final long RAMP_NS = SECOND_NS / 10;

    final String title;
    final int requestBytes;
    final int responseBytes;
    final int outstanding;

    BenchMeasurement(String title, int requestBytes, int responseBytes, int outstanding) {
        this.title = title;
        this.requestBytes = requestBytes;
        this.responseBytes = responseBytes;
        this.outstanding = outstanding;
    }

    /** One round. */
    LoadPlan plan(double seconds, long pollNs) {
        return new LoadPlan(
                Workload.fixed(requestBytes),
                responseBytes,
                0,
                false,
                0,
                outstanding,
                RAMP_NS,
                (long) (seconds * SECOND_NS),
                pollNs,
                5 * SECOND_NS,
                1);
    }
}
