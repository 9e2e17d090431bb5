package io.homa4j.bench;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config;
import io.homa4j.protocol.Endpoint;
import io.homa4j.protocol.Event;
import io.homa4j.protocol.Message;
import io.homa4j.protocol.PacketBatch;
import io.homa4j.protocol.Status;
import io.homa4j.wire.AckHeader;
import io.homa4j.wire.DataHeader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What the engine alone costs: per received DATA packet of a long message, grants included, and per small RPC. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class EngineBenchmark {
    private static final int BATCH = 16;
    private static final int DATA_BYTES = 1416;
    private static final int SLOT_BYTES = 1536;
    /** 704 full packets: whole batches. */
    private static final int MESSAGE_BYTES = 704 * DATA_BYTES;

    private static final long CLIENT = Address.mappedLo(0x0A000001);
    private static final long SERVER = Address.mappedLo(0x0A000002);
    private static final int CLIENT_PORT = 40_000;
    private static final int SERVER_PORT = 4_000;

    private final Arena arena = Arena.ofConfined();
    private final Endpoint client = new Endpoint(config(), 1, 0);
    private final Endpoint server = new Endpoint(config(), 2, 0);
    private final int clientSocket = client.openSocket(CLIENT_PORT, false, arena.allocate(16 << 20, 64));
    private final int serverSocket = server.openSocket(SERVER_PORT, true, arena.allocate(16 << 20, 64));
    private final PacketBatch in = batch();
    private final PacketBatch out = batch();
    private final MemorySegment payload = arena.allocate(100);
    private final Message message = new Message();
    private final Event event = new Event();
    private long id = 1_000_000;
    private int offset;
    private long nowNs;

    private static Config config() {
        Config config = Config.defaults();
        // Hand-made packets carry no proof.
        config.proveReachability = false;
        return config;
    }

    private PacketBatch batch() {
        return new PacketBatch(BATCH, arena.allocate((long) BATCH * SLOT_BYTES, 64), SLOT_BYTES);
    }

    @TearDown
    public void close() {
        arena.close();
    }

    /** One of 704 packets of a message of 996,864 bytes, in batches of 16; the message is taken, answered and acked. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long receiveDataPacket() {
        nowNs += 2_000;
        in.clear();
        for (int i = 0; i < BATCH; i++) {
            DataHeader.write(
                    in.packet[i],
                    in.packetAt[i],
                    CLIENT_PORT,
                    SERVER_PORT,
                    id,
                    offset,
                    MESSAGE_BYTES,
                    40_000,
                    0,
                    0,
                    1,
                    false);
            address(i, serverSocket, CLIENT, CLIENT_PORT, DataHeader.LENGTH + DATA_BYTES);
            offset += DATA_BYTES;
        }
        server.onPackets(in, nowNs);
        if (offset == MESSAGE_BYTES) {
            finishMessage();
        }
        server.onTime(nowNs);
        drain(server);
        return server.nextDeadlineNs(nowNs);
    }

    private void finishMessage() {
        if (!server.receive(serverSocket, message, nowNs)) {
            throw new AssertionError("the message is not complete");
        }
        server.release(serverSocket, message.regionOffset, nowNs);
        check(server.reply(message.handle, payload, 0, 100, null, nowNs));
        drain(server);
        in.clear();
        AckHeader.write(in.packet[0], in.packetAt[0], CLIENT_PORT, SERVER_PORT, id, 0);
        address(0, serverSocket, CLIENT, CLIENT_PORT, AckHeader.LENGTH);
        server.onPackets(in, nowNs);
        if (server.rpcCount() != 0) {
            throw new AssertionError("the RPC is not over");
        }
        id += 2;
        offset = 0;
    }

    /** A call of 100 bytes with an answer of 100 bytes, both engines included, one at a time. */
    @Benchmark
    public long smallRpc() {
        nowNs += 2_000;
        long call = client.request(clientSocket, 0, SERVER, SERVER_PORT, payload, 0, 100, true, null, nowNs);
        if (call < 0) {
            throw new AssertionError(Status.of(call));
        }
        carry(client, server, serverSocket, CLIENT, CLIENT_PORT);
        if (!server.receive(serverSocket, message, nowNs)) {
            throw new AssertionError("no request");
        }
        server.release(serverSocket, message.regionOffset, nowNs);
        check(server.reply(message.handle, payload, 0, 100, null, nowNs));
        carry(server, client, clientSocket, SERVER, SERVER_PORT);
        if (!client.receivePrivate(call, message, nowNs)) {
            throw new AssertionError("no response");
        }
        client.release(clientSocket, message.regionOffset, nowNs);
        client.onTime(nowNs);
        server.onTime(nowNs);
        events(client);
        events(server);
        return client.nextDeadlineNs(nowNs) ^ server.nextDeadlineNs(nowNs);
    }

    private void carry(Endpoint from, Endpoint to, int socket, long source, int sourcePort) {
        for (int count = from.pollPackets(out, 1 << 20, nowNs);
                count > 0;
                count = from.pollPackets(out, 1 << 20, nowNs)) {
            in.clear();
            for (int i = 0; i < count; i++) {
                MemorySegment.copy(out.packet[i], out.packetAt[i], in.packet[i], in.packetAt[i], out.length[i]);
                MemorySegment data = out.payload[i];
                if (data != null) {
                    MemorySegment.copy(
                            data, out.payloadAt[i], in.packet[i], in.packetAt[i] + out.length[i], out.payloadLength[i]);
                }
                address(i, socket, source, sourcePort, out.length[i] + out.payloadLength[i]);
            }
            from.onSent(count, nowNs);
            to.onPackets(in, nowNs);
        }
    }

    private void address(int i, int socket, long source, int sourcePort, int length) {
        in.count = i + 1;
        in.length[i] = length;
        in.socket[i] = socket;
        in.peerLo[i] = source;
        in.peerPort[i] = sourcePort;
    }

    private void drain(Endpoint engine) {
        for (int count = engine.pollPackets(out, 1 << 20, nowNs);
                count > 0;
                count = engine.pollPackets(out, 1 << 20, nowNs)) {
            engine.onSent(count, nowNs);
        }
        events(engine);
    }

    private void events(Endpoint engine) {
        while (engine.pollEvent(event)) {
            // Events have to be taken; nothing is done with them here.
        }
    }

    private static void check(int result) {
        if (result < 0) {
            throw new AssertionError(Status.of(result));
        }
    }
}
