package io.homa4j.sim;

/** A checker has found what must never happen. */
public final class FuzzFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    FuzzFailure(String what) {
        super(what);
    }

    FuzzFailure(String what, Throwable cause) {
        super(what, cause);
    }
}
