package io.homa4j.grpc;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.homa4j.Homa;
import io.homa4j.driver.FaultyDriver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Calls of all kinds and sizes for a while, some cancelled, some with a deadline, over a network that loses, duplicates and reorders, to
 * a server that is replaced while it drains, stopped at once, or lost with its engine; on one port. Every call must end, with a status
 * that something explains; no call may be executed twice, and none that succeeded other than once; what a call brings must be what
 * was asked for. At the end nothing may be left: no stream, no RPC, no send memory, no thread.
 *
 * <pre>{@code scripts/soak-grpc.sh SECONDS [SEED]}</pre>
 */
final class Soak {
    private static final int WORKERS = 24;
    private static final FaultyDriver.Faults FAULTS = new FaultyDriver.Faults(0.003, 0.003, 0.01);
    /** A call that lasts longer is taken for one that never ends. */
    private static final long LONGEST_CALL_S = 120;

    private static final long LONGEST_END_S = 60;
    private static final long LOOK_AGAIN_NS = 10_000_000;
    private static final int MAX_BYTES = 3_000_000;
    /** Of a request: its number, the answers wanted, their length, whether the server shall keep silent. */
    private static final int HEADER_BYTES = 24;

    private enum Kind {
        UNARY,
        SERVER,
        CLIENT,
        BIDI
    }

    private static final List<Kind> KINDS = List.of(Kind.values());

    private final long seed;
    private final long endNs;
    private final AtomicLong numbers = new AtomicLong();
    /** How often each request was executed. */
    private final Map<Long, Integer> executions = new ConcurrentHashMap<>();

    private final Map<String, AtomicLong> outcomes = new ConcurrentHashMap<>();
    private final List<String> wrong = new ArrayList<>();
    private final AtomicLong serverStreamsBegun = new AtomicLong();
    private final AtomicLong serverStreamsEnded = new AtomicLong();
    private final AtomicLong restarts = new AtomicLong();
    private final List<Server> old = new ArrayList<>();
    private Homa serverHoma;
    private Server server;

    private Soak(double seconds, long seed) throws IOException {
        this.seed = seed;
        this.endNs = System.nanoTime() + (long) (seconds * 1e9);
        this.serverHoma = faulty(seed + 1);
        this.server = serve(0);
    }

    public static void main(String[] arguments) throws Exception {
        double seconds = Double.parseDouble(arguments[0]);
        long seed = arguments.length > 1 ? Long.parseLong(arguments[1]) : new Random().nextLong();
        List<String> wrong = run(seconds, seed);
        wrong.forEach(System.out::println);
        System.out.println(wrong.isEmpty() ? "clean" : "FAILED, seed " + seed);
        System.exit(wrong.isEmpty() ? 0 : 1);
    }

    /** What went wrong; empty if nothing did. Prints what happened. */
    static List<String> run(double seconds, long seed) throws Exception {
        Map<Thread, StackTraceElement[]> before = Thread.getAllStackTraces();
        Soak soak = new Soak(seconds, seed);
        soak.run();
        soak.checkThreads(before);
        System.out.println("seed " + seed + ", " + soak.numbers.get() + " calls, " + soak.restarts.get()
                + " restarts, outcomes " + new TreeMap<>(soak.outcomes));
        return soak.wrong;
    }

