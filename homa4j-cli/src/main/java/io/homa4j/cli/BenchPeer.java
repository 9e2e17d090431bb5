package io.homa4j.cli;

import io.homa4j.Family;
import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
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
 * client:  begin TRANSPORT MEASUREMENT
 *          progress TRANSPORT MEASUREMENT warm-up|measuring SECONDS RPCS_PER_S BYTES_PER_S FAILED
 *          result TRANSPORT MEASUREMENT RPCS ERRORS RPCS_PER_S GBIT_PER_S P50_US P99_US P999_US
 * </pre>
 */
@Command(name = "bench-peer", hidden = true, description = "A process of homa bench.", mixinStandardHelpOptions = true)
final class BenchPeer implements Runnable {
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
                Homa homa = engine.builder().bind(local).open();
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
            @Option(names = "--homa-port", required = true) int homaPort,
            @Option(names = "--tcp-port", required = true) int tcpPort)
            throws Exception {
        return ChildProcess.runWithParent(() -> measure(engine, seconds, homaPort, tcpPort));
    }

    private int measure(EngineOptions engine, double seconds, int homaPort, int tcpPort) {
        long pollNs = pollUsecs(engine) * 1000L;
        for (BenchMeasurement measurement : BenchMeasurement.values()) {
            for (String name : BenchMeasurement.TRANSPORTS) {
                say("begin " + name + " " + measurement);
                LoadPlan plan = measurement.plan(seconds, pollNs);
                try (LoadTransport transport = name.equals("tcp-nio")
                        ? new TcpTransport(new InetSocketAddress(engine.loopback(), tcpPort), measurement.outstanding)
                        : new HomaTransport(
                                engine.builder().invoker().open(),
                                HomaAddress.of(engine.loopback(), homaPort, Family.ANY))) {
                    say(result(
                            name,
                            measurement,
                            new LoadGenerator(plan, () -> false, progress(name, measurement)).run(transport)));
                }
            }
        }
        return 0;
    }

    private static int pollUsecs(EngineOptions engine) {
        return engine.pollUsecs == null ? BenchCommand.DEFAULT_POLL_USECS : engine.pollUsecs;
    }

    private LoadGenerator.Progress progress(String name, BenchMeasurement measurement) {
        return (isWarmUp, elapsedNs, answersPerSecond, bytesPerSecond, outstanding, failed) -> say(String.format(
                Locale.ROOT,
                "progress %s %s %s %.1f %.0f %d %d",
                name,
                measurement,
                isWarmUp ? "warm-up" : "measuring",
                elapsedNs / 1e9,
                answersPerSecond,
                bytesPerSecond,
                failed));
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
