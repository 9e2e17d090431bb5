package io.homa4j.sim;

/** A request in the hands of a server's application, and the response, as the checkers know them. */
final class Execution {
    final Call call;
    final FuzzHost server;
    /** Incarnation of the server's host, and number of times its socket was opened. */
    final int incarnation;

    final int opening;
    final long handle;
    final int socket;
    /** The client as the server sees it. */
    private final long peerHi;

    private final long peerLo;
    private final int peerPort;

    final long startedNs;
    /** When the engine was seen to have ended the RPC; the latest that is certain is {@link #startedNs}. */
    long endedNs;
    /** The application has answered or dismissed it, or has learnt that nobody waits. */
    boolean isOver;
    /** The engine has taken a response. */
    boolean isReplied;
    /** Times the payload of the response was released. */
    int released;

    Execution(
            Call call,
            FuzzHost server,
            long handle,
            int socket,
            int opening,
            long peerHi,
            long peerLo,
            int peerPort,
            long nowNs) {
        this.call = call;
        this.server = server;
        this.incarnation = server.incarnation();
        this.opening = opening;
        this.handle = handle;
        this.socket = socket;
        this.peerHi = peerHi;
        this.peerLo = peerLo;
        this.peerPort = peerPort;
        startedNs = nowNs;
        endedNs = nowNs;
    }

    /** Whether the server sees the same client as in the other one. */
    boolean isFrom(Execution other) {
        return peerHi == other.peerHi && peerLo == other.peerLo && peerPort == other.peerPort;
    }
}
