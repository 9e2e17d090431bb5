package io.homa4j.driver;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads a capture, frame by frame: pcap (either byte order, micro- or nanoseconds) and pcapng, with Ethernet (VLAN tags
 * included), raw IP, Linux cooked or BSD loopback frames. For tools and tests; not thread-safe.
 */
public final class PcapFile implements AutoCloseable {
    private static final int MICROSECOND_MAGIC = 0xA1B2C3D4;
    private static final int NANOSECOND_MAGIC = 0xA1B23C4D;
    private static final int FILE_HEADER = 24;
    private static final int RECORD_HEADER = 16;
    private static final long NS_PER_SECOND = 1_000_000_000;

    // pcapng: every block is type, length, body padded to four bytes, length again.
    private static final int SECTION_BLOCK = 0x0A0D0D0A;
    private static final int INTERFACE_BLOCK = 1;
    private static final int OLD_PACKET_BLOCK = 2;
    private static final int SIMPLE_PACKET_BLOCK = 3;
    private static final int PACKET_BLOCK = 6;
    private static final int SECTION_MAGIC = 0x1A2B3C4D;
    private static final int OPTION_TIME_RESOLUTION = 9;
    private static final int OPTION_TIME_OFFSET = 14;

    /** The file is no capture, or one that cannot be read on; the message says why in a short clause. */
    public static final class FormatException extends IOException {
        private static final long serialVersionUID = 1L;

        FormatException(String message) {
            super(message);
        }
    }

    /** What a pcapng section says of one interface. */
    private record Interface(int linkType, long snapLength, long unitsPerSecond, long offsetSeconds) {
        long timeNs(long units) {
            long seconds = Long.divideUnsigned(units, unitsPerSecond);
            double fraction = (double) Long.remainderUnsigned(units, unitsPerSecond) / unitsPerSecond;
            return (seconds + offsetSeconds) * NS_PER_SECOND + Math.round(fraction * NS_PER_SECOND);
        }
    }

    private final InputStream in;
    private final boolean isPcapng;
    private final List<Interface> interfaces = new ArrayList<>();
    private ByteOrder order = ByteOrder.BIG_ENDIAN;
    private boolean nanoseconds;
    private int frames;
    private @Nullable String cut;

    private PcapFile(InputStream in) throws IOException {
        this.in = in;
        byte[] magic = in.readNBytes(4);
        int value = magic.length < 4 ? 0 : ByteBuffer.wrap(magic).getInt();
        this.isPcapng = value == SECTION_BLOCK;
        if (isPcapng) {
            startSection();
            return;
        }
        if (!isMagic(value)) {
            order = ByteOrder.LITTLE_ENDIAN;
            value = Integer.reverseBytes(value);
        }
        if (!isMagic(value)) {
            throw new FormatException(magic.length == 0 ? "empty" : "neither pcap nor pcapng");
        }
        nanoseconds = value == NANOSECOND_MAGIC;
        byte[] rest = in.readNBytes(FILE_HEADER - magic.length);
        if (rest.length < FILE_HEADER - magic.length) {
            throw new FormatException("cut within the file header");
        }
        // The upper half says whether frames end with a checksum, which the IP length leaves out anyway.
        int linkType = ByteBuffer.wrap(rest).order(order).getInt(16) & 0xFFFF;
        interfaces.add(new Interface(linkType, Integer.MAX_VALUE, NS_PER_SECOND, 0));
    }

