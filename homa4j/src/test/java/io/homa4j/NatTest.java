package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.homa4j.driver.Datapath;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A client, a router and a server in network namespaces of their own, with address translation on the router: header ports
 * do not match what the packets carry (design: ports and NAT). Needs root, iproute2 and iptables; skipped without them.
 */
class NatTest {
    private static final String PREFIX = "h4j" + ProcessHandle.current().pid() % 100_000;
    private static final String CLIENT = PREFIX + "c";
    private static final String ROUTER = PREFIX + "r";
    private static final String SERVER = PREFIX + "s";
    private static final String CLIENT_ADDRESS = "10.91.1.2";
    private static final String ROUTER_TO_CLIENT = "10.91.1.1";
    private static final String ROUTER_TO_SERVER = "10.91.2.1";
    private static final String SERVER_ADDRESS = "10.91.2.2";
    private static final int SERVER_PORT = 4001;

    @TempDir
    static Path folder;

    @BeforeAll
    static void build() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root for network namespaces");
        assumeTrue(succeeds("ip", "netns", "add", CLIENT), "needs iproute2 and the right to make namespaces");
        run("ip", "netns", "add", ROUTER);
        run("ip", "netns", "add", SERVER);
        link(CLIENT, CLIENT_ADDRESS, ROUTER_TO_CLIENT, "a");
        link(SERVER, SERVER_ADDRESS, ROUTER_TO_SERVER, "b");
        run("ip", "netns", "exec", ROUTER, "sysctl", "-qw", "net.ipv4.ip_forward=1");
        assumeTrue(
                succeeds("ip", "netns", "exec", ROUTER, "iptables", "-t", "nat", "-L", "-n"),
                "needs iptables with address translation");
    }

    /** A veth pair between a host, with a default route, and the router. */
    private static void link(String host, String hostAddress, String routerAddress, String name) throws Exception {
        run("ip", "link", "add", PREFIX + name, "type", "veth", "peer", "name", PREFIX + name + "r");
        run("ip", "link", "set", PREFIX + name, "netns", host);
        run("ip", "link", "set", PREFIX + name + "r", "netns", ROUTER);
        run("ip", "-n", host, "address", "add", hostAddress + "/24", "dev", PREFIX + name);
        run("ip", "-n", ROUTER, "address", "add", routerAddress + "/24", "dev", PREFIX + name + "r");
        run("ip", "-n", host, "link", "set", "lo", "up");
        run("ip", "-n", host, "link", "set", PREFIX + name, "up");
        run("ip", "-n", ROUTER, "link", "set", PREFIX + name + "r", "up");
        run("ip", "-n", host, "route", "add", "default", "via", routerAddress);
    }

    @AfterAll
    static void remove() throws Exception {
        for (String namespace : List.of(CLIENT, ROUTER, SERVER)) {
            if (Files.exists(Path.of("/run/netns", namespace))) {
                run("ip", "netns", "del", namespace);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Datapath.class,
            names = {"PORTABLE", "SYSCALLS"})
    void aServerIsReachedThroughDestinationTranslation(Datapath datapath) throws Exception {
        translate(
                "-A",
                "PREROUTING",
                "-p",
                "udp",
                "--dport",
                "4000",
                "-j",
                "DNAT",
                "--to-destination",
                SERVER_ADDRESS + ":" + SERVER_PORT);
        assertThat(exchange(datapath, ROUTER_TO_CLIENT + ":4000"))
                .contains("all answered")
                .contains("seen as " + CLIENT_ADDRESS);
    }

    @ParameterizedTest
    @EnumSource(
            value = Datapath.class,
            names = {"PORTABLE", "SYSCALLS"})
    void aClientIsServedBehindMasqueradeWithOtherPorts(Datapath datapath) throws Exception {
        translate(
                "-A",
                "POSTROUTING",
                "-p",
                "udp",
                "-d",
                SERVER_ADDRESS,
                "-j",
                "MASQUERADE",
                "--to-ports",
                "50000-50003");
        assertThat(exchange(datapath, SERVER_ADDRESS + ":" + SERVER_PORT))
                .contains("all answered")
                .containsPattern("seen as " + ROUTER_TO_SERVER + ":5000[0-3]");
    }

    @ParameterizedTest
    @EnumSource(
            value = Datapath.class,
            names = {"PORTABLE", "SYSCALLS"})
    void bothTranslationsAtOnce(Datapath datapath) throws Exception {
        translate(
                "-A",
                "PREROUTING",
                "-p",
                "udp",
                "--dport",
                "4000",
                "-j",
                "DNAT",
                "--to-destination",
                SERVER_ADDRESS + ":" + SERVER_PORT);
        translate(
                "-A",
                "POSTROUTING",
                "-p",
                "udp",
                "-d",
                SERVER_ADDRESS,
                "-j",
                "MASQUERADE",
                "--to-ports",
                "50000-50003");
        assertThat(exchange(datapath, ROUTER_TO_CLIENT + ":4000"))
                .contains("all answered")
                .containsPattern("seen as " + ROUTER_TO_SERVER + ":5000[0-3]");
    }

    private static void translate(String... rule) throws Exception {
        List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", ROUTER, "iptables", "-t", "nat"));
        command.addAll(Arrays.asList(rule));
        run(command.toArray(String[]::new));
    }

    /** Runs a server and a client in their namespaces; what the client prints. */
    private static String exchange(Datapath datapath, String target) throws Exception {
        Process server =
                java(SERVER, datapath, "server", Integer.toString(SERVER_PORT)).start();
        try (BufferedReader ready = server.inputReader(StandardCharsets.UTF_8)) {
            assertThat(ready.readLine()).isEqualTo("ready");
            Path printed = Files.createTempFile(folder, "client", ".txt");
            Process client = java(CLIENT, datapath, "client", target)
                    .redirectOutput(printed.toFile())
                    .start();
            assertThat(client.waitFor(120, TimeUnit.SECONDS))
                    .as("the client ends")
                    .isTrue();
            return Files.readString(printed);
        } finally {
            server.destroy();
            server.waitFor();
            // Another test starts with other rules, and without connections remembered under these.
            run("ip", "netns", "exec", ROUTER, "iptables", "-t", "nat", "-F");
        }
    }

    private static ProcessBuilder java(String namespace, Datapath datapath, String... arguments) {
        List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-Ddatapath=" + datapath);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Peer.class.getName()));
        command.addAll(Arrays.asList(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true);
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as("%s: %s", String.join(" ", command), output)
                .isZero();
    }

    private static boolean succeeds(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    /** The program at either end. */
    static final class Peer {
        private static final int[] LENGTHS = {1, 1_000, 40_000, 100_000, 1_000_000};

        private Peer() {}

        public static void main(String[] arguments) throws Exception {
            if (arguments[0].equals("server")) {
                try (Homa homa = open();
                        HomaServer server = homa.serve(Integer.parseInt(arguments[1]), Peer::answer)) {
                    System.out.println("ready");
                    server.awaitClosed();
                }
            }
            HomaAddress to = HomaAddress.parse(arguments[1]);
            try (Homa homa = open()) {
                for (int length : LENGTHS) {
                    byte[] request = Loopback.bytes(length, length);
                    try (Reply reply = homa.call(to, request)) {
                        byte[] response = reply.bytes();
                        if (length == 1) {
                            System.out.println("seen as " + new String(response, StandardCharsets.UTF_8));
                        } else if (!Arrays.equals(response, request)) {
                            throw new AssertionError(length + " bytes came back changed");
                        }
                    }
                }
            }
            System.out.println("all answered");
        }

        private static Homa open() {
            return Homa.builder()
                    .datapath(Datapath.valueOf(System.getProperty("datapath")))
                    .open();
        }

        /** One byte asks for the client's address as seen here; everything else comes back. */
        private static void answer(Request request) {
            if (request.length() == 1) {
                request.reply(request.peer().toString().getBytes(StandardCharsets.UTF_8));
            } else {
                request.reply(request.segment());
            }
        }
    }
}
