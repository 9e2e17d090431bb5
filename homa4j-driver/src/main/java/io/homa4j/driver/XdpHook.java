package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.homa4j.driver.libc.Bpf;
import io.homa4j.driver.libc.Errno;
import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.Socket;
import io.homa4j.driver.libc.Xdp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.LockSupport;

/**
 * The place of an XDP program at an interface. It is held by a link, which the kernel takes away with the process; kernels
 * before 5.9 have none, so there the program is attached to the interface itself and outlives a killed process. The next process
 * knows it by its name, knows that nobody uses it any more by holding the {@link Claim}, and takes it off.
 */
final class XdpHook {
    /** How long the program of a process that has just been killed may stay. */
    private static final int TRIES = 100;

    private static final long PAUSE_NS = 10_000_000;

    private final Libc libc;
    private final Rtnetlink kernel;
    private final int interfaceIndex;
    private final int program;
    /** Of the link; -1: attached the old way. */
    private final int link;

    private final int mode;

    private XdpHook(Libc libc, Rtnetlink kernel, int interfaceIndex, int program, int link, int mode) {
        this.libc = libc;
        this.kernel = kernel;
        this.interfaceIndex = interfaceIndex;
        this.program = program;
        this.link = link;
        this.mode = mode;
    }

    /**
     * One process at a time may use an interface: the one that holds a name which the kernel gives to one at a time (an abstract Unix
     * socket, per network namespace, free again when the process dies).
     */
    static final class Claim {
        private static final int AF_UNIX = 1;
        private final Libc libc;
        private final int descriptor;

        private Claim(Libc libc, int descriptor) {
            this.libc = libc;
            this.descriptor = descriptor;
        }

        /**
         * @throws KernelSocket.Refused EADDRINUSE: another process has it
         */
        static Claim take(Libc libc, int interfaceIndex) throws KernelSocket.Refused {
            int descriptor = libc.socket(AF_UNIX, Socket.SOCK_DGRAM | Socket.SOCK_CLOEXEC, 0);
            if (descriptor < 0) {
                throw new KernelSocket.Refused("socket AF_UNIX", descriptor);
            }
            byte[] name = ("\0homa4j.xdp." + interfaceIndex).getBytes(StandardCharsets.US_ASCII);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment address = arena.allocate(2 + name.length, 8);
                address.set(JAVA_SHORT, 0, (short) AF_UNIX);
                MemorySegment.copy(name, 0, address, JAVA_BYTE, 2, name.length);
                int result = libc.bind(descriptor, address, (int) address.byteSize());
                if (result < 0) {
                    libc.close(descriptor);
                    throw new KernelSocket.Refused("the claim to an interface", result);
                }
            }
            return new Claim(libc, descriptor);
        }

