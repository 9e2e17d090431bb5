/** gRPC over Homa: channels, servers, and their selection through gRPC's own entry points. */
module io.homa4j.grpc {
    requires static org.jspecify;
    requires transitive io.homa4j;
    requires transitive io.grpc;
    requires io.grpc.internal;
    requires com.google.common;

    exports io.homa4j.grpc;

    provides io.grpc.ManagedChannelProvider with
            io.homa4j.grpc.HomaChannelProvider;
    provides io.grpc.NameResolverProvider with
            io.homa4j.grpc.HomaNameResolverProvider;
    provides io.grpc.ServerProvider with
            io.homa4j.grpc.HomaServerProvider;
}
