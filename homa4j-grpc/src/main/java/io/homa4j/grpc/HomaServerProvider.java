package io.homa4j.grpc;

import io.grpc.ServerBuilder;
import io.grpc.ServerCredentials;
import io.grpc.ServerProvider;

/** Lets gRPC build servers for {@link HomaServerCredentials}, beside other transports on the class path. Found by gRPC itself. */
public final class HomaServerProvider extends ServerProvider {
    /** Below that of Netty and OkHttp: who gives no credentials of ours gets theirs. */
    private static final int PRIORITY = 2;

    @Override
    protected boolean isAvailable() {
        return true;
    }

    @Override
    protected int priority() {
        return PRIORITY;
    }

    @Override
    protected ServerBuilder<?> builderForPort(int port) {
        return HomaServerBuilder.forPort(port);
    }

    @Override
    protected NewServerBuilderResult newServerBuilderForPort(int port, ServerCredentials credentials) {
        return credentials instanceof HomaServerCredentials
                ? NewServerBuilderResult.serverBuilder(HomaServerBuilder.forPort(port))
                : NewServerBuilderResult.error("for a server over Homa use HomaServerCredentials, not "
                        + credentials.getClass().getSimpleName());
    }
}
