package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.homa4j.conformance.Pins;
import io.homa4j.driver.Datapath;
import io.homa4j.protocol.SocketInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The socket API of level 2 (spec api 18) over real UDP. */
class SocketTest {
    private final Loopback net = new Loopback();

    @AfterEach
    void close() {
        net.close();
    }

    @Test
    void oneSocketIsClientAndServerAtOnce() throws Exception {
        HomaSocket a = net.homa().openSocket(0);
        HomaSocket b = net.homa().openSocket(0);
        HomaAddress toB = HomaAddress.of("127.0.0.1", b.port());
        HomaAddress toA = HomaAddress.of("::1", a.port());
        long idA = a.send(toB, new byte[] {1}, "from a");
        long idB = b.send(toA, new byte[] {2}, "from b");
        assertThat(idA & 1).as("client ids are even (spec api 1)").isZero();
        // Both first take what they are asked: the two ways have no order between them.
        HomaMessage askedB = takeRequest(b, 1);
        HomaMessage askedA = takeRequest(a, 2);
        b.reply(askedB, new byte[] {1, 1});
        a.reply(askedA, new byte[] {2, 2});
        try (HomaMessage outcome = a.receive()) {
            assertThat(outcome.isRequest()).isFalse();
            assertThat(outcome.id()).isEqualTo(idA);
            assertThat(outcome.cookie()).isEqualTo("from a");
            assertThat(outcome.peer()).isEqualTo(toB);
            assertThat(outcome.failure()).isNull();
            assertThat(outcome.bytes()).containsExactly(1, 1);
        }
        try (HomaMessage outcome = b.receive()) {
            assertThat(outcome.id()).isEqualTo(idB);
            assertThat(outcome.cookie()).isEqualTo("from b");
        }
    }

    private static HomaMessage takeRequest(HomaSocket socket, int expected) throws InterruptedException {
        HomaMessage message = socket.receive();
        assertThat(message.isRequest()).isTrue();
        assertThat(message.id() & 1).as("server ids are odd (spec api 1)").isEqualTo(1);
        assertThat(message.cookie()).isNull();
        assertThat(message.bytes()).containsExactly(expected);
        return message;
    }

    @Test
    void sharedOutcomesComeInOrderOfReadinessWithTheirCookies() throws Exception {
        HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
        HomaSocket socket = net.homa().openSocket();
        Map<Long, Integer> sent = new HashMap<>();
        for (int i = 0; i < 100; i++) {
            sent.put(socket.send(server.address(), Loopback.bytes(1 + i * 91, i), i), i);
        }
        for (int i = 0; i < 100; i++) {
            try (HomaMessage outcome = socket.receive()) {
                int cookie = Objects.requireNonNull(sent.remove(outcome.id()));
                assertThat(outcome.cookie()).isEqualTo(cookie);
                assertThat(outcome.bytes()).isEqualTo(Loopback.bytes(1 + cookie * 91, cookie));
            }
        }
        assertThat(sent).isEmpty();
        assertThat(socket.poll()).isNull();
        assertThat(socket.receive(Duration.ofMillis(1))).isNull();
    }

    @Test
    void aFailedRpcIsAnOutcomeAndNotAFailureOfReceive() throws Exception {
        HomaServer gone = net.homa().serve(0, request -> {});
        HomaAddress nobody = gone.address();
        gone.closeNow();
        HomaSocket socket = net.homa(
                        options -> options.set("timeout_ticks", "50").datapath(Datapath.PORTABLE))
                .openSocket();
        long id = socket.send(nobody, new byte[1], "cookie");
        try (HomaMessage outcome = socket.receive()) {
            HomaRpcException failure = Objects.requireNonNull(outcome.failure());
            assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
            assertThat(failure.id()).isEqualTo(id);
            assertThat(failure.cookie()).isEqualTo("cookie");
            assertThat(outcome.cookie()).isEqualTo("cookie");
            assertThat(outcome.peer()).isEqualTo(nobody);
            assertThatThrownBy(outcome::bytes).isSameAs(failure);
        }
    }

