package io.homa4j.driver;

import io.homa4j.protocol.Config.Encapsulation;
import io.homa4j.protocol.PacketBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A driver that writes every packet it passes, in both directions, to a capture file: what the engine saw and said, without
 * privilege and without another program. Link and IP headers, and over UDP its header, are made up around the Homa packet; where the local address is
 * not known (a port bound to all addresses) the frame shows 0.0.0.0 or ::.
 *
 * <p>For finding faults: writing takes time on the thread that turns the engine. When the disk is full or the file cannot be
 * written, capturing ends with a log line and the packets go on.
 */
public final class PcapDriver implements Driver {
    private final Driver inner;
    private final PcapWriter writer;
    /** Local port of each socket number. */
    private final Map<Integer, Integer> ports = new HashMap<>();

    /**
     * @param inner the driver whose packets are written; closed with this one
     * @param file created, or overwritten
     * @param encapsulation what is on the wire
     * @param tunnelPort the port of a tunnel; else ignored
     * @throws UncheckedIOException if the file cannot be created
     */
    public PcapDriver(Driver inner, Path file, Encapsulation encapsulation, int tunnelPort) {
        this.inner = inner;
        try {
            this.writer = new PcapWriter(file, encapsulation, tunnelPort);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the capture " + file + ": " + e.getMessage(), e);
        }
    }

    @Override
    public int receive(PacketBatch batch) {
        int count = inner.receive(batch);
        for (int i = 0; i < count; i++) {
            writer.received(batch, i, localPort(batch.socket[i]));
        }
        return count;
    }

    @Override
    public int send(PacketBatch batch) {
        int sent = inner.send(batch);
        for (int i = 0; i < sent; i++) {
            writer.sent(batch, i, localPort(batch.socket[i]));
        }
        return sent;
    }

    private int localPort(int socket) {
        return ports.getOrDefault(socket, 0);
    }

    @Override
    public void attach(int port, int socket) {
        ports.put(socket, port);
        inner.attach(port, socket);
    }

    @Override
    public Map<String, Long> counters() {
        return inner.counters();
    }

    @Override
    public void close() {
        inner.close();
        writer.close();
    }

    // ---- the rest is the inner driver's

    @Override
    public void feedback(Feedback feedback) {
        inner.feedback(feedback);
    }

    @Override
    public int bind(@Nullable InetAddress local, int port) throws DriverException {
        return inner.bind(local, port);
    }

    @Override
    public void unbind(int port) {
        inner.unbind(port);
    }

    @Override
    public void await(long timeoutNs) {
        inner.await(timeoutNs);
    }

    @Override
    public int sendRoomBytes() {
        return inner.sendRoomBytes();
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
    public long sendQueue(long bytes) {
        return inner.sendQueue(bytes);
    }

    @Override
    public int linkMbps() {
        return inner.linkMbps();
    }

    @Override
    public long receiveCapacityBytes() {
        return inner.receiveCapacityBytes();
    }
}
