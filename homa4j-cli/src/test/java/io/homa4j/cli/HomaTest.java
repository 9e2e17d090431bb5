package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The rules all commands share: exit codes, and one line that names cause and remedy. */
class HomaTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void versionNamesTheBuild() {
        assertThat(run(Homa.commandLine(), "--version")).isZero();
        assertThat(out.toString()).startsWith("homa4j ").contains("Java 25").doesNotContain("${");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void helpGoesToStandardOutput() {
        assertThat(run(Homa.commandLine(), "--help")).isZero();
        assertThat(out.toString()).contains("Usage: homa");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void noCommandIsAUsageErrorOfOneLine() {
        assertThat(run(Homa.commandLine())).isEqualTo(Homa.USAGE);
        assertThat(err.toString()).isEqualToIgnoringNewLines("homa: missing command; see homa --help");
    }

    @Test
    void unknownOptionIsOneLineAndExitCodeTwo() {
        assertThat(run(Homa.commandLine(), "--nonsense")).isEqualTo(Homa.USAGE);
        assertThat(err.toString()).hasLineCount(1).contains("unknown option '--nonsense'", "see homa --help");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void misspeltOptionOfASubcommandIsCorrected() {
        assertThat(run(probe(), "probe", "--prot", "4000")).isEqualTo(Homa.USAGE);
        assertThat(err.toString())
                .hasLineCount(1)
                .contains("homa probe: unknown option '--prot'; did you mean '--port'?", "see homa probe --help");
    }

    @Test
    void misspeltCommandIsCorrected() {
        assertThat(run(probe(), "porbe")).isEqualTo(Homa.USAGE);
        assertThat(err.toString()).hasLineCount(1).contains("homa: unknown command 'porbe'; did you mean 'probe'?");
    }

    @Test
    void argumentTooManyIsNamed() {
        assertThat(run(probe(), "probe", "4000")).isEqualTo(Homa.USAGE);
        assertThat(err.toString()).hasLineCount(1).contains("homa probe: unexpected argument '4000'");
    }

    @Test
    void badValueNamesTheOption() {
        assertThat(run(probe(), "probe", "--port", "four")).isEqualTo(Homa.USAGE);
        assertThat(err.toString()).hasLineCount(1).contains("--port", "four", "see homa probe --help");
    }

    @Test
    void failureNamesCauseAndRemedy() {
        assertThat(run(probe(), "probe", "--port", "1")).isEqualTo(Homa.FAILURE);
        assertThat(err.toString())
                .isEqualToIgnoringNewLines("homa probe: port 1 is in use; choose another with --port");
    }

    @Test
    void nonsenseFoundByTheCommandIsAUsageError() {
        assertThat(run(probe(), "probe", "--port", "0")).isEqualTo(Homa.USAGE);
        assertThat(err.toString()).hasLineCount(1).contains("homa probe: port 0 cannot be reached; name one");
    }

    @Test
    void unexpectedExceptionIsStillOneLine() {
        assertThat(run(probe(), "probe", "--port", "2")).isEqualTo(Homa.FAILURE);
        assertThat(err.toString()).hasLineCount(1).contains("first second", "HOMA_DEBUG");
    }

    private int run(CommandLine command, String... args) {
        return command.setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(args);
    }

    private static CommandLine probe() {
        return Homa.withErrorRules(Homa.commandLine().addSubcommand(new Probe()));
    }

    /** Fails in as many ways as there are ports. */
    @Command(name = "probe", mixinStandardHelpOptions = true)
    private static final class Probe implements Callable<Integer> {
        @Option(names = "--port")
        private int port;

        @Override
        public Integer call() {
            switch (port) {
                case 0 -> throw CliException.usage("port 0 cannot be reached", "name one");
                case 1 -> throw new CliException("port 1 is in use", "choose another with --port");
                default -> throw new IllegalStateException("first\n   second");
            }
        }
    }
}
