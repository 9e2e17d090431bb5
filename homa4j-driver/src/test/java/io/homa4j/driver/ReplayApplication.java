package io.homa4j.driver;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config;
import io.homa4j.protocol.Endpoint;
import io.homa4j.protocol.Event;
import io.homa4j.protocol.Message;
import io.homa4j.protocol.Status;
import io.homa4j.wire.AckPacket;
import io.homa4j.wire.Bytes;
import io.homa4j.wire.Common;
import io.homa4j.wire.CutoffsPacket;
import io.homa4j.wire.DataPacket;
import io.homa4j.wire.Packet;
import io.homa4j.wire.PacketType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The applications of a replayed host: they do what the script says when it says so, and check what they get. Before the
 * capture begins they bring the engine to the state the host was in: tables of cutoffs, pending acks, ports, ids.
 */
final class ReplayApplication {
    private final ReplayedHost host;
    private final ReplayScript.Side side;
    private final Endpoint endpoint;
    private final Config config;
    private final Arena arena;
    private final List<String> complaints;
    private final Message message = new Message();
    private final Event event = new Event();

    private final Map<Integer, Integer> sockets = new HashMap<>();
    private final Map<Integer, MemorySegment> regions = new HashMap<>();
    private final Set<Integer> paused = new HashSet<>();
    /** Requests to be answered, by the server's id. */
    private final Map<Long, Request> requests = new HashMap<>();

    private final Map<Long, ReplayScript.Action> waitingReplies = new HashMap<>();
    private final Map<Long, Long> regionOffsets = new HashMap<>();
    private final Map<Long, String> outcomes = new HashMap<>();
    /** Ids of messages whose memory is lent to the engine. */
    private final Set<Long> lent = new HashSet<>();

    private long lastId;

    @SuppressWarnings("ArrayRecordComponent") // values to read, not to compare
    private record Request(long handle, byte[] head) {}

    ReplayApplication(ReplayedHost host, ReplayScript.Side side, Endpoint endpoint, Config config, Arena arena) {
        this.host = host;
        this.side = side;
        this.endpoint = endpoint;
        this.config = config;
        this.arena = arena;
        complaints = host.complaints();
    }

    // ---- before the capture

    void prepare() throws IOException {
        for (int version = 2; version <= side.version; version++) {
            // Tables in between do not matter, but each must differ from the one before.
            config.unschedCutoffs =
                    version == side.version ? side.table.clone() : new int[] {0, 0, 0, 0, 0, 0, 1_000_000, version};
            endpoint.reconfigure(config, host.nowNs());
        }
        for (ReplayScript.Socket socket : side.sockets) {
            open(socket);
        }
        for (Map.Entry<String, Integer> path : side.mtu.entrySet()) {
            byte[] peer = address(path.getKey());
            endpoint.pathMtu(Address.hi(peer), Address.lo(peer), path.getValue());
        }
        for (ReplayScript.Cutoffs known : side.knows) {
            int port = side.sockets.getFirst().port();
            Common common = Common.of(PacketType.CUTOFFS, 1, port, 0, port < 0x8000 ? 0 : 1);
            List<Integer> entries = Arrays.stream(known.entries()).boxed().toList();
            receive(known.address(), new CutoffsPacket(common, entries, known.version(), Bytes.EMPTY));
        }
        for (ReplayScript.Acks acks : side.acks) {
            finishEarlier(acks);
        }
        useUpIds();
        host.turn();
        outcomes.clear();
    }

    private void open(ReplayScript.Socket socket) {
        MemorySegment region = arena.allocate(socket.regionBytes(), 4096);
        boolean isAutomatic = socket.port() >= 0x8000;
        int number = endpoint.openSocket(isAutomatic ? 0 : socket.port(), socket.server(), region);
        // Automatic ports come in order; open and close until it is this one's turn.
        while (isAutomatic && number >= 0 && endpoint.port(number) < socket.port()) {
            endpoint.shutdown(number, host.nowNs());
            endpoint.closeSocket(number, host.nowNs());
            number = endpoint.openSocket(0, socket.server(), region);
        }
        if (number < 0 || endpoint.port(number) != socket.port()) {
            throw new IllegalStateException("socket " + socket.port() + ": " + Status.of(number));
        }
        sockets.put(socket.port(), number);
        regions.put(number, region);
    }

