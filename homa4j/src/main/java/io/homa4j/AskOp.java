package io.homa4j;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A question to the owner of the engine that is answered at once. */
final class AskOp<T extends @Nullable Object> extends Op {
    private final Supplier<T> question;
    private T answer;
    private @Nullable RuntimeException failure;

    AskOp(Supplier<T> question, T ifClosed) {
        this.question = question;
        this.answer = ifClosed;
    }

    @Override
    void run(EngineLoop loop, long nowNs) {
        try {
            answer = question.get();
        } catch (RuntimeException e) {
            failure = e;
        }
        finish();
    }

    @Override
    void refuse(EngineLoop loop) {
        finish();
    }

    @Override
    void onDeadline(EngineLoop loop, long nowNs) {
        throw new AssertionError("has no deadline");
    }

    @Override
    void onCancel(EngineLoop loop, long nowNs) {
        // It is answered at once anyway.
    }

    T answer() {
        RuntimeException thrown = failure;
        if (thrown != null) {
            throw thrown;
        }
        return answer;
    }
}
