package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.homa4j.driver.Datapath;
import io.homa4j.driver.FaultyDriver;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls of level 1 over real UDP: what comes back, and how they end otherwise. */
class CallTest {
    private static final int[] LENGTHS = {1, 2, 100, 1_416, 1_417, 40_000, 40_001, 500_000, 1_000_000};

    private final Loopback net = new Loopback();

    @AfterEach
    void close() {
        net.close();
    }

    @Test
    void aCallCancelledByTheOwnerWhileItStillWaitsInTheQueueHarmsNobody() throws Exception {
        HomaServer echo = net.homa().serve(0, request -> request.reply(request.bytes()));
        Homa homa = net.homa();
        // The first call opens a socket, for which it would wait.
        homa.call(echo.address(), new byte[1]).close();
        CompletableFuture<CompletableFuture<Reply>> queued = new CompletableFuture<>();
        CountDownLatch isOwner = new CountDownLatch(1);
        HomaServer server = homa.server(0).shortHandler().open(request -> {
            isOwner.countDown();
            // Its own command comes before those that others have queued meanwhile.
            queued.join().cancel(false);
            request.reply(new byte[1]);
        });
        CompletableFuture<Reply> outer = net.homa().callAsync(server.address(), new byte[1]);
        isOwner.await();
        queued.complete(homa.callAsync(echo.address(), new byte[100]));
        outer.get(60, TimeUnit.SECONDS).close();
        assertThat(queued.join()).isCancelled();
        for (int i = 0; i < 10; i++) {
            homa.call(echo.address(), new byte[100]).close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void everyLengthComesBackUnchanged(String host) throws Exception {
        HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
        HomaAddress to = HomaAddress.of(host, server.port());
        Homa client = net.homa();
        for (int length : LENGTHS) {
            byte[] request = Loopback.bytes(length, length);
            try (Reply reply = client.call(to, request)) {
                assertThat(reply.length()).isEqualTo(length);
                assertThat(reply.bytes()).isEqualTo(request);
                assertThat(reply.peer()).isEqualTo(to);
                assertThat(reply.isRequest()).isFalse();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1500, 65_535})
    void packetsOfAnyMtuArrive(int mtu) throws Exception {
        HomaServer server = net.homa(options -> options.set("mtu", Integer.toString(mtu)))
                .serve(0, request -> request.reply(request.segment()));
        Homa client = net.homa(options -> options.set("mtu", Integer.toString(mtu)));
        byte[] request = Loopback.bytes(700_000, mtu);
        try (Reply reply = client.call(server.address(), request)) {
            assertThat(reply.bytes()).isEqualTo(request);
        }
        long packets = client.counter("packets_sent_DATA");
        assertThat(packets).isGreaterThanOrEqualTo(700_000 / (mtu - 20 - 8 - 56));
        assertThat(packets).as("larger packets, fewer of them").isLessThan(mtu == 1500 ? 5_000 : 200);
    }

    @Test
    void nativeMemoryAndLentBuffersWorkLikeArrays() throws Exception {
        HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
        Homa client = net.homa();
        byte[] request = Loopback.bytes(3_000, 1);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocateFrom(java.lang.foreign.ValueLayout.JAVA_BYTE, request);
            try (Reply reply = client.call(server.address(), segment, Loopback.PATIENCE)) {
                assertThat(reply.bytes()).isEqualTo(request);
            }
        }
        HomaBuffer buffer = client.buffers().take(request.length);
        MemorySegment.copy(MemorySegment.ofArray(request), 0, buffer.segment(), 0, request.length);
        try (Reply reply = client.call(server.address(), buffer, Loopback.PATIENCE)) {
            assertThat(reply.bytes()).isEqualTo(request);
        }
        assertThatThrownBy(buffer::segment).as("sending consumed it").isInstanceOf(IllegalStateException.class);
        Loopback.until("the buffer is back in its pool", () -> client.buffers().usedBytes() == 0);
    }

    @Test
    void emptyAndTooLongMessagesAreRefusedAtOnce() {
        HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
        Homa client = net.homa();
        for (int length : new int[] {0, 1_000_001}) {
            assertThatThrownBy(() -> client.call(server.address(), new byte[length]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("1 to 1000000");
            assertThatThrownBy(() -> client.callAsync(server.address(), new byte[length]))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void anEmptyAnswerIsRefusedAndTheRequestCanStillBeAnswered() throws Exception {
        AtomicReference<Throwable> refused = new AtomicReference<>();
        HomaServer server = net.homa().serve(0, request -> {
            try {
                request.reply(new byte[0]);
            } catch (IllegalArgumentException e) {
                refused.set(e);
            }
            request.reply(new byte[] {7});
        });
        try (Reply reply = net.homa().call(server.address(), new byte[1])) {
            assertThat(reply.bytes()).containsExactly(7);
        }
        assertThat(refused.get()).hasMessageContaining("0 bytes");
    }

    @Test
    void manyThreadsOfBothKindsGetTheirOwnReplies() throws Exception {
        HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
        Homa client = net.homa();
        List<Future<Boolean>> results = new ArrayList<>();
        try (ExecutorService platform = Executors.newFixedThreadPool(4);
                ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 400; i++) {
                byte[] request = Loopback.bytes(1 + i * 37, i);
                results.add((i % 2 == 0 ? platform : virtual).submit(() -> {
                    try (Reply reply = client.call(server.address(), request)) {
                        return java.util.Arrays.equals(reply.bytes(), request);
                    }
                }));
            }
            for (Future<Boolean> result : results) {
                assertThat(result.get()).isTrue();
            }
        }
        assertThat(client.counter("responses_received")).isEqualTo(400);
    }

    @Test
    void futuresCompleteOnVirtualThreadsUnlessToldOtherwise() throws Exception {
        HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
        Homa client = net.homa();
        // The handler of the other end may be done before the stage is added: only a pending future shows the thread.
        CountDownLatch added = new CountDownLatch(1);
        HomaServer slow = net.homa().serve(0, request -> {
            Loopback.await(added);
            request.reply(request.segment());
        });
        CompletableFuture<Thread> completer = client.callAsync(slow.address(), new byte[1])
                .thenApply(reply -> {
                    reply.close();
                    return Thread.currentThread();
                });
        added.countDown();
        assertThat(completer.get(60, TimeUnit.SECONDS).isVirtual()).isTrue();
        try (Reply reply = client.callAsync(server.address(), new byte[] {1, 2}).get(60, TimeUnit.SECONDS)) {
            assertThat(reply.bytes()).containsExactly(1, 2);
        }
    }

    @Test
    void aShortCompletionMayCallAgainButNotBlock() throws Exception {
        HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
        Homa client = net.homa(Homa.Builder::shortCompletions);
        CompletableFuture<Object> blocked = new CompletableFuture<>();
        CountDownLatch done = new CountDownLatch(50);
        new Object() {
            void next() {
                var _ = client.callAsync(server.address(), new byte[10]).whenComplete((reply, failure) -> {
                    reply.close();
                    if (Thread.currentThread().getName().equals("homa-engine") && !blocked.isDone()) {
                        blocked.complete(failureOf(() -> client.call(server.address(), new byte[1])));
                    }
                    done.countDown();
                    if (done.getCount() > 0) {
                        next();
                    }
                });
            }
        }.next();
        Loopback.await(done);
        assertThat(blocked.get(60, TimeUnit.SECONDS))
                .isInstanceOf(IllegalStateException.class)
                .asString()
                .contains("asynchronous");
    }

    private static Object failureOf(java.util.concurrent.Callable<?> call) {
        try {
            return call.call();
        } catch (Exception e) {
            return e;
        }
    }

    @Test
    void aCallEndsAtItsDeadlineWhileTheServerWorks() {
        HomaServer server = net.homa().serve(0, request -> {
            // Never answered.
        });
        Homa client = net.homa();
        assertThatThrownBy(() -> client.call(server.address(), new byte[10], Duration.ofMillis(30)))
                .isInstanceOfSatisfying(HomaRpcException.class, e -> {
                    assertThat(e.reason()).isEqualTo(Reason.DEADLINE);
                    assertThat(e.peer()).isEqualTo(server.address());
                    assertThat(e).hasMessageContaining(server.address().toString());
                });
        assertThat(client.callAsync(server.address(), new byte[10], Duration.ofMillis(30)))
                .failsWithin(Loopback.PATIENCE)
                .withThrowableOfType(ExecutionException.class)
                .havingCause()
                .isInstanceOfSatisfying(
                        HomaRpcException.class, e -> assertThat(e.reason()).isEqualTo(Reason.DEADLINE));
        Loopback.until("all send memory is back", () -> client.buffers().usedBytes() == 0);
    }

    @Test
    void anAbsentServerIsATimeoutBecausePlainJavaSeesNoIcmp() throws Exception {
        HomaServer gone = net.homa().serve(0, request -> request.reply(request.segment()));
        HomaAddress nobody = gone.address();
        gone.closeNow();
        Homa client = net.homa(options -> options.set("timeout_ticks", "50").datapath(Datapath.PORTABLE));
        assertThat(client.datapath()).isEqualTo("datapath portable (as asked)");
        assertThatThrownBy(() -> client.call(nobody, new byte[10]))
                .isInstanceOfSatisfying(HomaRpcException.class, e -> {
                    assertThat(e.reason()).isEqualTo(Reason.TIMEOUT);
                    assertThat(e.remedy()).contains("firewall");
                });
        assertThat(client.counter("packets_sent_RESEND")).isPositive();
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    @EnabledOnOs(OS.LINUX)
    void whereIcmpIsSeenAnAbsentServerFailsAtOnce(String host) throws Exception {
        HomaServer gone = net.homa().serve(0, request -> request.reply(request.segment()));
        HomaAddress nobody = HomaAddress.of(host, gone.port());
        gone.closeNow();
        Homa client = net.homa(options -> options.datapath(Datapath.SYSCALLS));
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> client.call(nobody, new byte[10]))
                    .isInstanceOfSatisfying(HomaRpcException.class, e -> {
                        assertThat(e.reason()).isEqualTo(Reason.NO_SERVER);
                        assertThat(e.remedy()).contains("start the server");
                    });
        }
        assertThat(client.counter("packets_sent_RESEND")).isZero();
        assertThat(client.counter("driver_network_errors")).isEqualTo(3);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void callsGoThroughATunnelOfOneUdpPortBothWays() throws Exception {
        InetAddress here = InetAddress.getByName("127.0.0.5");
        InetAddress there = InetAddress.getByName("127.0.0.6");
        Encapsulation tunnel = Encapsulation.parse("udp-tunnel:" + freePort(here, there));
        Homa near = net.homa(options -> options.encapsulation(tunnel).bind(here));
        Homa far = net.homa(options -> options.encapsulation(tunnel).bind(there));
        HomaServer server = far.serve(99, request -> request.reply(request.segment()));
        assertThat(server.port()).isEqualTo(99);
        byte[] request = Loopback.bytes(300_000, 7);
        for (int i = 0; i < 20; i++) {
            try (Reply reply = near.call(HomaAddress.of("127.0.0.6", 99), request)) {
                assertThat(reply.bytes()).isEqualTo(request);
            }
        }
        assertThatThrownBy(() -> near.call(HomaAddress.of("127.0.0.7", 99), new byte[10]))
                .isInstanceOfSatisfying(
                        HomaRpcException.class, e -> assertThat(e.reason()).isEqualTo(Reason.PROTOCOL_UNSUPPORTED));
        assertThatThrownBy(
                        () -> net.homa(options -> options.encapsulation(tunnel).datapath(Datapath.PORTABLE)))
                .isInstanceOf(HomaOpenException.class)
                .hasMessageContaining("udp-tunnel");
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "[::1]"})
    void callsGoOverIpProtocol146WhereRawSocketsAreAllowed(String host) throws Exception {
        Homa far;
        try {
            far = net.homa(options -> options.encapsulation(Encapsulation.IP));
        } catch (HomaOpenException e) {
            assumeTrue(false, e.getMessage());
            return;
        }
        Homa near = net.homa(options -> options.encapsulation(Encapsulation.IP));
        HomaServer server = far.serve(0, request -> request.reply(request.segment()));
        HomaAddress address = HomaAddress.parse("homa+ip://" + host + ":" + server.port());
        byte[] request = Loopback.bytes(300_000, 7);
        for (int i = 0; i < 20; i++) {
            try (Reply reply = near.call(address, request)) {
                assertThat(reply.bytes()).isEqualTo(request);
            }
        }
        server.close();
        assertThatThrownBy(() -> near.call(address, new byte[10]))
                .isInstanceOfSatisfying(
                        HomaRpcException.class, e -> assertThat(e.reason()).isEqualTo(Reason.NO_SERVER));
        Homa other = net.homa();
        assertThatThrownBy(() -> other.call(address, new byte[10]))
                .isInstanceOf(HomaAddressException.class)
                .hasMessageContaining("encapsulation ip");
    }

    private static int freePort(InetAddress one, InetAddress other) throws IOException {
        try (DatagramSocket first = new DatagramSocket(0, one);
                DatagramSocket second = new DatagramSocket(first.getLocalPort(), other)) {
            return second.getLocalPort();
        }
    }

    @Test
    void cancellingAFutureForgetsTheRpcAndItsMemory() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        HomaServer server = net.homa().serve(0, request -> arrived.countDown());
        Homa client = net.homa();
        CompletableFuture<Reply> future = client.callAsync(server.address(), new byte[200_000]);
        Loopback.await(arrived);
        assertThat(future.cancel(true)).isTrue();
        assertThatThrownBy(future::get).isInstanceOf(CancellationException.class);
        Loopback.until(
                "the engine has let go of the request", () -> client.buffers().usedBytes() == 0);
        assertThat(client.callAsync(server.address(), new byte[5], Duration.ofDays(1))
                        .orTimeout(10, TimeUnit.MILLISECONDS))
                .failsWithin(Loopback.PATIENCE);
        Loopback.until("orTimeout forgets the RPC too", () -> client.buffers().usedBytes() == 0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anInterruptEndsABlockingCall(boolean virtual) throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        HomaServer server = net.homa().serve(0, request -> arrived.countDown());
        Homa client = net.homa();
        CompletableFuture<Object> outcome = new CompletableFuture<>();
        Runnable caller = () -> {
            outcome.complete(failureOf(() -> client.call(server.address(), new byte[10])));
        };
        Thread thread =
                virtual ? Thread.ofVirtual().start(caller) : Thread.ofPlatform().start(caller);
        Loopback.await(arrived);
        thread.interrupt();
        assertThat(outcome.get(60, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
        Loopback.until(
                "the engine has let go of the request", () -> client.buffers().usedBytes() == 0);
        // The engine and its channels have survived.
        HomaServer echo = net.homa().serve(0, request -> request.reply(request.segment()));
        try (Reply reply = client.call(echo.address(), new byte[] {3})) {
            assertThat(reply.bytes()).containsExactly(3);
        }
    }

    @Test
    void aThreadThatIsAlreadyInterruptedGetsItsExceptionAndHarmsNobody() throws Exception {
        HomaServer server = net.homa().serve(0, request -> {});
        Homa client = net.homa();
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> client.call(server.address(), new byte[10])).isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isFalse();
        Thread.currentThread().interrupt();
        CompletableFuture<Reply> future = client.callAsync(server.address(), new byte[10]);
        assertThat(Thread.interrupted())
                .as("asynchronous calls leave the status alone")
                .isTrue();
        assertThat(future.isDone()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void callsSurviveABadNetwork(long seed) throws Exception {
        FaultyDriver.Faults faults = new FaultyDriver.Faults(0.05, 0.05, 0.1, 0.02, 2_000_000);
        HomaServer server = net.homa(
                        options -> options.set("mtu", "1500").driver(driver -> new FaultyDriver(driver, faults, seed)))
                .serve(0, request -> request.reply(request.segment()));
        Homa client = net.homa(
                options -> options.set("mtu", "1500").driver(driver -> new FaultyDriver(driver, faults, seed + 100)));
        List<CompletableFuture<Reply>> replies = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            replies.add(client.callAsync(server.address(), Loopback.bytes(1 + i * 397, i)));
            if (replies.size() >= 16) {
                check(replies.removeFirst(), i - 15);
            }
        }
        for (int i = 0; i < 15; i++) {
            check(replies.get(i), 185 + i);
        }
        for (String fault : List.of("lost", "duplicated", "reordered", "delayed")) {
            assertThat(client.counter("faults_" + fault))
                    .as("%s, seed %d", fault, seed)
                    .isPositive();
        }
    }

    private static void check(CompletableFuture<Reply> future, int i) throws Exception {
        try (Reply reply = future.get(60, TimeUnit.SECONDS)) {
            assertThat(reply.bytes()).isEqualTo(Loopback.bytes(1 + i * 397, i));
        }
    }
}
