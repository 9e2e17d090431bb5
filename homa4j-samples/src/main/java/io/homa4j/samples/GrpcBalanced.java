package io.homa4j.samples;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.EquivalentAddressGroup;
import io.grpc.ManagedChannel;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.StatusOr;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.homa4j.grpc.HomaChannelBuilder;
import io.homa4j.grpc.HomaServerBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One channel to several servers. gRPC's own policy spreads the calls; the channel need only say which one, and a name resolver where the
 * servers are. With the servers' addresses in DNS it would be {@code forTarget("dns:///shop:4000")}, without a resolver of one's own.
 */
public final class GrpcBalanced {
    private static final List<String> NAMES = List.of("north", "south", "west");
    private static final int CALLS = 30;

    private GrpcBalanced() {}

    public static void main(String[] arguments) throws Exception {
        List<Server> servers = new ArrayList<>();
        for (String name : NAMES) {
            servers.add(
                    HomaServerBuilder.forPort(0).addService(shop(name)).build().start());
        }
        NameResolverProvider resolver = new Shops(servers);
        NameResolverRegistry.getDefaultRegistry().register(resolver);
        ManagedChannel channel = HomaChannelBuilder.forTarget("shops:///all")
                .defaultLoadBalancingPolicy("round_robin")
                .build();

        // Calls go to the servers that can be reached by now: at first not to all.
        Map<String, Integer> answers = new TreeMap<>();
        while (answers.size() < NAMES.size()) {
            count(channel, answers);
        }
        answers.clear();
        for (int i = 0; i < CALLS; i++) {
            count(channel, answers);
        }
        System.out.println("answers: " + answers);

        channel.shutdown();
        NameResolverRegistry.getDefaultRegistry().deregister(resolver);
        for (Server server : servers) {
            server.shutdown().awaitTermination();
        }
    }

    private static void count(ManagedChannel channel, Map<String, Integer> answers) {
        String name = ClientCalls.blockingUnaryCall(channel, Texts.ASK, CallOptions.DEFAULT, "who is there?");
        answers.merge(name, 1, Integer::sum);
    }

    private static ServerServiceDefinition shop(String name) {
        return ServerServiceDefinition.builder(Texts.SERVICE)
                .addMethod(Texts.ASK, ServerCalls.asyncUnaryCall((request, answers) -> {
                    answers.onNext(name);
                    answers.onCompleted();
                }))
                .build();
    }

    /** Knows the servers of targets {@code shops:///all}. */
    private static final class Shops extends NameResolverProvider {
        private final List<EquivalentAddressGroup> addresses;

        Shops(List<Server> servers) {
            addresses = servers.stream()
                    .map(server -> new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort()))
                    .map(address -> new EquivalentAddressGroup(address, Attributes.EMPTY))
                    .toList();
        }

        @Override
        public @Nullable NameResolver newNameResolver(URI target, NameResolver.Args arguments) {
            return "shops".equals(target.getScheme()) ? new Fixed(addresses) : null;
        }

        @Override
        public String getDefaultScheme() {
            return "shops";
        }

        @Override
        protected boolean isAvailable() {
            return true;
        }

        @Override
        protected int priority() {
            return 1;
        }
    }

    private static final class Fixed extends NameResolver {
        private final List<EquivalentAddressGroup> addresses;

        Fixed(List<EquivalentAddressGroup> addresses) {
            this.addresses = addresses;
        }

        @Override
        public String getServiceAuthority() {
            return "shops";
        }

        @Override
        public void start(Listener2 listener) {
            listener.onResult(ResolutionResult.newBuilder()
                    .setAddressesOrError(StatusOr.fromValue(addresses))
                    .build());
        }

        @Override
        public void shutdown() {
            // It holds nothing.
        }
    }
}