    /** Runs RPCs to their end whose acks the host still held when the capture began. */
    private void finishEarlier(ReplayScript.Acks acks) throws IOException {
        byte[] peer = address(acks.address());
        int port = side.sockets.getFirst().port();
        long last = Collections.max(acks.ids());
        while (lastId < last) {
            lastId = request(socket(port), peer, acks.port());
            if (!acks.ids().contains(lastId)) {
                endpoint.forget(lastId, host.nowNs());
            }
        }
        host.allow(acks.ids().size());
        for (long id : acks.ids()) {
            Common common = Common.of(PacketType.DATA, acks.port(), port, 0, id ^ 1);
            Bytes oneByte = Bytes.of((byte) 0);
            receive(acks.address(), new DataPacket(common, 1, 1, 0, 0, side.version, 0, 0, 0, oneByte));
        }
    }

    /** Uses up the ids between those of the acks and the first of the capture. */
    private void useUpIds() throws IOException {
        byte[] nobody = address("192.0.2.1");
        while (lastId != 0 && lastId < side.nextId - 2) {
            lastId = request(socket(side.sockets.getFirst().port()), nobody, 1);
            endpoint.forget(lastId, host.nowNs());
        }
    }

    private long request(int socket, byte[] peer, int port) {
        MemorySegment oneByte = arena.allocate(8);
        long now = host.nowNs();
        return endpoint.request(socket, Address.hi(peer), Address.lo(peer), port, oneByte, 0, 1, false, null, now);
    }

    /** Brings the timer of FIFO grants to where it was when the capture began. */
    private void earlierGrant(String peer, int port) throws IOException {
        long id = 1L << 40;
        Common data = Common.of(PacketType.DATA, 1, port, 0, id);
        receive(peer, new DataPacket(data, 100_000, 1, 0, 0, side.version, 0, 0, 0, Bytes.of((byte) 0)));
        Common ack = Common.of(PacketType.ACK, 1, port, 0, id);
        receive(peer, new AckPacket(ack, 0, Collections.nCopies(5, new AckPacket.Slot(0, 0)), Bytes.EMPTY));
        host.forgetProduced();
    }

    private void receive(String peer, Packet packet) throws IOException {
        byte[] bytes = new byte[packet.length()];
        packet.encode(MemorySegment.ofArray(bytes), 0);
        byte[] source = address(peer);
        long hi = Address.hi(source);
        long lo = Address.lo(source);
        host.receive(List.of(new Capture.Frame(0, 0, hi, lo, hi, lo, 7, IpPacket.HOMA, bytes, bytes.length)));
    }

    // ---- during the capture

    void act(ReplayScript.Action action) throws IOException {
        long now = host.nowNs();
        switch (action.verb()) {
            case "request" -> request(action);
            case "reply" -> reply(action);
            case "abort" -> check(endpoint.forget(action.number(0), now), action);
            case "pause" -> paused.add((int) action.number(0));
            case "resume" -> paused.remove((int) action.number(0));
            case "release" -> {
                long offset = regionOffsets.getOrDefault(action.number(0), -1L);
                check(endpoint.release(socket((int) action.number(1)), offset, now), action);
            }
            case "open" -> open(ReplayScript.socket(action.words()));
            case "shutdown" -> {
                int number = socket((int) action.number(0));
                sockets.remove((int) action.number(0));
                endpoint.shutdown(number, now);
                endpoint.closeSocket(number, now);
            }
            case "write" -> {
                ReplayParameters.set(
                        config,
                        action.word(0),
                        action.words().subList(1, action.words().size()));
                endpoint.reconfigure(config, now);
            }
            case "earlier-grant" -> earlierGrant(action.word(0), (int) action.number(1));
            default -> throw new IllegalArgumentException("line " + action.line() + ": " + action.verb());
        }
    }

