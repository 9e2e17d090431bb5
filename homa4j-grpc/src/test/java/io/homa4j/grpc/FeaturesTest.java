package io.homa4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Deadline;
import io.grpc.ForwardingServerCall;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.channelz.v1.ChannelzGrpc;
import io.grpc.channelz.v1.GetServerSocketsRequest;
import io.grpc.channelz.v1.GetServersRequest;
import io.grpc.channelz.v1.GetSocketRequest;
import io.grpc.channelz.v1.SocketData;
import io.grpc.channelz.v1.SocketRef;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.services.ChannelzService;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.homa4j.Homa;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What gRPC offers above its transports works over this one: its services, interceptors, compression, deadlines. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
final class FeaturesTest {
    private static final Metadata.Key<String> NAME = Metadata.Key.of("name", Metadata.ASCII_STRING_MARSHALLER);
    /** Bytes of a packet's payload and more; what takes fewer packets than this was compressed. */
    private static final int PACKET_BYTES = 1_500;

    @Test
    void healthIsAnsweredAndWatched() throws Exception {
        HealthStatusManager health = new HealthStatusManager();
        try (World world = new World(health.getHealthService().bindService())) {
            HealthCheckRequest request =
                    HealthCheckRequest.newBuilder().setService("db").build();
            health.setStatus("db", ServingStatus.SERVING);
            assertThat(HealthGrpc.newBlockingStub(world.channel).check(request).getStatus())
                    .isEqualTo(ServingStatus.SERVING);
            Iterator<HealthCheckResponse> watch =
                    HealthGrpc.newBlockingStub(world.channel).watch(request);
            assertThat(watch.next().getStatus()).isEqualTo(ServingStatus.SERVING);
            health.setStatus("db", ServingStatus.NOT_SERVING);
            assertThat(watch.next().getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
        }
    }

    @Test
    void reflectionNamesTheServices() throws Exception {
        try (World world = new World(ProtoReflectionServiceV1.newInstance().bindService())) {
            BlockingQueue<ServerReflectionResponse> answers = new LinkedBlockingQueue<>();
            CompletableFuture<Void> end = new CompletableFuture<>();
            StreamObserver<ServerReflectionRequest> questions =
                    ServerReflectionGrpc.newStub(world.channel).serverReflectionInfo(collect(answers, end));
            questions.onNext(
                    ServerReflectionRequest.newBuilder().setListServices("").build());
            ServerReflectionResponse answer = Harness.take(answers);
            questions.onCompleted();
            Harness.get(end);
            assertThat(answer.getListServicesResponse().getServiceList())
                    .anyMatch(service -> service.getName().equals("grpc.reflection.v1.ServerReflection"));
        }
    }

    @Test
    void channelzShowsServerSessionsAndWhatWentOverThem() throws Exception {
        try (World world = new World(ChannelzService.newInstance(100).bindService())) {
            ChannelzGrpc.ChannelzBlockingStub channelz = ChannelzGrpc.newBlockingStub(world.channel);
            // Servers of other tests may be there still.
            long server = channelz.getServers(GetServersRequest.getDefaultInstance()).getServerList().stream()
                    .filter(each -> port(channelz, each.getListenSocket(0)) == world.server.getPort())
                    .findFirst()
                    .orElseThrow()
                    .getRef()
                    .getServerId();
            long session = channelz.getServerSockets(GetServerSocketsRequest.newBuilder()
                            .setServerId(server)
                            .build())
                    .getSocketRef(0)
                    .getSocketId();
            SocketData data = channelz.getSocket(
                            GetSocketRequest.newBuilder().setSocketId(session).build())
                    .getSocket()
                    .getData();
            // The call that asks has not ended.
            assertThat(data.getStreamsStarted()).isGreaterThan(2).isEqualTo(data.getStreamsSucceeded() + 1);
            assertThat(data.getMessagesReceived()).isEqualTo(data.getStreamsStarted());
        }
    }

    private static int port(ChannelzGrpc.ChannelzBlockingStub channelz, SocketRef socket) {
        return channelz.getSocket(GetSocketRequest.newBuilder()
                        .setSocketId(socket.getSocketId())
                        .build())
                .getSocket()
                .getLocal()
                .getTcpipAddress()
                .getPort();
    }

    @Test
    void interceptorsOfBothSidesSeeTheCallsMetadata() throws Exception {
        ServerInterceptor greets = new ServerInterceptor() {
            @Override
            public <Q, A> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
                return next.startCall(
                        new ForwardingServerCall.SimpleForwardingServerCall<Q, A>(call) {
                            @Override
                            public void close(Status status, Metadata trailers) {
                                trailers.put(NAME, "hello, " + headers.get(NAME));
                                super.close(status, trailers);
                            }
                        },
                        headers);
            }
        };
        try (World world = new World(ServerInterceptors.intercept(Bytes.service(request -> request), greets))) {
            Metadata headers = new Metadata();
            headers.put(NAME, "Ada");
            AtomicReference<Metadata> trailers = new AtomicReference<>();
            Channel channel = ClientInterceptors.intercept(
                    world.channel,
                    MetadataUtils.newAttachHeadersInterceptor(headers),
                    MetadataUtils.newCaptureMetadataInterceptor(new AtomicReference<>(), trailers));
            call(channel, new byte[1]);
            assertThat(trailers.get().get(NAME)).isEqualTo("hello, Ada");
        }
    }

