package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.homa4j.driver.Datapath;
import io.homa4j.driver.FaultyDriver;
import io.homa4j.driver.XdpOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * RPCs past the kernel's network stack between two processes in network namespaces of their own, joined by a veth pair. Needs
 * root and iproute2; skipped without them.
 */
class XdpTest {
    private static final String PREFIX = "h4x" + ProcessHandle.current().pid() % 100_000;
    private static final String CLIENT = PREFIX + "c";
    private static final String SERVER = PREFIX + "s";
    private static final String LINK = "cable0";
    private static final String PORT = "4001";

    @BeforeAll
    static void build() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root for network namespaces");
        assumeTrue(succeeds("ip", "netns", "add", CLIENT), "needs iproute2 and the right to make namespaces");
        run("ip", "netns", "add", SERVER);
        run("ip", "link", "add", LINK, "netns", CLIENT, "type", "veth", "peer", "name", LINK, "netns", SERVER);
        host(CLIENT, "10.95.0.1", "fd95::1");
        host(SERVER, "10.95.0.2", "fd95::2");
    }

    private static void host(String namespace, String ipv4, String ipv6) throws Exception {
        run("ip", "-n", namespace, "address", "add", ipv4 + "/24", "dev", LINK);
        run("ip", "-n", namespace, "address", "add", ipv6 + "/64", "dev", LINK, "nodad");
        run("ip", "-n", namespace, "link", "set", "lo", "up");
        run("ip", "-n", namespace, "link", "set", LINK, "up");
    }

    @AfterAll
    static void remove() throws Exception {
        for (String namespace : List.of(CLIENT, SERVER)) {
            if (Files.exists(Path.of("/run/netns", namespace))) {
                run("ip", "netns", "del", namespace);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "XDP, XDP, udp, 10.95.0.2, 0",
        "XDP, XDP, udp, '[fd95::2]', 0.02",
        "XDP, SYSCALLS, udp, 10.95.0.2, 0.02",
        "SYSCALLS, XDP, udp, '[fd95::2]', 0",
        "XDP, XDP, udp-tunnel:4999, 10.95.0.2, 0",
        "XDP, XDP, ip, 10.95.0.2, 0.02",
        "SYSCALLS, XDP, ip, '[fd95::2]', 0",
        "XDP, SYSCALLS, ip, 10.95.0.2, 0"
    })
    void messagesOfAllSizesComeBackWholeWithAnyPeer(
            Datapath client, Datapath server, String encapsulation, String address, double loss) throws Exception {
        Process serving = server(server, encapsulation, loss);
        try (BufferedReader said = serving.inputReader(StandardCharsets.UTF_8)) {
            assertThat(said.readLine()).isEqualTo("ready");
            String printed = call(client, encapsulation, address, loss);
            assertThat(printed).contains("all answered");
            if (client == Datapath.XDP) {
                assertThat(printed).as("by frames").containsPattern("driver_xdp_sent [1-9]\\d\\d");
                assertThat(printed).containsPattern("driver_xdp_received [1-9]\\d\\d");
            }
        } finally {
            serving.destroy();
            serving.waitFor();
        }
    }

    @Test
    void theProgramOfAKilledProcessIsGoneAndTheNextOneServesTheSameClients() throws Exception {
        Process first = server(Datapath.XDP, "udp", 0);
        try (BufferedReader said = first.inputReader(StandardCharsets.UTF_8)) {
            assertThat(said.readLine()).isEqualTo("ready");
            assertThat(run("ip", "-n", SERVER, "link", "show", LINK)).contains("xdp");
            first.destroyForcibly();
            first.waitFor();
        }
        Process next = server(Datapath.XDP, "udp", 0);
        try (BufferedReader said = next.inputReader(StandardCharsets.UTF_8)) {
            assertThat(said.readLine()).isEqualTo("ready");
            assertThat(call(Datapath.XDP, "udp", "10.95.0.2", 0)).contains("all answered");
        } finally {
            next.destroy();
            next.waitFor();
        }
        assertThat(run("ip", "-n", SERVER, "link", "show", LINK))
                .as("SIGTERM closes")
                .doesNotContain("xdp");
    }

    @Test
    void withoutPrivilegeItIsRefusedInOneLineAndAutoTakesTheNextBest() throws Exception {
        String[] nobody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"};
        assumeTrue(succeeds("setpriv", "--version"), "needs setpriv");
        List<String> words = new ArrayList<>(Arrays.asList(nobody));
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.add("-version");
        assumeTrue(succeeds(words.toArray(String[]::new)), "needs a JDK that everyone can run");
        for (Datapath asked : new Datapath[] {Datapath.XDP, Datapath.AUTO}) {
            Process process =
                    java(CLIENT, List.of(nobody), asked, "udp", 0, "open").start();
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            process.waitFor();
            assumeTrue(!printed.contains("ClassNotFoundException"), "needs classes that everyone can read");
            assertThat(printed).contains("operation not permitted (EPERM)", "CAP_NET_ADMIN");
            assertThat(printed.lines().filter(line -> line.contains("EPERM"))).hasSize(1);
            assertThat(printed).contains(asked == Datapath.XDP ? "refused" : "datapath syscalls");
        }
    }

    private static Process server(Datapath datapath, String encapsulation, double loss) throws IOException {
        return java(SERVER, List.of(), datapath, encapsulation, loss, "server").start();
    }

    private static String call(Datapath datapath, String encapsulation, String address, double loss) throws Exception {
        Process client = java(CLIENT, List.of(), datapath, encapsulation, loss, "client", address + ":" + PORT)
                .start();
        String printed = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(client.waitFor(120, TimeUnit.SECONDS)).as("the client ends").isTrue();
        return printed;
    }

    private static ProcessBuilder java(
            String namespace,
            List<String> before,
            Datapath datapath,
            String encapsulation,
            double loss,
            String... arguments) {
        List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
        command.addAll(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-ea", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of("-Ddatapath=" + datapath, "-Dencapsulation=" + encapsulation, "-Dloss=" + loss));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Peer.class.getName()));
        command.addAll(Arrays.asList(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true);
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as("%s: %s", String.join(" ", command), output)
                .isZero();
        return output;
    }

    private static boolean succeeds(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    /** The program at either end. */
    static final class Peer {
        private static final int[] LENGTHS = {1, 100, 1_416, 1_417, 10_000, 40_000, 60_001, 100_000, 500_000, 1_000_000
        };
        private static final int SMALL_CALLS = 200;

        private Peer() {}

        public static void main(String[] arguments) throws Exception {
            switch (arguments[0]) {
                case "server" -> {
                    try (Homa homa = open();
                            HomaServer server = homa.serve(Integer.parseInt(PORT), Peer::answer)) {
                        System.out.println("ready");
                        server.awaitClosed();
                    }
                }
                case "client" -> call(HomaAddress.parse(arguments[1]));
                default -> {
                    try (Homa homa = open()) {
                        System.out.println(homa.datapath());
                    } catch (HomaOpenException e) {
                        System.out.println("refused: " + e.getMessage());
                    }
                }
            }
        }

        private static void call(HomaAddress to) throws Exception {
            try (Homa homa = open()) {
                for (int i = 0; i < SMALL_CALLS; i++) {
                    check(homa, to, 100);
                }
                for (int length : LENGTHS) {
                    check(homa, to, length);
                }
                homa.counters().forEach((name, value) -> System.out.println(name + " " + value));
            }
            System.out.println("all answered");
        }

        private static void check(Homa homa, HomaAddress to, int length) throws Exception {
            byte[] request = Loopback.bytes(length, length);
            try (Reply reply = homa.call(to, request)) {
                if (!Arrays.equals(reply.bytes(), request)) {
                    throw new AssertionError(length + " bytes came back changed");
                }
            }
        }

        private static Homa open() {
            double loss = Double.parseDouble(System.getProperty("loss"));
            Homa.Builder builder = Homa.builder()
                    .datapath(Datapath.valueOf(System.getProperty("datapath")))
                    .encapsulation(Encapsulation.parse(Objects.requireNonNull(System.getProperty("encapsulation"))))
                    .closeOnExit(true);
            if (!System.getProperty("datapath").equals("SYSCALLS")) {
                builder.xdp(XdpOptions.parse(LINK));
            }
            if (loss > 0) {
                builder.driver(inner -> new FaultyDriver(inner, new FaultyDriver.Faults(loss, loss, loss), 20_261_125));
            }
            return builder.open();
        }

        private static void answer(Request request) {
            request.reply(request.segment());
        }
    }
}
