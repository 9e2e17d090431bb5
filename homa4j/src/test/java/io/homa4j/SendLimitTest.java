package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.homa4j.conformance.Pins;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What happens when too much is on its way (spec api 13): waiting, refusing, going on when there is room. */
class SendLimitTest {
    private final Loopback net = new Loopback();
    private final List<Request> unanswered = new ArrayList<>();
    private HomaAddress to;

    @BeforeEach
    void serve() {
        to = net.homa()
                .server(0)
                .shortHandler()
                .open(request -> {
                    synchronized (unanswered) {
                        unanswered.add(request);
                    }
                })
                .address();
    }

    @AfterEach
    void close() {
        net.close();
    }

    private void answerAll() {
        synchronized (unanswered) {
            unanswered.forEach(request -> request.reply(new byte[] {1}));
            unanswered.clear();
        }
    }

    private int arrived() {
        synchronized (unanswered) {
            return unanswered.size();
        }
    }

    @Test
    @Pins("S-274")
    void trySendRefusesAtTheSocketsLimitAndSendWaits() throws Exception {
        HomaSocket socket =
                net.homa(options -> options.set("max_outgoing", "2")).openSocket();
        assertThat(socket.trySend(to, new byte[10], null)).isPositive();
        assertThat(socket.trySend(to, new byte[10], null)).isPositive();
        assertThat(socket.trySend(to, new byte[10], null)).isZero();
        CompletableFuture<Long> waiting = new CompletableFuture<>();
        Thread sender = Thread.ofVirtual().start(() -> {
            try {
                waiting.complete(socket.send(to, new byte[10], "third"));
            } catch (Throwable e) {
                waiting.completeExceptionally(e);
            }
        });
        Loopback.until("the third sender waits", () -> sender.getState() == Thread.State.WAITING);
        Loopback.until("two have arrived", () -> arrived() == 2);
        assertThat(waiting).isNotDone();
        answerAll();
        // An RPC ends when its outcome is received (spec api 13).
        socket.receive().close();
        assertThat(waiting.get(60, TimeUnit.SECONDS)).isPositive();
    }

    /** A socket at its limit of one message, and a thread that waits to send a second; how the send ends. */
    private CompletableFuture<Throwable> waitingSender(HomaSocket socket, List<Thread> threads) {
        CompletableFuture<Throwable> outcome = new CompletableFuture<>();
        Thread sender = Thread.ofVirtual().start(() -> {
            try {
                socket.send(to, new byte[10], null);
                outcome.complete(new AssertionError("sent"));
            } catch (Throwable e) {
                outcome.complete(e);
            }
        });
        threads.add(sender);
        Loopback.until("the sender waits", () -> sender.getState() == Thread.State.WAITING);
        return outcome;
    }

    @Test
    @Pins({"S-271", "S-275"})
    void shutdownWakesAllWaitingSenders() throws Exception {
        HomaSocket socket =
                net.homa(options -> options.set("max_outgoing", "1")).openSocket();
        socket.send(to, new byte[10], null);
        List<Thread> threads = new ArrayList<>();
        CompletableFuture<Throwable> first = waitingSender(socket, threads);
        CompletableFuture<Throwable> second = waitingSender(socket, threads);
        socket.shutdown();
        assertThat(first.get(60, TimeUnit.SECONDS)).isInstanceOf(HomaClosedException.class);
        assertThat(second.get(60, TimeUnit.SECONDS)).isInstanceOf(HomaClosedException.class);
    }

