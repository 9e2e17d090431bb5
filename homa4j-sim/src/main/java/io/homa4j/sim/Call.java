package io.homa4j.sim;

import io.homa4j.protocol.Status;
import java.util.ArrayList;
import java.util.List;

/** One call as the checkers know it: what was asked, of whom, and all that has become of it. */
final class Call {
    /** States in their order; the last four are final. */
    enum State {
        PLANNED,
        /** Refused because of a send limit; waits for WRITABLE. */
        BLOCKED,
        /** Accepted by the client's engine. */
        OPEN,
        /** The client's engine would not take it. */
        REFUSED,
        /** The client has its outcome. */
        ENDED,
        /** The client has said that it wants no outcome, or shut its socket. */
        DROPPED,
        /** The client has crashed. */
        LOST
    }

    final CallPlan plan;
    final FuzzHost client;
    final FuzzHost server;

    State state = State.PLANNED;
    /** Incarnation of the client's host that made it. */
    int incarnation;

    /** Number of the client's socket, and which of the host's sockets that was. */
    int socket;

    long id;
    /** Where the request went to. */
    long serverHi;

    long serverLo;
    int serverPort;
    /** How often the client's sockets had been opened, and its visible address or port had changed, when it was made. */
    int opening;

    int rebindings;

    Status outcome = Status.OK;
    /** When it had its outcome, in true time. */
    long endedNs;
    /** Aborted by the application. */
    boolean isAborted;
    /** Times the payload of the request was released. */
    int released;

    /** What the client's engine may send of the request, and the server's of the response, as packets said. */
    int requestGranted;

    int responseGranted;
    final List<Execution> executions = new ArrayList<>();

    Call(CallPlan plan, FuzzHost client, FuzzHost server) {
        this.plan = plan;
        this.client = client;
        this.server = server;
    }

    boolean isOpen() {
        return state == State.OPEN;
    }

    @Override
    public String toString() {
        return "call " + plan.number() + " (" + Long.toUnsignedString(id, 16) + ", host " + client.number + " to "
                + server.number + ", " + plan.requestBytes() + " bytes, answer " + plan.responseBytes() + ", "
                + state + (state == State.ENDED ? " " + outcome : "") + ")";
    }
}
