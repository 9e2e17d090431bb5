package io.homa4j;

import java.lang.System.Logger;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * What the application's code throws at the engine that called it. It belongs to the call or request it was thrown for and
 * must not reach the engine, so whoever calls such code catches everything and reports it here. Any thread.
 */
final class ApplicationErrors {
    private static final Logger LOG = System.getLogger(ApplicationErrors.class.getName());
    private static final long LOG_INTERVAL_NS = TimeUnit.SECONDS.toNanos(1);

    /** Errors of one kind: all are counted, one a second is logged as a warning, the others at level DEBUG. */
    static final class Kind {
        private final AtomicLong count = new AtomicLong();
        private final AtomicLong countWhenLogged = new AtomicLong();
        private final AtomicLong loggedNs = new AtomicLong(System.nanoTime() - LOG_INTERVAL_NS);

        private Kind() {}

        void report(Supplier<String> what, Throwable error) {
            long counted = count.incrementAndGet();
            long nowNs = System.nanoTime();
            long latestNs = loggedNs.get();
            if (nowNs - latestNs < LOG_INTERVAL_NS || !loggedNs.compareAndSet(latestNs, nowNs)) {
                LOG.log(Logger.Level.DEBUG, what, error);
                return;
            }
            long others = counted - countWhenLogged.getAndSet(counted) - 1;
            LOG.log(
                    Logger.Level.WARNING,
                    () -> others <= 0 ? what.get() : what.get() + "; " + others + " more since the last such line",
                    error);
        }
    }

    final Kind ofHandlers = new Kind();
    /** Of executors that were given a handler or a completion to run. */
    final Kind ofExecutors = new Kind();
    /** Of completions on the engine's thread and of {@link HomaSocket#onReadable}. */
    final Kind ofCallbacks = new Kind();

    /** Adds the counters, by name. */
    void putInto(Map<String, Long> counters) {
        counters.put("application_handler_errors", ofHandlers.count.get());
        counters.put("application_executor_errors", ofExecutors.count.get());
        counters.put("application_callback_errors", ofCallbacks.count.get());
    }
}
