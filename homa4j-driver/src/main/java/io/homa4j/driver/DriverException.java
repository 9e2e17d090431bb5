package io.homa4j.driver;

import java.io.IOException;

/** A port cannot be bound, or a driver not be opened: what is wrong, and what a person can do about it. */
public final class DriverException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What is wrong. */
    public enum Kind {
        /** Another process, or this one, holds the port. */
        PORT_IN_USE,
        /** The local address does not belong to this host, or its family is switched off. */
        BAD_ADDRESS,
        /** The operating system denies it to this user. */
        PERMISSION,
        /** File descriptors or memory are used up. */
        NO_RESOURCES,
        /** Anything else; the cause says what. */
        OTHER
    }

    private final Kind kind;
    private final String remedy;

    /**
     * @param what what could not be done and why, without a full stop
     * @param remedy what to do about it, in the imperative, without a full stop
     */
    public DriverException(Kind kind, String what, String remedy, Throwable cause) {
        super(what + "; " + remedy, cause);
        this.kind = kind;
        this.remedy = remedy;
    }

    public Kind kind() {
        return kind;
    }

    /** What to do about it; also part of the message. */
    public String remedy() {
        return remedy;
    }
}
