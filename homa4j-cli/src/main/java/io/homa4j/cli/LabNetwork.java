package io.homa4j.cli;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What lies between the hosts of an experiment, as far as the experiment can set and see it. */
interface LabNetwork {
    /**
     * What went over the links of all hosts in a run.
     *
     * @param downlinkBytes sent from the switch to hosts, by priority
     * @param dropped packets dropped in queues of the switch, by priority
     * @param uplinkBytes sent by hosts
     * @param uplinkDropped packets dropped in queues of hosts
     */
    record Use(List<Long> downlinkBytes, List<Long> dropped, long uplinkBytes, long uplinkDropped) {}

    /**
     * The ports of the switch to all hosts together at a moment of a run, by priority.
     *
     * @param sentBytes since the run was made ready
     * @param dropped packets, since then
     * @param queuedBytes waiting at this moment
     */
    record Sample(long timeNs, List<Long> sentBytes, List<Long> dropped, List<Long> queuedBytes) {}

    /** Kinds of congestion control to try for TCP; an empty name stands for what is set. */
    List<String> congestionControls();

    /** What it was told to be, by name. */
    Map<String, Object> config();

    /** Makes ready for a run. */
    void prepare(LabTransport transport, String congestionControl);

    /** A look at the switch; null if it cannot be seen. Cheap enough for once a second. */
    @Nullable
    Sample sample();

    /** What was sent since then; null if that cannot be seen. */
    @Nullable
    Use use();

    /** A real network: it is what it is. */
    final class Given implements LabNetwork {
        @Override
        public List<String> congestionControls() {
            return List.of("");
        }

        @Override
        public Map<String, Object> config() {
            return Map.of();
        }

        @Override
        public void prepare(LabTransport transport, String congestionControl) {}

        @Override
        public @Nullable Sample sample() {
            return null;
        }

        @Override
        public @Nullable Use use() {
            return null;
        }
    }
}
