package io.homa4j;

import io.homa4j.protocol.Status;
import org.jspecify.annotations.Nullable;

/** A shared request: waits until the engine has taken it, then keeps its memory and its cookie. */
final class SharedRequest extends Op implements Outgoing {
    private final SocketCore socket;
    private final HomaAddress to;
    private final int length;
    private final boolean mayWait;
    final @Nullable Object cookie;
    private @Nullable SendBuffer buffer;
    private long id;
    private boolean isOver;
    private @Nullable HomaException failure;

    SharedRequest(
            SocketCore socket,
            HomaAddress to,
            SendBuffer buffer,
            int length,
            @Nullable Object cookie,
            boolean mayWait) {
        this.socket = socket;
        this.to = to;
        this.buffer = buffer;
        this.length = length;
        this.cookie = cookie;
        this.mayWait = mayWait;
    }

    HomaAddress to() {
        return to;
    }

    @Override
    void run(EngineLoop loop, long nowNs) {
        SendBuffer memory = buffer;
        if (isOver || memory == null) {
            return;
        }
        if (socket.isClosing()) {
            refuse(loop);
            return;
        }
        long result = loop.endpoint.request(
                socket.number, to.hi(), to.lo(), to.port(), memory.segment, 0, length, false, this, nowNs);
        if (result > 0) {
            id = result;
            isOver = true;
            finish();
        } else if (result == Status.SEND_LIMIT.code() && mayWait) {
            socket.deferredSends.addRequest(this);
        } else {
            Reason reason = Reason.of(Status.of(result));
            fail(
                    loop,
                    switch (reason) {
                        case SEND_LIMIT, TOO_MANY -> new HomaLimitException(reason, "request to " + to);
                        case CLOSED -> loop.closedException("the socket");
                        default ->
                            new HomaRpcException(
                                    reason, 0, to, cookie, 0, Status.of(result).text());
                    });
        }
    }

    @Override
    public void onReleased(EngineLoop loop) {
        giveUpBuffer(loop);
    }

    @Override
    void onDeadline(EngineLoop loop, long nowNs) {
        throw new AssertionError("has no deadline");
    }

    @Override
    void onCancel(EngineLoop loop, long nowNs) {
        if (!isOver) {
            fail(loop, new HomaLimitException(Reason.SEND_LIMIT, "request to " + to));
        }
    }

    @Override
    void refuse(EngineLoop loop) {
        if (!isOver) {
            fail(loop, loop.closedException("the socket"));
        }
    }

    private void fail(EngineLoop loop, HomaException why) {
        isOver = true;
        failure = why;
        giveUpBuffer(loop);
        finish();
    }

    private void giveUpBuffer(EngineLoop loop) {
        SendBuffer memory = buffer;
        if (memory != null) {
            buffer = null;
            loop.sendSpace.giveBack(memory);
        }
    }

    /** After the end: the RPC's id. */
    long id() {
        HomaException thrown = failure;
        if (thrown != null) {
            throw thrown;
        }
        return id;
    }

    /** After the end: whether the engine refused because of its send limit. */
    boolean isRefusedForLimit() {
        return failure instanceof HomaLimitException && failure.reason() == Reason.SEND_LIMIT;
    }
}
