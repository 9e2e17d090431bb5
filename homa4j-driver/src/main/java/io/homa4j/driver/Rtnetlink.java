package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.homa4j.driver.libc.Errno;
import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.Netlink;
import io.homa4j.driver.libc.Socket;
import io.homa4j.protocol.Address;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the kernel knows about interfaces, addresses, routes and neighbours: asked for, and told of changes. Ethernet addresses
 * are the lower six bytes of a long, the first byte lowest. Asking takes some microseconds. Owner.
 */
final class Rtnetlink {
    /** Told of changes. */
    interface Listener {
        /**
         * A neighbour has changed.
         *
         * @param state a bit of {@link Netlink}; 0: it is gone
         * @param linkAddress only with a state in which it is known
         */
        void neighbour(int interfaceIndex, long hi, long lo, int state, long linkAddress);

        /** Interfaces, addresses or routes have changed, or changes were lost. */
        void changed();
    }

    /**
     * An interface.
     *
     * @param xdpProgram id of the XDP program attached; 0: none
     */
    record Link(
            int index, String name, int hardware, boolean isUp, int mtu, long linkAddress, int queues, int xdpProgram) {
        boolean isEthernet() {
            return hardware == Netlink.HARDWARE_ETHERNET;
        }
    }

    private static final int BUFFER_BYTES = 64 << 10;
    /** Room for queued changes: beyond it the kernel says ENOBUFS, and all is looked at anew. */
    private static final int EVENT_BUFFER_BYTES = 1 << 20;

    /** Messages of changes taken at a time. */
    private static final int MAX_READS = 64;

    private static final int DUMP_TRIES = 5;

    private final Libc libc;
    private final int asking;
    private final int listening;
    private final MemorySegment request = Arena.ofAuto().allocate(256, 8);
    private final MemorySegment answer = Arena.ofAuto().allocate(BUFFER_BYTES, 8);

    private int requestBytes;
    private int sequence;

    // ---- what the latest route() found

    int routeInterface;
    /** Halves of the address of the next hop: of a router, or of the target itself. */
    long nextHopHi;

    long nextHopLo;
    /** Halves of the address that packets shall leave from. */
    long sourceHi;

    long sourceLo;
    /** Bytes of IP packets on this path; 0: those of the interface. */
    int routeMtu;
    /** 0: the usual. */
    int hopLimit;
    /** To one neighbour on Ethernet-like links, without anything around the packets. */
    boolean isPlainRoute;

    // ---- what the latest neighbour() found

    long linkAddress;

    /**
     * @throws KernelSocket.Refused if the process may open no more files
     */
    Rtnetlink(Libc libc) throws KernelSocket.Refused {
        this.libc = libc;
        asking = open(0);
        boolean isOpen = false;
        try {
            listening = open(Netlink.GROUP_LINK
                    | Netlink.GROUP_NEIGHBOUR
                    | Netlink.GROUP_IPV4_ADDRESS
                    | Netlink.GROUP_IPV4_ROUTE
                    | Netlink.GROUP_IPV6_ADDRESS
                    | Netlink.GROUP_IPV6_ROUTE);
            isOpen = true;
        } finally {
            if (!isOpen) {
                libc.close(asking);
            }
        }
    }

    private int open(int groups) throws KernelSocket.Refused {
        int descriptor = libc.socket(Netlink.AF_NETLINK, Socket.SOCK_RAW | Socket.SOCK_CLOEXEC, Netlink.NETLINK_ROUTE);
        if (descriptor < 0) {
            throw new KernelSocket.Refused("socket AF_NETLINK", descriptor);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(Netlink.ADDRESS_SIZE, 4);
            value.set(JAVA_INT, 0, EVENT_BUFFER_BYTES);
            if (groups != 0 && libc.setsockopt(descriptor, Socket.SOL_SOCKET, Socket.SO_RCVBUFFORCE, value, 4) < 0) {
                libc.setsockopt(descriptor, Socket.SOL_SOCKET, Socket.SO_RCVBUF, value, 4);
            }
            value.fill((byte) 0);
            value.set(JAVA_SHORT, 0, (short) Netlink.AF_NETLINK);
            value.set(JAVA_INT, Netlink.ADDRESS_GROUPS, groups);
            int result = libc.bind(descriptor, value, Netlink.ADDRESS_SIZE);
            if (result < 0) {
                libc.close(descriptor);
                throw new KernelSocket.Refused("bind of a netlink socket", result);
            }
        }
        return descriptor;
    }

