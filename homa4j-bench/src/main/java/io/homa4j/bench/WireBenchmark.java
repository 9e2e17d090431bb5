package io.homa4j.bench;

import io.homa4j.wire.Checksum;
import io.homa4j.wire.DataHeader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What it costs to write a DATA header, to read all its fields, and to sum up a full packet. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class WireBenchmark {
    /** A full DATA packet over IPv4 and UDP in an MTU of 1500. */
    private static final int PACKET_BYTES = 1472;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment packet = arena.allocate(PACKET_BYTES);
    private int offset;

    /** Starts from a packet that is valid in every field. */
    public WireBenchmark() {
        writeDataHeader();
    }

    @TearDown
    public void close() {
        arena.close();
    }

    @Benchmark
    public final void writeDataHeader() {
        offset = offset + 1416 & 0xFFFFF;
        DataHeader.write(packet, 0, 32768, 4000, 1234567890L, offset, 1_000_000, 60_000, 1234567888L, 4000, 7, false);
    }

    @Benchmark
    public long readDataHeader() {
        return DataHeader.messageLength(packet, 0)
                + DataHeader.incoming(packet, 0)
                + DataHeader.ackClientId(packet, 0)
                + DataHeader.ackServerPort(packet, 0)
                + DataHeader.cutoffVersion(packet, 0)
                + (DataHeader.retransmit(packet, 0) ? 1 : 0)
                + DataHeader.offset(packet, 0);
    }

    @Benchmark
    public int checksumFullPacket() {
        return Checksum.compute(packet, 0, PACKET_BYTES, 0, 0xFFFF_0A00_0001L, 0, 0xFFFF_0A00_0002L);
    }
}
