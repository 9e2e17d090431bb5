package io.homa4j.cli;

import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaBuffer;
import io.homa4j.HomaException;
import io.homa4j.Reply;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** The client of a soak: virtual threads that make one blocking call after the other and check every byte that comes back. */
final class SoakClient {
    /** Far longer than any exchange takes; who waits longer is stuck. */
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    private static final Duration QUESTION_DEADLINE = Duration.ofSeconds(60);

    private final Homa homa;
    private final HomaAddress server;
    private final HomaAddress questions;
    private final SoakPlan plan;
    private final int rpcs;
    private final AtomicInteger next = new AtomicInteger();
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicReference<@Nullable Throwable> defect = new AtomicReference<>();
    private volatile boolean isStopped;

    final LongAdder completed = new LongAdder();
    /** Responses that are not what they should be. */
    final LongAdder corrupted = new LongAdder();
    /** Requests and responses of completed RPCs. */
    final LongAdder bytes = new LongAdder();
    /** Failed RPCs by reason. */
    final Map<String, LongAdder> failures = new ConcurrentSkipListMap<>();

    /**
     * @param questions the server's second port
     */
    SoakClient(Homa homa, HomaAddress server, HomaAddress questions, long runSeed, int rpcs)
            throws InterruptedException {
        this.homa = homa;
        this.server = server;
        this.questions = questions;
        this.plan = new SoakPlan(runSeed);
        this.rpcs = rpcs;
        ask(SoakServer.begin(runSeed, rpcs));
    }

    /** Starts all threads. */
    void start(int outstanding) {
        for (int i = 0; i < Math.min(outstanding, rpcs); i++) {
            threads.add(Thread.ofVirtual().name("soak-" + i).start(this::work));
        }
    }

    /** Starts no further RPC. */
    void stop() {
        isStopped = true;
    }

    /**
     * Waits for the end of all RPCs.
     *
     * @return false if the time was over first
     */
    boolean await(Duration timeout) throws InterruptedException {
        long endNs = System.nanoTime() + timeout.toNanos();
        for (Thread thread : threads) {
            if (!thread.join(Duration.ofNanos(Math.max(1, endNs - System.nanoTime())))) {
                return false;
            }
        }
        Throwable found = defect.get();
        if (found != null) {
            throw new IllegalStateException("a thread of the soak ended: " + found, found);
        }
        return true;
    }

    /** Requests sent so far. */
    long sent() {
        return Math.min(next.get(), rpcs);
    }

    long failed() {
        return failures.values().stream().mapToLong(LongAdder::sum).sum();
    }

    /** What the server says about the requests sent. */
    SoakServer.Status serverStatus() throws InterruptedException {
        return SoakServer.Status.parse(ask(SoakServer.report(sent())));
    }

    private byte[] ask(byte[] question) throws InterruptedException {
        try (Reply reply = homa.call(questions, question, QUESTION_DEADLINE)) {
            return reply.bytes();
        }
    }

    private void work() {
        try {
            while (!isStopped) {
                int number = next.getAndIncrement();
                if (number >= rpcs) {
                    return;
                }
                call(number);
            }
        } catch (InterruptedException | RuntimeException | Error e) {
            defect.compareAndSet(null, e);
            isStopped = true;
        }
    }

    private void call(long number) throws InterruptedException {
        int length = plan.requestLength(number);
        long seed = plan.requestSeed(number);
        HomaBuffer request = homa.buffers().take(length);
        plan.fill(request.segment(), seed);
        try (Reply reply = homa.call(server, request, DEADLINE)) {
            MemorySegment response = reply.segment();
            if (response.byteSize() == plan.responseLength(seed, length)
                    && plan.isIntact(response, plan.responseSeed(seed, length))) {
                completed.increment();
                bytes.add(length + response.byteSize());
            } else {
                corrupted.increment();
            }
        } catch (HomaException e) {
            failures.computeIfAbsent(e.reason().name().toLowerCase(Locale.ROOT), reason -> new LongAdder())
                    .increment();
        }
    }
}
