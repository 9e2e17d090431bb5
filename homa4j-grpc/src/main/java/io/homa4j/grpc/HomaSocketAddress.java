package io.homa4j.grpc;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * An address that is to be reached over Homa: what targets {@code homa:///host:port} resolve to. A class of its own, so that gRPC
 * finds this transport for it and not another one.
 */
public final class HomaSocketAddress extends SocketAddress {
    private static final long serialVersionUID = 1L;

    private final InetSocketAddress address;

    /** @throws IllegalArgumentException if it is not resolved */
    public HomaSocketAddress(InetSocketAddress address) {
        if (address.isUnresolved()) {
            throw new IllegalArgumentException("the name " + address.getHostString() + " is not resolved");
        }
        this.address = address;
    }

    /** IP address and UDP port. */
    public InetSocketAddress address() {
        return address;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof HomaSocketAddress that && address.equals(that.address);
    }

    @Override
    public int hashCode() {
        return address.hashCode();
    }

    @Override
    public String toString() {
        return "homa:" + address;
    }
}
