package io.homa4j;

/** Something to be done by whoever owns the engine. */
abstract class Command {
    /** Does it. Owner. */
    abstract void run(EngineLoop loop, long nowNs);

    /** Called instead of {@link #run} when the engine is closed; must let nobody wait. Any thread. */
    abstract void refuse(EngineLoop loop);
}
