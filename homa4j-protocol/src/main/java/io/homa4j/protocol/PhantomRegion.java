package io.homa4j.protocol;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A receive region without memory, for simulations in which payload is phantom: it accounts for the pieces of messages as
 * if a real region of its size were never fragmented, and forgets their bytes. A piece's place is its number in units.
 */
final class PhantomRegion extends ReceiveRegion {
    private final int socket;
    private final long size;
    private long freeBytes;

    /** Bytes of each piece, 0 = the number is free. */
    private long[] bytes = new long[16];

    private Host[] owner = new Host[16];
    private boolean[] isWithApplication = new boolean[16];
    private int[] spare = new int[16];
    private int spares;
    private int made;

    PhantomRegion(long size, int socket) {
        super(MemorySegment.NULL, socket);
        this.socket = socket;
        this.size = size;
        freeBytes = size;
    }

    @Override
    void put(MemorySegment packet, long packetAt, long at, int count) {}

    @Override
    long size() {
        return size;
    }

    @Override
    long freeBytes() {
        return freeBytes;
    }

    @Override
    long allocate(int length, Host host) {
        long wanted = pieceBytes(length);
        if (wanted > freeBytes) {
            return NONE;
        }
        if (spares == 0 && made == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * made);
            owner = Arrays.copyOf(owner, 2 * made);
            isWithApplication = Arrays.copyOf(isWithApplication, 2 * made);
            spare = Arrays.copyOf(spare, 2 * made);
        }
        int piece = spares > 0 ? spare[--spares] : made++;
        bytes[piece] = wanted;
        owner[piece] = host;
        isWithApplication[piece] = false;
        freeBytes -= wanted;
        charge(host, wanted);
        return (long) piece * UNIT_BYTES;
    }

    @Override
    void handOver(long at) {
        isWithApplication[piece(at)] = true;
    }

    @Override
    boolean isWithApplication(long at) {
        return at >= 0
                && at % UNIT_BYTES == 0
                && at / UNIT_BYTES < made
                && bytes[piece(at)] > 0
                && isWithApplication[piece(at)];
    }

    @Override
    Host owner(long at) {
        return owner[piece(at)];
    }

    @Override
    void free(long at) {
        int piece = piece(at);
        assert bytes[piece] > 0;
        charge(owner[piece], -bytes[piece]);
        freeBytes += bytes[piece];
        bytes[piece] = 0;
        owner[piece] = Host.NONE;
        spare[spares++] = piece;
    }

    @Override
    void abandon() {
        for (int piece = 0; piece < made; piece++) {
            if (bytes[piece] > 0) {
                charge(owner[piece], -bytes[piece]);
                owner[piece] = Host.NONE;
            }
        }
    }

    private void charge(Host host, long change) {
        if (host != Host.NONE) {
            host.charge(socket, change);
        }
    }

    private static int piece(long at) {
        return (int) (at / UNIT_BYTES);
    }
}
