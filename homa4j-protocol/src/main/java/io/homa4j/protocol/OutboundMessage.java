package io.homa4j.protocol;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Transmission of one message: its bytes (lent by the application), how it is cut into packets, what has been sent and
 * what may be sent (spec protocol 5). It decides nothing about when.
 */
final class OutboundMessage {
    /** Times a message is subdivided; the last time into what every path carries. */
    private static final int MAX_SUBDIVISIONS = 3;

    /** The message's bytes; lent until the RELEASED event. */
    MemorySegment payload = MemorySegment.NULL;

    long payloadAt;
    /** Bytes of the message; 0 while there is none. */
    int length;
    /** Leading bytes that need no grant; a packet boundary lies here (spec protocol 2.10). */
    int unscheduled;
    /** Packets may start below this offset. */
    int granted;
    /** First byte not yet handed to the network for the first time ({@code tx_end}). */
    int nextOffset;
    /** Level of scheduled packets, from the last GRANT; 0 before any. */
    int scheduledLevel;
    /** Data bytes per packet, fixed when the message is created (spec protocol 2.10 item 3). */
    int cutBytes;
    /** The same for unscheduled packets, at most as many ({@link Policy#unscheduledPacketBytes}). */
    int unscheduledCutBytes;
    /**
     * Data bytes per packet after the path MTU has shrunk, each time further: packets are subdivided, and the parts again, so
     * that no packet ever overlaps another that was sent before (design 6, MTU).
     */
    private final int[] subCutBytes = new int[MAX_SUBDIVISIONS];

    private int subdivisions;
    /** Start of the packet that the receiver lacks, how many times it was lost, when last and since when (PathMtuSearch). */
    int lossStart;

    int losses;
    long lossTick;
    long lossSinceNs;
    /** Subdivided since packets of so many bytes did not seem to get through; nothing has been heard of it since. */
    boolean isSuspect;

    int suspectBytes;
    /** Order of creation among all messages of the engine. */
    long sequence;
    /** Bytes left that rank the message in the transmit queue; a snapshot in profile module. */
    int rankedBytesLeft;
    /** Acks that ride on the first packets, one each, again when a packet is sent again (spec protocol 6.5 item 3). */
    int acks;

    final long[] ackId = new long[Peer.MAX_ACKS];
    final int[] ackPort = new int[Peer.MAX_ACKS];
    /** Object of the RELEASED event. */
    @Nullable
    Object attachment;
    /** Whether RELEASED is due when the RPC ends. */
    boolean isLent;
    /** Hull of what was retransmitted last, and when the last packet of it left (once per millisecond and byte, design 6). */
    int resentFrom;

    int resentTo;
    long resentNs;
    /** Place of its last range in the {@link RetransmitQueue}; -1 if none was there. */
    long resendPosition;

    // Two marks of progress: all bytes below the offset had been sent by that time. 0 = no mark.
    private long newerMarkNs;
    private long olderMarkNs;
    private int newerMark;
    private int olderMark;
    /** When the first and the latest first transmission were made. */
    long firstSentNs;

    private long sentNs;

    void begin(
            MemorySegment payload,
            long payloadAt,
            int length,
            int unscheduled,
            int cutBytes,
            int unscheduledCutBytes,
            long sequence) {
        this.payload = payload;
        this.payloadAt = payloadAt;
        this.length = length;
        this.unscheduled = unscheduled;
        granted = unscheduled;
        nextOffset = 0;
        scheduledLevel = 0;
        this.cutBytes = cutBytes;
        this.unscheduledCutBytes = unscheduledCutBytes;
        subdivisions = 0;
        losses = 0;
        isSuspect = false;
        this.sequence = sequence;
        acks = 0;
        resentFrom = 0;
        resentTo = 0;
        resendPosition = -1;
        newerMark = 0;
        olderMark = 0;
    }

