package io.homa4j.protocol;

/**
 * How an operation or an RPC ended. Operations of {@link Endpoint} that return an {@code int} or {@code long} give a
 * non-negative result on success and {@link #code()} (negative) otherwise; nothing is thrown for a condition that a
 * peer or a full table can cause.
 */
public enum Status {
    /** Success. */
    OK("success"),
    /** The server showed no progress for {@code timeout_ticks} although RESENDs were sent (ETIMEDOUT; spec protocol 7.2). */
    TIMEOUT("the server did not answer in time; it may be down, unreachable, or a firewall drops its packets"),
    /** Port unreachable: nobody serves this port (ENOTCONN; spec protocol 2.13). */
    NO_SERVER("no server listens on this port"),
    /** The host does not speak Homa (EPROTONOSUPPORT; spec protocol 2.13). */
    PROTOCOL_UNSUPPORTED("the host does not speak Homa over this encapsulation"),
    /** No route to the host (EHOSTUNREACH; spec protocol 2.13). */
    HOST_UNREACHABLE("the host is unreachable"),
    /** The application aborted the RPC (spec api 9). */
    ABORTED("the call was aborted by the application"),
    /** The socket was shut down before or during the operation (ESHUTDOWN; spec api 11). */
    SHUTDOWN("the socket is closed"),
    /** No receive space for the response within the allowed time (design: no wait for ever). */
    NO_RECEIVE_SPACE("no receive space for the response; release messages or enlarge the receive region"),
    /** The server lost its memory of the RPC and {@code restart = never} forbids running it again. */
    OUTCOME_UNKNOWN("the server was restarted; whether the request was executed is unknown"),
    /** A message of 0 bytes or more than the maximum (EINVAL; P-014, P-015). */
    INVALID_LENGTH("a message must have 1 to 1000000 bytes"),
    /** An argument that names nothing: unknown id, port out of range, region too small (EINVAL). */
    INVALID_ARGUMENT("invalid argument"),
    /** The RPC exists but is not in the state the operation needs (EINVAL; P-269, P-192). */
    WRONG_STATE("the RPC is not in the right state for this operation"),
    /** The RPC does not exist any more; for a reply: the client has lost interest (P-268). */
    UNKNOWN_RPC("the RPC no longer exists"),
    /** The memory or number of outgoing messages is at its limit (EAGAIN; spec api 13). */
    SEND_LIMIT("too much unacknowledged data is outstanding on this socket"),
    /** A table of the engine is full. */
    TOO_MANY("a table of the engine is full"),
    /** The port belongs to another socket (EADDRINUSE; spec api 3). */
    ADDRESS_IN_USE("the port is in use by another socket"),
    /** No automatic port is free (EADDRNOTAVAIL; S-254). */
    NO_PORT_LEFT("no automatic port is left"),
    /** The path MTU leaves no room for data (EINVAL; P-016). */
    MTU_TOO_SMALL("the path MTU leaves no room for data behind the Homa header"),
    /** The handler of the server failed; used by shells above the engine. */
    HANDLER_FAILED("the handler failed");

    private static final Status[] ALL = values();

    private final String text;

    Status(String text) {
        this.text = text;
    }

    /** One sentence for people: what happened and, where there is one, the remedy. */
    public String text() {
        return text;
    }

    /** This status as the negative result of an operation; 0 for {@link #OK}. */
    @SuppressWarnings("EnumOrdinal") // a number between this class and itself; never stored or sent
    public int code() {
        return -ordinal();
    }

    /** The status behind a result: {@link #OK} for results of 0 and above. */
    public static Status of(long result) {
        return result >= 0 ? OK : ALL[(int) -result];
    }
}
