package io.homa4j;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Homa#callAsync} returns. Completing it from outside in any way, {@code cancel} and {@code orTimeout} among
 * them, makes the engine forget the RPC. As a task, it completes itself on the executor it is given to.
 */
final class CallFuture extends CompletableFuture<Reply> implements Runnable {
    private static final VarHandle IS_TAKEN;

    static {
        try {
            IS_TAKEN = MethodHandles.lookup().findVarHandle(CallFuture.class, "isTaken", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final EngineLoop loop;
    private final PendingCall call;
    /** The pooled call works for us as long as this is its use. */
    private final int use;
    /** The outcome was taken, or is being taken, by whoever completes this. */
    @SuppressWarnings("unused") // through IS_TAKEN
    private volatile boolean isTaken;

    private @Nullable Reply reply;
    private @Nullable HomaException failure;

    CallFuture(EngineLoop loop, PendingCall call) {
        this.loop = loop;
        this.call = call;
        this.use = call.use();
    }

    /** Sets the outcome; {@link #run} completes with it. Owner. */
    void outcome(@Nullable Reply reply, @Nullable HomaException failure) {
        this.reply = reply;
        this.failure = failure;
    }

    /** Once: an executor may fail after it has run its task. */
    @Override
    public void run() {
        if (!IS_TAKEN.compareAndSet(this, false, true)) {
            return;
        }
        Reply response = reply;
        HomaException why = failure;
        boolean taken = response != null
                ? super.complete(response)
                : super.completeExceptionally(why == null ? new CompletionException(new AssertionError()) : why);
        if (!taken && response != null) {
            // Nobody will ever close it.
            response.close();
        }
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        forget();
        return cancelled;
    }

    @Override
    public boolean completeExceptionally(Throwable exception) {
        boolean completed = super.completeExceptionally(exception);
        forget();
        return completed;
    }

    @Override
    public boolean complete(Reply value) {
        boolean completed = super.complete(value);
        forget();
        return completed;
    }

    /** Dependent stages are ordinary futures: completing one of them does not touch the RPC. */
    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new CompletableFuture<>();
    }

    private void forget() {
        loop.submit(new ForgetOp(call, use));
    }

    private static final class ForgetOp extends Command {
        private final PendingCall call;
        private final int use;

        ForgetOp(PendingCall call, int use) {
            this.call = call;
            this.use = use;
        }

        @Override
        void run(EngineLoop loop, long nowNs) {
            if (call.use() == use) {
                call.onCancel(loop, nowNs);
            }
        }

        @Override
        void refuse(EngineLoop loop) {
            // The call was refused too.
        }
    }
}
