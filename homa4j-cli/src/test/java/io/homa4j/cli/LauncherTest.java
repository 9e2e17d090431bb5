package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code ./homa}: which JDK it takes, when it builds, and how a build ends; the build itself is a stand-in. */
@DisabledOnOs(OS.WINDOWS)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
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

    @Test
    void buildsOnFirstUseAndWhenASourceIsNewerAndNotOtherwise() throws Exception {
        Tree tree = new Tree("a b");
        assertThat(tree.run().output()).contains("first use, building", "built in", "started --version");
        assertThat(tree.run().output()).hasLineCount(1).startsWith("started --version");
        Files.writeString(tree.root.resolve("homa4j-cli/src/main/New.java"), "");
        assertThat(tree.run().output()).contains("sources have changed, building", "started --version");
        assertThat(tree.builds()).isEqualTo(2);
    }

    @Test
    void twoFirstUsesBuildOnce() throws Exception {
        Tree tree = new Tree("tree");
        tree.hold();
        Process first = tree.start();
        tree.awaitBuild();
        Process second = tree.start();
        assertThat(second.inputReader().readLine()).contains("waiting for the build of process " + first.pid());
        tree.release();
        assertThat(output(second)).contains("started --version");
        assertThat(output(first)).contains("built in", "started --version");
        assertThat(tree.builds()).isEqualTo(1);
    }

    @Test
    void aSignalEndsTheBuildAtOnceAndTheNextUseBuilds() throws Exception {
        Tree tree = new Tree("tree");
        tree.hold();
        Process first = tree.start();
        ProcessHandle maven = tree.awaitBuild();
        first.destroy();
        assertThat(first.waitFor()).isEqualTo(143);
        maven.onExit().get(1, TimeUnit.MINUTES);
        tree.release();
        assertThat(tree.run().output()).contains("built in", "started --version");
    }

    @Test
    void theLockOfAKilledBuildWhoseNumberIsAnothersNowIsNoLock() throws Exception {
        Tree tree = new Tree("tree");
        Path lock = Files.createDirectories(tree.root.resolve("homa4j-cli/target/homa-build.lock"));
        Process other = new ProcessBuilder("sleep", "600").start();
        try {
            Files.writeString(lock.resolve("pid"), other.pid() + "\n");
            assertThat(tree.run().output()).contains("built in", "started --version");
        } finally {
            other.destroy();
        }
    }

    @Test
    void aFolderThatCannotBeWrittenToIsOneLine() throws Exception {
        Tree tree = new Tree("tree");
        // A file in its place stops everybody, also root, whom no permission does.
        Files.writeString(tree.root.resolve("homa4j-cli/target"), "");
        Result result = tree.run();
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.output()).hasLineCount(1).contains("homa4j-cli/target cannot be written to");
    }

    @Test
    void aLockThatCannotBeMadeIsOneLine() throws Exception {
        Tree tree = new Tree("tree");
        Path target = Files.createDirectories(tree.root.resolve("homa4j-cli/target"));
        Files.writeString(target.resolve("homa-build.lock"), "");
        Result result = tree.run();
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.output()).contains("cannot make " + target.resolve("homa-build.lock"));
    }

    /** A project that looks to the script like this one, with a JDK and a Maven that only pretend. */
    private final class Tree {
        final Path root;
        private final Path jdk;

        Tree(String name) throws IOException {
            root = Files.createDirectories(folder.resolve(name)).toRealPath();
            Files.copy(LAUNCHER, root.resolve("homa"));
            Files.createDirectories(root.resolve("homa4j-cli/src/main"));
            Files.writeString(root.resolve("pom.xml"), "");
            Files.writeString(root.resolve("homa4j-cli/pom.xml"), "");
            executable(root.resolve("mvnw"), """
                    echo $$ >>builds
                    while [ -e hold ]; do sleep 0.05; done
                    mkdir -p homa4j-cli/target/dist && : >homa4j-cli/target/dist/homa4j-cli-1.jar
                    """);
            jdk = Files.createDirectories(folder.resolve("jdk"));
            executable(jdk.resolve("bin/javac"), "");
            executable(jdk.resolve("bin/java"), "for last; do :; done; echo started $last\n");
            Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
        }

        private void executable(Path file, String text) throws IOException {
            Files.createDirectories(file.resolveSibling("."));
            Files.writeString(file, "#!/bin/sh\n" + text);
            assertThat(file.toFile().setExecutable(true)).isTrue();
        }

        Process start() throws IOException {
            ProcessBuilder builder =
                    new ProcessBuilder(root.resolve("homa").toString(), "--version").redirectErrorStream(true);
            builder.environment().put("HOMA_JAVA_HOME", jdk.toString());
            return builder.start();
        }

        Result run() throws IOException, InterruptedException {
            Process process = start();
            String output = output(process);
            return new Result(process.waitFor(), output);
        }

        /** Builds take until {@link #release}. */
        void hold() throws IOException {
            Files.writeString(root.resolve("hold"), "");
        }

        void release() throws IOException {
            Files.delete(root.resolve("hold"));
        }

        /** Waits until one has begun. */
        ProcessHandle awaitBuild() throws IOException, InterruptedException {
            long endNs = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
            while (builds() == 0) {
                assertThat(System.nanoTime() - endNs).as("no build begins").isNegative();
                Thread.sleep(10);
            }
            String number = Files.readString(root.resolve("builds")).strip();
            return ProcessHandle.of(Long.parseLong(number)).orElseThrow();
        }

        long builds() throws IOException {
            Path builds = root.resolve("builds");
            return Files.exists(builds) ? Files.readString(builds).lines().count() : 0;
        }
    }

    private static String output(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private Result launch(Path script, Path javaHome) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(script.toString(), "--version");
        builder.environment().put("HOMA_JAVA_HOME", javaHome.toString());
        Process process =
                builder.directory(folder.toFile()).redirectErrorStream(true).start();
        String output = output(process);
        return new Result(process.waitFor(), output);
    }

    private record Result(int exitCode, String output) {}
}
