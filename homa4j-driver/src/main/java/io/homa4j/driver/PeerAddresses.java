package io.homa4j.driver;

import io.homa4j.protocol.Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * Socket addresses of recent peers, so that none is allocated per packet sent: a direct-mapped cache, bounded, where a
 * newcomer takes the place of the one it collides with.
 */
final class PeerAddresses {
    private static final int SLOTS = 1 << 13;

    private final long[] hi = new long[SLOTS];
    private final long[] lo = new long[SLOTS];
    private final @Nullable InetSocketAddress[] address = new InetSocketAddress[SLOTS];

    InetSocketAddress of(long peerHi, long peerLo, int port) {
        int slot = slot(peerHi, peerLo, port);
        InetSocketAddress known = address[slot];
        if (known != null && hi[slot] == peerHi && lo[slot] == peerLo && known.getPort() == port) {
            return known;
        }
        InetSocketAddress fresh = new InetSocketAddress(inet(peerHi, peerLo), port);
        hi[slot] = peerHi;
        lo[slot] = peerLo;
        address[slot] = fresh;
        return fresh;
    }

    /** The address as the JDK has it; mapped addresses become IPv4. */
    static InetAddress inet(long hi, long lo) {
        try {
            return InetAddress.getByAddress(Address.bytes(hi, lo));
        } catch (UnknownHostException e) {
            throw new AssertionError("4 and 16 bytes are always an address", e);
        }
    }

    private static int slot(long hi, long lo, int port) {
        long mixed = (hi * 0x9E3779B97F4A7C15L ^ lo) * 0xBF58476D1CE4E5B9L + port * 0x94D049BB133111EBL;
        return (int) (mixed >>> (64 - 13));
    }
}