    @Test
    void privateOutcomesDoNotDisturbSharedOnes() throws Exception {
        HomaServer server = net.homa().serve(0, request -> request.reply(request.segment()));
        HomaSocket socket = net.homa().openSocket();
        CompletableFuture<Reply> future = socket.callAsync(server.address(), new byte[] {1});
        try (Reply reply = socket.call(server.address(), new byte[] {2})) {
            assertThat(reply.bytes()).containsExactly(2);
        }
        try (Reply reply = future.get(60, TimeUnit.SECONDS)) {
            assertThat(reply.bytes()).containsExactly(1);
        }
        assertThat(socket.poll()).isNull();
    }

    @Test
    void abortedRpcsDeliverTheirCodeOrNothing() throws Exception {
        CountDownLatch arrived = new CountDownLatch(3);
        HomaServer server = net.homa().serve(0, request -> arrived.countDown());
        HomaSocket socket = net.homa().openSocket();
        long silent = socket.send(server.address(), new byte[1], "silent");
        long loud = socket.send(server.address(), new byte[1], "loud");
        long last = socket.send(server.address(), new byte[1], "last");
        Loopback.await(arrived);
        assertThat(socket.abort(silent)).isTrue();
        assertThat(socket.abort(silent)).as("unknown by now").isFalse();
        assertThat(socket.abort(loud, 42)).isTrue();
        try (HomaMessage outcome = socket.receive()) {
            assertThat(outcome.id()).isEqualTo(loud);
            HomaRpcException failure = Objects.requireNonNull(outcome.failure());
            assertThat(failure.reason()).isEqualTo(Reason.ABORTED);
            assertThat(failure.abortCode()).isEqualTo(42);
        }
        assertThat(socket.abortAll(7)).isEqualTo(1);
        try (HomaMessage outcome = socket.receive()) {
            assertThat(outcome.id()).isEqualTo(last);
        }
        assertThat(socket.poll()).as("nothing is delivered for the silent one").isNull();
    }

