package io.homa4j.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Plain TCP with Java NIO under the load generator: to each server one connection or several, as many calls on each as wanted.
 * Where there are several they take turns; or the last one is for short requests alone, in the most urgent class of traffic.
 * What a connection cannot take yet waits beside it and holds nothing else up.
 */
final class TcpTransport implements LoadTransport {
    /** The traffic class whose three high bits are 7: what {@code tcp-prio} sends short messages in, both ways. */
    static final int URGENT_CLASS = 0xE0;

    private static final long NS_PER_MS = 1_000_000;
    /** A server that has not answered by then is not there, or what lies between is of no use. */
    private static final int CONNECT_MS = 10_000;

    /**
     * How to reach one server.
     *
     * @param address for ordinary connections
     * @param connections how many of them
     * @param urgent for the connection of short messages; null = they have none of their own
     */
    record Server(
            InetSocketAddress address,
            int connections,
            @Nullable InetSocketAddress urgent) {}

    private record Waiting(int number, MemorySegment request) {}

    private final Selector selector;
    private final List<List<Connection>> servers = new ArrayList<>();
    private final List<Connection> connections = new ArrayList<>();
    /** Calls by number; a call's place is free when it is answered. */
    private final @Nullable Call[] calls;

    private final int[] freeNumbers;
    private int freeCount;
    private int turn;
    private Outcomes outcomes = new NoOutcomes();

    /**
     * @param outstanding calls at a time at most
     * @throws CliException if there is no such server
     */
    TcpTransport(InetSocketAddress server, int outstanding) {
        this(List.of(new Server(server, 1, null)), outstanding);
    }

    TcpTransport(List<Server> to, int outstanding) {
        calls = new Call[outstanding];
        freeNumbers = new int[outstanding];
        for (int i = 0; i < outstanding; i++) {
            freeNumbers[freeCount++] = i;
        }
        try {
            selector = Selector.open();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (Server server : to) {
            List<Connection> own = new ArrayList<>();
            servers.add(own);
            for (int i = 0; i < server.connections; i++) {
                own.add(connect(server.address, false));
            }
            if (server.urgent != null) {
                own.add(connect(server.urgent, true));
            }
        }
    }

    private Connection connect(InetSocketAddress server, boolean isUrgent) {
        try {
            SocketChannel channel = SocketChannel.open();
            try {
                if (isUrgent) {
                    channel.setOption(StandardSocketOptions.IP_TOS, URGENT_CLASS);
                }
                channel.socket().connect(server, CONNECT_MS);
                Connection connection = new Connection(new TcpFrames(channel), isUrgent);
                connections.add(connection);
                return connection;
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            close();
            throw new CliException("no connection to " + server + " (" + e.getMessage() + ")", "start its server", e);
        }
    }

    @Override
    public boolean start(byte[] request, Call call) {
        if (freeCount == 0) {
            return false;
        }
        int number = freeNumbers[--freeCount];
        calls[number] = call;
        connection(call.target, request.length).put(number, request);
        return true;
    }

    private Connection connection(int target, int length) {
        List<Connection> own = servers.get(target);
        Connection last = own.getLast();
        if (last.isUrgent) {
            return length <= LoadDetails.SHORT_BYTES ? last : own.get(turn++ % (own.size() - 1));
        }
        return own.size() == 1 ? last : own.get(turn++ % own.size());
    }

    @Override
    public int turn(Outcomes to) {
        outcomes = to;
        int done = 0;
        for (int i = 0; i < connections.size(); i++) {
            done += connections.get(i).turn();
        }
        return done;
    }

    @Override
    public int await(long waitNs, Outcomes to) {
        try {
            connections.forEach(Connection::watch);
            selector.select(ready -> {}, Math.max(1, waitNs / NS_PER_MS));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return turn(to);
    }

    /** A selector sleeps whole milliseconds. */
    @Override
    public long oversleepNs() {
        return NS_PER_MS;
    }

    @Override
    public void close() {
        try {
            selector.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        connections.forEach(connection -> connection.frames.close());
    }

    private final class Connection implements TcpFrames.Sink {
        final TcpFrames frames;
        final boolean isUrgent;
        private final SelectionKey key;
        private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();

        Connection(TcpFrames frames, boolean isUrgent) throws IOException {
            this.frames = frames;
            this.isUrgent = isUrgent;
            this.key = frames.channel().register(selector, SelectionKey.OP_READ);
        }

        void put(int number, byte[] request) {
            MemorySegment message = MemorySegment.ofArray(request);
            if (!waiting.isEmpty() || !frames.put(number, message)) {
                waiting.add(new Waiting(number, message));
            }
        }

        int turn() {
            int written = frames.flush();
            while (!waiting.isEmpty()) {
                Waiting first = waiting.peek();
                if (!frames.put(first.number, first.request)) {
                    break;
                }
                waiting.remove();
            }
            return frames.read(this) + Math.min(written, 1);
        }

        void watch() {
            key.interestOps(frames.interest());
        }

        @Override
        public boolean message(int number, MemorySegment response) {
            Call call = number >= 0 && number < calls.length ? calls[number] : null;
            if (call == null) {
                throw new UncheckedIOException(new IOException("an answer to call " + number + ", which is not out"));
            }
            calls[number] = null;
            freeNumbers[freeCount++] = number;
            outcomes.answered(call, response);
            return true;
        }
    }

    /** Before the first turn nobody waits for anything. */
    private static final class NoOutcomes implements Outcomes {
        @Override
        public void answered(Call call, MemorySegment response) {}

        @Override
        public void failed(Call call, String kind) {}
    }
}
