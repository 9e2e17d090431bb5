package io.homa4j.protocol;

import org.jspecify.annotations.Nullable;

/**
 * One thing the engine tells its shell, filled by {@link Endpoint#pollEvent}. The object is the caller's and is reused;
 * it belongs to the thread that owns the engine.
 */
public final class Event {
    /** What happened. */
    public enum Kind {
        /** A shared message (request, response or error) is ready on {@link #socket}: call {@link Endpoint#receive}. */
        READABLE,
        /** The private RPC {@link #id} has its response or its error: call {@link Endpoint#receivePrivate}. */
        PRIVATE_READY,
        /** The engine has let go of the memory lent for the message sent with {@link #attachment}. Given exactly once per accepted message. */
        RELEASED,
        /** {@link #socket} may send again after {@link Status#SEND_LIMIT}. */
        WRITABLE
    }

    /** What happened; meaningless before the first successful poll. */
    public Kind kind = Kind.READABLE;
    /** Number of the socket concerned. */
    public int socket;
    /** RPC id (client id as this host sees it) for {@link Kind#PRIVATE_READY} and {@link Kind#RELEASED}. */
    public long id;
    /** The object given with the message; null if none was. */
    public @Nullable Object attachment;
}
