package io.homa4j.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C and SIGTERM as a request to come to an end: a command that runs {@link #during} one has some seconds to close what
 * it opened and to print its summary or why it failed, and the process then ends with the command's own exit code
 * ({@link #exit}).
 */
final class StopSignal {
    /** A command that works until it is told to stop. */
    interface Body {
        int run(StopSignal stop) throws Exception;
    }

    private static final Duration GRACE = Duration.ofSeconds(10);

    /** Everything is done and said; {@link #exitCode} counts. */
    private static final CountDownLatch OVER = new CountDownLatch(1);

    private static volatile int exitCode;

    private final CountDownLatch raised = new CountDownLatch(1);

    private final Duration grace;

    private StopSignal(Duration grace) {
        this.grace = grace;
    }

    /** The end of the process, for its main method. */
    static void exit(int code) {
        exitCode = code;
        OVER.countDown();
        // Does not return, and does nothing, where a signal has begun to end the process: then the hook below does.
        System.exit(code);
    }

    /** Runs the body; returns its exit code. */
    static int during(Body body) throws Exception {
        return during(GRACE, body);
    }

    /** As {@link #during(Body)}, for a command that may need another time to come to its end. */
    static int during(Duration grace, Body body) throws Exception {
        StopSignal stop = new StopSignal(grace);
        Thread hook = new Thread(stop::onShutdown, "homa-stop");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            return body.run(stop);
        } finally {
            if (!stop.isRaised()) {
                removeHook(hook);
            }
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The signal came this moment: the hook finds everything done.
            assert hook.isAlive() || hook.getState() == Thread.State.TERMINATED : e;
        }
    }

    private void onShutdown() {
        raised.countDown();
        try {
            if (OVER.await(grace.toNanos(), TimeUnit.NANOSECONDS)) {
                // The first signal has settled the exit code of an ordinary exit; this sets the command's own.
                Runtime.getRuntime().halt(exitCode);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether the process was asked to end. */
    boolean isRaised() {
        return raised.getCount() == 0;
    }

    /** Waits for the signal. */
    void await() throws InterruptedException {
        raised.await();
    }

    /** Waits for the signal. @return false if the time was over first */
    boolean await(long timeout, TimeUnit unit) throws InterruptedException {
        return raised.await(timeout, unit);
    }
}
