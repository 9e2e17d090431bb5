package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Nothing is allocated per packet or per RPC once tables and pools have their size. */
class SteadyStateTest {
    @Test
    void allocatesNothingWithSixtyFourPeersMixedSizesAndLoss() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Arena arena = Arena.ofConfined()) {
            SteadyNetwork network = new SteadyNetwork(arena, 64, 10, 42);
            network.warmUp(400_000);
            network.run(1_400_000);
            long completedBefore = network.completed;
            long before = threads.getCurrentThreadAllocatedBytes();
            network.run(300_000);
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;

            assertThat(allocated).as("bytes allocated in 300,000 packets").isZero();
            assertThat(network.completed - completedBefore).isGreaterThan(2_000);
            assertThat(network.failed).isZero();
        }
    }

    /** Ten million packets in a JVM that cannot collect: 65 engines and their code fit once and for all. */
    @Test
    void runsTenMillionPacketsWithoutACollector() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UnlockExperimentalVMOptions",
                        "-XX:+UseEpsilonGC",
                        "-Xms384m",
                        "-Xmx384m",
                        "-cp",
                        Path.of("target", "classes") + File.pathSeparator + Path.of("target", "test-classes"),
                        SteadyNetwork.class.getName(),
                        "10000000",
                        "64",
                        "10"))
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        assertThat(output).contains(" 0 failed");
        assertThat(process.exitValue()).as(output).isZero();
    }
}
