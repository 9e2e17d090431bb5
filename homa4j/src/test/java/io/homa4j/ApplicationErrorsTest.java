package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever the application's code throws at the engine's thread stays with the call it was thrown for. */
class ApplicationErrorsTest {
    private final Loopback net = new Loopback();
    private final Logger log = Logger.getLogger("io.homa4j.ApplicationErrors");
    private final ConcurrentLinkedQueue<LogRecord> logged = new ConcurrentLinkedQueue<>();
    private final Handler listener = new Handler() {
        @Override
        public void publish(LogRecord line) {
            logged.add(line);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    static Stream<Supplier<Throwable>> anythingThrowable() {
        return Stream.of(
                () -> new RejectedExecutionException("as the test wants"),
                () -> new IllegalStateException("as the test wants"),
                () -> new IOException("sneaked, as the test wants"),
                () -> new AssertionError("as the test wants"),
                () -> new OutOfMemoryError("as the test wants"),
                () -> new StackOverflowError("as the test wants"));
    }

    @BeforeEach
    void listen() {
        log.setUseParentHandlers(false);
        log.addHandler(listener);
    }

    @AfterEach
    void close() {
        net.close();
        log.removeHandler(listener);
        log.setUseParentHandlers(true);
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> RuntimeException sneak(Throwable error) throws T {
        throw (T) error;
    }

    private void assertStillWorks(Homa homa, HomaAddress server) throws Exception {
        try (Reply reply = homa.call(server, new byte[] {42})) {
            assertThat(reply.bytes()).containsExactly(42);
        }
    }

    private HomaServer echo() {
        return net.homa().serve(0, request -> request.reply(request.segment()));
    }

    @ParameterizedTest
    @MethodSource("anythingThrowable")
    void anExecutorThatFailsCostsNoCompletion(Supplier<Throwable> error) throws Exception {
        HomaServer server = echo();
        Homa client = net.homa(options -> options.completions(task -> {
            throw sneak(error.get());
        }));
        try (Reply reply = client.callAsync(server.address(), new byte[] {1}).get(60, TimeUnit.SECONDS)) {
            assertThat(reply.bytes()).containsExactly(1);
        }
        assertThat(client.counter("application_executor_errors")).isEqualTo(1);
        assertThat(logged).extracting(LogRecord::getLevel).containsExactly(Level.WARNING);
        assertStillWorks(client, server.address());
    }

    @Test
    void anExecutorThatFailsAfterHavingCompletedTakesTheReplyFromNobody() throws Exception {
        HomaServer server = echo();
        Homa client = net.homa(options -> options.completions(task -> {
            task.run();
            throw new IllegalStateException("as the test wants");
        }));
        CompletableFuture<Reply> future = client.callAsync(server.address(), new byte[] {1});
        Loopback.until("it has failed", () -> client.counter("application_executor_errors") == 1);
        try (Reply reply = future.get(60, TimeUnit.SECONDS)) {
            assertThat(reply.bytes()).containsExactly(1);
        }
        assertStillWorks(client, server.address());
    }

    @ParameterizedTest
    @MethodSource("anythingThrowable")
    void aHandlersExecutorThatFailsLeavesOneRequestUnanswered(Supplier<Throwable> error) throws Exception {
        AtomicInteger executed = new AtomicInteger();
        Homa homa = net.homa();
        HomaServer server = homa.server(0)
                .executor(task -> {
                    if (executed.getAndIncrement() == 0) {
                        throw sneak(error.get());
                    }
                    Thread.startVirtualThread(task);
                })
                .open(request -> request.reply(request.segment()));
        Homa client = net.homa(options -> options.set("timeout_ticks", "1000"));
        assertThatThrownBy(() -> client.call(server.address(), new byte[1]))
                .isInstanceOfSatisfying(
                        HomaRpcException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TIMEOUT));
        assertThat(homa.counter("application_executor_errors")).isEqualTo(1);
        assertThat(server.inService()).isZero();
        assertStillWorks(client, server.address());
    }

    @ParameterizedTest
    @MethodSource("anythingThrowable")
    void aShortHandlerThatFailsLeavesOneRequestUnanswered(Supplier<Throwable> error) throws Exception {
        Homa homa = net.homa();
        HomaServer server = homa.server(0).shortHandler().open(request -> {
            if (request.byteAt(0) == 1) {
                throw sneak(error.get());
            }
            request.reply(request.segment());
        });
        Homa client = net.homa(options -> options.set("timeout_ticks", "1000"));
        assertThatThrownBy(() -> client.call(server.address(), new byte[] {1})).isInstanceOf(HomaRpcException.class);
        assertThat(homa.counter("application_handler_errors")).isEqualTo(1);
        assertStillWorks(client, server.address());
    }

    @Test
    void aShortHandlerThatUsesUpTheStackLeavesOneRequestUnanswered() throws Exception {
        Homa homa = net.homa();
        HomaServer server = homa.server(0).shortHandler().open(request -> {
            if (request.byteAt(0) == 1) {
                sink(request, 0);
            }
            request.reply(request.segment());
        });
        Homa client = net.homa(options -> options.set("timeout_ticks", "1000"));
        assertThatThrownBy(() -> client.call(server.address(), new byte[] {1})).isInstanceOf(HomaRpcException.class);
        assertThat(logged).singleElement().extracting(LogRecord::getThrown).isInstanceOf(StackOverflowError.class);
        assertStillWorks(client, server.address());
    }

    /** So it does not matter to the engine how deep in its stack a handler answers. */
    @Test
    void whatAShortHandlerAsksForHappensWhenItHasReturned() throws Exception {
        AtomicInteger inService = new AtomicInteger(-1);
        AtomicReference<HomaServer> self = new AtomicReference<>();
        Homa homa = net.homa();
        HomaServer server = homa.server(0).shortHandler().open(request -> {
            request.reply(request.segment());
            inService.set(self.get().inService());
        });
        self.set(server);
        assertStillWorks(net.homa(), server.address());
        assertThat(inService).hasValue(1);
        Loopback.until("it is answered", () -> server.inService() == 0);
    }

    /** Wherever the stack ends, in the handler or in what it calls: it is the handler's error and not the engine's. */
    @Test
    void aShortHandlerThatAnswersWithTheRestOfItsStackLeavesTheEngineAlone() throws Exception {
        Homa homa = net.homa();
        HomaServer server = homa.server(0).shortHandler().open(request -> {
            if (request.byteAt(0) == 1) {
                replyFromTheBottom(request);
            } else {
                request.reply(request.segment());
            }
        });
        Homa client = net.homa();
        // Once from above: a class whose initializer finds no stack is lost to the whole process.
        assertStillWorks(client, server.address());
        for (int i = 0; i < 50; i++) {
            CompletableFuture<Reply> call = client.callAsync(server.address(), new byte[] {1}, Loopback.PATIENCE);
            assertStillWorks(client, server.address());
            call.cancel(false);
        }
    }

    /** Sinks until the stack is used up, and answers from as deep as it can: each frame on the way back tries again. */
    @SuppressWarnings("InfiniteRecursion")
    private static void replyFromTheBottom(Request request) {
        try {
            replyFromTheBottom(request);
        } catch (StackOverflowError e) {
            if (!request.isAnswered()) {
                request.reply(request.segment());
            }
        }
    }

    /** The same for calls whose answer comes from the engine at once. */
    @Test
    void aShortHandlerThatAsksTheEngineWithTheRestOfItsStackLeavesTheEngineAlone() throws Exception {
        Homa homa = net.homa();
        HomaServer silent = net.homa().serve(0, request -> {});
        HomaSocket socket = homa.openSocket(0);
        AtomicReference<Runnable> question = new AtomicReference<>(() -> {});
        HomaServer server = homa.server(0).shortHandler().open(request -> {
            Runnable asked = question.get();
            if (request.byteAt(0) == 1) {
                askFromTheBottom(asked, 0);
            } else {
                asked.run();
                request.reply(request.segment());
            }
        });
        Homa client = net.homa(options -> options.set("timeout_ticks", "20000"));
        List<Runnable> questions = List.of(
                () -> socket.trySend(silent.address(), new byte[1], null),
                socket::poll,
                socket::info,
                () -> socket.abortAll(1),
                () -> socket.onReadable(null),
                () -> homa.openSocket().closeNow(),
                socket::close);
        for (Runnable each : questions) {
            question.set(each);

            // Once from above, for the sake of classes that are initialized.
            assertStillWorks(client, server.address());
            for (int i = 0; i < 10; i++) {
                CompletableFuture<Reply> call = client.callAsync(server.address(), new byte[] {1}, Loopback.PATIENCE);
                assertStillWorks(client, server.address());
                call.cancel(false);
            }
        }
    }

    /** Sinks until the stack is used up, and asks in every 16th frame on the way back until once there is enough of it. */
    @SuppressWarnings("InfiniteRecursion")
    private static void askFromTheBottom(Runnable question, int depth) {
        try {
            askFromTheBottom(question, depth + 1);
        } catch (StackOverflowError e) {
            if (depth % 16 != 0) {
                throw e;
            }
            question.run();
        }
    }

    @SuppressWarnings("InfiniteRecursion")
    private static int sink(Request request, int depth) {
        return sink(request, depth + 1) + request.byteAt(0);
    }

    @ParameterizedTest
    @MethodSource("anythingThrowable")
    void aReadyCallbackThatFailsIsCalledAgain(Supplier<Throwable> error) throws Exception {
        Homa homa = net.homa();
        HomaSocket socket = homa.openSocket(0);
        AtomicInteger called = new AtomicInteger();
        socket.onReadable(() -> {
            called.incrementAndGet();
            throw sneak(error.get());
        });
        Homa client = net.homa();
        HomaAddress to = HomaAddress.of("127.0.0.1", socket.port());
        List<CompletableFuture<Reply>> replies = Stream.of(1, 2)
                .map(i -> {
                    int before = called.get();
                    CompletableFuture<Reply> reply = client.callAsync(to, new byte[] {i.byteValue()});
                    Loopback.until("the callback was called", () -> called.get() > before);
                    return reply;
                })
                .toList();
        assertThat(homa.counter("application_callback_errors")).isEqualTo(called.get());
        socket.onReadable(null);
        for (CompletableFuture<Reply> reply : replies) {
            try (HomaMessage request = socket.receive()) {
                socket.reply((Request) request, ((Request) request).bytes());
            }
            reply.get(60, TimeUnit.SECONDS).close();
        }
    }

    @Test
    void aShortCompletionThatFailsFailsItsStageOnly() throws Exception {
        HomaServer server = echo();
        Homa client = net.homa(Homa.Builder::shortCompletions);
        CompletableFuture<Object> stage = client.callAsync(server.address(), new byte[] {1})
                .thenApply(reply -> {
                    reply.close();
                    throw new OutOfMemoryError("as the test wants");
                });
        assertThatThrownBy(() -> stage.get(60, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(OutOfMemoryError.class);
        assertStillWorks(client, server.address());
    }

    @Test
    void manyErrorsMakeFewLogLines() {
        ApplicationErrors errors = new ApplicationErrors();
        long startNs = System.nanoTime();
        for (int i = 0; i < 10_000; i++) {
            errors.ofHandlers.report(() -> "as the test wants", new IllegalStateException());
        }
        long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNs);
        assertThat(logged).hasSizeBetween(1, (int) seconds + 2);
        errors.ofCallbacks.report(() -> "another kind", new IllegalStateException());
        assertThat(logged).last().extracting(LogRecord::getMessage).isEqualTo("another kind");
    }
}
