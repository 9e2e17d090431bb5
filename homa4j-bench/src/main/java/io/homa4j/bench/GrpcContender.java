package io.homa4j.bench;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MethodDescriptor;
import io.grpc.ServerBuilder;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.homa4j.cli.Contender;
import io.homa4j.cli.MixedLoad;
import io.homa4j.cli.Pattern;
import io.homa4j.cli.PeerLoad;
import io.homa4j.grpc.HomaChannelBuilder;
import io.homa4j.grpc.HomaServerBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * gRPC-Java over Netty, and over Homa with the same service and stub: calls and streams of plain bytes on one channel. As users run it: the
 * builders' defaults, blocking calls when one is outstanding, asynchronous ones else. The variants {@code direct} run callbacks and
 * handlers on the transport's threads, which saves the hand-over and is only for code that never blocks.
 */
public abstract sealed class GrpcContender implements Contender {
    /** Over Netty with the builders' defaults. */
    public static final class AsUsersRunIt extends GrpcContender {
        /** For the service loader. */
        public AsUsersRunIt() {
            super(false, false);
        }
    }

    /** Over Netty, {@code directExecutor()} at both ends. */
    public static final class Direct extends GrpcContender {
        /** For the service loader. */
        public Direct() {
            super(false, true);
        }
    }

    /** Over Homa with the builders' defaults. */
    public static final class OverHoma extends GrpcContender {
        /** For the service loader. */
        public OverHoma() {
            super(true, false);
        }
    }

    /** Over Homa, {@code directExecutor()} at both ends. */
    public static final class OverHomaDirect extends GrpcContender {
        /** For the service loader. */
        public OverHomaDirect() {
            super(true, true);
        }
    }

    private static final long PATIENCE_SECONDS = 3700;
    /** So that a load of which nothing is wanted finds its end. */
    private static final double MAX_GAP_NS = 1e8;

