package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.homa4j.cli.LoadTransport.Call;
import io.homa4j.sim.Workload;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoadGeneratorTest {
    private static final long MS = 1_000_000;

    @Test
    void keepsTheNumberOfOutstandingRequestsAndNoMore() {
        Scripted transport = new Scripted();
        LoadResult result = generate(plan(0, 7), transport);
        assertThat(transport.mostOutstanding).isEqualTo(7);
        assertThat(result.unfinished()).isZero();
        assertThat(result.completed).isEqualTo(result.started).isEqualTo(transport.started);
    }

    @Test
    void startsAtTheRateAskedForWhateverTheServerDoes() {
        LoadResult result = generate(plan(20_000, 1_000), new Scripted());
        // 6,000 on average, with a standard deviation of 77.
        assertThat((double) result.started).isCloseTo(6_000, within(400.0));
    }

    @Test
    void aStallIsSeenInTheRoundTripsOfAllRequestsThatWereDueMeanwhile() {
        Scripted transport = new Scripted();
        transport.stallAfter = 500;
        transport.stallNs = 100 * MS;
        LoadResult result = generate(plan(20_000, 1_000), transport);
        // A third of the time nothing was answered: the requests due then waited 50 ms on average.
        assertThat(result.rttUs(80)).isGreaterThan(20_000);
        assertThat(result.rttNs.getMaxValue()).isGreaterThan(95 * MS);
    }

    @Test
    void whatCouldNotBeStartedIsCountedToo() {
        Scripted transport = new Scripted();
        transport.swallowEvery = 1;
        LoadResult result = generate(plan(10_000, 10), transport);
        assertThat(result.started).isEqualTo(10);
        assertThat((double) result.unstarted).as("3,000 were due").isCloseTo(2_990, within(300.0));
    }

    /** As of a server that is gone: asked again and again without a pause, the failures would fill a core. */
    @Test
    void aClosedLoopPausesWhileEverythingFailsAtOnce() {
        Scripted transport = new Scripted();
        transport.failEvery = 1;
        LoadResult result = generate(plan(0, 5), transport);
        // In 300 ms: five at first, and after pauses of 16 ms and more, if anything, five again.
        assertThat(result.started).isBetween(5L, 60L);
        assertThat(generate(plan(0, 5), new Scripted()).completed)
                .as("without failures")
                .isGreaterThan(60);
    }

    @Test
    void failuresAreCountedByKindAndDoNotEndTheLoad() {
        Scripted transport = new Scripted();
        transport.failEvery = 10;
        LoadResult result = generate(plan(0, 5), transport);
        assertThat(result.isClean()).isFalse();
        assertThat(result.errors).containsOnlyKeys("timeout");
        assertThat(result.failed).isEqualTo(transport.failed).isPositive();
        assertThat(result.completed + result.failed).isEqualTo(result.started);
    }

    @Test
    void requestsWithoutOutcomeAreCountedAfterTheTimeForThem() {
        Scripted transport = new Scripted();
        transport.swallowEvery = 100;
        LoadResult result = generate(plan(0, 50), transport);
        assertThat(result.unfinished()).isEqualTo(50);
        assertThat(result.isClean()).isFalse();
    }

    @Test
    void abandonedLoadWaitsForNothing() {
        Scripted transport = new Scripted();
        transport.swallowEvery = 1;
        LoadPlan plan = new LoadPlan(
                Workload.fixed(100), 100, 0, true, 0, 5, 3_600_000 * MS, 3_600_000 * MS, MS, 3_600_000 * MS, 1);
        LoadGenerator generator = new LoadGenerator(plan, () -> false, (w, e, a, b, o, f) -> {});
        transport.onTurn = () -> {
            if (transport.started == 5) {
                generator.abandon();
            }
        };
        LoadResult result = generator.run(transport);
        assertThat(result.unfinished()).isEqualTo(5);
        assertThat(result.measuredNs).isZero();
    }

    @Test
    void wrongBytesAndWrongLengthsAreFound() {
        Scripted transport = new Scripted();
        transport.response = new byte[99];
        LoadResult result = generate(plan(0, 1), transport);
        assertThat(result.mismatches).isEqualTo(result.completed).isPositive();
        assertThat(result.wrongLengths).isEqualTo(result.completed);
    }

    @Test
    void theWarmUpIsNotMeasured() {
        LoadPlan plan =
                new LoadPlan(Workload.fixed(100), 100, 0, true, 10_000, 100, 200 * MS, 100 * MS, MS, 100 * MS, 1);
        List<Boolean> reports = new ArrayList<>();
        LoadResult result = new LoadGenerator(plan, () -> false, (isWarmUp, e, a, b, o, f) -> reports.add(isWarmUp))
                .run(new Scripted());
        assertThat((double) result.rpcs()).isCloseTo(1_000, within(200.0));
        assertThat(result.started).isGreaterThan(2_500);
        assertThat(reports).as("shorter than a second").isEmpty();
    }

    private static LoadPlan plan(double rate, int outstanding) {
        return new LoadPlan(Workload.fixed(100), 100, 0, true, rate, outstanding, 0, 300 * MS, MS, 50 * MS, 1);
    }

    private static LoadResult generate(LoadPlan plan, LoadTransport transport) {
        return new LoadGenerator(plan, () -> false, (w, e, a, b, o, f) -> {}).run(transport);
    }

    /** Answers in the next turn, unless told otherwise. */
    private static final class Scripted implements LoadTransport {
        private final ArrayDeque<Call> calls = new ArrayDeque<>();
        byte[] response = Pattern.request(100, 100, 0);
        long started;
        long failed;
        int mostOutstanding;
        long stallAfter = Long.MAX_VALUE;
        long stallNs;
        int failEvery = Integer.MAX_VALUE;
        int swallowEvery = Integer.MAX_VALUE;
        Runnable onTurn = () -> {};

        @Override
        public boolean start(byte[] request, Call call) {
            started++;
            if (started % swallowEvery != 0) {
                calls.add(call);
            }
            mostOutstanding = Math.max(mostOutstanding, calls.size());
            return true;
        }

        @Override
        public int turn(Outcomes outcomes) {
            onTurn.run();
            if (started >= stallAfter) {
                stallAfter = Long.MAX_VALUE;
                long endNs = System.nanoTime() + stallNs;
                while (System.nanoTime() - endNs < 0) {
                    Thread.onSpinWait();
                }
            }
            int count = calls.size();
            for (int i = 0; i < count; i++) {
                Call call = calls.removeFirst();
                if (started % failEvery == 0) {
                    failed++;
                    outcomes.failed(call, "timeout");
                } else {
                    outcomes.answered(call, MemorySegment.ofArray(response));
                }
            }
            return count;
        }

        @Override
        public long oversleepNs() {
            return 2 * MS;
        }

        @Override
        public int await(long waitNs, Outcomes outcomes) {
            return turn(outcomes);
        }

        @Override
        public void close() {}
    }
}
