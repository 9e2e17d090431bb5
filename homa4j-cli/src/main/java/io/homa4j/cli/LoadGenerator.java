package io.homa4j.cli;

import io.homa4j.cli.LoadTransport.Call;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a load on a transport and measures it. One thread does everything: it starts what is due, turns the transport, and
 * takes the answers; what it does not spend on that it polls away, or sleeps when nothing has come for a while.
 *
 * <p><b>Time.</b> With a given rate a round trip counts from the moment the request should have been started, so that a
 * generator or a server that falls behind is seen in the figures (no coordinated omission). With a given number of
 * outstanding requests it counts from the real start; after failures such a load pauses for a while, at most 128 ms.
 */
final class LoadGenerator implements LoadTransport.Outcomes {
    /** Told once a second; on the thread that makes the load, so to be short. */
    interface Progress {
        /**
         * @param elapsedNs since the start of the warm-up, or of the measurement
         * @param answersPerSecond in the last second
         * @param failed in all so far
         */
        void second(
                boolean isWarmUp,
                long elapsedNs,
                double answersPerSecond,
                long bytesPerSecond,
                long outstanding,
                long failed);
    }

    /** Requests started in one go before the transport gets its turn. */
    private static final int BURST = 64;

    private static final long SECOND_NS = 1_000_000_000L;
    private static final long LONGEST_SLEEP_NS = 100_000_000L;
    /** Pause of a closed loop after a failure; doubled with each further one that no answer comes between. */
    private static final long FIRST_PAUSE_NS = 1_000_000;

    private static final long LONGEST_PAUSE_NS = 128_000_000;

    private final LoadPlan plan;
    private final BooleanSupplier isStopped;
    private volatile boolean isAbandoned;
    private final Progress progress;
    private final byte[][] requests;
    private final SplittableRandom random;
    private final LoadResult result = new LoadResult();

    private @Nullable LoadTransport transport;

    private @Nullable Call idle;
    private int outstanding;
    private long measureStartNs;
    private long measureEndNs;
    /** When the next request is due. */
    private double nextDueNs;
    /** Closed loop: what fails at once, as without a server, is not tried again at once. */
    private long pauseNs;

    private long resumeNs;
    // What the last progress report knew.
    private long reportedNs;
    private long reportedAnswers;
    private long bytes;
    private long reportedBytes;

    /**
     * @param isStopped asked in every turn: whether to come to an early end, after the answers that are still on their way
     */
    LoadGenerator(LoadPlan plan, BooleanSupplier isStopped, Progress progress) {
        this.plan = plan;
        this.isStopped = isStopped;
        this.progress = progress;
        this.random = new SplittableRandom(plan.seed());
        this.requests = new byte[plan.sizes().classes()][];
        for (int i = 0; i < requests.length; i++) {
            int length = plan.sizes().bytes(i);
            int wanted = plan.responseBytes() == 0 ? length : plan.responseBytes();
            requests[i] = Pattern.request(length, wanted, plan.delayMs());
        }
        for (int i = 0; i < plan.outstanding(); i++) {
            free(new Call());
        }
    }

    /** Ends the load at once, answers or not; any thread. */
    void abandon() {
        isAbandoned = true;
    }

    /** Makes the load; returns when the time is over and all answers are there, or the time for them is over too. */
    LoadResult run(LoadTransport to) {
        transport = to;
        long startNs = System.nanoTime();
        measureStartNs = startNs + plan.warmUpNs();
        measureEndNs = measureStartNs + plan.measureNs();
        nextDueNs = 0;
        resumeNs = startNs;
        reportedNs = startNs;
        long busyNs = startNs;
        while (true) {
            long nowNs = System.nanoTime();
            if (nowNs - measureEndNs < 0 && (isAbandoned || isStopped.getAsBoolean())) {
                measureEndNs = nowNs;
                measureStartNs = nowNs - measureStartNs < 0 ? nowNs : measureStartNs;
            }
            boolean isTime = nowNs - measureEndNs < 0;
            // What was due in time and could not be started is started late.
            boolean isStarting = isTime || plan.isOpenLoop() && dueNs(startNs) - measureEndNs < 0;
            if (!isTime && (isAbandoned || !isStarting && outstanding == 0 || nowNs - measureEndNs > plan.drainNs())) {
                break;
            }
            int done = isStarting ? startDue(startNs, nowNs) : 0;
            if (done > 0 || plan.pollNs() > 0) {
                done += to.turn(this);
            }
            if (isTime && nowNs - reportedNs >= SECOND_NS) {
                report(startNs, nowNs);
            }
            if (done > 0) {
                busyNs = nowNs;
            } else if (nowNs - busyNs < plan.pollNs()) {
                Thread.onSpinWait();
            } else {
                rest(to, startNs, nowNs);
            }
        }
        result.measuredNs = measureEndNs - measureStartNs;
        for (; plan.isOpenLoop() && dueNs(startNs) - measureEndNs < 0; drawNextDue()) {
            result.unstarted++;
        }
        return result;
    }

