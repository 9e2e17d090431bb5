package io.homa4j;

/** What is attached to every message given to the engine: it gets the message's memory back. */
interface Outgoing {
    /** The engine has let go of the memory. Owner. */
    void onReleased(EngineLoop loop);
}
