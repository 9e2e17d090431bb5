package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** Where frames are, and the ways they may go. */
class UmemTest {
    private final Umem umem = new Umem(2048, 4, 2);

    @Test
    void everyFrameIsInOnePlace() {
        assertThat(umem.memory.byteSize()).isEqualTo(6 * 2048);
        assertThat(umem.memory.address() % 4096).isZero();
        assertThat(umem.count(Umem.FILL)).isEqualTo(4);
        assertThat(umem.freeFrames()).isEqualTo(2);
        int first = umem.take();
        int second = umem.take();
        assertThat(new int[] {first, second}).containsExactlyInAnyOrder(4, 5);
        assertThat(umem.freeFrames()).isZero();
        umem.sent(umem.frame(umem.address(first) + 42));
        umem.received(3);
        assertThat(umem.count(Umem.FILL)).isEqualTo(3);
        assertThat(umem.count(Umem.HELD)).isEqualTo(1);
        assertThat(umem.count(Umem.FREE)).isEqualTo(1);
        assertThat(umem.count(Umem.SENDING)).isEqualTo(1);
        umem.lend(3);
        assertThat(umem.count(Umem.FILL)).isEqualTo(4);
    }

    @Test
    void aFrameThatIsGivenBackTwiceIsABug() {
        int frame = umem.take();
        umem.sent(frame);
        assertThatThrownBy(() -> umem.sent(frame)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> umem.lend(0)).isInstanceOf(AssertionError.class);
    }
}
