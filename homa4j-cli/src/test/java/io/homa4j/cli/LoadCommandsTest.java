package io.homa4j.cli;

import static io.homa4j.cli.HomaProcess.number;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code homa server} and {@code homa client} as processes, over real UDP on the loopback interface. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class LoadCommandsTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "[::1]"})
    void aWorkloadComesBackByteForByte(String host) throws Exception {
        try (HomaProcess server = HomaProcess.start("server", "--port", "0");
                HomaProcess client = HomaProcess.start(
                        "client",
                        host + ":" + server.awaitPort(),
                        "--workload",
                        "w4",
                        "--outstanding",
                        "8",
                        "--seconds",
                        "1",
                        "--warmup",
                        "0.3",
                        "--json",
                        "-")) {
            assertThat(client.awaitExit()).as(client.err()).isZero();
            String json = client.out();
            assertThat(json).startsWith("{").endsWith("}");
            assertThat(number(json, "rpcs")).isPositive();
            assertThat(number(json, "errors")).isZero();
            assertThat(number(json, "mismatches")).isZero();
            assertThat(number(json, "unfinished")).isZero();
            assertThat(number(json, "p50")).isPositive().isLessThanOrEqualTo(number(json, "max"));
            assertThat(number(json, "completed")).isEqualTo(number(json, "started"));
            assertThat(client.err()).contains("round trip: p50", "errors: 0");
        }
    }

    @Test
    void anyExchangeCanBeAskedForInTheHeader() throws Exception {
        Path summary = folder.resolve("server.json");
        try (HomaProcess server =
                        HomaProcess.start("server", "--port", "0", "--reply", "header", "--json", summary.toString());
                HomaProcess client = HomaProcess.start(
                        "client",
                        "127.0.0.1:" + server.awaitPort(),
                        "--size",
                        "20000",
                        "--response-size",
                        "70001",
                        "--delay-ms",
                        "20",
                        "--rate",
                        "100",
                        "--seconds",
                        "1",
                        "--warmup",
                        "0",
                        "--json",
                        "-")) {
            assertThat(client.awaitExit()).as(client.err()).isZero();
            assertThat(number(client.out(), "mismatches")).isZero();
            assertThat(number(client.out(), "wrong_lengths")).isZero();
            assertThat(number(client.out(), "p50")).as("20 ms asked for").isGreaterThan(20_000);

            server.signal("TERM");
            assertThat(server.awaitExit()).as(server.err()).isZero();
            String json = Files.readString(summary);
            // One more: the client's question whether there is a server at all.
            assertThat(number(json, "requests")).isEqualTo(number(client.out(), "started") + 1);
            assertThat(number(json, "bytes_in")).isEqualTo(20_000 * number(client.out(), "started") + 8);
            assertThat(number(json, "bytes_out")).isEqualTo(70_001 * (number(client.out(), "started") + 1));
            assertThat(number(json, "mismatches")).isZero();
            assertThat(number(json, "malformed")).isZero();
        }
    }

    @Test
    void aServerToldToEndSaysWhatItDid() throws Exception {
        try (HomaProcess server = HomaProcess.start("server", "--port", "0", "--reply", "10", "--metrics")) {
            server.awaitPort();
            server.signal("INT");
            assertThat(server.awaitExit()).isZero();
            assertThat(server.out()).contains("served 0 requests", "0 mismatches", "packets_sent_DATA");
            assertThat(server.err()).isEmpty();
        }
    }

    @Test
    void aBusyPortIsOneLine() throws Exception {
        try (HomaProcess server = HomaProcess.start("server", "--port", "0")) {
            String port = String.valueOf(server.awaitPort());
            try (HomaProcess second = HomaProcess.start("server", "--port", port)) {
                assertThat(second.awaitExit()).isEqualTo(Homa.FAILURE);
                assertThat(second.err()).hasLineCount(1).contains("homa server: ", port, "in use", "; ");
                assertThat(second.out()).isEmpty();
            }
        }
    }

    @Test
    void noServerIsOneLine() throws Exception {
        try (HomaProcess client = HomaProcess.start("client", "127.0.0.1:" + freePort())) {
            assertThat(client.awaitExit()).isEqualTo(Homa.FAILURE);
            assertThat(client.err())
                    .hasLineCount(1)
                    .contains("homa client: no answer from 127.0.0.1:", "homa server --port")
                    .endsWith(", or correct the port");
            assertThat(client.out()).isEmpty();
        }
    }

    @Test
    void aClientToldToEndPrintsItsResult() throws Exception {
        try (HomaProcess server = HomaProcess.start("server", "--port", "0");
                HomaProcess client = HomaProcess.start(
                        "client", "127.0.0.1:" + server.awaitPort(), "--seconds", "600", "--warmup", "0")) {
            client.awaitLine("0 failed");
            client.signal("INT");
            assertThat(client.awaitExit()).as(client.err()).isZero();
            assertThat(client.out()).contains("round trip: p50", "errors: 0");
        }
    }

    /** kill -9 in mid-load: every outstanding call ends, none hangs, and the new incarnation serves the same client. */
    @ParameterizedTest
    @ValueSource(strings = {"auto", "portable"})
    void aKilledServerFailsItsCallsAndItsSuccessorServesTheSameClient(String datapath) throws Exception {
        String port = String.valueOf(freePort());
        HomaProcess first = HomaProcess.start("server", "--port", port, "--datapath", datapath);
        try (first) {
            first.awaitPort();
            try (HomaProcess client = HomaProcess.start(
                    "client",
                    "127.0.0.1:" + port,
                    "--datapath",
                    datapath,
                    "--size",
                    "5000",
                    "--outstanding",
                    "50",
                    "--seconds",
                    "8",
                    "--warmup",
                    "0",
                    "--json",
                    "-")) {
                client.awaitLine("outstanding, 0 failed");
                first.signal("KILL");
                first.awaitExit();
                try (HomaProcess second = HomaProcess.start("server", "--port", port, "--datapath", datapath)) {
                    second.awaitPort();
                    second.awaitLine("requests ");
                    int exitCode = client.awaitExit();
                    String json = client.out();
                    assertThat(number(json, "unfinished")).as(json).isZero();
                    assertThat(number(json, "completed") + number(json, "failed"))
                            .isEqualTo(number(json, "started"));
                    assertThat(number(json, "mismatches")).isZero();
                    if (number(json, "failed") > 0) {
                        assertThat(exitCode).isEqualTo(Homa.FAILURE);
                        assertThat(numberOrNone(json, "timeout") + numberOrNone(json, "no_server"))
                                .as("the documented errors, the second where ICMP is seen")
                                .isEqualTo(number(json, "failed"));
                    } else {
                        assertThat(exitCode)
                                .as("all were completed by the new incarnation")
                                .isZero();
                    }
                    second.signal("TERM");
                    second.awaitExit();
                    assertThat(second.out()).doesNotContain("served 0 requests");
                }
            }
        }
    }

    /** A process that is stopped for 300 ms, on either side, fails no RPC. */
    @ParameterizedTest
    @ValueSource(strings = {"server", "client"})
    void aPauseFailsNoRpc(String paused) throws Exception {
        try (HomaProcess server = HomaProcess.start("server", "--port", "0");
                HomaProcess client = HomaProcess.start(
                        "client",
                        "127.0.0.1:" + server.awaitPort(),
                        "--size",
                        "30000",
                        "--outstanding",
                        "20",
                        "--seconds",
                        "3",
                        "--warmup",
                        "0",
                        "--json",
                        "-")) {
            client.awaitLine("outstanding, 0 failed");
            HomaProcess victim = paused.equals("server") ? server : client;
            victim.signal("STOP");
            // The length of the pause is what is tested.
            Thread.sleep(300);
            victim.signal("CONT");
            assertThat(client.awaitExit()).as(client.out() + client.err()).isZero();
            assertThat(number(client.out(), "max")).as("the pause is seen").isGreaterThan(250_000);
            assertThat(number(client.out(), "failed")).isZero();
        }
    }

    /** Also where the wish is as long as the question. */
    @Test
    void aServerThatSendsTheWishBackIsNoServerThatHeardIt() throws Exception {
        try (HomaProcess server = HomaProcess.start("server", "--port", "0");
                HomaProcess client = HomaProcess.start(
                        "client", "127.0.0.1:" + server.awaitPort(), "--response-size", "8", "--seconds", "1")) {
            assertThat(client.awaitExit()).isEqualTo(Homa.FAILURE);
            assertThat(client.err()).hasLineCount(1).contains("answers with 9 bytes where 8 were", "--reply header");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sim sweep overcommit --jobs 1", "sim fabric --jobs 1", "sim incast --jobs 1"})
    void aSimulationToldToEndSaysThatItIsNotComplete(String command) throws Exception {
        try (HomaProcess simulation = HomaProcess.start(command.split(" ", -1))) {
            simulation.awaitLine(command.contains("incast") ? "on " : " % of ");
            simulation.signal("TERM");
            assertThat(simulation.awaitExit()).isEqualTo(Homa.FAILURE);
            assertThat(simulation.err()).hasLineCount(1).contains("stopped before the end");
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aResultThatDoesNotFitIsAFailure() throws Exception {
        try (HomaProcess help = HomaProcess.startWithOutput(new File("/dev/full"), "--help")) {
            assertThat(help.awaitExit()).isEqualTo(Homa.FAILURE);
            assertThat(help.err()).hasLineCount(1).contains("cannot write to standard output: No space left");
        }
    }

    @Test
    void aServerThatDoesNotReadTheHeaderIsNamed() throws Exception {
        try (HomaProcess server = HomaProcess.start("server", "--port", "0")) {
            String to = "127.0.0.1:" + server.awaitPort();
            for (String option : new String[] {"--response-size", "--delay-ms"}) {
                try (HomaProcess client = HomaProcess.start("client", to, option, "500")) {
                    assertThat(client.awaitExit()).isEqualTo(Homa.FAILURE);
                    assertThat(client.err())
                            .contains("answers with 8 bytes", "--reply header")
                            .hasLineCount(1);
                }
            }
        }
    }

    @Test
    void benchMeasuresBothAndLeavesNoProcessBehind() throws Exception {
        try (HomaProcess bench =
                HomaProcess.start("bench", "--seconds", "0.6", "--rounds", "2", "--warmup", "0.4", "--json", "-")) {
            bench.awaitLine(" 1/");
            var children = bench.children();
            assertThat(children).hasSize(2);
            assertThat(bench.awaitExit()).as(bench.err()).isZero();
            String json = bench.out();
            assertThat(json).startsWith("{").endsWith("}").contains("\"name\": \"homa-udp\"", "\"name\": \"tcp-nio\"");
            String[] results = json.split("\"name\":", -1);
            for (int i = 1; i <= 2; i++) {
                for (String figure : new String[] {"p50", "p99", "p999", "rpcs_per_s", "gbit_per_s", "rpcs"}) {
                    assertThat(number(results[i], figure)).as(figure).isPositive();
                }
                assertThat(number(results[i], "errors")).isZero();
            }
            assertThat(bench.err())
                    .contains("round trip", "median", "Gbit/s", "Homa to TCP")
                    .as("columns that do not touch")
                    .doesNotContainPattern("\\)\\d");
            assertEnded(children);
        }
    }

    @Test
    void childrenOfAKilledBenchDieWithIt() throws Exception {
        try (HomaProcess bench = HomaProcess.start("bench", "--seconds", "60", "--ipv6")) {
            bench.awaitLine(" 1/");
            var children = bench.children();
            assertThat(children).hasSize(2);
            bench.signal("KILL");
            bench.awaitExit();
            assertEnded(children);
        }
    }

    @Test
    void benchPeersComparesWhatIsHereAndSaysWhatIsNot() throws Exception {
        Path report = folder.resolve("report");
        try (HomaProcess bench = HomaProcess.start(
                "bench",
                "peers",
                "--seconds",
                "0.2",
                "--rounds",
                "1",
                "--warmup",
                "0.1",
                "--no-veth",
                "--load",
                "RTT",
                "--only",
                "homa-udp,tcp-nio,netty",
                "--json",
                "-",
                "--report",
                report.toString())) {
            assertThat(bench.awaitExit()).as(bench.err()).isZero();
            String json = bench.out();
            String[] results = json.substring(0, json.indexOf("\"ratios\"")).split("\"name\":", -1);
            assertThat(results)
                    .as("one entry for each name, homa-udp and tcp-nio with other cases")
                    .hasSizeGreaterThan(4);
            for (int i = 1; i < results.length; i++) {
                assertThat(number(results[i], "rpcs")).as(results[i]).isPositive();
                assertThat(number(results[i], "errors")).as(results[i]).isZero();
            }
            assertThat(number(json, "ratio"))
                    .as("the first that could be measured")
                    .isPositive();
            assertThat(json).contains("\"ratio\": null", "\"left_out\"", "netty is not on the module path");
            assertThat(bench.err()).contains("Homa/UDP : TCP NIO, both polling", "set-ups");
            assertThat(report.resolve("index.html")).isNotEmptyFile();
            assertThat(report.resolve("peers.txt")).isNotEmptyFile();
            assertThat(report.resolve("peers.json")).isNotEmptyFile();
        }
    }

    private static void assertEnded(Iterable<ProcessHandle> children) throws Exception {
        for (ProcessHandle child : children) {
            child.onExit().get(30, TimeUnit.SECONDS);
        }
    }

    private static int freePort() throws IOException {
        try (java.net.DatagramSocket socket = new java.net.DatagramSocket()) {
            return socket.getLocalPort();
        }
    }

    private static double numberOrNone(String json, String name) {
        return json.contains("\"" + name + "\"") ? number(json, name) : 0;
    }
}
