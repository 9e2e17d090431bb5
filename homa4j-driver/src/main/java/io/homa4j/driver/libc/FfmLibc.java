package io.homa4j.driver.libc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteOrder;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * System calls through the C library of the process. The error of a call is caught in memory of this object before the JVM
 * can overwrite it.
 *
 * <p>No call is declared {@code critical}: that saves 10 ns of the 240 of an empty {@code recvmmsg} here, and a call that
 * copies a batch would keep the collector waiting.
 */
public final class FfmLibc implements Libc {
    /** The C library has no function for it. */
    private static final long SYS_BPF = System.getProperty("os.arch", "").equals("aarch64") ? 280 : 321;

    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED_POPULATE = 0x8001;
    private static final int EPOLL_CLOEXEC = 0x80000;
    private static final int EFD_CLOEXEC_NONBLOCK = 0x80800;

    private final MemorySegment error = Arena.ofAuto().allocate(Handles.STATE);

    /**
     * Why there are no system calls here, as the rest of a sentence; null if there are. Loading the functions needs native
     * access, which the user may have denied.
     */
    public static @Nullable String obstacle() {
        String system = System.getProperty("os.name", "");
        String processor = System.getProperty("os.arch", "");
        if (!system.toLowerCase(Locale.ROOT).equals("linux")) {
            return "it needs Linux, and this is " + system;
        }
        if (!processor.equals("amd64") && !processor.equals("aarch64")
                || ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            return "it is made for amd64 and aarch64, and this is " + processor;
        }
        Module own = FfmLibc.class.getModule();
        if (!own.isNativeAccessEnabled()) {
            return "native access is denied; allow it with --enable-native-access="
                    + (own.isNamed() ? own.getName() : "ALL-UNNAMED");
        }
        String missing = Handles.MISSING;
        return missing == null ? null : "the C library lacks " + missing;
    }

    /** The functions; a class of its own, so that nothing native is touched before {@link #obstacle} has been asked. */
    @SuppressWarnings("restricted") // the one place for system calls
    private static final class Handles {
        static final Linker LINKER = Linker.nativeLinker();
        static final StructLayout STATE = Linker.Option.captureStateLayout();
        static final String[] NAMES = {
            "socket",
            "bind",
            "connect",
            "getsockname",
            "setsockopt",
            "getsockopt",
            "sendmmsg",
            "recvmmsg",
            "send",
            "recv",
            "ioctl",
            "epoll_create1",
            "epoll_ctl",
            "epoll_pwait2",
            "eventfd",
            "read",
            "write",
            "close",
            "mmap",
            "munmap",
            "syscall"
        };
        /** The first function that the C library lacks; null if there is none. */
        static final @Nullable String MISSING = missing();