        void give() {
            libc.close(descriptor);
        }
    }

    /**
     * Attaches a program; only with the {@link Claim} to the interface.
     *
     * @param withLink false: as with a kernel that has no links
     * @throws KernelSocket.Refused EBUSY: a program that is not ours is there
     */
    static XdpHook attach(
            Libc libc,
            Rtnetlink kernel,
            Rtnetlink.Link at,
            XdpProgram program,
            XdpOptions.Mode wanted,
            boolean withLink)
            throws KernelSocket.Refused {
        int[] modes = switch (wanted) {
            case AUTO -> new int[] {Xdp.FLAGS_DRV_MODE, Xdp.FLAGS_SKB_MODE};
            case NATIVE -> new int[] {Xdp.FLAGS_DRV_MODE};
            case GENERIC -> new int[] {Xdp.FLAGS_SKB_MODE};
        };
        int result = -Errno.EOPNOTSUPP;
        for (int tried = 0; tried < TRIES; tried++) {
            for (int mode : modes) {
                int link = withLink ? link(libc, program.descriptor, at.index(), mode) : -Errno.EINVAL;
                if (link >= 0) {
                    return new XdpHook(libc, kernel, at.index(), program.descriptor, link, mode);
                }
                result = link;
                if (result == -Errno.EINVAL) {
                    // No links in this kernel, or a program that does not fit the driver: what the old way says counts.
                    result = kernel.attachXdp(at.index(), program.descriptor, Xdp.FLAGS_UPDATE_IF_NOEXIST | mode, -1);
                    if (result == 0) {
                        return new XdpHook(libc, kernel, at.index(), program.descriptor, -1, mode);
                    }
                }
                if (isTaken(result)) {
                    break;
                }
            }
            if (!isTaken(result) || !removeLeftOver(libc, kernel, at.index())) {
                break;
            }
        }
        throw new KernelSocket.Refused("attaching the XDP program", isTaken(result) ? -Errno.EBUSY : result);
    }

    private static boolean isTaken(int result) {
        return result == -Errno.EBUSY || result == -Errno.EEXIST;
    }

    private static int link(Libc libc, int program, int interfaceIndex, int mode) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment wish = arena.allocate(Bpf.ATTRIBUTE_SIZE, 8);
            wish.set(JAVA_INT, Bpf.LINK_PROGRAM, program);
            wish.set(JAVA_INT, Bpf.LINK_INTERFACE, interfaceIndex);
            wish.set(JAVA_INT, Bpf.LINK_ATTACH_TYPE, Bpf.ATTACH_XDP);
            wish.set(JAVA_INT, Bpf.LINK_FLAGS, mode);
            return libc.bpf(Bpf.LINK_CREATE, wish);
        }
    }

    /**
     * Takes the program off that a process of this kind has left behind, or waits a little for the kernel to do so.
     *
     * @return whether to try again: false if what is there is not of this kind
     */
    private static boolean removeLeftOver(Libc libc, Rtnetlink kernel, int interfaceIndex) throws KernelSocket.Refused {
        int id = attached(kernel, interfaceIndex);
        if (id == 0) {
            return true;
        }
        int program = byId(libc, id);
        if (program == -Errno.ENOENT) {
            return true;
        }
        if (program < 0) {
            return false;
        }
        try {
            if (!name(libc, program).equals(XdpProgram.NAME)) {
                return false;
            }
            for (int mode : new int[] {Xdp.FLAGS_DRV_MODE, Xdp.FLAGS_SKB_MODE}) {
                if (kernel.attachXdp(interfaceIndex, -1, mode | Xdp.FLAGS_REPLACE, program) == 0) {
                    return true;
                }
            }
        } finally {
            libc.close(program);
        }
        // Held by a link that is on its way out.
        LockSupport.parkNanos(PAUSE_NS);
        return true;
    }

    private static int attached(Rtnetlink kernel, int interfaceIndex) throws KernelSocket.Refused {
        for (Rtnetlink.Link link : kernel.links()) {
            if (link.index() == interfaceIndex) {
                return link.xdpProgram();
            }
        }
        return 0;
    }

    private static int byId(Libc libc, int id) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment wish = arena.allocate(Bpf.ATTRIBUTE_SIZE, 8);
            wish.set(JAVA_INT, Bpf.ID, id);
            return libc.bpf(Bpf.PROG_GET_FD_BY_ID, wish);
        }
    }

    private static String name(Libc libc, int program) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(Bpf.PROG_INFO_SIZE, 8);
            MemorySegment wish = arena.allocate(Bpf.ATTRIBUTE_SIZE, 8);
            wish.set(JAVA_INT, Bpf.INFO_DESCRIPTOR, program);
            wish.set(JAVA_INT, Bpf.INFO_LENGTH, Bpf.PROG_INFO_SIZE);
            wish.set(JAVA_LONG, Bpf.INFO_ADDRESS, info.address());
            return libc.bpf(Bpf.OBJ_GET_INFO_BY_FD, wish) < 0 ? "" : info.getString(Bpf.PROG_INFO_NAME);
        }
    }

    /** The name of the program at an interface, for people; empty if there is none or it does not say. */
    static String program(Libc libc, Rtnetlink kernel, int interfaceIndex) throws KernelSocket.Refused {
        int id = attached(kernel, interfaceIndex);
        int program = id == 0 ? -Errno.ENOENT : byId(libc, id);
        if (program < 0) {
            return "";
        }
        try {
            return name(libc, program);
        } finally {
            libc.close(program);
        }
    }

    boolean isNative() {
        return mode == Xdp.FLAGS_DRV_MODE;
    }

    boolean isLink() {
        return link >= 0;
    }

    /** Takes the program off the interface. */
    void detach() {
        if (isLink()) {
            libc.close(link);
        } else {
            // Nobody else's, should ours have been replaced.
            kernel.attachXdp(interfaceIndex, -1, mode | Xdp.FLAGS_REPLACE, program);
        }
    }
}
