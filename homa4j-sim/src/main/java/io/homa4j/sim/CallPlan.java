package io.homa4j.sim;

/**
 * A call as it was drawn: who calls whom, when, and how both applications treat it.
 *
 * @param atNs when it is made
 * @param client number of the calling host
 * @param clientSocket which of its sockets
 * @param server number of the called host
 * @param serverSocket which of its sockets
 * @param family which address of the server: 0 IPv4, 1 IPv6
 * @param requestAt where the request's bytes start in the pattern all messages are cut from
 * @param responseAt where the response's start
 * @param isPrivate the outcome is received by id
 * @param endAfterNs when the client gives up by itself, 0 = never
 * @param isForgotten it then forgets instead of aborting
 * @param treatment what the server does with the request
 * @param replyAfterNs how long that takes
 * @param holdRequestNs how long the server keeps the request's memory
 * @param holdResponseNs how long the client keeps the response's memory
 */
record CallPlan(
        int number,
        long atNs,
        int client,
        int clientSocket,
        int server,
        int serverSocket,
        int family,
        int requestBytes,
        int responseBytes,
        int requestAt,
        int responseAt,
        boolean isPrivate,
        long endAfterNs,
        boolean isForgotten,
        Treatment treatment,
        long replyAfterNs,
        long holdRequestNs,
        long holdResponseNs) {

    /** What becomes of a request. */
    enum Treatment {
        REPLY,
        DISMISS,
        /** Nothing, until everybody is asked to come to an end. */
        LEAVE
    }
}
