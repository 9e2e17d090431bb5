package io.homa4j.sim;

import io.homa4j.protocol.Config;
import java.util.Map;
import java.util.TreeMap;

/**
 * The table of unscheduled cutoffs for a workload known beforehand (SIGCOMM 2018, sections 3.4 and 5.2): each level carries
 * an equal share of the bytes on the wire, and the level of a packet follows from the bytes its message has left. What counts
 * are the packets in the first 10,000 bytes on the wire of each message and in the last 10,000, and GRANTs, which use the
 * highest level.
 */
final class Cutoffs {
    private static final int COUNTED_BYTES = 10_000;
    private static final int GRANT_BYTES = 84;
    /** IP, UDP and Ethernet around a packet. */
    private static final int AROUND_BYTES = 66;

    private Cutoffs() {}

    /**
     * The table as {@link Config#unschedCutoffs}.
     *
     * @param priorities levels in use
     * @param unscheduledLevels the highest of them that are for unscheduled packets
     */
    static int[] table(Workload workload, int priorities, int unscheduledLevels, int unscheduledBytes) {
        TreeMap<Integer, Double> bytesByRemaining = new TreeMap<>();
        double grants = 0;
        double before = 0;
        for (int c = 0; c < workload.classes(); c++) {
            double share = workload.cumulative(c) - before;
            before = workload.cumulative(c);
            grants += share * addMessage(bytesByRemaining, workload.bytes(c), share, unscheduledBytes);
        }
        double total = grants;
        for (double bytes : bytesByRemaining.values()) {
            total += bytes;
        }
        int[] table = new int[Config.MAX_LEVELS];
        int level = priorities - 1;
        double sum = grants;
        for (Map.Entry<Integer, Double> entry : bytesByRemaining.entrySet()) {
            sum += entry.getValue();
            int levelsFull = priorities - level;
            if (levelsFull == unscheduledLevels) {
                break;
            }
            if (sum / total >= (double) levelsFull / unscheduledLevels - 1e-12) {
                table[level--] = entry.getKey();
            }
        }
        for (; level >= priorities - unscheduledLevels; level--) {
            table[level] = Integer.MAX_VALUE;
        }
        return table;
    }

    /**
     * The table that engines arrive at by themselves for a workload (spec scheduling 17): unscheduled bytes have as many levels
     * as their share of all bytes, each with an equal part, and the level of a message follows from its length.
     */
    static int[] byLength(Workload workload, int priorities, int unscheduledBytes) {
        double bytes = workload.meanBytes();
        double unscheduled = 0;
        double before = 0;
        for (int c = 0; c < workload.classes(); c++) {
            unscheduled += (workload.cumulative(c) - before) * Math.min(unscheduledBytes, workload.bytes(c));
            before = workload.cumulative(c);
        }
        int levels = Math.clamp((long) Math.floor(priorities * unscheduled / bytes + 0.5), 1, priorities);
        int[] table = new int[Config.MAX_LEVELS];
        int level = priorities - 1;
        double sum = 0;
        before = 0;
        for (int c = 0; c < workload.classes(); c++) {
            sum += (workload.cumulative(c) - before) * Math.min(unscheduledBytes, workload.bytes(c));
            before = workload.cumulative(c);
            int levelsFull = priorities - level;
            if (levelsFull == levels) {
                break;
            }
            if (sum >= unscheduled * levelsFull / levels) {
                table[level--] = workload.bytes(c);
            }
        }
        for (; level >= 0; level--) {
            table[level] = Config.MAX_MESSAGE_BYTES;
        }
        return table;
    }

    /** Adds the packets of a message that count; returns the bytes of GRANTs it takes. */
    private static long addMessage(Map<Integer, Double> bytesByRemaining, int size, double share, int unscheduled) {
        long onWire = 0;
        long grants = 0;
        for (int at = 0; at < size; ) {
            int data = packet(at, size, unscheduled);
            onWire += wire(at, data, unscheduled);
            grants += at < unscheduled ? 0 : GRANT_BYTES;
            at += data;
        }
        long sent = 0;
        for (int at = 0; at < size; ) {
            int data = packet(at, size, unscheduled);
            int wire = wire(at, data, unscheduled);
            if (sent < COUNTED_BYTES || onWire - sent < COUNTED_BYTES) {
                bytesByRemaining.merge(size - at, share * wire, Double::sum);
            }
            sent += wire;
            at += data;
        }
        return grants;
    }

    private static int packet(int at, int size, int unscheduled) {
        return at < unscheduled ? Math.min(1_442, Math.min(unscheduled, size) - at) : Math.min(1_456, size - at);
    }

    private static int wire(int at, int data, int unscheduled) {
        return data + AROUND_BYTES + (at < unscheduled ? 30 : 16);
    }
}
