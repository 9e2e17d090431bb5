package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.homa4j.driver.DriverException.Kind;
import io.homa4j.driver.libc.Errno;
import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.Socket;
import io.homa4j.driver.libc.SocketAddress;
import io.homa4j.protocol.Address;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.Inet6Address;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * One non-blocking datagram socket of the kernel, for one family, with the options Homa wants: DF set, errors of the network
 * queued, drops counted, local addresses told. Belongs to the owner of the driver, except where said.
 */
final class KernelSocket extends Watched {
    /** A system call that failed in a way the caller handles; the text is for people. */
    static final class Refused extends IOException {
        private static final long serialVersionUID = 1L;
        final int result;

        Refused(String call, int result) {
            super(call + ": " + Errno.text(result));
            this.result = result;
        }
    }

    final boolean isIpv6;
    /** IPv4 raw sockets bring the IP header with every packet. */
    final boolean isRaw;
    /** Halves of the local address; both 0 when bound to every address. */
    final long localHi;

    final long localLo;
    /** Port really bound; 0 for raw sockets. */
    final int port;
    /** SO_RCVBUF as granted, bytes of packets: half of what the kernel counts with its own overhead. */
    final int receiveBufferBytes;

    final boolean takesMerged;

    /** Number of the engine's socket that gets what arrives; -1: the port in the header says it. */
    int socket = -1;
    /** Polls in a row that found nothing. */
    int emptyPolls;
    /** Packets the kernel has dropped for want of buffer, as it last said; it counts on through 2^32. */
    int drops;
    /** Bytes sent since the kernel was last asked how many it still holds. */
    long sentSinceAsked;
    /** Bytes the kernel held when it was last asked. */
    long held;

    private KernelSocket(
            int descriptor,
            boolean isIpv6,
            boolean isRaw,
            long localHi,
            long localLo,
            int port,
            int receiveBufferBytes,
            boolean takesMerged) {
        super(descriptor);
        this.isIpv6 = isIpv6;
        this.isRaw = isRaw;
        this.localHi = localHi;
        this.localLo = localLo;
        this.port = port;
        this.receiveBufferBytes = receiveBufferBytes;
        this.takesMerged = takesMerged;
    }

    /** What is asked of a socket beside its address. */
    record Wish(int protocol, int receiveBufferBytes, int sendBufferBytes, boolean mergesReceived) {
        boolean isRaw() {
            return protocol != Socket.IPPROTO_UDP;
        }
    }

