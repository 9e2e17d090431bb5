package io.homa4j.driver;

import io.homa4j.protocol.Address;
import io.homa4j.wire.PacketType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A golden capture as replay needs it. */
final class Capture {
    /**
     * One frame, down to what IP carries.
     *
     * @param number its place in the capture, from 1
     * @param atNs time from the first frame
     * @param payload as long as the IP header says; zero where the frame was cut
     * @param kept bytes of {@code payload} that were captured
     */
    @SuppressWarnings("ArrayRecordComponent") // values to read, not to compare
    record Frame(
            int number,
            long atNs,
            long sourceHi,
            long sourceLo,
            long targetHi,
            long targetLo,
            int level,
            int protocol,
            byte[] payload,
            int kept) {
        /** Whether this is long enough for a packet of its type and the type is known. */
        boolean isReadable() {
            return PacketType.check(segment(), 0, payload.length) >= 0;
        }

        /** The packet an ICMP error quotes. */
        @Nullable
        IpPacket quoted() {
            byte[] known = Arrays.copyOf(payload, kept);
            return protocol == IpPacket.ICMPV6 ? IpPacket.v6(known, 8) : IpPacket.v4(known, 8);
        }

        /** Whether this is ICMP port unreachable. */
        boolean isPortUnreachable() {
            return protocol == IpPacket.ICMP && payload[0] == 3 && payload[1] == 3
                    || protocol == IpPacket.ICMPV6 && payload[0] == 1 && payload[1] == 4;
        }

        boolean isIcmp() {
            return protocol == IpPacket.ICMP || protocol == IpPacket.ICMPV6;
        }

        /** This frame with bytes that were cut off. */
        Frame withTail(byte[] tail) {
            byte[] whole = payload.clone();
            System.arraycopy(tail, 0, whole, kept, tail.length);
            return new Frame(
                    number, atNs, sourceHi, sourceLo, targetHi, targetLo, level, protocol, whole, kept + tail.length);
        }

        String source() {
            return Address.text(sourceHi, sourceLo);
        }

        String target() {
            return Address.text(targetHi, targetLo);
        }

        MemorySegment segment() {
            return MemorySegment.ofArray(payload);
        }
    }

    private Capture() {}

    /** Reads a capture. A packet that came in IP fragments stands where its last one came, under that number. */
    static List<Frame> read(Path file) throws IOException {
        List<PcapFrame> captured = PcapFile.readAll(file);
        List<Frame> frames = new ArrayList<>(captured.size());
        byte[] firstFragment = {};
        for (PcapFrame frame : captured) {
            IpPacket ip = Objects.requireNonNull(frame.ip(), () -> file + " frame " + frame.number() + " is not IP");
            byte[] known = ip.isFirstFragment() ? ip.transport() : firstFragment;
            if (ip.moreFragments()) {
                firstFragment = known;
                continue;
            }
            frames.add(new Frame(
                    frame.number(),
                    frame.timeNs() - captured.getFirst().timeNs(),
                    Address.hi(ip.source()),
                    Address.lo(ip.source()),
                    Address.hi(ip.target()),
                    Address.lo(ip.target()),
                    ip.level(),
                    ip.protocol(),
                    Arrays.copyOf(known, ip.fragmentOffset() + ip.transportLength()),
                    known.length));
        }
        return frames;
    }
}
