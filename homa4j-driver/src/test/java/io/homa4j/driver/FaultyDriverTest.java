package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.homa4j.protocol.PacketBatch;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the faulty driver does to packets, counted, and that the seed decides it. */
class FaultyDriverTest {
    private static final int PACKETS = 2_000;
    private static final FaultyDriver.Faults NONE = new FaultyDriver.Faults(0, 0, 0);

    private record Outcome(
            List<Integer> arrived, long passed, long lost, long duplicated, long reordered, long delayed) {}

    private static Outcome run(FaultyDriver.Faults faults, long seed) throws Exception {
        FaultyDriver driver = new FaultyDriver(new PortableDriver(), faults, seed);
        try (driver) {
            int from = driver.bind(null, 0);
            int to = driver.bind(null, 0);
            driver.attach(from, 0);
            driver.attach(to, 1);
            PacketBatch out = Batches.toSend();
            PacketBatch in = Batches.toReceive(driver);
            List<Integer> arrived = new ArrayList<>();
            int sent = 0;
            while (sent < PACKETS) {
                out.clear();
                for (int i = 0; i < 20; i++) {
                    Batches.add(out, 0, 0, Batches.LOOPBACK_LO, to, sent, 60, 0);
                    // Sixteen bits, so that every packet is known.
                    out.packet[i].set(ValueLayout.JAVA_SHORT_UNALIGNED, out.packetAt[i], (short) sent);
                    sent++;
                }
                assertThat(driver.send(out)).isEqualTo(20);
                // All twenty are in the receive buffer by now: loopback delivers within the call.
                take(driver, in, arrived);
            }
            // Those held back come by themselves.
            for (long end = System.nanoTime() + 20_000_000; System.nanoTime() - end < 0; ) {
                driver.await(1_000_000);
                take(driver, in, arrived);
            }
            take(driver, in, arrived);
            return new Outcome(
                    arrived, driver.passed(), driver.lost(), driver.duplicated(), driver.reordered(), driver.delayed());
        }
    }

    private static void take(FaultyDriver driver, PacketBatch in, List<Integer> arrived) {
        for (int count = driver.receive(in); count > 0; count = driver.receive(in)) {
            for (int i = 0; i < count; i++) {
                arrived.add((int) in.packet[i].get(ValueLayout.JAVA_SHORT_UNALIGNED, in.packetAt[i]));
            }
        }
    }

    @Test
    void withoutFaultsEverythingPassesInOrder() throws Exception {
        Outcome outcome = run(NONE, 1);
        assertThat(outcome.arrived).hasSize(PACKETS).isSorted();
        assertThat(outcome.passed).isEqualTo(PACKETS);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void faultsHappenAsOftenAsToldAndAreAccountedFor(long seed) throws Exception {
        Outcome outcome = run(new FaultyDriver.Faults(0.1, 0.05, 0.2, 0.05, 3_000_000), seed);
        assertThat(outcome.lost).as("seed %d", seed).isCloseTo(200, within(70L));
        assertThat(outcome.duplicated).isCloseTo(90, within(50L));
        assertThat(outcome.reordered).isCloseTo(400, within(100L));
        assertThat(outcome.delayed).isCloseTo(100, within(50L));
        assertThat(outcome.arrived).hasSize((int) (PACKETS - outcome.lost + outcome.duplicated));
        assertThat(outcome.passed + outcome.lost + outcome.reordered + outcome.delayed)
                .isEqualTo(PACKETS);
        assertThat(outcome.arrived.stream().distinct().count()).isEqualTo(PACKETS - outcome.lost);
        assertThat(outcome.arrived)
                .isNotEqualTo(outcome.arrived.stream().sorted().toList());
    }

    @Test
    void theSeedAloneDecidesWhichPacketsSuffer() throws Exception {
        FaultyDriver.Faults faults = new FaultyDriver.Faults(0.2, 0, 0);
        List<Integer> first = run(faults, 7).arrived;
        assertThat(run(faults, 7).arrived).isEqualTo(first);
        assertThat(run(faults, 8).arrived).isNotEqualTo(first);
    }

    @Test
    void aShareIsBetweenZeroAndOne() {
        assertThatThrownBy(() -> new FaultyDriver.Faults(1.1, 0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new FaultyDriver.Faults(0, Double.NaN, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