    // ---- requests

    private void begin(int type, int flags, int bodyBytes) {
        requestBytes = Netlink.HEADER_SIZE + bodyBytes;
        request.asSlice(0, requestBytes).fill((byte) 0);
        request.set(JAVA_SHORT, Netlink.TYPE, (short) type);
        request.set(JAVA_SHORT, Netlink.FLAGS, (short) (Netlink.F_REQUEST | flags));
        request.set(JAVA_INT, Netlink.SEQUENCE, ++sequence);
    }

    /** Begins an attribute; its data are to be written to where this says. */
    private long attribute(int type, int bytes) {
        long at = requestBytes;
        request.set(JAVA_SHORT, at + Netlink.ATTRIBUTE_LENGTH, (short) (Netlink.ATTRIBUTE_HEADER + bytes));
        request.set(JAVA_SHORT, at + Netlink.ATTRIBUTE_TYPE, (short) type);
        requestBytes += Netlink.ATTRIBUTE_HEADER + padded(bytes);
        return at + Netlink.ATTRIBUTE_HEADER;
    }

    private void intAttribute(int type, int value) {
        request.set(JAVA_INT, attribute(type, 4), value);
    }

    private void address(int type, long hi, long lo) {
        if (Address.isIpv4(hi, lo)) {
            intAttribute(type, Integer.reverseBytes((int) lo));
        } else {
            long at = attribute(type, 16);
            request.set(JAVA_LONG_UNALIGNED, at, Long.reverseBytes(hi));
            request.set(JAVA_LONG_UNALIGNED, at + 8, Long.reverseBytes(lo));
        }
    }

    private static int padded(int bytes) {
        return bytes + 3 & ~3;
    }

    private static byte family(long hi, long lo) {
        return (byte) (Address.isIpv4(hi, lo) ? Socket.AF_INET : Socket.AF_INET6);
    }

    /** Sends the request and reads the first answer: its bytes, or the negative error. The kernel answers at once. */
    private int ask() {
        request.set(JAVA_INT, Netlink.LENGTH, requestBytes);
        int result = libc.send(asking, request, requestBytes, 0);
        return result < 0 ? result : readAnswer();
    }

    /** The next datagram with answers to the latest request: its bytes, or the negative error that it tells of. */
    private int readAnswer() {
        while (true) {
            int bytes = libc.receive(asking, answer, BUFFER_BYTES, Socket.MSG_DONTWAIT);
            if (bytes == -Errno.EINTR) {
                continue;
            }
            if (bytes < Netlink.HEADER_SIZE) {
                return bytes < 0 ? bytes : -Errno.EIO;
            }
            if (answer.get(JAVA_INT, Netlink.SEQUENCE) != sequence) {
                // An answer to a request that was given up.
                continue;
            }
            if (answer.get(JAVA_SHORT, Netlink.TYPE) == Netlink.ERROR) {
                int error = answer.get(JAVA_INT, Netlink.HEADER_SIZE);
                return error == 0 ? bytes : error;
            }
            return bytes;
        }
    }

    // ---- routes and neighbours

    /**
     * Asks by which way packets to a target leave.
     *
     * @param fromHi halves of the local address they leave from; both 0: whichever suits
     * @return 0, or the negative error
     */
    int route(long hi, long lo, long fromHi, long fromLo) {
        boolean isIpv4 = Address.isIpv4(hi, lo);
        int bits = isIpv4 ? 32 : 128;
        begin(Netlink.GET_ROUTE, 0, Netlink.ROUTE_SIZE);
        request.set(JAVA_BYTE, Netlink.HEADER_SIZE + Netlink.ROUTE_FAMILY, family(hi, lo));
        request.set(JAVA_BYTE, Netlink.HEADER_SIZE + Netlink.ROUTE_TARGET_LENGTH, (byte) bits);
        address(Netlink.RTA_DST, hi, lo);
        if ((fromHi | fromLo) != 0) {
            request.set(JAVA_BYTE, Netlink.HEADER_SIZE + Netlink.ROUTE_SOURCE_LENGTH, (byte) bits);
            address(Netlink.RTA_SRC, fromHi, fromLo);
        }
        int bytes = ask();
        if (bytes < 0) {
            return bytes;
        }
        routeInterface = 0;
        nextHopHi = hi;
        nextHopLo = lo;
        sourceHi = fromHi;
        sourceLo = fromLo;
        routeMtu = 0;
        hopLimit = 0;
        isPlainRoute = answer.get(JAVA_BYTE, Netlink.HEADER_SIZE + Netlink.ROUTE_TYPE) == Netlink.TYPE_UNICAST;
        long end = Math.min(bytes, answer.get(JAVA_INT, Netlink.LENGTH));
        for (long at = Netlink.HEADER_SIZE + Netlink.ROUTE_SIZE; isAttribute(at, end); at = next(at)) {
            long data = at + Netlink.ATTRIBUTE_HEADER;
            switch (type(at)) {
                case Netlink.RTA_OIF -> routeInterface = answer.get(JAVA_INT, data);
                case Netlink.RTA_GATEWAY -> {
                    nextHopHi = addressHi(at);
                    nextHopLo = addressLo(at);
                }
                case Netlink.RTA_PREFSRC -> {
                    if ((fromHi | fromLo) == 0) {
                        sourceHi = addressHi(at);
                        sourceLo = addressLo(at);
                    }
                }
                case Netlink.RTA_METRICS -> readMetrics(data, at + length(at));
                case Netlink.RTA_VIA, Netlink.RTA_ENCAP -> isPlainRoute = false;
                default -> {
                    // Nothing that changes where a packet goes.
                }
            }
        }
        return 0;
    }

