package io.homa4j.cli;

import io.homa4j.Family;
import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The two processes of {@code homa bench}. Both talk to their parent in lines:
 *
 * <pre>
 * server:  ready HOMA_PORT TCP_PORT
 * client:  warmed TRANSPORT MEASUREMENT SECONDS RPCS_PER_S
 *          result TRANSPORT MEASUREMENT RPCS ERRORS RPCS_PER_S GBIT_PER_S P50_US P99_US P999_US
 * </pre>
 */
@Command(name = "bench-peer", hidden = true, description = "A process of homa bench.", mixinStandardHelpOptions = true)
final class BenchPeer implements Runnable {
    private static final double WARM_UP_SLICE_SECONDS = 0.4;
    private static final double STEADY = 0.1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "missing command");
    }

    @Command(name = "server", mixinStandardHelpOptions = true)
    int server(@Mixin EngineOptions engine) throws Exception {
        return ChildProcess.runWithParent(() -> serve(engine));
    }

    private int serve(EngineOptions engine) throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        InetAddress local = InetAddress.getByName(engine.loopback());
        int pollUsecs = pollUsecs(engine);
        try (Responder responder = new Responder(Replies.HEADER);
                Homa homa = EngineOptions.open(engine.builder().bind(local));
                HomaServer server = homa.server(0).shortHandler().open(responder);
                TcpServer tcp = new TcpServer(local, pollUsecs * 1000L)) {
            out.println("ready " + server.port() + " " + tcp.port());
            out.flush();
            // Until the parent is gone.
            server.awaitClosed();
        }
        return 0;
    }

    @Command(name = "client", mixinStandardHelpOptions = true)
    int client(
            @Mixin EngineOptions engine,
            @Option(names = "--seconds", required = true) double seconds,
            @Option(names = "--rounds", required = true) int rounds,
            @Option(names = "--warmup", required = true) double warmUpSeconds,
            @Option(names = "--homa-port", required = true) int homaPort,
            @Option(names = "--tcp-port", required = true) int tcpPort)
            throws Exception {
        Rivals rivals = new Rivals(engine, homaPort, tcpPort);
        return ChildProcess.runWithParent(() -> {
            for (BenchMeasurement measurement : BenchMeasurement.values()) {
                for (String name : BenchMeasurement.TRANSPORTS) {
                    warmUp(rivals, name, measurement, warmUpSeconds);
                }
                for (int round = 0; round < rounds; round++) {
                    for (String name : BenchMeasurement.TRANSPORTS) {
                        say(result(name, measurement, rivals.run(name, measurement, seconds / rounds)));
                    }
                }
            }
            return 0;
        });
    }

    /** Until the last three rates differ by less than a tenth, or the time is over: then the JIT compiler has done its work. */
    private void warmUp(Rivals rivals, String name, BenchMeasurement measurement, double atMostSeconds) {
        double[] rates = new double[3];
        double seconds = 0;
        for (int i = 0; seconds < atMostSeconds; i++) {
            double slice = Math.min(WARM_UP_SLICE_SECONDS, atMostSeconds);
            rates[i % rates.length] = rivals.run(name, measurement, slice).rpcsPerSecond();
            seconds += slice;
            double least = Arrays.stream(rates).min().orElse(0);
            double most = Arrays.stream(rates).max().orElse(0);
            if (most - least < STEADY * most) {
                break;
            }
        }
        double last = Arrays.stream(rates).max().orElse(0);
        say(String.format(Locale.ROOT, "warmed %s %s %.1f %.0f", name, measurement, seconds, last));
    }

    /** Both transports to the server process. */
    private record Rivals(EngineOptions engine, int homaPort, int tcpPort) {
        LoadResult run(String name, BenchMeasurement measurement, double seconds) {
            LoadPlan plan = measurement.plan(seconds, pollUsecs(engine) * 1000L);
            try (LoadTransport transport = name.equals("tcp-nio")
                    ? new TcpTransport(new InetSocketAddress(engine.loopback(), tcpPort), measurement.outstanding)
                    : new HomaTransport(
                            EngineOptions.open(engine.builder().invoker()),
                            HomaAddress.of(engine.loopback(), homaPort, Family.ANY))) {
                return new LoadGenerator(plan, () -> false, BenchPeer::noProgress).run(transport);
            }
        }
    }

    private static void noProgress(
            boolean isWarmUp,
            long elapsedNs,
            double answersPerSecond,
            long bytesPerSecond,
            long outstanding,
            long failed) {
        // A round is shorter than a line is worth.
    }

    private static int pollUsecs(EngineOptions engine) {
        return engine.pollUsecs == null ? BenchCommand.DEFAULT_POLL_USECS : engine.pollUsecs;
    }

    private static String result(String name, BenchMeasurement measurement, LoadResult result) {
        return String.format(
                Locale.ROOT,
                "result %s %s %d %d %.3f %.6f %.3f %.3f %.3f",
                name,
                measurement,
                result.rpcs(),
                result.failed + result.unfinished() + result.mismatches + result.wrongLengths,
                result.rpcsPerSecond(),
                result.requestGbitPerSecond(),
                result.rttUs(50),
                result.rttUs(99),
                result.rttUs(99.9));
    }

    private void say(String line) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(line);
        out.flush();
    }
}
