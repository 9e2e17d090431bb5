package io.homa4j.sim;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * What a run of the fabric gave.
 *
 * @param plan what was run
 * @param samples slowdowns of the messages that began in the measured time and were completed
 * @param messages messages that began in the measured time
 * @param unfinished those of them that were not completed
 * @param backlog all messages under way at the end
 * @param events events that happened in the simulation
 * @param endPs virtual time at the end
 * @param resentPackets data packets that engines sent again
 * @param network what the links carried in the measured time
 */
public record FabricResult(
        FabricPlan plan,
        Samples samples,
        long messages,
        long unfinished,
        long backlog,
        long events,
        long endPs,
        long resentPackets,
        Network network) {
    /**
     * The network.
     *
     * @param hostUp uplinks of hosts; they have no queue
     * @param torUp from top-of-rack to spine switches
     * @param spineDown from spine to top-of-rack switches
     * @param torDown from top-of-rack switches to hosts
     * @param wasted part of the time in which links to hosts are idle while the host passes over a message
     * @param idle part of the time in which links to hosts are idle
     */
    public record Network(Links hostUp, Links torUp, Links spineDown, Links torDown, double wasted, double idle) {
        static final Network NONE = new Network(Links.NONE, Links.NONE, Links.NONE, Links.NONE, 0, 0);
    }

    /**
     * Links of one kind together.
     *
     * @param use part of their capacity that was used
     * @param meanQueueBytes mean bytes in a queue
     * @param maxQueueBytes most bytes in any queue
     * @param meanByLevel the same by level
     * @param maxByLevel the same by level
     * @param shareByLevel part of their capacity that was used, by level
     */
    public record Links(
            double use,
            double meanQueueBytes,
            long maxQueueBytes,
            List<Double> meanByLevel,
            List<Long> maxByLevel,
            List<Double> shareByLevel) {
        static final Links NONE = new Links(
                0,
                0,
                0,
                Collections.nCopies(Port.LEVELS, 0.0),
                Collections.nCopies(Port.LEVELS, 0L),
                Collections.nCopies(Port.LEVELS, 0.0));

        static Links of(Port[] ports, long elapsedPs) {
            if (ports.length == 0) {
                return NONE;
            }
            double[] mean = new double[Port.LEVELS];
            long[] max = new long[Port.LEVELS];
            double[] share = new double[Port.LEVELS];
            double meanAll = 0;
            long maxAll = 0;
            double use = 0;
            for (Port port : ports) {
                maxAll = Math.max(maxAll, port.maxQueuedBytes());
                for (int level = 0; level < Port.LEVELS; level++) {
                    double bytes = port.meanQueuedBytes(level) / ports.length;
                    mean[level] += bytes;
                    meanAll += bytes;
                    max[level] = Math.max(max[level], port.maxQueuedBytes(level));
                    double part = (double) port.sentBytes(level) * port.psPerByte() / elapsedPs / ports.length;
                    share[level] += part;
                    use += part;
                }
            }
            return new Links(
                    use, meanAll, maxAll, list(mean), Arrays.stream(max).boxed().toList(), list(share));
        }

        private static List<Double> list(double[] values) {
            return Arrays.stream(values).boxed().toList();
        }
    }
}
