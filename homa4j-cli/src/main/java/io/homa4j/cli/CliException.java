package io.homa4j.cli;

import io.homa4j.HomaException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A command cannot go on, for a reason the person at the terminal can act on: what is wrong, and what to do about it.
 *
 * <p>Both parts are short clauses in lower case without a full stop: they are printed as {@code homa server: cause;
 * remedy}. The exception underneath, if any, is shown only when HOMA_DEBUG is set.
 */
final class CliException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String remedy;
    private final int exitCode;

    /** A failure while the command was at work: exit code {@link Homa#FAILURE}. */
    CliException(String cause, String remedy) {
        this(cause, remedy, null);
    }

    /** As above, with the exception that led to it. */
    CliException(String cause, String remedy, @Nullable Throwable underlying) {
        this(cause, remedy, underlying, Homa.FAILURE);
    }

    private CliException(String cause, String remedy, @Nullable Throwable underlying, int exitCode) {
        super(Objects.requireNonNull(cause), underlying);
        this.remedy = Objects.requireNonNull(remedy);
        this.exitCode = exitCode;
    }

    /** A command line that makes no sense, found only by the command itself: exit code {@link Homa#USAGE}. */
    static CliException usage(String cause, String remedy) {
        return new CliException(cause, remedy, null, Homa.USAGE);
    }

    /** What to do where a server did not answer: start it, if that may help. */
    static String startOrRemedy(String command, HomaException unanswered) {
        return switch (unanswered.reason()) {
            case NO_SERVER -> "start one there (" + command + "), or correct the port";
            case TIMEOUT -> "start one there (" + command + "), or " + unanswered.remedy();
            default -> unanswered.remedy();
        };
    }

    String remedy() {
        return remedy;
    }

    int exitCode() {
        return exitCode;
    }
}
