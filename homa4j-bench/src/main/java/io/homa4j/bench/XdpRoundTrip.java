package io.homa4j.bench;

import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaServer;
import io.homa4j.Reply;
import io.homa4j.Request;
import io.homa4j.driver.Datapath;
import io.homa4j.driver.XdpOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.HdrHistogram.Histogram;

/**
 * The round trip of a 100-byte RPC between two network namespaces, over datapath xdp and by system calls, in turn: one thread
 * at either end, which polls and never yields, so that the ratio holds on a busy machine too. {@code scripts/xdp-netns.sh bench} makes the namespaces and starts it:
 *
 * <pre>XdpRoundTrip CLIENT_INTERFACE SERVER_ADDRESS SERVER_INTERFACE ROUNDS CALLS SERVER_COMMAND...</pre>
 *
 * The server command is to end in {@code XdpRoundTrip server}, run in the other namespace.
 */
public final class XdpRoundTrip {
    private static final int BYTES = 100;
    private static final int PORT = 4700;
    private static final int FIRST_ARGUMENTS = 5;
    private static final String DONE = "done";

    private XdpRoundTrip() {}

    /** See the class. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length > 0 && arguments[0].equals("server")) {
            serve();
        } else if (arguments.length > FIRST_ARGUMENTS) {
            measure(arguments);
        } else {
            System.err.println("XdpRoundTrip: see scripts/xdp-netns.sh");
        }
    }

    private static Homa open(String link) {
        Homa.Builder builder = Homa.builder().invoker().shortCompletions();
        return (link.isEmpty()
                        ? builder.datapath(Datapath.SYSCALLS)
                        : builder.datapath(Datapath.XDP).xdp(XdpOptions.parse(link)))
                .open();
    }

    /** Reads interfaces, empty for system calls, and serves over each until the next line comes. */
    private static void serve() throws IOException {
        PrintStream out = System.out;
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null && !line.equals(DONE); ) {
            try (Homa homa = open(line);
                    HomaServer server = homa.server(PORT).shortHandler().open(XdpRoundTrip::answer)) {
                out.println("ready " + homa.datapath());
                for (int turn = 1; turn % 4096 != 0 || !in.ready(); turn++) {
                    homa.doWork();
                }
                line = in.readLine();
                server.closeNow();
            }
        }
    }

    private static void answer(Request request) {
        request.reply(request.segment());
    }

    private static void measure(String[] arguments) throws IOException, InterruptedException {
        int rounds = Integer.parseInt(arguments[3]);
        int calls = Integer.parseInt(arguments[4]);
        List<String> command = Arrays.asList(arguments).subList(FIRST_ARGUMENTS, arguments.length);
        Process server = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        HomaAddress to = HomaAddress.parse(arguments[1] + ":" + PORT);
        List<double[]> ratios = new ArrayList<>();
        try (BufferedReader from = server.inputReader(StandardCharsets.UTF_8);
                PrintStream toServer = new PrintStream(server.getOutputStream(), true, StandardCharsets.UTF_8)) {
            for (int round = 0; round <= rounds; round++) {
                Histogram syscalls = round(from, toServer, "", "", to, calls);
                Histogram xdp = round(from, toServer, arguments[0], arguments[2], to, calls);
                if (round > 0) {
                    ratios.add(new double[] {ratio(xdp, syscalls, 10), ratio(xdp, syscalls, 50)});
                    System.out.println("round " + round + ": syscalls " + text(syscalls) + "; xdp " + text(xdp));
                }
            }
            toServer.println(DONE);
        }
        server.waitFor();
        System.out.printf(
                Locale.ROOT,
                "xdp : syscalls, median of %d rounds: %.3f at the 10th percentile, %.3f at the median%n",
                rounds,
                median(ratios, 0),
                median(ratios, 1));
    }

    private static Histogram round(
            BufferedReader from, PrintStream toServer, String ownLink, String link, HomaAddress to, int calls)
            throws IOException {
        toServer.println(link);
        String ready = from.readLine();
        if (ready == null || !ready.startsWith("ready")) {
            throw new IOException("the server says: " + ready);
        }
        Histogram histogram = new Histogram(3);
        byte[] request = new byte[BYTES];
        try (Homa homa = open(ownLink)) {
            for (int i = -calls / 4; i < calls; i++) {
                long startNs = System.nanoTime();
                CompletableFuture<Reply> call = homa.callAsync(to, request);
                while (!call.isDone()) {
                    homa.doWork();
                }
                try (Reply reply = call.join()) {
                    if (i >= 0) {
                        histogram.recordValue(System.nanoTime() - startNs);
                    }
                    if (reply.length() != BYTES) {
                        throw new IOException("a reply has " + reply.length() + " bytes");
                    }
                }
            }
        }
        return histogram;
    }

    private static double ratio(Histogram a, Histogram b, double percentile) {
        return (double) a.getValueAtPercentile(percentile) / b.getValueAtPercentile(percentile);
    }

    private static double median(List<double[]> ratios, int which) {
        double[] sorted =
                ratios.stream().mapToDouble(each -> each[which]).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    private static String text(Histogram histogram) {
        return String.format(
                Locale.ROOT,
                "p10 %.2f p50 %.2f p90 %.2f us",
                histogram.getValueAtPercentile(10) / 1e3,
                histogram.getValueAtPercentile(50) / 1e3,
                histogram.getValueAtPercentile(90) / 1e3);
    }
}
