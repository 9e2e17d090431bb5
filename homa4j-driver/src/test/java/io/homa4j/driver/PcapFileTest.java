package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PcapFileTest {
    private static final Path GOLDEN = Path.of(System.getProperty("homa.golden", "../golden"));
    private static final long SEED = 0x70636170;
    private static final long SECONDS = 1_795_345_913;

    /** Ten transport bytes over IPv4 from 10.0.0.1 to 10.0.0.2, level 7. */
    private static final String V4 = "45e0001e0000400040920000" + "0a0000010a000002" + "00112233445566778899";

    /** The same over IPv6 from fd00::1 to fd00::2. */
    private static final String V6 = "6e000000000a9240" + "fd000000000000000000000000000001"
            + "fd000000000000000000000000000002" + "00112233445566778899";

    @ParameterizedTest
    @CsvSource({
        "BIG_ENDIAN, false, 123456000",
        "BIG_ENDIAN, true, 123456",
        "LITTLE_ENDIAN, false, 123456000",
        "LITTLE_ENDIAN, true, 123456"
    })
    void readsBothByteOrdersAndTimeUnits(String byteOrder, boolean nanoseconds, long fractionNs) throws IOException {
        ByteOrder order = byteOrder.startsWith("BIG") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        byte[] file = pcap(order, nanoseconds, 1, new byte[20], new byte[30]);
        try (PcapFile pcap = PcapFile.from(new ByteArrayInputStream(file))) {
            assertThat(pcap.isNanoseconds()).isEqualTo(nanoseconds);
            PcapFrame first = pcap.next();
            assertThat(first).isNotNull();
            assertThat(first.number()).isEqualTo(1);
            assertThat(first.timeNs()).isEqualTo(SECONDS * 1_000_000_000 + fractionNs);
            assertThat(first.bytes()).hasSize(20);
            assertThat(first.wireLength()).isEqualTo(1020);
            PcapFrame second = pcap.next();
            assertThat(second).isNotNull();
            assertThat(second.number()).isEqualTo(2);
            assertThat(second.bytes()).hasSize(30);
            assertThat(pcap.next()).isNull();
            assertThat(pcap.cut()).isEmpty();
        }
    }

    /** Every supported link type around the same packets. */
    @ParameterizedTest
    @CsvSource({
        "1, 0200000000020200000000010800, 4",
        "1, 020000000002020000000001810000050800, 4",
        "1, 02000000000202000000000188a800058100000686dd, 6",
        "12, '', 4",
        "101, '', 4",
        "101, '', 6",
        "228, '', 4",
        "229, '', 6",
        "113, 00000001000602000000000100000800, 4",
        "113, 000000010006020000000001000086dd, 6",
        "276, 0800000000000001000100060200000000010000, 4",
        "0, 02000000, 4",
        "108, 0000001e, 6"
    })
    void findsIpBehindEveryLinkHeader(int linkType, String linkHeader, int version) throws IOException {
        byte[] frame = HexFormat.of().parseHex(linkHeader + (version == 4 ? V4 : V6));
        PcapFrame read =
                frames(pcap(ByteOrder.BIG_ENDIAN, false, linkType, frame)).getFirst();
        assertThat(read.etherType()).isEqualTo(version == 4 ? PcapFrame.IPV4 : PcapFrame.IPV6);
        IpPacket ip = read.ip();
        assertThat(ip).isNotNull();
        assertThat(ip.source()).hasSize(version == 4 ? 4 : 16);
        assertThat(ip.source()[ip.source().length - 1]).isEqualTo((byte) 1);
        assertThat(ip.target()[ip.target().length - 1]).isEqualTo((byte) 2);
        assertThat(ip.protocol()).isEqualTo(IpPacket.HOMA);
        assertThat(ip.tos()).isEqualTo(0xE0);
        assertThat(ip.level()).isEqualTo(7);
        assertThat(ip.ttl()).isEqualTo(64);
        assertThat(ip.transportLength()).isEqualTo(10);
        assertThat(HexFormat.of().formatHex(ip.transport())).isEqualTo("00112233445566778899");
    }

    @Test
    void framesWithoutIpAreFramesAllTheSame() throws IOException {
        byte[] arp = HexFormat.of().parseHex("0200000000020200000000010806" + "00".repeat(28));
        List<PcapFrame> frames = frames(pcap(
                ByteOrder.BIG_ENDIAN,
                false,
                1,
                arp,
                new byte[13],
                new byte[0],
                // a VLAN tag and nothing behind it
                HexFormat.of().parseHex("0200000000020200000000018100")));
        assertThat(frames).hasSize(4).allSatisfy(frame -> assertThat(frame.ip()).isNull());
        assertThat(frames.getFirst().etherType()).isEqualTo(0x0806);
        assertThat(frames.get(1).etherType()).isEqualTo(PcapFrame.NO_ETHER_TYPE);
        assertThat(frames(pcap(ByteOrder.BIG_ENDIAN, false, 101, new byte[60]))
                        .getFirst()
                        .ip())
                .isNull();
    }

    @Test
    void unknownLinkTypesAreRefused() {
        assertThatExceptionOfType(PcapFile.FormatException.class)
                .isThrownBy(() -> frames(pcap(ByteOrder.BIG_ENDIAN, false, 105, new byte[40])))
                .withMessage("link type 105 is none of Ethernet, raw IP, Linux cooked");
    }

    @Test
    void readsPcapng() throws IOException {
        for (ByteOrder order : List.of(ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN)) {
            try (PcapFile pcap = PcapFile.from(new ByteArrayInputStream(pcapng(order)))) {
                List<PcapFrame> frames = new ArrayList<>();
                for (PcapFrame frame = pcap.next(); frame != null; frame = pcap.next()) {
                    frames.add(frame);
                }
                assertThat(pcap.cut()).isEmpty();
                assertThat(pcap.isNanoseconds()).isTrue();
                assertThat(frames).extracting(PcapFrame::number).containsExactly(1, 2, 3, 4);
                assertThat(frames).extracting(PcapFrame::linkType).containsExactly(1, 101, 101, 1);
                // Microseconds by default, nanoseconds and an offset of 100 s by option, none in simple packets.
                assertThat(frames)
                        .extracting(PcapFrame::timeNs)
                        .containsExactly(
                                SECONDS * 1_000_000_000 + 123_456_000,
                                (SECONDS + 100) * 1_000_000_000 + 123_456_789,
                                (SECONDS + 100) * 1_000_000_000 + 500_000_000,
                                0L);
                assertThat(frames).extracting(frame -> frame.bytes().length).containsExactly(15, 30, 30, 17);
                assertThat(frames.get(1).ip()).isNotNull();
            }
        }
    }

    @Test
    void pcapngFrameOfAnUnknownInterfaceIsRefused() {
        byte[] file = concat(
                section(ByteOrder.BIG_ENDIAN),
                block(ByteOrder.BIG_ENDIAN, 6, body(ByteOrder.BIG_ENDIAN, 7, 0, 0, 4, 4, 0)));
        assertThatExceptionOfType(PcapFile.FormatException.class)
                .isThrownBy(() -> frames(file))
                .withMessage("frame 1 names interface 7, which is not described");
    }

    /** Whatever is cut off, the frames before are read, and only a cut between two records goes unnoticed. */
    @Test
    void everyTruncationIsToldApartFromAnEnd() throws IOException {
        byte[] whole = pcap(ByteOrder.LITTLE_ENDIAN, false, 1, new byte[20], new byte[30]);
        for (int length = 24; length < whole.length; length++) {
            try (PcapFile pcap = PcapFile.from(new ByteArrayInputStream(Arrays.copyOf(whole, length)))) {
                int frames = 0;
                while (pcap.next() != null) {
                    frames++;
                }
                boolean atBoundary = length == 24 || length == 24 + 16 + 20;
                assertThat(pcap.cut().isEmpty()).as("length %d", length).isEqualTo(atBoundary);
                assertThat(frames).isEqualTo(length < 40 ? 0 : length < 76 ? 1 : 2);
            }
        }
    }

    @Test
    void cutFrameIsReturnedAsFarAsItIsThere() throws IOException {
        byte[] whole = pcap(ByteOrder.LITTLE_ENDIAN, false, 1, new byte[20], new byte[30]);
        try (PcapFile pcap = PcapFile.from(new ByteArrayInputStream(Arrays.copyOf(whole, whole.length - 7)))) {
            pcap.next();
            PcapFrame cut = pcap.next();
            assertThat(cut).isNotNull();
            assertThat(cut.bytes()).hasSize(23);
            assertThat(pcap.cut()).contains("ends early after frame 1: 23 of 30 bytes of the next frame");
            assertThat(pcap.next()).isNull();
        }
    }

    @Test
    void filesThatAreNoCaptureAreRefused() {
        assertRefused(new byte[0], "empty");
        assertRefused(new byte[3], "neither pcap nor pcapng");
        assertRefused("#!/bin/sh\n".getBytes(StandardCharsets.US_ASCII), "neither pcap nor pcapng");
        assertRefused(Arrays.copyOf(pcap(ByteOrder.BIG_ENDIAN, false, 1), 20), "cut within the file header");
        assertRefused(HexFormat.of().parseHex("0a0d0d0a0000001c00000000"), "not a pcapng section where one should be");
    }

    /** Damage of all kinds: frames, a refusal or a cut, but never another exception and never an endless loop. */
    @Test
    void damagedFilesDoNoHarm() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        byte[][] originals = {
            pcap(ByteOrder.LITTLE_ENDIAN, true, 1, HexFormat.of().parseHex("00".repeat(12) + "0800" + V4)),
            pcap(ByteOrder.BIG_ENDIAN, false, 101, HexFormat.of().parseHex(V6)),
            pcapng(ByteOrder.LITTLE_ENDIAN),
            pcapng(ByteOrder.BIG_ENDIAN)
        };
        int read = 0;
        int refused = 0;
        for (int round = 0; round < 20_000; round++) {
            byte[] file = originals[random.nextInt(originals.length)].clone();
            for (int damage = random.nextInt(1, 6); damage > 0; damage--) {
                file[random.nextInt(file.length)] =
                        (byte) (random.nextBoolean() ? random.nextInt(256) : random.nextInt(2) * 255);
            }
            try {
                for (PcapFrame frame : frames(file)) {
                    IpPacket ip = frame.ip();
                    if (ip != null) {
                        ip.udp();
                    }
                    read++;
                }
            } catch (PcapFile.FormatException e) {
                refused++;
            } catch (RuntimeException e) {
                throw new AssertionError("round " + round + " of seed " + SEED, e);
            }
        }
        assertThat(read).isGreaterThan(10_000);
        assertThat(refused).isGreaterThan(100);
    }

    @Test
    void readsEveryGoldenCapture() throws IOException {
        List<PcapFrame> frames = PcapFile.readAll(GOLDEN.resolve("20b_ipv6_request_two_packets_lost.pcap"));
        assertThat(frames).hasSizeGreaterThan(40).allSatisfy(frame -> {
            IpPacket ip = frame.ip();
            assertThat(ip).isNotNull();
            assertThat(ip.protocol()).isIn(IpPacket.HOMA, IpPacket.ICMPV6);
            assertThat(ip.transportLength()).isGreaterThanOrEqualTo(ip.transport().length);
        });
    }

    private static void assertRefused(byte[] file, String message) {
        assertThatExceptionOfType(PcapFile.FormatException.class)
                .isThrownBy(() -> frames(file))
                .withMessage(message);
    }

    private static List<PcapFrame> frames(byte[] file) throws IOException {
        try (PcapFile pcap = PcapFile.from(new ByteArrayInputStream(file))) {
            List<PcapFrame> frames = new ArrayList<>();
            for (PcapFrame frame = pcap.next(); frame != null; frame = pcap.next()) {
                frames.add(frame);
            }
            return frames;
        }
    }

    private static byte[] pcap(ByteOrder order, boolean nanoseconds, int linkType, byte[]... frames) {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(ByteBuffer.allocate(24)
                .order(order)
                .putInt(nanoseconds ? 0xA1B23C4D : 0xA1B2C3D4)
                .putInt(20, linkType)
                .array());
        for (byte[] frame : frames) {
            file.writeBytes(body(order, (int) SECONDS, 123_456, frame.length, frame.length + 1000));
            file.writeBytes(frame);
        }
        return file.toByteArray();
    }

    /** Two interfaces, an enhanced packet on each, an old packet block, an unknown block, a second section. */
    private static byte[] pcapng(ByteOrder order) {
        long micros = SECONDS * 1_000_000 + 123_456;
        long nanos = SECONDS * 1_000_000_000 + 123_456_789;
        long halfSecond = SECONDS * 1_000_000_000 + 500_000_000;
        byte[] raw = HexFormat.of().parseHex(V4);
        ByteBuffer options = ByteBuffer.allocate(28).order(order);
        options.putShort((short) 9).putShort((short) 1).put((byte) 9).put(new byte[3]);
        options.putShort((short) 14).putShort((short) 8).putLong(100).putInt(0);
        return concat(
                section(order),
                block(order, 1, body(order, linkType(order, 1), 0)),
                block(order, 1, concat(body(order, linkType(order, 101), 0), options.array())),
                block(order, 0xBAD, new byte[12]),
                block(order, 6, concat(body(order, 0, (int) (micros >>> 32), (int) micros, 15, 15), new byte[16])),
                block(order, 6, concat(body(order, 1, (int) (nanos >>> 32), (int) nanos, 30, 30), raw, new byte[2])),
                block(
                        order,
                        2,
                        concat(
                                body(order, linkType(order, 1), (int) (halfSecond >>> 32), (int) halfSecond, 30, 30),
                                raw,
                                new byte[2])),
                section(order == ByteOrder.BIG_ENDIAN ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN),
                simplePacketOf(order == ByteOrder.BIG_ENDIAN ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN));
    }

    /** An interface that keeps 17 bytes of each frame, and a simple packet block of a frame of 100. */
    private static byte[] simplePacketOf(ByteOrder order) {
        return concat(
                block(order, 1, body(order, linkType(order, 1), 17)),
                block(order, 3, concat(body(order, 100), new byte[20])));
    }

    /** The 16 bits in front of 16 unused ones. */
    private static int linkType(ByteOrder order, int value) {
        return order == ByteOrder.BIG_ENDIAN ? value << 16 : value;
    }

    private static byte[] section(ByteOrder order) {
        return block(order, 0x0A0D0D0A, body(order, 0x1A2B3C4D, 0x0001_0000, -1, -1));
    }

    private static byte[] block(ByteOrder order, int type, byte[] body) {
        return concat(body(order, type, body.length + 12), body, body(order, body.length + 12));
    }

    private static byte[] body(ByteOrder order, int... words) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(order);
        for (int word : words) {
            bytes.putInt(word);
        }
        return bytes.array();
    }

    private static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }
}
