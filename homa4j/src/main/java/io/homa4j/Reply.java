package io.homa4j;

import org.jspecify.annotations.Nullable;

/** The outcome of an own request: its response, or, on a {@link HomaSocket}, its failure. To be closed. */
public final class Reply extends HomaMessage {
    private final HomaAddress peer;
    private final @Nullable Object cookie;
    private final @Nullable HomaRpcException failure;

    Reply(
            long id,
            HomaAddress peer,
            @Nullable Object cookie,
            @Nullable Lease lease,
            @Nullable HomaRpcException failure) {
        super(id, lease);
        this.peer = peer;
        this.cookie = cookie;
        this.failure = failure;
    }

    @Override
    public HomaAddress peer() {
        return peer;
    }

    @Override
    public @Nullable Object cookie() {
        return cookie;
    }

    @Override
    public @Nullable HomaRpcException failure() {
        return failure;
    }
}
