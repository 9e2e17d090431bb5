package io.homa4j;

import io.homa4j.protocol.Message;
import io.homa4j.protocol.Status;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One private RPC from the caller's request to its outcome, blocking or as a future. Pooled: it is free again when neither
 * the caller (who reads the outcome) nor the engine (which has its memory) needs it any more.
 */
@SuppressWarnings("NonAtomicVolatileUpdate") // one writer at a time
final class PendingCall extends Op implements Outgoing {
    private final EngineLoop loop;
    private final AtomicInteger users = new AtomicInteger();

    // ---- the request, from the caller
    private @Nullable SocketCore socket;
    private @Nullable HomaAddress to;
    private @Nullable SendBuffer buffer;
    private int length;
    private @Nullable CallFuture future;

    // ---- owner's
    /** 0 until the engine has taken the request. */
    private long id;

    private boolean isOver;
    private boolean isDeferred;
    /** Neighbours in the socket's list of open calls. */
    @Nullable
    PendingCall previous;

    @Nullable
    PendingCall next;

    // ---- the outcome, for the caller
    private @Nullable Lease lease;
    /** The owner has taken it out of the queue; until then it must stay what it is. */
    private boolean isBegun;
    /** Cancelled before that. */
    private boolean isCancelledEarly;

    private @Nullable Reason failure;
    private int abortCode;
    private String detail = "";

    private PendingCall(EngineLoop loop) {
        this.loop = loop;
    }

    /** A call whose memory is given to it. */
    static PendingCall of(SocketCore socket, HomaAddress to, SendBuffer buffer, int length, long deadlineNs) {
        EngineLoop loop = socket.loop;
        PendingCall call = loop.freeCalls.poll();
        if (call == null) {
            call = new PendingCall(loop);
        }
        call.resetDone();
        call.socket = socket;
        call.to = to;
        call.buffer = buffer;
        call.length = length;
        call.deadlineNs = deadlineNs;
        call.future = null;
        call.id = 0;
        call.isOver = false;
        call.isDeferred = false;
        call.isBegun = false;
        call.isCancelledEarly = false;
        call.lease = null;
        call.failure = null;
        call.abortCode = 0;
        call.detail = "";
        call.users.set(1);
        return call;
    }

    /** Makes this an asynchronous call. Before submission. */
    CallFuture asFuture() {
        CallFuture fresh = new CallFuture(loop, this);
        future = fresh;
        return fresh;
    }

    // ---- owner

    @Override
    void run(EngineLoop loop, long nowNs) {
        SocketCore from = Objects.requireNonNull(socket);
        HomaAddress peer = Objects.requireNonNull(to);
        if (isDeferred) {
            isDeferred = false;
            if (isOver) {
                giveUpBuffer();
                leave();
                return;
            }
            users.decrementAndGet();
        } else {
            isBegun = true;
            from.opened(this);
            loop.deadlines.add(this);
            if (isCancelledEarly) {
                giveUpBuffer();
                fail(Reason.ABORTED, "");
                return;
            }
        }
        SendBuffer memory = Objects.requireNonNull(buffer);
        if (from.isClosing()) {
            giveUpBuffer();
            fail(Reason.CLOSED, "");
            return;
        }
        long result = loop.endpoint.request(
                from.number, peer.hi(), peer.lo(), peer.port(), memory.segment, 0, length, true, this, nowNs);
        if (result > 0) {
            id = result;
            users.incrementAndGet();
        } else if (result == Status.SEND_LIMIT.code()) {
            isDeferred = true;
            users.incrementAndGet();
            from.deferredSends.addRequest(this);
        } else {
            giveUpBuffer();
            Status status = Status.of(result);
            fail(Reason.of(status), Reason.of(status) == Reason.INTERNAL ? status.text() : "");
        }
    }

