package io.homa4j.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/** Plain TCP with Java NIO under the load generator: one connection, as many calls on it as wanted. */
final class TcpTransport implements LoadTransport, TcpFrames.Sink {
    private static final long NS_PER_MS = 1_000_000;

    private final TcpFrames frames;
    private final Selector selector;
    private final SelectionKey key;
    /** Calls by number; a call's place is free when it is answered. */
    private final @Nullable Call[] calls;

    private final int[] freeNumbers;
    private int freeCount;
    private Outcomes outcomes = new NoOutcomes();

    /**
     * @param outstanding calls at a time at most
     * @throws CliException if there is no such server
     */
    TcpTransport(InetSocketAddress server, int outstanding) {
        try {
            SocketChannel channel = SocketChannel.open(server);
            frames = new TcpFrames(channel);
            selector = Selector.open();
            key = channel.register(selector, SelectionKey.OP_READ);
        } catch (IOException e) {
            throw new CliException("no connection to " + server + " (" + e.getMessage() + ")", "start its server", e);
        }
        calls = new Call[outstanding];
        freeNumbers = new int[outstanding];
        for (int i = 0; i < outstanding; i++) {
            freeNumbers[freeCount++] = i;
        }
    }

    @Override
    public boolean start(byte[] request, Call call) {
        if (freeCount == 0) {
            return false;
        }
        int number = freeNumbers[freeCount - 1];
        if (!frames.put(number, MemorySegment.ofArray(request))) {
            return false;
        }
        freeCount--;
        calls[number] = call;
        return true;
    }

    @Override
    public int turn(Outcomes to) {
        outcomes = to;
        int written = frames.flush();
        return frames.read(this) + Math.min(written, 1);
    }

    @Override
    public int await(long waitNs, Outcomes to) {
        try {
            key.interestOps(frames.interest());
            selector.select(ready -> {}, Math.max(1, waitNs / NS_PER_MS));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return turn(to);
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

    @Override
    public void close() {
        try {
            selector.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        frames.close();
    }

    /** Before the first turn nobody waits for anything. */
    private static final class NoOutcomes implements Outcomes {
        @Override
        public void answered(Call call, MemorySegment response) {}

        @Override
        public void failed(Call call, String kind) {}
    }
}
