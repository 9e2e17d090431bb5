package io.homa4j;

import org.jspecify.annotations.Nullable;

/** A thread waits for a shared message, or asks whether there is one. */
final class ReceiveOp extends Op {
    private final SocketCore socket;
    private final boolean mayWait;
    private @Nullable HomaMessage message;
    private boolean isClosed;

    ReceiveOp(SocketCore socket, boolean mayWait, long deadlineNs) {
        this.socket = socket;
        this.mayWait = mayWait;
        this.deadlineNs = deadlineNs;
    }

    @Override
    void run(EngineLoop loop, long nowNs) {
        if (socket.isClosing()) {
            refuse(loop);
            return;
        }
        HomaMessage ready = socket.receive(nowNs);
        if (ready != null) {
            succeed(ready);
        } else if (mayWait) {
            socket.addWaiter(this);
            loop.deadlines.add(this);
        } else {
            finish();
        }
    }

    void succeed(HomaMessage ready) {
        message = ready;
        finish();
    }

    @Override
    void onDeadline(EngineLoop loop, long nowNs) {
        giveUp(loop);
    }

    @Override
    void onCancel(EngineLoop loop, long nowNs) {
        giveUp(loop);
    }

    private void giveUp(EngineLoop loop) {
        if (!isDone()) {
            socket.removeWaiter(this);
            loop.deadlines.remove(this);
            finish();
        }
    }

    @Override
    void refuse(EngineLoop loop) {
        if (!isDone()) {
            isClosed = true;
            finish();
        }
    }

    /** After the end: the message, or null if none came in time. */
    @Nullable
    HomaMessage message() {
        if (isClosed) {
            throw socket.loop.closedException("the socket");
        }
        return message;
    }
}
