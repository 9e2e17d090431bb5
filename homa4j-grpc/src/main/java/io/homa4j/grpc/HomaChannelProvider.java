package io.homa4j.grpc;

import io.grpc.CallCredentials;
import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannelBuilder;
import io.grpc.ManagedChannelProvider;
import java.net.SocketAddress;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Lets {@code Grpc.newChannelBuilder("homa:///host:port", credentials)} find this transport, beside others on the class path. Found by
 * gRPC itself.
 */
public final class HomaChannelProvider extends ManagedChannelProvider {
    /** Below that of Netty and OkHttp: who names no target of ours gets theirs. */
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
    protected ManagedChannelBuilder<?> builderForAddress(String host, int port) {
        return HomaChannelBuilder.forAddress(host, port);
    }

    @Override
    protected ManagedChannelBuilder<?> builderForTarget(String target) {
        return HomaChannelBuilder.forTarget(target);
    }

    @Override
    protected NewChannelBuilderResult newChannelBuilder(String target, ChannelCredentials credentials) {
        ChannelCredentials channel = credentials;
        @Nullable CallCredentials call = null;
        if (credentials instanceof CompositeChannelCredentials both) {
            channel = both.getChannelCredentials();
            call = both.getCallCredentials();
        }
        if (!(channel instanceof InsecureChannelCredentials)) {
            return NewChannelBuilderResult.error(
                    "there is no encryption over Homa yet: use InsecureChannelCredentials");
        }
        return NewChannelBuilderResult.channelBuilder(HomaChannelBuilder.forTarget(target, channel, call));
    }

    @Override
    protected Collection<Class<? extends SocketAddress>> getSupportedSocketAddressTypes() {
        return List.of(HomaSocketAddress.class);
    }
}
