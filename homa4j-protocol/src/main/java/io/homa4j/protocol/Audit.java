package io.homa4j.protocol;

/**
 * What contradicts itself in the state of an engine, found by walking every structure ({@link Endpoint#audit}). Each
 * collaborator checks what it keeps; what several of them must agree about is checked here, RPC by RPC. It changes
 * nothing.
 */
final class Audit {
    private final Config config;
    private final StringBuilder found = new StringBuilder();

    Audit(Config config) {
        this.config = config;
    }

    /** Everything found, one sentence each; empty if nothing was. */
    String text() {
        return found.toString();
    }

    void wrong(String what) {
        found.append(found.isEmpty() ? "" : "; ").append(what);
    }

    void equal(String what, long counted, long kept) {
        if (counted != kept) {
            wrong(what + ": counted " + counted + ", kept " + kept);
        }
    }

    void inOrder(String what, IndexedHeap<?> heap) {
        if (!heap.isInOrder()) {
            wrong(what + " is out of order");
        }
    }

    /** A dead RPC is in no table and no queue and holds nothing. */
    void dead(Rpc rpc) {
        if (rpc.srptPlace >= 0
                || rpc.agePlace >= 0
                || rpc.grantPlace >= 0
                || rpc.spacePlace >= 0
                || rpc.overflowPlace >= 0
                || rpc.timerTick != Rpc.NO_TIMER
                || rpc.isDeferred
                || rpc.isReady
                || rpc.waitingIn != null
                || rpc.waitsForProof
                || rpc.isUnprovenCharge
                || rpc.out.isLent
                || rpc.in.isManaged
                || rpc.in.hasSpace()
                || rpc.in.gaps() > 0) {
            wrong("RPC " + rpc.id + " has ended and is still somewhere");
        }
    }

    /** A live RPC: its two messages, and that somebody or something will move it on. */
    void live(Rpc rpc) {
        rpc.in.audit(this, rpc);
        OutboundMessage out = rpc.out;
        if (out.nextOffset < 0
                || out.nextOffset > out.length
                || out.granted > out.length
                || out.unscheduled > out.length) {
            wrong("RPC " + rpc.id + " sends " + out.nextOffset + " of " + out.granted + " of " + out.length);
        }
        if (rpc.peer.isProven && (rpc.isUnprovenCharge || rpc.unprovenBytes > 0)) {
            wrong("RPC " + rpc.id + " of a proven peer counts as a stranger's");
        }
        boolean isQueued = rpc.srptPlace >= 0;
        if (isQueued != rpc.agePlace >= 0) {
            wrong("RPC " + rpc.id + " is in one transmit queue only");
        }
        if (isQueued && (!out.isSendable() || rpc.waitsForProof)) {
            wrong("RPC " + rpc.id + " is queued for transmission with nothing to send");
        }
        if (rpc.error == Status.OK
                && rpc.state == Rpc.State.OUTGOING
                && out.isSendable()
                && !rpc.waitsForProof
                && !isQueued) {
            wrong("RPC " + rpc.id + " has bytes to send and is in no queue");
        }
        if (!config.moduleProfile && rpc.error == Status.OK && !isMoved(rpc)) {
            wrong("RPC " + rpc.id + " waits in state " + rpc.state + " without a timer");
        }
    }

    /** Whether the RPC waits for this host or has a timer: nothing waits for a peer for ever (design 6). */
    private boolean isMoved(Rpc rpc) {
        if (rpc.timerTick != Rpc.NO_TIMER || rpc.isDeferred) {
            return true;
        }
        return switch (rpc.state) {
            case OUTGOING -> rpc.out.isSendable() && !rpc.waitsForProof;
            case INCOMING ->
                rpc.in.isComplete()
                        || !rpc.in.hasSpace() && config.receiveSpaceWaitTicks == 0
                        || rpc.isClient() && rpc.in.isManaged && rpc.in.receivedBytes() >= rpc.in.granted;
            case IN_SERVICE, DEAD -> true;
        };
    }
}
