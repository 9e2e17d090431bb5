package io.homa4j.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/**
 * What a load generator measured. Round trips and errors are those of requests that were due in the measuring time, also
 * when their answers came after it; rates are of the answers that came within it.
 */
final class LoadResult {
    /** Two significant digits of error-free resolution more than people read. */
    private static final int DIGITS = 3;

    /** Round trips, ns. */
    final Histogram rttNs = new Histogram(DIGITS);
    /** The same by size and by time; empty unless the plan is detailed. */
    final LoadDetails details = new LoadDetails();
    /** Failed requests by reason. */
    final Map<String, Long> errors = new TreeMap<>();

    /** Answers that came within the measuring time, and the bytes of these exchanges. */
    long answersInTime;

    long requestBytesInTime;
    long responseBytesInTime;
    /** Length of the measuring time as it really was. */
    long measuredNs;

    /** Responses with a wrong byte. */
    long mismatches;
    /** Responses of another length than asked for. */
    long wrongLengths;

    /** Requests that were due and never started, because too many were outstanding until the end. */
    long unstarted;

    // Everything, the warm-up included.
    long started;
    long completed;
    long failed;

    /** Requests without outcome when the time for it was over. */
    long unfinished() {
        return started - completed - failed;
    }

    /** Measured requests that were answered. */
    long rpcs() {
        return rttNs.getTotalCount();
    }

    long errorCount() {
        return errors.values().stream().mapToLong(Long::longValue).sum();
    }

    double rpcsPerSecond() {
        return measuredNs == 0 ? 0 : answersInTime * 1e9 / measuredNs;
    }

    double requestGbitPerSecond() {
        return measuredNs == 0 ? 0 : requestBytesInTime * 8.0 / measuredNs;
    }

    double responseGbitPerSecond() {
        return measuredNs == 0 ? 0 : responseBytesInTime * 8.0 / measuredNs;
    }

    double rttUs(double percentile) {
        return rttNs.getValueAtPercentile(percentile) / 1e3;
    }

    /** Whether everything went as it should. */
    boolean isClean() {
        return failed == 0 && unfinished() == 0 && mismatches == 0 && wrongLengths == 0;
    }

    Map<String, Object> json() {
        Map<String, Object> rtt = new LinkedHashMap<>();
        rtt.put("p50", rttUs(50));
        rtt.put("p90", rttUs(90));
        rtt.put("p99", rttUs(99));
        rtt.put("p999", rttUs(99.9));
        rtt.put("max", rttNs.getMaxValue() / 1e3);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("rtt_us", rtt);
        json.put("rpcs_per_s", rpcsPerSecond());
        json.put("gbit_per_s_out", requestGbitPerSecond());
        json.put("gbit_per_s_in", responseGbitPerSecond());
        json.put("seconds", measuredNs / 1e9);
        json.put("rpcs", rpcs());
        json.put("errors", errorCount());
        json.put("errors_by_kind", errors);
        json.put("mismatches", mismatches);
        json.put("wrong_lengths", wrongLengths);
        json.put("started", started);
        json.put("completed", completed);
        json.put("failed", failed);
        json.put("unfinished", unfinished());
        json.put("unstarted", unstarted);
        return json;
    }
}
