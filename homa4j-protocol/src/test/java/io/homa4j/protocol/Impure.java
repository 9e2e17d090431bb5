package io.homa4j.protocol;

import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.channels.DatagramChannel;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Every way to be impure, one per member; never run, only read by {@link PurityTest}. */
@SuppressWarnings("all")
class Impure {
    @Nullable
    URI field;

    long clock() {
        return System.nanoTime();
    }

    long wallClock() {
        return System.currentTimeMillis();
    }

    Object instant() {
        return Instant.now();
    }

    void clockParameter(Clock clock) {}

    void spin() {
        Thread.onSpinWait();
    }

    Object threadLocal() {
        return ThreadLocal.withInitial(() -> 1);
    }

    void lock() {
        new ReentrantLock().lock();
    }

    void executor(ExecutorService executor) {}

    void sleep() throws InterruptedException {
        TimeUnit.SECONDS.sleep(1);
    }

    int monitor() {
        synchronized (this) {
            return 1;
        }
    }

    synchronized void flag() {}

    void await() throws InterruptedException {
        wait();
    }

    int random() {
        return new Random().nextInt();
    }

    Object generator() {
        return RandomGenerator.getDefault();
    }

    int threadRandom() {
        return ThreadLocalRandom.current().nextInt();
    }

    Object secureRandom() {
        return new SecureRandom();
    }

    Object splittable() {
        return new SplittableRandom(1);
    }

    double mathRandom() {
        return Math.random();
    }

    void shuffle(List<String> list) {
        Collections.shuffle(list);
    }

    void stream(InputStream in) {}

    void channel(DatagramChannel channel) {}

    Object file() {
        return Path.of("x");
    }

    Object address() {
        return new InetSocketAddress(1);
    }

    Object logger() {
        return System.getLogger("x");
    }

    Object oldLogger() {
        return java.util.logging.Logger.getGlobal();
    }

    void print() {
        System.out.println();
    }

    @Nullable
    Object property() {
        return Integer.getInteger("x");
    }

    LongSupplier hidden() {
        return () -> System.nanoTime();
    }

    LongSupplier handle() {
        return System::nanoTime;
    }

    void caught(AutoCloseable closeable) throws Exception {
        try {
            closeable.close();
        } catch (IOException e) {
            throw e;
        }
    }

    void thrown() throws IOException {}

    Object array() {
        return new Thread[1][];
    }

    Object literal() {
        return Thread.class;
    }

    /** Named by a generic signature only. */
    static class Signature {
        @Nullable
        List<Future<String>> list;
    }

    /** Uses what is allowed: atomics, units, text, lambdas, records, switches over types. */
    static class Pure implements Serializable {
        private static final long serialVersionUID = 1L;

        record Point(int x, TimeUnit unit) {}

        String pure(Object value, AtomicLong counter) {
            LongSupplier next = counter::getAndIncrement;
            return switch (value) {
                case Point(int x, TimeUnit unit) when x > 0 -> unit.toNanos(x) + " " + next.getAsLong();
                case String text -> text;
                default -> throw new IllegalStateException("no " + value);
            };
        }
    }
}
