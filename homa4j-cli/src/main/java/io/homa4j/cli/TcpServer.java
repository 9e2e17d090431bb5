package io.homa4j.cli;

import io.homa4j.protocol.Config;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The rival's server: answers as {@link Replies} say, without a delay. One thread polls all connections for a while after the
 * last message, then sleeps in the kernel until something arrives.
 */
final class TcpServer implements AutoCloseable {
    private record Listener(ServerSocketChannel channel, boolean isUrgent) {}

    private final ServerSocketChannel listener;
    /** For connections in the most urgent class of traffic. */
    private final ServerSocketChannel urgent;

    private final Replies replies;
    private final Selector selector;
    private final long pollNs;
    private final List<Connection> connections = new ArrayList<>();
    private final CompletableFuture<Void> failed;
    private final Thread thread;
    private volatile boolean isClosed;

    /** Listens on free ports and answers as the header of a request wishes. */
    TcpServer(InetAddress local, long pollNs) throws IOException {
        this(new InetSocketAddress(local, 0), pollNs, Replies.HEADER, new CompletableFuture<>());
    }

    /**
     * Listens at a local address on free ports.
     *
     * @param failed completed by an exception if the server comes to an end before it is closed
     */
    TcpServer(InetSocketAddress local, long pollNs, Replies replies, CompletableFuture<Void> failed)
            throws IOException {
        this.pollNs = pollNs;
        this.replies = replies;
        this.failed = failed;
        this.selector = Selector.open();
        this.listener = listen(local, false);
        this.urgent = listen(local, true);
        thread = Thread.ofPlatform().name("tcp-server").daemon().start(this::serve);
    }

    int port() {
        return listener.socket().getLocalPort();
    }

    /** The port whose connections answer in the most urgent class of traffic. */
    int urgentPort() {
        return urgent.socket().getLocalPort();
    }

    private ServerSocketChannel listen(InetSocketAddress local, boolean isUrgent) throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open();
        channel.bind(local).configureBlocking(false);
        channel.register(selector, SelectionKey.OP_ACCEPT, new Listener(channel, isUrgent));
        return channel;
    }

    private void serve() {
        try {
            long busyNs = System.nanoTime();
            while (!isClosed) {
                int done = 0;
                for (int i = connections.size() - 1; i >= 0; i--) {
                    done += turn(connections.get(i));
                }
                long nowNs = System.nanoTime();
                if (done > 0) {
                    busyNs = nowNs;
                } else if (nowNs - busyNs < pollNs && !connections.isEmpty()) {
                    Thread.onSpinWait();
                } else {
                    connections.forEach(Connection::watch);
                    selector.select(this::ready);
                    busyNs = System.nanoTime();
                }
            }
        } catch (IOException e) {
            failed.completeExceptionally(e);
            throw new UncheckedIOException(e);
        } catch (RuntimeException | Error e) {
            failed.completeExceptionally(e);
            throw e;
        }
    }

    private void ready(SelectionKey key) {
        if (!key.isAcceptable()) {
            return;
        }
        try {
            Listener from = (Listener) key.attachment();
            SocketChannel channel = from.channel.accept();
            if (channel != null) {
                connected(channel, from.isUrgent);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void connected(SocketChannel channel, boolean isUrgent) throws IOException {
        try {
            if (isUrgent) {
                channel.setOption(StandardSocketOptions.IP_TOS, TcpTransport.URGENT_CLASS);
            }
            connections.add(new Connection(new TcpFrames(channel), selector));
        } catch (IOException e) {
            // The client is gone already; the other connections go on.
            channel.close();
        }
    }

    private int turn(Connection connection) {
        try {
            return connection.turn();
        } catch (UncheckedIOException e) {
            // The client is gone, which is how every connection ends.
            connections.remove(connection);
            connection.frames.close();
            return 1;
        }
    }

    @Override
    public void close() throws IOException {
        isClosed = true;
        selector.wakeup();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        connections.forEach(connection -> connection.frames.close());
        listener.close();
        urgent.close();
        selector.close();
    }

    private final class Connection implements TcpFrames.Sink {
        final TcpFrames frames;
        private final SelectionKey key;
        /** The response given last: most are of the same length. */
        private @Nullable MemorySegment response;

        Connection(TcpFrames frames, Selector selector) throws IOException {
            this.frames = frames;
            this.key = frames.channel().register(selector, SelectionKey.OP_READ);
        }

        int turn() {
            int done = frames.read(this);
            return done + Math.min(frames.flush(), 1);
        }

        void watch() {
            key.interestOps(frames.interest());
        }

        @Override
        public boolean message(int call, MemorySegment request) {
            return switch (replies.kind()) {
                case SAME -> frames.put(call, request);
                case FIXED -> answer(call, replies.bytes());
                case HEADER -> answerAsWished(call, request);
            };
        }

        private boolean answerAsWished(int call, MemorySegment request) {
            int wanted = request.byteSize() < Pattern.HEADER ? 1 : Pattern.responseLength(request);
            return answer(call, Math.clamp(wanted, 1, Config.MAX_MESSAGE_BYTES));
        }

        private boolean answer(int call, int length) {
            MemorySegment answer = response;
            if (answer == null || answer.byteSize() != length) {
                answer = Pattern.response(length);
                response = answer;
            }
            return frames.put(call, answer);
        }
    }
}
