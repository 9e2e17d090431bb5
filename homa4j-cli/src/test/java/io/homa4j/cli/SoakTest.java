package io.homa4j.cli;

import static io.homa4j.cli.HomaProcess.number;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code homa soak} as processes: small runs. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class SoakTest {
    private static final String[] ALL_ZERO = {"failed", "corrupted", "executed_twice", "never_executed"};

    @TempDir
    Path folder;

    @Test
    void everyRpcIsExecutedOnceOverABadNetwork() throws Exception {
        Path file = folder.resolve("soak.json");
        try (HomaProcess soak = HomaProcess.start(
                "soak",
                "--rpcs",
                "1000",
                "--loss",
                "0.02",
                "--duplicate",
                "0.02",
                "--reorder",
                "0.05",
                "--seed",
                "7",
                "--set",
                "mtu=9000",
                "--json",
                file.toString())) {
            assertThat(soak.awaitExit()).as(soak.out() + soak.err()).isZero();
            assertThat(soak.out()).contains("1,000 of 1,000 RPCs completed", "failed 0", "executed twice 0");
            String json = Files.readString(file);
            assertThat(number(json, "rpcs")).isEqualTo(1000);
            assertThat(number(json, "completed")).isEqualTo(1000);
            assertThat(number(json, "executions")).isEqualTo(1000);
            for (String name : ALL_ZERO) {
                assertThat(number(json, name)).as(name).isZero();
            }
            assertThat(number(json, "retransmitted_packets")).isPositive();
            assertThat(number(json, "lost")).isPositive();
            assertThat(number(json, "duplicated")).isPositive();
            assertThat(number(json, "reordered")).isPositive();
        }
    }

    @Test
    void theTwoHalvesCanRunApart() throws Exception {
        try (HomaProcess server =
                        HomaProcess.start("soak", "--serve", String.valueOf(twoFreePorts()), "--loss", "0.01");
                HomaProcess client = HomaProcess.start(
                        "soak", "--to", "127.0.0.1:" + server.awaitPort(), "--rpcs", "300", "--json", "-")) {
            assertThat(client.awaitExit()).as(client.out() + client.err()).isZero();
            assertThat(number(client.out(), "completed")).isEqualTo(300);
            server.signal("TERM");
            assertThat(server.awaitExit()).isZero();
        }
    }

    @Test
    void aSoakThatIsToldToEndIsNoSuccess() throws Exception {
        try (HomaProcess soak = HomaProcess.start("soak", "--rpcs", "100000000", "--json", "-")) {
            soak.awaitLine("left");
            soak.signal("INT");
            assertThat(soak.awaitExit()).isEqualTo(Homa.FAILURE);
            assertThat(number(soak.out(), "completed"))
                    .isEqualTo(number(soak.out(), "rpcs"))
                    .isPositive();
            for (String name : ALL_ZERO) {
                assertThat(number(soak.out(), name)).as(name).isZero();
            }
        }
    }

    /** The server dies in mid-soak: its calls fail, the soak ends and says so. */
    @Test
    void aDeadServerIsAnError() throws Exception {
        try (HomaProcess soak = HomaProcess.start("soak", "--rpcs", "100000000", "--outstanding", "4")) {
            soak.awaitLine("left");
            soak.children().forEach(ProcessHandle::destroyForcibly);
            assertThat(soak.awaitExit()).isEqualTo(Homa.FAILURE);
            assertThat(soak.err()).hasLineCount(1).contains("homa soak: the server process ended with exit code 137");
        }
    }

    @Test
    void noServerIsOneLine() throws Exception {
        try (HomaProcess soak = HomaProcess.start("soak", "--to", "127.0.0.1:" + twoFreePorts(), "--rpcs", "10")) {
            assertThat(soak.awaitExit()).isEqualTo(Homa.FAILURE);
            assertThat(soak.err())
                    .hasLineCount(1)
                    .contains("homa soak: no soak server at 127.0.0.1:", "homa soak --serve");
        }
    }

    /** A port that is free, as the one after it is. */
    private static int twoFreePorts() throws Exception {
        while (true) {
            try (var first = new java.net.DatagramSocket()) {
                int port = first.getLocalPort();
                try (var second = new java.net.DatagramSocket(port + 1)) {
                    return second.getLocalPort() - 1;
                } catch (java.io.IOException | IllegalArgumentException e) {
                    // Somebody has the next one: look elsewhere.
                    assertThat(e).isNotNull();
                }
            }
        }
    }
}
