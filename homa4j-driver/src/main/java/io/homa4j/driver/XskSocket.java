package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.homa4j.driver.libc.Errno;
import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.Socket;
import io.homa4j.driver.libc.Xdp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * An AF_XDP socket on one queue of an interface, with its four rings. Moves frames; knows nothing of what is in them. Owner.
 */
final class XskSocket extends Watched {
    /** The kernel sends at most so many frames per call and then says EAGAIN. */
    private static final int MAX_KICKS = 64;

    private static final int BUSY_POLL_BUDGET = 64;
    /** How long the queue of a process that was just killed may stay busy. */
    private static final int BIND_TRIES = 100;

    private static final long BIND_PAUSE_NS = 10_000_000;

    private record Mapping(long address, long bytes) {}

    private final Libc libc;
    private final Umem umem;
    private final List<Mapping> mappings = new ArrayList<>();
    private final MemorySegment statistics = Arena.ofAuto().allocate(Xdp.STATISTICS_SIZE, 8);
    private final MemorySegment length = Arena.ofAuto().allocateFrom(JAVA_INT, Xdp.STATISTICS_SIZE);
    private XskRing fill;
    private XskRing received;
    private XskRing toSend;
    private XskRing sent;

    /** The interface reads and writes frames itself. */
    private boolean isZeroCopy;
    /** The kernel looks at the interface when it is called. */
    private boolean isBusyPolled;

    private boolean isClosed;

    /** Frames for the send ring that the kernel has not been given yet. */
    private int unpublished;

    /** System calls that let the kernel send. */
    long kicks;
    /** The latest of these failed for a reason other than being asked too much: the error. */
    int sendError;

