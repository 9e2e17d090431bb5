package io.homa4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.EquivalentAddressGroup;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.Server;
import io.grpc.StatusOr;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.ClientCalls;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** How gRPC's own entry points find this transport, with Netty on the class path. */
final class SelectionTest {
    @Test
    void targetsWithTheSchemeAndServersWithTheCredentialsAreOverHoma() throws Exception {
        Server server = Grpc.newServerBuilderForPort(0, HomaServerCredentials.create())
                .addService(Bytes.service(request -> request))
                .build()
                .start();
        ManagedChannel channel = Grpc.newChannelBuilder(
                        "homa:///localhost:" + server.getPort(), InsecureChannelCredentials.create())
                .build();
        byte[] request = Bytes.pattern(50, 3);
        assertThat(ClientCalls.blockingUnaryCall(channel, Bytes.UNARY, CallOptions.DEFAULT, request))
                .isEqualTo(request);
        end(channel, server);
    }

    @Test
    void othersAreLeftToOtherTransports() {
        assertThat(Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
                        .getClass()
                        .getName())
                .contains("netty");
        assertThat(Grpc.newChannelBuilder("localhost:1", InsecureChannelCredentials.create())
                        .getClass()
                        .getName())
                .contains("netty");
    }

    @Test
    void encryptionIsRefusedInsteadOfLeftOut() {
        assertThatThrownBy(() -> Grpc.newChannelBuilder("homa:///localhost:1", TlsChannelCredentials.create()))
                .hasMessageContaining("no encryption over Homa");
        assertThatThrownBy(() -> HomaChannelBuilder.forAddress("localhost", 1).useTransportSecurity())
                .isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void roundRobinSpreadsCallsOverServers() throws Exception {
        List<Server> servers = new ArrayList<>();
        List<SocketAddress> addresses = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            byte[] name = {(byte) i};
            Server server = HomaServerBuilder.forPort(0)
                    .addService(Bytes.service(_ -> name))
                    .build()
                    .start();
            servers.add(server);
            addresses.add(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort()));
        }
        NameResolverProvider fixed = new FixedResolver(addresses);
        NameResolverRegistry.getDefaultRegistry().register(fixed);
        ManagedChannel channel = HomaChannelBuilder.forTarget("fixed:///servers")
                .defaultLoadBalancingPolicy("round_robin")
                .build();
        try {
            // Calls go to the servers that are ready, so at first not to all.
            Set<Byte> seen = new TreeSet<>();
            while (seen.size() < 3) {
                seen.add(call(channel));
            }
            int[] counts = new int[3];
            for (int i = 0; i < 30; i++) {
                counts[call(channel)]++;
            }
            assertThat(counts).containsExactly(10, 10, 10);
        } finally {
            NameResolverRegistry.getDefaultRegistry().deregister(fixed);
            end(channel, servers.toArray(Server[]::new));
        }
    }

    private static byte call(ManagedChannel channel) {
        return ClientCalls.blockingUnaryCall(channel, Bytes.UNARY, CallOptions.DEFAULT, new byte[1])[0];
    }

    private static void end(ManagedChannel channel, Server... servers) throws InterruptedException {
        assertThat(channel.shutdownNow().awaitTermination(20, TimeUnit.SECONDS)).isTrue();
        for (Server server : servers) {
            assertThat(server.shutdownNow().awaitTermination(20, TimeUnit.SECONDS))
                    .isTrue();
        }
    }

    private static final class FixedResolver extends NameResolverProvider {
        private final List<SocketAddress> addresses;

        FixedResolver(List<SocketAddress> addresses) {
            this.addresses = addresses;
        }

        @Override
        public @Nullable NameResolver newNameResolver(URI target, NameResolver.Args args) {
            if (!"fixed".equals(target.getScheme())) {
                return null;
            }
            return new NameResolver() {
                @Override
                public String getServiceAuthority() {
                    return "servers";
                }

                @Override
                public void start(Listener2 listener) {
                    listener.onResult(ResolutionResult.newBuilder()
                            .setAddressesOrError(StatusOr.fromValue(addresses.stream()
                                    .map(address -> new EquivalentAddressGroup(address, Attributes.EMPTY))
                                    .toList()))
                            .build());
                }

                @Override
                public void shutdown() {}
            };
        }

        @Override
        public String getDefaultScheme() {
            return "fixed";
        }

        @Override
        protected boolean isAvailable() {
            return true;
        }

        @Override
        protected int priority() {
            return 1;
        }

        @Override
        public Collection<Class<? extends SocketAddress>> getProducedSocketAddressTypes() {
            return List.of(InetSocketAddress.class);
        }
    }
}
