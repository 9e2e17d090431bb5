package io.homa4j.cli;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A rack out of network namespaces ({@code rack.sh}): hosts with one link each to a switch whose ports have a rate and eight
 * strict priority queues. The controller sits in the switch and has an address there.
 */
final class Rack implements LabNetwork {
    static final int MAX_HOSTS = 64;
    static final int LEVELS = 8;

    /** Where the queues of the switch's ports have handles 20: to 27:, by priority. */
    private static final Pattern LEVEL_QUEUE = Pattern.compile("qdisc bfifo 2([0-7]): ");

    private static final Pattern SENT = Pattern.compile(" Sent (\\d+) bytes .*\\(dropped (\\d+),");
    private static final Pattern BACKLOG = Pattern.compile(" backlog (\\d+[KM]?b) ");

    /** The controller's address; the hosts are 1 to {@value #MAX_HOSTS} of the same network. */
    private static final String CONTROLLER = "10.78.0.254";

    /**
     * What it is like.
     *
     * @param queueKb what a priority queue of a port holds
     * @param uplinkKb what a host's uplink queue holds
     * @param uplink fifo, prio or none: the queues of the hosts' uplinks
     * @param lossPercent packets that the switch drops at random
     */
    record Shape(
            String prefix,
            int hosts,
            long mbps,
            int mtu,
            int queueKb,
            int uplinkKb,
            String uplink,
            double lossPercent) {
        private Map<String, String> environment() {
            Map<String, String> environment = new LinkedHashMap<>();
            environment.put("P", prefix);
            environment.put("MTU", String.valueOf(mtu));
            environment.put("BUF_KB", String.valueOf(queueKb));
            environment.put("UPBUF_KB", String.valueOf(uplinkKb));
            environment.put("UPLINK", uplink);
            environment.put("LOSS", lossPercent == 0 ? "0" : String.valueOf(lossPercent));
            return environment;
        }
    }

    private final Shape shape;
    private final List<String> congestionControls;
    private final String script;

