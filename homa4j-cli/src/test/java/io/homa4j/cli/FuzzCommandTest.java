package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

/** {@code homa sim fuzz}: what it prints, and its exit codes. */
class FuzzCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... args) {
        return Homa.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(args);
    }

    @Test
    void campaignSumsUpWhatHasOccurred() {
        assertThat(run("sim", "fuzz", "--seeds", "5", "--from", "7", "--jobs", "2"))
                .isZero();
        assertThat(out.toString())
                .contains(
                        "fuzz: 5 seeds from 7, 2 threads",
                        "packets lost on links",
                        "5 runs from seed 7",
                        "no failures");
    }

    @Test
    void jobsDoNotChangeTheHash() {
        assertThat(run("sim", "fuzz", "--seeds", "4", "--jobs", "1")).isZero();
        String alone = hash();
        out.getBuffer().setLength(0);
        assertThat(run("sim", "fuzz", "--seeds", "4", "--jobs", "3")).isZero();
        assertThat(hash()).isEqualTo(alone).hasSize(16);
    }

    private String hash() {
        String text = out.toString();
        int at = text.indexOf("hash ") + 5;
        return text.substring(at, at + 16);
    }

    @Test
    void traceShowsPlanAndPackets() {
        assertThat(run("sim", "fuzz", "--from", "3", "--trace")).isZero();
        assertThat(out.toString()).contains("seed 3: ", "host 0: ", "starts at host 0", " leaves ", ": passed");
    }

    @Test
    void optionsThatMakeNoSenseAreRefused() {
        assertThat(run("sim", "fuzz", "--seeds", "0")).isEqualTo(Homa.USAGE);
        assertThat(run("sim", "fuzz", "--jobs", "0")).isEqualTo(Homa.USAGE);
        assertThat(run("sim", "fuzz", "--trace", "--seeds", "2")).isEqualTo(Homa.USAGE);
        assertThat(err.toString()).contains("--seeds 0 makes no sense", "--jobs 0", "--trace with several --seeds");
    }
}
