package io.homa4j.sim;

/** Something that acts when a time it has named comes ({@link Simulation#at}). */
public interface Actor {
    /**
     * The time has come.
     *
     * @param code what it was named for, as given to {@link Simulation#at}; 0 to {@link EventQueue#MAX_CODE}
     */
    void act(int code);
}