    /**
     * The packet up to this offset is sent for the first time.
     *
     * @param spacingNs distance of the marks by which {@link #settled} tells what was sent when
     */
    void sent(int end, long spacingNs, long nowNs) {
        if (nextOffset == 0) {
            firstSentNs = nowNs;
        } else if (nowNs != sentNs && (newerMark == 0 || sentNs - newerMarkNs >= spacingNs)) {
            olderMarkNs = newerMarkNs;
            olderMark = newerMark;
            newerMarkNs = sentNs;
            newerMark = nextOffset;
        }
        nextOffset = end;
        sentNs = nowNs;
    }

    /** When the latest first transmission was made. */
    long latestSentNs() {
        return sentNs;
    }

    /** Offset up to which all bytes were sent so long ago at least; may be too low by what was sent in as much time again. */
    int settled(long ageNs, long nowNs) {
        if (nowNs - sentNs >= ageNs) {
            return nextOffset;
        }
        int mark = nowNs - newerMarkNs >= ageNs ? newerMark : nowNs - olderMarkNs >= ageNs ? olderMark : 0;
        return Math.min(mark, nextOffset);
    }

    void clear() {
        payload = MemorySegment.NULL;
        length = 0;
        granted = 0;
        nextOffset = 0;
        unscheduled = 0;
        attachment = null;
        isLent = false;
    }

    /** Whether some byte may be sent now (spec protocol 5.2: a packet whose first byte is below the grant goes whole). */
    boolean isSendable() {
        return nextOffset < granted;
    }

    boolean isSent() {
        return length > 0 && nextOffset == length;
    }

    int bytesLeft() {
        return length - nextOffset;
    }

    /**
     * Takes buffered acks of the peer for the first packets, the newest first (P-011, P-143): the module does so when it
     * builds the message.
     */
    void takeAcks(Peer peer) {
        while (peer.acks > 0 && acks < Peer.MAX_ACKS && packetAt(acks) < length) {
            peer.acks--;
            ackId[acks] = peer.ackId[peer.acks];
            ackPort[acks] = peer.ackPort[peer.acks];
            acks++;
        }
    }

    /** Which of the acks rides on the packet that starts here; -1 if none. */
    int ackIndex(int start) {
        for (int i = 0; i < acks; i++) {
            if (packetAt(i) == start) {
                return i;
            }
        }
        return -1;
    }

    /** Offset of the i-th packet as cut originally; at or beyond the length if there is none. */
    private int packetAt(int i) {
        int unscheduledPackets = (unscheduled + unscheduledCutBytes - 1) / unscheduledCutBytes;
        return i < unscheduledPackets ? i * unscheduledCutBytes : unscheduled + (i - unscheduledPackets) * cutBytes;
    }

    /**
     * From now on packets carry at most so many data bytes.
     *
     * @param leastBytes what will always get through
     */
    void subdivide(int bytes, int leastBytes) {
        if (bytes < smallestCut() && subdivisions < MAX_SUBDIVISIONS) {
            subCutBytes[subdivisions] = subdivisions < MAX_SUBDIVISIONS - 1 ? bytes : Math.min(bytes, leastBytes);
            subdivisions++;
        }
    }

    /** Data bytes of a full packet now. */
    int smallestCut() {
        return subdivisions == 0 ? cutBytes : subCutBytes[subdivisions - 1];
    }

    /** Start of the packet that holds the byte. */
    int packetStart(int offset) {
        int base = offset < unscheduled ? 0 : unscheduled;
        int start = offset - (offset - base) % (offset < unscheduled ? unscheduledCutBytes : cutBytes);
        for (int i = 0; i < subdivisions; i++) {
            start = offset - (offset - start) % subCutBytes[i];
        }
        return start;
    }

    /** End of the packet that starts at this offset. */
    int packetEnd(int start) {
        int base = start < unscheduled ? 0 : unscheduled;
        int limit = start < unscheduled ? unscheduled : length;
        int cut = start < unscheduled ? unscheduledCutBytes : cutBytes;
        int partStart = start - (start - base) % cut;
        int end = Math.min(limit, partStart + cut);
        for (int i = 0; i < subdivisions; i++) {
            partStart = start - (start - partStart) % subCutBytes[i];
            end = Math.min(end, partStart + subCutBytes[i]);
        }
        return end;
    }
}
