package io.homa4j;

import org.jspecify.annotations.Nullable;

/** A thread waits for send memory. */
final class MemoryOp extends Op {
    final int length;
    /** For a response, which may have of the reserve. */
    final boolean isResponse;

    private @Nullable SendBuffer buffer;

    MemoryOp(int length, boolean isResponse, long deadlineNs) {
        this.length = length;
        this.isResponse = isResponse;
        this.deadlineNs = deadlineNs;
    }

    @Override
    void run(EngineLoop loop, long nowNs) {
        loop.sendSpace.addWaiter(this);
        // It may have come back before the loop knew that somebody waits.
        SendBuffer found = loop.sendSpace.tryTake(length, isResponse);
        if (found != null) {
            loop.sendSpace.removeWaiter(this);
            succeed(found);
        }
    }

    void succeed(SendBuffer found) {
        buffer = found;
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
            loop.sendSpace.removeWaiter(this);
            finish();
        }
    }

    @Override
    void refuse(EngineLoop loop) {
        if (!isDone()) {
            finish();
        }
    }

    /** The memory; null if the wait ended otherwise. */
    @Nullable
    SendBuffer buffer() {
        return buffer;
    }
}
