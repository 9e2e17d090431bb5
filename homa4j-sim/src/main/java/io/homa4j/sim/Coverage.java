package io.homa4j.sim;

import io.homa4j.protocol.Status;
import java.util.ArrayList;
import java.util.List;

/** What has happened in one run or in many: faults, outcomes of calls, results of commands. A plain sum. */
public final class Coverage {
    private static final Fault[] FAULTS = Fault.values();
    private static final Status[] STATUSES = Status.values();

    private final long[] faults = new long[FAULTS.length];
    private final long[] runsWith = new long[FAULTS.length];
    private final long[] outcomes = new long[STATUSES.length];
    private final long[] results = new long[STATUSES.length];
    private long runs;
    private long calls;
    private long packets;
    private long virtualNs;

    @SuppressWarnings("EnumOrdinal") // places in arrays of this process
    void count(Fault fault) {
        faults[fault.ordinal()]++;
    }

    @SuppressWarnings("EnumOrdinal")
    void count(Fault fault, long times) {
        faults[fault.ordinal()] += times;
    }

    /** A call has ended at its client. */
    @SuppressWarnings("EnumOrdinal")
    void outcome(Status status) {
        outcomes[status.ordinal()]++;
    }

    /** A command has given this result. */
    @SuppressWarnings("EnumOrdinal")
    void result(long code) {
        results[Status.of(code).ordinal()]++;
    }

    /** The run is over. */
    void ran(long callsMade, long packetsSent, long ns) {
        runs++;
        calls += callsMade;
        packets += packetsSent;
        virtualNs += ns;
        for (int i = 0; i < faults.length; i++) {
            runsWith[i] += faults[i] > 0 ? 1 : 0;
        }
    }

    /** Adds another one to this. */
    void add(Coverage other) {
        for (int i = 0; i < faults.length; i++) {
            faults[i] += other.faults[i];
            runsWith[i] += other.runsWith[i];
        }
        for (int i = 0; i < outcomes.length; i++) {
            outcomes[i] += other.outcomes[i];
            results[i] += other.results[i];
        }
        runs += other.runs;
        calls += other.calls;
        packets += other.packets;
        virtualNs += other.virtualNs;
    }

    public long runs() {
        return runs;
    }

    public long calls() {
        return calls;
    }

    public long packets() {
        return packets;
    }

    /** Simulated time of all runs together, ns. */
    public long virtualNs() {
        return virtualNs;
    }

    /** Faults that have not happened at all and results that have not been reached, by name. */
    public List<String> missing() {
        List<String> missing = new ArrayList<>();
        for (int i = 0; i < faults.length; i++) {
            if (faults[i] == 0) {
                missing.add(FAULTS[i].text);
            }
        }
        for (int i = 0; i < STATUSES.length; i++) {
            if (outcomes[i] + results[i] == 0 && isReachable(STATUSES[i])) {
                missing.add(STATUSES[i].name());
            }
        }
        return missing;
    }

    /** Only shells above the engine use one, and for another 32,768 sockets would have to be open. */
    private static boolean isReachable(Status status) {
        return status != Status.HANDLER_FAILED && status != Status.NO_PORT_LEFT;
    }

    /** Two tables for people: faults, with the number of runs that had them; and how calls and commands ended. */
    public String text() {
        StringBuilder text = new StringBuilder(4_096);
        for (int i = 0; i < faults.length; i++) {
            text.append("%14d  %-58s in %d runs%n".formatted(faults[i], FAULTS[i].text, runsWith[i]));
        }
        text.append("%n%14s %14s%n".formatted("calls", "commands"));
        for (int i = 0; i < STATUSES.length; i++) {
            if (isReachable(STATUSES[i])) {
                text.append("%14d %14d  %s%n".formatted(outcomes[i], results[i], STATUSES[i]));
            }
        }
        return text.toString();
    }
}
