package io.homa4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** A soak of a few seconds; longer ones are made by {@code scripts/soak-grpc.sh}. */
final class SoakTest {
    private static final double SECONDS = 6;

    @Test
    void everyCallEndsAndNothingIsLeft() throws Exception {
        long seed = new Random().nextLong();
        assertThat(Soak.run(SECONDS, seed)).as("seed %d", seed).isEmpty();
    }
}
