package io.homa4j.sim;

import java.lang.foreign.MemorySegment;

/** How many bytes a packet takes on a link. */
public interface Framing {
    /** Bytes of an Ethernet frame with 28 bytes of IP and UDP, its preamble and the gap to the next. */
    static int ethernet(int udpPayloadBytes) {
        // 14 bytes header and 4 check; 60 bytes of header and content at least; 8 preamble, 12 gap.
        return Math.max(60, udpPayloadBytes + 28 + 14) + 4 + 8 + 12;
    }

    /** As the engine's packets are. */
    Framing HOMA = (header, at, headerBytes, payloadBytes) -> ethernet(headerBytes + payloadBytes);

    /**
     * Bytes that a packet takes.
     *
     * @param header memory of its Homa header
     * @param at where the header starts there
     */
    int wireBytes(MemorySegment header, long at, int headerBytes, int payloadBytes);
}
