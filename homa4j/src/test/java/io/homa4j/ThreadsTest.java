package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who turns the engine, in each mode, and what that costs. */
class ThreadsTest {
    private final Loopback net = new Loopback();

    @AfterEach
    void close() {
        net.close();
    }

    private HomaServer echo() {
        return net.homa().server(0).shortHandler().open(request -> request.reply(request.segment()));
    }

    @Test
    void waitingVirtualThreadsPinNoCarrier() throws Exception {
        AtomicInteger pinned = new AtomicInteger();
        AtomicReference<String> where = new AtomicReference<>("");
        AtomicBoolean marked = new AtomicBoolean();
        try (RecordingStream stream = new RecordingStream()) {
            stream.enable("jdk.VirtualThreadPinned").withoutThreshold().withStackTrace();
            stream.enable("jdk.VirtualThreadEnd");
            stream.onEvent("jdk.VirtualThreadPinned", event -> {
                if (String.valueOf(event.getStackTrace()).contains("io.homa4j")) {
                    pinned.incrementAndGet();
                    where.set(event.toString());
                }
            });
            stream.onEvent("jdk.VirtualThreadEnd", event -> marked.set(true));
            stream.startAsync();
            HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
            Homa client = net.homa();
            try (ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int i = 0; i < 500; i++) {
                    byte[] request = Loopback.bytes(1 + i * 11, i);
                    var _ = virtual.submit(() -> {
                        try (Reply reply = client.call(server.address(), request)) {
                            return reply.length();
                        }
                    });
                }
            }
            assertThat(client.counter("responses_received")).isEqualTo(500);
            stream.stop();
        }
        assertThat(marked).as("the recording has seen virtual threads").isTrue();
        assertThat(pinned).as(where.get()).hasValue(0);
    }

    @Test
    void anInvokersBlockingCallsTurnTheEngine() throws Exception {
        HomaServer server = echo();
        Homa homa = net.homa(Homa.Builder::invoker);
        for (int i = 0; i < 20; i++) {
            try (Reply reply = homa.call(server.address(), new byte[] {(byte) i})) {
                assertThat(reply.bytes()).containsExactly(i);
            }
        }
        assertThat(Thread.getAllStackTraces().keySet())
                .as("no thread of its own beside that of the server")
                .filteredOn(thread -> thread.getName().equals("homa-engine"))
                .hasSize(1);
    }

    @Test
    void anInvokersLoopServesOtherThreads() throws Exception {
        Homa homa = net.homa(Homa.Builder::invoker);
        HomaServer server = homa.server(0).shortHandler().open(request -> request.reply(request.segment()));
        Homa client = net.homa();
        CompletableFuture<Reply> future = client.callAsync(server.address(), new byte[] {1});
        while (!future.isDone()) {
            homa.doWork(Duration.ofMillis(5));
        }
        future.get().close();

        HomaServer other = echo();
        CompletableFuture<byte[]> foreign = new CompletableFuture<>();
        Thread.ofPlatform().start(() -> {
            try (Reply reply = homa.call(other.address(), new byte[] {2})) {
                foreign.complete(reply.bytes());
            } catch (Throwable e) {
                foreign.completeExceptionally(e);
            }
        });
        while (!foreign.isDone()) {
            homa.doWork();
        }
        assertThat(foreign.get()).containsExactly(2);
    }

    @Test
    void aForeignCallFailsClearlyWhenNobodyTurns() throws Exception {
        HomaServer server = echo();
        Homa homa = net.homa(Homa.Builder::invoker);
        homa.doWork();
        CompletableFuture<Reply> foreign = new CompletableFuture<>();
        HomaServer silent = net.homa().serve(0, request -> {});
        Thread.ofPlatform().start(() -> {
            try {
                foreign.complete(homa.call(silent.address(), new byte[1]));
            } catch (Throwable e) {
                foreign.completeExceptionally(e);
            }
        });
        assertThatThrownBy(() -> foreign.get(60, TimeUnit.SECONDS))
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContaining("doWork");
        try (Reply reply = homa.call(server.address(), new byte[] {3})) {
            assertThat(reply.bytes()).as("the invoker itself goes on").containsExactly(3);
        }
    }

    @Test
    void doWorkBelongsToInvokerMode() {
        assertThatThrownBy(() -> net.homa().doWork())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("invoker");
    }

    @Test
    void aPollingEngineServesAllKindsOfCallers() throws Exception {
        HomaServer server = echo();
        Homa homa = net.homa(Homa.Builder::polling);
        try (Reply reply = homa.call(server.address(), new byte[] {1})) {
            assertThat(reply.bytes()).containsExactly(1);
        }
        CompletableFuture<Integer> virtual = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try (Reply reply = homa.call(server.address(), new byte[2])) {
                virtual.complete(reply.length());
            } catch (Throwable e) {
                virtual.completeExceptionally(e);
            }
        });
        assertThat(virtual.get(60, TimeUnit.SECONDS)).isEqualTo(2);
        homa.close();
        assertThat(homa.isClosed()).isTrue();
    }

    @Test
    void aPlatformThreadThatCallsOftenLeavesTheEngineThreadAsleep() throws Exception {
        HomaServer server = echo();
        Homa client = net.homa();
        for (int i = 0; i < 2_000; i++) {
            client.call(server.address(), new byte[100]).close();
        }
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long keeper = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("homa-engine"))
                .mapToLong(Thread::threadId)
                .max()
                .orElseThrow();
        long keeperBefore = threads.getThreadCpuTime(keeper);
        long callerBefore = threads.getCurrentThreadCpuTime();
        for (int i = 0; i < 10_000; i++) {
            client.call(server.address(), new byte[100]).close();
        }
        long keeperNs = threads.getThreadCpuTime(keeper) - keeperBefore;
        long callerNs = threads.getCurrentThreadCpuTime() - callerBefore;
        assertThat(keeperNs)
                .as("the caller, with %d ns, has turned the engine", callerNs)
                .isLessThan(callerNs / 2);
    }

    @Test
    void anInterruptedEngineThreadStillSleeps() throws Exception {
        AtomicReference<Thread> sleeper = new AtomicReference<>();
        AtomicInteger sleeps = new AtomicInteger();
        AtomicInteger sleepsInterrupted = new AtomicInteger();
        HomaServer server = net.homa(options -> options.driver(inner -> new DriverAround(inner) {
                    @Override
                    public void await(long timeoutNs) {
                        sleeper.set(Thread.currentThread());
                        if (Thread.currentThread().isInterrupted()) {
                            sleepsInterrupted.incrementAndGet();
                        }
                        sleeps.incrementAndGet();
                        super.await(timeoutNs);
                    }
                }))
                .serve(0, request -> request.reply(request.segment()));
        Loopback.until("the engine thread sleeps", () -> sleeper.get() != null);
        sleeper.get().interrupt();
        Homa client = net.homa();
        for (int i = 0; i < 3; i++) {
            int before = sleeps.get();
            client.call(server.address(), new byte[1]).close();
            Loopback.until("it sleeps again", () -> sleeps.get() > before);
        }
        assertThat(sleepsInterrupted.get())
                .as("at most the sleep it was just about to begin")
                .isLessThanOrEqualTo(1);
    }

    @Test
    void anIdleServerUsesNoProcessor() throws Exception {
        HomaServer server = echo();
        Homa client = net.homa();
        client.call(server.address(), new byte[1]).close();
        client.close();
        Thread engine = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("homa-engine"))
                // The server's is the older one.
                .min(Comparator.comparingLong(Thread::threadId))
                .orElseThrow();
        assertThat(engine.isAlive()).isTrue();
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        // Idle means: the processor time stands still from one look to the next.
        AtomicReference<Long> last = new AtomicReference<>(-1L);
        Loopback.until("the engine thread rests", () -> {
            long now = threads.getThreadCpuTime(engine.threadId());
            return last.getAndSet(now) == now
                    && java.util.stream.IntStream.range(0, 20).allMatch(i -> {
                        java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
                        return threads.getThreadCpuTime(engine.threadId()) == now;
                    });
        });
    }
}
