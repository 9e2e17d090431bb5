package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.homa4j.conformance.Pins;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Threads that wait at a socket: who is woken, by what, and that nothing is lost (spec api 6, 7, 11, 13). */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SocketWaitTest {
    private Homa homa;
    private HomaSocket socket;
    private HomaSocket client;
    private HomaAddress here;
    /** Swallows requests: nobody answers there. */
    private DatagramSocket silent;

    private final List<Thread> threads = new ArrayList<>();

    @BeforeEach
    void open() throws IOException {
        homa = Homa.builder().set("wmem_max", "10000").open();
        socket = homa.openSocket(0);
        client = homa.openSocket();
        here = HomaAddress.of("127.0.0.1", socket.port());
        silent = new DatagramSocket(0, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void close() throws InterruptedException {
        homa.closeNow();
        silent.close();
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /** What a thread of its own made of the action. */
    private <T> CompletableFuture<T> start(Callable<T> action) {
        CompletableFuture<T> outcome = new CompletableFuture<>();
        threads.add(Thread.ofPlatform().start(() -> {
            try {
                outcome.complete(action.call());
            } catch (Throwable e) {
                outcome.completeExceptionally(e);
            }
        }));
        return outcome;
    }

    private Thread lastStarted() {
        return threads.getLast();
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }

    /** How many operations and sockets the engine has to be turned for. */
    private int attention() {
        EngineLoop loop = socket.core().loop;
        return loop.ask(loop::attention, -1);
    }

    /** Starts an action and waits until the engine knows that it waits. */
    private <T> CompletableFuture<T> startWaiting(Callable<T> action) {
        int before = attention();
        CompletableFuture<T> outcome = start(action);
        await(() -> attention() > before || outcome.isDone());
        assertThat(outcome).isNotDone();
        return outcome;
    }

    private CompletableFuture<HomaMessage> receiver() {
        return startWaiting(() -> socket.receive());
    }

    /** Sends a message of one byte to the socket, from another one. */
    private void sendToSocket(int value) throws InterruptedException {
        client.send(here, new byte[] {(byte) value}, null);
    }

    private static int value(CompletableFuture<HomaMessage> received) throws Exception {
        try (HomaMessage message = received.get()) {
            return message.byteAt(0);
        }
    }

    private static void assertFails(CompletableFuture<?> outcome, Class<? extends Throwable> error) {
        assertThatThrownBy(outcome::get).hasCauseInstanceOf(error);
    }

    // ---- receivers

    @Test
    @Pins({"P-208", "S-281", "S-294"})
    void oneWaiterGetsTheMessageTheNewestFirst() throws Exception {
        CompletableFuture<HomaMessage> first = receiver();
        CompletableFuture<HomaMessage> second = receiver();
        CompletableFuture<HomaMessage> third = receiver();
        sendToSocket(1);
        assertThat(value(third)).isEqualTo(1);
        assertThat(first).isNotDone();
        assertThat(second).isNotDone();
        sendToSocket(2);
        assertThat(value(second)).isEqualTo(2);
        assertThat(first).isNotDone();
        sendToSocket(3);
        assertThat(value(first)).isEqualTo(3);
    }

    @Test
    @Pins("S-284")
    void readyMessageIsTakenWithoutWaiting() throws Exception {
        sendToSocket(1);
        await(() -> socket.info().ready() == 1);
        int before = attention();
        try (HomaMessage message = socket.receive()) {
            assertThat(message.byteAt(0)).isEqualTo((byte) 1);
        }
        assertThat(attention()).isEqualTo(before);
        assertThat(socket.poll()).isNull();
    }

    @Test
    @Pins({"P-202", "S-289"})
    void interruptEndsTheWait() {
        int before = attention();
        CompletableFuture<HomaMessage> received = receiver();
        lastStarted().interrupt();
        assertFails(received, InterruptedException.class);
        assertThat(attention()).isEqualTo(before);
    }

    @Test
    @Pins("S-283")
    void interruptedWaiterRemovesOnlyItself() throws Exception {
        CompletableFuture<HomaMessage> first = receiver();
        CompletableFuture<HomaMessage> second = receiver();
        Thread interrupted = lastStarted();
        CompletableFuture<HomaMessage> third = receiver();
        interrupted.interrupt();
        assertFails(second, InterruptedException.class);
        sendToSocket(1);
        assertThat(value(third)).isEqualTo(1);
        sendToSocket(2);
        assertThat(value(first)).isEqualTo(2);
    }

    /** Whichever comes first, the message is with the waiter or still in the queue. */
    @Test
    @Pins({"P-196", "S-290"})
    void messageAtTheMomentOfAnInterruptIsNotLost() throws Exception {
        int delivered = 0;
        int interrupted = 0;
        for (int round = 0; round < 300; round++) {
            CompletableFuture<HomaMessage> received = receiver();
            Thread waiter = lastStarted();
            if (round % 2 == 0) {
                sendToSocket(round);
                waiter.interrupt();
            } else {
                waiter.interrupt();
                sendToSocket(round);
            }
            HomaMessage message;
            try {
                message = received.get();
                delivered++;
            } catch (ExecutionException e) {
                assertThat(e).hasCauseInstanceOf(InterruptedException.class);
                interrupted++;
                message = socket.receive();
            }
            assertThat(message.byteAt(0)).as("round %d", round).isEqualTo((byte) round);
            message.close();
            waiter.join();
            threads.remove(waiter);
        }
        assertThat(delivered + interrupted).isEqualTo(300);
        assertThat(socket.poll()).isNull();
    }

    @Test
    @Pins({"P-203", "S-271", "S-396"})
    void shutdownWakesAllReceiversAndNobodyWaitsAfterwards() {
        CompletableFuture<HomaMessage> first = receiver();
        CompletableFuture<HomaMessage> second = receiver();
        CompletableFuture<Reply> call = startWaiting(() -> socket.call(nobody(), new byte[1], Duration.ofMinutes(5)));
        socket.shutdown();
        assertFails(first, HomaClosedException.class);
        assertFails(second, HomaClosedException.class);
        assertFails(call, HomaException.class);
        assertThatThrownBy(() -> socket.receive()).isInstanceOf(HomaClosedException.class);
        assertThatThrownBy(() -> socket.poll()).isInstanceOf(HomaClosedException.class);
        assertThatThrownBy(() -> socket.send(here, new byte[1], null)).isInstanceOf(HomaClosedException.class);
        assertThatThrownBy(() -> socket.trySend(here, new byte[1], null)).isInstanceOf(HomaClosedException.class);
    }

    /** A virtual thread parks, so that its carrier is free; the message wakes it. */
    @Test
    @Pins("S-288")
    void waiterSleepsUntilItsMessageComes() throws Exception {
        CompletableFuture<Integer> received = new CompletableFuture<>();
        Thread waiter = Thread.ofVirtual().start(() -> {
            try (HomaMessage message = socket.receive()) {
                received.complete((int) message.byteAt(0));
            } catch (InterruptedException | RuntimeException e) {
                received.completeExceptionally(e);
            }
        });
        await(() -> waiter.getState() == Thread.State.WAITING);
        sendToSocket(7);
        assertThat(received.get()).isEqualTo(7);
    }

    // ---- senders: the socket holds at most 10000 bytes of messages not yet released

    private HomaAddress nobody() {
        return HomaAddress.of("127.0.0.1", silent.getLocalPort());
    }

    /** Fills the limit with a request that nobody answers; its id. */
    private long fill() throws InterruptedException {
        return socket.send(nobody(), new byte[10_000], null);
    }

    private <T> CompletableFuture<T> startBlocked(Callable<T> action) {
        EngineLoop loop = socket.core().loop;
        CompletableFuture<T> outcome = start(action);
        await(() -> loop.ask(() -> !socket.core().deferredSends.isEmpty(), false) || outcome.isDone());
        assertThat(outcome).isNotDone();
        return outcome;
    }

    @Test
    @Pins("S-274")
    void blockedSenderGoesOnWhenMemoryIsFree() throws Exception {
        long first = fill();
        assertThat(socket.trySend(nobody(), new byte[1], null)).isZero();
        CompletableFuture<Long> second = startBlocked(() -> socket.send(nobody(), new byte[2_000], null));
        assertThat(socket.info().rpcs()).hasSize(1);
        assertThat(socket.abort(first)).isTrue();
        assertThat(second.get()).isGreaterThan(first);
        assertThat(socket.info().rpcs()).hasSize(1);
    }

    @Test
    @Pins("S-275")
    void shutdownWakesABlockedSender() throws Exception {
        fill();
        CompletableFuture<Long> blocked = startBlocked(() -> socket.send(nobody(), new byte[1], null));
        socket.shutdown();
        assertFails(blocked, HomaClosedException.class);
    }

    @Test
    @Pins("S-277")
    void interruptEndsTheWaitOfASenderAndNothingIsSent() throws Exception {
        long first = fill();
        CompletableFuture<Long> blocked = startBlocked(() -> socket.send(nobody(), new byte[1], null));
        lastStarted().interrupt();
        assertFails(blocked, InterruptedException.class);
        assertThat(socket.info().rpcs()).hasSize(1);
        socket.abort(first);
        assertThat(socket.info().rpcs()).isEmpty();
    }

    @Test
    @Pins("S-278")
    void deadlineEndsTheWaitOfASenderAndNothingIsSent() throws Exception {
        long first = fill();
        assertThatThrownBy(() -> socket.call(nobody(), new byte[1], Duration.ofMillis(20)))
                .isInstanceOf(HomaException.class)
                .satisfies(e -> assertThat(((HomaException) e).reason()).isIn(Reason.DEADLINE, Reason.SEND_LIMIT));
        assertThat(socket.info().rpcs()).extracting(rpc -> rpc.id()).containsExactly(first);
    }
}