    /** The engine has the outcome. */
    void onReady(EngineLoop loop, long readyId, long nowNs) {
        SocketCore from = socket;
        if (isOver || readyId != id || from == null) {
            return;
        }
        Message message = loop.turn.message;
        if (!loop.endpoint.receivePrivate(id, message, nowNs)) {
            return;
        }
        loop.turn.touch();
        if (message.status == Status.OK) {
            lease = from.lease(message, nowNs);
            end();
        } else {
            abortCode = message.abortCode;
            fail(Reason.of(message.status), message.status == Status.NO_RECEIVE_SPACE ? from.describeHeld(nowNs) : "");
        }
    }

    @Override
    public void onReleased(EngineLoop loop) {
        giveUpBuffer();
        leave();
    }

    @Override
    void onDeadline(EngineLoop loop, long nowNs) {
        forget(loop, nowNs);
        fail(Reason.DEADLINE, "");
    }

    @Override
    void onCancel(EngineLoop loop, long nowNs) {
        if (!isBegun) {
            // The owner cancels at once what others have put into the queue, where the call still is.
            isCancelledEarly = true;
        } else if (!isOver) {
            forget(loop, nowNs);
            fail(Reason.ABORTED, "");
        }
    }

    /** The socket closes. */
    void onClose(EngineLoop loop, long nowNs) {
        if (!isOver) {
            forget(loop, nowNs);
            fail(Reason.CLOSED, "");
        }
    }

    @Override
    void refuse(EngineLoop loop) {
        giveUpBuffer();
        if (!isOver) {
            fail(Reason.CLOSED, "");
        }
    }

    private void forget(EngineLoop loop, long nowNs) {
        if (id != 0) {
            loop.endpoint.forget(id, nowNs);
            loop.turn.touch();
        }
    }

    private void fail(Reason why, String more) {
        failure = why;
        detail = more;
        end();
    }

    private void end() {
        isOver = true;
        loop.deadlines.remove(this);
        SocketCore from = socket;
        if (from != null) {
            from.over(this);
        }
        CallFuture later = future;
        if (later == null) {
            finish();
            return;
        }
        if (failure == null) {
            later.outcome(takeReply(), null);
        } else {
            later.outcome(null, exception());
        }
        leave();
        try {
            loop.completions.execute(later);
        } catch (Throwable e) {
            loop.applicationErrors.ofExecutors.report(
                    () -> "the executor for completions failed; completing on the engine thread", e);
            completeHere(later);
        }
    }

    private void completeHere(CallFuture later) {
        try {
            later.run();
        } catch (Throwable e) {
            loop.applicationErrors.ofCallbacks.report(() -> "a completion failed", e);
        }
    }

    // ---- caller

    /** After the end of a blocking call: its response, or why there is none. The call must not be used afterwards. */
    Reply outcome() {
        try {
            if (failure != null) {
                throw exception();
            }
            return takeReply();
        } finally {
            leave();
        }
    }

    /** After the end of a blocking call that was interrupted. The call must not be used afterwards. */
    void discard() {
        if (failure == null) {
            takeReply().close();
        }
        leave();
    }

    private Reply takeReply() {
        return new Reply(id, Objects.requireNonNull(to), null, lease, null);
    }

    private HomaException exception() {
        HomaAddress peer = Objects.requireNonNull(to);
        Reason why = Objects.requireNonNull(failure);
        return switch (why) {
            case CLOSED -> loop.closedException("the socket");
            case SEND_LIMIT, TOO_MANY -> new HomaLimitException(why, "call to " + peer);
            default -> new HomaRpcException(why, id, peer, null, abortCode, detail);
        };
    }

    private void giveUpBuffer() {
        SendBuffer memory = buffer;
        if (memory != null) {
            buffer = null;
            loop.sendSpace.giveBack(memory);
        }
    }

    /** One user less; the last one puts the call back into the pool. */
    private void leave() {
        if (users.decrementAndGet() == 0) {
            socket = null;
            to = null;
            future = null;
            lease = null;
            loop.freeCalls.offer(this);
        }
    }
}