    @Test
    void compressedMessagesTakeFewPackets() throws Exception {
        // Nothing is lost here, and nobody may think so on a busy machine: repeated packets would be counted too.
        try (World world = new World(UnaryTest.patient(), UnaryTest.patient(), Bytes.service(request -> request))) {
            byte[] request = new byte[500_000];
            call(world.channel, request);
            long before = world.clientHoma.counter("packets_sent_DATA");
            byte[] answer = ClientCalls.blockingUnaryCall(
                    world.channel, Bytes.UNARY, CallOptions.DEFAULT.withCompression("gzip"), request);
            assertThat(answer).isEqualTo(request);
            assertThat(world.clientHoma.counter("packets_sent_DATA") - before)
                    .isLessThan(request.length / PACKET_BYTES / 10);
        }
    }

    @Test
    void deadlineEndsTheCallAtBothEnds() throws Exception {
        CompletableFuture<Deadline> deadline = new CompletableFuture<>();
        CompletableFuture<Status> end = new CompletableFuture<>();
        ServerServiceDefinition silent = ServerServiceDefinition.builder("homa4j.test.Bytes")
                .addMethod(Bytes.UNARY, ServerCalls.asyncUnaryCall((request, answers) -> {
                    deadline.complete(Context.current().getDeadline());
                    Context.current()
                            .addListener(context -> end.complete(Contexts.statusFromCancelled(context)), Runnable::run);
                }))
                .build();
        try (World world = new World(silent)) {
            assertThatThrownBy(() -> ClientCalls.blockingUnaryCall(
                            world.channel,
                            Bytes.UNARY,
                            CallOptions.DEFAULT.withDeadlineAfter(200, TimeUnit.MILLISECONDS),
                            new byte[1]))
                    .isInstanceOfSatisfying(
                            StatusRuntimeException.class,
                            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED));
            assertThat(Harness.get(deadline).timeRemaining(TimeUnit.HOURS)).isZero();
            // Whichever comes first: its own clock, or the client's word.
            assertThat(Harness.get(end).getCode()).isIn(Status.Code.DEADLINE_EXCEEDED, Status.Code.CANCELLED);
        }
    }

    @Test
    void manyChannelsShareOneSocket() throws Exception {
        Set<Integer> clientPorts = new ConcurrentSkipListSet<>();
        ServerInterceptor looks = new ServerInterceptor() {
            @Override
            public <Q, A> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
                if (call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) instanceof InetSocketAddress client) {
                    clientPorts.add(client.getPort());
                }
                return next.startCall(call, headers);
            }
        };
        try (World world = new World(ServerInterceptors.intercept(Bytes.service(request -> request), looks))) {
            List<ManagedChannel> channels = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                channels.add(HomaChannelBuilder.forAddress("127.0.0.1", world.server.getPort())
                        .homa(world.clientHoma)
                        .build());
            }
            List<ListenableFuture<byte[]>> answers = new ArrayList<>();
            for (int i = 0; i < channels.size(); i++) {
                ClientCall<byte[], byte[]> call = channels.get(i).newCall(Bytes.UNARY, CallOptions.DEFAULT);
                answers.add(ClientCalls.futureUnaryCall(call, new byte[] {(byte) i}));
            }
            for (int i = 0; i < channels.size(); i++) {
                assertThat(answers.get(i).get(30, TimeUnit.SECONDS)).containsExactly(i);
            }
            assertThat(clientPorts).hasSize(1);
            for (ManagedChannel channel : channels) {
                channel.shutdown();
                assertThat(channel.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
            }
        }
    }

    @Test
    void manyServicesShareOnePort() throws Exception {
        try (Homa homa = Homa.builder().shortCompletions().open()) {
            HomaServerBuilder builder = HomaServerBuilder.forPort(0).homa(homa);
            List<MethodDescriptor<byte[], byte[]>> methods = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                byte[] name = {(byte) i};
                MethodDescriptor<byte[], byte[]> method = Bytes.UNARY.toBuilder()
                        .setFullMethodName(MethodDescriptor.generateFullMethodName("service" + i, "ask"))
                        .build();
                methods.add(method);
                builder.addService(ServerServiceDefinition.builder("service" + i)
                        .addMethod(method, ServerCalls.asyncUnaryCall((request, answers) -> {
                            answers.onNext(name);
                            answers.onCompleted();
                        }))
                        .build());
            }
            Server server = builder.build().start();
            ManagedChannel channel = HomaChannelBuilder.forAddress("127.0.0.1", server.getPort())
                    .homa(homa)
                    .build();
            for (int i = 0; i < methods.size(); i++) {
                assertThat(ClientCalls.blockingUnaryCall(channel, methods.get(i), CallOptions.DEFAULT, new byte[1]))
                        .containsExactly(i);
            }
            assertThat(channel.shutdownNow().awaitTermination(20, TimeUnit.SECONDS))
                    .isTrue();
            assertThat(server.shutdownNow().awaitTermination(20, TimeUnit.SECONDS))
                    .isTrue();
        }
    }

    /** The links' rate is bounded, so that the long message takes seconds: what is first is no matter of time. */
    @Test
    void shortCallsPassALongMessageAndALongStream() throws Exception {
        try (World world = new World(slow(), slow(), Bytes.service(request -> request))) {
            call(world.channel, new byte[1]);
            int longBytes = 10_000_000;
            var longCall = ClientCalls.futureUnaryCall(
                    world.channel.newCall(Bytes.UNARY, CallOptions.DEFAULT), new byte[longBytes]);
            ClientCall<byte[], byte[]> stream = world.channel.newCall(Bytes.BIDI, CallOptions.DEFAULT);
            StreamObserver<byte[]> messages = ClientCalls.asyncBidiStreamingCall(
                    stream, collect(new LinkedBlockingQueue<>(), new CompletableFuture<>()));
            for (int i = 0; i < 10; i++) {
                messages.onNext(new byte[1_000_000]);
            }
            long packets = 2L * longBytes / PACKET_BYTES;
            Harness.await("bulk leaves", () -> world.clientHoma.counter("packets_sent_DATA") > packets / 100);
            for (int i = 0; i < 10; i++) {
                call(world.channel, new byte[100]);
            }
            assertThat(world.clientHoma.counter("packets_sent_DATA")).isLessThan(packets / 2);
            assertThat(longCall.isDone()).isFalse();
            longCall.cancel(false);
            stream.cancel("enough", null);
        }
    }

    private static Homa slow() {
        return Homa.builder().shortCompletions().set("link_mbps", "20").open();
    }

    private static byte[] call(Channel channel, byte[] request) {
        return ClientCalls.blockingUnaryCall(channel, Bytes.UNARY, CallOptions.DEFAULT, request);
    }

    private static <T> StreamObserver<T> collect(BlockingQueue<T> answers, CompletableFuture<Void> end) {
        return new StreamObserver<>() {
            @Override
            public void onNext(T answer) {
                answers.add(answer);
            }

            @Override
            public void onError(Throwable e) {
                end.completeExceptionally(e);
            }

            @Override
            public void onCompleted() {
                end.complete(null);
            }
        };
    }
}
