package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.homa4j.protocol.PacketBatch;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** What the portable driver allocates per datagram: nothing itself, the JDK only where the source changes. */
class PortableDriverAllocationTest {
    private static final int ROUNDS = 40_000;
    private static final int MEASURED_FROM = 30_000;

    /** Bytes per datagram sent and received, with the datagrams coming from so many ports in turn. */
    private static double bytesPerDatagram(int senders, long peerHi, long peerLo) throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (PortableDriver driver = new PortableDriver()) {
            int to = driver.bind(null, 0);
            driver.attach(to, 0);
            for (int i = 1; i <= senders; i++) {
                driver.attach(driver.bind(null, 0), i);
            }
            PacketBatch in = Batches.toReceive(driver);
            PacketBatch out = Batches.toSend();
            Batches.add(out, 0, peerHi, peerLo, to, 1, 60, 40);
            long before = 0;
            int received = 0;
            for (int round = 0; round < ROUNDS; round++) {
                if (round == MEASURED_FROM) {
                    before = threads.getCurrentThreadAllocatedBytes();
                    received = 0;
                }
                out.socket[0] = 1 + round % senders;
                driver.send(out);
                // Loopback delivers within the call; the port that gets everything is never quiet.
                received += driver.receive(in);
            }
            long bytes = threads.getCurrentThreadAllocatedBytes() - before;
            assertThat(received).isEqualTo(ROUNDS - MEASURED_FROM);
            return (double) bytes / received;
        }
    }

    @Test
    void oneSourceCostsNothing() throws Exception {
        assertThat(bytesPerDatagram(1, 0, Batches.LOOPBACK_LO)).isLessThan(1);
        assertThat(bytesPerDatagram(1, 0, 1)).isLessThan(1);
    }

    @Test
    void alternatingSourcesCostWhatTheJdkAllocatesForTheirAddresses() throws Exception {
        double ipv4 = bytesPerDatagram(2, 0, Batches.LOOPBACK_LO);
        double ipv6 = bytesPerDatagram(2, 0, 1);
        System.out.printf("bytes per datagram from alternating sources: %.0f (IPv4), %.0f (IPv6)%n", ipv4, ipv6);
        assertThat(ipv4).isBetween(1.0, 250.0);
        assertThat(ipv6).isBetween(1.0, 300.0);
    }
}
