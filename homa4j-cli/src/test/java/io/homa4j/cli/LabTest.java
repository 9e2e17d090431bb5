package io.homa4j.cli;

import static io.homa4j.cli.HomaProcess.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code homa lab}, {@code homa agent} and {@code homa cluster} as processes: what remains when one of them is interrupted or
 * lost. The lab needs root and network namespaces, else its tests are skipped.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class LabTest {
    private static final Path NAMESPACES = Path.of("/run/netns");
    /** Of this process alone: tests of another build may run at the same time. */
    private static final String PREFIX =
            "ht" + Long.toString(ProcessHandle.current().pid(), 36);

    @TempDir
    Path folder;

    private final List<HomaProcess> started = new ArrayList<>();

    @AfterEach
    void close() {
        started.forEach(HomaProcess::close);
    }

    private HomaProcess homa(String... words) throws IOException {
        HomaProcess process = HomaProcess.start(words);
        started.add(process);
        return process;
    }

    private Path json() {
        return folder.resolve("lab.json");
    }

    // ---- in a rack

    private HomaProcess lab(String... more) throws Exception {
        assumeTrue(Rack.obstacle() == null && canMakeNamespaces(), "needs root and network namespaces");
        List<String> words = new ArrayList<>(
                List.of("lab", "--hosts", "2", "--prefix", PREFIX, "--cc", "cubic", "--unloaded", "0.2"));
        words.addAll(List.of("--load", "0.3", "--seconds", "1", "--warmup", "0.2"));
        words.addAll(List.of("--first-warmup", "0.2", "--json", json().toString()));
        words.addAll(List.of(more));
        return homa(words.toArray(String[]::new));
    }

    private static boolean canMakeNamespaces() throws Exception {
        return run("ip", "netns", "add", PREFIX + "-try") == 0 && run("ip", "netns", "del", PREFIX + "-try") == 0;
    }

    private static int run(String... words) throws Exception {
        return new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    private static List<String> namespaces() throws IOException {
        if (!Files.exists(NAMESPACES)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(NAMESPACES)) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> name.startsWith(PREFIX + "-"))
                    .toList();
        }
    }

    @Test
    void rackCarriesBothTransportsAndIsGoneInTheEnd() throws Exception {
        Path report = folder.resolve("report");
        HomaProcess lab = lab("--transports", "homa-udp,tcp-prio", "--repeat", "1", "--report", report.toString());
        int code = lab.awaitExit();
        String json = Files.readString(json());
        // On a machine too busy for it a run is invalid, which is no failure of this test.
        assertThat(code).as(lab.err()).isEqualTo(json.contains("\"valid\": false") ? 1 : 0);
        assertThat(lab.out()).contains("homa-udp ", "tcp-prio cubic");
        assertThat(json.split("\"transport\":", -1)).hasSize(3);
        assertThat(number(json, "errors")).isZero();
        assertThat(number(json, "rpcs")).isPositive();
        assertThat(json).contains("\"homa-udp : tcp-prio cubic\"", "\"downlink_bytes_by_priority\"", "\"unloaded_us\"");
        assertThat(report.resolve("lab.json")).hasSameTextualContentAs(json());
        assertThat(report.resolve("slowdown-p99-30.svg")).content().contains(">tcp-prio cubic<");
        assertThat(namespaces()).isEmpty();
    }

    @Test
    void twoTransportsShareTheRackAndBothAreMeasured() throws Exception {
        HomaProcess lab = lab("--transports", "homa-udp", "--beside", "tcp-1", "--repeat", "1");
        int code = lab.awaitExit();
        String json = Files.readString(json());
        assertThat(code).as(lab.err()).isEqualTo(json.contains("\"valid\": false") ? 1 : 0);
        assertThat(lab.out()).contains("homa-udp beside tcp-1 cubic ", "tcp-1 cubic beside homa-udp ");
        String[] runs = json.split("\"transport\":", -1);
        assertThat(runs).hasSize(3);
        for (int run = 1; run <= 2; run++) {
            assertThat(number(runs[run], "errors")).isZero();
            assertThat(number(runs[run], "rpcs")).isPositive();
        }
        assertThat(namespaces()).isEmpty();
    }

    @Test
    void interruptedLabTellsWhatItHasAndIsGone() throws Exception {
        HomaProcess lab = lab("--transports", "homa-udp", "--repeat", "500");
        lab.awaitLine("run 2 of 500");
        assertThat(namespaces()).contains(PREFIX + "-sw", PREFIX + "-h1", PREFIX + "-h2");
        // As from a terminal: all processes get the signal.
        for (ProcessHandle child : lab.children()) {
            assertThat(run("kill", "-TERM", String.valueOf(child.pid()))).isZero();
        }
        lab.signal("TERM");
        assertThat(lab.awaitExit()).as(lab.err()).isEqualTo(1);
        assertThat(lab.err()).contains("interrupted after 1 of 500 runs");
        assertThat(lab.out()).contains("homa-udp ");
        assertThat(Files.readString(json()).split("\"transport\":", -1)).hasSize(2);
        assertThat(namespaces()).isEmpty();
    }

    @Test
    void killedLabLeavesNothingBehind() throws Exception {
        HomaProcess lab = lab("--transports", "tcp-1", "--repeat", "500");
        lab.awaitLine("run 1 of 500");
        List<ProcessHandle> children = lab.children();
        assertThat(children).hasSize(3);
        lab.signal("KILL");
        for (ProcessHandle child : children) {
            child.onExit().get(1, TimeUnit.MINUTES);
        }
        assertThat(namespaces()).isEmpty();
    }

    @Test
    void twoLabsOfOneNameDoNotDisturbEachOther() throws Exception {
        HomaProcess first = lab("--transports", "tcp-1", "--repeat", "500");
        first.awaitLine("run 1 of 500");
        HomaProcess second = lab("--transports", "tcp-1");
        assertThat(second.awaitExit()).isEqualTo(1);
        assertThat(second.err()).contains("'" + PREFIX + "' is running", "--prefix");
        first.awaitLine("run 2 of 500");
        first.signal("TERM");
        assertThat(first.awaitExit()).isEqualTo(1);
        assertThat(namespaces()).isEmpty();
    }

    // ---- on hosts that are there

    private HomaProcess agent(int lease) throws IOException {
        return homa("agent", "--bind", "127.0.0.1", "--port", "0", "--lease", String.valueOf(lease));
    }

    private HomaProcess cluster(int firstPort, int secondPort, String... more) throws IOException {
        List<String> words = new ArrayList<>(List.of("cluster", "--agents"));
        words.add("127.0.0.1:" + firstPort + ",127.0.0.1:" + secondPort);
        words.addAll(List.of("--transports", "homa-udp", "--rate", "20", "--warmup", "0.1", "--first-warmup", "0.1"));
        words.addAll(List.of("--unloaded", "0", "--json", json().toString()));
        words.addAll(List.of(more));
        return homa(words.toArray(String[]::new));
    }

    @Test
    void lostControllerLeavesItsAgentsFree() throws Exception {
        HomaProcess one = agent(2);
        HomaProcess other = agent(2);
        int onePort = one.awaitPort();
        int otherPort = other.awaitPort();
        HomaProcess lost = cluster(onePort, otherPort, "--seconds", "3600");
        lost.awaitLine("outstanding");
        lost.signal("KILL");
        one.awaitLine("the controller was not heard of for 2 s, closed");
        other.awaitLine("the controller was not heard of for 2 s, closed");
        HomaProcess next = cluster(onePort, otherPort, "--seconds", "0.5", "--repeat", "1");
        next.awaitExit();
        assertThat(number(Files.readString(json()), "rpcs")).as(next.err()).isPositive();
    }

    @Test
    void lostAgentEndsTheExperimentWithWhatThereIs() throws Exception {
        HomaProcess one = agent(15);
        HomaProcess lost = agent(15);
        HomaProcess cluster = cluster(one.awaitPort(), lost.awaitPort(), "--seconds", "0.5", "--repeat", "1000");
        cluster.awaitLine("run 2 of 1000");
        lost.signal("KILL");
        assertThat(cluster.awaitExit()).isEqualTo(1);
        assertThat(cluster.err())
                .containsPattern("failed after \\d+ of 1000 runs")
                .contains("does not answer");
        assertThat(number(Files.readString(json()), "rpcs")).isPositive();
        assertThat(cluster.out()).contains("homa-udp ");
    }

    @Test
    void agentsAreNamedOnce() throws Exception {
        HomaProcess cluster = cluster(4100, 4100);
        assertThat(cluster.awaitExit()).isEqualTo(2);
        assertThat(cluster.err()).contains("twice");
    }
}
