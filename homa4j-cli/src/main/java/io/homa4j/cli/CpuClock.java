package io.homa4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much of the machine's processors was idle between two moments, from Linux's {@code /proc/stat}. */
final class CpuClock {
    /** What cannot be known. */
    static final double UNKNOWN = -1;

    private static final Path STAT = Path.of("/proc/stat");
    private static final int IDLE = 4;
    private static final int WAITING = 5;
    private static final int LAST = 8;

    /**
     * Ticks of all processors since the start of the machine; 0 where the system does not say.
     */
    record Reading(long idle, long all) {
        /** Share of the time since then in which processors had nothing to do, 0 to 1; {@link #UNKNOWN}. */
        double idleSince(Reading before) {
            return all == before.all ? UNKNOWN : (double) (idle - before.idle) / (all - before.all);
        }
    }

    private CpuClock() {}

    static Reading read() {
        try {
            String[] words = Files.readAllLines(STAT).getFirst().split("\\s+", -1);
            long all = 0;
            // User, nice, system, idle, waiting, two kinds of interrupts, and what a hypervisor took.
            for (int i = 1; i <= LAST; i++) {
                all += Long.parseLong(words[i]);
            }
            return new Reading(Long.parseLong(words[IDLE]) + Long.parseLong(words[WAITING]), all);
        } catch (IOException e) {
            return new Reading(0, 0);
        }
    }
}
