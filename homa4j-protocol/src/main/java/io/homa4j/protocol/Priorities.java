package io.homa4j.protocol;

import java.util.Arrays;

/**
 * This host's table of unscheduled cutoffs, its version, and what follows from it: the levels of scheduled packets and
 * the version told to each peer (spec scheduling 16.1, 16.2). It recomputes the table from the sizes of the messages
 * that arrive (spec scheduling 17).
 */
final class Priorities {
    private final Config config;
    private final Counters counters;
    private final KeyedHash hash;

    private final int[] cutoffs = new int[Config.MAX_LEVELS];
    /** Changes of the table; in profile module the version itself. */
    private int epoch = 1;

    private int maxScheduledLevel;

    // ---- tuning: counters at the last accepted reading, and the deciles of the table in force

    private final long[] seenBytes = new long[Counters.classes()];
    private long seenLargeCount;
    private long seenLargeBytes;
    private long lastTuneNs;
    private final int[] deciles = new int[9];
    private final int[] newDeciles = new int[9];
    private final int[] newCutoffs = new int[Config.MAX_LEVELS];
    private final long[] classBytes = new long[Counters.classes()];
    private final long[] classMessages = new long[Counters.classes()];

    Priorities(Config config, Counters counters, KeyedHash hash, long nowNs) {
        this.config = config;
        this.counters = counters;
        this.hash = hash;
        lastTuneNs = nowNs;
        System.arraycopy(config.unschedCutoffs, 0, cutoffs, 0, cutoffs.length);
        maxScheduledLevel = derive();
    }

    int[] cutoffs() {
        return cutoffs;
    }

    /** Highest level for scheduled packets ({@code max_sched_prio}). */
    int maxScheduledLevel() {
        return maxScheduledLevel;
    }

    int epoch() {
        return epoch;
    }

    /** Level of control packets, and of retransmissions asked for by the timer. */
    int controlLevel() {
        return config.numPriorities - 1;
    }

    /** Own level for unscheduled packets with so many bytes to come. */
    int unscheduledLevel(int bytes) {
        int level = config.numPriorities - 1;
        while (level > 0 && cutoffs[level] < bytes) {
            level--;
        }
        return level;
    }

    /** Level of FIFO grants, and of retransmissions after a shortage of space (spec scheduling 11, 13). */
    int secondLevel() {
        return config.numPriorities <= 2 ? 0 : config.numPriorities - 2;
    }

    /**
     * Version told to a peer, never 0: a keyed hash of its address and of the table's epoch, so that echoing it proves
     * that the peer receives what is sent to its address. In profile module the plain version.
     */
    int versionFor(Peer peer) {
        return versionFor(peer.hi, peer.lo, peer.port, epoch);
    }

    int versionFor(long hi, long lo, int port) {
        return versionFor(hi, lo, port, epoch);
    }

    /** Whether the version is the one told to that address for this or the previous table. */
    boolean isProof(long hi, long lo, int port, int version) {
        return version == versionFor(hi, lo, port, epoch)
                || epoch > 1 && version == versionFor(hi, lo, port, epoch - 1);
    }

    private int versionFor(long hi, long lo, int port, int ofEpoch) {
        if (!config.proveReachability) {
            return ofEpoch & 0xFFFF;
        }
        long bits = hash.strong(hi, lo, (long) ofEpoch << 32 | port);
        return 1 + (int) Long.remainderUnsigned(bits, 0xFFFF);
    }

    /** Replaces the table, as a write to {@code unsched_cutoffs} does (spec scheduling 16.1). */
    void install(int[] table) {
        System.arraycopy(table, 0, cutoffs, 0, cutoffs.length);
        cutoffs[0] = Integer.MAX_VALUE;
        for (int level = config.numPriorities; level < cutoffs.length; level++) {
            cutoffs[level] = 0;
        }
        maxScheduledLevel = derive();
        epoch++;
    }

