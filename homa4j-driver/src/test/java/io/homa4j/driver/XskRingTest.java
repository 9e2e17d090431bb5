package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Both ends of a ring over the same memory, as this process and the kernel have them. */
class XskRingTest {
    private static final int PRODUCER = 0;
    private static final int CONSUMER = 64;
    private static final int FLAGS = 128;
    private static final int ENTRIES = 192;
    private static final int SIZE = 8;

    private final MemorySegment memory = Arena.ofShared().allocate(ENTRIES + SIZE * 16, 64);
    private final XskRing producer = new XskRing(memory, PRODUCER, CONSUMER, FLAGS, ENTRIES, 16, SIZE);
    private final XskRing consumer = new XskRing(memory, CONSUMER, PRODUCER, FLAGS, ENTRIES, 16, SIZE);

    @Test
    void entriesAreSeenWhenTheyAreGivenAndTheirPlacesAreFreeWhenTheyAreTaken() {
        assertThat(producer.room(1)).isEqualTo(SIZE);
        assertThat(consumer.available()).isZero();
        for (int i = 0; i < SIZE; i++) {
            producer.descriptor(i, 2048L * i, 100 + i);
        }
        assertThat(consumer.available()).as("not given yet").isZero();
        producer.advance(SIZE);
        assertThat(producer.room(1)).isZero();
        assertThat(producer.pending()).isEqualTo(SIZE);
        assertThat(consumer.available()).isEqualTo(SIZE);
        for (int i = 0; i < 3; i++) {
            assertThat(consumer.address(i)).isEqualTo(2048L * i);
            assertThat(consumer.length(i)).isEqualTo(100 + i);
        }
        consumer.advance(3);
        assertThat(producer.room(1)).isEqualTo(3);
        assertThat(consumer.address(0)).isEqualTo(2048L * 3);
    }

    @Test
    void aKernelThatSleepsIsToBeWoken() {
        assertThat(producer.needsWakeup()).isFalse();
        memory.set(ValueLayout.JAVA_INT, FLAGS, 1);
        assertThat(producer.needsWakeup()).isTrue();
    }

    @Test
    void indicesCountOnThroughTheirWholeRange() {
        memory.set(ValueLayout.JAVA_INT, PRODUCER, 0);
        for (long total = 0; total < 3L * SIZE; total++) {
            producer.address(0, total);
            producer.advance(1);
            assertThat(consumer.available()).isEqualTo(1);
            assertThat(consumer.address(0)).isEqualTo(total);
            consumer.advance(1);
        }
        // From just below 2^31 and 2^32 on.
        for (int start : new int[] {Integer.MAX_VALUE - 2, -3}) {
            memory.set(ValueLayout.JAVA_INT, PRODUCER, start);
            memory.set(ValueLayout.JAVA_INT, CONSUMER, start);
            XskRing far = new XskRing(memory, PRODUCER, CONSUMER, FLAGS, ENTRIES, 16, SIZE);
            XskRing farConsumer = new XskRing(memory, CONSUMER, PRODUCER, FLAGS, ENTRIES, 16, SIZE);
            for (int i = 0; i < 8; i++) {
                assertThat(far.room(SIZE)).isEqualTo(SIZE);
                far.address(0, i);
                far.advance(1);
                assertThat(far.pending()).isEqualTo(1);
                assertThat(farConsumer.available()).isEqualTo(1);
                assertThat(farConsumer.address(0)).isEqualTo(i);
                farConsumer.advance(1);
            }
        }
    }

    /** The entry must be there when its index is: the payload is written last and read first. */
    @Test
    void whatAnotherThreadIsGivenIsWhole() throws Exception {
        int total = 200_000;
        AtomicReference<String> wrong = new AtomicReference<>("");
        Thread taker = Thread.ofPlatform().start(() -> {
            for (int next = 0; next < total; ) {
                int available = consumer.available();
                if (available == 0) {
                    Thread.onSpinWait();
                }
                for (int i = 0; i < available; i++, next++) {
                    if (consumer.address(i) != 7L * next || consumer.length(i) != next) {
                        wrong.compareAndSet("", "entry " + next + " holds " + consumer.address(i));
                    }
                }
                consumer.advance(available);
            }
        });
        for (int next = 0; next < total; ) {
            int room = Math.min(producer.room(1), total - next);
            if (room == 0) {
                Thread.onSpinWait();
            }
            for (int i = 0; i < room; i++, next++) {
                producer.descriptor(i, 7L * next, next);
            }
            producer.advance(room);
        }
        taker.join();
        assertThat(wrong.get()).isEmpty();
    }
}
