package io.homa4j.cli;

import io.homa4j.sim.Workload;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What experiments on a rack made here and on real machines have in common. */
final class LabOptions {
    @Option(
            names = "--workload",
            paramLabel = "W",
            converter = WorkloadConverter.WithSizes.class,
            description = "Sizes of requests: w1, w2, w3, w4, w5, a number of bytes, or mix (70 %% of 100-1000 bytes,"
                    + " 25 %% of 10 kB, 5 %% of 500 kB; default).")
    Workload workload = Workload.mix();

    @Option(
            names = "--response",
            paramLabel = "BYTES",
            description = "Size of responses; 0 = as long as their requests (default).")
    int responseBytes;

    @Option(
            names = "--load",
            paramLabel = "L",
            split = ",",
            description = "Part of each link to fill with requests and responses; several to be tried in turn"
                    + " (default: 0.75).")
    List<Double> loads = List.of(0.75);

    @Option(
            names = "--rate",
            paramLabel = "MBIT",
            description = "Rate of the hosts' links in Mbit/s, of which --load is a part (default: ${DEFAULT-VALUE}).")
    double mbps = 100;

    @Option(
            names = "--mtu",
            paramLabel = "BYTES",
            description = "Largest IP packet on the links (default: ${DEFAULT-VALUE}).")
    int mtu = 1500;

    @Option(names = "--seconds", paramLabel = "S", description = "Length of a measurement (default: ${DEFAULT-VALUE}).")
    double seconds = 30;

    @Option(names = "--warmup", paramLabel = "S", description = "Load before it (default: ${DEFAULT-VALUE}).")
    double warmUpSeconds = 5;

    @Option(
            names = "--first-warmup",
            paramLabel = "S",
            description =
                    "The same before the first run of each kind, for whose code is new to the hosts and being compiled"
                            + " (default: ${DEFAULT-VALUE}, or --warmup if that is longer).")
    double firstWarmUpSeconds = 15;

    @Option(
            names = "--repeat",
            paramLabel = "N",
            description = "How often everything is measured, in turn (default: ${DEFAULT-VALUE}).")
    int repeats = 3;

    @Option(
            names = "--transports",
            paramLabel = "T",
            split = ",",
            description =
                    "Of homa-udp, homa-ip, tcp-1, tcp-4 (connections per pair of hosts), tcp-prio (short messages in a"
                            + " connection of their own with the highest priority); default: all that need no privilege.")
    List<String> transports = List.of("homa-udp", "tcp-1", "tcp-4", "tcp-prio");

    @Option(
            names = "--priorities",
            paramLabel = "N",
            split = ",",
            description = "Priorities that Homa uses, 1 to 8; several to be tried in turn (default: 8).")
    List<Integer> priorities = List.of(8);

    @Option(
            names = "--unloaded",
            paramLabel = "S",
            description =
                    "How long one host sends one message at a time before the first run of each kind, for the times"
                            + " without load; 0 = not at all (default: ${DEFAULT-VALUE}).")
    double unloadedSeconds = 3;

    @Option(names = "--ipv6", description = "Use IPv6.")
    boolean ipv6;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Of sizes, targets and times (default: ${DEFAULT-VALUE}).")
    long seed = 1;

    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE",
            description = "Set a parameter of Homa's engine, by the kernel module's name; may be repeated.")
    Map<String, String> parameters = new LinkedHashMap<>();

    @Option(names = "--json", paramLabel = "FILE", description = "Write the results to FILE; - for standard output.")
    @Nullable
    String json;

    @Option(
            names = "--report",
            paramLabel = "DIR",
            description = "Write a report with pictures to this folder: index.html, and the same as SVG, CSV and JSON.")
    @Nullable
    Path report;

    void check() {
        check(mbps > 0 && mbps <= 1e6, "--rate " + mbps, "name a rate in Mbit/s");
        check(mtu >= 576 && mtu <= 9000, "--mtu " + mtu, "name 576 to 9000");
        check(seconds >= 0.5 && seconds <= 86_400, "--seconds " + seconds, "name 0.5 to 86400");
        check(warmUpSeconds >= 0 && warmUpSeconds <= 3600, "--warmup " + warmUpSeconds, "name 0 to 3600");
        check(
                firstWarmUpSeconds >= 0 && firstWarmUpSeconds <= 3600,
                "--first-warmup " + firstWarmUpSeconds,
                "name 0 to 3600");
        check(unloadedSeconds >= 0 && unloadedSeconds <= 3600, "--unloaded " + unloadedSeconds, "name 0 to 3600");
        check(repeats >= 1 && repeats <= 1000, "--repeat " + repeats, "name 1 to 1000");
        check(
                responseBytes >= 0 && responseBytes <= 1_000_000,
                "--response " + responseBytes,
                "name 1 to 1000000, or 0 for responses as long as their requests");
        for (double load : loads) {
            check(load > 0 && load <= 1.5, "--load " + load, "name a part of the link, as 0.75");
        }
        for (int count : priorities) {
            check(count >= 1 && count <= 8, "--priorities " + count, "name 1 to 8");
        }
        transports.forEach(LabTransport::of);
        Json.check(json);
        ReportFiles.checkFolder(report);
    }

    private static void check(boolean isRight, String what, String remedy) {
        if (!isRight) {
            throw CliException.usage(what + " makes no sense", remedy);
        }
    }

    LabLinks links() {
        return new LabLinks(mbps, mtu, ipv6);
    }

    /** One message at a time, without any other load. */
    LabLoad unloaded(LabTransport transport, int priorityCount) {
        return load(transport, priorityCount, 0, unloadedSeconds / 4, unloadedSeconds);
    }

    /** The load of one run, the first of its kind if {@code repeat} is 1. */
    LabLoad load(LabTransport transport, int priorityCount, double load, int repeat) {
        LabLoad unpaced = load(transport, priorityCount, repeat, warmUpSeconds(repeat), seconds);
        return unpaced.withRate(links().requestsPerSecond(load, unpaced));
    }

    private double warmUpSeconds(int repeat) {
        return repeat == 1 ? Math.max(firstWarmUpSeconds, warmUpSeconds) : warmUpSeconds;
    }

    /** How long the runs of so many cases take about. */
    double totalSeconds(int cases) {
        double total = 0;
        for (int repeat = 1; repeat <= repeats; repeat++) {
            total += cases * (warmUpSeconds(repeat) + seconds + 1);
        }
        return total;
    }

    private LabLoad load(LabTransport transport, int priorityCount, int repeat, double warmUp, double measured) {
        Map<String, String> own = new LinkedHashMap<>(parameters);
        if (transport.isHoma()) {
            own.putIfAbsent("num_priorities", String.valueOf(priorityCount));
        }
        return new LabLoad(
                transport,
                ipv6,
                workload,
                responseBytes,
                0,
                (long) (warmUp * 1e9),
                (long) (measured * 1e9),
                seed + repeat,
                transport.isHoma() ? own : Map.of());
    }
}
