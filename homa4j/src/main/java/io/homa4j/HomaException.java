package io.homa4j;

import org.jspecify.annotations.Nullable;

/**
 * Something Homa was asked for did not succeed. It is thrown by (or completes) the call it belongs to and no other. The
 * message says what failed, why, and what to do about it. Wrong arguments are {@link IllegalArgumentException}, wrong use of
 * an object {@link IllegalStateException}.
 */
public class HomaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;
    private final String remedy;

    HomaException(Reason reason, String what, String remedy, @Nullable Throwable cause) {
        super(what + "; " + remedy, cause);
        this.reason = reason;
        this.remedy = remedy;
    }

    HomaException(Reason reason, String subject) {
        this(reason, subject + ": " + reason.text(), reason.remedy(), null);
    }

    /** Why. */
    public final Reason reason() {
        return reason;
    }

    /** What to do about it; also the end of the message. */
    public final String remedy() {
        return remedy;
    }
}
