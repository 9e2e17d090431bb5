package io.homa4j;

/** A limit is reached ({@link Reason#SEND_LIMIT}, {@link Reason#TOO_MANY}): nothing was sent, and it may work later. */
public final class HomaLimitException extends HomaException {
    private static final long serialVersionUID = 1L;

    HomaLimitException(Reason reason, String subject) {
        super(reason, subject);
    }
}
