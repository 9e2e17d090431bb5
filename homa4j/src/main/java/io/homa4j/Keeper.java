package io.homa4j;

import io.homa4j.driver.Driver;
import java.util.concurrent.locks.LockSupport;

/**
 * The engine's own thread. It turns until nothing has happened for a while, then sleeps in the driver. Between two looks the
 * baton lies free, and a thread in a blocking call may take it and turn the engine itself. A keeper that is woken by a packet
 * meanwhile stands by, so that a thread which makes one call after the other costs no hand-off. When somebody else depends
 * on the engine afterwards, or the call took long, the baton is handed to the keeper; else it lies free, and the keeper
 * looks at it within milliseconds.
 */
@SuppressWarnings("NonAtomicVolatileUpdate") // the volatile counter has one writer: the owner
final class Keeper {
    /** How often a keeper that stands by looks whether anybody still turns; doubled while one thread turns on. */
    private static final long STANDBY_NS = 1_000_000;

    private static final long STANDBY_MAX_NS = 64_000_000;

    /** Either of the others follows the first and leads to it. */
    private enum State {
        /** Owns the engine or is about to. */
        ON_DUTY,
        /** In the driver, not the owner. */
        SLEEPING,
        /** A caller turns; parked until it hands over or has stopped. */
        STANDING_BY
    }

    private final EngineLoop loop;
    private final Driver driver;
    private final Baton baton;
    private final Thread thread;

    private volatile State state = State.ON_DUTY;
    /** When the sleeping keeper wakes by itself. */
    private volatile long wakesNs;
    /** The owner is a thread in a blocking call; written by it. */
    private volatile boolean callerTurns;
    /** How many times a blocking call has taken the baton; written by the owner. */
    private volatile long callerHolds;

    Keeper(EngineLoop loop) {
        this.loop = loop;
        this.driver = loop.driver;
        this.baton = loop.baton;
        this.thread = Thread.ofPlatform().daemon().name("homa-engine").unstarted(this::keep);
    }

    void start() {
        thread.start();
    }

    // ---- for the owner

    /** A blocking call has taken the baton and keeps it until it is done. */
    void callerTurns() {
        callerTurns = true;
        callerHolds = callerHolds + 1;
    }

    void callerIsDone() {
        callerTurns = false;
    }

    /** Hands the baton to a keeper that stands by; false if it does something else. */
    boolean takesOver() {
        if (state != State.STANDING_BY) {
            return false;
        }
        baton.handTo(thread);
        return true;
    }

    /**
     * The driver takes one sleeper at a time: a keeper that still sleeps there, perhaps for ever, would keep the owner from its
     * timers. It stands by afterwards, so this costs something only once in a row of calls.
     */
    void leaveDriver() {
        if (state == State.SLEEPING) {
            driver.wake();
            while (state == State.SLEEPING) {
                Waiting.yieldProcessor();
            }
        }
    }

    // ---- any thread

    /** Whether it is awake: a caller would only pass the baton back to it after each call. */
    boolean isOnDuty() {
        return state == State.ON_DUTY;
    }

    /** Wakes it if it sleeps for longer than until then. */
    void wakeFor(long dueNs) {
        if (state == State.SLEEPING && dueNs - wakesNs < 0) {
            driver.wake();
        }
    }

    /** Wakes it if it sleeps. */
    void wake() {
        if (state == State.SLEEPING) {
            driver.wake();
        }
    }

    /** The loop is closed: nothing to stand by for. */
    void end() {
        LockSupport.unpark(thread);
    }

    // ---- its thread

    private void keep() {
        while (!baton.tryTake()) {
            Thread.onSpinWait();
        }
        long workNs = System.nanoTime();
        while (!loop.isClosed()) {
            long now = System.nanoTime();
            if (loop.turn.make(now) > 0) {
                workNs = now;
                if (loop.mode != ThreadMode.POLLING && loop.waiting.sleepsAtOnce()) {
                    idle(workNs, System.nanoTime());
                }
            } else if (loop.mode == ThreadMode.POLLING) {
                Thread.onSpinWait();
            } else {
                idle(workNs, now);
            }
        }
        if (baton.isMine()) {
            baton.layDown();
        }
        loop.refuseQueued();
    }

    /** Polls on or sleeps, with the baton lying free for whoever needs it meanwhile. */
    private void idle(long workNs, long now) {
        long waitNs = loop.waiting.sleepNs(workNs, now);
        if (waitNs <= 0) {
            baton.layDown();
            Waiting.yieldProcessor();
            retakeBaton();
            return;
        }
        wakesNs = waitNs == Driver.FOREVER ? now + Driver.FOREVER / 2 : now + waitNs;
        state = State.SLEEPING;
        baton.layDown();
        Throwable broken = null;
        try {
            if (!loop.isCommandQueued() && !loop.isClosed()) {
                driver.await(waitNs);
            }
        } catch (Throwable e) {
            broken = e;
        }
        // Nobody asks this thread to stop by interrupting it; with the flag set it could not sleep.
        Thread.interrupted();
        state = State.ON_DUTY;
        retakeBaton();
        if (broken != null && baton.isMine()) {
            loop.die(broken);
        }
        loop.waiting.slept(workNs, now);
    }

    private void retakeBaton() {
        while (!baton.tryTake() && !baton.isMine()) {
            if (loop.isClosed()) {
                return;
            }
            if (callerTurns) {
                standBy();
                return;
            }
            // Somebody runs a command, which takes microseconds.
            Thread.onSpinWait();
        }
    }

    /** Waits until the baton is handed over or has been lying free for a while. */
    private void standBy() {
        long seenHolds = -1;
        long intervalNs = STANDBY_NS;
        state = State.STANDING_BY;
        while (!baton.isMine() && !loop.isClosed()) {
            long holds = callerHolds;
            if (holds == seenHolds && baton.tryTake()) {
                break;
            }
            intervalNs = holds == seenHolds ? Math.min(2 * intervalNs, STANDBY_MAX_NS) : STANDBY_NS;
            seenHolds = holds;
            Thread.interrupted();
            // A turn that goes on for long ends with a hand-over.
            LockSupport.parkNanos(this, baton.isFree() ? STANDBY_NS : intervalNs);
        }
        state = State.ON_DUTY;
    }
}
