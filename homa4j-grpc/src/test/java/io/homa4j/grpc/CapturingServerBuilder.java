package io.homa4j.grpc;

import io.grpc.ForwardingServerBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A builder that remembers the server it built, for tests whose base class keeps it for itself. */
final class CapturingServerBuilder extends ForwardingServerBuilder<CapturingServerBuilder> {
    private final ServerBuilder<?> delegate;
    private @Nullable Server built;

    CapturingServerBuilder(ServerBuilder<?> delegate) {
        this.delegate = delegate;
    }

    @Override
    protected ServerBuilder<?> delegate() {
        return delegate;
    }

    @Override
    public Server build() {
        Server server = super.build();
        built = server;
        return server;
    }

    int port() {
        return Objects.requireNonNull(built).getPort();
    }
}