    @Test
    @Pins({"S-281", "S-294"})
    void waitingThreadsAreServedNewestFirst() throws Exception {
        HomaSocket server = net.homa().openSocket(0);
        Homa client = net.homa();
        LinkedBlockingQueue<String> served = new LinkedBlockingQueue<>();
        List<Thread> threads = new ArrayList<>();
        for (String name : List.of("first", "second", "third")) {
            Thread thread = Thread.ofVirtual().start(() -> {
                try {
                    HomaMessage message = server.receive();
                    served.add(name);
                    server.reply(message, new byte[1]);
                } catch (InterruptedException e) {
                    served.add("interrupted " + name);
                }
            });
            threads.add(thread);
            Loopback.until(name + " waits", () -> thread.getState() == Thread.State.WAITING);
        }
        HomaAddress to = HomaAddress.of("127.0.0.1", server.port());
        for (String expected : List.of("third", "second", "first")) {
            client.call(to, new byte[1]).close();
            assertThat(served.poll(60, TimeUnit.SECONDS)).as("spec api 7").isEqualTo(expected);
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    @Test
    void aCallbackTakesWhatIsReady() throws Exception {
        HomaSocket server = net.homa().openSocket(0);
        server.onReadable(() -> {
            for (HomaMessage message = server.poll(); message != null; message = server.poll()) {
                server.reply(message, message.segment());
            }
        });
        HomaSocket client = net.homa().openSocket();
        HomaAddress to = HomaAddress.of("127.0.0.1", server.port());
        CountDownLatch done = new CountDownLatch(500);
        client.onReadable(() -> {
            for (HomaMessage message = client.poll(); message != null; message = client.poll()) {
                assertThat(message.byteAt(0)).isEqualTo((byte) 5);
                message.close();
                done.countDown();
                if (done.getCount() > 9 && client.trySend(to, new byte[] {5}, null) == 0) {
                    throw new AssertionError("ten messages cannot reach the limit");
                }
            }
        });
        for (int i = 0; i < 10; i++) {
            client.send(to, new byte[] {5}, null);
        }
        Loopback.await(done);
    }

    @Test
    void infoShowsWhatIsOpen() throws Exception {
        HomaSocket server = net.homa().openSocket(0);
        Homa homa = net.homa();
        HomaSocket client = homa.openSocket();
        long id = client.send(HomaAddress.of("127.0.0.1", server.port()), new byte[123], "c");
        HomaMessage request = server.receive();
        SocketInfo atServer = server.info();
        assertThat(atServer.port()).isEqualTo(server.port());
        assertThat(atServer.acceptsRequests()).isTrue();
        assertThat(atServer.inService()).isEqualTo(1);
        SocketInfo atClient = client.info();
        assertThat(atClient.acceptsRequests()).isFalse();
        assertThat(atClient.rpcs()).singleElement().satisfies(rpc -> {
            assertThat(rpc.id()).isEqualTo(id);
            assertThat(rpc.sendLength()).isEqualTo(123);
        });
        server.reply(request, new byte[1]);
        client.receive().close();
        assertThat(client.info().rpcs()).isEmpty();
    }

    @Test
    void requestsAreTakenOnlyWhileAccepted() throws Exception {
        HomaSocket server = net.homa().openSocket();
        Homa client = net.homa(options -> options.set("timeout_ticks", "400"));
        HomaAddress to = HomaAddress.of("127.0.0.1", server.port());
        assertThatThrownBy(() -> client.call(to, new byte[1])).isInstanceOf(HomaRpcException.class);
        server.acceptRequests(true);
        CompletableFuture<Reply> reply = client.callAsync(to, new byte[1]);
        server.reply(server.receive(), new byte[] {8});
        try (Reply answer = reply.get(60, TimeUnit.SECONDS)) {
            assertThat(answer.bytes()).containsExactly(8);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Pins({"S-271", "S-396"})
    void shutdownWakesWhoeverWaits(boolean virtual) throws Exception {
        HomaSocket socket = net.homa().openSocket(0);
        CompletableFuture<Throwable> outcome = new CompletableFuture<>();
        Runnable waiting = () -> {
            try {
                socket.receive();
            } catch (Throwable e) {
                outcome.complete(e);
            }
        };
        Thread thread = virtual
                ? Thread.ofVirtual().start(waiting)
                : Thread.ofPlatform().start(waiting);
        CompletableFuture<Reply> call = socket.callAsync(
                HomaAddress.of("127.0.0.1", net.homa().serve(0, r -> {}).port()), new byte[1]);
        if (virtual) {
            Loopback.until("it waits", () -> thread.getState() == Thread.State.WAITING);
        }
        socket.shutdown();
        assertThat(outcome.get(60, TimeUnit.SECONDS)).isInstanceOf(HomaClosedException.class);
        assertThat(call).failsWithin(Loopback.PATIENCE);
        assertThatThrownBy(() -> socket.send(HomaAddress.of("127.0.0.1", 9), new byte[1], null))
                .isInstanceOf(HomaClosedException.class);
        assertThatThrownBy(socket::receive).isInstanceOf(HomaClosedException.class);
        assertThatThrownBy(socket::info).isInstanceOf(HomaClosedException.class);
        socket.shutdown();
        socket.close();
    }

    @Test
    @Pins("S-289")
    void anInterruptedReceiverLosesNoMessage() throws Exception {
        HomaSocket server = net.homa().openSocket(0);
        CompletableFuture<Throwable> outcome = new CompletableFuture<>();
        Thread receiver = Thread.ofVirtual().start(() -> {
            try {
                server.receive().close();
                outcome.complete(new AssertionError("received"));
            } catch (Throwable e) {
                outcome.complete(e);
            }
        });
        Loopback.until("it waits", () -> receiver.getState() == Thread.State.WAITING);
        receiver.interrupt();
        assertThat(outcome.get(60, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
        CompletableFuture<Reply> reply =
                net.homa().callAsync(HomaAddress.of("127.0.0.1", server.port()), new byte[] {6});
        HomaMessage message = server.receive();
        assertThat(message.bytes()).containsExactly(6);
        server.reply(message, new byte[1]);
        reply.get(60, TimeUnit.SECONDS).close();
    }

    @Test
    @Pins({"S-284", "S-290"})
    void aReadyMessageIsReceivedWithoutWaitingAndWinsOverAnInterrupt() throws Exception {
        HomaSocket server = net.homa().openSocket(0);
        CompletableFuture<Reply> reply =
                net.homa().callAsync(HomaAddress.of("127.0.0.1", server.port()), new byte[] {7});
        Loopback.until("the request is ready", () -> server.info().ready() == 1);
        Thread.currentThread().interrupt();
        HomaMessage message = server.receive();
        assertThat(Thread.interrupted()).as("the interrupt is kept for later").isTrue();
        assertThat(message.bytes()).containsExactly(7);
        server.reply(message, new byte[1]);
        reply.get(60, TimeUnit.SECONDS).close();
    }
}