    /**
     * Opens and binds one. Any thread.
     *
     * @param local the address to bind to, of this family; null for all
     * @param port 0 for a free one
     */
    static KernelSocket open(Libc libc, boolean ipv6, @Nullable InetAddress local, int port, Wish wish) throws Refused {
        int type = (wish.isRaw() ? Socket.SOCK_RAW : Socket.SOCK_DGRAM) | Socket.SOCK_NONBLOCK | Socket.SOCK_CLOEXEC;
        int descriptor = check("socket", libc.socket(ipv6 ? Socket.AF_INET6 : Socket.AF_INET, type, wish.protocol));
        boolean isOpen = false;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(SocketAddress.SIZE_IPV6, 8);
            Options options = new Options(libc, descriptor, value);
            if (ipv6) {
                if (!wish.isRaw()) {
                    options.set(Socket.IPPROTO_IPV6, Socket.IPV6_V6ONLY, 1);
                }
                options.set(Socket.IPPROTO_IPV6, Socket.IPV6_MTU_DISCOVER, Socket.IP_PMTUDISC_DO);
                options.set(Socket.IPPROTO_IPV6, Socket.IPV6_RECVERR, 1);
            } else {
                options.set(Socket.IPPROTO_IP, Socket.IP_MTU_DISCOVER, Socket.IP_PMTUDISC_DO);
                options.set(Socket.IPPROTO_IP, Socket.IP_RECVERR, 1);
            }
            if (local == null && ipv6) {
                options.set(Socket.IPPROTO_IPV6, Socket.IPV6_RECVPKTINFO, 1);
            } else if (local == null && !wish.isRaw()) {
                options.set(Socket.IPPROTO_IP, Socket.IP_PKTINFO, 1);
            }
            options.trySet(Socket.SOL_SOCKET, Socket.SO_RXQ_OVFL, 1);
            // With CAP_NET_ADMIN beyond net.core.rmem_max, else up to it.
            if (!options.trySet(Socket.SOL_SOCKET, Socket.SO_RCVBUFFORCE, wish.receiveBufferBytes)) {
                options.set(Socket.SOL_SOCKET, Socket.SO_RCVBUF, wish.receiveBufferBytes);
            }
            options.set(Socket.SOL_SOCKET, Socket.SO_SNDBUF, wish.sendBufferBytes);
            boolean takesMerged = wish.mergesReceived && options.trySet(Socket.IPPROTO_UDP, Socket.UDP_GRO, 1);
            int granted = options.get(Socket.SOL_SOCKET, Socket.SO_RCVBUF) / 2;

            byte[] bytes = local == null ? new byte[ipv6 ? 16 : 4] : local.getAddress();
            long hi = Address.hi(bytes);
            long lo = Address.lo(bytes);
            int length = SocketAddress.size(ipv6);
            SocketAddress.write(value, 0, ipv6, hi, lo, wish.isRaw() ? 0 : port);
            if (ipv6 && local instanceof Inet6Address scoped) {
                value.set(JAVA_INT, SocketAddress.SCOPE_IPV6, scoped.getScopeId());
            }
            check("bind", libc.bind(descriptor, value, length));
            MemorySegment room = arena.allocateFrom(JAVA_INT, length);
            check("getsockname", libc.getsockname(descriptor, value, room));
            isOpen = true;
            return new KernelSocket(
                    descriptor,
                    ipv6,
                    wish.isRaw(),
                    local == null ? 0 : hi,
                    local == null ? 0 : lo,
                    wish.isRaw() ? 0 : SocketAddress.port(value, 0),
                    granted,
                    takesMerged);
        } finally {
            if (!isOpen) {
                libc.close(descriptor);
            }
        }
    }

    /** Changes SO_SNDBUF; what the kernel lets this socket hold from now on, as it counts. */
    int sendBuffer(Libc libc, int bytes) {
        try (Arena arena = Arena.ofConfined()) {
            Options options = new Options(libc, descriptor, arena.allocate(16, 8));
            options.set(Socket.SOL_SOCKET, Socket.SO_SNDBUF, bytes);
            return options.get(Socket.SOL_SOCKET, Socket.SO_SNDBUF);
        } catch (Refused e) {
            throw new IllegalStateException("the send buffer cannot be changed: " + e.getMessage(), e);
        }
    }

    private static int check(String call, int result) throws Refused {
        if (result < 0) {
            throw new Refused(call, result);
        }
        return result;
    }

    /** Integer options of a socket. */
    private record Options(Libc libc, int descriptor, MemorySegment value) {
        void set(int level, int name, int wanted) throws Refused {
            value.set(JAVA_INT, 0, wanted);
            check("setsockopt " + level + "/" + name, libc.setsockopt(descriptor, level, name, value, 4));
        }

        boolean trySet(int level, int name, int wanted) {
            value.set(JAVA_INT, 0, wanted);
            return libc.setsockopt(descriptor, level, name, value, 4) == 0;
        }

        int get(int level, int name) throws Refused {
            MemorySegment length = value.asSlice(8, 4);
            length.set(JAVA_INT, 0, 4);
            check("getsockopt " + level + "/" + name, libc.getsockopt(descriptor, level, name, value, length));
            return value.get(JAVA_INT, 0);
        }
    }

    /** Why a socket could not be had, with a remedy. */
    static DriverException describe(String what, Refused e) {
        String where = "cannot bind " + what + ": ";
        return switch (-e.result) {
            case Errno.EADDRINUSE ->
                new DriverException(
                        Kind.PORT_IN_USE,
                        where + "the port is in use",
                        "choose another port, or stop the process that holds it (ss -ulpn)",
                        e);
            case Errno.EACCES, Errno.EPERM ->
                new DriverException(
                        Kind.PERMISSION,
                        where + "permission denied",
                        "use a port from 1024 on, or grant CAP_NET_BIND_SERVICE (CAP_NET_RAW for encapsulation ip)",
                        e);
            case Errno.EADDRNOTAVAIL ->
                new DriverException(
                        Kind.BAD_ADDRESS,
                        where + "this host does not have that address",
                        "use one of its own addresses, or none for all",
                        e);
            case Errno.EAFNOSUPPORT ->
                new DriverException(
                        Kind.BAD_ADDRESS,
                        where + "the address family is switched off",
                        "use an address of the other family, or switch this one on",
                        e);
            case Errno.EMFILE, Errno.ENFILE ->
                new DriverException(
                        Kind.NO_RESOURCES,
                        where + "too many open files",
                        "raise the limit of open files (ulimit -n)",
                        e);
            default -> new DriverException(Kind.OTHER, where + e.getMessage(), "see the cause", e);
        };
    }
}
