package io.homa4j.grpc;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.Status;
import io.grpc.StatusOr;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;

/** Another resolver, whose addresses are to be reached over Homa. */
final class HomaNameResolver extends NameResolver {
    private final NameResolver inner;

    HomaNameResolver(NameResolver inner) {
        this.inner = inner;
    }

    @Override
    public String getServiceAuthority() {
        return inner.getServiceAuthority();
    }

    @Override
    public void start(Listener2 listener) {
        inner.start(new Listener2() {
            @Override
            public void onResult(ResolutionResult result) {
                listener.onResult(overHoma(result));
            }

            @Override
            public Status onResult2(ResolutionResult result) {
                return listener.onResult2(overHoma(result));
            }

            @Override
            public void onError(Status error) {
                listener.onError(error);
            }
        });
    }

    @Override
    public void refresh() {
        inner.refresh();
    }

    @Override
    public void shutdown() {
        inner.shutdown();
    }

    private static ResolutionResult overHoma(ResolutionResult result) {
        StatusOr<List<EquivalentAddressGroup>> found = result.getAddressesOrError();
        if (!found.hasValue()) {
            return result;
        }
        List<EquivalentAddressGroup> groups = new ArrayList<>();
        for (EquivalentAddressGroup group : found.getValue()) {
            List<SocketAddress> addresses = new ArrayList<>();
            for (SocketAddress address : group.getAddresses()) {
                addresses.add(
                        address instanceof InetSocketAddress inet && !inet.isUnresolved()
                                ? new HomaSocketAddress(inet)
                                : address);
            }
            groups.add(new EquivalentAddressGroup(addresses, group.getAttributes()));
        }
        return result.toBuilder()
                .setAddressesOrError(StatusOr.fromValue(groups))
                .build();
    }
}
