package io.homa4j.protocol;

import org.jspecify.annotations.Nullable;

/**
 * A received message or the failure of an RPC, filled by {@link Endpoint#receive} and {@link Endpoint#receivePrivate}.
 * The object is the caller's and is reused. The bytes lie in the socket's receive region from {@link #regionOffset} on
 * and are the caller's until {@link Endpoint#release}.
 */
public final class Message {
    /** Whether this is a request (to be answered with {@link Endpoint#reply}) or the outcome of an own request. */
    public boolean isRequest;
    /** RPC id as this host sees it: even at the client, odd at the server. */
    public long id;
    /** Request only: the handle for {@link Endpoint#reply}; valid until the RPC ends, never reused for another. */
    public long handle;
    /** Outcome only: the object given with the request. */
    public @Nullable Object attachment;
    /** {@link Status#OK}, or why the RPC failed; then there are no bytes. */
    public Status status = Status.OK;
    /** Application's code for {@link Status#ABORTED}, else 0. */
    public int abortCode;
    /** The other side. */
    public long peerHi;

    public long peerLo;
    public int peerPort;
    /** Bytes of the message; 0 for a failure. */
    public int length;
    /** Where the message lies in the socket's receive region; -1 for a failure. */
    public long regionOffset = -1;
}
