package io.homa4j.cli;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Framed RPC over one TCP connection with Java NIO. Polling: non-blocking and pipelined ({@link TcpFrames}). Sleeping: a thread at
 * either end in blocking reads and writes, the fewest system calls there are.
 */
final class TcpContender implements Contender {
    private static final int MAX_OUTSTANDING = 1024;
    private static final int FRAME_HEADER = 4;

    @Override
    public String id() {
        return "tcp-nio";
    }

    @Override
    public String setUp() {
        return "one connection, TCP_NODELAY, pipelined, direct buffers; sleeping: blocking channels";
    }

    @Override
    public List<Waiting> waitings() {
        return List.of(Waiting.POLLING, Waiting.SLEEPING);
    }

    @Override
    public Server serve(InetAddress local, Waiting waiting) throws IOException {
        if (waiting != Waiting.POLLING) {
            return new BlockingServer(local);
        }
        TcpServer server = new TcpServer(local, Long.MAX_VALUE);
        return new Server() {
            @Override
            public int port() {
                return server.port();
            }

            @Override
            public void close() {
                try {
                    server.close();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
    }

    @Override
    public Client connect(InetAddress local, InetSocketAddress server, Waiting waiting) throws IOException {
        return waiting == Waiting.POLLING
                ? new TransportLoop(new TcpTransport(server, MAX_OUTSTANDING))
                : new BlockingClient(SocketChannel.open(server));
    }

    private static ByteBuffer buffer() {
        return ByteBuffer.allocateDirect(FRAME_HEADER + 1_000_000);
    }

    /** Reads one frame, leaving it behind the buffer's length field. @return its length; -1 at the end */
    private static int read(SocketChannel channel, ByteBuffer in) throws IOException {
        in.clear();
        int needed = FRAME_HEADER;
        while (in.position() < needed) {
            if (channel.read(in) < 0) {
                return -1;
            }
            if (in.position() >= FRAME_HEADER) {
                needed = FRAME_HEADER + in.getInt(0);
            }
        }
        return needed - FRAME_HEADER;
    }

    private static void write(SocketChannel channel, ByteBuffer out) throws IOException {
        out.rewind();
        while (out.hasRemaining()) {
            channel.write(out);
        }
    }

    private static final class BlockingServer implements Server {
        private final ServerSocketChannel listener;
        private final Thread thread;
        private volatile @Nullable SocketChannel connection;

        BlockingServer(InetAddress local) throws IOException {
            listener = ServerSocketChannel.open().bind(new InetSocketAddress(local, 0));
            thread = Thread.ofPlatform().daemon().name("tcp-server").start(this::serve);
        }

        private void serve() {
            try {
                while (listener.isOpen()) {
                    try (SocketChannel channel = listener.accept()) {
                        connection = channel;
                        answer(channel);
                    }
                }
            } catch (IOException e) {
                if (listener.isOpen()) {
                    throw new UncheckedIOException(e);
                }
            }
        }

        private static void answer(SocketChannel channel) throws IOException {
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            ByteBuffer in = buffer();
            ByteBuffer out = buffer();
            while (read(channel, in) >= 0) {
                int length = in.getInt(FRAME_HEADER);
                out.clear().limit(FRAME_HEADER + length);
                out.putInt(length).put(Pattern.response(length).asByteBuffer());
                write(channel, out);
            }
        }

        @Override
        public int port() {
            return listener.socket().getLocalPort();
        }

        @Override
        public void close() {
            try {
                listener.close();
                SocketChannel open = connection;
                if (open != null) {
                    open.close();
                }
                thread.join();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** One call after the other. */
    private static final class BlockingClient implements Client {
        private final SocketChannel channel;
        private final ByteBuffer in = buffer();

        BlockingClient(SocketChannel channel) throws IOException {
            this.channel = channel;
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }

        @Override
        public void run(PeerLoad load) throws IOException {
            if (load.outstanding() != 1) {
                throw new IllegalArgumentException("blocking calls are made one at a time");
            }
            byte[] request = load.request();
            ByteBuffer out = ByteBuffer.allocateDirect(FRAME_HEADER + request.length);
            out.putInt(request.length).put(request);
            long startNs = System.nanoTime();
            while (!load.isOver(startNs)) {
                write(channel, out);
                int length = read(channel, in);
                if (length < 0) {
                    throw new EOFException("the server closed the connection");
                }
                long nowNs = System.nanoTime();
                load.answered(startNs, nowNs, length);
                startNs = nowNs;
            }
        }

        @Override
        public void close() {
            try {
                channel.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
