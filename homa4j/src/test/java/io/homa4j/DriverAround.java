package io.homa4j;

import io.homa4j.driver.Driver;
import io.homa4j.driver.DriverException;
import io.homa4j.protocol.PacketBatch;
import java.net.InetAddress;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A driver that hands everything on; tests override what they want to see or to break. */
class DriverAround implements Driver {
    private final Driver inner;

    DriverAround(Driver inner) {
        this.inner = inner;
    }

    @Override
    public void feedback(Feedback feedback) {
        inner.feedback(feedback);
    }

    @Override
    public int bind(@Nullable InetAddress local, int port) throws DriverException {
        return inner.bind(local, port);
    }

    @Override
    public void attach(int port, int socket) {
        inner.attach(port, socket);
    }

    @Override
    public void unbind(int port) {
        inner.unbind(port);
    }

    @Override
    public int receive(PacketBatch batch) {
        return inner.receive(batch);
    }

    @Override
    public int send(PacketBatch batch) {
        return inner.send(batch);
    }

    @Override
    public long sendQueue(long bytes) {
        return inner.sendQueue(bytes);
    }

    @Override
    public int sendRoomBytes() {
        return inner.sendRoomBytes();
    }

    @Override
    public void await(long timeoutNs) {
        inner.await(timeoutNs);
    }

    @Override
    public void wake() {
        inner.wake();
    }

    @Override
    public long awaitSlackNs() {
        return inner.awaitSlackNs();
    }

    @Override
    public int maxDatagramBytes() {
        return inner.maxDatagramBytes();
    }

    @Override
    public int mtu(long peerHi, long peerLo) {
        return inner.mtu(peerHi, peerLo);
    }

    @Override
    public int linkMbps() {
        return inner.linkMbps();
    }

    @Override
    public long receiveCapacityBytes() {
        return inner.receiveCapacityBytes();
    }

    @Override
    public Map<String, Long> counters() {
        return inner.counters();
    }

    @Override
    public void close() {
        inner.close();
    }
}
