package io.homa4j;

import io.homa4j.driver.Driver;
import io.homa4j.protocol.Config;
import io.homa4j.protocol.Endpoint;
import java.lang.System.Logger;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One engine and the parts around it, and who turns it:
 *
 * <ul>
 *   <li>the {@link Keeper}, its own thread;
 *   <li>a platform thread in a blocking call that finds the {@link Baton} free: until its call is done, sleeping in the driver
 *       too;
 *   <li>any thread, for the instant of its own command and of what follows from it, when the baton is free; it never waits
 *       with it. That is all virtual threads do;
 *   <li>without a keeper (invoker mode), the application's {@link Homa#doWork}.
 * </ul>
 *
 * What a turn is stands in {@link EngineTurn}, how a thread waits between two of them in {@link Waiting}.
 */
final class EngineLoop {
    private static final Logger LOG = System.getLogger(EngineLoop.class.getName());

    private static final int QUEUED_COMMANDS = 1 << 16;
    /** How often a thread that gives the baton back looks after commands of others before it leaves them to the keeper. */
    private static final int EXTRA_ROUNDS = 8;
    /** A thread that has turned for so long hands the baton to the keeper. */
    private static final long LONG_HOLD_NS = 1_000_000;
    /** Invoker mode: after so long without a turn nobody is taken to turn the engine. */
    private static final long NOBODY_TURNS_NS = 1_000_000_000;

    private static final long CHECK_NS = 20_000_000;
    private static final long BACKOFF_NS = 50_000;

    final Endpoint endpoint;
    final Config config;
    final Driver driver;
    final ThreadMode mode;
    final Executor completions;
    final boolean debug;
    final SendSpace sendSpace;
    final ApplicationErrors applicationErrors = new ApplicationErrors();
    /** Pools; what finds no room in them is left to the garbage collector. */
    final BoundedQueue<PendingCall> freeCalls = new BoundedQueue<>(1 << 13);

    final BoundedQueue<ReplyOp> freeReplies = new BoundedQueue<>(1 << 13);
    /** Opens when everything is closed. */
    final CountDownLatch closed = new CountDownLatch(1);

    final Baton baton = new Baton();
    final EngineTurn turn;
    final Waiting waiting;
    /** Null in invoker mode. */
    private final @Nullable Keeper keeper;

    private final BoundedQueue<Command> commands = new BoundedQueue<>(QUEUED_COMMANDS);
    /** Invoker mode: the thread that turns; the first one that does. */
    private volatile @Nullable Thread invoker;

    private volatile boolean isClosed;
    private volatile @Nullable Throwable failure;

    // ---- owner's

    final DeadlineHeap deadlines = new DeadlineHeap();
    final OpenSockets sockets = new OpenSockets(this);
    /** RPCs and sockets that need the engine turned although nobody in a blocking call does it. Others may read it. */
    private volatile int attention;

    private boolean closingAll;

    EngineLoop(
            Config config,
            long seed,
            Driver driver,
            ThreadMode mode,
            long pollNs,
            SendMemory memory,
            Executor completions,
            boolean mtuByHand,
            boolean debug) {
        this.config = config;
        this.driver = driver;
        this.mode = mode;
        this.completions = completions;
        this.debug = debug;
        this.sendSpace = new SendSpace(this, memory);
        long nowNs = System.nanoTime();
        this.endpoint = new Endpoint(config, seed, nowNs);
        this.turn = new EngineTurn(this, commands, nowNs);
        if (!mtuByHand) {
            endpoint.pathMtus(driver::mtu);
        }
        this.waiting = new Waiting(this, commands, pollNs);
        this.keeper = mode == ThreadMode.INVOKER ? null : new Keeper(this);
    }

    void start() {
        if (keeper != null) {
            keeper.start();
        }
    }

    // ---- commands: any thread

    /** Runs the command now if the baton is free or ours, else soon. Never waits for the command. */
    void submit(Command command) {
        if (isClosed) {
            command.refuse(this);
        } else if (baton.isMine()) {
            if (turn.isInApplication()) {
                turn.later(command);
            } else {
                turn.run(command);
            }
        } else if (mode != ThreadMode.POLLING && baton.tryTake()) {
            try {
                turn.makeFor(command);
            } finally {
                release();
            }
        } else {
            enqueue(command);
        }
    }

    private void enqueue(Command command) {
        while (!commands.offer(command)) {
            waiting.wakeOwner();
            LockSupport.parkNanos(BACKOFF_NS);
            if (isClosed) {
                command.refuse(this);
                return;
            }
        }
        VarHandle.fullFence();
        if (isClosed) {
            refuseQueued();
        } else if (baton.isFree()) {
            // Given back between our attempt and the queue: nobody may look into it for a while.
            if (baton.tryTake()) {
                try {
                    turn.makeFor(null);
                } finally {
                    release();
                }
            }
        } else {
            waiting.wakeOwner();
        }
    }

