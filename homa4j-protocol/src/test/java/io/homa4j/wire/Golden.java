package io.homa4j.wire;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * The captures of the kernel module in the repository's golden folder. The reader is a small one of its own, just good
 * enough for these files, so that the tests here do not lean on the one of the product.
 */
final class Golden {
    static final Path FOLDER = Path.of(System.getProperty("homa.golden", "../golden"));

    private static final int ETHERNET_HEADER = 14;

    /**
     * A captured IP packet.
     *
     * @param length transport length
     * @param bytes the captured ones of these
     * @param isFragment whether it is part of a fragmented IP packet
     */
    @SuppressWarnings("ArrayRecordComponent") // values to read, not to compare
    record Captured(byte[] source, byte[] target, int protocol, int length, byte[] bytes, boolean isFragment) {
        boolean isHoma() {
            return protocol == 146 || protocol == 6;
        }

        boolean isWhole() {
            return bytes.length == length && !isFragment;
        }

        /** The whole packet, with zeros where it was not captured. */
        byte[] padded() {
            return Arrays.copyOf(bytes, length);
        }
    }

    private Golden() {}

    /** Names of all captures, without folder and ending. */
    static List<String> captures() {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".pcap"))
                    .map(name -> name.replace(".pcap", ""))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The reference's table of a capture: one array of columns per packet. */
    static List<String[]> table(String capture) throws IOException {
        return Files.readAllLines(FOLDER.resolve("decoded").resolve(capture + ".tsv")).stream()
                .skip(1)
                .map(line -> line.split("\t", -1))
                .toList();
    }

    static List<Captured> packets(String capture) throws IOException {
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(FOLDER.resolve(capture + ".pcap")))
                .order(ByteOrder.LITTLE_ENDIAN);
        List<Captured> packets = new ArrayList<>();
        for (int at = 24; at < file.limit(); ) {
            int length = file.getInt(at + 8);
            byte[] frame = new byte[length];
            file.get(at + 16, frame);
            packets.add(packet(ByteBuffer.wrap(frame)));
            at += 16 + length;
        }
        return packets;
    }

    private static Captured packet(ByteBuffer frame) {
        boolean isV4 = frame.getShort(12) == 0x0800;
        int ip = ETHERNET_HEADER;
        int start = ip + (isV4 ? (frame.get(ip) & 15) * 4 : 40);
        int end = isV4 ? ip + frame.getShort(ip + 2) : start + frame.getShort(ip + 4);
        int addresses = ip + (isV4 ? 12 : 8);
        int width = isV4 ? 4 : 16;
        return new Captured(
                slice(frame, addresses, addresses + width),
                slice(frame, addresses + width, addresses + 2 * width),
                Byte.toUnsignedInt(frame.get(ip + (isV4 ? 9 : 6))),
                end - start,
                slice(frame, start, Math.min(end, frame.limit())),
                isV4 && (frame.getShort(ip + 6) & 0x3FFF) != 0);
    }

    private static byte[] slice(ByteBuffer frame, int start, int end) {
        byte[] bytes = new byte[Math.max(0, end - start)];
        frame.get(start, bytes);
        return bytes;
    }
}
