package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The small structures behind the threads: queue, heap, send memory, poll window. */
class PartsTest {
    @Test
    void theQueueIsBoundedAndFirstInFirstOut() {
        BoundedQueue<Integer> queue = new BoundedQueue<>(5);
        for (int round = 0; round < 100; round++) {
            assertThat(queue.isEmpty()).isTrue();
            assertThat(queue.poll()).isNull();
            for (int i = 0; i < 8; i++) {
                assertThat(queue.offer(round * 8 + i))
                        .as("capacity is the next power of two")
                        .isTrue();
            }
            assertThat(queue.offer(-1)).isFalse();
            assertThat(queue.isEmpty()).isFalse();
            for (int i = 0; i < 8; i++) {
                assertThat(queue.poll()).isEqualTo(round * 8 + i);
            }
        }
    }

    @Test
    void theQueueLosesAndRepeatsNothingBetweenManyThreads() throws Exception {
        BoundedQueue<Long> queue = new BoundedQueue<>(64);
        int producers = 3;
        int each = 20_000;
        CountDownLatch finished = new CountDownLatch(producers + 2);
        AtomicLong taken = new AtomicLong();
        ConcurrentHashMap<Long, Long> lastOfProducer = new ConcurrentHashMap<>();
        AtomicLong sum = new AtomicLong();
        for (long producer = 0; producer < producers; producer++) {
            long base = producer * each;
            Thread.ofPlatform().start(() -> {
                for (long i = 0; i < each; i++) {
                    while (!queue.offer(base + i)) {
                        Thread.onSpinWait();
                    }
                }
                finished.countDown();
            });
        }
        for (int consumer = 0; consumer < 2; consumer++) {
            Thread.ofPlatform().start(() -> {
                long[] last = {-1, -1, -1};
                while (taken.get() < (long) producers * each) {
                    Long item = queue.poll();
                    if (item != null) {
                        int producer = (int) (item / each);
                        if (item <= last[producer]) {
                            lastOfProducer.put(item, last[producer]);
                        }
                        last[producer] = item;
                        sum.addAndGet(item);
                        taken.incrementAndGet();
                    }
                }
                finished.countDown();
            });
        }
        Loopback.await(finished);
        long all = (long) producers * each;
        assertThat(lastOfProducer)
                .as("each consumer sees a producer's items in order")
                .isEmpty();
        assertThat(taken.get()).isEqualTo(all);
        assertThat(sum.get()).isEqualTo(all * (all - 1) / 2);
    }

    private static final class Timed extends Op {
        Timed(long deadlineNs) {
            this.deadlineNs = deadlineNs;
        }

        @Override
        void run(EngineLoop loop, long nowNs) {}

        @Override
        void refuse(EngineLoop loop) {}

        @Override
        void onDeadline(EngineLoop loop, long nowNs) {}

