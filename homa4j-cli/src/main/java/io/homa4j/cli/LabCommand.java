package io.homa4j.cli;

import io.homa4j.Family;
import io.homa4j.HomaAddress;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code homa lab}: an experiment in a rack made of network namespaces on this machine. The process that is started builds the
 * rack, starts an agent in each host and the same command again within the switch, waits for that, and removes everything.
 */
@Command(
        name = "lab",
        description =
                "Compares Homa and TCP in a datacenter rack that it builds out of network namespaces (Linux, root).",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "All hosts send requests to each other at random times (Poisson); a round trip counts from the time",
            "the request was due. Homa gets no hint: it finds the rate of its link and the round trip itself.",
            "Everything is removed at the end, also after Ctrl-C; what a killed lab leaves behind, the next one",
            "removes. Exit code 1 if there were errors, or the processors too busy for a valid run."
        })
final class LabCommand implements Callable<Integer> {
    private static final Duration START_TIMEOUT = Duration.ofMinutes(1);
    /** After a signal: for the last run to end, the report and the removal of many namespaces on a busy machine. */
    private static final Duration GRACE = Duration.ofMinutes(2);

    /** Of the second agent of each host. */
    private static final int BESIDE_PORT = Agent.DEFAULT_PORT + 1;

    private static final Duration INSIDE_GRACE = Duration.ofMinutes(1);

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(names = "--hosts", paramLabel = "N", description = "Hosts in the rack (default: ${DEFAULT-VALUE}).")
    private int hosts = 4;

    @Option(
            names = "--loss",
            paramLabel = "PERCENT",
            description = "Packets that the switch drops at random (default: ${DEFAULT-VALUE}).")
    private double lossPercent;

    @Option(
            names = "--queue-kb",
            paramLabel = "KB",
            description = "What each of the eight queues of a switch port holds (default: ${DEFAULT-VALUE}).")
    private int queueKb = 128;

    @Option(
            names = "--uplink-kb",
            paramLabel = "KB",
            description = "What the queue of a host's uplink holds (default: ${DEFAULT-VALUE}).")
    private int uplinkKb = 1024;

    @Option(
            names = "--uplink",
            paramLabel = "KIND",
            description =
                    "Queue of a host's uplink: fifo (as network cards; default) or prio (eight priorities there too).")
    private String uplink = "fifo";

    @Option(
            names = "--cc",
            paramLabel = "NAME",
            split = ",",
            description = "Congestion control of TCP; several to be tried in turn (default: cubic,bbr).")
    private List<String> congestionControls = List.of("cubic", "bbr");

    @Option(
            names = "--beside",
            paramLabel = "T",
            description =
                    "A transport that makes as much load on the same links at the same time, a TCP with the first of --cc;"
                            + " both are measured. --load is that of each.")
    @Nullable
    private String beside;

    @Option(
            names = "--prefix",
            paramLabel = "NAME",
            description = "Of the namespaces' names; labs with different ones can run at the same time"
                    + " (default: ${DEFAULT-VALUE}).")
    private String prefix = "homalab";

    @Option(names = "--inside", hidden = true, description = "Drive the experiment; the rack is there.")
    private boolean isInside;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private LabOptions options;

    @Override
    public Integer call() throws Exception {
        options.check();
        check(hosts >= 2 && hosts <= Rack.MAX_HOSTS, "--hosts " + hosts, "name 2 to " + Rack.MAX_HOSTS);
        check(lossPercent >= 0 && lossPercent < 100, "--loss " + lossPercent, "name a percentage");
        check(
                options.mbps >= 1 && options.mbps == Math.rint(options.mbps),
                "--rate " + options.mbps,
                "name whole Mbit/s");
        check(queueKb >= 4 && queueKb <= 1 << 20, "--queue-kb " + queueKb, "name 4 to 1048576");
        check(uplinkKb >= 4 && uplinkKb <= 1 << 20, "--uplink-kb " + uplinkKb, "name 4 to 1048576");
        for (String name : congestionControls) {
            check(name.matches("[a-z0-9_]+"), "--cc " + name, "see net.ipv4.tcp_available_congestion_control");
        }
        if (beside != null) {
            LabTransport.of(beside);
        }
        check(uplink.equals("fifo") || uplink.equals("prio"), "--uplink " + uplink, "use fifo or prio");
        check(prefix.matches("[a-z][a-z0-9]{1,9}"), "--prefix " + prefix, "use up to ten small letters and digits");
        String obstacle = Rack.obstacle();
        if (obstacle != null) {
            throw new CliException(
                    "cannot build a rack: " + obstacle, "'homa bench' compares Homa and TCP on this machine without");
        }
        Rack.Shape shape =
                new Rack.Shape(prefix, hosts, (long) options.mbps, options.mtu, queueKb, uplinkKb, uplink, lossPercent);
        Rack rack = new Rack(shape, congestionControls);
        return isInside
                ? ChildProcess.runWithParent(
                        line -> {}, rack::down, () -> StopSignal.during(INSIDE_GRACE, stop -> drive(rack, stop)))
                : StopSignal.during(GRACE, stop -> build(rack, stop));
    }