    private static final MethodDescriptor.Marshaller<byte[]> BYTES = new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    };

    private static final MethodDescriptor<byte[], byte[]> ASK = MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(MethodDescriptor.generateFullMethodName("homa4j.Bench", "Ask"))
            .setRequestMarshaller(BYTES)
            .setResponseMarshaller(BYTES)
            .build();

    private static final MethodDescriptor<byte[], byte[]> ECHO = ASK.toBuilder()
            .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
            .setFullMethodName(MethodDescriptor.generateFullMethodName("homa4j.Bench", "Echo"))
            .build();

    private static final ServerServiceDefinition SERVICE = ServerServiceDefinition.builder("homa4j.Bench")
            .addMethod(ASK, ServerCalls.asyncUnaryCall((request, answers) -> {
                int wanted = Pattern.responseLength(MemorySegment.ofArray(request));
                answers.onNext(Pattern.response(wanted).toArray(ValueLayout.JAVA_BYTE));
                answers.onCompleted();
            }))
            .addMethod(ECHO, ServerCalls.asyncBidiStreamingCall(Echo::new))
            .build();

    private final boolean isOverHoma;
    private final boolean isDirect;

    private GrpcContender(boolean isOverHoma, boolean isDirect) {
        this.isOverHoma = isOverHoma;
        this.isDirect = isDirect;
    }

    @Override
    public String id() {
        return (isOverHoma ? "grpc-homa" : "grpc") + (isDirect ? "/direct" : "");
    }

    @Override
    public String setUp() {
        return "gRPC-Java 1.79 over " + (isOverHoma ? "Homa" : "Netty (shaded, epoll)") + ", plaintext, one channel, "
                + (isDirect ? "direct executors" : "default executors")
                + ", blocking calls one at a time, asynchronous calls else, the JVM's default collector";
    }

    @Override
    public List<Waiting> waitings() {
        return List.of(Waiting.DEFAULT);
    }

    @Override
    public List<String> jvmOptions() {
        return List.of(
                "-XX:+UseG1GC",
                // Guava, an automatic module, needs modules that it cannot require.
                "--add-modules=ALL-MODULE-PATH",
                "--enable-native-access=io.grpc.netty.shaded",
                "--sun-misc-unsafe-memory-access=allow");
    }

    @Override
    public Server serve(InetAddress local, Waiting waiting) throws IOException {
        ServerBuilder<?> builder = isOverHoma
                ? HomaServerBuilder.forPort(0)
                : NettyServerBuilder.forAddress(new InetSocketAddress(local, 0));
        builder.addService(SERVICE);
        io.grpc.Server server =
                (isDirect ? builder.directExecutor() : builder).build().start();
        return new Server() {
            @Override
            public int port() {
                return server.getPort();
            }

            @Override
            public void close() {
                server.shutdownNow();
            }
        };
    }

    @Override
    public Client connect(InetAddress local, InetSocketAddress server, Waiting waiting) {
        ManagedChannelBuilder<?> builder = isOverHoma
                ? HomaChannelBuilder.forAddress(server.getAddress().getHostAddress(), server.getPort())
                : NettyChannelBuilder.forAddress(server).usePlaintext();
        ManagedChannel channel = (isDirect ? builder.directExecutor() : builder).build();
        return new Client() {
            @Override
            public void run(PeerLoad load) throws Exception {
                if (load.outstanding() == 1) {
                    callUntilOver(channel, load);
                } else {
                    new Calls(channel, load).run();
                }
            }

            @Override
            public void run(MixedLoad load) throws Exception {
                new Mixture(channel, load).run();
            }

            @Override
            public void close() {
                channel.shutdownNow();
            }
        };
    }

    private static void callUntilOver(ManagedChannel channel, PeerLoad load) {
        long startNs = System.nanoTime();
        while (!load.isOver(startNs)) {
            byte[] answer = ClientCalls.blockingUnaryCall(channel, ASK, CallOptions.DEFAULT, load.request());
            long nowNs = System.nanoTime();
            load.answered(startNs, nowNs, answer.length);
            startNs = nowNs;
        }
    }

    /** As many asynchronous calls as wanted, each begun by the callback of one that has ended. */
    private static final class Calls {
        private final ManagedChannel channel;
        private final PeerLoad load;
        private final CompletableFuture<Void> done = new CompletableFuture<>();
        private int outstanding;

        Calls(ManagedChannel channel, PeerLoad load) {
            this.channel = channel;
            this.load = load;
        }

        void run() throws Exception {
            synchronized (load) {
                outstanding = load.outstanding();
            }
            for (int i = 0; i < load.outstanding(); i++) {
                ask();
            }
            try {
                done.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            }
        }

        private void ask() {
            long startNs = System.nanoTime();
            ClientCalls.asyncUnaryCall(
                    channel.newCall(ASK, CallOptions.DEFAULT), load.request(), new StreamObserver<>() {
                        @Override
                        public void onNext(byte[] answer) {
                            synchronized (load) {
                                load.answered(startNs, System.nanoTime(), answer.length);
                            }
                        }

                        @Override
                        public void onError(Throwable e) {
                            done.completeExceptionally(e);
                        }

                        @Override
                        public void onCompleted() {
                            boolean isOver;
                            synchronized (load) {
                                isOver = load.isOver(System.nanoTime());
                                if (isOver && --outstanding == 0) {
                                    done.complete(null);
                                }
                            }
                            if (!isOver) {
                                ask();
                            }
                        }
                    });
        }
    }

    /** Gives every message back. */
    private record Echo(StreamObserver<byte[]> answers) implements StreamObserver<byte[]> {
        @Override
        public void onNext(byte[] message) {
            answers.onNext(message);
        }

        @Override
        public void onError(Throwable e) {
            answers.onError(e);
        }

        @Override
        public void onCompleted() {
            answers.onCompleted();
        }
    }

    /** Short calls and bulk on one channel, begun at random moments by a thread each; answers come on gRPC's threads. */
    private static final class Mixture {
        private final ManagedChannel channel;
        private final MixedLoad load;
        private final CompletableFuture<Void> done = new CompletableFuture<>();
        private final StreamObserver<byte[]> stream;
        private long shortsOut;
        private boolean hasBegunAll;

        Mixture(ManagedChannel channel, MixedLoad load) {
            this.channel = channel;
            this.load = load;
            this.stream = ClientCalls.asyncBidiStreamingCall(
                    channel.newCall(ECHO, CallOptions.DEFAULT),
                    observer(
                            answer -> {
                                synchronized (load) {
                                    load.messageDone(System.nanoTime(), answer.length);
                                }
                                more();
                            },
                            () -> done.complete(null)));
        }

        void run() throws Exception {
            Thread shorts = Thread.ofPlatform().name("shorts").start(() -> paced(load.shortsPerSecond(), 1, this::ask));
            if (load.unitsPerSecond() == 0) {
                beginUnits();
            }
            paced(load.unitsPerSecond(), 2, this::beginUnit);
            shorts.join();
            synchronized (load) {
                hasBegunAll = true;
            }
            more();
            try {
                done.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            }
        }

        /** Until the load is over: moments without memory, so many per second. */
        private void paced(double perSecond, long seed, Runnable work) {
            RandomGenerator random = new SplittableRandom(seed);
            long dueNs = System.nanoTime();
            while (!load.shorts().isOver(dueNs)) {
                dueNs += (long) Math.min(MAX_GAP_NS, random.nextExponential() * 1e9 / perSecond);
                for (long nowNs = System.nanoTime(); nowNs - dueNs < 0; nowNs = System.nanoTime()) {
                    LockSupport.parkNanos(dueNs - nowNs);
                }
                if (perSecond > 0 && !load.shorts().isOver(dueNs)) {
                    work.run();
                }
            }
        }

        private void ask() {
            synchronized (load) {
                shortsOut++;
            }
            PeerLoad shorts = load.shorts();
            long startNs = System.nanoTime();
            ClientCalls.asyncUnaryCall(
                    channel.newCall(ASK, CallOptions.DEFAULT),
                    shorts.request(),
                    observer(
                            answer -> {
                                synchronized (load) {
                                    shorts.answered(startNs, System.nanoTime(), answer.length);
                                }
                            },
                            () -> {
                                synchronized (load) {
                                    shortsOut--;
                                }
                                more();
                            }));
        }

        private void beginUnits() {
            while (beginUnit()) {
                assert load.unitsPerSecond() == 0;
            }
        }

        private boolean beginUnit() {
            synchronized (load) {
                if (!load.beginUnit(System.nanoTime())) {
                    return false;
                }
                for (int i = 0; i < MixedLoad.STREAM_MESSAGES; i++) {
                    stream.onNext(load.message());
                }
            }
            ClientCalls.asyncUnaryCall(
                    channel.newCall(ASK, CallOptions.DEFAULT),
                    load.call(),
                    observer(
                            answer -> {
                                synchronized (load) {
                                    load.callDone(System.nanoTime(), answer.length);
                                }
                            },
                            this::more));
            return true;
        }

        /** Something has come back. */
        private void more() {
            if (load.unitsPerSecond() == 0) {
                beginUnits();
            }
            synchronized (load) {
                if (hasBegunAll && shortsOut == 0 && load.isDone()) {
                    hasBegunAll = false;
                    stream.onCompleted();
                }
            }
        }

        private StreamObserver<byte[]> observer(Consumer<byte[]> onAnswer, Runnable onEnd) {
            return new StreamObserver<>() {
                @Override
                public void onNext(byte[] answer) {
                    onAnswer.accept(answer);
                }

                @Override
                public void onError(Throwable e) {
                    done.completeExceptionally(e);
                }

                @Override
                public void onCompleted() {
                    onEnd.run();
                }
            };
        }
    }
}
