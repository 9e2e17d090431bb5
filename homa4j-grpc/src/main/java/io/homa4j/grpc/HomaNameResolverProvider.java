package io.homa4j.grpc;

import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.internal.DnsNameResolverProvider;
import java.net.SocketAddress;
import java.net.URI;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Resolves targets {@code homa:///host:port} with gRPC's own resolver for {@code dns}, to {@link HomaSocketAddress}es. Found by gRPC
 * itself.
 */
public final class HomaNameResolverProvider extends NameResolverProvider {
    private static final String SCHEME = "homa";
    /** Below that of {@code dns}, which stays the scheme of targets without one. */
    private static final int PRIORITY = 4;

    private final DnsNameResolverProvider dns = new DnsNameResolverProvider();

    @Override
    public @Nullable NameResolver newNameResolver(URI target, NameResolver.Args args) {
        if (!SCHEME.equals(target.getScheme())) {
            return null;
        }
        String path = target.getPath();
        String name = path != null && path.startsWith("/") ? path.substring(1) : target.getAuthority();
        if (name == null || name.isEmpty()) {
            throw new IllegalArgumentException("\"" + target + "\" names no server: write homa:///host:port");
        }
        NameResolver resolver = dns.newNameResolver(URI.create("dns:///" + name), args);
        return resolver == null ? null : new HomaNameResolver(resolver);
    }

    @Override
    public String getDefaultScheme() {
        return SCHEME;
    }

    @Override
    protected boolean isAvailable() {
        return true;
    }

    @Override
    protected int priority() {
        return PRIORITY;
    }

    @Override
    public Collection<Class<? extends SocketAddress>> getProducedSocketAddressTypes() {
        return List.of(HomaSocketAddress.class);
    }
}
