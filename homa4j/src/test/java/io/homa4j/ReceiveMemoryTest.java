package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who owns received memory, and what happens to those who keep it. */
class ReceiveMemoryTest {
    private static final int LARGE = 400_000;

    private final Loopback net = new Loopback();

    @AfterEach
    void close() {
        net.close();
    }

    private HomaServer large() {
        return net.homa().serve(0, request -> request.reply(Loopback.bytes(LARGE, 1)));
    }

    @Test
    void repliesNeverReleasedFailLaterCallsAndTheFailureNamesThem() throws Exception {
        HomaServer server = large();
        Homa client = net.homa(options -> options.receiveRegion(2 << 20)
                .set("host_share", "1")
                .set("receive_space_wait_ticks", "30")
                .debug(true));
        List<Reply> kept = new ArrayList<>();
        HomaRpcException failure = null;
        while (failure == null) {
            assertThat(kept).as("the region has room for five").hasSizeLessThan(6);
            try {
                kept.add(client.call(server.address(), new byte[1]));
            } catch (HomaRpcException e) {
                failure = e;
            }
        }
        assertThat(failure.reason()).isEqualTo(Reason.NO_RECEIVE_SPACE);
        assertThat(failure)
                .hasMessageContaining("the application holds " + kept.size() + " messages")
                .hasMessageContaining("the oldest is a reply from 127.0.0.1:" + server.port())
                .hasMessageContaining("taken at");
        kept.forEach(Reply::close);
        try (Reply reply = client.call(server.address(), new byte[1])) {
            assertThat(reply.bytes()).isEqualTo(Loopback.bytes(LARGE, 1));
        }
    }

    @Test
    void aFullRegionMakesMessagesWaitUntilOneIsReleased() throws Exception {
        HomaServer server = large();
        Homa client = net.homa(
                options -> options.receiveRegion(2 << 20).set("host_share", "1").set("receive_space_wait_ticks", "0"));
        List<CompletableFuture<Reply>> futures = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            futures.add(client.callAsync(server.address(), new byte[1]));
        }
        int received = 0;
        while (!futures.isEmpty()) {
            Loopback.until("one more has found room", () -> futures.stream().anyMatch(CompletableFuture::isDone));
            Iterator<CompletableFuture<Reply>> each = futures.iterator();
            while (each.hasNext()) {
                CompletableFuture<Reply> future = each.next();
                if (future.isDone()) {
                    each.remove();
                    try (Reply reply = future.get(60, TimeUnit.SECONDS)) {
                        assertThat(reply.bytes()).isEqualTo(Loopback.bytes(LARGE, 1));
                        received++;
                    }
                }
            }
        }
        assertThat(received).isEqualTo(12);
    }

    @Test
    void useAfterCloseThrowsAndClosingAgainIsHarmless() throws Exception {
        HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
        Homa client = net.homa();
        Reply first = client.call(server.address(), new byte[] {1, 2, 3});
        assertThat(first.byteAt(2)).isEqualTo((byte) 3);
        first.close();
        assertThatThrownBy(first::bytes)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(first::length).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> first.byteAt(0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(first::buffer).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(first::segment).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(first::unsafeSegment).isInstanceOf(IllegalStateException.class);
        try (Reply second = client.call(server.address(), new byte[] {4, 5, 6})) {
            first.close();
            first.close();
            assertThat(second.bytes())
                    .as("an old close gives back nobody else's memory")
                    .containsExactly(4, 5, 6);
            assertThatThrownBy(first::bytes).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void viewsAreReadOnlyAndMessagesOfAClosedHomaThrow() throws Exception {
        HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
        Homa client = net.homa();
        Reply reply = client.call(server.address(), new byte[] {1, 2, 3});
        ByteBuffer buffer = reply.buffer();
        MemorySegment segment = reply.segment();
        assertThat(buffer.remaining()).isEqualTo(3);
        assertThatThrownBy(() -> buffer.put(0, (byte) 9)).isInstanceOf(ReadOnlyBufferException.class);
        assertThat(segment.isReadOnly()).isTrue();
        assertThat(segment.toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 2, 3);
        byte[] target = new byte[5];
        reply.copyTo(target, 1);
        assertThat(target).containsExactly(0, 1, 2, 3, 0);
        client.closeNow();
        assertThatThrownBy(reply::bytes).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> segment.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> buffer.get(0)).isInstanceOf(IllegalStateException.class);
        reply.close();
    }

    @Test
    void debugModePoisonsReleasedMemory() throws Exception {
        HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
        Homa client = net.homa(options -> options.debug(true));
        Reply reply = client.call(server.address(), new byte[] {1, 2, 3});
        MemorySegment stale = reply.segment();
        reply.close();
        Loopback.until("the engine has poisoned it", () -> stale.get(ValueLayout.JAVA_BYTE, 0) == (byte) 0xDB);
        assertThat(stale.toArray(ValueLayout.JAVA_BYTE)).containsOnly((byte) 0xDB);
    }
}
