package io.homa4j;

/** The {@link Homa}, the socket or the server was closed before or during the operation. */
public final class HomaClosedException extends HomaException {
    private static final long serialVersionUID = 1L;

    HomaClosedException(String subject) {
        super(Reason.CLOSED, subject + " is closed", Reason.CLOSED.remedy(), null);
    }
}
