package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.homa4j.driver.libc.Bpf;
import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.Xdp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * The program that the kernel runs for every packet an interface receives, and its two maps. It hands this process's own Homa
 * packets to its AF_XDP socket: those sent to the interface's own Ethernet address, without VLAN tag, IP options, extension headers
 * or fragmentation, short enough for a frame, whose IP protocol, target address and target port are in the map. Everything
 * else goes on to the kernel as if the program were not there; so does everything when the socket is gone.
 */
final class XdpProgram {
    /** By which a program of this kind is recognised; see {@link XdpHook}. */
    static final String NAME = "homa4j_xdp";

    /** Pairs of local address and port at most; what is beyond reaches the process through the kernel. */
    static final int MAX_OWNED = 16_384;

    private static final String PASS = "pass";

    /** struct key: 16 bytes address, IPv4 in mapped form, then the port, all in network order, and two bytes of zero. */
    private static final int KEY_SIZE = 20;

    private static final int ETHERNET = 14;
    private static final int IPV4 = 20;
    private static final int IPV6 = 40;
    /** UDP ports and Homa ports stand in the first four bytes behind the IP header. */
    private static final int TARGET_PORT = 2;

    private static final int PORTS = 8;

    private final Libc libc;
    /** (address, port) to the queue whose socket gets it. */
    private final int owned;
    /** Queue to socket. */
    private final int sockets;

    final int descriptor;
    private final MemorySegment attribute = Arena.ofAuto().allocate(Bpf.ATTRIBUTE_SIZE, 8);
    private final MemorySegment key = Arena.ofAuto().allocate(KEY_SIZE, 8);
    private final MemorySegment value = Arena.ofAuto().allocate(4, 4);

    private XdpProgram(Libc libc, int owned, int sockets, int descriptor) {
        this.libc = libc;
        this.owned = owned;
        this.sockets = sockets;
        this.descriptor = descriptor;
    }

    /**
     * Loads it; nothing is attached yet, and the maps are empty.
     *
     * @param queues of the interface
     * @param linkAddress of the interface, its six bytes from the lowest on
     * @param protocol of IP, behind whose header ports stand
     * @param maxFrameBytes longer frames go to the kernel
     * @throws KernelSocket.Refused without CAP_BPF and CAP_NET_ADMIN, or where the kernel does not have this
     */
    static XdpProgram load(Libc libc, int queues, long linkAddress, int protocol, int maxFrameBytes)
            throws KernelSocket.Refused {
        int owned = -1;
        int sockets = -1;
        boolean isLoaded = false;
        try {
            owned = createMap(libc, Bpf.MAP_TYPE_HASH, KEY_SIZE, MAX_OWNED, Bpf.F_NO_PREALLOC, "homa4j_owned");
            sockets = createMap(libc, Bpf.MAP_TYPE_XSKMAP, 4, queues, 0, "homa4j_sockets");
            BpfAssembler code = assemble(owned, sockets, linkAddress, protocol, maxFrameBytes);
            int program = load(libc, code);
            isLoaded = true;
            return new XdpProgram(libc, owned, sockets, program);
        } finally {
            if (!isLoaded) {
                closeIfOpen(libc, sockets);
                closeIfOpen(libc, owned);
            }
        }
    }

