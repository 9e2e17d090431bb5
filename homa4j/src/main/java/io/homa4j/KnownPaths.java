package io.homa4j;

import io.homa4j.driver.Driver;
import io.homa4j.protocol.Endpoint;
import io.homa4j.protocol.PathMtus;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How large packets may be towards a host: what the interface takes, or less where the network has shown that less gets
 * through. Owner.
 */
final class KnownPaths implements PathMtus {
    private static final int MAX_LOWERED = 4096;

    private record Host(long hi, long lo) {}

    private final Endpoint endpoint;
    private final Driver driver;

    /** Hosts whose path takes less than the interface; the latest ones. */
    private final Map<Host, Integer> lowered = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Host, Integer> eldest) {
            return size() > MAX_LOWERED;
        }
    };

    KnownPaths(Endpoint endpoint, Driver driver) {
        this.endpoint = endpoint;
        this.driver = driver;
    }

    @Override
    public int mtu(long hi, long lo) {
        int mtu = driver.mtu(hi, lo);
        return lowered.isEmpty() ? mtu : Math.min(mtu, lowered.getOrDefault(new Host(hi, lo), mtu));
    }

    /** The network takes less than was sent. */
    void lowered(long hi, long lo, int mtu) {
        lowered.put(new Host(hi, lo), mtu);
        endpoint.pathMtu(hi, lo, mtu);
    }
}
