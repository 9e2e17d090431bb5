package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Processes in network namespaces, by the scripts of the same purpose. A soak through a router in namespaces that loses packets and rewrites addresses (design 6, ports and NAT): losses are made
 * outside the product, and the header ports do not match what the peers see. Needs root, iproute2 and
 * nftables, else it is skipped.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class NetworkTest {
    private static final int SKIPPED = 77;

    @Test
    void everyRpcIsExecutedOnceBehindDnatAndMasqueradeWithLosses() throws Exception {
        String said = run("soak-netns.sh", "100", "1");
        for (String name : new String[] {"ipv4", "ipv6", "dnat", "masquerade", "both"}) {
            assertThat(said).containsPattern(name + " +ok +completed 100, failed 0, corrupted 0, executed_twice 0");
        }
    }

    /** Each of two processes sees its own packets only, and the host answers for ports that neither has (spec protocol 2.13). */
    @Test
    void twoServersShareIpProtocol146OnOneHost() throws Exception {
        assertThat(run("ip-netns.sh")).endsWith("ok: two servers, both families\n");
    }

    /** What a script says that ends well; a script that cannot do its work here skips the test. */
    private static String run(String script, String... arguments) throws Exception {
        Path path = Path.of(System.getProperty("homa.root", ".."), "scripts", script);
        List<String> words = new ArrayList<>(List.of("bash", path.toString()));
        words.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(words);
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        builder.environment()
                .put(
                        "HOMA",
                        java + " -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -ea --enable-native-access=ALL-UNNAMED -cp "
                                + System.getProperty("java.class.path") + " io.homa4j.cli.Homa");
        Process process = builder.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int exitCode = process.waitFor();
        assumeTrue(exitCode != SKIPPED, said);
        assertThat(exitCode).as(said).isZero();
        return said;
    }
}
