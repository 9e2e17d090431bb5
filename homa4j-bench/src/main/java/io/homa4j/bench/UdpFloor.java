package io.homa4j.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.homa4j.cli.Contender;
import io.homa4j.cli.Pattern;
import io.homa4j.cli.PeerLoad;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteOrder;
import java.util.List;

/**
 * What the kernel's UDP costs and nothing else: a datagram there and one back by plain system calls, one socket and one thread at
 * either end. No message can be longer than a datagram, and nothing is repeated; so it is a floor, not a rival.
 */
public final class UdpFloor implements Contender {
    private static final int MAX_BYTES = 1400;

    /** For the service loader. */
    public UdpFloor() {}

    @Override
    public String id() {
        return "udp-floor";
    }

    @Override
    public String setUp() {
        return "sendto and recvfrom of a datagram from Java, one thread at either end";
    }

    @Override
    public List<Waiting> waitings() {
        return List.of(Waiting.POLLING, Waiting.SLEEPING);
    }

    @Override
    public List<String> jvmOptions() {
        return List.of("--enable-native-access=io.homa4j.bench");
    }

    @Override
    public Server serve(InetAddress local, Waiting waiting) throws IOException {
        UdpSocket socket = new UdpSocket(local, waiting == Waiting.POLLING);
        Thread thread = Thread.ofPlatform().daemon().name("udp-floor").start(() -> {
            while (socket.isOpen()) {
                int got = socket.receive();
                if (got >= Pattern.HEADER) {
                    int wanted = Math.clamp(Pattern.responseLength(socket.buffer), 1, MAX_BYTES);
                    socket.send(wanted);
                }
            }
        });
        return new Server() {
            @Override
            public int port() {
                return socket.port();
            }

            @Override
            public void close() {
                socket.shut();
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                socket.close();
            }
        };
    }

    @Override
    public Client connect(InetAddress local, InetSocketAddress server, Waiting waiting) throws IOException {
        UdpSocket socket = new UdpSocket(local, waiting == Waiting.POLLING);
        socket.target(server);
        return new Client() {
            @Override
            public void run(PeerLoad load) throws IOException {
                byte[] request = load.request();
                if (load.outstanding() != 1 || Math.max(request.length, load.responseBytes()) > MAX_BYTES) {
                    throw new IOException("a floor for one short message at a time");
                }
                long startNs = System.nanoTime();
                while (!load.isOver(startNs)) {
                    MemorySegment.copy(request, 0, socket.buffer, ValueLayout.JAVA_BYTE, 0, request.length);
                    socket.send(request.length);
                    int got = socket.receive();
                    while (got < 0 && !load.isGivenUp(System.nanoTime())) {
                        got = socket.receive();
                    }
                    long nowNs = System.nanoTime();
                    load.answered(startNs, nowNs, got);
                    startNs = nowNs;
                }
            }

            @Override
            public void close() {
                socket.close();
            }
        };
    }

    /** An IPv4 socket and one buffer. */
    private static final class UdpSocket {
        private static final int AF_INET = 2;
        private static final int SOCK_DGRAM = 2;
        private static final int MSG_DONTWAIT = 0x40;
        private static final int SHUT_RDWR = 2;
        private static final int ADDRESS_BYTES = 16;
        private static final ValueLayout.OfShort PORT =
                ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

        private static final MethodHandle SOCKET = call("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
        private static final MethodHandle BIND = call("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle GETSOCKNAME = call("getsockname", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
        private static final MethodHandle SENDTO =
                call("sendto", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle RECVFROM =
                call("recvfrom", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS);
        private static final MethodHandle SHUTDOWN = call("shutdown", JAVA_INT, JAVA_INT, JAVA_INT);
        private static final MethodHandle CLOSE = call("close", JAVA_INT, JAVA_INT);

        final MemorySegment buffer = Arena.ofAuto().allocate(65_536, 64);
        private final MemorySegment peer = Arena.ofAuto().allocate(ADDRESS_BYTES, 8);
        private final MemorySegment peerLength = Arena.ofAuto().allocate(JAVA_INT);
        private final int descriptor;
        private final int flags;
        private volatile boolean isOpen = true;

        UdpSocket(InetAddress local, boolean polls) throws IOException {
            flags = polls ? MSG_DONTWAIT : 0;
            peerLength.set(JAVA_INT, 0, ADDRESS_BYTES);
            try {
                descriptor = (int) SOCKET.invokeExact(AF_INET, SOCK_DGRAM, 0);
                write(peer, local, 0);
                if (descriptor < 0 || (int) BIND.invokeExact(descriptor, peer, ADDRESS_BYTES) < 0) {
                    throw new IOException("cannot bind a UDP socket to " + local.getHostAddress());
                }
            } catch (Throwable e) {
                throw e instanceof IOException known ? known : new IOException(e);
            }
        }

        @SuppressWarnings("restricted") // system calls are what this is about
        private static MethodHandle call(String name, MemoryLayout result, MemoryLayout... arguments) {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(
                    linker.defaultLookup().find(name).orElseThrow(), FunctionDescriptor.of(result, arguments));
        }

        private static void write(MemorySegment to, InetAddress address, int port) {
            to.set(ValueLayout.JAVA_SHORT, 0, (short) AF_INET);
            to.set(PORT, 2, (short) port);
            MemorySegment.copy(address.getAddress(), 0, to, ValueLayout.JAVA_BYTE, 4, 4);
        }

        void target(InetSocketAddress server) {
            write(peer, server.getAddress(), server.getPort());
        }

        boolean isOpen() {
            return isOpen;
        }

        int port() {
            MemorySegment own = Arena.ofAuto().allocate(ADDRESS_BYTES, 8);
            MemorySegment length = Arena.ofAuto().allocate(JAVA_INT);
            length.set(JAVA_INT, 0, ADDRESS_BYTES);
            try {
                int result = (int) GETSOCKNAME.invokeExact(descriptor, own, length);
                return result < 0 ? 0 : own.get(PORT, 2) & 0xFFFF;
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /** To where the last datagram came from, or to the target. */
        void send(int length) {
            try {
                long _ = (long) SENDTO.invokeExact(descriptor, buffer, (long) length, 0, peer, ADDRESS_BYTES);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /** Bytes of a datagram; negative if there is none. */
        int receive() {
            try {
                return (int)
                        (long) RECVFROM.invokeExact(descriptor, buffer, buffer.byteSize(), flags, peer, peerLength);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        /** Whoever sleeps in {@link #receive} returns. */
        void shut() {
            isOpen = false;
            try {
                // Fails on a socket that is not connected, and wakes its readers all the same.
                int _ = (int) SHUTDOWN.invokeExact(descriptor, SHUT_RDWR);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        void close() {
            isOpen = false;
            try {
                int _ = (int) CLOSE.invokeExact(descriptor);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
