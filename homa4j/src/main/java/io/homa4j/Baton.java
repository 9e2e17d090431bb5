package io.homa4j;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Who may touch the engine: it has no locks, so one thread at a time does, the owner. The baton is taken by compare-and-set
 * and never waited for. Who does not get it queues a {@link Command}; the owner empties the queue in each turn and once more
 * after laying the baton down, so that no command is left lying (each side writes its own flag before it reads the other's).
 */
final class Baton {
    private static final VarHandle OWNER;

    static {
        try {
            OWNER = MethodHandles.lookup().findVarHandle(Baton.class, "owner", Thread.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Null: nobody. */
    private volatile @Nullable Thread owner;

    boolean tryTake() {
        return owner == null && OWNER.compareAndSet(this, null, Thread.currentThread());
    }

    boolean isFree() {
        return owner == null;
    }

    boolean isMine() {
        return isOf(Thread.currentThread());
    }

    boolean isOf(Thread thread) {
        return owner == thread;
    }

    /** By the owner. What others queued because they found the baton taken can be seen afterwards. */
    void layDown() {
        owner = null;
        VarHandle.fullFence();
    }

    /** By the owner: the other thread, which waits for it, owns the engine from now on. */
    void handTo(Thread next) {
        owner = next;
        LockSupport.unpark(next);
    }
}
