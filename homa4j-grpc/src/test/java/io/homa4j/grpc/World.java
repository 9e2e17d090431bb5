package io.homa4j.grpc;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.homa4j.Homa;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A server and a channel, each with an engine of its own. */
final class World implements AutoCloseable {
    final Homa serverHoma;
    final Homa clientHoma;
    Server server;
    final ManagedChannel channel;

    World(ServerServiceDefinition service) throws IOException {
        this(
                Homa.builder().shortCompletions().open(),
                Homa.builder().shortCompletions().open(),
                service);
    }

    World(Homa clientHoma, Homa serverHoma, ServerServiceDefinition service) throws IOException {
        this.clientHoma = clientHoma;
        this.serverHoma = serverHoma;
        this.server = start(0, service);
        this.channel = HomaChannelBuilder.forAddress("127.0.0.1", server.getPort())
                .homa(clientHoma)
                .maxInboundMessageSize(100_000_000)
                .build();
    }

    Server start(int port, ServerServiceDefinition service) throws IOException {
        return HomaServerBuilder.forPort(port)
                .homa(serverHoma)
                .sessionLease(Duration.ofMinutes(10))
                .maxInboundMessageSize(100_000_000)
                .addService(service)
                .build()
                .start();
    }

    @Override
    public void close() {
        channel.shutdownNow();
        server.shutdownNow();
        try {
            if (!channel.awaitTermination(20, TimeUnit.SECONDS) || !server.awaitTermination(20, TimeUnit.SECONDS)) {
                throw new AssertionError("the channel or the server does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
        clientHoma.closeNow();
        serverHoma.closeNow();
    }
}
