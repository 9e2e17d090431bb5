package io.homa4j.driver;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.PacketBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.LockSupport;

/** Batches for driver tests: packets to the loopback address with a header and a payload of known bytes. */
final class Batches {
    static final long LOOPBACK_LO = Address.mappedLo(0x7F000001);

    private Batches() {}

    static PacketBatch toReceive(Driver driver) {
        return toReceive(driver, 64);
    }

    static PacketBatch toReceive(Driver driver, int capacity) {
        int slotBytes = driver.maxDatagramBytes() + 1;
        return new PacketBatch(capacity, Arena.ofAuto().allocate((long) capacity * slotBytes, 64), slotBytes);
    }

    static PacketBatch toSend() {
        return new PacketBatch(64, Arena.ofAuto().allocate(64L * 128, 64), 128);
    }

    /** Adds a packet: {@code headerBytes} bytes of {@code mark}, then {@code payloadBytes} bytes of {@code mark + 1}. */
    static void add(
            PacketBatch batch,
            int socket,
            long peerHi,
            long peerLo,
            int peerPort,
            int mark,
            int headerBytes,
            int payloadBytes) {
        int i = batch.count++;
        batch.packet[i].asSlice(batch.packetAt[i], headerBytes).fill((byte) mark);
        batch.length[i] = headerBytes;
        batch.payload[i] = payloadBytes == 0 ? null : payload(payloadBytes, mark + 1);
        batch.payloadAt[i] = 0;
        batch.payloadLength[i] = payloadBytes;
        batch.socket[i] = socket;
        batch.localHi[i] = 0;
        batch.localLo[i] = 0;
        batch.peerHi[i] = peerHi;
        batch.peerLo[i] = peerLo;
        batch.peerPort[i] = peerPort;
        batch.level[i] = mark & 7;
    }

    private static MemorySegment payload(int bytes, int mark) {
        MemorySegment payload = Arena.ofAuto().allocate(bytes);
        payload.fill((byte) mark);
        return payload;
    }

    static int mark(PacketBatch batch, int i) {
        return batch.packet[i].get(ValueLayout.JAVA_BYTE, batch.packetAt[i]);
    }

    /** Receives until something is there. */
    static int receive(Driver driver, PacketBatch batch) {
        for (int i = 0; i < 10_000; i++) {
            int count = driver.receive(batch);
            if (count > 0) {
                return count;
            }
            LockSupport.parkNanos(1_000_000);
        }
        throw new AssertionError("nothing ever arrived");
    }
}
