package io.homa4j.bench;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.homa4j.cli.Contender;
import io.homa4j.cli.Pattern;
import io.homa4j.cli.PeerLoad;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * gRPC-Java over Netty, unary calls of plain bytes on one channel. As users run it: the builders' defaults, blocking calls when one
 * is outstanding, asynchronous ones else. The variant {@code direct} runs callbacks and handlers on the event loops, which saves
 * the hand-over and is only for code that never blocks.
 */
public abstract sealed class GrpcContender implements Contender {
    /** The builders' defaults. */
    public static final class AsUsersRunIt extends GrpcContender {
        /** For the service loader. */
        public AsUsersRunIt() {
            super(false);
        }
    }

    /** {@code directExecutor()} at both ends. */
    public static final class Direct extends GrpcContender {
        /** For the service loader. */
        public Direct() {
            super(true);
        }
    }

    private static final long PATIENCE_SECONDS = 3700;

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

    private final boolean isDirect;

    private GrpcContender(boolean isDirect) {
        this.isDirect = isDirect;
    }

    @Override
    public String id() {
        return isDirect ? "grpc/direct" : "grpc";
    }

    @Override
    public String setUp() {
        return "gRPC-Java 1.79 over Netty (shaded, epoll), plaintext, one channel, "
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
        NettyServerBuilder builder = NettyServerBuilder.forAddress(new InetSocketAddress(local, 0))
                .addService(ServerServiceDefinition.builder("homa4j.Bench")
                        .addMethod(ASK, ServerCalls.asyncUnaryCall((request, answers) -> {
                            int wanted = Pattern.responseLength(MemorySegment.ofArray(request));
                            answers.onNext(Pattern.response(wanted).toArray(ValueLayout.JAVA_BYTE));
                            answers.onCompleted();
                        }))
                        .build());
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
        NettyChannelBuilder builder = NettyChannelBuilder.forAddress(server).usePlaintext();
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
}
