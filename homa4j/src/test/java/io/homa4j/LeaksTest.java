package io.homa4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What an engine takes from the system it gives back: the short form of an hour's soak. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "descriptors are counted in /proc")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class LeaksTest {
    private static final int ENGINES = 20;
    private static final int CALLS = 50;

    @Test
    void enginesThatAreClosedLeaveNoDescriptorBehind() throws Exception {
        // Whatever the JVM opens once, it has opened then.
        serveAndCall();
        long before = descriptors();
        for (int i = 0; i < ENGINES; i++) {
            serveAndCall();
        }
        assertThat(descriptors()).isEqualTo(before);
    }

    @Test
    void callsOpenNoDescriptors() throws Exception {
        try (Homa homa = Homa.open();
                HomaServer server = homa.serve(0, request -> request.reply(request.bytes()));
                Homa client = Homa.open()) {
            HomaAddress address = HomaAddress.of("127.0.0.1", server.port());
            call(client, address);
            long before = descriptors();
            for (int i = 0; i < ENGINES; i++) {
                call(client, address);
            }
            assertThat(descriptors()).isEqualTo(before);
        }
    }

    @Test
    void anEngineThatCannotBeOpenedLeavesNoDescriptorBehind(@TempDir Path folder) throws Exception {
        // The file of the capture is created last.
        Homa.Builder impossible = Homa.builder().pcap(folder.resolve("no such folder/capture.pcap"));
        assertThatThrownBy(impossible::open).isInstanceOf(UncheckedIOException.class);
        long before = descriptors();
        for (int i = 0; i < ENGINES; i++) {
            assertThatThrownBy(impossible::open).isInstanceOf(UncheckedIOException.class);
        }
        assertThat(descriptors()).isEqualTo(before);
    }

    private static void serveAndCall() throws InterruptedException {
        try (Homa homa = Homa.open();
                HomaServer server = homa.serve(0, request -> request.reply(request.bytes()));
                Homa client = Homa.open()) {
            call(client, HomaAddress.of("127.0.0.1", server.port()));
        }
    }

    private static void call(Homa client, HomaAddress address) throws InterruptedException {
        for (int i = 1; i <= CALLS; i++) {
            try (Reply reply = client.call(address, new byte[i * 1000])) {
                assertThat(reply.length()).isEqualTo(i * 1000);
            }
        }
    }

    private static long descriptors() throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }
}