    /** The instructions. Registers: 6 the context, 2 the packet's beginning, 3 its end. */
    static BpfAssembler assemble(int owned, int sockets, long linkAddress, int protocol, int maxFrameBytes) {
        BpfAssembler code = new BpfAssembler();
        code.move(6, 1).load(Bpf.LOAD_INT, 2, 1, Xdp.CONTEXT_DATA).load(Bpf.LOAD_INT, 3, 1, Xdp.CONTEXT_DATA_END);
        code.move(4, 2).addNumber(4, maxFrameBytes).jumpComparing(Bpf.JUMP_IF_GREATER, 3, 4, PASS);
        hasAtLeast(code, ETHERNET + IPV4 + PORTS);
        code.load(Bpf.LOAD_INT, 5, 2, 0).jump(Bpf.JUMP32_IF_NOT_EQUAL_IMMEDIATE, 5, (int) linkAddress, PASS);
        code.load(Bpf.LOAD_SHORT, 5, 2, 4)
                .jump(Bpf.JUMP_IF_NOT_EQUAL_IMMEDIATE, 5, (int) (linkAddress >>> 32) & 0xFFFF, PASS);
        code.load(Bpf.LOAD_SHORT, 5, 2, 12)
                .jump(Bpf.JUMP_IF_EQUAL_IMMEDIATE, 5, inMemory(EthernetFrame.TYPE_IPV4), "ipv4")
                .jump(Bpf.JUMP_IF_NOT_EQUAL_IMMEDIATE, 5, inMemory(EthernetFrame.TYPE_IPV6), PASS);

        hasAtLeast(code, ETHERNET + IPV6 + PORTS);
        code.load(Bpf.LOAD_BYTE, 5, 2, ETHERNET)
                .andNumber(5, 0xF0)
                .jump(Bpf.JUMP_IF_NOT_EQUAL_IMMEDIATE, 5, 0x60, PASS);
        code.load(Bpf.LOAD_BYTE, 5, 2, ETHERNET + 6).jump(Bpf.JUMP_IF_NOT_EQUAL_IMMEDIATE, 5, protocol, PASS);
        for (int i = 0; i < 16; i += 4) {
            code.load(Bpf.LOAD_INT, 5, 2, ETHERNET + 24 + i).store(10, i - KEY_SIZE, 5);
        }
        code.load(Bpf.LOAD_SHORT, 5, 2, ETHERNET + IPV6 + TARGET_PORT)
                .store(10, -4, 5)
                .jump("look");

        code.label("ipv4").load(Bpf.LOAD_BYTE, 5, 2, ETHERNET).jump(Bpf.JUMP_IF_NOT_EQUAL_IMMEDIATE, 5, 0x45, PASS);
        // No fragment: neither more to follow nor an offset.
        code.load(Bpf.LOAD_SHORT, 5, 2, ETHERNET + 6)
                .andNumber(5, inMemory(0x3FFF))
                .jump(Bpf.JUMP_IF_NOT_EQUAL_IMMEDIATE, 5, 0, PASS);
        code.load(Bpf.LOAD_BYTE, 5, 2, ETHERNET + 9).jump(Bpf.JUMP_IF_NOT_EQUAL_IMMEDIATE, 5, protocol, PASS);
        code.storeNumber(10, -20, 0).storeNumber(10, -16, 0).storeNumber(10, -12, 0xFFFF0000);
        code.load(Bpf.LOAD_INT, 5, 2, ETHERNET + 16).store(10, -8, 5);
        code.load(Bpf.LOAD_SHORT, 5, 2, ETHERNET + IPV4 + TARGET_PORT).store(10, -4, 5);

        code.label("look").map(1, owned).move(2, 10).addNumber(2, -KEY_SIZE).call(Bpf.MAP_LOOKUP_ELEM);
        code.jump(Bpf.JUMP_IF_EQUAL_IMMEDIATE, 0, 0, PASS);
        code.load(Bpf.LOAD_INT, 3, 0, 0)
                .load(Bpf.LOAD_INT, 2, 6, Xdp.CONTEXT_QUEUE)
                .jumpComparing(Bpf.JUMP_IF_NOT_EQUAL, 2, 3, PASS);
        code.map(1, sockets).moveNumber(3, Xdp.PASS).call(Bpf.REDIRECT_MAP).exit();
        return code.label(PASS).moveNumber(0, Xdp.PASS).exit();
    }

    private static void hasAtLeast(BpfAssembler code, int bytes) {
        code.move(4, 2).addNumber(4, bytes).jumpComparing(Bpf.JUMP_IF_GREATER, 4, 3, PASS);
    }

    /** A 16-bit number in network order as a little-endian machine loads it. */
    private static int inMemory(int number) {
        return Short.toUnsignedInt(Short.reverseBytes((short) number));
    }

