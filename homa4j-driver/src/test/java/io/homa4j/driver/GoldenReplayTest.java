package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Conversations of the real kernel module, with the engine (profile {@code module}) in the place of one host at a time.
 * What a replayed host sends must be what the captured host sent, by the rules of {@link ReplayComparison}; what its
 * application did stands in the scripts ({@link ReplayScript}).
 */
class GoldenReplayTest {
    private static final Path GOLDEN = Path.of(System.getProperty("homa.golden", "../golden"));
    private static final Path SCRIPTS =
            Path.of(System.getProperty("homa.root", "..")).resolve("homa4j-driver/src/test/resources/replay");

    static List<Arguments> replays() throws IOException {
        List<Arguments> all = new ArrayList<>();
        for (String name : names(SCRIPTS, ".script")) {
            for (ReplayScript.Side side : script(name).sides) {
                if (side.replayable()) {
                    all.add(Arguments.of(name, side.host));
                }
            }
        }
        return all;
    }

    @ParameterizedTest(name = "{0}, engine in the place of {1}")
    @MethodSource("replays")
    void engineSendsWhatTheKernelModuleSent(String name, String replaced) throws IOException {
        ReplayScript script = script(name);
        ReplayScript.Side side = script.sides.stream()
                .filter(each -> each.host.equals(replaced))
                .findFirst()
                .orElseThrow();
        List<Capture.Frame> frames = Capture.read(GOLDEN.resolve(name + ".pcap"));
        try (ReplayedHost host = new ReplayedHost(script, side, frames)) {
            host.run();
            assertThat(host.expected().size() + host.inputs().size())
                    .as("packets of the replaced host in " + name)
                    .isPositive();
            List<String> differences = ReplayComparison.differences(script, side, host);
            assertThat(differences)
                    .as(() -> name + ": " + String.join(" ", script.about) + "\n" + String.join("\n", differences))
                    .isEmpty();
        }
    }

    @Test
    void everyCaptureHasAScriptThatSaysSomethingAboutBothHosts() throws IOException {
        assertThat(names(SCRIPTS, ".script")).isEqualTo(names(GOLDEN, ".pcap"));
        for (String name : names(SCRIPTS, ".script")) {
            ReplayScript script = script(name);
            assertThat(script.about).as(name).isNotEmpty();
            assertThat(script.sides.stream().map(side -> side.host).sorted())
                    .as(name + ": a side or a reason for every host")
                    .containsExactlyElementsOf(new TreeSet<>(script.hosts.keySet()));
        }
    }

    private static ReplayScript script(String name) throws IOException {
        return ReplayScript.read(SCRIPTS.resolve(name + ".script"));
    }

    private static List<String> names(Path folder, String ending) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(file -> file.endsWith(ending))
                    .map(file -> file.substring(0, file.length() - ending.length()))
                    .sorted()
                    .toList();
        }
    }
}
