package io.homa4j.sim;

import io.homa4j.protocol.Event;

/** What runs on a host: it hears of the engine's events, and may give the engine commands while it does. */
public interface Application {
    /**
     * The engine says something.
     *
     * @param event valid during the call
     */
    void onEvent(SimHost host, Event event);
}
