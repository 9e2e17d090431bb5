package io.homa4j;

import org.jspecify.annotations.Nullable;

/** Text that is no address, or a name that cannot be resolved. */
public final class HomaAddressException extends HomaException {
    private static final long serialVersionUID = 1L;

    HomaAddressException(String what, String remedy, @Nullable Throwable cause) {
        super(Reason.BAD_ADDRESS, what, remedy, cause);
    }
}
