package io.homa4j.protocol;

import io.homa4j.wire.GrantPacket;
import io.homa4j.wire.Packet;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * A {@link WindowGranter} with everything below it real and nothing above it: a test begins messages, says which bytes have
 * come, and reads the GRANTs. Messages have names; each is born one nanosecond after the one before.
 */
final class GrantBench {
    private static final int SLOT_BYTES = 96;
    private static final int BATCH = 64;

    final Config config;
    final Counters counters = new Counters();
    final Turn turn;
    final WindowGranter granter;

    private final PeerTable peers;
    private final RpcTable rpcs;
    private final ControlQueue control;
    private final Sock socket = new Sock(0);
    private final Map<String, Rpc> messages = new LinkedHashMap<>();
    private final PacketBatch batch =
            new PacketBatch(BATCH, MemorySegment.ofArray(new byte[BATCH * SLOT_BYTES]), SLOT_BYTES);
    private long nextId = 1001;

    /** Profile {@code module} with windows of 10000 bytes, headroom for all of them, and no FIFO grants. */
    static Config config() {
        Config config = Config.module();
        config.window = 10_000;
        config.maxIncoming = 10_000_000;
        config.grantFifoFraction = 0;
        return config;
    }

    GrantBench(Config config) {
        this.config = config;
        config.normalize();
        turn = new Turn(config, 7_000_000_000L);
        KeyedHash hash = new KeyedHash(42);
        Priorities priorities = new Priorities(config, counters, hash, turn.nowNs);
        control = new ControlQueue(config, counters, priorities);
        Silence silence = new Silence(config, turn, new TimerWheel(), new DeferredResends(), new ArrivalRate(turn));
        granter = new WindowGranter(config, counters, turn, priorities, control, silence);
        peers = new PeerTable(config, counters, turn, hash);
        rpcs = new RpcTable(hash);
        socket.port = 99;
    }

    // ---- messages

    /** A message whose first packet has just come, with so many bytes announced as unscheduled; not checked yet. */
    Rpc begin(String name, int host, int length, int announced) {
        pass(1);
        Peer peer = Objects.requireNonNull(peers.findOrCreate(0, 0, 0xFFFF_0A00_0000L + host, 0, true));
        Rpc rpc = rpcs.add(nextId, socket, peer, 40_000, false);
        nextId += 2;
        rpc.state = Rpc.State.INCOMING;
        rpc.in.clear();
        rpc.in.begin(length, announced, turn.nowNs);
        rpc.in.regionAt = 0;
        messages.put(name, rpc);
        return rpc;
    }

    /** Begins a message and checks it. */
    Rpc add(String name, int host, int length, int announced) {
        Rpc rpc = begin(name, host, length, announced);
        granter.check(rpc);
        return rpc;
    }

    /** Begins a message of which nothing is unscheduled, and checks it. */
    Rpc add(String name, int host, int length) {
        return add(name, host, length, 0);
    }

    Rpc message(String name) {
        return Objects.requireNonNull(messages.get(name));
    }

    /** The next bytes of the message have come; it is checked. */
    void receive(Rpc rpc, int bytes) {
        granter.arrived(bytes);
        rpc.in.take(rpc.in.receivedEnd, rpc.in.receivedEnd + bytes);
        granter.check(rpc);
    }

    /** All that was missing has come; the message is checked. */
    void complete(Rpc rpc) {
        receive(rpc, rpc.in.remaining);
    }

    void pass(long ns) {
        turn.now(turn.nowNs + ns);
    }

    // ---- what came of it

    /** The GRANTs since the last call: {@code a 1300 p0, b 2000 p1}. */
    String grants() {
        StringJoiner words = new StringJoiner(", ");
        for (batch.clear(); control.poll(batch) > 0; batch.clear()) {
            for (int i = 0; i < batch.count; i++) {
                GrantPacket grant = (GrantPacket) Packet.decode(batch.packet[i], batch.packetAt[i], batch.length[i]);
                words.add(name(grant.common().senderId()) + " " + grant.offset() + " p" + grant.priority());
                control.sent(batch.position[i]);
            }
        }
        return words.toString();
    }

    /** Names of the active messages by slot, {@code -} for an empty slot below a taken one. */
    String active() {
        List<String> slots = new ArrayList<>();
        messages.forEach((name, rpc) -> {
            if (rpc.in.slot >= 0) {
                while (slots.size() <= rpc.in.slot) {
                    slots.add("-");
                }
                assert slots.get(rpc.in.slot).equals("-") : "two messages in slot " + rpc.in.slot;
                slots.set(rpc.in.slot, name);
            }
        });
        return String.join(" ", slots);
    }

    /** Ends the message in slot 0 again and again; the names of those that took its place, in order. */
    String drain() {
        StringJoiner order = new StringJoiner(" ");
        for (Rpc holder = holder(); holder != null; holder = holder()) {
            order.add(name(holder.id));
            granter.forget(holder);
        }
        return order.toString();
    }

    private @Nullable Rpc holder() {
        return messages.values().stream()
                .filter(rpc -> rpc.in.slot == 0)
                .findFirst()
                .orElse(null);
    }

    long count(int counter) {
        return counters.get(counter);
    }

    private String name(long id) {
        for (Map.Entry<String, Rpc> message : messages.entrySet()) {
            if (message.getValue().id == id) {
                return message.getKey();
            }
        }
        throw new AssertionError("GRANT for an unknown message: " + id);
    }
}
