package io.homa4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The sockets of one engine: by number, those that are closing, and servers that limit their service time. Owner. */
final class OpenSockets {
    private final EngineLoop loop;
    private @Nullable SocketCore[] byNumber = new SocketCore[8];
    private final List<SocketCore> closing = new ArrayList<>();
    /** Servers with a limit of service time. */
    private final List<HomaServer> timedServers = new ArrayList<>();

    /** Receive capacity the engine was told, bytes. */
    private long toldCapacity;

    OpenSockets(EngineLoop loop) {
        this.loop = loop;
    }

    @Nullable
    SocketCore get(int number) {
        return number >= 0 && number < byNumber.length ? byNumber[number] : null;
    }

    void add(SocketCore socket) {
        if (socket.number >= byNumber.length) {
            byNumber = Arrays.copyOf(byNumber, Math.max(socket.number + 1, 2 * byNumber.length));
        }
        byNumber[socket.number] = socket;
        toldCapacity = 0;
        tellCapacity();
        loop.turn.adjustSendQueueOfNewPort();
    }

    /** Tells the engine how much the driver can receive, when that has changed. */
    void tellCapacity() {
        long capacity = loop.driver.receiveCapacityBytes();
        if (capacity != toldCapacity) {
            toldCapacity = capacity;
            int linkMbps = loop.config.linkMbps > 0 ? loop.config.linkMbps : loop.driver.linkMbps();
            loop.endpoint.link(linkMbps, capacity);
        }
    }

    void addTimed(HomaServer server) {
        timedServers.add(server);
    }

    /** Gives up requests that have been in service for too long. */
    void limitService(long nowNs) {
        for (int i = 0; i < timedServers.size(); i++) {
            timedServers.get(i).onTime(nowNs);
        }
    }

    /** When to look at them at the latest, or the given time if that is sooner. */
    long dueNs(long otherNs) {
        long dueNs = otherNs;
        for (int i = 0; i < timedServers.size(); i++) {
            dueNs = EngineTurn.earlier(dueNs, timedServers.get(i).limitNs());
        }
        for (int i = 0; i < closing.size(); i++) {
            dueNs = EngineTurn.earlier(dueNs, closing.get(i).closeByNs());
        }
        return dueNs;
    }

    // ---- closing

    /** A socket has begun to close; it is closed in one of the next turns. */
    void addClosing(SocketCore socket) {
        closing.add(socket);
        loop.addAttention(1);
    }

    void beginCloseAll(long nowNs, long lingerNs) {
        for (SocketCore socket : byNumber) {
            if (socket != null) {
                socket.beginClose(nowNs, lingerNs);
            }
        }
    }

    boolean isAnyClosing() {
        return !closing.isEmpty();
    }

    /** Closes those that have nothing left to do, or no time. */
    void advanceClosing(EngineTurn turn) {
        for (int i = closing.size() - 1; i >= 0; i--) {
            SocketCore socket = closing.get(i);
            if (socket.isDrained() || socket.closeByNs() - turn.nowNs() <= 0) {
                closing.remove(i);
                loop.addAttention(-1);
                close(socket, turn);
            }
        }
    }

    private void close(SocketCore socket, EngineTurn turn) {
        socket.failCalls(turn.nowNs());
        loop.endpoint.shutdown(socket.number, turn.nowNs());
        turn.dispatch();
        turn.emit();
        loop.endpoint.closeSocket(socket.number, turn.nowNs());
        loop.driver.unbind(socket.port);
        byNumber[socket.number] = null;
        timedServers.removeIf(server -> server.core() == socket);
        socket.closed();
    }

    /** The engine is broken: lets nobody wait, without asking it. */
    void abandonAll() {
        for (SocketCore socket : byNumber) {
            if (socket != null) {
                socket.abandon();
            }
        }
    }
}