    /** @param congestionControls to be tried for TCP */
    Rack(Shape shape, List<String> congestionControls) {
        this.shape = shape;
        this.congestionControls = congestionControls;
        try (InputStream in = Rack.class.getResourceAsStream("rack.sh")) {
            if (in == null) {
                throw new IllegalStateException("rack.sh is missing beside " + Rack.class);
            }
            script = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What is missing here to build one, as the rest of a sentence; null if nothing is. */
    static @Nullable String obstacle() {
        if (!"root".equals(System.getProperty("user.name"))) {
            return "making network namespaces needs root";
        }
        for (String tool : List.of("ip", "tc", "ethtool", "bash")) {
            boolean isThere = Stream.of("/usr/sbin", "/sbin", "/usr/bin", "/bin")
                    .anyMatch(folder -> Files.isExecutable(Path.of(folder, tool)));
            if (!isThere) {
                return "the program " + tool + " is missing (install iproute2, ethtool and bash)";
            }
        }
        return null;
    }

    /**
     * Sees to it that nobody else builds one of this prefix, until what is returned is closed or this process has ended, however.
     *
     * @throws CliException if somebody else has done so
     */
    Closeable reserve() {
        Path file = Path.of("/run", shape.prefix + ".lock");
        try {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (channel.tryLock() != null) {
                return channel;
            }
            channel.close();
        } catch (IOException e) {
            throw new CliException("cannot use the file " + file + " (" + e.getMessage() + ")", "make it writable", e);
        }
        throw new CliException(
                "a lab whose namespaces begin with '" + shape.prefix + "' is running",
                "wait for its end, or name another --prefix");
    }

    /** Builds it; one of the same prefix is removed first. */
    void up() {
        script("up", String.valueOf(shape.hosts), String.valueOf(shape.mbps));
        run("ip", "-n", switchNamespace(), "addr", "add", CONTROLLER + "/24", "dev", "br0");
    }

    void down() {
        script("down");
    }

    String switchNamespace() {
        return shape.prefix + "-sw";
    }

    /** @param host from 1 */
    String hostNamespace(int host) {
        return shape.prefix + "-h" + host;
    }

    static String ipv4(int host) {
        return "10.78.0." + host;
    }

    static String ipv6(int host) {
        return "fd78::" + host;
    }

    // ---- as the network of an experiment

    @Override
    public List<String> congestionControls() {
        return congestionControls;
    }

    @Override
    public Map<String, Object> config() {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("queue_kb", shape.queueKb);
        config.put("uplink_kb", shape.uplinkKb);
        config.put("uplink", shape.uplink);
        config.put("loss_percent", shape.lossPercent);
        return config;
    }

    /** Queues and their counters are made anew, and the hosts' routes say which congestion control TCP has. */
    @Override
    public void prepare(LabTransport transport, String congestionControl) {
        script("reset");
        if (congestionControl.isEmpty()) {
            return;
        }
        for (int host = 1; host <= shape.hosts; host++) {
            String[] ipv4 = {
                "route",
                "replace",
                "10.78.0.0/24",
                "dev",
                "eth0",
                "proto",
                "kernel",
                "scope",
                "link",
                "src",
                ipv4(host),
                "congctl",
                congestionControl
            };
            String[] ipv6 = {
                "-6",
                "route",
                "replace",
                "fd78::/64",
                "dev",
                "eth0",
                "proto",
                "kernel",
                "metric",
                "256",
                "congctl",
                congestionControl
            };
            for (String[] route : new String[][] {ipv4, ipv6}) {
                List<String> words = new ArrayList<>(List.of("ip", "-n", hostNamespace(host)));
                words.addAll(List.of(route));
                run(words.toArray(String[]::new));
            }
        }
    }

    @Override
    public Sample sample() {
        Long[] bytes = new Long[LEVELS];
        Long[] dropped = new Long[LEVELS];
        Long[] queued = new Long[LEVELS];
        Arrays.fill(bytes, 0L);
        Arrays.fill(dropped, 0L);
        Arrays.fill(queued, 0L);
        int level = -1;
        for (String line : run("tc", "-n", switchNamespace(), "-s", "qdisc", "show")) {
            Matcher queue = LEVEL_QUEUE.matcher(line);
            Matcher sent = SENT.matcher(line);
            Matcher backlog = BACKLOG.matcher(line);
            if (line.startsWith("qdisc ")) {
                level = queue.lookingAt() ? Integer.parseInt(queue.group(1)) : -1;
            } else if (level >= 0 && sent.lookingAt()) {
                bytes[level] += Long.parseLong(sent.group(1));
                dropped[level] += Long.parseLong(sent.group(2));
            } else if (level >= 0 && backlog.lookingAt()) {
                queued[level] += backlogBytes(backlog.group(1));
            }
        }
        return new Sample(System.nanoTime(), List.of(bytes), List.of(dropped), List.of(queued));
    }

    /** As tc writes it: 1514b, 128Kb, 3Mb. */
    private static long backlogBytes(String text) {
        long number = Long.parseLong(text.replaceAll("\\D", ""));
        return text.endsWith("Kb") ? number << 10 : text.endsWith("Mb") ? number << 20 : number;
    }

    @Override
    public Use use() {
        long uplinkBytes = 0;
        long uplinkDropped = 0;
        for (int host = 1; host <= shape.hosts; host++) {
            // The first is the one of the whole link.
            Optional<Matcher> sent = run("tc", "-n", hostNamespace(host), "-s", "qdisc", "show", "dev", "eth0").stream()
                    .map(SENT::matcher)
                    .filter(Matcher::lookingAt)
                    .findFirst();
            if (sent.isPresent()) {
                uplinkBytes += Long.parseLong(sent.get().group(1));
                uplinkDropped += Long.parseLong(sent.get().group(2));
            }
        }
        Sample ports = sample();
        return new Use(ports.sentBytes(), ports.dropped(), uplinkBytes, uplinkDropped);
    }

    private void script(String... words) {
        List<String> command = new ArrayList<>(List.of("bash", "-s", "--"));
        command.addAll(List.of(words));
        run(command, script, shape.environment());
    }

    private static List<String> run(String... words) {
        return run(List.of(words), "", Map.of());
    }

    private static List<String> run(List<String> words, String input, Map<String, String> environment) {
        ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
        builder.environment().putAll(environment);
        try {
            Process process = builder.start();
            try (OutputStream in = process.getOutputStream()) {
                in.write(input.getBytes(StandardCharsets.UTF_8));
            }
            List<String> lines;
            try (BufferedReader in =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                lines = in.lines().toList();
            }
            int code = process.waitFor();
            if (code != 0) {
                throw new CliException(
                        String.join(" ", words) + " failed with code " + code
                                + (lines.isEmpty() ? "" : " (" + String.join(" / ", lines) + ")"),
                        "check that the kernel has veth, bridge, HTB and TBF, and that nothing else uses these namespaces");
            }
            return lines;
        } catch (IOException e) {
            throw new CliException("cannot start " + words.getFirst() + " (" + e.getMessage() + ")", "install it", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted", "run it again", e);
        }
    }
}
