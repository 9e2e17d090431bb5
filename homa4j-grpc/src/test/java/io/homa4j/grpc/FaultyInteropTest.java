package io.homa4j.grpc;

import io.homa4j.Homa;
import io.homa4j.driver.FaultyDriver;
import org.jspecify.annotations.Nullable;
import org.junit.AfterClass;
import org.junit.BeforeClass;

/** gRPC's interoperability tests over a network that loses, duplicates and reorders 1 % of all packets each, in both directions. */
public final class FaultyInteropTest extends InteropTest {
    private static final FaultyDriver.Faults FAULTS = new FaultyDriver.Faults(0.01, 0.01, 0.01);
    private static final long SEED = 20_261_125;

    private static @Nullable Homa client;
    private static @Nullable Homa server;

    @BeforeClass
    public static void open() {
        client = faulty(SEED);
        server = faulty(SEED + 1);
    }

    @AfterClass
    public static void close() {
        close(client);
        close(server);
    }

    private static Homa faulty(long seed) {
        return Homa.builder()
                .shortCompletions()
                .driver(inner -> new FaultyDriver(inner, FAULTS, seed))
                .open();
    }

    private static void close(@Nullable Homa homa) {
        if (homa != null) {
            homa.closeNow();
        }
    }

    @Override
    HomaServerBuilder server() {
        return super.server().homa(given(server));
    }

    @Override
    HomaChannelBuilder channel(int port) {
        return super.channel(port).homa(given(client));
    }

    private static Homa given(@Nullable Homa homa) {
        if (homa == null) {
            throw new AssertionError("not opened");
        }
        return homa;
    }
}