        static final MethodHandle SOCKET = handle("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
        static final MethodHandle BIND = handle("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
        static final MethodHandle CONNECT = handle("connect", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
        static final MethodHandle GETSOCKNAME = handle("getsockname", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
        static final MethodHandle SETSOCKOPT =
                handle("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
        static final MethodHandle GETSOCKOPT =
                handle("getsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
        static final MethodHandle SENDMMSG = handle("sendmmsg", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
        static final MethodHandle RECVMMSG =
                handle("recvmmsg", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
        static final MethodHandle SEND = handle("send", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
        static final MethodHandle RECV = handle("recv", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
        static final MethodHandle IOCTL = link(
                "ioctl",
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
                Linker.Option.captureCallState("errno"),
                Linker.Option.firstVariadicArg(2));
        static final MethodHandle EPOLL_CREATE = handle("epoll_create1", JAVA_INT, JAVA_INT);
        static final MethodHandle EPOLL_CTL = handle("epoll_ctl", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
        static final MethodHandle EPOLL_WAIT =
                handle("epoll_pwait2", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
        static final MethodHandle EVENTFD = handle("eventfd", JAVA_INT, JAVA_INT, JAVA_INT);
        static final MethodHandle READ = handle("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
        static final MethodHandle WRITE = handle("write", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
        static final MethodHandle CLOSE = handle("close", JAVA_INT, JAVA_INT);
        static final MethodHandle MMAP =
                handle("mmap", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
        static final MethodHandle MUNMAP = handle("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG);
        static final MethodHandle BPF = link(
                "syscall",
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG),
                Linker.Option.captureCallState("errno"),
                Linker.Option.firstVariadicArg(1));

        private static @Nullable String missing() {
            for (String name : NAMES) {
                if (LINKER.defaultLookup().find(name).isEmpty()) {
                    return name;
                }
            }
            return null;
        }

        private static MethodHandle handle(String name, MemoryLayout result, MemoryLayout... arguments) {
            return link(name, FunctionDescriptor.of(result, arguments), Linker.Option.captureCallState("errno"));
        }

        private static MethodHandle link(String name, FunctionDescriptor type, Linker.Option... options) {
            return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type, options);
        }
    }

    private int result(int returned) {
        return returned < 0 ? -error.get(JAVA_INT, 0) : returned;
    }

    /** A downcall throws nothing of its own: whatever comes is a broken invariant of this class. */
    private static AssertionError broken(Throwable cause) {
        return new AssertionError("a system call could not be made", cause);
    }

    @Override
    public int socket(int family, int type, int protocol) {
        try {
            return result((int) Handles.SOCKET.invokeExact(error, family, type, protocol));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int bind(int descriptor, MemorySegment address, int length) {
        try {
            return result((int) Handles.BIND.invokeExact(error, descriptor, address, length));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int connect(int descriptor, MemorySegment address, int length) {
        try {
            return result((int) Handles.CONNECT.invokeExact(error, descriptor, address, length));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int getsockname(int descriptor, MemorySegment address, MemorySegment length) {
        try {
            return result((int) Handles.GETSOCKNAME.invokeExact(error, descriptor, address, length));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int setsockopt(int descriptor, int level, int name, MemorySegment value, int length) {
        try {
            return result((int) Handles.SETSOCKOPT.invokeExact(error, descriptor, level, name, value, length));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int getsockopt(int descriptor, int level, int name, MemorySegment value, MemorySegment length) {
        try {
            return result((int) Handles.GETSOCKOPT.invokeExact(error, descriptor, level, name, value, length));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int sendmmsg(int descriptor, MemorySegment messages, int count, int flags) {
        try {
            return result((int) Handles.SENDMMSG.invokeExact(error, descriptor, messages, count, flags));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int recvmmsg(int descriptor, MemorySegment messages, int count, int flags) {
        try {
            return result(
                    (int) Handles.RECVMMSG.invokeExact(error, descriptor, messages, count, flags, MemorySegment.NULL));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int send(int descriptor, MemorySegment source, long bytes, int flags) {
        try {
            return result((int) (long) Handles.SEND.invokeExact(error, descriptor, source, bytes, flags));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int receive(int descriptor, MemorySegment target, long bytes, int flags) {
        try {
            return result((int) (long) Handles.RECV.invokeExact(error, descriptor, target, bytes, flags));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int ioctl(int descriptor, long request, MemorySegment value) {
        try {
            return result((int) Handles.IOCTL.invokeExact(error, descriptor, request, value));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int epollCreate() {
        try {
            return result((int) Handles.EPOLL_CREATE.invokeExact(error, EPOLL_CLOEXEC));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int epollControl(int epoll, int operation, int descriptor, MemorySegment event) {
        try {
            return result((int) Handles.EPOLL_CTL.invokeExact(error, epoll, operation, descriptor, event));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int epollWait(int epoll, MemorySegment events, int maxEvents, MemorySegment timeout) {
        try {
            return result(
                    (int) Handles.EPOLL_WAIT.invokeExact(error, epoll, events, maxEvents, timeout, MemorySegment.NULL));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int eventfd() {
        try {
            return result((int) Handles.EVENTFD.invokeExact(error, 0, EFD_CLOEXEC_NONBLOCK));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int read(int descriptor, MemorySegment target, long bytes) {
        try {
            return result((int) (long) Handles.READ.invokeExact(error, descriptor, target, bytes));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int write(int descriptor, MemorySegment source, long bytes) {
        try {
            return result((int) (long) Handles.WRITE.invokeExact(error, descriptor, source, bytes));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int close(int descriptor) {
        try {
            return result((int) Handles.CLOSE.invokeExact(error, descriptor));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public long map(int descriptor, long bytes, long offset) {
        try {
            long address = (long) Handles.MMAP.invokeExact(
                    error, 0L, bytes, PROT_READ_WRITE, MAP_SHARED_POPULATE, descriptor, offset);
            return address == -1 ? -error.get(JAVA_INT, 0) : address;
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    public int unmap(long address, long bytes) {
        try {
            return result((int) Handles.MUNMAP.invokeExact(error, address, bytes));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    @Override
    @SuppressWarnings("restricted") // the caller says how long the memory is there
    public MemorySegment memory(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    @Override
    public int bpf(int command, MemorySegment attribute) {
        try {
            return result((int)
                    (long) Handles.BPF.invokeExact(error, SYS_BPF, (long) command, attribute, attribute.byteSize()));
        } catch (Throwable e) {
            throw broken(e);
        }
    }
}