    /**
     * Opens a file.
     *
     * @throws FormatException if it is no capture
     */
    public static PcapFile open(Path file) throws IOException {
        InputStream in = Files.newInputStream(file);
        try {
            return from(in);
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    /** Reads from a stream, which is closed with this object. */
    public static PcapFile from(InputStream in) throws IOException {
        return new PcapFile(new BufferedInputStream(in));
    }

    /** All frames of a file. */
    public static List<PcapFrame> readAll(Path file) throws IOException {
        try (PcapFile pcap = open(file)) {
            List<PcapFrame> all = new ArrayList<>();
            for (PcapFrame frame = pcap.next(); frame != null; frame = pcap.next()) {
                all.add(frame);
            }
            return all;
        }
    }

    /** Whether times are finer than microseconds. */
    public boolean isNanoseconds() {
        return nanoseconds;
    }

    /** After the last frame: how the file's end is damaged, in a short clause; empty if it is not. */
    public Optional<String> cut() {
        return Optional.ofNullable(cut);
    }

    /**
     * The next frame, or null at the end of the file. If the file ends within a frame, that frame is returned as far as
     * it is there, and {@link #cut} says so.
     *
     * @throws FormatException if the file cannot be read on
     */
    public @Nullable PcapFrame next() throws IOException {
        return isPcapng ? nextOfBlocks() : nextOfRecords();
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    private @Nullable PcapFrame nextOfRecords() throws IOException {
        ByteBuffer header = read(RECORD_HEADER);
        if (header.limit() < RECORD_HEADER) {
            if (header.hasRemaining()) {
                noteCut(header.limit(), RECORD_HEADER, "a record header");
            }
            return null;
        }
        long seconds = Integer.toUnsignedLong(header.getInt());
        long fraction = Integer.toUnsignedLong(header.getInt());
        int capturedLength = header.getInt();
        int wireLength = header.getInt();
        long timeNs = seconds * NS_PER_SECOND + fraction * (nanoseconds ? 1 : 1000);
        ByteBuffer bytes = read(nonNegative(capturedLength));
        if (bytes.limit() < capturedLength) {
            noteCut(bytes.limit(), capturedLength, "the next frame");
        }
        return frame(timeNs, interfaces.getFirst().linkType, wireLength, bytes);
    }

    private @Nullable PcapFrame nextOfBlocks() throws IOException {
        while (cut == null) {
            ByteBuffer type = read(4);
            if (type.limit() == 0) {
                return null;
            }
            if (type.limit() == 4 && type.getInt(0) == SECTION_BLOCK) {
                startSection();
                continue;
            }
            ByteBuffer length = read(4);
            if (length.limit() < 4) {
                noteCut(type.limit() + length.limit(), 8, "a block header");
                return null;
            }
            int bodyLength = nonNegative(length.getInt(0) - 12);
            ByteBuffer body = read(bodyLength);
            if (body.limit() < bodyLength || read(4).limit() < 4) {
                noteCut(body.limit(), bodyLength, "the next block");
            }
            PcapFrame frame = block(type.getInt(0), body);
            if (frame != null) {
                return frame;
            }
        }
        return null;
    }

    /** Takes in one pcapng block, perhaps a cut one; a frame if it holds one. */
    private @Nullable PcapFrame block(int type, ByteBuffer body) throws FormatException {
        int headerLength = switch (type) {
            case PACKET_BLOCK, OLD_PACKET_BLOCK -> 20;
            case INTERFACE_BLOCK -> 8;
            case SIMPLE_PACKET_BLOCK -> 4;
            default -> Integer.MAX_VALUE;
        };
        if (body.limit() < headerLength) {
            return null;
        }
        if (type == INTERFACE_BLOCK) {
            interfaces.add(interfaceOf(body));
            return null;
        }
        boolean simple = type == SIMPLE_PACKET_BLOCK;
        int id = simple ? 0 : type == PACKET_BLOCK ? body.getInt(0) : Short.toUnsignedInt(body.getShort(0));
        if (id < 0 || id >= interfaces.size()) {
            throw new FormatException("frame " + (frames + 1) + " names interface " + id + ", which is not described");
        }
        Interface from = interfaces.get(id);
        int wireLength = body.getInt(headerLength - 4);
        long capturedLength = simple
                ? Math.min(Integer.toUnsignedLong(wireLength), from.snapLength)
                : Integer.toUnsignedLong(body.getInt(headerLength - 8));
        long units = simple ? 0 : (long) body.getInt(4) << 32 | Integer.toUnsignedLong(body.getInt(8));
        int there = (int) Math.min(capturedLength, body.limit() - headerLength);
        if (there < capturedLength && cut == null) {
            throw new FormatException("frame " + (frames + 1) + " claims more bytes than its block has");
        }
        return frame(from.timeNs(units), from.linkType, wireLength, body.slice(headerLength, there));
    }

    private Interface interfaceOf(ByteBuffer body) {
        int linkType = Short.toUnsignedInt(body.getShort(0));
        long snapLength = Integer.toUnsignedLong(body.getInt(4));
        long unitsPerSecond = 1_000_000;
        long offsetSeconds = 0;
        for (int at = 8; at + 4 <= body.limit(); ) {
            int code = Short.toUnsignedInt(body.getShort(at));
            int length = Short.toUnsignedInt(body.getShort(at + 2));
            int value = at + 4;
            if (code == OPTION_TIME_RESOLUTION && length == 1 && value < body.limit()) {
                unitsPerSecond = unitsPerSecond(body.get(value));
            } else if (code == OPTION_TIME_OFFSET && length == 8 && value + 8 <= body.limit()) {
                offsetSeconds = body.getLong(value);
            }
            at = value + (length + 3 & ~3);
        }
        nanoseconds |= unitsPerSecond > 1_000_000;
        return new Interface(linkType, snapLength == 0 ? Integer.MAX_VALUE : snapLength, unitsPerSecond, offsetSeconds);
    }

    /** A power of ten, or of two if the top bit is set; clipped to what a long holds. */
    private static long unitsPerSecond(byte resolution) {
        int exponent = resolution & 0x7F;
        return resolution < 0 ? 1L << Math.min(exponent, 62) : Math.round(Math.pow(10, Math.min(exponent, 18)));
    }

    /** Reads the rest of a section block, whose byte order is known only from its own second field. */
    private void startSection() throws IOException {
        order = ByteOrder.BIG_ENDIAN;
        ByteBuffer head = read(8);
        if (head.limit() == 8 && head.getInt(4) != SECTION_MAGIC) {
            order = ByteOrder.LITTLE_ENDIAN;
            head.order(order);
        }
        if (head.limit() < 8 || head.getInt(4) != SECTION_MAGIC) {
            throw new FormatException("not a pcapng section where one should be");
        }
        interfaces.clear();
        int rest = nonNegative(head.getInt(0) - 12);
        int there = read(rest).limit();
        if (there < rest) {
            noteCut(there, rest, "a section header");
        }
    }

    private PcapFrame frame(long timeNs, int linkType, int wireLength, ByteBuffer bytes) throws FormatException {
        frames++;
        if (!PcapFrame.isKnown(linkType)) {
            throw new FormatException("link type " + linkType + " is none of Ethernet, raw IP, Linux cooked");
        }
        byte[] array = new byte[bytes.remaining()];
        bytes.get(array);
        return new PcapFrame(frames, timeNs, linkType, wireLength, array);
    }

    /** Up to {@code length} bytes; fewer only at the end of the file. */
    private ByteBuffer read(int length) throws IOException {
        return ByteBuffer.wrap(in.readNBytes(length)).order(order);
    }

    private int nonNegative(int length) throws FormatException {
        if (length < 0) {
            throw new FormatException("impossible length after frame " + frames);
        }
        return length;
    }

    private void noteCut(int there, int wanted, String of) {
        cut = "ends early after frame " + frames + ": " + there + " of " + wanted + " bytes of " + of;
    }

    private static boolean isMagic(int value) {
        return value == MICROSECOND_MAGIC || value == NANOSECOND_MAGIC;
    }
}
