package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The gaps of all incoming messages together are bounded. */
class GapPoolTest {
    @Test
    void noMessageOpensAGapWhenAllTogetherHaveTooMany() {
        GapPool pool = new GapPool();
        InboundMessage message = new InboundMessage(pool);
        message.begin(10_000, 10_000, 0);
        int last = GapPool.NONE;
        while (!pool.isFull()) {
            assertThat(message.mayOpenGap(1_000)).isTrue();
            last = pool.take(0, 1, GapPool.NONE);
            assertThat(last).isLessThan(1 << 20);
        }
        assertThat(message.mayOpenGap(1_000)).isFalse();

        pool.give(last);

        assertThat(message.mayOpenGap(1_000)).isTrue();
    }
}
