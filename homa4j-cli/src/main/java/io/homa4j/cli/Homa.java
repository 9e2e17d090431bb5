package io.homa4j.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The {@code homa} command: a list of subcommands and the rules that all of them share.
 *
 * <p>Exit codes: 0 success, {@value #FAILURE} a command that could not do its work, {@value #USAGE} a command line that
 * makes no sense. Either failure is one line on standard error that names the cause and the remedy.
 */
@Command(
        name = "homa",
        description = "Homa, the datacenter transport protocol, in user-space Java.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        // One line per subcommand; help lists them in this order.
        subcommands = {
            ServerCommand.class,
            ClientCommand.class,
            BenchCommand.class,
            SoakCommand.class,
            LabCommand.class,
            AgentCommand.class,
            ClusterCommand.class,
            SimCommand.class,
            Decode.class,
            BenchPeer.class,
            ContenderProcess.class,
            TrainCommand.class
        })
final class Homa implements Runnable {
    static final int FAILURE = 1;
    static final int USAGE = 2;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    private Homa() {}

    public static void main(String[] args) {
        StandardOutput out = new StandardOutput();
        CommandLine commandLine = commandLine().setOut(out.writer());
        int exitCode = commandLine.execute(args);
        StopSignal.exit(out.end(exitCode, commandLine));
    }

    /** Reached only when no subcommand was named. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "missing command");
    }

    /** A fresh command line; what {@link #main} runs, and what tests run without ending the JVM. */
    static CommandLine commandLine() {
        return withErrorRules(new CommandLine(new Homa()));
    }

    /** Gives a command and all its subcommands the error lines and exit codes described at the top. */
    static CommandLine withErrorRules(CommandLine commandLine) {
        return commandLine
                .setParameterExceptionHandler(ErrorLine::onUsageError)
                .setExecutionExceptionHandler(ErrorLine::onFailure)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(false)
                .setUsageHelpWidth(100);
    }
}
