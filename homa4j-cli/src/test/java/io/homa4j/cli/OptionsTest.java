package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Command lines that make no sense: one line with cause and remedy, exit code 2, and nothing started. */
class OptionsTest {
    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "server | --port",
                "server --port 70000 | 70000",
                "server --port 0 --reply 0 | '0' is none of",
                "server --port 0 --reply 1000001 | '1000001' is none of",
                "server --port 0 --reply echo | 'echo' is none of",
                "server --port 0 --max-in-service 0 | --max-in-service 0",
                "server --port 0 --profile kernel | kernel",
                "server --port 0 --set nonsense=1 | nonsense",
                "server --port 0 --set unsched_bytes=many | many",
                "server --port 0 --set unsched_bytes | --set",
                "server --port 0 --poll-usecs -5 | -5",
                "server --port 0 --set link_mbps=-1 | link_mbps = -1 is outside",
                "server --port 0 --ipv6 --bind 127.0.0.1 | --bind 127.0.0.1 with --ipv6",
                "bench --metrics | unknown option '--metrics'",
                "bench --pcap x | unknown option '--pcap'",
                "client | HOST:PORT",
                "client localhost:1 --size 0 | --size 0",
                "client localhost:1 --size 1000001 | --size 1000001",
                "client localhost:1 --workload w9 | 'w9' is none of",
                "client localhost:1 --size 5 --workload w1 | mutually exclusive",
                "client localhost:1 --rate 5 --gbps 1 | mutually exclusive",
                "client localhost:1 --rate -5 | --rate -5",
                "client localhost:1 --rate 0 | --rate 0",
                "client localhost:1 --rate Infinity | --rate Infinity",
                "client localhost:1 --rate 1e30 | --rate 1.0E30",
                "client localhost:1 --gbps -1 | --gbps -1",
                "client localhost:1 --gbps 100 --size 1 | --gbps 100",
                "client localhost:1 --seconds 0 | --seconds 0",
                "client localhost:1 --duration 0 | --seconds 0",
                "client localhost:1 --size 7 --response-size 5 | --size 7 with --response-size",
                "bench --rounds 0 | --rounds 0",
                "bench --warmup -1 | --warmup -1",
                "bench --duration 0 | --seconds 0",
                "client localhost:1 --warmup -1 | --warmup -1",
                "client localhost:1 --outstanding -1 | --outstanding -1",
                "client localhost:1 --outstanding 0 | --outstanding 0",
                "client localhost:1 --response-size 0 | --response-size 0",
                "client localhost:1 --response-size 1000001 | --response-size",
                "client localhost:1 --delay-ms -1 | --delay-ms -1",
                "bench --seconds 0 | --seconds 0",
                "bench --seconds nine | nine",
                "bench peers --seconds 0 | --seconds 0",
                "bench peers --rounds 0 | --rounds 0",
                "bench peers --only homa-upd | 'homa-upd'",
                "bench --jsno x | did you mean '--json'",
                "soak --rpcs 0 | --rpcs 0",
                "soak --loss 1.5 | 1.5",
                "soak --duplicate -0.1 | -0.1",
                "soak --reorder NaN | NaN",
                "soak --outstanding 0 | --outstanding 0",
                "soak --serve 65535 | --serve 65535",
                "soak --serve 4000 --to localhost:4000 | mutually exclusive"
            })
    void nonsenseIsOneLine(String command, String cause) {
        String[] words = command.split(" ", -1);
        assertThat(run(words)).isEqualTo(Homa.USAGE);
        assertThat(err.toString())
                .hasLineCount(1)
                .startsWith("homa " + words[0])
                .contains(cause, ": ", "; ")
                .doesNotContain("error:", "option option", "defect");
        assertThat(out.toString()).isEmpty();
    }

    /** An hour of measuring is not lost for a slip in a path. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "server --port 0 --json",
                "server --port 0 --pcap",
                "client 127.0.0.1:1 --json",
                "bench --json",
                "bench peers --json",
                "bench peers --report",
                "bench grpc --json",
                "soak --json",
                "lab --json",
                "sim fabric --json",
                "sim fabric --report",
                "sim sweep overcommit --report",
                "sim incast --json"
            })
    void aFileThatCannotBeWrittenIsToldBeforeTheWork(String command) throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        String[] words = (command + " " + file.resolve("below")).split(" ", -1);
        assertThat(run(words)).isEqualTo(Homa.FAILURE);
        assertThat(err.toString())
                .hasLineCount(1)
                .contains("cannot write ", words[words.length - 2], file.toString(), "; name a f");
        assertThat(out.toString()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "client nowhere | nowhere",
                "client localhost:port | localhost:port",
                "client localhost:70000 | 70000",
                "client no-such-host.invalid:4000 | no-such-host.invalid",
                "client 127.0.0.1:4000 --ipv6 | IPv6",
                "server --port 0 --bind no-such-host.invalid | no-such-host.invalid",
                "server --port 0 --bind 192.0.2.1 | 192.0.2.1"
            })
    void aBadAddressIsOneLine(String command, String cause) {
        String[] words = command.split(" ", -1);
        assertThat(run(words)).isEqualTo(Homa.FAILURE);
        assertThat(err.toString())
                .hasLineCount(1)
                .startsWith("homa " + words[0] + ": ")
                .contains(cause, "; ");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void helpOfEveryCommandNamesItsOptions() {
        assertThat(run("server", "--help")).isZero();
        assertThat(run("client", "--help")).isZero();
        assertThat(run("bench", "--help")).isZero();
        assertThat(run("soak", "--help")).isZero();
        assertThat(out.toString())
                .contains("--port", "--reply", "--workload", "--rate", "--seconds", "--json", "--loss", "--ipv6")
                .doesNotContain("bench-peer", "--child", "${");
        assertThat(err.toString()).isEmpty();
    }

    /** picocli's complaints about a text of ours go to the standard error of the process. */
    @Test
    void helpOfEveryCommandIsWellFormed() {
        PrintStream before = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            printHelp(Homa.commandLine());
        } finally {
            System.setErr(before);
        }
        assertThat(said.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    private static void printHelp(CommandLine command) {
        assertThat(command.getUsageMessage()).startsWith("Usage: ").doesNotContain("%%", "${");
        command.getSubcommands().values().forEach(OptionsTest::printHelp);
    }

    private int run(String... args) {
        return Homa.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(args);
    }
}
