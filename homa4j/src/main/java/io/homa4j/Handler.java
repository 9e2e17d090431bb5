package io.homa4j;

/** What a server does with a request. */
@FunctionalInterface
public interface Handler {
    /**
     * Handles one request: answers it with {@link Request#reply}, here or later and from any thread, exactly once. Runs on a
     * virtual thread of its own and may block, unless the server was opened with {@link HomaServer.Builder#shortHandler}.
     *
     * <p>If it throws, the exception is logged, the RPC ends without an answer, and the client fails within its timeout.
     */
    void handle(Request request) throws Exception;
}