    private void readMetrics(long from, long end) {
        for (long at = from; isAttribute(at, end); at = next(at)) {
            int value = answer.get(JAVA_INT, at + Netlink.ATTRIBUTE_HEADER);
            if (type(at) == Netlink.RTAX_MTU) {
                routeMtu = value;
            } else if (type(at) == Netlink.RTAX_HOPLIMIT) {
                hopLimit = value;
            }
        }
    }

    /**
     * Asks for a neighbour.
     *
     * @return its state, a bit of {@link Netlink}; 0 or the negative error if it is not known
     */
    int neighbour(int interfaceIndex, long hi, long lo) {
        begin(Netlink.GET_NEIGHBOUR, 0, Netlink.NEIGHBOUR_SIZE);
        request.set(JAVA_BYTE, Netlink.HEADER_SIZE + Netlink.NEIGHBOUR_FAMILY, family(hi, lo));
        request.set(JAVA_INT, Netlink.HEADER_SIZE + Netlink.NEIGHBOUR_INTERFACE, interfaceIndex);
        address(Netlink.NDA_DST, hi, lo);
        int bytes = ask();
        if (bytes < 0) {
            return bytes;
        }
        linkAddress = 0;
        long end = Math.min(bytes, answer.get(JAVA_INT, Netlink.LENGTH));
        boolean isKnown = false;
        for (long at = Netlink.HEADER_SIZE + Netlink.NEIGHBOUR_SIZE; isAttribute(at, end); at = next(at)) {
            if (type(at) == Netlink.NDA_LLADDR && length(at) == Netlink.ATTRIBUTE_HEADER + 6) {
                linkAddress = readLinkAddress(at);
                isKnown = true;
            }
        }
        return isKnown ? answer.get(JAVA_SHORT, Netlink.HEADER_SIZE + Netlink.NEIGHBOUR_STATE) : 0;
    }

    // ---- interfaces and addresses

    /**
     * All interfaces of this network namespace.
     *
     * @throws KernelSocket.Refused if the kernel does not say
     */
    List<Link> links() throws KernelSocket.Refused {
        List<Link> links = new ArrayList<>();
        dump(
                Netlink.GET_LINK,
                Netlink.LINK_SIZE,
                (at, end) -> {
                    if (answer.get(JAVA_SHORT, at + Netlink.TYPE) == Netlink.NEW_LINK) {
                        links.add(link(at + Netlink.HEADER_SIZE, end));
                    }
                },
                links::clear);
        return links;
    }

    private Link link(long body, long end) {
        String name = "";
        int mtu = 0;
        long hardwareAddress = 0;
        int queues = 1;
        int program = 0;
        for (long at = body + Netlink.LINK_SIZE; isAttribute(at, end); at = next(at)) {
            long data = at + Netlink.ATTRIBUTE_HEADER;
            switch (type(at)) {
                case Netlink.IFLA_IFNAME -> name = answer.getString(data, StandardCharsets.UTF_8);
                case Netlink.IFLA_MTU -> mtu = answer.get(JAVA_INT, data);
                case Netlink.IFLA_NUM_RX_QUEUES -> queues = answer.get(JAVA_INT, data);
                case Netlink.IFLA_ADDRESS -> {
                    if (length(at) == Netlink.ATTRIBUTE_HEADER + 6) {
                        hardwareAddress = readLinkAddress(at);
                    }
                }
                case Netlink.IFLA_XDP -> program = xdpProgram(data, at + length(at));
                default -> {
                    // Nothing that matters here.
                }
            }
        }
        return new Link(
                answer.get(JAVA_INT, body + Netlink.LINK_INDEX),
                name,
                Short.toUnsignedInt(answer.get(JAVA_SHORT, body + Netlink.LINK_HARDWARE)),
                (answer.get(JAVA_INT, body + Netlink.LINK_FLAGS) & Netlink.IFF_UP) != 0,
                mtu,
                hardwareAddress,
                queues,
                program);
    }

