package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.DataHeader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.junit.jupiter.api.Test;

/**
 * A million spoofed first packets from a million addresses meet a server that also has an honest client: memory stays
 * within its bounds, nobody is sent more than three times what "it" sent, the honest client goes on.
 */
class FloodTest {
    private static final int SPOOFED = 1_000_000;
    private static final int SPOOFED_BYTES = 100;
    /** Fifty spoofed packets each 50 us: a million a second. */
    private static final int PER_STEP = 50;

    private static final long STEP_NS = 50_000;
    private static final int CLIENT_PORT = 5_000;
    private static final int SERVER_PORT = 4_000;
    private static final long SERVER = Address.mappedLo(0x0A000001);
    private static final long CLIENT = Address.mappedLo(0x0A000002);
    private static final int FIRST_SPOOFED = 0x20000000;

    private final Arena arena = Arena.ofAuto();
    private final Config config = Config.defaults();
    private final Endpoint server = new Endpoint(config, 7, 0);
    private final Endpoint client = new Endpoint(config, 8, 0);
    private final int serverSocket = server.openSocket(SERVER_PORT, true, arena.allocate(64 << 20, 64));
    private final int clientSocket = client.openSocket(CLIENT_PORT, false, arena.allocate(16 << 20, 64));
    private final PacketBatch in = new PacketBatch(64, arena.allocate(64 * 1_600), 1_600);
    private final PacketBatch out = new PacketBatch(64, arena.allocate(64 * 96), 96);
    private final MemorySegment payload = arena.allocate(100_000);
    private final Message message = new Message();
    private final Event event = new Event();
    private final ArrayDeque<byte[]> toServer = new ArrayDeque<>();
    private final ArrayDeque<byte[]> toClient = new ArrayDeque<>();
    private final int[] sentToSpoofed = new int[SPOOFED];
    private long nowNs;
    private int outstanding;
    private int spoofed;
    private long completed;
    private long failed;
    private int mostRpcs;
    private int mostPeers;

    @Test
    void honestClientKeepsItsRateAndStrangersGetNoMoreThanThreeTimesTheirBytes() {
        run(2_000, false);
        long before = completed;
        run(SPOOFED / PER_STEP, false);
        long quiet = completed - before;
        before = completed;
        run(SPOOFED / PER_STEP, true);
        long flooded = completed - before;

        assertThat(spoofed).isEqualTo(SPOOFED);
        assertThat(failed).isZero();
        assertThat(flooded).as("calls during the flood, " + quiet + " without").isGreaterThanOrEqualTo(quiet * 9 / 10);
        int most = 0;
        for (int bytes : sentToSpoofed) {
            most = Math.max(most, bytes);
        }
        assertThat(most)
                .as("bytes to one stranger")
                .isPositive()
                .isLessThanOrEqualTo(3 * (DataHeader.LENGTH + SPOOFED_BYTES + 28));
        assertThat(mostPeers).isLessThanOrEqualTo(config.maxPeers / config.unprovenShare + 10);
        assertThat(mostRpcs).isLessThanOrEqualTo(config.maxPeers / config.unprovenShare + 100);
    }

    private void run(int steps, boolean flood) {
        for (int step = 0; step < steps; step++) {
            nowNs += STEP_NS;
            if (flood) {
                spoof();
            }
            turn(server, serverSocket, toServer, CLIENT, CLIENT_PORT);
            while (outstanding < 20) {
                long id = client.request(clientSocket, 0, SERVER, SERVER_PORT, payload, 0, 2_000, false, null, nowNs);
                assertThat(id).isPositive();
                outstanding++;
            }
            turn(client, clientSocket, toClient, SERVER, SERVER_PORT);
            mostRpcs = Math.max(mostRpcs, server.rpcCount());
            mostPeers = Math.max(mostPeers, server.peerCount());
        }
    }

    /** Whole requests of 100 bytes, each from an address never seen before. */
    private void spoof() {
        in.clear();
        for (int k = 0; k < PER_STEP; k++) {
            int i = in.count++;
            DataHeader.write(
                    in.packet[i], in.packetAt[i], 9, SERVER_PORT, 2, 0, SPOOFED_BYTES, SPOOFED_BYTES, 0, 0, 0, false);
            in.length[i] = DataHeader.LENGTH + SPOOFED_BYTES;
            in.socket[i] = serverSocket;
            in.peerHi[i] = 0;
            in.peerLo[i] = Address.mappedLo(FIRST_SPOOFED + spoofed++);
            in.peerPort[i] = 9;
        }
        server.onPackets(in, nowNs);
    }

    private void turn(Endpoint engine, int socket, ArrayDeque<byte[]> arrivals, long peer, int peerPort) {
        while (!arrivals.isEmpty()) {
            in.clear();
            while (!arrivals.isEmpty() && in.count < in.capacity) {
                byte[] packet = arrivals.remove();
                int i = in.count++;
                MemorySegment.copy(MemorySegment.ofArray(packet), 0, in.packet[i], in.packetAt[i], packet.length);
                in.length[i] = packet.length;
                in.socket[i] = socket;
                in.peerHi[i] = 0;
                in.peerLo[i] = peer;
                in.peerPort[i] = peerPort;
            }
            engine.onPackets(in, nowNs);
        }
        engine.onTime(nowNs);
        while (engine.receive(socket, message, nowNs)) {
            if (message.regionOffset >= 0) {
                engine.release(socket, message.regionOffset, nowNs);
            }
            if (message.isRequest) {
                assertThat(engine.reply(message.handle, payload, 0, 2_000, null, nowNs))
                        .isZero();
            } else {
                outstanding--;
                completed += message.status == Status.OK ? 1 : 0;
                failed += message.status == Status.OK ? 0 : 1;
            }
        }
        for (int count = engine.pollPackets(out, 100_000, nowNs);
                count > 0;
                count = engine.pollPackets(out, 100_000, nowNs)) {
            for (int i = 0; i < count; i++) {
                deliver(i);
            }
            engine.onSent(count, nowNs);
        }
        while (engine.pollEvent(event)) {
            assertThat(event.kind).isNotEqualTo(Event.Kind.WRITABLE);
        }
        engine.nextDeadlineNs(nowNs);
    }

    private void deliver(int i) {
        int length = out.length[i] + out.payloadLength[i];
        assertThat(CommonHeader.type(out.packet[i], out.packetAt[i])).isPositive();
        if (out.peerLo[i] != SERVER && out.peerLo[i] != CLIENT) {
            sentToSpoofed[(int) (out.peerLo[i] - Address.mappedLo(FIRST_SPOOFED))] += length + 28;
            return;
        }
        byte[] packet = new byte[length];
        MemorySegment copy = MemorySegment.ofArray(packet);
        MemorySegment.copy(out.packet[i], out.packetAt[i], copy, 0, out.length[i]);
        MemorySegment data = out.payload[i];
        if (data != null) {
            MemorySegment.copy(data, out.payloadAt[i], copy, out.length[i], out.payloadLength[i]);
        }
        (out.peerLo[i] == SERVER ? toServer : toClient).add(packet);
    }
}
