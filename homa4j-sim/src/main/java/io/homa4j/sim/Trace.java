package io.homa4j.sim;

import io.homa4j.protocol.Address;
import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.DataHeader;
import io.homa4j.wire.GrantHeader;
import io.homa4j.wire.PacketType;
import io.homa4j.wire.ResendHeader;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * All that happens in a run, in order: as lines for people if somebody reads them, and always as a hash, which is the same
 * for the same seed and commit.
 */
final class Trace {
    private final @Nullable Consumer<String> reader;
    private long hash = 0x9E3779B97F4A7C15L;
    private @Nullable Simulation clock;

    /** @param reader null if nobody reads */
    Trace(@Nullable Consumer<String> reader) {
        this.reader = reader;
    }

    void clock(Simulation simulation) {
        clock = simulation;
    }

    long hash() {
        return hash;
    }

    boolean isRead() {
        return reader != null;
    }

    /** Something happens to a packet. */
    void packet(String what, SimPacket packet) {
        fold(what, packet.source, packet.target, packet.length);
        if (packet.length >= CommonHeader.LENGTH) {
            mix(CommonHeader.senderId(packet.bytes, packet.at) + packet.level);
        }
        if (reader != null) {
            say(what + " " + packet.source + ">" + packet.target + " " + words(packet));
        }
    }

    /** Something happens at a host. */
    void event(String what, int host, long a, long b) {
        fold(what, host, a, b);
        if (reader != null) {
            say(what + " at host " + host + ": " + a + ", " + b);
        }
    }

    /** Something happens at a host, about a call. */
    void call(String what, FuzzHost host, Call call) {
        fold(what, host.number, call.plan.number(), call.id);
        if (reader != null) {
            say(what + " at host " + host.number + ": " + call);
        }
    }

    private void fold(String what, long a, long b, long c) {
        mix(clock == null ? 0 : clock.nowPs());
        mix(what.hashCode());
        mix(a << 40 ^ b << 20 ^ c);
    }

    private void mix(long value) {
        hash = (Long.rotateLeft(hash, 23) ^ value) * 0xD1342543DE82EF95L;
    }

    private void say(String line) {
        if (reader != null && clock != null) {
            reader.accept("%14.3f us  %s".formatted(clock.nowPs() / 1e6, line));
        }
    }

    private static String words(SimPacket packet) {
        int type = PacketType.check(packet.bytes, packet.at, packet.length);
        if (type < 0) {
            return packet.length + " bytes that are no packet";
        }
        String detail = switch (type) {
            case PacketType.DATA ->
                " " + (packet.length - DataHeader.LENGTH) + "@" + DataHeader.offset(packet.bytes, packet.at)
                        + " of " + DataHeader.messageLength(packet.bytes, packet.at)
                        + " incoming " + DataHeader.incoming(packet.bytes, packet.at)
                        + " version " + DataHeader.cutoffVersion(packet.bytes, packet.at)
                        + (DataHeader.retransmit(packet.bytes, packet.at) ? " again" : "")
                        + (DataHeader.ackClientId(packet.bytes, packet.at) == 0
                                ? ""
                                : " ack " + id(DataHeader.ackClientId(packet.bytes, packet.at)));
            case PacketType.GRANT ->
                " " + GrantHeader.offset(packet.bytes, packet.at) + " level "
                        + GrantHeader.priority(packet.bytes, packet.at);
            case PacketType.RESEND ->
                " " + ResendHeader.length(packet.bytes, packet.at) + "@" + ResendHeader.offset(packet.bytes, packet.at);
            default -> "";
        };
        return PacketType.name(type) + " " + id(CommonHeader.senderId(packet.bytes, packet.at)) + detail + " level "
                + packet.level + " " + Address.text(packet.sourceHi, packet.sourceLo) + ":" + packet.sourcePort + " to "
                + packet.targetPort;
    }

    private static String id(long id) {
        return Long.toUnsignedString(id, 16);
    }
}
