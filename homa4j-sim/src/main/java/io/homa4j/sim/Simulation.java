package io.homa4j.sim;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Virtual time, what will happen in it, and the packets under way. One thread; independent of every other simulation. */
public final class Simulation {
    /** Picoseconds in a nanosecond. */
    public static final long NS = 1_000;
    /** Picoseconds in a microsecond. */
    public static final long US = 1_000_000;
    /** Picoseconds in a millisecond. */
    public static final long MS = 1_000_000_000;
    /** Picoseconds in a second. */
    public static final long S = 1_000_000_000_000L;

    /** Largest Homa header. */
    private static final int HEADER_BYTES = 96;

    private static final int PACKETS_PER_SLAB = 256;
    /** Engines check that a packet's memory has its length; behind a slab lies what phantom payload would take at most. */
    private static final int PHANTOM_BYTES = 65_536;

    private final EventQueue events;
    private final int slotBytes;
    private Actor[] actors = new Actor[64];
    private int actorCount;

    private @Nullable SimPacket freePackets;
    private int packetsMade;
    private int packetsFree;

    /**
     * A world without anything in it.
     *
     * @param eventsPerMicrosecond expected; a wrong guess costs time only
     * @param payloadBytes largest payload of a packet that travels with its bytes; 0 = payload is phantom
     */
    public Simulation(int eventsPerMicrosecond, int payloadBytes) {
        events = new EventQueue(eventsPerMicrosecond);
        slotBytes = HEADER_BYTES + payloadBytes;
    }

    /** The present, ps. */
    public long nowPs() {
        return events.nowPs();
    }

    /** The present as engines see it, ns. */
    public long nowNs() {
        return events.nowPs() / NS;
    }

    /** Events that have happened. */
    public long eventCount() {
        return events.taken();
    }

    /** Whether payload travels with its bytes. */
    public boolean hasPayload() {
        return slotBytes > HEADER_BYTES;
    }

    // ---- what happens

    /** Makes an actor known; returns its number for {@link #at}. */
    public int add(Actor actor) {
        if (actorCount == actors.length) {
            actors = Arrays.copyOf(actors, 2 * actorCount);
        }
        actors[actorCount] = actor;
        return actorCount++;
    }

    /** The actor will act with this code (0 to {@link EventQueue#MAX_CODE}) at that time, which is not past. */
    public void at(long timePs, int actor, int code) {
        events.add(timePs, actor, code);
    }

    /** Lets everything before this time happen. The present stays at what happened last. */
    public void run(long untilPs) {
        for (int event = events.poll(untilPs); event >= 0; event = events.poll(untilPs)) {
            actors[event >>> 3].act(event & EventQueue.MAX_CODE);
        }
    }

    /** Lets the next thing happen if it is before this time; whether there was one. */
    public boolean step(long untilPs) {
        int event = events.poll(untilPs);
        if (event < 0) {
            return false;
        }
        actors[event >>> 3].act(event & EventQueue.MAX_CODE);
        return true;
    }

    // ---- packets

    /** A packet to be filled; what is in it is what its last user left. */
    public SimPacket packet() {
        if (freePackets == null) {
            makePackets();
        }
        SimPacket packet = freePackets;
        if (packet == null) {
            throw new AssertionError("packets have been made");
        }
        freePackets = packet.next;
        packetsFree--;
        packet.next = null;
        return packet;
    }

    /** The packet is nobody's any more. */
    public void free(SimPacket packet) {
        packet.next = freePackets;
        freePackets = packet;
        packetsFree++;
    }

    /** Packets that somebody owns. */
    public int packetsInUse() {
        return packetsMade - packetsFree;
    }

    /** Bytes of a packet that are in memory. */
    public int bytesInMemory(SimPacket packet) {
        return Math.min(packet.length, slotBytes);
    }

    private void makePackets() {
        MemorySegment slab = MemorySegment.ofArray(new byte[PACKETS_PER_SLAB * slotBytes + PHANTOM_BYTES]);
        for (int i = 0; i < PACKETS_PER_SLAB; i++) {
            SimPacket packet = new SimPacket(slab, (long) i * slotBytes);
            packetsMade++;
            free(packet);
        }
    }
}
