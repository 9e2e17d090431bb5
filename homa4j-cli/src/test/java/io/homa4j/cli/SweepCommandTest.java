package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code homa sim sweep} and {@code homa sim incast}: what they vary changes what is measured, and figures are whole. */
class SweepCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder;

    private int run(String words) {
        return Homa.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(words.split(" ", -1));
    }

    private String figure(String name) throws IOException {
        String svg = Files.readString(folder.resolve(name));
        assertThat(svg).startsWith("<svg").endsWith("</svg>\n").doesNotContain("NaN");
        return svg;
    }

    @Test
    void moreOvercommitmentWastesLess() throws IOException {
        assertThat(run(
                        "sim sweep overcommit --workload w3 --values 1,7 --load 0.8 --hosts 32 --seconds 0.002 --json --report "
                                + folder))
                .isZero();
        double[] wasted = out.toString()
                .lines()
                .filter(line -> line.contains("\"wasted_percent\""))
                .mapToDouble(line -> Double.parseDouble(
                        line.replaceAll(".*\"wasted_percent\": ", "").replaceAll(",.*", "")))
                .toArray();
        assertThat(wasted).hasSize(2);
        assertThat(wasted[1]).isLessThan(wasted[0] / 4);
        assertThat(figure("sweep-overcommit.svg")).contains("overcommitment 1", "overcommitment 7", "load, percent");
    }

    @ParameterizedTest
    @CsvSource({
        "scheduled-levels, --values 1 --workload w3, 1 scheduled level",
        "unscheduled, --values 1442, '1,442 bytes unscheduled'",
        "max-load, --workload w2, published"
    })
    void eachMakesItsFigure(String of, String more, String label) throws IOException {
        assertThat(run("sim sweep " + of + " " + more + " --hosts 20 --seconds 0.0005 --report " + folder))
                .isZero();
        assertThat(figure("sweep-" + of + ".svg")).contains(label);
    }

    @ParameterizedTest
    @CsvSource({
        "scheduled-levels --values 8, --values 8",
        "unscheduled --load 0.5;0.6, several --load",
        "nothing, expected scheduled-levels",
        "max-load --workload w9, there is no workload w9"
    })
    void whatMakesNoSenseIsSaidInALine(String words, String said) {
        assertThat(run("sim sweep " + words.replace(';', ','))).isEqualTo(Homa.USAGE);
        assertThat(err.toString()).contains(said);
    }

    @Test
    void incastControlKeepsTheQueueShort() throws IOException {
        assertThat(run("sim incast --rpcs 3,300 --buffer 200000 --seconds 0.004 --report " + folder))
                .isZero();
        String[] on = row("on", 300);
        String[] off = row("off", 300);
        assertThat(Integer.parseInt(on[5])).isZero();
        assertThat(Integer.parseInt(off[5])).isPositive();
        assertThat(Double.parseDouble(on[2])).isGreaterThan(8.5);
        assertThat(figure("incast.svg")).contains("incast control on", "incast control off");
    }

    private String[] row(String control, int rpcs) {
        return out.toString()
                .lines()
                .map(line -> line.trim().split(" +", -1))
                .filter(words ->
                        words.length > 6 && words[0].equals(control) && words[1].equals(Integer.toString(rpcs)))
                .findFirst()
                .orElseThrow();
    }
}
