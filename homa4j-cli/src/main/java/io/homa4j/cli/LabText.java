package io.homa4j.cli;

import java.io.PrintWriter;
import java.util.List;

/** The table that an experiment ends with. */
final class LabText {
    private LabText() {}

    static void print(LabResults results, PrintWriter to) {
        for (double load : results.loads()) {
            to.println();
            to.println("load " + load + ": round trips of requests of at most " + LoadDetails.SHORT_BYTES
                    + " bytes, medians of the repeats (range of p99)");
            to.printf(
                    "%-28s%12s%12s  %-24s%12s%16s%8s%8s%n", "", "p50", "p99", "", "p99.9", "carried", "idle", "errors");
            results.byName(load).forEach((name, of) -> print(name, of, to));
        }
        to.flush();
    }

    private static void print(String name, List<LabRun> of, PrintWriter to) {
        to.printf(
                "%-28s%12s%12s  %-24s%12s%16s%8s%8d%s%n",
                name,
                Amount.time(LabResults.median(of, run -> run.shortUs(50))),
                Amount.time(LabResults.median(of, run -> run.shortUs(99))),
                range(of),
                Amount.time(LabResults.median(of, run -> run.shortUs(99.9))),
                carried(of),
                idle(LabResults.median(of, run -> run.outcome().idleCpu())),
                errors(of),
                of.stream().allMatch(LabRun::isValid) ? "" : "  INVALID: processors too busy");
    }

    /** What was carried of what chance had offered. */
    static String carried(List<LabRun> of) {
        return Amount.digits(LabResults.median(of, LabRun::carriedLoad)) + " of "
                + Amount.digits(LabResults.median(of, LabRun::drawnLoad));
    }

    /** Of the 99th percentile of short requests over the repeats. */
    static String range(List<LabRun> of) {
        double[] tails =
                of.stream().mapToDouble(run -> run.shortUs(99)).sorted().toArray();
        return "(" + Amount.time(tails[0]) + " - " + Amount.time(tails[tails.length - 1]) + ")";
    }

    static long errors(List<LabRun> of) {
        return of.stream().mapToLong(LabRun::errors).sum();
    }

    static String idle(double share) {
        return share == CpuClock.UNKNOWN ? "unknown" : Math.round(100 * share) + " %";
    }
}
