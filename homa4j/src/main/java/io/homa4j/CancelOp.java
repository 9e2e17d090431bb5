package io.homa4j;

/** An interrupted thread no longer wants its operation. */
final class CancelOp extends Command {
    private final Op op;
    /** The object may be another call's by the time this runs. */
    private final int use;

    CancelOp(Op op) {
        this.op = op;
        use = op.use();
    }

    @Override
    void run(EngineLoop loop, long nowNs) {
        if (op.use() == use && !op.isDone()) {
            op.onCancel(loop, nowNs);
        }
    }

    @Override
    void refuse(EngineLoop loop) {
        // The operation itself is refused too.
    }
}
