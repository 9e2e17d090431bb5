package io.homa4j;

import java.util.ArrayDeque;

/**
 * Messages of one socket that the engine refused because of the socket's send limit, oldest first. Requests and responses
 * have limits of their own, and so wait apart. The engine says when there is room again (event WRITABLE). Owner.
 */
final class DeferredSends {
    private final ArrayDeque<Command> requests = new ArrayDeque<>();
    private final ArrayDeque<Command> responses = new ArrayDeque<>();

    boolean isEmpty() {
        return requests.isEmpty() && responses.isEmpty();
    }

    /** Keeps a command the engine refused. */
    void addRequest(Command command) {
        requests.add(command);
    }

    /** Keeps a command the engine refused. */
    void addResponse(Command command) {
        responses.add(command);
    }

    /** There is room again: sends what fits. */
    void retry(EngineTurn turn) {
        retry(responses, turn);
        retry(requests, turn);
    }

    private static void retry(ArrayDeque<Command> waiting, EngineTurn turn) {
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
        refuseAll(responses, loop);
        refuseAll(requests, loop);
    }

    private static void refuseAll(ArrayDeque<Command> waiting, EngineLoop loop) {
        for (Command command = waiting.poll(); command != null; command = waiting.poll()) {
            command.refuse(loop);
        }
    }
}
