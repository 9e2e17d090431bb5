package io.homa4j.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventQueueTest {
    private record Expected(long timePs, long order, int what) {}

    @ParameterizedTest
    @ValueSource(ints = {1, 100, 10_000, 1_000_000})
    void givesEventsInOrderOfTimeAndThenOfScheduling(int perMicrosecond) {
        Prng prng = new Prng(perMicrosecond);
        EventQueue queue = new EventQueue(perMicrosecond);
        PriorityQueue<Expected> model =
                new PriorityQueue<>(Comparator.comparingLong(Expected::timePs).thenComparingLong(Expected::order));
        long order = 0;
        for (int round = 0; round < 200_000; round++) {
            if (model.isEmpty() || prng.nextInt(100) < 50) {
                // Many at the same time, many near, some far beyond the wheel.
                int range = new int[] {1, 20, 5_000, 3_000_000, 900_000_000}[prng.nextInt(5)];
                long time = queue.nowPs() + prng.nextInt(range);
                int actor = prng.nextInt(1 << 20);
                int code = prng.nextInt(8);
                queue.add(time, actor, code);
                model.add(new Expected(time, order++, actor * 8 + code));
            } else {
                Expected next = model.remove();
                assertThat(queue.poll(next.timePs())).as("before its time").isEqualTo(-1);
                assertThat(queue.poll(Long.MAX_VALUE)).isEqualTo(next.what());
                assertThat(queue.nowPs()).isEqualTo(next.timePs());
            }
        }
        List<Integer> rest = new ArrayList<>();
        List<Integer> expected = new ArrayList<>();
        while (!model.isEmpty()) {
            expected.add(model.remove().what());
            rest.add(queue.poll(Long.MAX_VALUE));
        }
        assertThat(rest).isEqualTo(expected);
        assertThat(queue.size()).isZero();
        assertThat(queue.taken()).isEqualTo(order);
    }
}
