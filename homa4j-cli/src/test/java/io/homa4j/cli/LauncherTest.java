package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code ./homa}, as far as it can be tried without building: a JDK it cannot use is told in one line. */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
    private static final Path LAUNCHER = Path.of(System.getProperty("homa.root"), "homa");

    @TempDir
    private Path folder;

    @Test
    void jdkThatIsNotThereIsOneLine() throws Exception {
        Path nowhere = folder.resolve("nowhere");
        Result result = launch(LAUNCHER, nowhere);
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.output())
                .hasLineCount(1)
                .startsWith("homa: HOMA_JAVA_HOME is " + nowhere)
                .contains("no JDK 25 or newer", "correct it or unset it");
    }

    @Test
    void jdkThatIsTooOldIsOneLineAlsoThroughSymbolicLinks() throws Exception {
        Path jdk = Files.createDirectories(folder.resolve("jdk-24/bin")).getParent();
        assertThat(jdk).isNotNull();
        for (String tool : new String[] {"java", "javac"}) {
            Files.writeString(jdk.resolve("bin", tool), "#!/bin/sh\nexit 0\n");
            assertThat(jdk.resolve("bin", tool).toFile().setExecutable(true)).isTrue();
        }
        Files.writeString(jdk.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"24.0.2\"\n");
        Path link = Files.createSymbolicLink(folder.resolve("link"), LAUNCHER);
        Path linkToLink = Files.createSymbolicLink(folder.resolve("h"), link.getFileName());

        Result result = launch(linkToLink, jdk);
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.output()).hasLineCount(1).contains("no JDK 25 or newer");
    }

    private Result launch(Path script, Path javaHome) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(script.toString(), "--version");
        builder.environment().put("HOMA_JAVA_HOME", javaHome.toString());
        Process process =
                builder.directory(folder.toFile()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output);
    }

    private record Result(int exitCode, String output) {}
}
