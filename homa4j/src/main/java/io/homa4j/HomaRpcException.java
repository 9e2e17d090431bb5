package io.homa4j;

import org.jspecify.annotations.Nullable;

/** An RPC failed: it was sent, or tried to be, and no response will come. */
public final class HomaRpcException extends HomaException {
    private static final long serialVersionUID = 1L;

    private final long id;
    private final int abortCode;
    private final transient HomaAddress peer;
    private final transient @Nullable Object cookie;

    HomaRpcException(Reason reason, long id, HomaAddress peer, @Nullable Object cookie, int abortCode, String detail) {
        super(
                reason,
                "call to " + peer + " failed: " + reason.text() + (detail.isEmpty() ? "" : " (" + detail + ")"),
                reason.remedy(),
                null);
        this.id = id;
        this.peer = peer;
        this.cookie = cookie;
        this.abortCode = abortCode;
    }

    /** The RPC's id; 0 if it never got one. */
    public long id() {
        return id;
    }

    /** The server. */
    public HomaAddress peer() {
        return peer;
    }

    /** The object given with the request; null if none was. */
    public @Nullable Object cookie() {
        return cookie;
    }

    /** The number given to {@link HomaSocket#abort(long, int)} for {@link Reason#ABORTED}, else 0. */
    public int abortCode() {
        return abortCode;
    }
}
