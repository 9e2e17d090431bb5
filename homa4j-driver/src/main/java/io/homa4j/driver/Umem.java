package io.homa4j.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The memory that holds frames on their way from and to the kernel, and where each frame is. The first frames are for packets
 * that arrive, the others for those that leave, so that neither direction can starve the other. Owner.
 *
 * <p>The memory belongs to the collector, not to the socket: what points to a received packet stays harmless when the socket
 * is closed.
 */
final class Umem {
    /** The kernel may write a packet to it. */
    static final byte FILL = 0;
    /** It holds a packet that was handed out; then FILL again. */
    static final byte HELD = 1;
    /** Nothing is in it. */
    static final byte FREE = 2;
    /** The kernel sends what is in it; then FREE again. */
    static final byte SENDING = 3;

    private static final int PAGE = 4096;

    final MemorySegment memory;
    final int chunkBytes;
    final int receiveFrames;
    final int sendFrames;

    private final int chunkBits;
    private final byte[] place;
    private final int[] free;
    private int freeCount;

    /**
     * @param chunkBytes bytes of a frame, 2048 or 4096
     * @param receiveFrames all of them are taken to be with the kernel from the beginning
     */
    Umem(int chunkBytes, int receiveFrames, int sendFrames) {
        this.chunkBytes = chunkBytes;
        this.chunkBits = Integer.numberOfTrailingZeros(chunkBytes);
        this.receiveFrames = receiveFrames;
        this.sendFrames = sendFrames;
        int frames = receiveFrames + sendFrames;
        memory = Arena.ofAuto().allocate((long) frames * chunkBytes, PAGE);
        place = new byte[frames];
        Arrays.fill(place, receiveFrames, frames, FREE);
        free = new int[sendFrames];
        for (int i = 0; i < sendFrames; i++) {
            free[freeCount++] = frames - 1 - i;
        }
    }

    long address(int frame) {
        return (long) frame * chunkBytes;
    }

    /** The frame in which this offset lies. */
    int frame(long address) {
        return (int) (address >>> chunkBits);
    }

    /** The only way from one place to another. */
    private void move(int frame, byte from, byte to) {
        assert place[frame] == from : "frame " + frame + " is at " + place[frame] + ", not " + from;
        place[frame] = to;
    }

    int freeFrames() {
        return freeCount;
    }

    /** A frame to write to and to send; only if there is a free one. */
    int take() {
        int frame = free[--freeCount];
        move(frame, FREE, SENDING);
        return frame;
    }

    /** The kernel has sent it. */
    void sent(int frame) {
        move(frame, SENDING, FREE);
        free[freeCount++] = frame;
    }

    /** The kernel has put a packet into it. */
    void received(int frame) {
        move(frame, FILL, HELD);
    }

    /** The packet is used up. */
    void lend(int frame) {
        move(frame, HELD, FILL);
    }

    /** How many frames are there. */
    int count(byte wanted) {
        int count = 0;
        for (byte each : place) {
            count += each == wanted ? 1 : 0;
        }
        return count;
    }
}