    private static int createMap(Libc libc, int type, int keySize, int entries, int flags, String name)
            throws KernelSocket.Refused {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment wish = arena.allocate(Bpf.ATTRIBUTE_SIZE, 8);
            wish.set(JAVA_INT, Bpf.MAP_TYPE, type);
            wish.set(JAVA_INT, Bpf.MAP_KEY_SIZE, keySize);
            wish.set(JAVA_INT, Bpf.MAP_VALUE_SIZE, 4);
            wish.set(JAVA_INT, Bpf.MAP_MAX_ENTRIES, entries);
            wish.set(JAVA_INT, Bpf.MAP_FLAGS, flags);
            name(wish, Bpf.MAP_NAME, name);
            return check("bpf map create", libc.bpf(Bpf.MAP_CREATE, wish));
        }
    }

    private static void name(MemorySegment wish, long at, String name) {
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        MemorySegment.copy(bytes, 0, wish, JAVA_BYTE, at, bytes.length);
    }

    private static int load(Libc libc, BpfAssembler code) throws KernelSocket.Refused {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment wish = wish(arena, code);
            name(wish, Bpf.PROG_NAME, NAME);
            return check("bpf program load", libc.bpf(Bpf.PROG_LOAD, wish));
        }
    }

    private static MemorySegment wish(Arena arena, BpfAssembler code) {
        MemorySegment wish = arena.allocate(Bpf.ATTRIBUTE_SIZE, 8);
        wish.set(JAVA_INT, Bpf.PROG_TYPE, Bpf.PROG_TYPE_XDP);
        wish.set(JAVA_INT, Bpf.PROG_LENGTH, code.length());
        wish.set(JAVA_LONG, Bpf.PROG_INSTRUCTIONS, code.assemble(arena).address());
        wish.set(JAVA_LONG, Bpf.PROG_LICENSE, arena.allocateFrom("Apache-2.0").address());
        wish.set(JAVA_INT, Bpf.PROG_ATTACH_TYPE, Bpf.ATTACH_XDP);
        return wish;
    }

    /** What the kernel's verifier says of a program: the reason of a refusal, or its account of an acceptance. */
    static String verdict(Libc libc, BpfAssembler code) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment log = arena.allocate(1 << 20);
            MemorySegment wish = wish(arena, code);
            wish.set(JAVA_INT, Bpf.PROG_LOG_LEVEL, 1);
            wish.set(JAVA_INT, Bpf.PROG_LOG_SIZE, (int) log.byteSize());
            wish.set(JAVA_LONG, Bpf.PROG_LOG, log.address());
            closeIfOpen(libc, libc.bpf(Bpf.PROG_LOAD, wish));
            return log.getString(0);
        }
    }

    // ---- the maps: owner

    /** Packets to this address and port go to the socket of the queue. @return 0, or the negative error */
    int own(long hi, long lo, int port, int queue) {
        key(hi, lo, port);
        value.set(JAVA_INT, 0, queue);
        return update(owned, key);
    }

    /** No longer. @return 0, or the negative error */
    int disown(long hi, long lo, int port) {
        key(hi, lo, port);
        attribute.fill((byte) 0);
        attribute.set(JAVA_INT, Bpf.ELEM_MAP, owned);
        attribute.set(JAVA_LONG, Bpf.ELEM_KEY, key.address());
        return libc.bpf(Bpf.MAP_DELETE_ELEM, attribute);
    }

    private void key(long hi, long lo, int port) {
        key.set(JAVA_LONG, 0, Long.reverseBytes(hi));
        key.set(JAVA_LONG, 8, Long.reverseBytes(lo));
        key.set(JAVA_INT, 16, inMemory(port));
    }

    /** The socket that packets of the queue are for. */
    void socket(int queue, int socket) throws KernelSocket.Refused {
        try (Arena arena = Arena.ofConfined()) {
            value.set(JAVA_INT, 0, socket);
            check("bpf map update", update(sockets, arena.allocateFrom(JAVA_INT, queue)));
        }
    }

    private int update(int map, MemorySegment at) {
        attribute.fill((byte) 0);
        attribute.set(JAVA_INT, Bpf.ELEM_MAP, map);
        attribute.set(JAVA_LONG, Bpf.ELEM_KEY, at.address());
        attribute.set(JAVA_LONG, Bpf.ELEM_VALUE, value.address());
        return libc.bpf(Bpf.MAP_UPDATE_ELEM, attribute);
    }

    /** The kernel keeps what is attached. */
    void close() {
        libc.close(descriptor);
        libc.close(sockets);
        libc.close(owned);
    }

    private static int check(String call, int result) throws KernelSocket.Refused {
        if (result < 0) {
            throw new KernelSocket.Refused(call, result);
        }
        return result;
    }

    private static void closeIfOpen(Libc libc, int descriptor) {
        if (descriptor >= 0) {
            libc.close(descriptor);
        }
    }
}
