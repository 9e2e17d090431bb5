package io.homa4j.protocol;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A batch of packets in column form, for both directions. It belongs to the thread that owns the engine and is reused
 * for ever; nothing in it is allocated per packet.
 *
 * <p><b>Receiving:</b> the driver fills {@link #packet}, {@link #packetAt}, {@link #length} (whole Homa packet, header
 * and data), {@link #socket}, the peer's address and port, the local address and {@link #level}, sets {@link #count}
 * and passes the batch to {@link Endpoint#onPackets}. The engine copies payload during that call and keeps no
 * reference.
 *
 * <p><b>Sending:</b> {@link Endpoint#pollPackets} writes the Homa header of packet {@code i} to {@code packet[i]} at
 * {@code packetAt[i]} ({@code length[i]} bytes) and names the data that follows it by {@link #payload},
 * {@link #payloadAt} and {@link #payloadLength} (0 for control packets). Payload stays valid until
 * {@link Endpoint#onSent}.
 *
 * <p>Addresses are IPv6 addresses as two big-endian longs; IPv4 is written in mapped form ({@link Address}).
 */
public final class PacketBatch {
    /** Number of slots. */
    public final int capacity;
    /** Bytes of each slot of {@link #slab}. */
    public final int slotBytes;
    /** Memory of all slots; slot {@code i} starts at {@code i * slotBytes}. Owned by the creator of the batch. */
    public final MemorySegment slab;
    /** Packets in the batch, 0 to {@link #capacity}. */
    public int count;

    /** Where the packet (receiving) or its header (sending) lies; initially {@link #slab} for every slot. */
    public final MemorySegment[] packet;
    /** Offset in {@link #packet}; initially {@code i * slotBytes}. */
    public final long[] packetAt;
    /** Receiving: bytes of the whole Homa packet. Sending: bytes of its header. */
    public final int[] length;

    /** Sending: memory of the data behind the header, null for control packets. */
    public final @Nullable MemorySegment[] payload;
    /** Sending: offset of the data in {@link #payload}. */
    public final long[] payloadAt;
    /** Sending: bytes of data, 0 for control packets. */
    public final int[] payloadLength;

    /** Socket number of {@link Endpoint#openSocket}; receiving: -1 if the engine shall find it by the header's port. */
    public final int[] socket;
    /** Local address the packet came to or shall leave from; both halves 0 if unknown. */
    public final long[] localHi;

    public final long[] localLo;
    /** The other side's address. */
    public final long[] peerHi;

    public final long[] peerLo;
    /** The other side's UDP port; over IP 146 ignored on receipt. */
    public final int[] peerPort;
    /** Wire priority 0 (lowest) to 7, already mapped by {@code priority_map}; TOS byte = level * 32. */
    public final int[] level;

    /**
     * Receiving, set by the engine: packet {@code i} went to a port nobody serves and shall be answered with ICMP port
     * unreachable where the encapsulation is IP (spec protocol 2.13, 3.3).
     */
    public final boolean[] portUnreachable;

    /** Sending, engine's own: what to take back if the packet is not handed over. */
    final @Nullable Rpc[] rpc;

    final int[] kind;
    /** Sending, engine's own: how a packet with new data was chosen. */
    final int[] choice;

    final int[] offset;
    /** Sending, engine's own: position of the packet's entry in its queue. */
    final long[] position;

    /**
     * @param capacity number of packets
     * @param slab memory for {@code capacity * slotBytes} bytes; must outlive the batch
     * @param slotBytes receiving: the largest datagram; sending: at least 90
     */
    public PacketBatch(int capacity, MemorySegment slab, int slotBytes) {
        if (capacity < 1 || slotBytes < 90 || slab.byteSize() < (long) capacity * slotBytes) {
            throw new IllegalArgumentException("capacity " + capacity + ", slotBytes " + slotBytes + ", slab "
                    + slab.byteSize() + ": the slab must hold capacity slots of at least 90 bytes");
        }
        this.capacity = capacity;
        this.slotBytes = slotBytes;
        this.slab = slab;
        packet = new MemorySegment[capacity];
        Arrays.fill(packet, slab);
        packetAt = new long[capacity];
        for (int i = 0; i < capacity; i++) {
            packetAt[i] = (long) i * slotBytes;
        }
        length = new int[capacity];
        payload = new MemorySegment[capacity];
        payloadAt = new long[capacity];
        payloadLength = new int[capacity];
        socket = new int[capacity];
        localHi = new long[capacity];
        localLo = new long[capacity];
        peerHi = new long[capacity];
        peerLo = new long[capacity];
        peerPort = new int[capacity];
        level = new int[capacity];
        portUnreachable = new boolean[capacity];
        rpc = new Rpc[capacity];
        kind = new int[capacity];
        choice = new int[capacity];
        offset = new int[capacity];
        position = new long[capacity];
    }

    /** Forgets all packets; the slots keep their memory. */
    public void clear() {
        count = 0;
    }
}
