package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Closing while another thread is in the middle of reading into, or out of, memory of ours: here through a pipe that blocks. */
class BusyMemoryTest {
    private final Loopback net = new Loopback();
    private Pipe pipe;

    @BeforeEach
    void open() throws IOException {
        pipe = Pipe.open();
    }

    @AfterEach
    void close() throws IOException {
        pipe.sink().close();
        pipe.source().close();
        net.close();
    }

    /** An operation of a thread of its own that has begun and blocks in the pipe. */
    private CompletableFuture<Integer> blocking(Callable<Integer> operation) {
        CompletableFuture<Integer> outcome = new CompletableFuture<>();
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                outcome.complete(operation.call());
            } catch (Throwable e) {
                outcome.completeExceptionally(e);
            }
        });
        Loopback.until("it blocks", () -> isInPipe(thread.getStackTrace()));
        return outcome;
    }

    private static boolean isInPipe(StackTraceElement[] stack) {
        return stack.length > 0
                && stack[0].isNativeMethod()
                && (stack[0].getMethodName().startsWith("read")
                        || stack[0].getMethodName().startsWith("write"));
    }

    private static void closeNow(Homa homa) throws Exception {
        CompletableFuture.runAsync(homa::closeNow).get(60, TimeUnit.SECONDS);
        assertThatThrownBy(homa::openSocket)
                .as("closed in good order, not stopped by an error")
                .isInstanceOf(HomaClosedException.class);
    }

    @Test
    void closingEndsThoughSendMemoryIsBeingFilled() throws Exception {
        HomaServer server = net.homa().serve(0, request -> {});
        // Not of the net, which would wait for it.
        Homa homa = Homa.builder().receiveRegion(Loopback.SMALL_REGION).open();
        CompletableFuture<Reply> call = homa.callAsync(server.address(), new byte[1]);
        HomaBuffer buffer = homa.buffers().take(1_000);
        CompletableFuture<Integer> reading =
                blocking(() -> pipe.source().read(buffer.segment().asByteBuffer()));
        closeNow(homa);
        assertThatThrownBy(call::get).hasCauseInstanceOf(HomaClosedException.class);
        pipe.sink().write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
        assertThat(reading.get()).as("it was not torn from under it").isEqualTo(3);
    }

    @Test
    void closingEndsThoughAReceivedMessageIsBeingWritten() throws Exception {
        HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
        // Not of the net, which would wait for it.
        Homa homa = Homa.builder().receiveRegion(Loopback.SMALL_REGION).open();
        Reply reply = homa.call(server.address(), new byte[1_000_000]);
        CompletableFuture<Integer> writing = blocking(() -> pipe.sink().write(reply.buffer()));
        closeNow(homa);
        ByteBuffer drain = ByteBuffer.allocate(1_000_000);
        while (drain.hasRemaining()) {
            assertThat(pipe.source().read(drain)).isPositive();
        }
        assertThat(writing.get()).isEqualTo(1_000_000);
        assertThatThrownBy(reply::bytes).isInstanceOf(IllegalStateException.class);
    }
}
