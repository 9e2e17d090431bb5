package io.homa4j;

import io.homa4j.driver.DriverException;
import io.homa4j.protocol.Status;

/** Why a call, or an operation on a socket, failed; each with what a person can do about it. */
public enum Reason {
    /** The server showed no sign of life for {@code timeout_ticks} although it was asked again and again. */
    TIMEOUT(
            "the server did not answer",
            "check that it runs, that this is its port, and that no firewall drops UDP in either direction"),
    /** The call's own deadline passed; the server may be working on it still. */
    DEADLINE("the deadline passed", "allow more time, or find out what keeps the server busy"),
    /** The server's host says that nobody listens on this port. */
    NO_SERVER("no server listens on this port", "start the server, or correct the port"),
    /** The server's host does not speak Homa over this encapsulation. */
    PROTOCOL_UNSUPPORTED("the host does not speak Homa over this encapsulation", "use the encapsulation of the server"),
    /** There is no route to the host. */
    HOST_UNREACHABLE("the host is unreachable", "check the address and the routing"),
    /** The application aborted the RPC. */
    ABORTED("the call was aborted by the application", "nothing: this was asked for"),
    /** The socket, the server or the whole {@link Homa} is closed. */
    CLOSED("closed", "open a new one"),
    /** The response found no room in the receive region for a second. */
    NO_RECEIVE_SPACE(
            "no receive space for the response", "close replies and messages, or open with a larger receiveRegion"),
    /** The server restarted, and the request may or may not have been executed. */
    OUTCOME_UNKNOWN(
            "the server was restarted; whether the request was executed is unknown",
            "ask the server what happened before repeating the request"),
    /** Too many bytes or messages are on their way. */
    SEND_LIMIT("the send limit is reached", "send less at a time, wait, or raise sendMemory, wmem_max or max_outgoing"),
    /** A table of the engine is full. */
    TOO_MANY("a table of the engine is full", "lower the number of open calls, or raise max_client_rpcs and max_peers"),
    /** The port belongs to somebody else. */
    PORT_IN_USE("the port is in use", "choose another port, or stop the process that holds it (ss -ulpn)"),
    /** The address is not one of this host, or cannot be understood or resolved. */
    BAD_ADDRESS("the address is not usable", "correct the address"),
    /** The operating system denies it to this user. */
    PERMISSION("permission denied", "use a port from 1024 on, or grant the permission"),
    /** File descriptors or memory are used up. */
    NO_RESOURCES("out of resources", "raise the limit of open files or memory"),
    /** Something that should not happen; the cause says more. */
    INTERNAL("internal error", "report it with the stack trace");

    private final String text;
    private final String remedy;

    Reason(String text, String remedy) {
        this.text = text;
        this.remedy = remedy;
    }

    /** What happened, as part of a sentence. */
    public String text() {
        return text;
    }

    /** What to do about it, in the imperative. */
    public String remedy() {
        return remedy;
    }

    static Reason of(Status status) {
        return switch (status) {
            case TIMEOUT -> TIMEOUT;
            case NO_SERVER -> NO_SERVER;
            case PROTOCOL_UNSUPPORTED -> PROTOCOL_UNSUPPORTED;
            case HOST_UNREACHABLE -> HOST_UNREACHABLE;
            case ABORTED -> ABORTED;
            case SHUTDOWN -> CLOSED;
            case NO_RECEIVE_SPACE -> NO_RECEIVE_SPACE;
            case OUTCOME_UNKNOWN -> OUTCOME_UNKNOWN;
            case SEND_LIMIT -> SEND_LIMIT;
            case TOO_MANY -> TOO_MANY;
            case ADDRESS_IN_USE, NO_PORT_LEFT -> PORT_IN_USE;
            default -> INTERNAL;
        };
    }

    static Reason of(DriverException.Kind kind) {
        return switch (kind) {
            case PORT_IN_USE -> PORT_IN_USE;
            case BAD_ADDRESS -> BAD_ADDRESS;
            case PERMISSION -> PERMISSION;
            case NO_RESOURCES -> NO_RESOURCES;
            case OTHER -> INTERNAL;
        };
    }
}