    @Test
    @Pins("S-277")
    void anInterruptedSenderGivesUpAndNothingIsSent() throws Exception {
        HomaSocket socket =
                net.homa(options -> options.set("max_outgoing", "1")).openSocket();
        socket.send(to, new byte[10], "first");
        List<Thread> threads = new ArrayList<>();
        CompletableFuture<Throwable> outcome = waitingSender(socket, threads);
        threads.getFirst().interrupt();
        assertThat(outcome.get(60, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
        Loopback.until("the first has arrived", () -> arrived() == 1);
        answerAll();
        socket.receive().close();
        assertThat(socket.info().rpcs()).isEmpty();
        assertThat(socket.trySend(to, new byte[10], "next")).isPositive();
        Loopback.until("the next has arrived, alone", () -> arrived() == 1);
    }

    @Test
    void asynchronousCallsWaitForTheSocketsLimitInOrder() throws Exception {
        Homa client = net.homa(options -> options.set("max_outgoing", "1"));
        List<CompletableFuture<Reply>> replies = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            replies.add(client.callAsync(to, new byte[] {(byte) i}));
        }
        for (CompletableFuture<Reply> reply : replies) {
            Loopback.until("the next one is there, alone", () -> arrived() == 1);
            answerAll();
            reply.get(60, TimeUnit.SECONDS).close();
        }
    }

    @Test
    void aSocketThatIsFullDelaysNoOther() throws Exception {
        Homa homa = net.homa(options -> options.set("max_outgoing", "1"));
        HomaSocket full = homa.openSocket();
        HomaSocket other = homa.openSocket();
        HomaServer neverAnswers = net.homa().serve(0, request -> {});
        full.send(neverAnswers.address(), new byte[10], null);
        List<Thread> threads = new ArrayList<>();
        CompletableFuture<Throwable> stuck = waitingSender(full, threads);
        CompletableFuture<Reply> first = other.callAsync(to, new byte[] {1}, Loopback.PATIENCE);
        CompletableFuture<Reply> second = other.callAsync(to, new byte[] {2}, Loopback.PATIENCE);
        for (CompletableFuture<Reply> reply : List.of(first, second)) {
            Loopback.until("the next one is there, alone", () -> arrived() == 1);
            answerAll();
            reply.get(60, TimeUnit.SECONDS).close();
        }
        assertThat(stuck).isNotDone();
        homa.closeNow();
        assertThat(stuck.get(60, TimeUnit.SECONDS)).isInstanceOf(HomaClosedException.class);
    }

    @Test
    @Pins("S-278")
    void aCallThatCannotEvenBeSentEndsAtItsDeadline() throws Exception {
        Homa client = net.homa(options -> options.set("max_outgoing", "1"));
        CompletableFuture<Reply> first = client.callAsync(to, new byte[1]);
        assertThatThrownBy(() -> client.call(to, new byte[1], Duration.ofMillis(20)))
                .isInstanceOfSatisfying(
                        HomaRpcException.class, e -> assertThat(e.reason()).isEqualTo(Reason.DEADLINE));
        Loopback.until("the first has arrived", () -> arrived() == 1);
        answerAll();
        first.get(60, TimeUnit.SECONDS).close();
    }

    @Test
    void withoutSendMemoryAsynchronousCallsFailAndBlockingOnesWait() throws Exception {
        Homa client = net.homa(options -> options.sendMemory(1 << 20));
        HomaBuffer all = client.buffers().take(1_000_000);
        assertThat(client.buffers().tryTake(1)).isNull();
        assertThat(client.callAsync(to, new byte[1]))
                .failsWithin(Loopback.PATIENCE)
                .withThrowableOfType(ExecutionException.class)
                .havingCause()
                .isInstanceOfSatisfying(
                        HomaLimitException.class, e -> assertThat(e.reason()).isEqualTo(Reason.SEND_LIMIT));
        assertThatThrownBy(() -> client.call(to, new byte[1], Duration.ofMillis(20)))
                .isInstanceOf(HomaLimitException.class);
        CompletableFuture<Reply> waiting = new CompletableFuture<>();
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                waiting.complete(client.call(to, new byte[1]));
            } catch (Throwable e) {
                waiting.completeExceptionally(e);
            }
        });
        Loopback.until("it waits", () -> caller.getState() == Thread.State.WAITING);
        all.close();
        Loopback.until("its request is there", () -> arrived() == 1);
        answerAll();
        waiting.get(60, TimeUnit.SECONDS).close();
    }

    @Test
    void aHandlerWaitsForSendMemoryAndAShortOneIsTold() throws Exception {
        Homa homa = net.homa(options -> options.sendMemory(1 << 20));
        HomaBuffer all = homa.buffers().take(1_000_000);
        List<SendBuffer> reserve = takeReserve(homa.openSocket().core().loop.sendSpace);
        CompletableFuture<Throwable> refused = new CompletableFuture<>();
        HomaServer quick = homa.server(0).shortHandler().open(request -> {
            assertThat(request.tryReply(new byte[1])).isFalse();
            try {
                request.reply(new byte[1]);
            } catch (HomaLimitException e) {
                refused.complete(e);
            }
        });
        Homa client = net.homa();
        CompletableFuture<Reply> never = client.callAsync(quick.address(), new byte[1]);
        assertThat(refused.get(60, TimeUnit.SECONDS)).hasMessageContaining("send memory");
        never.cancel(true);

        CompletableFuture<Thread> answering = new CompletableFuture<>();
        HomaServer patient = homa.serve(0, request -> {
            answering.complete(Thread.currentThread());
            request.reply(new byte[] {3});
        });
        CompletableFuture<Reply> reply = client.callAsync(patient.address(), new byte[1]);
        Thread handler = answering.get(60, TimeUnit.SECONDS);
        Loopback.until("the handler waits", () -> handler.getState() == Thread.State.WAITING);
        quick.core().loop.sendSpace.giveBack(reserve.getFirst());
        try (Reply answer = reply.get(60, TimeUnit.SECONDS)) {
            assertThat(answer.bytes()).containsExactly(3);
        }
        all.close();
    }

    /** All that responses may have and requests may not. */
    private static List<SendBuffer> takeReserve(SendSpace space) {
        List<SendBuffer> all = new ArrayList<>();
        for (SendBuffer buffer = space.tryTake(1, true); buffer != null; buffer = space.tryTake(1, true)) {
            all.add(buffer);
        }
        assertThat(all).isNotEmpty();
        return all;
    }

    /** Two hosts may call each other until their memory is full, and both will still answer. */
    @Test
    void requestsThatFillTheSendMemoryKeepNoResponseOut() throws Exception {
        Homa homa = net.homa(options -> options.sendMemory(1 << 20));
        HomaServer server = homa.serve(0, request -> request.reply(request.segment()));
        HomaServer quick = homa.server(0).shortHandler().open(request -> request.reply(request.segment()));
        CompletableFuture<Reply> own = homa.callAsync(to, new byte[1_000_000]);
        assertThat(homa.buffers().tryTake(1)).as("nothing is left").isNull();
        Homa client = net.homa();
        client.call(quick.address(), new byte[1]).close();
        for (int length : new int[] {1, 300, 1_000_000}) {
            try (Reply reply = client.call(server.address(), new byte[length])) {
                assertThat(reply.length()).isEqualTo(length);
            }
        }
        assertThat(own).isNotDone();
        Loopback.until("the own request is there", () -> arrived() == 1);
        answerAll();
        own.get(60, TimeUnit.SECONDS).close();
        Loopback.until("all memory came back", () -> homa.buffers().usedBytes() == 0);
    }

    /** A response that waits for the limit of responses does not wait behind requests, which have a limit of their own. */
    @Test
    void aRequestThatWaitsForTheSocketsLimitHoldsNoResponseUp() throws Exception {
        Homa homa = net.homa(options -> options.set("max_outgoing", "1"));
        HomaSocket socket = homa.openSocket(0);
        HomaServer neverAnswers = net.homa().serve(0, request -> {});
        socket.send(neverAnswers.address(), new byte[10], null);
        List<Thread> threads = new ArrayList<>();
        CompletableFuture<Throwable> stuck = waitingSender(socket, threads);
        Homa client = net.homa();
        HomaAddress here = HomaAddress.of("localhost", socket.port());
        List<CompletableFuture<Reply>> replies = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            replies.add(client.callAsync(here, new byte[] {(byte) i}));
        }
        List<HomaMessage> requests = new ArrayList<>();
        while (requests.size() < 5) {
            requests.add(socket.receive());
        }
        requests.forEach(request -> socket.reply(request, request.bytes()));
        for (CompletableFuture<Reply> reply : replies) {
            reply.get(60, TimeUnit.SECONDS).close();
        }
        assertThat(stuck).isNotDone();
        homa.closeNow();
        assertThat(stuck.get(60, TimeUnit.SECONDS)).isInstanceOf(HomaClosedException.class);
    }
}
