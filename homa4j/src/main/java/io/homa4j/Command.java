package io.homa4j;

import org.jspecify.annotations.Nullable;

/** Something to be done by whoever owns the engine. */
abstract class Command {
    /** Next in the list of what runs when the application's code has returned ({@link EngineTurn#later}). */
    @Nullable
    Command nextLater;

    boolean isLater;

    /** Does it. Owner. */
    abstract void run(EngineLoop loop, long nowNs);

    /** Called instead of {@link #run} when the engine is closed; must let nobody wait. Any thread. */
    abstract void refuse(EngineLoop loop);
}
