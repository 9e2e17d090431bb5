package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The protocol module is pure: see {@link Purity} for what that means. */
class PurityTest {
    private static final Path CLASSES = Path.of(System.getProperty("homa.classes"));

    @Test
    void protocolTouchesNoClockThreadLockRandomnessFileSocketOrLog() {
        List<Path> classFiles = Purity.classFiles(CLASSES);
        assertThat(classFiles)
                .as("classes of both packages")
                .anyMatch(file -> file.startsWith(CLASSES.resolve("io/homa4j/protocol")))
                .anyMatch(file -> file.startsWith(CLASSES.resolve("io/homa4j/wire")));
        assertThat(classFiles.stream()
                        .flatMap(file -> Purity.offencesOf(file).stream())
                        .toList())
                .isEmpty();
    }

    @Test
    void moduleRequiresOnlyJavaBase() throws IOException {
        ModuleDescriptor module;
        try (InputStream in = Files.newInputStream(CLASSES.resolve("module-info.class"))) {
            module = ModuleDescriptor.read(in);
        }
        assertThat(module.name()).isEqualTo("io.homa4j.protocol");
        assertThat(module.requires())
                .allMatch(required -> required.name().equals("java.base")
                        || required.name().equals("org.jspecify")
                                && required.modifiers().contains(Requires.Modifier.STATIC));
        assertThat(module.uses()).isEmpty();
        assertThat(module.opens()).isEmpty();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            clock           | uses java.lang.System.nanoTime
            wallClock       | uses java.lang.System.currentTimeMillis
            instant         | uses java.time.Instant.now
            clockParameter  | uses java.time.Clock
            spin            | uses java.lang.Thread
            threadLocal     | uses java.lang.ThreadLocal
            lock            | uses java.util.concurrent.locks.ReentrantLock
            executor        | uses java.util.concurrent.ExecutorService
            sleep           | uses java.util.concurrent.TimeUnit.sleep
            monitor         | is synchronized
            flag            | is synchronized
            await           | uses java.lang.Object.wait
            random          | uses java.util.Random
            generator       | uses java.util.random.RandomGenerator
            threadRandom    | uses java.util.concurrent.ThreadLocalRandom
            secureRandom    | uses java.security.SecureRandom
            splittable      | uses java.util.SplittableRandom
            mathRandom      | uses java.lang.Math.random
            shuffle         | uses java.util.Collections.shuffle
            stream          | uses java.io.InputStream
            channel         | uses java.nio.channels.DatagramChannel
            file            | uses java.nio.file.Path
            address         | uses java.net.InetSocketAddress
            logger          | uses java.lang.System$Logger
            oldLogger       | uses java.util.logging.Logger
            print           | uses java.lang.System.out
            property        | uses java.lang.Integer.getInteger
            lambda$hidden$0 | uses java.lang.System.nanoTime
            handle          | uses java.lang.System.nanoTime
            caught          | uses java.io.IOException
            thrown          | uses java.io.IOException
            array           | uses java.lang.Thread
            literal         | uses java.lang.Thread
            field           | uses java.net.URI
            """)
    void eachWayToBeImpureIsFoundWithItsMember(String member, String offence) throws URISyntaxException {
        String impure = Impure.class.getName();
        assertThat(Purity.offencesOf(testClass(Impure.class))).contains(impure + "." + member + " " + offence);
    }

    @Test
    void typesNamedOnlyInSignaturesAreFound() throws URISyntaxException {
        assertThat(Purity.offencesOf(testClass(Impure.Signature.class)))
                .containsExactly(Impure.Signature.class.getName()
                        + " uses java.util.concurrent.Future (outside its members' code)");
    }

    @Test
    void pureClassHasNoOffence() throws URISyntaxException {
        assertThat(Purity.offencesOf(testClass(Impure.Pure.class))).isEmpty();
    }

    private static Path testClass(Class<?> type) throws URISyntaxException {
        Path folder =
                Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
        return folder.resolve(type.getName().replace('.', '/') + ".class");
    }
}
