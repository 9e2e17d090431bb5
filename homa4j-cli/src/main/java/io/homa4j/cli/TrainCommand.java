package io.homa4j.cli;

import io.homa4j.sim.Workload;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine.Command;

/**
 * A short load of each kind on the loopback interface, for the launcher: it runs this once after a build and has the JVM remember
 * what was used how, so that later commands need not find out again which code is hot.
 */
@Command(name = "train", hidden = true, description = "A short load for the JVM to learn from.")
final class TrainCommand implements Callable<Integer> {
    private static final long SECOND_NS = 1_000_000_000L;
    private static final double REQUESTS_PER_SECOND = 3_000;

    @Override
    public Integer call() {
        for (LabTransport transport : List.of(LabTransport.HOMA_UDP, LabTransport.TCP_1)) {
            LabLoad load = new LabLoad(
                    transport, false, Workload.mix(), 0, REQUESTS_PER_SECOND, 0, 2 * SECOND_NS, 1, Map.of());
            InetAddress local = InetAddress.getLoopbackAddress();
            try (LoadedHost one = LoadedHost.open(load, local);
                    LoadedHost other = LoadedHost.open(load, local)) {
                CompletableFuture<LoadResult> first = one.start(0, List.of(target(other, local)));
                CompletableFuture<LoadResult> second = other.start(1, List.of(target(one, local)));
                if (first.join().rpcs() == 0 || second.join().rpcs() == 0) {
                    return Homa.FAILURE;
                }
            }
        }
        return 0;
    }

    private static String target(LoadedHost host, InetAddress local) {
        String target = local.getHostAddress() + ":" + host.port();
        return host.load().transport().isHoma() ? target : target + ":" + host.urgentPort();
    }
}
