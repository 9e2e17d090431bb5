package io.homa4j;

import io.homa4j.driver.Driver;
import io.homa4j.protocol.Config;
import io.homa4j.protocol.Endpoint;
import io.homa4j.protocol.Event;
import io.homa4j.protocol.Message;
import io.homa4j.protocol.PacketBatch;
import io.homa4j.protocol.Status;
import java.lang.System.Logger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Turns the engine: brings packets, commands and time to it, and takes packets and events from it. Decides who turns it and
 * how that thread waits; decides nothing about Homa.
 *
 * <h2>The baton</h2>
 * The engine has no locks, so one thread at a time may touch it: the {@link #owner}. The baton is taken by compare-and-set
 * and never waited for. Who does not get it puts a {@link Command} into the queue; the owner empties the queue in each
 * turn and once more after giving the baton back, so that no command is left lying (each side writes its own flag before it
 * reads the other's).
 *
 * <h2>Who turns</h2>
 * <ul>
 *   <li>The <i>keeper</i> is the engine's own thread. It polls until nothing has happened for a while, then sleeps in the
 *       driver. Between two looks the baton lies free.
 *   <li>A platform thread in a blocking call that finds the baton free turns until its call is done, sleeping in the driver
 *       too. A keeper that is woken by a packet meanwhile stands by, so that a thread which makes one call after the other
 *       costs no hand-off. When somebody else depends on the engine afterwards, or the call took long, the baton is handed
 *       to the keeper; else it lies free, and the keeper looks at it within milliseconds.
 *   <li>Any thread may run its own command and send what follows from it when the baton is free; it never waits with it.
 *       That is all virtual threads do.
 *   <li>Without a keeper (invoker mode), the application's {@link Homa#doWork}.
 * </ul>
 */
@SuppressWarnings("NonAtomicVolatileUpdate") // volatile counters here have one writer: the owner
final class EngineLoop {
    private static final Logger LOG = System.getLogger(EngineLoop.class.getName());

    private static final int RECEIVE_SLOTS = 64;
    private static final int SEND_SLOTS = 64;
    private static final int SEND_SLOT_BYTES = 128;
    /** Batches per turn and direction, so that neither starves the other. */
    private static final int BATCHES_PER_TURN = 4;

    private static final int COMMANDS_PER_TURN = 1024;
    private static final int QUEUED_COMMANDS = 1 << 16;
    private static final int EVENT_ROUNDS = 4;
    /** How often a thread that gives the baton back looks after commands of others before it leaves them to the keeper. */
    private static final int EXTRA_ROUNDS = 8;
    /** Bytes asked from the engine at a time: as much as the driver takes. */
    private static final int ALL_BYTES = Integer.MAX_VALUE;

    /** How often a keeper that stands by looks whether anybody still turns; doubled while one thread turns on. */
    private static final long STANDBY_NS = 1_000_000;

    private static final long STANDBY_MAX_NS = 64_000_000;
    /** A thread that has turned for so long hands the baton to the keeper. */
    private static final long LONG_HOLD_NS = 1_000_000;
    /**
     * While packets wait in the driver, peers that seem silent may be heard in the next turn, and asking them to send again
     * would make the queue longer. So the engine's timers wait too, but not for longer than this.
     */
    private static final long LATEST_TIMERS_NS = 50_000_000;
    /** With a full driver, how long to wait for room before trying again. */
    private static final long FULL_DRIVER_NS = 1_000_000;
    /** Invoker mode: after so long without a turn nobody is taken to turn the engine. */
    private static final long NOBODY_TURNS_NS = 1_000_000_000;

    private static final long CHECK_NS = 20_000_000;
    private static final long BACKOFF_NS = 50_000;

    // What the keeper is doing.
    private static final int ON_DUTY = 0;
    private static final int SLEEPING = 1;
    private static final int STANDING_BY = 2;

    private static final VarHandle OWNER;
    private static final VarHandle OWNER_SLEEPS;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            OWNER = lookup.findVarHandle(EngineLoop.class, "owner", Thread.class);
            OWNER_SLEEPS = lookup.findVarHandle(EngineLoop.class, "ownerSleeps", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final Endpoint endpoint;
    final Config config;
    final Driver driver;
    final ThreadMode mode;
    final SendMemory memory;
    final Executor completions;
    final boolean debug;
    /** Pools; what finds no room in them is left to the garbage collector. */
    final BoundedQueue<PendingCall> freeCalls = new BoundedQueue<>(1 << 13);

    final BoundedQueue<ReplyOp> freeReplies = new BoundedQueue<>(1 << 13);
    /** Opens when everything is closed. */
    final CountDownLatch closed = new CountDownLatch(1);

    /** The memory of the two batches, freed with this object. */
    private final Arena arena = Arena.ofAuto();

    private final PacketBatch received;
    private final PacketBatch outgoing;
    private final BoundedQueue<Command> commands = new BoundedQueue<>(QUEUED_COMMANDS);
    private final PollWindow window;
    private final @Nullable Thread keeper;

    // ---- the baton

    /** Who may touch the engine; null: nobody does. */
    private volatile @Nullable Thread owner;
    /** The owner sleeps in the driver; whoever queues a command and clears this wakes it. */
    private volatile boolean ownerSleeps;
    /** The owner is a thread in a blocking call. */
    private volatile boolean callerTurns;
    /** How many times a blocking call has taken the baton. */
    private volatile long callerHolds;

    private volatile int keeperState = ON_DUTY;
    /** When the sleeping keeper wakes by itself. */
    private volatile long keeperWakesNs;

    /** The time of the latest turn. */
    private volatile long turnedNs;
    /** Invoker mode: the thread that turns; the first one that does. */
    private volatile @Nullable Thread invoker;

    private volatile boolean isClosed;
    private volatile @Nullable Throwable failure;

    // ---- owner's

    final Event event = new Event();
    final Message message = new Message();
    final DeadlineHeap deadlines = new DeadlineHeap();
    /** RPCs and sockets that need the engine turned although nobody in a blocking call does it. Others may read it. */
    volatile int attention;

    private @Nullable SocketCore[] sockets = new SocketCore[8];
    private final List<SocketCore> closing = new ArrayList<>();
    /** Sockets with a limit of service time. */
    private final List<HomaServer> timedServers = new ArrayList<>();
    /** Messages the engine refused because of the send limit, oldest first. */
    final ArrayDeque<Command> deferred = new ArrayDeque<>();
    /** Who waits for send memory, oldest first. */
    private final ArrayDeque<MemoryOp> memoryWaiters = new ArrayDeque<>();

    private volatile boolean memoryWanted;
    private final RetryOp retryOp = new RetryOp();
    private final KnownPaths paths;
    /** What the driver learnt while it had a batch of the engine, which may hear of it only afterwards. */
    private final List<Runnable> hints = new ArrayList<>();

    private boolean driverFull;
    /** The latest turn left no packet waiting in the driver. */
    private boolean isDriverDrained;
    /** When the engine's timers were last looked at. */
    private long timersNs;
    /** The engine was given something since packets were last asked of it. */
    private boolean touched;

    private boolean retryDeferred;
    private long nowNs;
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
        this.memory = memory;
        this.completions = completions;
        this.debug = debug;
        this.nowNs = System.nanoTime();
        this.turnedNs = nowNs;
        this.timersNs = nowNs;
        this.endpoint = new Endpoint(config, seed, nowNs);
        this.window = new PollWindow(pollNs);
        this.paths = new KnownPaths(endpoint, driver);
        if (!mtuByHand) {
            endpoint.pathMtus(paths);
        }
        int slotBytes = ((driver.maxDatagramBytes() + 64) & ~63) | 64;
        this.received = new PacketBatch(RECEIVE_SLOTS, arena.allocate((long) RECEIVE_SLOTS * slotBytes, 64), slotBytes);
        this.outgoing =
                new PacketBatch(SEND_SLOTS, arena.allocate((long) SEND_SLOTS * SEND_SLOT_BYTES, 64), SEND_SLOT_BYTES);
        driver.feedback(new Driver.Feedback() {
            @Override
            public void unreachable(long peerHi, long peerLo, int port, Status kind) {
                hints.add(() -> endpoint.unreachable(peerHi, peerLo, port, kind, nowNs));
            }

            @Override
            public void pathMtu(long peerHi, long peerLo, int mtu) {
                hints.add(() -> paths.lowered(peerHi, peerLo, mtu));
            }
        });
        this.keeper = mode == ThreadMode.INVOKER
                ? null
                : Thread.ofPlatform().daemon().name("homa-engine").unstarted(this::keep);
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
        } else if (owner == Thread.currentThread()) {
            run(command);
        } else if (mode != ThreadMode.POLLING && tryAcquire()) {
            try {
                runFirst(command);
            } finally {
                release();
            }
        } else {
            enqueue(command);
        }
    }

    private void enqueue(Command command) {
        while (!commands.offer(command)) {
            wakeOwner();
            LockSupport.parkNanos(BACKOFF_NS);
            if (isClosed) {
                command.refuse(this);
                return;
            }
        }
        VarHandle.fullFence();
        if (isClosed) {
            refuseQueued();
        } else if (owner == null) {
            // Given back between our attempt and the queue: nobody may look into it for a while.
            if (tryAcquire()) {
                try {
                    runFirst(null);
                } finally {
                    release();
                }
            }
        } else {
            wakeOwner();
        }
    }

    private void wakeOwner() {
        if (ownerSleeps && OWNER_SLEEPS.compareAndSet(this, true, false)) {
            driver.wake();
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
        if (owner == self) {
            if (isClosed) {
                op.refuse(this);
                return false;
            }
            run(op);
            if (!op.isDone()) {
                op.onCancel(this, nowNs);
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
        if (mayTurn(self) && !isKeeperBusy() && tryAcquire()) {
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
        callerTurns = true;
        callerHolds = callerHolds + 1;
        try {
            runFirst(op);
            long workNs = nowNs;
            while (!op.isDone()) {
                long now = System.nanoTime();
                if (turn(now) > 0) {
                    workNs = now;
                } else if (!op.isDone()) {
                    idle(workNs, now);
                }
                if (self.isInterrupted() && !op.isDone()) {
                    // The flag would keep the driver from sleeping; the caller gets its exception when the operation is
                    // over.
                    Thread.interrupted();
                    interrupted = true;
                    op.onCancel(this, nowNs);
                    touched = true;
                }
            }
            flush();
        } finally {
            callerTurns = false;
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
        if (!op.isDone() && System.nanoTime() - turnedNs > NOBODY_TURNS_NS && tryAcquire()) {
            boolean cancelled = false;
            try {
                runFirst(null);
                if (!op.isDone()) {
                    op.onCancel(this, nowNs);
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

    /** Computes something on the owner; for questions and small changes. */
    <T extends @Nullable Object> T ask(Supplier<T> question, T ifClosed) {
        AskOp<T> op = new AskOp<>(question, ifClosed);
        if (executeQuietly(op)) {
            Thread.currentThread().interrupt();
        }
        return op.answer();
    }

    boolean isOwner() {
        return owner == Thread.currentThread();
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

    private boolean tryAcquire() {
        return owner == null && OWNER.compareAndSet(this, null, Thread.currentThread());
    }

    /** Whether the keeper is awake for others: a caller would only pass the baton back to it after each call. */
    private boolean isKeeperBusy() {
        return attention > 0 && keeper != null && keeperState == ON_DUTY;
    }

    private void release() {
        release(false);
    }

    /** Gives the baton back, to the keeper if somebody needs the engine turned. */
    private void release(boolean handOver) {
        for (int round = 0; ; round++) {
            long dueNs = isClosed ? Driver.FOREVER : dueNs();
            boolean needed = attention > 0 || handOver || untilNs(dueNs, nowNs) <= 0;
            if (keeper != null && needed && keeperState == STANDING_BY) {
                owner = keeper;
                LockSupport.unpark(keeper);
                return;
            }
            owner = null;
            VarHandle.fullFence();
            boolean isMore = !commands.isEmpty();
            if (isMore && round < EXTRA_ROUNDS && tryAcquire()) {
                runFirst(null);
                continue;
            }
            if (keeperState == SLEEPING && (isMore || dueNs - keeperWakesNs < 0)) {
                driver.wake();
            }
            return;
        }
    }

    // ---- the keeper

    private void keep() {
        Thread self = Thread.currentThread();
        while (!tryAcquire()) {
            Thread.onSpinWait();
        }
        long workNs = System.nanoTime();
        while (!isClosed) {
            long now = System.nanoTime();
            if (turn(now) > 0) {
                workNs = now;
            } else if (mode == ThreadMode.POLLING) {
                Thread.onSpinWait();
            } else {
                keeperIdles(self, workNs, now);
            }
        }
        if (owner == self) {
            owner = null;
        }
        refuseQueued();
    }

    /** Polls on or sleeps, with the baton lying free for whoever needs it meanwhile. */
    private void keeperIdles(Thread self, long workNs, long now) {
        long waitNs = waitNs(workNs, now);
        if (waitNs <= 0) {
            owner = null;
            yieldProcessor();
            acquireAsKeeper(self);
            return;
        }
        keeperWakesNs = waitNs == Driver.FOREVER ? now + Driver.FOREVER / 2 : now + waitNs;
        keeperState = SLEEPING;
        owner = null;
        VarHandle.fullFence();
        if (commands.isEmpty() && !isClosed) {
            driver.await(waitNs);
        }
        // Nobody asks this thread to stop by interrupting it; with the flag set it could not sleep.
        Thread.interrupted();
        keeperState = ON_DUTY;
        acquireAsKeeper(self);
        window.slept(now - workNs, System.nanoTime() - now);
    }

    private void acquireAsKeeper(Thread self) {
        while (!tryAcquire() && owner != self) {
            if (isClosed) {
                return;
            }
            if (callerTurns) {
                standBy(self);
                return;
            }
            // Somebody runs a command, which takes microseconds.
            Thread.onSpinWait();
        }
    }

    /** Waits until the baton is handed over or has been lying free for a while. */
    private void standBy(Thread self) {
        long seenHolds = -1;
        long intervalNs = STANDBY_NS;
        keeperState = STANDING_BY;
        while (owner != self && !isClosed) {
            long holds = callerHolds;
            if (owner == null && holds == seenHolds && tryAcquire()) {
                break;
            }
            intervalNs = holds == seenHolds ? Math.min(2 * intervalNs, STANDBY_MAX_NS) : STANDBY_NS;
            seenHolds = holds;
            Thread.interrupted();
            // A turn that goes on for long ends with a hand-over.
            LockSupport.parkNanos(this, owner == null ? STANDBY_NS : intervalNs);
        }
        keeperState = ON_DUTY;
    }

    // ---- waiting, by the owner

    /** Polls on or sleeps, keeping the baton; who polls lets others have the processor in each round, as the module does. */
    private void idle(long workNs, long now) {
        long waitNs = waitNs(workNs, now);
        if (waitNs <= 0) {
            yieldProcessor();
            return;
        }
        sleepOwning(waitNs);
        window.slept(now - workNs, System.nanoTime() - now);
    }

    @SuppressWarnings("ThreadPriorityCheck") // polling must not keep the processor from whoever is polled for
    private static void yieldProcessor() {
        Thread.yield();
    }

    private void sleepOwning(long waitNs) {
        fetchKeeperFromDriver();
        ownerSleeps = true;
        VarHandle.fullFence();
        if (commands.isEmpty()) {
            driver.await(waitNs);
        }
        ownerSleeps = false;
    }

    /**
     * The driver takes one sleeper at a time: a keeper that still sleeps there, perhaps for ever, would keep this thread from
     * its timers. It stands by afterwards, so this costs something only once in a row of calls.
     */
    private void fetchKeeperFromDriver() {
        if (keeperState == SLEEPING && keeper != Thread.currentThread()) {
            driver.wake();
            while (keeperState == SLEEPING) {
                yieldProcessor();
            }
        }
    }

    /**
     * How long to sleep now; 0 to poll. Deadlines nearer than the driver can sleep are polled for as long as polling is
     * allowed at all, then slept over: a timer that fires a millisecond late does no harm, a core that never rests does.
     */
    private long waitNs(long workNs, long now) {
        long sinceWorkNs = now - workNs;
        long untilDueNs = driverFull ? FULL_DRIVER_NS : untilNs(dueNs(), now);
        if (untilDueNs <= 0 || window.isOpen(sinceWorkNs)) {
            return 0;
        }
        return untilDueNs;
    }

    private static long untilNs(long dueNs, long now) {
        return dueNs == Driver.FOREVER ? Driver.FOREVER : dueNs - now;
    }

    /** When to turn at the latest; {@link Driver#FOREVER}: only for packets and commands. */
    private long dueNs() {
        long dueNs = endpoint.nextDeadlineNs(nowNs);
        Op first = deadlines.first();
        if (first != null) {
            dueNs = earlier(dueNs, first.deadlineNs);
        }
        for (int i = 0; i < timedServers.size(); i++) {
            dueNs = earlier(dueNs, timedServers.get(i).limitNs());
        }
        for (int i = 0; i < closing.size(); i++) {
            dueNs = earlier(dueNs, closing.get(i).closeByNs());
        }
        return dueNs;
    }

    private static long earlier(long a, long b) {
        if (a == Driver.FOREVER || b == Driver.FOREVER) {
            return a == Driver.FOREVER ? b : a;
        }
        return a - b <= 0 ? a : b;
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
            if (!mayTurn(Thread.currentThread()) && System.nanoTime() - turnedNs < NOBODY_TURNS_NS) {
                latch.await(CHECK_NS, TimeUnit.NANOSECONDS);
            } else if (tryAcquire()) {
                try {
                    long now = System.nanoTime();
                    if (!isClosed && turn(now) == 0 && !isClosed) {
                        sleepOwning(Math.clamp(untilNs(dueNs(), now), 0, CHECK_NS));
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
        if (owner == self) {
            throw new IllegalStateException("doWork within a handler or callback");
        }
        invoker = self;
        if (isClosed || !tryAcquire()) {
            return 0;
        }
        try {
            long now = System.nanoTime();
            int work = turn(now);
            if (work == 0 && waitNs > 0 && !isClosed) {
                long untilDueNs = driverFull ? FULL_DRIVER_NS : untilNs(dueNs(), now);
                if (untilDueNs > 0) {
                    sleepOwning(Math.min(waitNs, untilDueNs));
                    work = turn(System.nanoTime());
                }
            }
            return work;
        } finally {
            release();
        }
    }

    // ---- a turn, by the owner

    /** Runs a command outside of a turn, and what was queued, and sends what follows from it. */
    private void runFirst(@Nullable Command command) {
        nowNs = System.nanoTime();
        try {
            if (command != null) {
                if (isClosed) {
                    command.refuse(this);
                    return;
                }
                run(command);
            }
            runCommands();
            emit();
            dispatch();
            advanceClosing();
        } catch (RuntimeException | Error e) {
            die(e);
        }
    }

    private void run(Command command) {
        touched = true;
        command.run(this, nowNs);
    }

    /** One turn: packets before timers, because a process that was stopped must not take its own pause for silence. */
    private int turn(long now) {
        nowNs = now;
        turnedNs = now;
        try {
            int work = receivePackets() + runCommands();
            if (isDriverDrained || now - timersNs >= LATEST_TIMERS_NS) {
                timersNs = now;
                endpoint.onTime(now);
            }
            fireDeadlines();
            work += emit();
            for (int round = 0; round < EVENT_ROUNDS; round++) {
                int events = dispatch();
                work += events;
                if (!touched) {
                    break;
                }
                work += emit();
            }
            advanceClosing();
            return work;
        } catch (RuntimeException | Error e) {
            die(e);
            return 1;
        }
    }

    private int receivePackets() {
        int work = 0;
        isDriverDrained = false;
        for (int i = 0; i < BATCHES_PER_TURN; i++) {
            int count = driver.receive(received);
            if (count > 0) {
                endpoint.onPackets(received, nowNs);
                work += count;
            }
            if (count < received.capacity) {
                isDriverDrained = true;
                break;
            }
        }
        return work;
    }

    private int runCommands() {
        int work = 0;
        while (work < COMMANDS_PER_TURN) {
            Command command = commands.poll();
            if (command == null) {
                break;
            }
            run(command);
            work++;
        }
        return work;
    }

    private int emit() {
        touched = false;
        driverFull = false;
        int work = 0;
        for (int i = 0; i < BATCHES_PER_TURN; i++) {
            int count = endpoint.pollPackets(outgoing, ALL_BYTES, nowNs);
            if (count == 0) {
                break;
            }
            int sent = driver.send(outgoing);
            endpoint.onSent(sent, nowNs);
            if (!hints.isEmpty()) {
                hints.forEach(Runnable::run);
                hints.clear();
            }
            work += sent;
            if (sent < count) {
                driverFull = true;
                break;
            }
        }
        return work;
    }

    /** Sends what the end of an operation has left to send. */
    private void flush() {
        try {
            if (touched && !isClosed) {
                emit();
            }
        } catch (RuntimeException | Error e) {
            die(e);
        }
    }

    private int dispatch() {
        int work = 0;
        while (endpoint.pollEvent(event)) {
            work++;
            switch (event.kind) {
                case READABLE -> {
                    SocketCore socket = socket(event.socket);
                    if (socket != null) {
                        socket.onReadable(nowNs);
                    }
                }
                case PRIVATE_READY -> {
                    if (event.attachment instanceof PendingCall call) {
                        call.onReady(this, event.id, nowNs);
                    }
                }
                case RELEASED -> {
                    if (event.attachment instanceof Outgoing released) {
                        released.onReleased(this);
                        retryDeferred = !deferred.isEmpty();
                    }
                }
                case WRITABLE -> retryDeferred = !deferred.isEmpty();
            }
        }
        if (retryDeferred) {
            retryDeferred = false;
            retryDeferred();
        }
        return work;
    }

    private void fireDeadlines() {
        for (Op op = deadlines.first(); op != null && op.deadlineNs - nowNs <= 0; op = deadlines.first()) {
            deadlines.remove(op);
            touched = true;
            op.onDeadline(this, nowNs);
        }
        for (int i = 0; i < timedServers.size(); i++) {
            timedServers.get(i).onTime(nowNs);
        }
    }

    /** The engine was changed from within a handler or callback: ask it for packets again. */
    void touch() {
        touched = true;
    }

    long nowNs() {
        return nowNs;
    }

    // ---- send limits, by the owner

    /** Keeps a command the engine refused because of its send limit, to be run again when there is room. */
    void defer(Command command) {
        deferred.add(command);
    }

    private void retryDeferred() {
        for (int i = deferred.size(); i > 0; i--) {
            Command oldest = deferred.poll();
            if (oldest == null) {
                return;
            }
            int before = deferred.size();
            run(oldest);
            if (deferred.size() > before) {
                // Refused again: it goes back to the head.
                deferred.addFirst(deferred.removeLast());
                return;
            }
        }
    }

    /** Puts an operation on the list of those that wait for send memory. */
    void waitForMemory(MemoryOp op) {
        memoryWaiters.add(op);
        memoryWanted = true;
        deadlines.add(op);
    }

    void noLongerWaitsForMemory(MemoryOp op) {
        memoryWaiters.remove(op);
        memoryWanted = !memoryWaiters.isEmpty();
        deadlines.remove(op);
    }

    /** Gives a buffer back to the pool. Any thread. */
    void giveBack(SendBuffer buffer) {
        memory.give(buffer);
        if (memoryWanted) {
            submit(retryOp);
        }
    }

    /** A message in send memory; null if there is none left. Any thread. */
    @Nullable
    SendBuffer tryCopy(MemorySegment message, int length) {
        SendBuffer buffer = memory.take(length);
        if (buffer != null) {
            copy(message, buffer, length);
        }
        return buffer;
    }

    /** Copies a message to its send memory; gives the memory back if that fails. Any thread. */
    void copy(MemorySegment message, SendBuffer buffer, int length) {
        try {
            MemorySegment.copy(message, 0, buffer.segment, 0, length);
        } catch (RuntimeException e) {
            giveBack(buffer);
            throw isClosed ? closedException("this Homa") : e;
        }
    }

    private void serveMemoryWaiters() {
        for (MemoryOp op = memoryWaiters.peek(); op != null; op = memoryWaiters.peek()) {
            SendBuffer buffer = memory.take(op.length);
            if (buffer == null) {
                return;
            }
            noLongerWaitsForMemory(op);
            op.succeed(buffer);
        }
    }

    // ---- sockets, by the owner

    @Nullable
    SocketCore socket(int number) {
        return number >= 0 && number < sockets.length ? sockets[number] : null;
    }

    void addSocket(SocketCore socket) {
        if (socket.number >= sockets.length) {
            sockets = Arrays.copyOf(sockets, Math.max(socket.number + 1, 2 * sockets.length));
        }
        sockets[socket.number] = socket;
        endpoint.link(config.linkMbps > 0 ? config.linkMbps : driver.linkMbps(), driver.receiveCapacityBytes());
    }

    void addTimedServer(HomaServer server) {
        timedServers.add(server);
    }

    /** A socket has begun to close; it is closed in one of the next turns. */
    void addClosing(SocketCore socket) {
        closing.add(socket);
        attention++;
    }

    private void advanceClosing() {
        if (closing.isEmpty() && !closingAll) {
            return;
        }
        for (int i = closing.size() - 1; i >= 0; i--) {
            SocketCore socket = closing.get(i);
            if (socket.isDrained() || socket.closeByNs() - nowNs <= 0) {
                closing.remove(i);
                attention--;
                closeSocket(socket);
            }
        }
        if (closingAll && closing.isEmpty()) {
            finish();
        }
    }

    private void closeSocket(SocketCore socket) {
        socket.failCalls(nowNs);
        endpoint.shutdown(socket.number, nowNs);
        dispatch();
        emit();
        endpoint.closeSocket(socket.number, nowNs);
        driver.unbind(socket.port);
        sockets[socket.number] = null;
        timedServers.removeIf(server -> server.core() == socket);
        socket.closed();
    }

    // ---- the end, by the owner

    /** Begins to close every socket; the loop ends with the turn in which all are closed. */
    void beginClose(long lingerNs) {
        closingAll = true;
        for (SocketCore socket : sockets) {
            if (socket != null) {
                socket.beginClose(nowNs, lingerNs);
            }
        }
    }

    private void finish() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        VarHandle.fullFence();
        refuseQueued();
        for (Command command : deferred) {
            command.refuse(this);
        }
        deferred.clear();
        for (MemoryOp op : memoryWaiters) {
            op.refuse(this);
        }
        memoryWaiters.clear();
        for (Op op = deadlines.first(); op != null; op = deadlines.first()) {
            deadlines.remove(op);
            op.refuse(this);
        }
        try {
            driver.close();
            memory.close();
        } catch (IllegalStateException e) {
            // Somebody reads into or out of lent memory at this moment; it stays until the process ends.
            LOG.log(Logger.Level.WARNING, "send memory is still in use by another thread and is not freed", e);
        } finally {
            closed.countDown();
            if (keeper != null) {
                LockSupport.unpark(keeper);
            }
        }
    }

    /** Something is wrong with the program: nobody is left waiting. */
    private void die(Throwable cause) {
        if (isClosed) {
            return;
        }
        failure = cause;
        LOG.log(Logger.Level.ERROR, "the Homa engine stopped; all its calls fail", cause);
        for (SocketCore socket : sockets) {
            if (socket != null) {
                socket.abandon();
            }
        }
        finish();
    }

    private void refuseQueued() {
        for (Command command = commands.poll(); command != null; command = commands.poll()) {
            command.refuse(this);
        }
    }

    /** Gives waiting threads the memory that came back. */
    private static final class RetryOp extends Command {
        @Override
        void run(EngineLoop loop, long nowNs) {
            loop.serveMemoryWaiters();
        }

        @Override
        void refuse(EngineLoop loop) {
            // The loop has already refused those who wait.
        }
    }

    /** An interrupted thread no longer wants its operation. */
    private static final class CancelOp extends Command {
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
}