    private int xdpProgram(long from, long end) {
        for (long at = from; isAttribute(at, end); at = next(at)) {
            if (type(at) == Netlink.IFLA_XDP_PROG_ID) {
                return answer.get(JAVA_INT, at + Netlink.ATTRIBUTE_HEADER);
            }
        }
        return 0;
    }

    /**
     * The addresses of this host that others may send to: neither loopback nor link-local.
     *
     * @return halves of addresses, one after the other, sorted by their text
     */
    List<long[]> addresses() throws KernelSocket.Refused {
        List<long[]> addresses = new ArrayList<>();
        dump(
                Netlink.GET_ADDRESS,
                Netlink.IFADDR_SIZE,
                (from, end) -> {
                    long body = from + Netlink.HEADER_SIZE;
                    int scope = Byte.toUnsignedInt(answer.get(JAVA_BYTE, body + Netlink.IFADDR_SCOPE));
                    if (answer.get(JAVA_SHORT, from + Netlink.TYPE) != Netlink.NEW_ADDRESS
                            || scope >= Netlink.SCOPE_LINK) {
                        return;
                    }
                    long[] found = null;
                    boolean isLocal = false;
                    for (long at = body + Netlink.IFADDR_SIZE; isAttribute(at, end); at = next(at)) {
                        // Where both are given, IFA_ADDRESS is the other end of a point-to-point link.
                        boolean local = type(at) == Netlink.IFA_LOCAL;
                        if (local || type(at) == Netlink.IFA_ADDRESS && !isLocal) {
                            found = new long[] {addressHi(at), addressLo(at)};
                            isLocal = local;
                        }
                    }
                    if (found != null) {
                        addresses.add(found);
                    }
                },
                addresses::clear);
        addresses.sort(Arrays::compare);
        return addresses;
    }

    private interface Message {
        void read(long at, long end);
    }

    private void dump(int type, int bodyBytes, Message each, Runnable again) throws KernelSocket.Refused {
        for (int tried = 1; ; tried++) {
            again.run();
            begin(type, Netlink.F_DUMP, bodyBytes);
            if (readDump(ask(), each) || tried == DUMP_TRIES) {
                return;
            }
        }
    }

    /** Whether it is whole: nothing has changed meanwhile. */
    private boolean readDump(int first, Message each) throws KernelSocket.Refused {
        int bytes = first;
        boolean isWhole = true;
        while (true) {
            if (bytes < 0) {
                throw new KernelSocket.Refused("netlink", bytes);
            }
            for (long at = 0; at + Netlink.HEADER_SIZE <= bytes; ) {
                int length = answer.get(JAVA_INT, at + Netlink.LENGTH);
                if (length < Netlink.HEADER_SIZE || at + length > bytes) {
                    throw new KernelSocket.Refused("netlink", -Errno.EIO);
                }
                isWhole &= (answer.get(JAVA_SHORT, at + Netlink.FLAGS) & Netlink.F_DUMP_INTERRUPTED) == 0;
                if (answer.get(JAVA_SHORT, at + Netlink.TYPE) == Netlink.DONE) {
                    return isWhole;
                }
                each.read(at, at + length);
                at += padded(length);
            }
            bytes = readAnswer();
        }
    }

    /**
     * Attaches an XDP program to an interface the old way, or takes it off.
     *
     * @param program its descriptor; -1: none
     * @param flags of {@link io.homa4j.driver.libc.Xdp}
     * @param expected descriptor of the program that is there; -1: any or none
     * @return 0, or the negative error
     */
    int attachXdp(int interfaceIndex, int program, int flags, int expected) {
        begin(Netlink.SET_LINK, Netlink.F_ACK, Netlink.LINK_SIZE);
        request.set(JAVA_INT, Netlink.HEADER_SIZE + Netlink.LINK_INDEX, interfaceIndex);
        long nest = requestBytes;
        attribute(Netlink.IFLA_XDP | Netlink.NESTED, 0);
        intAttribute(Netlink.IFLA_XDP_FD, program);
        intAttribute(Netlink.IFLA_XDP_FLAGS, flags);
        if (expected >= 0) {
            intAttribute(Netlink.IFLA_XDP_EXPECTED_FD, expected);
        }
        request.set(JAVA_SHORT, nest + Netlink.ATTRIBUTE_LENGTH, (short) (requestBytes - nest));
        return Math.min(0, ask());
    }

