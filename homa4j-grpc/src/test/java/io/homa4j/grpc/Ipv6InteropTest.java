package io.homa4j.grpc;

/** gRPC's interoperability tests over IPv6. */
public final class Ipv6InteropTest extends InteropTest {
    @Override
    HomaChannelBuilder channel(int port) {
        return HomaChannelBuilder.forAddress("::1", port);
    }
}
