package io.homa4j.grpc;

import io.grpc.ManagedChannelBuilder;
import io.grpc.ServerBuilder;
import io.grpc.testing.integration.AbstractInteropTest;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** gRPC's interoperability tests over Homa. */
public class InteropTest extends AbstractInteropTest {
    private @Nullable CapturingServerBuilder server;

    @Override
    protected ServerBuilder<?> getServerBuilder() {
        CapturingServerBuilder builder = new CapturingServerBuilder(
                server().setStatsEnabled(false).maxInboundMessageSize(AbstractInteropTest.MAX_MESSAGE_SIZE));
        builder.addStreamTracerFactory(createCustomCensusTracerFactory());
        server = builder;
        return builder;
    }

    @Override
    protected ManagedChannelBuilder<?> createChannelBuilder() {
        HomaChannelBuilder builder = channel(Objects.requireNonNull(server).port())
                .setStatsEnabled(false)
                .maxInboundMessageSize(AbstractInteropTest.MAX_MESSAGE_SIZE);
        builder.intercept(createCensusStatsClientInterceptor());
        return builder;
    }

    HomaServerBuilder server() {
        return HomaServerBuilder.forPort(0);
    }

    HomaChannelBuilder channel(int port) {
        return HomaChannelBuilder.forAddress("localhost", port);
    }
}
