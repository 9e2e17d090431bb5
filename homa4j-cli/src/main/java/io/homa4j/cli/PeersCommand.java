package io.homa4j.cli;

import io.homa4j.cli.PeersCase.Link;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code homa bench peers}: Homa beside what somebody would take instead, and beside the floor that the kernel sets. */
@Command(
        name = "peers",
        description = "Compares Homa over each transport with the UDP floor, TCP, Netty, gRPC and Aeron.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
            "",
            "Each case has a server and a client process of its own, warmed up until its rate is steady. Then all",
            "cases are measured in turn, round by round; shown are medians of the rounds, their range, and",
            "medians of the ratios of rounds that followed each other. Only cases that share link, waiting and",
            "pinning are compared. A contender that cannot run here is left out, with the reason.",
            "",
            "Cases over a veth pair need root and iproute2; the floor in C needs a C compiler (cc)."
        })
final class PeersCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description = "Length of each measurement of each case, all rounds together (default: ${DEFAULT-VALUE}).")
    private double seconds = 2.5;

    @Option(names = "--rounds", paramLabel = "N", description = "Rounds of each (default: ${DEFAULT-VALUE}).")
    private int rounds = 5;

    @Option(
            names = "--warmup",
            paramLabel = "S",
            description = "Longest warm-up of each, whether steady then or not (default: ${DEFAULT-VALUE}).")
    private double warmUpSeconds = 5;

    @Option(
            names = "--only",
            paramLabel = "NAME",
            split = ",",
            description = "Measure these contenders alone, for example homa-udp,tcp-nio.")
    private @Nullable List<String> only;

    @Option(
            names = "--load",
            paramLabel = "LOAD",
            split = ",",
            description = "Measure these loads alone: ${COMPLETION-CANDIDATES}.")
    private @Nullable List<PeersLoad> loads;

    @Option(names = "--no-veth", description = "Leave out the cases over a veth pair.")
    private boolean noVeth;

    @Option(
            names = "--pin",
            description =
                    "Bind all clients to processor 0 and all servers to processor 1 (taskset); default: no pinning.")
    private boolean pin;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the results to FILE; - for standard output.")
    private @Nullable String json;

    @Option(names = "--report", paramLabel = "DIR", description = "Write a report (HTML, text, JSON) into folder DIR.")
    private @Nullable Path report;

    @Override
    public Integer call() throws InterruptedException {
        Rounds.check(seconds, rounds, warmUpSeconds);
        Json.check(json);
        ReportFiles.checkFolder(report);
        List<PeersCase> cases = chosen();
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter progress = spec.commandLine().getErr();
        PeersResults results = new PeersResults();
        try (PeersRun run = new PeersRun(results, pin, seconds / rounds, warmUpSeconds, progress)) {
            run.measure(cases, loads == null ? List.of(PeersLoad.values()) : loads, rounds);
        }
        Map<String, Object> conditions = conditions(seconds, rounds);
        conditions.put("pinning", pin ? "client on processor 0, server on processor 1" : "none");
        PeersText text = new PeersText(results, conditions);
        text.print(Json.STANDARD_OUTPUT.equals(json) ? progress : out);
        if (json != null) {
            Json.write(json, out, PeersJson.of(results, conditions));
        }
        if (report != null) {
            StringWriter words = new StringWriter();
            text.print(new PrintWriter(words));
            progress.println("report in "
                    + PeersReport.write(
                            report,
                            "peers",
                            "Homa and its peers",
                            PeersRatio.all(results),
                            words.toString(),
                            PeersJson.of(results, conditions)));
        }
        return results.cases().isEmpty() ? Homa.FAILURE : 0;
    }

    private List<PeersCase> chosen() {
        List<PeersCase> cases = new ArrayList<>(PeersCase.all());
        if (only != null) {
            Set<String> known = new TreeSet<>();
            cases.forEach(each -> known.add(each.id()));
            cases.forEach(each -> known.add(each.name()));
            for (String name : only) {
                if (!known.contains(name)) {
                    throw CliException.usage(
                            "there is no contender '" + name + "'", "choose from " + String.join(", ", known));
                }
            }
            cases.removeIf(each -> !only.contains(each.id()) && !only.contains(each.name()));
        }
        cases.removeIf(each -> noVeth && each.link() == Link.VETH);
        return cases;
    }

    /** What the figures hold for. */
    static Map<String, Object> conditions(double seconds, int rounds) {
        Map<String, Object> conditions = new LinkedHashMap<>();
        conditions.put("seconds", seconds);
        conditions.put("rounds", rounds);
        conditions.put("processors", Runtime.getRuntime().availableProcessors());
        conditions.put("processor", processor());
        conditions.put("java", Runtime.version().toString());
        conditions.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        conditions.put("version", Version.project());
        return conditions;
    }

    /** What the processors of this machine call themselves. */
    static String processor() {
        try (var lines = java.nio.file.Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(System.getProperty("os.arch"));
        } catch (IOException e) {
            return String.format(Locale.ROOT, "%s (%s)", System.getProperty("os.arch"), e.getMessage());
        }
    }
}