    private void run() throws Exception {
        Homa clientHoma = faulty(seed);
        ManagedChannel channel = HomaChannelBuilder.forAddress("127.0.0.1", server.getPort())
                .homa(clientHoma)
                .maxInboundMessageSize(2 * MAX_BYTES)
                .build();
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < WORKERS; i++) {
            Random random = new Random(seed * WORKERS + i);
            workers.add(Thread.ofVirtual().start(() -> work(channel, random)));
        }
        disturb(new Random(seed + 2));
        for (Thread worker : workers) {
            if (!worker.join(Duration.ofSeconds(LONGEST_CALL_S + LONGEST_END_S))) {
                wrong("a worker does not end");
            }
        }
        end(channel, clientHoma);
        checkExecutions();
    }

    // ---- the client

    private void work(ManagedChannel channel, Random random) {
        try {
            while (endNs - System.nanoTime() > 0) {
                new Exchange(channel, random).run();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            wrong("interrupted");
        } catch (RuntimeException e) {
            wrong("a call could not be made: " + e);
        }
    }

    /** One call. */
    private final class Exchange extends ClientCall.Listener<byte[]> {
        private final ManagedChannel channel;
        private final long number = numbers.incrementAndGet();
        private final Kind kind;
        private final int requests;
        private final int answersPerRequest;
        private final int requestBytes;
        private final int answerBytes;
        private final boolean isSilent;
        private final boolean isPatient;
        /** Milliseconds; 0: none. */
        private final int deadlineMs;
        /** Microseconds from the beginning; -1: not cancelled. */
        private final int cancelAfterUs;

        private final CountDownLatch closed = new CountDownLatch(1);
        private final AtomicLong answers = new AtomicLong();
        private volatile @Nullable Status status;

        Exchange(ManagedChannel channel, Random random) {
            this.channel = channel;
            kind = KINDS.get(random.nextInt(KINDS.size()));
            boolean isMany = kind == Kind.CLIENT || kind == Kind.BIDI;
            requests = isMany ? 1 + random.nextInt(20) : 1;
            answersPerRequest = kind == Kind.SERVER || kind == Kind.BIDI ? random.nextInt(8) : 1;
            requestBytes = HEADER_BYTES + size(random);
            answerBytes = size(random);
            isSilent = random.nextInt(20) == 0;
            isPatient = random.nextBoolean();
            boolean isCancelled = isSilent ? random.nextBoolean() : random.nextInt(10) == 0;
            cancelAfterUs = isCancelled ? random.nextInt(20_000) : -1;
            deadlineMs = isSilent && !isCancelled || random.nextInt(5) == 0 ? 1 + random.nextInt(300) : 0;
        }

        private int size(Random random) {
            int most = switch (random.nextInt(20)) {
                case 0 -> kind == Kind.UNARY ? MAX_BYTES : 300_000;
                case 1, 2, 3 -> 60_000;
                default -> 1_000;
            };
            return random.nextInt(most);
        }

        void run() throws InterruptedException {
            CallOptions options = isPatient ? CallOptions.DEFAULT.withWaitForReady() : CallOptions.DEFAULT;
            ClientCall<byte[], byte[]> call = channel.newCall(
                    switch (kind) {
                        case UNARY -> Bytes.UNARY;
                        case SERVER -> Bytes.SERVER;
                        case CLIENT -> Bytes.CLIENT;
                        case BIDI -> Bytes.BIDI;
                    },
                    deadlineMs == 0 ? options : options.withDeadlineAfter(deadlineMs, TimeUnit.MILLISECONDS));
            long startNs = System.nanoTime();
            call.start(this, new Metadata());
            call.request(Integer.MAX_VALUE);
            byte[] request = request();
            for (int i = 0; i < requests && status == null; i++) {
                if (cancelAfterUs >= 0 && System.nanoTime() - startNs > cancelAfterUs * 1000L) {
                    break;
                }
                call.sendMessage(request);
            }
            if (cancelAfterUs < 0) {
                call.halfClose();
            } else {
                LockSupport.parkNanos(cancelAfterUs * 1000L);
                call.cancel("no longer wanted", null);
            }
            if (!closed.await(LONGEST_CALL_S, TimeUnit.SECONDS)) {
                wrong("call " + number + " does not end: " + this);
                call.cancel("does not end", null);
            }
            check();
        }

        private byte[] request() {
            byte[] bytes = Bytes.pattern(requestBytes, (int) number);
            ByteBuffer.wrap(bytes)
                    .putLong(number)
                    .putInt(answersPerRequest)
                    .putInt(answerBytes)
                    .putInt(isSilent ? 1 : 0)
                    .putInt(requestBytes);
            return bytes;
        }

        @Override
        public void onMessage(byte[] answer) {
            answers.incrementAndGet();
            if (!Arrays.equals(answer, Bytes.pattern(answerBytes, (int) number))) {
                wrong("call " + number + " was answered with " + answer.length + " bytes that are not its own");
            }
        }

        @Override
        public void onClose(Status how, Metadata trailers) {
            status = how;
            closed.countDown();
        }

        private void check() {
            Status how = status;
            if (how == null) {
                return;
            }
            outcomes.computeIfAbsent(how.getCode().name(), ignored -> new AtomicLong())
                    .incrementAndGet();
            boolean isExplained = switch (how.getCode()) {
                case OK -> !isSilent && answers.get() == wantedAnswers();
                case CANCELLED -> cancelAfterUs >= 0;
                case DEADLINE_EXCEEDED -> deadlineMs > 0;
                case UNAVAILABLE -> true;
                default -> false;
            };
            if (!isExplained) {
                wrong("call " + number + " ended with " + how + " after " + answers + " answers: " + this);
            }
            if (how.isOk()) {
                if (executions.getOrDefault(number, 0) != 1) {
                    wrong("call " + number + " succeeded, and was executed " + executions.get(number) + " times");
                }
            }
        }

        private long wantedAnswers() {
            return switch (kind) {
                case UNARY, CLIENT -> 1;
                case SERVER -> answersPerRequest;
                case BIDI -> (long) requests * answersPerRequest;
            };
        }

        @Override
        public String toString() {
            return kind + ", " + requests + " requests of " + requestBytes + " bytes, " + answersPerRequest
                    + " answers each of " + answerBytes + ", " + (isSilent ? "silent server, " : "") + "deadline "
                    + deadlineMs + " ms, cancelled after " + cancelAfterUs + " us";
        }
    }

    // ---- the server

    private Server serve(int port) throws IOException {
        return HomaServerBuilder.forPort(port)
                .homa(serverHoma)
                .maxInboundMessageSize(2 * MAX_BYTES)
                .addStreamTracerFactory(new ServerStreamTracer.Factory() {
                    @Override
                    public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
                        serverStreamsBegun.incrementAndGet();
                        return new ServerStreamTracer() {
                            @Override
                            public void streamClosed(Status status) {
                                serverStreamsEnded.incrementAndGet();
                            }
                        };
                    }
                })
                .addService(ServerServiceDefinition.builder("homa4j.test.Bytes")
                        .addMethod(Bytes.UNARY, ServerCalls.asyncUnaryCall((request, answers) -> {
                            Serving serving = new Serving(answers);
                            serving.onNext(request);
                            serving.onCompleted();
                        }))
                        .addMethod(Bytes.SERVER, ServerCalls.asyncServerStreamingCall((request, answers) -> {
                            Serving serving = new Serving(answers);
                            serving.onNext(request);
                            serving.onCompleted();
                        }))
                        .addMethod(Bytes.CLIENT, ServerCalls.asyncClientStreamingCall(LastOnly::new))
                        .addMethod(Bytes.BIDI, ServerCalls.asyncBidiStreamingCall(Serving::new))
                        .build())
                .build()
                .start();
    }

    /** Answers each request of a call with as many messages as it wants. */
    private class Serving implements StreamObserver<byte[]> {
        private final ServerCallStreamObserver<byte[]> out;
        private long number;
        private boolean isSilent;

        Serving(StreamObserver<byte[]> answers) {
            out = (ServerCallStreamObserver<byte[]>) answers;
            // Without a handler, writing to a call that was cancelled throws.
            out.setOnCancelHandler(() -> {});
        }

        @Override
        public void onNext(byte[] request) {
            ByteBuffer header = ByteBuffer.wrap(request);
            long which = header.getLong();
            int wanted = header.getInt();
            int bytes = header.getInt();
            isSilent = header.getInt() == 1;
            byte[] intact = Bytes.pattern(request.length, (int) which);
            System.arraycopy(request, 0, intact, 0, HEADER_BYTES);
            if (header.getInt() != request.length || !Arrays.equals(request, intact)) {
                wrong("a request of call " + which + " has other bytes than it was given");
            }
            if (number == 0) {
                number = which;
                executions.merge(which, 1, Integer::sum);
            } else if (number != which) {
                wrong("a request of call " + which + " came to call " + number);
            }
            if (!isSilent) {
                answer(out, wanted, Bytes.pattern(bytes, (int) which));
            }
        }

        void answer(StreamObserver<byte[]> to, int wanted, byte[] answer) {
            for (int i = 0; i < wanted; i++) {
                to.onNext(answer);
            }
        }

        @Override
        public void onError(Throwable failure) {
            // The client's cancellation; gRPC has ended the call.
            isSilent = true;
        }

        @Override
        public void onCompleted() {
            if (!isSilent) {
                out.onCompleted();
            }
        }
    }

    /** Answers the last request of a call alone. */
    private final class LastOnly extends Serving {
        private byte @Nullable [] last;
        private final StreamObserver<byte[]> to;

        LastOnly(StreamObserver<byte[]> answers) {
            super(answers);
            to = answers;
        }

        @Override
        void answer(StreamObserver<byte[]> ignored, int wanted, byte[] answer) {
            last = answer;
        }

        @Override
        public void onCompleted() {
            if (last != null) {
                to.onNext(last);
            }
            super.onCompleted();
        }
    }

    /** Until the end: replaces the server now and then, one way or the other. */
    private void disturb(Random random) throws IOException, InterruptedException {
        while (endNs - System.nanoTime() > 0) {
            long pauseNs = (500 + random.nextInt(2_500)) * 1_000_000L;
            TimeUnit.NANOSECONDS.sleep(Math.clamp(endNs - System.nanoTime(), 0, pauseNs));
            int port = server.getPort();
            switch (random.nextInt(4)) {
                case 0, 1 -> old.add(server.shutdown());
                case 2 -> old.add(server.shutdownNow());
                default -> {
                    // As if the process were gone: nothing is said to the clients.
                    serverHoma.closeNow();
                    old.add(server.shutdownNow());
                    awaitAll(old);
                    serverHoma = faulty(random.nextLong());
                }
            }
            server = serve(port);
            restarts.incrementAndGet();
            old.removeIf(Server::isTerminated);
        }
    }

    // ---- the end

    private void end(ManagedChannel channel, Homa clientHoma) throws InterruptedException {
        if (!channel.shutdown().awaitTermination(LONGEST_END_S, TimeUnit.SECONDS)) {
            wrong("the channel does not end: a stream is left");
        }
        old.add(server.shutdown());
        awaitAll(old);
        await("all streams of the server have ended", () -> serverStreamsBegun.get() == serverStreamsEnded.get());
        await(
                "no send memory is in use at the client",
                () -> clientHoma.buffers().usedBytes() == 0);
        await(
                "no send memory is in use at the server",
                () -> serverHoma.buffers().usedBytes() == 0);
        clientHoma.closeNow();
        serverHoma.closeNow();
    }

    private void awaitAll(List<Server> servers) throws InterruptedException {
        for (Server each : servers) {
            if (!each.awaitTermination(LONGEST_END_S, TimeUnit.SECONDS)) {
                wrong("a server does not end: a session or stream is left");
            }
        }
    }

    private void checkExecutions() {
        executions.forEach((number, count) -> {
            if (count > 1) {
                wrong("call " + number + " was executed " + count + " times");
            }
        });
    }

    private void checkThreads(Map<Thread, StackTraceElement[]> before) throws InterruptedException {
        await(
                "no thread of Homa is left",
                () -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().startsWith("homa") && !before.containsKey(thread)));
    }

    private interface Condition {
        boolean holds();
    }

    private void await(String what, Condition condition) throws InterruptedException {
        long giveUpNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(LONGEST_END_S);
        while (!condition.holds()) {
            if (giveUpNs - System.nanoTime() <= 0) {
                wrong("not true after " + LONGEST_END_S + " s: " + what);
                return;
            }
            TimeUnit.NANOSECONDS.sleep(LOOK_AGAIN_NS);
        }
    }

    private static Homa faulty(long seed) {
        return Homa.builder()
                .shortCompletions()
                .driver(inner -> new FaultyDriver(inner, FAULTS, seed))
                .open();
    }

    private void wrong(String what) {
        synchronized (wrong) {
            wrong.add(what);
        }
    }
}