        @Override
        void onCancel(EngineLoop loop, long nowNs) {}
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MAX_VALUE - 500_000, -1_000_000})
    void theHeapGivesDeadlinesInOrderAlsoAcrossTheWrapOfTime(long originNs) {
        Random random = new Random(originNs);
        DeadlineHeap heap = new DeadlineHeap();
        PriorityQueue<Timed> model = new PriorityQueue<>(Comparator.comparingLong(op -> op.deadlineNs - originNs));
        List<Timed> all = new ArrayList<>();
        for (int step = 0; step < 20_000; step++) {
            if (random.nextInt(5) < 3) {
                Timed op = new Timed(originNs + random.nextInt(1_000_000));
                heap.add(op);
                model.add(op);
                all.add(op);
            } else if (!all.isEmpty()) {
                Timed op = all.remove(random.nextInt(all.size()));
                heap.remove(op);
                model.remove(op);
                assertThat(op.heapIndex).isEqualTo(-1);
            }
            Op first = heap.first();
            Timed expected = model.peek();
            if (expected == null) {
                assertThat(first).isNull();
            } else {
                assertThat(first).isNotNull();
                assertThat(first.deadlineNs).as("seed %d", originNs).isEqualTo(expected.deadlineNs);
            }
        }
        Timed never = new Timed(Op.NO_DEADLINE);
        heap.add(never);
        assertThat(never.heapIndex).as("no deadline, no place").isEqualTo(-1);
    }

    @Test
    void theReserveOfSendMemoryIsForResponsesAndTakesEveryLength() {
        SendMemory memory = new SendMemory(1 << 20);
        List<SendBuffer> usual = new ArrayList<>();
        for (SendBuffer buffer = memory.take(256); buffer != null; buffer = memory.take(256)) {
            usual.add(buffer);
        }
        assertThat(memory.usedBytes()).isEqualTo(memory.limitBytes());
        List<SendBuffer> reserve = new ArrayList<>();
        for (SendBuffer b = memory.takeForResponse(1_000_000); b != null; b = memory.takeForResponse(1)) {
            reserve.add(b);
        }
        assertThat(reserve).hasSize((int) (memory.reserveBytes() >> 20)).allMatch(b -> b.segment.byteSize() == 1 << 20);
        assertThat(memory.usedBytes()).isEqualTo(memory.limitBytes() + memory.reserveBytes());
        reserve.forEach(memory::give);
        assertThat(memory.take(1)).as("requests get none of it").isNull();
        assertThat(memory.takeForResponse(1)).isSameAs(reserve.getLast());
        usual.forEach(memory::give);
        assertThat(usual).as("the usual memory first").contains(memory.takeForResponse(1));
    }

    /** Short messages that once filled all of it keep no longer message out for good. */
    @Test
    void sendMemoryCutSmallIsJoinedWhenLongMessagesNeedIt() {
        SendMemory memory = new SendMemory(2 << 20);
        List<SendBuffer> small = new ArrayList<>();
        for (SendBuffer buffer = memory.take(256); buffer != null; buffer = memory.take(256)) {
            small.add(buffer);
        }
        assertThat(small).hasSize(2 << 12);
        SendBuffer kept = small.getLast();
        small.removeLast();
        assertThat(memory.take(1_000_000)).isNull();
        small.forEach(memory::give);

        SendBuffer large = memory.take(1_000_000);

        assertThat(large).isNotNull();
        large.segment.fill((byte) 1);
        kept.segment.fill((byte) 2);
        assertThat(memory.usedBytes()).isEqualTo((1 << 20) + 256);
        assertThat(memory.take(1_000_000)).as("one small piece is in use").isNull();
        memory.give(kept);
        SendBuffer second = memory.take(1_000_000);
        assertThat(second).isNotNull();
        memory.give(large);
        memory.give(second);
        assertThat(memory.usedBytes()).isZero();
        // And back again.
        for (int i = 0; i < 2 << 12; i++) {
            SendBuffer buffer = memory.take(256);
            assertThat(buffer).isNotNull();
            small.add(buffer);
        }
        memory.close();
    }

    @Test
    void sendMemoryIsCutOnceReusedAndBounded() {
        SendMemory memory = new SendMemory(1 << 20);
        SendBuffer small = memory.take(1);
        assertThat(small).isNotNull();
        assertThat(small.segment.byteSize()).isEqualTo(256);
        assertThat(memory.usedBytes()).isEqualTo(256);
        memory.give(small);
        assertThat(memory.take(256)).isSameAs(small);
        memory.give(small);
        SendBuffer next = memory.take(257);
        assertThat(next).isNotNull();
        assertThat(next.segment.byteSize()).isEqualTo(512);
        assertThat(memory.take(1_000_000)).as("what was cut for others is gone").isNull();
        List<SendBuffer> all = new ArrayList<>();
        for (SendBuffer buffer = memory.take(100_000); buffer != null; buffer = memory.take(100_000)) {
            all.add(buffer);
        }
        assertThat(all).hasSize(7);
        assertThat(memory.usedBytes()).isLessThanOrEqualTo(memory.limitBytes());
        SendBuffer last = all.removeLast();
        memory.give(last);
        for (SendBuffer buffer = memory.take(200); buffer != null; buffer = memory.take(200)) {
            all.add(buffer);
        }
        assertThat(all).as("what nobody uses is cut anew").doesNotContain(last);
        assertThat(memory.usedBytes()).isGreaterThan(memory.limitBytes() - (64 << 10));
        memory.close();
    }

    @Test
    void smallMessagesBorrowLargePiecesWhenNothingElseIsLeft() {
        SendMemory memory = new SendMemory(1 << 20);
        List<SendBuffer> all = new ArrayList<>();
        for (SendBuffer buffer = memory.take(20_000); buffer != null; buffer = memory.take(20_000)) {
            all.add(buffer);
        }
        assertThat(all).hasSize(32);
        memory.give(all.getLast());
        assertThat(memory.take(200)).as("its neighbour is in use").isSameAs(all.getLast());
        assertThat(memory.take(200)).isNull();
        memory.close();
    }

    @Test
    @Pins("S-288")
    void pollingStopsPayingAndPaysAgain() {
        PollWindow window = new PollWindow(50_000);
        assertThat(window.isOpen(49_999)).isTrue();
        assertThat(window.isOpen(50_000)).isFalse();
        for (int i = 0; i < 10; i++) {
            window.slept(50_000, 5_000_000);
        }
        assertThat(window.isOpen(0)).as("long sleeps close it").isFalse();
        window.slept(0, 40_000);
        assertThat(window.isOpen(49_999))
                .as("one that polling would have saved opens it")
                .isTrue();
    }
}