    // ---- changes

    /** Tells the listener what has changed since the last time, without waiting. */
    void poll(Listener listener) {
        for (int i = 0; i < MAX_READS; i++) {
            int bytes = libc.receive(listening, answer, BUFFER_BYTES, Socket.MSG_DONTWAIT);
            if (bytes == -Errno.EAGAIN) {
                return;
            }
            if (bytes < 0) {
                // Changes were lost for want of room.
                listener.changed();
                continue;
            }
            for (long at = 0; at + Netlink.HEADER_SIZE <= bytes; ) {
                int length = answer.get(JAVA_INT, at + Netlink.LENGTH);
                if (length < Netlink.HEADER_SIZE || at + length > bytes) {
                    listener.changed();
                    break;
                }
                tell(listener, at, at + length);
                at += padded(length);
            }
        }
    }

    private void tell(Listener listener, long message, long end) {
        int type = answer.get(JAVA_SHORT, message + Netlink.TYPE);
        if (type != Netlink.NEW_NEIGHBOUR && type != Netlink.DELETE_NEIGHBOUR) {
            listener.changed();
            return;
        }
        long body = message + Netlink.HEADER_SIZE;
        int family = answer.get(JAVA_BYTE, body + Netlink.NEIGHBOUR_FAMILY);
        if (family != Socket.AF_INET && family != Socket.AF_INET6) {
            return;
        }
        long hi = 0;
        long lo = 0;
        long found = 0;
        int state = 0;
        for (long at = body + Netlink.NEIGHBOUR_SIZE; isAttribute(at, end); at = next(at)) {
            if (type(at) == Netlink.NDA_DST) {
                hi = addressHi(at);
                lo = addressLo(at);
            } else if (type(at) == Netlink.NDA_LLADDR && length(at) == Netlink.ATTRIBUTE_HEADER + 6) {
                found = readLinkAddress(at);
                state = answer.get(JAVA_SHORT, body + Netlink.NEIGHBOUR_STATE);
            }
        }
        listener.neighbour(
                answer.get(JAVA_INT, body + Netlink.NEIGHBOUR_INTERFACE),
                hi,
                lo,
                type == Netlink.NEW_NEIGHBOUR ? state : 0,
                found);
    }

    // ---- attributes of an answer

    private boolean isAttribute(long at, long end) {
        return at + Netlink.ATTRIBUTE_HEADER <= end && length(at) >= Netlink.ATTRIBUTE_HEADER && at + length(at) <= end;
    }

    private int length(long at) {
        return Short.toUnsignedInt(answer.get(JAVA_SHORT, at + Netlink.ATTRIBUTE_LENGTH));
    }

    private int type(long at) {
        return answer.get(JAVA_SHORT, at + Netlink.ATTRIBUTE_TYPE) & Netlink.ATTRIBUTE_TYPE_MASK;
    }

    private long next(long at) {
        return at + padded(length(at));
    }

    private long addressHi(long at) {
        return length(at) == Netlink.ATTRIBUTE_HEADER + 16
                ? Long.reverseBytes(answer.get(JAVA_LONG_UNALIGNED, at + Netlink.ATTRIBUTE_HEADER))
                : 0;
    }

    private long addressLo(long at) {
        long data = at + Netlink.ATTRIBUTE_HEADER;
        return length(at) == Netlink.ATTRIBUTE_HEADER + 16
                ? Long.reverseBytes(answer.get(JAVA_LONG_UNALIGNED, data + 8))
                : Address.mappedLo(Integer.reverseBytes(answer.get(JAVA_INT, data)));
    }

    private long readLinkAddress(long at) {
        long data = at + Netlink.ATTRIBUTE_HEADER;
        return Integer.toUnsignedLong(answer.get(JAVA_INT, data))
                | Short.toUnsignedLong(answer.get(JAVA_SHORT, data + 4)) << 32;
    }

    void close() {
        libc.close(asking);
        libc.close(listening);
    }
}
