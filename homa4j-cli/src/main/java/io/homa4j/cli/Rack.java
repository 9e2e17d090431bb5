package io.homa4j.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A rack out of network namespaces ({@code rack.sh}): hosts with one link each to a switch whose ports have a rate and eight
 * strict priority queues. The controller sits in the switch and has an address there.
 */
final class Rack implements LabNetwork {
    static final int MAX_HOSTS = 64;
    static final int LEVELS = 8;

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
            environment.put("LOSS", Amount.digits(lossPercent));
            return environment;
        }
    }

    private final Shape shape;
    private final List<String> congestionControls;
    private final Path script;

    /** @param congestionControls to be tried for TCP */
    Rack(Shape shape, List<String> congestionControls) {
        this.shape = shape;
        this.congestionControls = congestionControls;
        try (InputStream in = Rack.class.getResourceAsStream("rack.sh")) {
            if (in == null) {
                throw new IllegalStateException("rack.sh is missing beside " + Rack.class);
            }
            script = Files.createTempFile("homa-rack", ".sh");
            script.toFile().deleteOnExit();
            Files.copy(in, script, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new CliException(
                    "cannot write a script to the temporary folder (" + e.getMessage() + ")", "make room", e);
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

    /** Builds it; one of the same prefix is removed first. */
    void up() {
        script("up", String.valueOf(shape.hosts), String.valueOf(shape.mbps));
        run(List.of("ip", "-n", switchNamespace(), "addr", "add", CONTROLLER + "/24", "dev", "br0"), Map.of());
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
                run(words, Map.of());
            }
        }
    }

    @Override
    public Use use() {
        Long[] bytes = new Long[LEVELS];
        Long[] dropped = new Long[LEVELS];
        Arrays.fill(bytes, 0L);
        Arrays.fill(dropped, 0L);
        long uplinkBytes = 0;
        long uplinkDropped = 0;
        for (String line : script("stats")) {
            // port prio sent_pkts sent_bytes dropped backlog_B
            String[] words = line.strip().split("\\s+", -1);
            if (words.length < 5) {
                continue;
            }
            if (words[1].equals("up")) {
                uplinkBytes += Long.parseLong(words[3]);
                uplinkDropped += Long.parseLong(words[4]);
            } else if (words[1].matches("[0-7]")) {
                int level = Integer.parseInt(words[1]);
                bytes[level] += Long.parseLong(words[3]);
                dropped[level] += Long.parseLong(words[4]);
            }
        }
        return new Use(List.of(bytes), List.of(dropped), uplinkBytes, uplinkDropped);
    }

    private List<String> script(String... words) {
        List<String> command = new ArrayList<>(List.of("bash", script.toString()));
        command.addAll(List.of(words));
        return run(command, shape.environment());
    }

    private static List<String> run(List<String> words, Map<String, String> environment) {
        ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
        builder.environment().putAll(environment);
        try {
            Process process = builder.start();
            process.getOutputStream().close();
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
