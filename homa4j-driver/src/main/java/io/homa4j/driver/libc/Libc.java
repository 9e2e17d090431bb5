package io.homa4j.driver.libc;

import java.lang.foreign.MemorySegment;

/**
 * System calls. Every method returns what the call returns, or {@code -errno} ({@link Errno}) if it failed; nothing is
 * thrown for what a kernel may answer. Structures are native memory laid out by the classes of this package.
 *
 * <p>An instance keeps the error of its latest call, so it belongs to one thread at a time.
 */
public interface Libc {
    int socket(int family, int type, int protocol);

    int bind(int descriptor, MemorySegment address, int length);

    int connect(int descriptor, MemorySegment address, int length);

    /**
     * @param length room in {@code address} before, bytes of the address after
     */
    int getsockname(int descriptor, MemorySegment address, MemorySegment length);

    int setsockopt(int descriptor, int level, int name, MemorySegment value, int length);

    /**
     * @param length room in {@code value} before, bytes of the value after
     */
    int getsockopt(int descriptor, int level, int name, MemorySegment value, MemorySegment length);

    /**
     * @param messages an array of {@link MessageHeader}
     * @return messages sent, at least 1
     */
    int sendmmsg(int descriptor, MemorySegment messages, int count, int flags);

    /**
     * Without a timeout, so to be called with {@link Socket#MSG_DONTWAIT} or on a non-blocking socket.
     *
     * @param messages an array of {@link MessageHeader}
     * @return messages received, at least 1
     */
    int recvmmsg(int descriptor, MemorySegment messages, int count, int flags);

    /**
     * Sends to where the socket is bound or connected.
     *
     * @param source {@link MemorySegment#NULL} with no bytes only lets an AF_XDP socket send what is in its ring
     */
    int send(int descriptor, MemorySegment source, long bytes, int flags);

    /**
     * @param target {@link MemorySegment#NULL} with no bytes only lets an AF_XDP socket look for packets
     * @return bytes received; 0 from a stream that has ended, or from an AF_XDP socket
     */
    int receive(int descriptor, MemorySegment target, long bytes, int flags);

    /** Asks for or changes an {@code int}. */
    int ioctl(int descriptor, long request, MemorySegment value);

    /** A new epoll, closed on exec. */
    int epollCreate();

    /**
     * @param event an {@link EpollEvent}
     */
    int epollControl(int epoll, int operation, int descriptor, MemorySegment event);

    /**
     * Waits; the only call that may block.
     *
     * @param events room for {@code maxEvents} {@link EpollEvent}s
     * @param timeout a {@link TimeSpec}; {@link MemorySegment#NULL} waits for ever
     */
    int epollWait(int epoll, MemorySegment events, int maxEvents, MemorySegment timeout);

    /** A non-blocking event counter, closed on exec. */
    int eventfd();

    int read(int descriptor, MemorySegment target, long bytes);

    int write(int descriptor, MemorySegment source, long bytes);

    int close(int descriptor);

    /**
     * Maps memory of a descriptor that both sides write, present at once.
     *
     * @return its address, or the negative error
     */
    long map(int descriptor, long bytes, long offset);

    /** Gives it back; nobody may touch it any more. */
    int unmap(long address, long bytes);

    /** Memory that the kernel has mapped, to be looked at until {@link #unmap}. */
    MemorySegment memory(long address, long bytes);

    /**
     * @param command of {@link Bpf}
     * @param attribute {@link Bpf#ATTRIBUTE_SIZE} bytes
     */
    int bpf(int command, MemorySegment attribute);
}
