package io.homa4j;

import io.homa4j.protocol.Status;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A response on its way to the engine, and then the keeper of its memory. Pooled. */
final class ReplyOp extends Command implements Outgoing {
    private @Nullable Request request;
    private @Nullable SendBuffer buffer;
    private int length;
    private final EngineLoop loop;

    private ReplyOp(EngineLoop loop) {
        this.loop = loop;
    }

    static ReplyOp of(Request request, SendBuffer buffer, int length) {
        EngineLoop loop = request.socket.loop;
        ReplyOp op = loop.freeReplies.poll();
        if (op == null) {
            op = new ReplyOp(loop);
        }
        op.request = request;
        op.buffer = buffer;
        op.length = length;
        return op;
    }

    @Override
    void run(EngineLoop loop, long nowNs) {
        Request answered = Objects.requireNonNull(request);
        SendBuffer memory = Objects.requireNonNull(buffer);
        answered.closeByOwner(nowNs);
        if (answered.socket.isClosed()) {
            recycle();
            return;
        }
        int result = loop.endpoint.reply(answered.handle, memory.segment, 0, length, this, nowNs);
        if (result == Status.SEND_LIMIT.code()) {
            answered.socket.deferredSends.addResponse(this);
            return;
        }
        request = null;
        answered.socket.answered(answered, nowNs);
        if (result < 0) {
            // The client has lost interest, or the socket is closing.
            recycle();
        }
    }

    @Override
    public void onReleased(EngineLoop loop) {
        recycle();
    }

    @Override
    void refuse(EngineLoop loop) {
        recycle();
    }

    private void recycle() {
        SendBuffer memory = buffer;
        request = null;
        buffer = null;
        if (memory != null) {
            loop.sendSpace.giveBack(memory);
            loop.freeReplies.offer(this);
        }
    }
}