    /** The highest scheduled level: one below the first entry from the top that covers every message. */
    private int derive() {
        for (int level = Math.min(config.numPriorities, cutoffs.length) - 1; level > 0; level--) {
            if (cutoffs[level] >= Config.MAX_MESSAGE_BYTES) {
                return level - 1;
            }
        }
        return 0;
    }

    /** Recomputes the table if it is time, enough messages have come and their sizes have changed enough. */
    void tune(int unschedBytes, long nowNs) {
        if (!config.tuneCutoffs || config.numPriorities == 1 || nowNs - lastTuneNs < config.tuneCutoffsIntervalNs) {
            return;
        }
        lastTuneNs = nowNs;
        long messages = 0;
        long bytes = 0;
        for (int c = 0; c < classBytes.length; c++) {
            classBytes[c] = counters.get(c) - seenBytes[c];
            int below = c == 0 ? 0 : Counters.classBound(c - 1);
            classMessages[c] = 2 * classBytes[c] / (Counters.classBound(c) + below);
            messages += classMessages[c];
            bytes += classBytes[c];
        }
        long largeCount = counters.get(Counters.LARGE_MSG_COUNT) - seenLargeCount;
        long largeBytes = counters.get(Counters.LARGE_MSG_BYTES) - seenLargeBytes;
        messages += largeCount;
        bytes += largeBytes;
        if (messages < config.tuneCutoffsMinMessages || bytes == 0) {
            return;
        }
        for (int c = 0; c < classBytes.length; c++) {
            seenBytes[c] = counters.get(c);
        }
        seenLargeCount += largeCount;
        seenLargeBytes += largeBytes;
        if (drift(messages) < config.tuneCutoffsMinDrift) {
            return;
        }
        System.arraycopy(newDeciles, 0, deciles, 0, deciles.length);
        recompute(unschedBytes, bytes, largeCount);
        counters.add(Counters.CUTOFFS_CHANGED, 1);
    }

    /** Sum of the relative changes of the nine deciles of message length since the table was installed. */
    private double drift(long messages) {
        double drift = 0;
        long seen = 0;
        int c = -1;
        for (int i = 0; i < 9; i++) {
            long wanted = messages * (i + 1) / 10;
            while (seen < wanted && c < classMessages.length - 1) {
                c++;
                seen += classMessages[c];
            }
            int length = seen < wanted ? Config.MAX_MESSAGE_BYTES : Counters.classBound(Math.max(0, c));
            newDeciles[i] = length;
            int larger = Math.max(length, deciles[i]);
            drift += larger == 0 ? 0 : (larger - Math.min(length, deciles[i])) / (double) larger;
        }
        return drift;
    }

    private void recompute(int unschedBytes, long bytes, long largeCount) {
        long unscheduled = largeCount * unschedBytes;
        for (int c = 0; c < classBytes.length; c++) {
            if (Counters.classBound(c) > unschedBytes) {
                classBytes[c] = Math.min(classMessages[c] * unschedBytes, classBytes[c]);
            }
            unscheduled += classBytes[c];
        }
        int levels = config.numPriorities;
        int forUnscheduled = Math.max(1, (int) Math.floor((double) levels * unscheduled / bytes + 0.5));
        long quota = forUnscheduled < levels ? 1 + unscheduled / forUnscheduled : 1 + bytes / levels;
        int[] table = newCutoffs;
        Arrays.fill(table, 0);
        int level = levels - 1;
        long sum = 0;
        long threshold = quota;
        for (int c = 0; c < classBytes.length && sum < unscheduled && level > 0; c++) {
            sum += classBytes[c];
            if (sum >= unscheduled) {
                break;
            }
            if (sum >= threshold) {
                table[level--] = Counters.classBound(c);
                threshold = sum + quota;
                if (threshold >= unscheduled) {
                    break;
                }
            }
        }
        for (; level >= 0; level--) {
            table[level] = Config.MAX_MESSAGE_BYTES;
        }
        install(table);
    }
}