    private static void check(boolean isRight, String what, String remedy) {
        if (!isRight) {
            throw CliException.usage(what + " makes no sense", remedy);
        }
    }

    private int build(Rack rack, StopSignal stop) throws IOException, InterruptedException {
        List<ChildProcess> agents = new ArrayList<>();
        try (Closeable _ = rack.reserve()) {
            return run(rack, agents, stop);
        } catch (CliException e) {
            if (stop.isRaised()) {
                // Whatever was just at work may have got the signal as well.
                spec.commandLine().getErr().println("interrupted before the first run");
                return Homa.FAILURE;
            }
            throw e;
        }
    }

    private int run(Rack rack, List<ChildProcess> agents, StopSignal stop) throws InterruptedException {
        try {
            rack.up();
            for (int host = 1; host <= hosts; host++) {
                String address = options.ipv6 ? Rack.ipv6(host) : Rack.ipv4(host);
                for (int port = Agent.DEFAULT_PORT;
                        port <= (beside == null ? Agent.DEFAULT_PORT : BESIDE_PORT);
                        port++) {
                    agents.add(ChildProcess.start(
                            "host " + host,
                            homaIn(rack.hostNamespace(host)),
                            List.of("agent", "--with-parent", "--bind", address, "--port", String.valueOf(port))));
                }
            }
            for (ChildProcess agent : agents) {
                agent.expectLine(START_TIMEOUT);
            }
            if (stop.isRaised()) {
                throw new CliException("interrupted", "run it again");
            }
            return runInside(rack, stop);
        } finally {
            agents.forEach(ChildProcess::close);
            rack.down();
        }
    }

    /** The words that start the homa command in a namespace. */
    private static List<String> homaIn(String namespace) {
        List<String> words = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
        words.addAll(ChildProcess.javaCommand());
        return words;
    }

    /** The same command within the switch, on this terminal. */
    private int runInside(Rack rack, StopSignal stop) throws InterruptedException {
        List<String> words = homaIn(rack.switchNamespace());
        // All words of this process, the command's name the first of them.
        words.addAll(spec.commandLine().getParseResult().originalArgs());
        words.add("--inside");
        Process inside;
        try {
            inside = new ProcessBuilder(words)
                    .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        } catch (IOException e) {
            throw new CliException("cannot start ip netns exec (" + e.getMessage() + ")", "install iproute2", e);
        }
        while (!inside.waitFor(100, TimeUnit.MILLISECONDS)) {
            if (stop.isRaised()) {
                // From a terminal it has the signal already; a second one changes nothing. Its input, which ends with
                // this
                // process, must stay open.
                inside.toHandle().destroy();
                if (!inside.waitFor(INSIDE_GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
                    inside.destroyForcibly();
                }
            }
        }
        return inside.exitValue();
    }

    private int drive(Rack rack, StopSignal stop) {
        try (Cluster cluster = cluster(Agent.DEFAULT_PORT)) {
            if (beside == null) {
                return new LabCampaign(options, rack, null, spec.commandLine()).run(cluster, stop);
            }
            try (Cluster others = cluster(BESIDE_PORT)) {
                LabTransport transport = LabTransport.of(beside);
                LabCampaign.Beside load = new LabCampaign.Beside(
                        others, transport, transport.isHoma() ? "" : congestionControls.getFirst());
                return new LabCampaign(options, rack, load, spec.commandLine()).run(cluster, stop);
            }
        }
    }

    private Cluster cluster(int port) {
        List<HomaAddress> addresses = new ArrayList<>();
        List<String> targets = new ArrayList<>();
        for (int host = 1; host <= hosts; host++) {
            addresses.add(HomaAddress.of(Rack.ipv4(host), port, Family.IPV4));
            targets.add(options.ipv6 ? "[" + Rack.ipv6(host) + "]" : Rack.ipv4(host));
        }
        return new Cluster(addresses, targets);
    }
}
