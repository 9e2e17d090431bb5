package io.homa4j.samples.spring;

import io.homa4j.grpc.HomaServerBuilder;
import java.util.List;
import org.springframework.grpc.server.DefaultGrpcServerFactory;
import org.springframework.grpc.server.ServerBuilderCustomizer;

/** Spring's servers over Homa. Customizers see the {@link HomaServerBuilder}, with whatever Homa has to be set. */
public final class HomaGrpcServerFactory extends DefaultGrpcServerFactory<HomaServerBuilder> {
    /**
     * @param address the port stands behind the last colon, as in {@code *:4000}; 0: a free one. Every address of the host is served
     * @param customizers called for each server, in their order
     */
    public HomaGrpcServerFactory(String address, List<ServerBuilderCustomizer<HomaServerBuilder>> customizers) {
        super(address, customizers);
    }

    @Override
    protected HomaServerBuilder newServerBuilder() {
        return HomaServerBuilder.forPort(port());
    }
}
