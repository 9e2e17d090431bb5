package io.homa4j.cli;

import io.homa4j.Homa;
import io.homa4j.HomaServer;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code homa agent}: a host of experiments that {@code homa cluster} drives. */
@Command(
        name = "agent",
        description = "Waits for a controller (homa cluster) and takes part in its experiments.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "Whoever can reach the port can have this host send load to any address: run agents in networks",
            "that are yours, and no longer than needed. Experiments use further ports that the system chooses."
        })
final class AgentCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--port",
            paramLabel = "N",
            description = "UDP port for the controller (default: ${DEFAULT-VALUE}); 0 for a free one.")
    private int port = Agent.DEFAULT_PORT;

    @Option(
            names = "--bind",
            paramLabel = "ADDRESS",
            required = true,
            description = "The address of this host that the others reach; experiments use it too.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String bind;

    @Option(
            names = "--lease",
            paramLabel = "S",
            description = "Close a run whose controller was not heard of for so long (default: ${DEFAULT-VALUE}).")
    private int leaseSeconds = Agent.DEFAULT_LEASE_SECONDS;

    @Option(names = "--with-parent", hidden = true, description = "End when the process that started this one ends.")
    private boolean isChild;

    @Override
    public Integer call() throws Exception {
        if (port < 0 || port > 65_535) {
            throw CliException.usage("--port " + port + " is no port", "name one from 1 to 65535, or 0 for a free one");
        }
        if (leaseSeconds < 2 || leaseSeconds > 3600) {
            throw CliException.usage("--lease " + leaseSeconds + " makes no sense", "name 2 to 3600");
        }
        // A controller that is its parent may need it after a Ctrl-C at their terminal, which both get; it ends with
        // that one.
        return isChild
                ? ChildProcess.runWithParent(() -> serve(new CountDownLatch(1)::await))
                : StopSignal.during(stop -> serve(stop::await));
    }

    /** Waits for the end, but not longer. @return whether it has come */
    private interface End {
        boolean await(long timeout, TimeUnit unit) throws InterruptedException;
    }

    private int serve(End end) throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        InetAddress local;
        try {
            local = InetAddress.getByName(bind);
        } catch (UnknownHostException e) {
            throw new CliException(
                    "the address '" + bind + "' of --bind is unknown", "name an address of this host (ip address)", e);
        }
        // The controller's few messages are all that this engine carries; it sleeps.
        try (Agent agent = new Agent(local, Duration.ofSeconds(leaseSeconds), out);
                Homa homa = Homa.builder().set("poll_usecs", "0").open();
                HomaServer server = homa.serve(port, agent)) {
            out.println("ready: waiting for a controller on UDP port " + server.port() + "; Ctrl-C ends it");
            out.flush();
            while (!end.await(1, TimeUnit.SECONDS)) {
                agent.lookAtLease();
            }
        }
        return 0;
    }
}
