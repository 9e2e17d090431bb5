package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What handlers may do, and what happens when they do not. */
class ServerTest {
    private final Loopback net = new Loopback();

    @AfterEach
    void close() {
        net.close();
    }

    @Test
    void aHandlerThatThrowsEndsItsRpcAndNoOther() throws Exception {
        AtomicInteger handled = new AtomicInteger();
        HomaServer server = net.homa().serve(0, request -> {
            handled.incrementAndGet();
            if (request.byteAt(0) == 1) {
                throw new IllegalStateException("as the test wants");
            }
            request.reply(request.segment());
        });
        Homa client = net.homa(options -> options.set("timeout_ticks", "500"));
        CompletableFuture<Reply> bad = client.callAsync(server.address(), new byte[] {1});
        try (Reply good = client.call(server.address(), new byte[] {2})) {
            assertThat(good.bytes()).containsExactly(2);
        }
        assertThat(bad)
                .failsWithin(Loopback.PATIENCE)
                .withThrowableOfType(ExecutionException.class)
                .havingCause()
                .isInstanceOf(HomaRpcException.class);
        assertThat(handled).as("the failed request is not run again").hasValue(2);
        Loopback.until("nothing is in service", () -> server.inService() == 0);
    }

    @Test
    void aSlowHandlerIsWaitedForLongerThanTheTimeout() throws Exception {
        CountDownLatch goOn = new CountDownLatch(1);
        HomaServer server = net.homa().serve(0, request -> {
            Loopback.await(goOn);
            request.reply(new byte[] {9});
        });
        Homa client = net.homa(options -> options.set("timeout_ticks", "500"));
        CompletableFuture<Reply> reply = client.callAsync(server.address(), new byte[1]);
        // They come after 5, 10, 20, 40, 80, 160 and then every 250 ms: more than a second.
        Loopback.until(
                "the client was told to be patient again and again", () -> client.counter("packets_rcvd_BUSY") >= 9);
        assertThat(reply).isNotDone();
        goOn.countDown();
        try (Reply late = reply.get(60, TimeUnit.SECONDS)) {
            assertThat(late.bytes()).containsExactly(9);
        }
    }

