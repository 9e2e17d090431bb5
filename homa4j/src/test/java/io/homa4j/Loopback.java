package io.homa4j;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/** What the tests over real loopback UDP share: engines that are closed with it, and waiting for conditions. */
final class Loopback implements AutoCloseable {
    /** No test waits for longer; none depends on how long it really takes. */
    static final Duration PATIENCE = Duration.ofSeconds(60);

    static final long SMALL_REGION = 8 << 20;

    private final Deque<Homa> open = new ArrayDeque<>();

    /** An engine with a small receive region. */
    Homa homa() {
        return homa(options -> options);
    }

    Homa homa(UnaryOperator<Homa.Builder> options) {
        Homa homa = options.apply(Homa.builder().receiveRegion(SMALL_REGION).deadline(PATIENCE))
                .open();
        open.push(homa);
        return homa;
    }

    /** Waits until the condition holds, which somebody else brings about. */
    static void until(String what, BooleanSupplier condition) {
        long endNs = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - endNs > 0) {
                throw new AssertionError("never happened: " + what);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    static void await(CountDownLatch latch) throws InterruptedException {
        if (!latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("the latch was never opened");
        }
    }

    static byte[] bytes(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            open.pop().closeNow();
        }
    }
}
