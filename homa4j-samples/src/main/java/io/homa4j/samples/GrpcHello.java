package io.homa4j.samples;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.homa4j.grpc.HomaChannelBuilder;
import io.homa4j.grpc.HomaServerBuilder;
import java.io.IOException;

/** gRPC over Homa: the builder of the server and that of the channel are all that differs from gRPC over TCP. */
public final class GrpcHello {
    private GrpcHello() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Server server =
                HomaServerBuilder.forPort(0).addService(greeter()).build().start();
        ManagedChannel channel =
                HomaChannelBuilder.forAddress("localhost", server.getPort()).build();
        System.out.println(ClientCalls.blockingUnaryCall(channel, Texts.ASK, CallOptions.DEFAULT, "Homa"));
        channel.shutdown();
        server.shutdown().awaitTermination();
    }

    private static ServerServiceDefinition greeter() {
        return ServerServiceDefinition.builder(Texts.SERVICE)
                .addMethod(Texts.ASK, ServerCalls.asyncUnaryCall((name, answers) -> {
                    answers.onNext("hello, " + name);
                    answers.onCompleted();
                }))
                .build();
    }
}