    @Test
    void aHandlerThatNeverAnswersIsGivenUpAfterTheServiceTimeLimit() {
        Homa homa = net.homa();
        HomaServer server =
                homa.server(0).serviceTimeLimit(Duration.ofMillis(30)).open(request -> {});
        Homa client = net.homa(options -> options.set("timeout_ticks", "60"));
        assertThatThrownBy(() -> client.call(server.address(), new byte[1]))
                .isInstanceOfSatisfying(
                        HomaRpcException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TIMEOUT));
        Loopback.until("the server has given the request up", () -> server.inService() == 0);
    }

    @Test
    void aRequestMayBeAnsweredLaterAndOnlyOnce() throws Exception {
        AtomicReference<Request> kept = new AtomicReference<>();
        CountDownLatch arrived = new CountDownLatch(1);
        HomaServer server = net.homa().serve(0, request -> {
            kept.set(request);
            arrived.countDown();
        });
        CompletableFuture<Reply> reply = net.homa().callAsync(server.address(), new byte[] {1, 2, 3});
        Loopback.await(arrived);
        Request request = kept.get();
        assertThat(request.bytes()).as("readable after the handler's return").containsExactly(1, 2, 3);
        request.reply(new byte[] {4});
        try (Reply answer = reply.get(60, TimeUnit.SECONDS)) {
            assertThat(answer.bytes()).containsExactly(4);
        }
        assertThatThrownBy(() -> request.reply(new byte[] {5})).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(request::bytes)
                .as("answering gave its memory back")
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void noMoreRequestsAreInServiceThanAllowed() throws Exception {
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        HomaServer server = net.homa().server(0).maxInService(3).open(request -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            Loopback.await(goOn);
            now.decrementAndGet();
            request.reply(request.segment());
        });
        Homa client = net.homa();
        List<CompletableFuture<Reply>> replies = IntStream.range(0, 20)
                .mapToObj(i -> client.callAsync(server.address(), new byte[] {(byte) i}))
                .toList();
        Loopback.until("three are in service", () -> now.get() == 3 && server.inService() == 3);
        Loopback.until("all others wait in the engine", () -> server.info().ready() == 17);
        goOn.countDown();
        for (int i = 0; i < replies.size(); i++) {
            try (Reply reply = replies.get(i).get(60, TimeUnit.SECONDS)) {
                assertThat(reply.bytes()).containsExactly(i);
            }
        }
        assertThat(most).hasValue(3);
    }

    @Test
    void aShortHandlerRunsWhereTheEngineIsTurned() throws Exception {
        AtomicReference<Thread> where = new AtomicReference<>();
        HomaServer server = net.homa().server(0).shortHandler().open(request -> {
            where.set(Thread.currentThread());
            request.reply(request.segment());
        });
        try (Reply reply = net.homa().call(server.address(), new byte[1])) {
            assertThat(reply.length()).isEqualTo(1);
        }
        assertThat(where.get().getName()).isEqualTo("homa-engine");
    }

    @Test
    void closeLetsHandlersFinishAndTheirAnswersArrive() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Homa homa = net.homa(options -> options.closeLinger(Loopback.PATIENCE));
        HomaServer server = homa.serve(0, request -> {
            arrived.countDown();
            Loopback.await(goOn);
            request.reply(Loopback.bytes(300_000, 5));
        });
        Homa client = net.homa();
        CompletableFuture<Reply> reply = client.callAsync(server.address(), new byte[1]);
        Loopback.await(arrived);
        Thread closer = Thread.ofPlatform().start(homa::close);
        Loopback.until(
                "it is closing",
                () -> closer.getState() != Thread.State.NEW && closer.getState() != Thread.State.RUNNABLE);
        goOn.countDown();
        try (Reply answer = reply.get(60, TimeUnit.SECONDS)) {
            assertThat(answer.bytes()).isEqualTo(Loopback.bytes(300_000, 5));
        }
        closer.join();
        assertThat(homa.isClosed()).isTrue();
        assertThatThrownBy(() -> homa.serve(0, request -> {})).isInstanceOf(HomaClosedException.class);
    }

    @Test
    void closeDuringCallsFailsThemWithClosedAfterTheLinger() throws Exception {
        CountDownLatch arrived = new CountDownLatch(2);
        HomaServer server = net.homa().serve(0, request -> arrived.countDown());
        Homa client = net.homa(options -> options.closeLinger(Duration.ofMillis(20)));
        CompletableFuture<Reply> asynchronous = client.callAsync(server.address(), new byte[1]);
        CompletableFuture<Throwable> blocking = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try (Reply reply = client.call(server.address(), new byte[1])) {
                blocking.complete(new AssertionError("answered with " + reply.length() + " bytes"));
            } catch (Throwable e) {
                blocking.complete(e);
            }
        });
        Loopback.await(arrived);
        client.close();
        assertThat(asynchronous)
                .failsWithin(Loopback.PATIENCE)
                .withThrowableOfType(ExecutionException.class)
                .havingCause()
                .isInstanceOf(HomaClosedException.class);
        assertThat(blocking.get(60, TimeUnit.SECONDS)).isInstanceOf(HomaClosedException.class);
        assertThatThrownBy(() -> client.call(server.address(), new byte[1])).isInstanceOf(HomaClosedException.class);
        assertThat(client.callAsync(server.address(), new byte[1])).isCompletedExceptionally();
    }

    @Test
    void aServerMayBeClosedFromItsOwnShortHandler() throws Exception {
        Homa homa = net.homa();
        AtomicReference<HomaServer> self = new AtomicReference<>();
        CountDownLatch known = new CountDownLatch(1);
        HomaServer server = homa.server(0).shortHandler().open(request -> {
            Loopback.await(known);
            request.reply(request.segment());
            self.get().close();
        });
        self.set(server);
        known.countDown();
        try (Reply reply = net.homa().call(server.address(), new byte[] {1})) {
            assertThat(reply.bytes()).containsExactly(1);
        }
        server.awaitClosed();
        HomaServer again = homa.serve(server.port(), request -> request.reply(request.segment()));
        assertThat(again.port()).as("the port is free again").isEqualTo(server.port());
    }

    @Test
    void whatCannotBeOpenedSaysWhyAndWhatToDo() throws Exception {
        HomaServer first = net.homa().serve(0, request -> {});
        Homa homa = net.homa();
        assertThatThrownBy(() -> homa.serve(first.port(), request -> {}))
                .isInstanceOfSatisfying(HomaOpenException.class, e -> {
                    assertThat(e.reason()).isEqualTo(Reason.PORT_IN_USE);
                    assertThat(e)
                            .hasMessageContaining("UDP port " + first.port())
                            .hasMessageContaining("in use");
                });
        InetAddress foreign = InetAddress.getByName("192.0.2.77");
        Homa elsewhere = net.homa(options -> options.bind(foreign));
        assertThatThrownBy(() -> elsewhere.serve(0, request -> {}))
                .isInstanceOfSatisfying(
                        HomaOpenException.class, e -> assertThat(e.reason()).isEqualTo(Reason.BAD_ADDRESS));
        assertThatThrownBy(() -> homa.serve(65_536, request -> {})).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Homa.builder().set("unsched_byte", "1"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("unsched_bytes");
        assertThatThrownBy(() -> Homa.builder().set("num_priorities", "-1").open())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("num_priorities");
    }
}
