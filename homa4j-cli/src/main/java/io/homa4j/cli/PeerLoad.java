package io.homa4j.cli;

import org.HdrHistogram.Histogram;

/**
 * One measurement of {@code homa bench peers} at a client: what to ask for, until when, and what came of it. A closed loop: a new
 * request for every answer. One thread at a time.
 */
public final class PeerLoad {
    private static final int DIGITS = 3;
    /** Load before the measurement, so that queues have found their state. */
    private static final long RAMP_NS = 100_000_000;
    /** For answers after the end; more makes them errors. */
    private static final long DRAIN_NS = 5_000_000_000L;

    private final byte[] request;
    private final int responseBytes;
    private final int outstanding;
    private final long measureNs;
    private final Histogram rttNs = new Histogram(DIGITS);
    private long startNs;
    private long endNs;
    private long answersInTime;
    private long answers;
    private long errors;

    /**
     * @param requestBytes length of requests, at least {@link Pattern#HEADER}
     * @param responseBytes length of responses
     * @param outstanding RPCs on their way at a time
     * @param seconds how long to measure
     */
    public PeerLoad(int requestBytes, int responseBytes, int outstanding, double seconds) {
        this.request = Pattern.request(requestBytes, responseBytes, 0);
        this.responseBytes = responseBytes;
        this.outstanding = outstanding;
        this.measureNs = (long) (seconds * 1e9);
    }

    /** Time begins to count. */
    public void begin() {
        startNs = System.nanoTime() + RAMP_NS;
        endNs = startNs + measureNs;
    }

    /** What to send each time; not to be changed. */
    public byte[] request() {
        return request;
    }

    /** Bytes of each answer. */
    public int responseBytes() {
        return responseBytes;
    }

    /** RPCs on their way at a time. */
    public int outstanding() {
        return outstanding;
    }

    /** When the measurement begins, after the ramp; {@link System#nanoTime}. */
    public long measureStartNs() {
        return startNs;
    }

    /** How long the measurement takes, without the ramp. */
    public long measureNs() {
        return measureNs;
    }

    /** Whether no RPC shall be started any more, at this {@link System#nanoTime}. */
    public boolean isOver(long nowNs) {
        return nowNs - endNs >= 0;
    }

    /** Whether answers that are still out will not be waited for. */
    public boolean isGivenUp(long nowNs) {
        return nowNs - endNs >= DRAIN_NS;
    }

    /**
     * An answer has come.
     *
     * @param startedNs when its request was started
     * @param nowNs now
     * @param bytes length of the answer
     */
    public void answered(long startedNs, long nowNs, long bytes) {
        answered(startedNs, nowNs, bytes, 1);
    }

    /** So many answers that took equally long. */
    public void answered(long startedNs, long nowNs, long bytes, long count) {
        answers += count;
        if (bytes != responseBytes) {
            errors += count;
        }
        if (nowNs - startNs >= 0 && nowNs - endNs < 0) {
            answersInTime += count;
        }
        if (startedNs - startNs >= 0 && startedNs - endNs < 0) {
            rttNs.recordValueWithCount(Math.max(0, nowNs - startedNs), count);
        }
    }

    /** So many RPCs had another end than an answer, or none. */
    public void failed(long count) {
        errors += count;
    }

    /** All answers, the ramp's and late ones included. */
    public long answers() {
        return answers;
    }

    /** RPCs that failed, or whose answer had another length than asked for. */
    public long errors() {
        return errors;
    }

    double rpcsPerSecond() {
        return answersInTime * 1e9 / measureNs;
    }

    double requestGbitPerSecond() {
        return answersInTime * 8.0 * request.length / measureNs;
    }

    double responseGbitPerSecond() {
        return answersInTime * 8.0 * responseBytes / measureNs;
    }

    /** Microseconds; NaN if no answer came in time. */
    double rttUs(double percentile) {
        return rttNs.getTotalCount() == 0 ? Double.NaN : rttNs.getValueAtPercentile(percentile) / 1e3;
    }
}
