package io.homa4j;

import io.homa4j.driver.DriverException;
import io.homa4j.protocol.Status;

/** A socket or server could not be opened: busy port, foreign address, missing permission, a table full. */
public final class HomaOpenException extends HomaException {
    private static final long serialVersionUID = 1L;

    HomaOpenException(DriverException cause) {
        super(Reason.of(cause.kind()), what(cause), cause.remedy(), cause);
    }

    HomaOpenException(int port, Status status) {
        super(
                Reason.of(status),
                "cannot open port " + port + ": " + status.text(),
                Reason.of(status).remedy(),
                null);
    }

    private static String what(DriverException cause) {
        String message = String.valueOf(cause.getMessage());
        String ending = "; " + cause.remedy();
        return message.endsWith(ending) ? message.substring(0, message.length() - ending.length()) : message;
    }
}
