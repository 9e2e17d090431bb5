package io.homa4j;

import io.homa4j.driver.Driver;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * How a thread that turns the engine waits when there is nothing to do: it polls while that pays ({@link PollWindow}), then
 * sleeps in the driver. The owner may sleep with the baton in hand; who queues a command for it wakes it. Owner, except where
 * said.
 */
final class Waiting {
    private static final VarHandle OWNER_SLEEPS;

    static {
        try {
            OWNER_SLEEPS = MethodHandles.lookup().findVarHandle(Waiting.class, "ownerSleeps", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final EngineLoop loop;
    private final Driver driver;
    private final BoundedQueue<Command> commands;
    private final PollWindow window;

    /** The owner sleeps in the driver; whoever queues a command and clears this wakes it. */
    private volatile boolean ownerSleeps;

    Waiting(EngineLoop loop, BoundedQueue<Command> commands, long pollNs) {
        this.loop = loop;
        this.driver = loop.driver;
        this.commands = commands;
        this.window = new PollWindow(pollNs);
    }

    /** Lets an owner that sleeps turn. Any thread. */
    void wakeOwner() {
        if (ownerSleeps && OWNER_SLEEPS.compareAndSet(this, true, false)) {
            driver.wake();
        }
    }

    /**
     * How long to sleep now; 0 to poll. Deadlines nearer than the driver can sleep are polled for as long as polling is
     * allowed at all, then slept over: a timer that fires a millisecond late does no harm, a core that never rests does.
     *
     * @param workNs when something was done last
     */
    long sleepNs(long workNs, long now) {
        long untilDueNs = loop.turn.untilDueNs(now);
        return untilDueNs <= 0 || window.isOpen(now - workNs) ? 0 : untilDueNs;
    }

    /** Whether to sleep right after work: polling is switched off, and only the driver can bring more. */
    boolean sleepsAtOnce() {
        return window.isNever() && !loop.turn.mayHaveMore();
    }

    /** Sleeps with the baton in hand. The driver must have no other sleeper. */
    void sleepOwning(long waitNs) {
        ownerSleeps = true;
        VarHandle.fullFence();
        try {
            if (commands.isEmpty()) {
                driver.await(waitNs);
            }
        } catch (Throwable e) {
            loop.die(e);
        }
        ownerSleeps = false;
    }

    /** A sleep has just ended that began at {@code now}. */
    void slept(long workNs, long now) {
        window.slept(now - workNs, System.nanoTime() - now);
    }

    /** Who polls lets others have the processor in each round, as the module does. */
    @SuppressWarnings("ThreadPriorityCheck") // polling must not keep the processor from whoever is polled for
    static void yieldProcessor() {
        Thread.yield();
    }
}
