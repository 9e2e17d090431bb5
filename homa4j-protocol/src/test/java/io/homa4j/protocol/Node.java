package io.homa4j.protocol;

import io.homa4j.wire.Packet;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A host with one real engine under virtual time: the shell that a test drives by hand, without threads or sockets. What
 * the engine sends and announces is collected; nothing happens unless a test makes it.
 *
 * <p>Byte i of every message sent through here is {@link #messageByte}, so that a receiver can check it.
 */
final class Node {
    private static final int SLOT_BYTES = 9_216;
    private static final int BATCH = 64;
    static final long MS = 1_000_000;

    final String name;
    final long hi;
    final long lo;
    final Config config;
    final Endpoint engine;
    long nowNs;

    /** Packets per call of pollPackets; 1 lets a test stop between any two packets. */
    int batchLimit = BATCH;
    /** Bytes offered to pollPackets. */
    int maxBytes = Integer.MAX_VALUE;

    /** Events since the last clear: {@code READABLE 0}, {@code PRIVATE_READY 2}, {@code RELEASED x}, {@code WRITABLE 0}. */
    final List<String> events = new ArrayList<>();
    /** Per packet of the last {@link #receive(List)}: whether the engine asks for an ICMP port unreachable. */
    List<Boolean> portUnreachable = List.of();

    private final Arena arena = Arena.ofAuto();
    private final PacketBatch in = new PacketBatch(BATCH, arena.allocate((long) BATCH * SLOT_BYTES, 64), SLOT_BYTES);
    private final PacketBatch out = new PacketBatch(BATCH, arena.allocate(BATCH * 96L, 64), 96);
    private final PacketBatch single = new PacketBatch(1, arena.allocate(96, 64), 96);
    private final Map<Integer, MemorySegment> regions = new HashMap<>();
    private final Event event = new Event();
    private final Message message = new Message();

    /** A host at an address like {@code 10.0.0.1} or {@code fd00::1}; time starts at an arbitrary 7 s. */
    Node(String name, String address, Config config) {
        this(name, address, config, 7_000 * MS);
    }

    Node(String name, String address, Config config, long nowNs) {
        this.name = name;
        this.config = config;
        this.nowNs = nowNs;
        byte[] bytes = address(address);
        hi = Address.hi(bytes);
        lo = Address.lo(bytes);
        engine = new Endpoint(config, 42, nowNs);
    }

    static byte[] address(String text) {
        try {
            return InetAddress.getByName(text).getAddress();
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    // ---- application

    /** A socket that accepts requests; its number. */
    int server(int port) {
        int socket = open(port, true, 4 << 20);
        assert socket >= 0 : Status.of(socket);
        return socket;
    }

    /** A socket with an automatic port that accepts no requests. */
    int client() {
        int socket = open(0, false, 4 << 20);
        assert socket >= 0 : Status.of(socket);
        return socket;
    }

    int open(int port, boolean acceptsRequests, long regionBytes) {
        MemorySegment region = arena.allocate(regionBytes, 4096);
        int socket = engine.openSocket(port, acceptsRequests, region);
        if (socket >= 0) {
            regions.put(socket, region);
        }
        return socket;
    }

    MemorySegment region(int socket) {
        MemorySegment region = regions.get(socket);
        if (region == null) {
            throw new IllegalArgumentException("no socket " + socket);
        }
        return region;
    }

    /** Sends a shared request; its id or a status code. The attachment is the text {@code "q" + length}. */
    long request(int socket, Peered peer, int length) {
        return request(socket, peer, length, false, "q" + length);
    }

    long request(int socket, Peered peer, int length, boolean isPrivate, @Nullable Object attachment) {
        return engine.request(
                socket, peer.hi(), peer.lo(), peer.port(), payload(length), 0, length, isPrivate, attachment, nowNs);
    }

    /** Answers a request; the attachment is the text {@code "r" + length}. */
    int reply(Received request, int length) {
        return engine.reply(request.handle(), payload(length), 0, length, "r" + length, nowNs);
    }

    /** The oldest ready shared message; its memory stays taken. */
    @Nullable
    Received poll(int socket) {
        return engine.receive(socket, message, nowNs) ? copy(socket) : null;
    }

    /** The oldest ready shared message, which must be there; its memory is given back. */
    Received take(int socket) {
        Received received = poll(socket);
        if (received == null) {
            throw new AssertionError("nothing is ready on socket " + socket);
        }
        release(socket, received);
        return received;
    }

    /** The outcome of a private RPC, null if it is not ready or not known; its memory is given back. */
    @Nullable
    Received takePrivate(int socket, long id) {
        if (!engine.receivePrivate(id, message, nowNs)) {
            return null;
        }
        Received received = copy(socket);
        release(socket, received);
        return received;
    }

    private void release(int socket, Received received) {
        if (received.regionOffset() >= 0) {
            int result = engine.release(socket, received.regionOffset(), nowNs);
            assert result == 0 : Status.of(result);
        }
    }

    private Received copy(int socket) {
        byte[] bytes = message.regionOffset < 0
                ? new byte[0]
                : region(socket).asSlice(message.regionOffset, message.length).toArray(ValueLayout.JAVA_BYTE);
        return new Received(
                message.isRequest,
                message.id,
                message.handle,
                message.attachment,
                message.status,
                message.abortCode,
                message.peerHi,
                message.peerLo,
                message.peerPort,
                message.length,
                message.regionOffset,
                bytes);
    }

    /** Byte i of every message. */
    static byte messageByte(int i) {
        return (byte) (31 * i + (i >> 8));
    }

    static byte[] message(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = messageByte(i);
        }
        return bytes;
    }

    private MemorySegment payload(int length) {
        MemorySegment payload = arena.allocate(Math.max(1, length));
        MemorySegment.copy(message(length), 0, payload, ValueLayout.JAVA_BYTE, 0, length);
        return payload;
    }

    // ---- network

    /** Gives packets to the engine in batches of at most 64, as one turn; nothing is sent before {@link #send}. */
    void receive(List<Datagram> packets) {
        List<Boolean> unreachable = new ArrayList<>();
        for (int from = 0; from < packets.size(); from += BATCH) {
            List<Datagram> part = packets.subList(from, Math.min(packets.size(), from + BATCH));
            in.clear();
            for (Datagram packet : part) {
                int i = in.count++;
                MemorySegment.copy(
                        packet.bytes(), 0, in.packet[i], ValueLayout.JAVA_BYTE, in.packetAt[i], packet.bytes().length);
                in.length[i] = packet.bytes().length;
                in.socket[i] = packet.socket();
                in.localHi[i] = packet.localHi();
                in.localLo[i] = packet.localLo();
                in.peerHi[i] = packet.hi();
                in.peerLo[i] = packet.lo();
                in.peerPort[i] = packet.port();
                in.level[i] = 0;
                in.portUnreachable[i] = false;
            }
            engine.onPackets(in, nowNs);
            for (int i = 0; i < in.count; i++) {
                unreachable.add(in.portUnreachable[i]);
            }
        }
        portUnreachable = unreachable;
        engine.onTime(nowNs);
        pollEvents();
    }

    void receive(Datagram... packets) {
        receive(Arrays.asList(packets));
    }

    /** Everything the engine wants to send now. */
    List<Sent> send() {
        return send(Integer.MAX_VALUE);
    }

    /** At most so many packets of what the engine wants to send now; more are not even asked for. */
    List<Sent> send(int atMost) {
        List<Sent> sent = new ArrayList<>();
        while (sent.size() < atMost) {
            PacketBatch batch = Math.min(batchLimit, atMost - sent.size()) < BATCH ? single : out;
            int count = engine.pollPackets(batch, maxBytes, nowNs);
            if (count == 0) {
                break;
            }
            for (int i = 0; i < count; i++) {
                sent.add(read(batch, i));
            }
            engine.onSent(count, nowNs);
        }
        pollEvents();
        return sent;
    }

    /** Asks for a batch and hands over only its first packets, as a driver does whose queue is full; all that was asked for. */
    List<Sent> sendOnly(int handedOver) {
        List<Sent> polled = new ArrayList<>();
        int count = engine.pollPackets(out, maxBytes, nowNs);
        for (int i = 0; i < count; i++) {
            polled.add(read(out, i));
        }
        if (count > 0) {
            engine.onSent(Math.min(handedOver, count), nowNs);
        }
        return polled;
    }

    /** The words of everything the engine wants to send now, separated by commas. */
    String sends() {
        return words(send());
    }

    static String words(List<Sent> sent) {
        return sent.stream().map(Sent::word).collect(Collectors.joining(", "));
    }

    /** {@link #words} with the sender's id in front of each. */
    static String wordsWithIds(List<Sent> sent) {
        return sent.stream().map(packet -> packet.id() + ":" + packet.word()).collect(Collectors.joining(", "));
    }

    private Sent read(PacketBatch batch, int i) {
        byte[] bytes = new byte[batch.length[i] + batch.payloadLength[i]];
        MemorySegment.copy(batch.packet[i], ValueLayout.JAVA_BYTE, batch.packetAt[i], bytes, 0, batch.length[i]);
        MemorySegment payload = batch.payload[i];
        if (payload != null) {
            MemorySegment.copy(
                    payload, ValueLayout.JAVA_BYTE, batch.payloadAt[i], bytes, batch.length[i], batch.payloadLength[i]);
        }
        return new Sent(
                Packet.decode(MemorySegment.ofArray(bytes), 0, bytes.length),
                batch.level[i],
                batch.peerHi[i],
                batch.peerLo[i],
                batch.peerPort[i],
                batch.localHi[i],
                batch.localLo[i],
                batch.socket[i],
                nowNs);
    }

    // ---- time

    /** Lets so many ticks pass, one turn each; everything sent meanwhile. */
    List<Sent> ticks(int count) {
        List<Sent> sent = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sent.addAll(pass(config.tickNs));
        }
        return sent;
    }

    /** Lets time pass, then does one turn; everything sent in it. */
    List<Sent> pass(long ns) {
        nowNs += ns;
        engine.onTime(nowNs);
        return send();
    }

    /** Takes the events; a turn has ended, so nothing in the engine may contradict itself. */
    private void pollEvents() {
        while (engine.pollEvent(event)) {
            events.add(event.kind + " "
                    + switch (event.kind) {
                        case READABLE, WRITABLE -> event.socket;
                        case PRIVATE_READY -> event.id;
                        case RELEASED -> event.attachment;
                    });
        }
        String contradictions = engine.audit();
        assert contradictions.isEmpty() : contradictions;
    }

    /** Value of a counter by its name. */
    long count(String counter) {
        return engine.counters().value(counter);
    }

    /** Where a request goes to. */
    record Peered(long hi, long lo, int port) {}
}