    private XskSocket(Libc libc, int descriptor, Umem umem) throws KernelSocket.Refused {
        super(descriptor);
        this.libc = libc;
        this.umem = umem;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(Xdp.OFFSETS_SIZE, 8);
            value.set(JAVA_LONG, Xdp.UMEM_ADDRESS, umem.memory.address());
            value.set(JAVA_LONG, Xdp.UMEM_LENGTH, umem.memory.byteSize());
            value.set(JAVA_INT, Xdp.UMEM_CHUNK_SIZE, umem.chunkBytes);
            set(value, "XDP_UMEM_REG", Xdp.UMEM_REG, Xdp.UMEM_SIZE);
            size(value, "XDP_UMEM_FILL_RING", Xdp.UMEM_FILL_RING, umem.receiveFrames);
            size(value, "XDP_RX_RING", Xdp.RX_RING, umem.receiveFrames);
            size(value, "XDP_TX_RING", Xdp.TX_RING, umem.sendFrames);
            size(value, "XDP_UMEM_COMPLETION_RING", Xdp.UMEM_COMPLETION_RING, umem.sendFrames);
            MemorySegment room = arena.allocateFrom(JAVA_INT, Xdp.OFFSETS_SIZE);
            check("XDP_MMAP_OFFSETS", libc.getsockopt(descriptor, Xdp.SOL_XDP, Xdp.MMAP_OFFSETS, value, room));
            int receive = umem.receiveFrames;
            int send = umem.sendFrames;
            fill = map(value, Xdp.OFFSETS_FILL, Xdp.PGOFF_FILL_RING, 8, receive, true);
            received = map(value, Xdp.OFFSETS_RX, Xdp.PGOFF_RX_RING, Xdp.DESCRIPTOR_SIZE, receive, false);
            toSend = map(value, Xdp.OFFSETS_TX, Xdp.PGOFF_TX_RING, Xdp.DESCRIPTOR_SIZE, send, true);
            sent = map(value, Xdp.OFFSETS_COMPLETION, Xdp.PGOFF_COMPLETION_RING, 8, send, false);
        }
        for (int i = 0; i < umem.receiveFrames; i++) {
            fill.address(i, umem.address(i));
        }
        fill.advance(umem.receiveFrames);
    }

    /**
     * Opens one and binds it to a queue, with zero copy and explicit wake-ups as far as they are wished for and to be had.
     *
     * @throws KernelSocket.Refused EBUSY: another socket has the queue
     */
    static XskSocket open(Libc libc, int interfaceIndex, XdpOptions options, Umem umem) throws KernelSocket.Refused {
        int descriptor = check("socket AF_XDP", libc.socket(Xdp.AF_XDP, Socket.SOCK_RAW | Socket.SOCK_CLOEXEC, 0));
        XskSocket socket = null;
        boolean isOpen = false;
        try {
            socket = new XskSocket(libc, descriptor, umem);
            socket.bind(interfaceIndex, options);
            isOpen = true;
            return socket;
        } finally {
            if (!isOpen) {
                if (socket == null) {
                    libc.close(descriptor);
                } else {
                    socket.close();
                }
            }
        }
    }

    private void size(MemorySegment value, String call, int name, int entries) throws KernelSocket.Refused {
        value.set(JAVA_INT, 0, entries);
        set(value, call, name, 4);
    }

    private void set(MemorySegment value, String call, int name, int bytes) throws KernelSocket.Refused {
        check(call, libc.setsockopt(descriptor, Xdp.SOL_XDP, name, value, bytes));
    }

    private XskRing map(MemorySegment offsets, long at, long page, int entryBytes, int size, boolean isProducer)
            throws KernelSocket.Refused {
        long producerAt = offsets.get(JAVA_LONG, at + Xdp.OFFSET_PRODUCER);
        long consumerAt = offsets.get(JAVA_LONG, at + Xdp.OFFSET_CONSUMER);
        long flagsAt = offsets.get(JAVA_LONG, at + Xdp.OFFSET_FLAGS);
        long entriesAt = offsets.get(JAVA_LONG, at + Xdp.OFFSET_DESCRIPTORS);
        long bytes = entriesAt + (long) size * entryBytes;
        long address = libc.map(descriptor, bytes, page);
        if (address < 0) {
            unmap();
            throw new KernelSocket.Refused("mmap of a ring", (int) address);
        }
        mappings.add(new Mapping(address, bytes));
        MemorySegment memory = libc.memory(address, bytes);
        return new XskRing(
                memory,
                isProducer ? producerAt : consumerAt,
                isProducer ? consumerAt : producerAt,
                flagsAt,
                entriesAt,
                entryBytes,
                size);
    }

    private void bind(int interfaceIndex, XdpOptions options) throws KernelSocket.Refused {
        isBusyPolled = options.busyPollUsecs() > 0 && pollBusily(options.busyPollUsecs());
        int result = -Errno.EOPNOTSUPP;
        if (options.zeroCopy() != XdpOptions.ZeroCopy.OFF && options.mode() != XdpOptions.Mode.GENERIC) {
            result = bind(interfaceIndex, options.queue(), Xdp.ZEROCOPY | Xdp.USE_NEED_WAKEUP);
            isZeroCopy = result == 0;
        }
        if (result < 0 && result != -Errno.EBUSY && options.zeroCopy() != XdpOptions.ZeroCopy.REQUIRED) {
            result = bind(interfaceIndex, options.queue(), Xdp.COPY | Xdp.USE_NEED_WAKEUP);
        }
        check("bind of an AF_XDP socket", result);
    }

    private int bind(int interfaceIndex, int queue, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(Xdp.ADDRESS_SIZE, 4);
            address.set(JAVA_SHORT, Xdp.ADDRESS_FAMILY, (short) Xdp.AF_XDP);
            address.set(JAVA_SHORT, Xdp.ADDRESS_FLAGS, (short) flags);
            address.set(JAVA_INT, Xdp.ADDRESS_INTERFACE, interfaceIndex);
            address.set(JAVA_INT, Xdp.ADDRESS_QUEUE, queue);
            int result = libc.bind(descriptor, address, Xdp.ADDRESS_SIZE);
            // The kernel gives the queue of a process that has ended back a moment later.
            for (int tried = 1; result == -Errno.EBUSY && tried < BIND_TRIES; tried++) {
                LockSupport.parkNanos(BIND_PAUSE_NS);
                result = libc.bind(descriptor, address, Xdp.ADDRESS_SIZE);
            }
            return result;
        }
    }

    /** Kernels before 5.11 do not have it. */
    private boolean pollBusily(int usecs) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(4, 4);
            return trySet(value, Socket.SO_PREFER_BUSY_POLL, 1)
                    && trySet(value, Socket.SO_BUSY_POLL, usecs)
                    && trySet(value, Socket.SO_BUSY_POLL_BUDGET, BUSY_POLL_BUDGET);
        }
    }

    private boolean trySet(MemorySegment value, int name, int wanted) {
        value.set(JAVA_INT, 0, wanted);
        return libc.setsockopt(descriptor, Socket.SOL_SOCKET, name, value, 4) == 0;
    }

    private static int check(String call, int result) throws KernelSocket.Refused {
        if (result < 0) {
            throw new KernelSocket.Refused(call, result);
        }
        return result;
    }

    boolean isZeroCopy() {
        return isZeroCopy;
    }

    boolean isBusyPolled() {
        return isBusyPolled;
    }

    // ---- receiving

    /** Frames that have arrived. */
    int available() {
        return received.available();
    }

    /** Where in the UMEM the packet lies that is so far ahead among those available. */
    long receivedAt(int ahead) {
        return received.address(ahead);
    }

    int receivedBytes(int ahead) {
        return received.length(ahead);
    }

    /** Takes so many frames out of the ring; they are to be given back with {@link #giveBack}. */
    void take(int frames) {
        for (int i = 0; i < frames; i++) {
            umem.received(umem.frame(received.address(i)));
        }
        received.advance(frames);
    }

    /**
     * Lends frames to the kernel again.
     *
     * @param frames their numbers, from the first of the array on
     */
    void giveBack(int[] frames, int count) {
        if (count == 0) {
            return;
        }
        // There is room for all frames of the UMEM that are for receiving.
        for (int i = 0; i < count; i++) {
            umem.lend(frames[i]);
            fill.address(i, umem.address(frames[i]));
        }
        fill.room(count);
        fill.advance(count);
    }

    /** Nothing has arrived: lets the kernel look, where it waits to be told. */
    void look() {
        if (isBusyPolled || isZeroCopy && fill.needsWakeup()) {
            libc.receive(descriptor, MemorySegment.NULL, 0, Socket.MSG_DONTWAIT);
        }
    }

    // ---- sending

    /** Frames that can be sent now. */
    int room() {
        int done = sent.available();
        for (int i = 0; i < done; i++) {
            umem.sent(umem.frame(sent.address(i)));
        }
        if (done > 0) {
            sent.advance(done);
        }
        return Math.min(umem.freeFrames(), toSend.room(umem.sendFrames) - unpublished);
    }

    /** Puts a frame that was taken from the UMEM into the ring; {@link #kick} lets it go. */
    void put(int frame, int bytes) {
        toSend.descriptor(unpublished++, umem.address(frame), bytes);
    }

    /** Whether frames wait for another {@link #kick}. */
    boolean isPending() {
        return toSend.pending() > 0;
    }

    /** Lets the kernel send what is in the ring, as much as it takes. */
    void kick() {
        if (unpublished > 0) {
            toSend.advance(unpublished);
            unpublished = 0;
        }
        sendError = 0;
        for (int tried = 0; tried < MAX_KICKS && toSend.pending() > 0 && toSend.needsWakeup(); tried++) {
            int before = toSend.pending();
            int result = libc.send(descriptor, MemorySegment.NULL, 0, Socket.MSG_DONTWAIT);
            kicks++;
            if (result < 0 && result != -Errno.EAGAIN && result != -Errno.EBUSY && result != -Errno.ENOBUFS) {
                sendError = result;
                return;
            }
            if (toSend.pending() == before) {
                return;
            }
        }
    }

    // ---- knowing, ending

    /** Packets the kernel has dropped since it had no frame for them, as far as it says; counts on. */
    long overflows() {
        length.set(JAVA_INT, 0, Xdp.STATISTICS_SIZE);
        if (libc.getsockopt(descriptor, Xdp.SOL_XDP, Xdp.STATISTICS, statistics, length) < 0) {
            return 0;
        }
        // Copying, the kernel counts a packet as dropped and the look for a frame as one that failed; an interface that
        // has no
        // frame drops by itself.
        return statistics.get(JAVA_LONG, Xdp.STATISTICS_RX_FULL)
                + statistics.get(JAVA_LONG, isZeroCopy ? Xdp.STATISTICS_FILL_EMPTY : Xdp.STATISTICS_DROPPED);
    }

    /** Gives the queue back. Nobody may use the socket any more. */
    void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        libc.close(descriptor);
        unmap();
    }

    /** A mapping that is left keeps the socket. */
    private void unmap() {
        mappings.forEach(mapping -> libc.unmap(mapping.address, mapping.bytes));
        mappings.clear();
    }
}