    private void request(ReplayScript.Action action) throws IOException {
        long id = action.number(0);
        byte[] peer = address(action.word(2));
        int length = (int) action.number(4);
        int want = action.words().indexOf("want");
        int delay = action.words().indexOf("delay");
        byte[] bytes = ReplayPayload.message(
                length, want < 0 ? 100 : (int) action.number(want + 1), delay < 0 ? 0 : (int) action.number(delay + 1));
        lent.add(id);
        long got = endpoint.request(
                socket((int) action.number(1)),
                Address.hi(peer),
                Address.lo(peer),
                (int) action.number(3),
                offHeap(bytes),
                0,
                length,
                false,
                id,
                host.nowNs());
        if (got != id) {
            complaints.add("line " + action.line() + ": the request got id " + got + " (" + Status.of(got) + ")");
        }
    }

    private void reply(ReplayScript.Action action) {
        long id = action.number(0);
        int length = (int) action.number(1);
        Request request = requests.get(id);
        if (request == null) {
            waitingReplies.put(id, action);
            return;
        }
        byte[] bytes = ReplayPayload.message(length, 0, 0);
        System.arraycopy(request.head, 0, bytes, 0, Math.min(request.head.length, length));
        lent.add(id);
        int result = endpoint.reply(request.handle, offHeap(bytes), 0, length, id, host.nowNs());
        if (result < 0) {
            lent.remove(id);
        }
        if (result < 0 && Status.of(result) != Status.UNKNOWN_RPC) {
            complaints.add("line " + action.line() + ": the reply failed: " + Status.of(result));
        }
    }

    /** Takes what is ready, and what the engine has to say. */
    void takeMessages() {
        while (endpoint.pollEvent(event)) {
            if (event.kind == Event.Kind.RELEASED && event.attachment instanceof Long id && !lent.remove(id)) {
                complaints.add("the memory of message " + id + " was released twice");
            }
        }
        for (int port : List.copyOf(sockets.keySet())) {
            int socket = socket(port);
            while (!paused.contains(port) && endpoint.receive(socket, message, host.nowNs())) {
                take(socket);
            }
        }
    }

    private void take(int socket) {
        long id = message.id;
        MemorySegment region = regions.getOrDefault(socket, MemorySegment.NULL);
        if (message.status == Status.OK) {
            int wrong = ReplayPayload.firstWrong(region, message.regionOffset, message.length);
            if (wrong >= 0) {
                complaints.add("byte " + wrong + " of message " + id + " is wrong");
            }
        }
        if (message.isRequest) {
            int head = Math.min(ReplayPayload.HEAD_BYTES, message.length);
            requests.put(
                    id,
                    new Request(
                            message.handle,
                            region.asSlice(message.regionOffset, head).toArray(ValueLayout.JAVA_BYTE)));
        } else {
            outcomes.put(id, message.status.name());
        }
        if (message.status == Status.OK) {
            regionOffsets.put(id, message.regionOffset);
            if (!side.releases.contains(id)) {
                endpoint.release(socket, message.regionOffset, host.nowNs());
            }
        }
        ReplayScript.Action waiting = waitingReplies.remove(id);
        if (waiting != null) {
            reply(waiting);
        }
    }

    /** After the capture: did everything end as it should? */
    void finish() {
        for (ReplayScript.Action action : side.actions) {
            if (action.verb().equals("request")) {
                long id = action.number(0);
                String wanted = side.outcomes.getOrDefault(id, "OK");
                String got = outcomes.getOrDefault(id, "none");
                if (!got.equals(wanted)) {
                    complaints.add("RPC " + id + " must end with " + wanted + ", got " + got);
                }
            }
        }
        for (long id : waitingReplies.keySet()) {
            complaints.add("the request of RPC " + id + " never became complete");
        }
    }

    private int socket(int port) {
        Integer number = sockets.get(port);
        if (number == null) {
            throw new IllegalArgumentException("the script opens no socket " + port);
        }
        return number;
    }

    private MemorySegment offHeap(byte[] bytes) {
        MemorySegment segment = arena.allocate(bytes.length, 8);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    private static byte[] address(String text) throws IOException {
        return InetAddress.getByName(text).getAddress();
    }

    private static void check(long result, ReplayScript.Action action) {
        if (result < 0) {
            throw new IllegalStateException("line " + action.line() + ": " + action.verb() + ": " + Status.of(result));
        }
    }
}
