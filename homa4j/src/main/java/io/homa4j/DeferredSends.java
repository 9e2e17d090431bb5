package io.homa4j;

import java.util.ArrayDeque;

/**
 * Messages of one socket that the engine refused because of the socket's send limit, oldest first. The engine says when
 * there is room again (event WRITABLE). Owner.
 */
final class DeferredSends {
    private final ArrayDeque<Command> waiting = new ArrayDeque<>();

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** Keeps a command the engine refused. */
    void add(Command command) {
        waiting.add(command);
    }

    /** There is room again: sends what fits. */
    void retry(EngineTurn turn) {
        for (Command oldest = waiting.poll(); oldest != null; oldest = waiting.poll()) {
            int before = waiting.size();
            turn.run(oldest);
            if (waiting.size() > before) {
                // Refused again: it goes back to the head.
                waiting.addFirst(waiting.removeLast());
                return;
            }
        }
    }

    /** The socket is closed. */
    void refuseAll(EngineLoop loop) {
        for (Command command = waiting.poll(); command != null; command = waiting.poll()) {
            command.refuse(loop);
        }
    }
}
