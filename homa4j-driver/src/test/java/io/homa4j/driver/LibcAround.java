package io.homa4j.driver;

import io.homa4j.driver.libc.FfmLibc;
import io.homa4j.driver.libc.Libc;
import java.lang.foreign.MemorySegment;

/** The real system calls, for tests that let some of them fail as another kernel would. */
class LibcAround implements Libc {
    final Libc inner = new FfmLibc();

    @Override
    public int socket(int family, int type, int protocol) {
        return inner.socket(family, type, protocol);
    }

    @Override
    public int bind(int descriptor, MemorySegment address, int length) {
        return inner.bind(descriptor, address, length);
    }

    @Override
    public int connect(int descriptor, MemorySegment address, int length) {
        return inner.connect(descriptor, address, length);
    }

    @Override
    public int getsockname(int descriptor, MemorySegment address, MemorySegment length) {
        return inner.getsockname(descriptor, address, length);
    }

    @Override
    public int setsockopt(int descriptor, int level, int name, MemorySegment value, int length) {
        return inner.setsockopt(descriptor, level, name, value, length);
    }

    @Override
    public int getsockopt(int descriptor, int level, int name, MemorySegment value, MemorySegment length) {
        return inner.getsockopt(descriptor, level, name, value, length);
    }

    @Override
    public int sendmmsg(int descriptor, MemorySegment messages, int count, int flags) {
        return inner.sendmmsg(descriptor, messages, count, flags);
    }

    @Override
    public int recvmmsg(int descriptor, MemorySegment messages, int count, int flags) {
        return inner.recvmmsg(descriptor, messages, count, flags);
    }

    @Override
    public int ioctl(int descriptor, long request, MemorySegment value) {
        return inner.ioctl(descriptor, request, value);
    }

    @Override
    public int epollCreate() {
        return inner.epollCreate();
    }

    @Override
    public int epollControl(int epoll, int operation, int descriptor, MemorySegment event) {
        return inner.epollControl(epoll, operation, descriptor, event);
    }

    @Override
    public int epollWait(int epoll, MemorySegment events, int maxEvents, MemorySegment timeout) {
        return inner.epollWait(epoll, events, maxEvents, timeout);
    }

    @Override
    public int eventfd() {
        return inner.eventfd();
    }

    @Override
    public int read(int descriptor, MemorySegment target, long bytes) {
        return inner.read(descriptor, target, bytes);
    }

    @Override
    public int write(int descriptor, MemorySegment source, long bytes) {
        return inner.write(descriptor, source, bytes);
    }

    @Override
    public int close(int descriptor) {
        return inner.close(descriptor);
    }

    @Override
    public int send(int descriptor, MemorySegment source, long bytes, int flags) {
        return inner.send(descriptor, source, bytes, flags);
    }

    @Override
    public int receive(int descriptor, MemorySegment target, long bytes, int flags) {
        return inner.receive(descriptor, target, bytes, flags);
    }

    @Override
    public long map(int descriptor, long bytes, long offset) {
        return inner.map(descriptor, bytes, offset);
    }

    @Override
    public int unmap(long address, long bytes) {
        return inner.unmap(address, bytes);
    }

    @Override
    public MemorySegment memory(long address, long bytes) {
        return inner.memory(address, bytes);
    }

    @Override
    public int bpf(int command, MemorySegment attribute) {
        return inner.bpf(command, attribute);
    }
}
