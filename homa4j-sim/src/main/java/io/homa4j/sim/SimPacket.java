package io.homa4j.sim;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A packet on its way, with what the network needs to know of it. Packets come from {@link Simulation#packet()} and go back
 * by {@link Simulation#free}; whoever holds one owns it.
 */
public final class SimPacket {
    /** Memory of the Homa packet. */
    public final MemorySegment bytes;
    /** Where it starts there. */
    public final long at;
    /** Bytes of the whole Homa packet, header and data; with phantom payload only the header is in memory. */
    public int length;
    /** Bytes it takes on a link, with everything around it down to the gap between two frames. */
    public int wireBytes;
    /** Priority, 0 (lowest) to 7. */
    public int level;

    /** Hosts it comes from and goes to. */
    public int source;

    public int target;
    /** Their addresses at the time of sending. */
    public long sourceHi;

    public long sourceLo;
    public long targetHi;
    public long targetLo;
    /** Ports in the UDP header. */
    public int sourcePort;

    public int targetPort;

    /** Next in the list of whoever owns the packet. */
    @Nullable
    SimPacket next;

    SimPacket(MemorySegment bytes, long at) {
        this.bytes = bytes;
        this.at = at;
    }

    /** Makes this packet a copy of another one. */
    public void copyFrom(SimPacket other, int bytesInMemory) {
        MemorySegment.copy(other.bytes, other.at, bytes, at, bytesInMemory);
        length = other.length;
        wireBytes = other.wireBytes;
        level = other.level;
        source = other.source;
        target = other.target;
        sourceHi = other.sourceHi;
        sourceLo = other.sourceLo;
        targetHi = other.targetHi;
        targetLo = other.targetLo;
        sourcePort = other.sourcePort;
        targetPort = other.targetPort;
    }
}
