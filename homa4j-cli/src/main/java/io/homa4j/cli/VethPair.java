package io.homa4j.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Two network namespaces joined by a pair of virtual interfaces, to measure on a link that is not loopback. Needs root and
 * iproute2. The names carry this process's number, so that what a killed run left behind is found and removed by the next.
 */
final class VethPair implements AutoCloseable {
    static final String SERVER = "10.213.17.1";
    static final String CLIENT = "10.213.17.2";

    private static final int BURST_BYTES = 65_536;
    private static final int QUEUE_BYTES = 2_000_000;

    private static final Pattern LEFT_BEHIND = Pattern.compile("homa-bench-(\\d+)-[sc]");

    private final String serverSpace;
    private final String clientSpace;

    /** As fast as this machine carries it. @throws IOException if the system does not let us; the message says why */
    VethPair() throws IOException {
        this(0);
    }

    /**
     * With a rate each way, kept by a queue at each end that holds as much as a network card with its queueing discipline does.
     *
     * @param mbitPerSecond 0: as fast as this machine carries it
     * @throws IOException if the system does not let us; the message says why
     */
    VethPair(int mbitPerSecond) throws IOException {
        String name = "homa-bench-" + ProcessHandle.current().pid();
        serverSpace = name + "-s";
        clientSpace = name + "-c";
        boolean isDone = false;
        try {
            removeLeftBehind();
            ip("netns", "add", serverSpace);
            ip("netns", "add", clientSpace);
            ip(
                    "link",
                    "add",
                    "homa0",
                    "netns",
                    serverSpace,
                    "type",
                    "veth",
                    "peer",
                    "name",
                    "homa0",
                    "netns",
                    clientSpace);
            up(serverSpace, SERVER);
            up(clientSpace, CLIENT);
            if (mbitPerSecond > 0) {
                shape(serverSpace, mbitPerSecond);
                shape(clientSpace, mbitPerSecond);
            }
            isDone = true;
        } finally {
            if (!isDone) {
                close();
            }
        }
    }

    private static void up(String space, String address) throws IOException {
        ip("-n", space, "address", "add", address + "/24", "dev", "homa0");
        ip("-n", space, "link", "set", "lo", "up");
        ip("-n", space, "link", "set", "homa0", "up");
    }

    private static void shape(String space, int mbitPerSecond) throws IOException {
        run("tc -n %s qdisc add dev homa0 root tbf rate %dmbit burst %d limit %d"
                .formatted(space, mbitPerSecond, BURST_BYTES, QUEUE_BYTES)
                .split(" ", -1));
    }

    /** What to put before a command that shall run at the server's end. */
    List<String> atServer() {
        return List.of("ip", "netns", "exec", serverSpace);
    }

    /** The same at the client's. */
    List<String> atClient() {
        return List.of("ip", "netns", "exec", clientSpace);
    }

    private static void removeLeftBehind() throws IOException {
        for (String line : ip("netns", "list").split("\n", -1)) {
            Matcher name = LEFT_BEHIND.matcher(line);
            if (name.lookingAt()
                    && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty()) {
                ip("netns", "delete", name.group());
            }
        }
    }

    @Override
    public void close() {
        for (String space : List.of(serverSpace, clientSpace)) {
            try {
                // The interfaces go with their namespaces.
                ip("netns", "delete", space);
            } catch (IOException e) {
                System.getLogger(VethPair.class.getName()).log(System.Logger.Level.DEBUG, "deleting " + space, e);
            }
        }
    }

    private static String ip(String... words) throws IOException {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(List.of(words));
        return run(command.toArray(String[]::new));
    }

    private static String run(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        try {
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + ": " + said);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(String.join(" ", command) + " was interrupted", e);
        }
        return said;
    }
}