    /** Runs an operation and waits for its end; not to be called by the owner unless the operation ends at once. */
    void execute(Op op) throws InterruptedException {
        if (executeQuietly(op)) {
            throw new InterruptedException();
        }
    }

    /**
     * As {@link #execute}; an interrupt cancels the operation, which then ends soon.
     *
     * @return whether the thread was interrupted before the operation ended; its interrupt status is then clear
     */
    boolean executeQuietly(Op op) {
        Thread self = Thread.currentThread();
        if (baton.isOf(self)) {
            if (isClosed) {
                op.refuse(this);
                return false;
            }
            turn.run(op);
            if (!op.isDone()) {
                op.onCancel(this, turn.nowNs());
                throw new IllegalStateException(
                        "blocking call on the thread that turns the engine: use the asynchronous form in short"
                                + " handlers and callbacks");
            }
            return false;
        }
        if (isClosed) {
            op.refuse(this);
            return false;
        }
        if (mayTurn(self) && !isKeeperBusy() && baton.tryTake()) {
            return turnUntilDone(op, self);
        }
        op.parksFor(self);
        submit(op);
        return parkUntilDone(op);
    }

    /** Whether the thread turns the engine itself when it has to wait. */
    private boolean mayTurn(Thread self) {
        return switch (mode) {
            case DEFAULT -> !self.isVirtual();
            case POLLING -> false;
            case INVOKER -> {
                Thread current = invoker;
                if (current == null) {
                    invoker = self;
                }
                yield current == null || current == self;
            }
        };
    }

    private boolean turnUntilDone(Op op, Thread self) {
        boolean interrupted = false;
        long startNs = System.nanoTime();
        if (keeper != null) {
            keeper.callerTurns();
        }
        try {
            turn.makeFor(op);
            long workNs = turn.nowNs();
            while (!op.isDone()) {
                long now = System.nanoTime();
                if (turn.make(now) > 0) {
                    workNs = now;
                } else if (!op.isDone()) {
                    idle(workNs, now);
                }
                if (self.isInterrupted() && !op.isDone()) {
                    // The flag would keep the driver from sleeping; the caller gets its exception when the operation is
                    // over.
                    Thread.interrupted();
                    interrupted = true;
                    op.onCancel(this, turn.nowNs());
                    turn.touch();
                }
            }
            turn.flush();
        } finally {
            if (keeper != null) {
                keeper.callerIsDone();
            }
            release(System.nanoTime() - startNs > LONG_HOLD_NS);
        }
        return interrupted;
    }

    private boolean parkUntilDone(Op op) {
        boolean interrupted = false;
        while (!op.isDone()) {
            if (mode == ThreadMode.INVOKER) {
                LockSupport.parkNanos(op, CHECK_NS);
                failIfNobodyTurns(op);
            } else {
                LockSupport.park(op);
            }
            if (Thread.interrupted() && !op.isDone()) {
                interrupted = true;
                submit(new CancelOp(op));
            }
        }
        return interrupted;
    }

    private void failIfNobodyTurns(Op op) {
        if (!op.isDone() && System.nanoTime() - turn.turnedNs() > NOBODY_TURNS_NS && baton.tryTake()) {
            boolean cancelled = false;
            try {
                turn.makeFor(null);
                if (!op.isDone()) {
                    op.onCancel(this, turn.nowNs());
                    cancelled = true;
                }
            } finally {
                release();
            }
            if (cancelled) {
                throw new IllegalStateException(
                        "nobody has turned this engine for a second: in invoker mode a thread has to"
                                + " call doWork while others wait, or make the blocking calls itself");
            }
        }
    }

    /**
     * For calls of the application that reach the engine before they return, before they have taken anything.
     *
     * @throws StackOverflowError if the application's code has left too little of the stack on the thread that turns the engine
     */
    void checkStack() {
        if (baton.isMine()) {
            turn.checkStack();
        }
    }

    /** Computes something on the owner; for questions and small changes. */
    <T extends @Nullable Object> T ask(Supplier<T> question, T ifClosed) {
        checkStack();
        AskOp<T> op = new AskOp<>(question, ifClosed);
        if (executeQuietly(op)) {
            Thread.currentThread().interrupt();
        }
        return op.answer();
    }

    boolean isOwner() {
        return baton.isMine();
    }

    boolean isClosed() {
        return isClosed;
    }

    /** The exception for calls on a closed engine. */
    HomaException closedException(String subject) {
        Throwable cause = failure;
        return cause == null
                ? new HomaClosedException(subject)
                : new HomaException(Reason.INTERNAL, "the engine stopped: " + cause, Reason.INTERNAL.remedy(), cause);
    }

    // ---- the baton

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer: the owner
    void addAttention(int change) {
        attention += change;
    }

    int attention() {
        return attention;
    }

