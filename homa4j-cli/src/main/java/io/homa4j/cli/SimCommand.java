package io.homa4j.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code homa sim}: the engine in a simulated network, under virtual time. */
@Command(
        name = "sim",
        description = "Runs the protocol engine in a simulated network, under virtual time.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {FabricCommand.class, SweepCommand.class, IncastCommand.class, FuzzCommand.class})
final class SimCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    /** Reached only when no subcommand was named. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "missing command");
    }
}