    private long dueNs(long startNs) {
        return startNs + (long) nextDueNs;
    }

    private void drawNextDue() {
        nextDueNs += -Math.log(1 - random.nextDouble()) * SECOND_NS / plan.ratePerSecond();
    }

    private int startDue(long startNs, long nowNs) {
        int started = 0;
        if (nowNs - resumeNs < 0) {
            return 0;
        }
        while (started < BURST && idle != null) {
            long dueNs = nowNs;
            if (plan.isOpenLoop()) {
                dueNs = dueNs(startNs);
                if (dueNs - nowNs > 0 || dueNs - measureEndNs >= 0) {
                    break;
                }
            }
            if (!start(dueNs)) {
                break;
            }
            if (plan.isOpenLoop()) {
                drawNextDue();
            }
            started++;
        }
        return started;
    }

    private boolean start(long dueNs) {
        Call call = idle;
        LoadTransport to = transport;
        if (call == null || to == null) {
            return false;
        }
        int size = plan.sizes().draw(random);
        call.startNs = dueNs;
        call.size = size;
        call.target = plan.targets() == 1 ? 0 : random.nextInt(plan.targets());
        call.measured = dueNs - measureStartNs >= 0;
        if (!to.start(requests[size], call)) {
            return false;
        }
        idle = call.next;
        call.next = null;
        outstanding++;
        result.started++;
        return true;
    }

    /** Sleeps until a packet, or until shortly before the next thing is due. */
    private void rest(LoadTransport to, long startNs, long nowNs) {
        long untilNs = Math.min(LONGEST_SLEEP_NS, reportedNs + SECOND_NS - nowNs);
        if (nowNs - measureEndNs < 0) {
            untilNs = Math.min(untilNs, measureEndNs - nowNs);
            if (plan.isOpenLoop() && idle != null) {
                untilNs = Math.min(untilNs, dueNs(startNs) - nowNs);
            }
            if (nowNs - resumeNs < 0) {
                untilNs = Math.min(untilNs, resumeNs - nowNs);
            }
        } else {
            untilNs = LONGEST_SLEEP_NS;
        }
        if (untilNs > to.oversleepNs()) {
            to.await(untilNs - to.oversleepNs(), this);
        } else {
            to.turn(this);
            Thread.onSpinWait();
        }
    }

    @Override
    public void answered(Call call, MemorySegment response) {
        long nowNs = System.nanoTime();
        int length = requests[call.size].length;
        long responseLength = response.byteSize();
        result.completed++;
        pauseNs = 0;
        bytes += length + responseLength;
        if (plan.checks() && !Pattern.isIntact(response)) {
            result.mismatches++;
        }
        if (plan.responseBytes() != 0 && responseLength != plan.responseBytes()) {
            result.wrongLengths++;
        }
        if (call.measured) {
            long rttNs = Math.max(0, nowNs - call.startNs);
            result.rttNs.recordValue(rttNs);
            if (plan.isDetailed()) {
                long interval = (call.startNs - measureStartNs) / plan.intervalNs();
                result.details.add(call.size, length, (int) interval, rttNs);
            }
        }
        if (nowNs - measureStartNs >= 0 && nowNs - measureEndNs < 0) {
            result.answersInTime++;
            result.requestBytesInTime += length;
            result.responseBytesInTime += responseLength;
        }
        free(call);
        outstanding--;
        if (!plan.isOpenLoop() && nowNs - measureEndNs < 0) {
            // Straight from the answer to the next request; what fails here is tried again in the next turn.
            boolean _ = start(nowNs);
        }
    }

    @Override
    public void failed(Call call, String kind) {
        result.failed++;
        if (call.measured) {
            result.errors.merge(kind, 1L, Long::sum);
        }
        free(call);
        outstanding--;
        if (!plan.isOpenLoop()) {
            pauseNs = Math.clamp(2 * pauseNs, FIRST_PAUSE_NS, LONGEST_PAUSE_NS);
            resumeNs = System.nanoTime() + pauseNs;
        }
    }

    private void free(Call call) {
        call.next = idle;
        idle = call;
    }

    private void report(long startNs, long nowNs) {
        double seconds = (nowNs - reportedNs) / 1e9;
        boolean isWarmUp = nowNs - measureStartNs < 0;
        progress.second(
                isWarmUp,
                nowNs - (isWarmUp ? startNs : measureStartNs),
                (result.completed - reportedAnswers) / seconds,
                Math.round((bytes - reportedBytes) / seconds),
                outstanding,
                result.failed);
        reportedNs = nowNs;
        reportedAnswers = result.completed;
        reportedBytes = bytes;
    }
}