    /** Whether the keeper is awake for others: a caller would only pass the baton back to it after each call. */
    private boolean isKeeperBusy() {
        return attention > 0 && keeper != null && keeper.isOnDuty();
    }

    private void release() {
        release(false);
    }

    /** Gives the baton back, to the keeper if somebody needs the engine turned. */
    private void release(boolean handOver) {
        for (int round = 0; ; round++) {
            long dueNs = isClosed ? Driver.FOREVER : turn.dueNs();
            boolean needed = attention > 0 || handOver || EngineTurn.untilNs(dueNs, turn.nowNs()) <= 0;
            if (keeper != null && needed && keeper.takesOver()) {
                return;
            }
            baton.layDown();
            boolean isMore = !commands.isEmpty();
            if (isMore && round < EXTRA_ROUNDS && baton.tryTake()) {
                turn.makeFor(null);
                continue;
            }
            if (keeper != null) {
                if (isMore) {
                    keeper.wake();
                } else {
                    keeper.wakeFor(dueNs);
                }
            }
            return;
        }
    }

    // ---- waiting, by the owner

    /** Polls on or sleeps, keeping the baton. */
    private void idle(long workNs, long now) {
        long waitNs = waiting.sleepNs(workNs, now);
        if (waitNs <= 0) {
            Waiting.yieldProcessor();
            return;
        }
        sleepOwning(waitNs);
        waiting.slept(workNs, now);
    }

    private void sleepOwning(long waitNs) {
        if (keeper != null) {
            keeper.leaveDriver();
        }
        waiting.sleepOwning(waitNs);
    }

    // ---- waiting for the end

    /** Waits for a socket or the loop to be closed; in invoker mode by turning. Not for the owner. */
    void awaitEnd(CountDownLatch end) {
        boolean interrupted = false;
        while (end.getCount() > 0) {
            try {
                awaitLatch(end);
            } catch (InterruptedException e) {
                // It ends within the linger time: that much a close may take.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    void awaitLatch(CountDownLatch latch) throws InterruptedException {
        if (mode != ThreadMode.INVOKER) {
            latch.await();
            return;
        }
        while (latch.getCount() > 0) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (!mayTurn(Thread.currentThread()) && System.nanoTime() - turn.turnedNs() < NOBODY_TURNS_NS) {
                latch.await(CHECK_NS, TimeUnit.NANOSECONDS);
            } else if (baton.tryTake()) {
                try {
                    long now = System.nanoTime();
                    if (!isClosed && turn.make(now) == 0 && !isClosed) {
                        sleepOwning(Math.clamp(EngineTurn.untilNs(turn.dueNs(), now), 0, CHECK_NS));
                    }
                } finally {
                    release();
                }
            }
        }
    }

    // ---- invoker mode

    /** One turn by the application. */
    int doWork(long waitNs) {
        Thread self = Thread.currentThread();
        if (baton.isOf(self)) {
            throw new IllegalStateException("doWork within a handler or callback");
        }
        invoker = self;
        if (isClosed || !baton.tryTake()) {
            return 0;
        }
        try {
            if (waitNs > 0 && !turn.mayHaveMore()) {
                // Sleeping first tells which sockets have something, if any has it is no sleep, and one turn is enough.
                long untilDueNs = turn.untilDueNs(System.nanoTime());
                if (untilDueNs > 0) {
                    sleepOwning(Math.min(waitNs, untilDueNs));
                }
            }
            return turn.make(System.nanoTime());
        } finally {
            release();
        }
    }

    // ---- the end, by the owner

    /** Begins to close every socket; the loop ends with the turn in which all are closed. */
    void beginClose(long lingerNs) {
        closingAll = true;
        sockets.beginCloseAll(turn.nowNs(), lingerNs);
    }

    /** Closes what has come to its end. */
    void advanceClosing() {
        sockets.advanceClosing(turn);
        if (closingAll && !sockets.isAnyClosing()) {
            finish();
        }
    }

    private void finish() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        VarHandle.fullFence();
        refuseQueued();
        sendSpace.refuseAll();
        for (Op op = deadlines.first(); op != null; op = deadlines.first()) {
            deadlines.remove(op);
            op.refuse(this);
        }
        try {
            driver.close();
        } catch (RuntimeException e) {
            LOG.log(Logger.Level.WARNING, "closing the driver", e);
        }
        sendSpace.close();
        closed.countDown();
        if (keeper != null) {
            keeper.end();
        }
    }

    /** Something is wrong with the program: nobody is left waiting. */
    void die(Throwable cause) {
        if (isClosed) {
            return;
        }
        failure = cause;
        LOG.log(Logger.Level.ERROR, "the Homa engine stopped; all its calls fail", cause);
        sockets.abandonAll();
        finish();
    }

    /** Any thread. */
    boolean isCommandQueued() {
        return !commands.isEmpty();
    }

    void refuseQueued() {
        for (Command command = commands.poll(); command != null; command = commands.poll()) {
            command.refuse(this);
        }
    }
}
