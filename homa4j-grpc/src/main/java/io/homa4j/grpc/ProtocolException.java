package io.homa4j.grpc;

/** The other side sent something that makes no sense; carries no stack trace, since the fault is not here. */
final class ProtocolException extends Exception {
    private static final long serialVersionUID = 1L;

    ProtocolException(String message) {
        super(message, null, false, false);
    }
}
