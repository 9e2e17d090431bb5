package io.homa4j;

import java.util.ArrayDeque;

/** Messages the engine refused because of a send limit, oldest first; they are sent when there is room again. Owner. */
final class DeferredSends {
    private final ArrayDeque<Command> waiting = new ArrayDeque<>();
    private boolean mayRetry;

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** Keeps a command the engine refused. */
    void add(Command command) {
        waiting.add(command);
    }

    /** There is room again. */
    void mayRetry() {
        mayRetry = !waiting.isEmpty();
    }

    /** Sends what there is room for. */
    void retry(EngineTurn turn) {
        if (!mayRetry) {
            return;
        }
        mayRetry = false;
        for (int i = waiting.size(); i > 0; i--) {
            Command oldest = waiting.poll();
            if (oldest == null) {
                return;
            }
            int before = waiting.size();
            turn.run(oldest);
            if (waiting.size() > before) {
                // Refused again: it goes back to the head.
                waiting.addFirst(waiting.removeLast());
                return;
            }
        }
    }

    /** The engine is closed. */
    void refuseAll(EngineLoop loop) {
        for (Command command : waiting) {
            command.refuse(loop);
        }
        waiting.clear();
    }
}
