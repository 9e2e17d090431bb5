package io.homa4j.cli;

import io.homa4j.Family;
import io.homa4j.HomaAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code homa cluster}: an experiment on machines where {@code homa agent} runs. */
@Command(
        name = "cluster",
        description = "Compares Homa and TCP on real machines, each running 'homa agent'.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "All agents send requests to each other at random times (Poisson); a round trip counts from the time",
            "the request was due. Congestion control of TCP is what the machines have set."
        })
final class ClusterCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--agents",
            paramLabel = "HOST:PORT",
            required = true,
            split = ",",
            description = "The agents, separated by commas; port " + Agent.DEFAULT_PORT + " if none is named.")
    private List<String> agents = new ArrayList<>();

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private LabOptions options;

    @Override
    public Integer call() throws Exception {
        options.check();
        List<HomaAddress> addresses = new ArrayList<>();
        for (String agent : agents) {
            boolean hasPort = agent.matches(".*[^:]:\\d+|\\[.*]:\\d+");
            HomaAddress address = HomaAddress.parse(
                    hasPort ? agent : agent + ":" + Agent.DEFAULT_PORT, options.ipv6 ? Family.IPV6 : Family.ANY);
            if (addresses.contains(address)) {
                throw CliException.usage("--agents names " + address + " twice", "name each agent once");
            }
            addresses.add(address);
        }
        if (addresses.size() < 2) {
            throw CliException.usage("one agent has nobody to talk to", "name two or more");
        }
        return StopSignal.during(stop -> {
            try (Cluster cluster = new Cluster(addresses)) {
                return new LabCampaign(options, new LabNetwork.Given(), null, spec.commandLine()).run(cluster, stop);
            }
        });
    }
}
