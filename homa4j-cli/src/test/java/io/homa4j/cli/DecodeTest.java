package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class DecodeTest {
    private static final Path GOLDEN = Path.of(System.getProperty("homa.golden", "../golden"));

    /** NEED_ACK from server id 13, the vector of spec/protocol.md appendix A. */
    private static final String NEED_ACK = "00638000000000000000001750060000" + "7bcdb97d000000000000000d";

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    static Stream<Path> captures() throws IOException {
        try (Stream<Path> files = Files.list(GOLDEN)) {
            return files.filter(file -> file.toString().endsWith(".pcap")).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("captures")
    void tablesOfTheGoldenCapturesAreTheReferences(Path capture) throws IOException {
        String name = capture.getFileName().toString().replace(".pcap", ".tsv");
        assertThat(run("--tsv", capture.toString())).isZero();
        assertThat(out.toString())
                .isEqualTo(Files.readString(GOLDEN.resolve("decoded").resolve(name)));
        assertThat(err.toString()).isEmpty();
    }

    /**
     * Made-up frames: unknown types, packets too short, cut at every interesting place, hostile values, contradictory IP
     * lengths, ICMP, real TCP, fragments, extension headers, ARP, random damage. The tables beside them were printed by
     * the reference decoder of the golden captures.
     */
    @ParameterizedTest
    @ValueSource(strings = {"odd-micro", "odd-nano"})
    void tablesOfOddFramesAreTheReferences(String name) throws IOException {
        Path capture = folder.resolve(name + ".pcap");
        Files.write(capture, resource(name + ".pcap"));
        assertThat(run("--tsv", capture.toString())).isZero();
        assertThat(out.toString()).isEqualTo(new String(resource(name + ".tsv"), StandardCharsets.UTF_8));
    }

    @Test
    void frameCutBeforeItsIpHeaderIsARowAllTheSame() throws IOException {
        byte[] frame = ethernet("0800", ipv4(146, NEED_ACK));
        run("--tsv", capture(1, Arrays.copyOf(frame, 20)));
        assertThat(out.toString().lines().skip(1)).containsExactly("1\t0\t\t\t\t\t\t\tOTHER" + "\t".repeat(10));
    }

    @Test
    void linesTellWhatHappened() {
        assertThat(run(golden("12b_kernel_client_vs_injector_unknown"))).isZero();
        assertThat(out.toString().lines().limit(4))
                .containsExactly(
                        "    1        0.000 ms  10.77.0.1:32823 > 10.77.0.254:77  p6  DATA        id=238 [0,100) of 100"
                                + " incoming=100 cutoff_version=0 ack=236:77",
                        "    2       74.389 ms  10.77.0.1:32823 > 10.77.0.254:77  p7  RESEND      id=238 offset=0"
                                + " length=-1 priority=7",
                        "    3      136.210 ms  10.77.0.254:77 > 10.77.0.1:32823  p0  RPC_UNKNOWN id=239",
                        "    4      136.839 ms  10.77.0.1:32823 > 10.77.0.254:77  p6  DATA        id=238 [0,100) of 100"
                                + " incoming=100 cutoff_version=0 ack=236:77 retransmit");
    }

    @Test
    void linesTellHijackingAndIcmpErrors() {
        run(golden("09i_hijack_no_server"));
        assertThat(out.toString().lines().map(line -> line.substring(23)))
                .containsExactly(
                        "10.77.0.1:32817 > 10.77.0.2:95  p7  DATA        id=220 [0,100) of 100 incoming=100"
                                + " cutoff_version=5  (in TCP)",
                        "10.77.0.1:32817 > 10.77.0.2:95  p7  RESEND      id=220 offset=0 length=-1 priority=7"
                                + "  (in TCP)",
                        "10.77.0.2 > 10.77.0.1  p6  ICMP        type=3 code=3 quoting 32817>95 RESEND id=220");
    }

    @Test
    void linesTellFragmentsAndCutHeaders() {
        run(golden("19a_gap_rules"));
        assertThat(out.toString())
                .contains("[4000,5424) of 20000 incoming=20000 cutoff_version=1  (first fragment)")
                .contains("fragment of protocol 146 from offset 1480")
                .contains("(76 of 80 bytes captured)");
    }

    /** Of the same odd frames that have tables; here TCP needs the marker and extension headers are skipped. */
    @Test
    void linesTellOddFrames() throws IOException {
        Path capture = folder.resolve("odd.pcap");
        Files.write(capture, resource("odd-micro.pcap"));
        assertThat(run(capture.toString())).isZero();
        assertThat(out.toString())
                .contains("10.0.0.1:32768 > 10.0.0.2:99  p7  0x19        id=2  (unknown type)\n")
                .contains("10.0.0.1 > 10.0.0.2  p7  TCP         34 bytes\n")
                .contains("10.0.0.1 > 10.0.0.2  p7  UDP         164 bytes\n")
                .contains("10.0.0.1 > 10.0.0.2  p7  protocol 47 30 bytes\n")
                .contains("ICMP        type=3 code=3 quoting 32768>99\n")
                .contains("RESEND      id=2 offset=4294967295 length=-1\n")
                .contains("ACK         id=2  (too short: 29 bytes)\n")
                .contains("10.0.0.1 > 10.0.0.2  p7  Homa        27 bytes\n")
                .contains("10.0.0.1 > 10.0.0.2  p7  Homa        156 bytes  (27 captured)\n")
                .contains("10.0.0.1 > 10.0.0.2  p7  Homa        IP lengths contradict each other\n")
                .contains("(56 of 62 bytes captured)\n")
                .contains("   95     9000.557 ms  [fd00::1]:32768 > [fd00::2]:99  p7  DATA        id=2 [0,100)")
                .contains("[::ffff:10.0.0.1]:32768 > [::10.0.0.1]:99")
                .contains("not IP, EtherType 0x0806\n");
    }

    @Test
    void jsonHasAnObjectPerFrame() {
        assertThat(run("--json", golden("08a_no_server_ipv4"))).isZero();
        List<String> lines = out.toString().lines().toList();
        assertThat(lines.getFirst()).isEqualTo("[");
        assertThat(lines.getLast()).isEqualTo("]");
        assertThat(lines.subList(1, lines.size() - 1))
                .hasSize(3)
                .allSatisfy(line -> assertThat(line).startsWith("{\"n\":").matches(".*},?"));
        assertThat(lines.get(1))
                .contains(
                        "\"src\":\"10.77.0.1\",\"dst\":\"10.77.0.2\",\"ip_proto\":146,",
                        "\"encapsulation\":\"ip\",\"type\":\"DATA\",",
                        "\"seg_offset\":-1,\"data_len\":100,\"offset\":0}");
        assertThat(lines.get(3)).contains("\"type\":\"ICMP\",\"icmp_type\":3,\"icmp_code\":3}");
    }

    @Test
    void jsonHasNumbersArraysAndObjects() throws IOException {
        String cutoffs = "006380000000000000000015500600000000b97dffffffffffffffff"
                + "7fffffff00000000000000000000000000000000000f424000000af0000000c80001";
        String ack = "80000063000000000000001850060000" + "60cdb97d000000000000000c" + "0001" + "00000000000000020063"
                + "00".repeat(40);
        run("--json", capture(1, ethernet("0800", ipv4(146, cutoffs)), ethernet("0800", ipv4(146, ack))));
        assertThat(out.toString().lines().skip(1).toList().getFirst())
                .contains("\"sender_id\":18446744073709551615,")
                .endsWith("\"unsched_cutoffs\":[2147483647,0,0,0,0,1000000,2800,200],\"cutoff_version\":1},");
        assertThat(out.toString()).contains("\"num_acks\":1,\"acks\":[{\"client_id\":2,\"server_port\":99}]}");
    }

    @Test
    void udpIsReadOnTheNamedPortsOnly() throws IOException {
        String udp = "0fa0" + "9c40" + "0024" + "0000" + NEED_ACK;
        String capture = capture(1, ethernet("0800", ipv4(17, udp)));
        assertThat(run(capture)).isZero();
        assertThat(out.toString()).contains("UDP         36 bytes");

        for (String ports : List.of("4000", "40000", "1,4000")) {
            out.getBuffer().setLength(0);
            assertThat(run("--udp-port", ports, capture)).isZero();
            assertThat(out.toString()).contains("10.0.0.1:99 > 10.0.0.2:32768  p7  NEED_ACK    id=13  (in UDP)\n");
        }
        out.getBuffer().setLength(0);
        run("--udp-port", "4000", "--tsv", capture);
        assertThat(out.toString().lines().toList().getLast())
                .isEqualTo("1\t0\t10.0.0.1\t10.0.0.2\t17\t0xe0\t64\t28\tNEED_ACK\t99\t32768\t13\t0\t0x50\t0x06\t0"
                        + "\t0x7bcd\t0xb97d\t");
        out.getBuffer().setLength(0);
        run("--udp-port", "4000", "--json", capture);
        assertThat(out.toString()).contains("\"encapsulation\":\"udp\",\"type\":\"NEED_ACK\"");
    }

    @Test
    void vlanTagsAndRawIpAreUnderstood() throws IOException {
        byte[] tagged = ethernet("8100", HexFormat.of().formatHex(new byte[] {0, 5, 8, 0}) + ipv4(146, NEED_ACK));
        for (String capture :
                List.of(capture(1, tagged), capture(101, HexFormat.of().parseHex(ipv4(146, NEED_ACK))))) {
            out.getBuffer().setLength(0);
            assertThat(run(capture)).isZero();
            assertThat(out.toString()).contains("10.0.0.1:99 > 10.0.0.2:32768  p7  NEED_ACK    id=13\n");
            out.getBuffer().setLength(0);
            assertThat(run("--tsv", capture)).isZero();
            assertThat(out.toString()).contains("\tNEED_ACK\t99\t32768\t13\t");
        }
    }

    @Test
    void standardInputIsReadUnderItsDash() throws IOException {
        InputStream before = System.in;
        try (InputStream capture = new ByteArrayInputStream(Files.readAllBytes(Path.of(golden("11_freeze"))))) {
            System.setIn(capture);
            assertThat(run("-")).isZero();
        } finally {
            System.setIn(before);
        }
        assertThat(out.toString()).hasLineCount(17).contains("FREEZE      id=0");
    }

    @Test
    void captureThatEndsEarlyIsPrintedAndReported() throws IOException {
        byte[] whole = Files.readAllBytes(Path.of(golden("01a_short_ipv4_first_contact")));
        Path cut = folder.resolve("cut.pcap");
        Files.write(cut, Arrays.copyOf(whole, 1000));
        assertThat(run("--json", cut.toString())).isEqualTo(Homa.FAILURE);
        assertThat(out.toString()).hasLineCount(8).endsWith("\n]\n").contains("\"captured\":84}");
        assertThat(err.toString())
                .isEqualToIgnoringNewLines("homa decode: " + cut
                        + " ends early after frame 5: 118 of 190 bytes of the next frame; all before that is printed");
    }

    @Test
    void badFilesAreOneLine() throws IOException {
        Path text = folder.resolve("notes.txt");
        Files.writeString(text, "no capture at all");
        Path empty = Files.createFile(folder.resolve("empty"));
        assertFails("no such file: nowhere.pcap; check the path", "nowhere.pcap");
        assertFails(folder + " is a directory; name a capture file in it", folder.toString());
        assertFails(
                "cannot read " + text + ": neither pcap nor pcapng; give a capture as tcpdump -w writes it",
                text.toString());
        assertFails("cannot read " + empty + ": empty; give a capture as tcpdump -w writes it", empty.toString());
        String wifi = capture(105, new byte[60]);
        assertFails(
                "cannot read " + wifi + ": link type 105 is none of Ethernet, raw IP, Linux cooked;"
                        + " give a capture as tcpdump -w writes it",
                wifi);
    }

    @Test
    void senselessOptionsAreUsageErrors() {
        assertThat(run("--udp-port", "70000", "x")).isEqualTo(Homa.USAGE);
        assertThat(run("--tsv", "--json", "x")).isEqualTo(Homa.USAGE);
        assertThat(run()).isEqualTo(Homa.USAGE);
        assertThat(err.toString())
                .hasLineCount(3)
                .contains("--udp-port 70000 is no UDP port", "mutually exclusive", "FILE");
    }

    private void assertFails(String line, String... arguments) {
        err.getBuffer().setLength(0);
        assertThat(run(arguments)).isEqualTo(Homa.FAILURE);
        assertThat(err.toString()).isEqualToIgnoringNewLines("homa decode: " + line);
    }

    private int run(String... arguments) {
        CommandLine commandLine =
                Homa.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        return commandLine.execute(
                Stream.concat(Stream.of("decode"), Stream.of(arguments)).toArray(String[]::new));
    }

    private static String golden(String name) {
        return GOLDEN.resolve(name + ".pcap").toString();
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = DecodeTest.class.getResourceAsStream(name)) {
            assertThat(in).as(name).isNotNull();
            return in.readAllBytes();
        }
    }

    private static byte[] ethernet(String etherType, String network) {
        return HexFormat.of().parseHex("020000000002" + "020000000001" + etherType + network);
    }

    private static String ipv4(int protocol, String transport) {
        return "45e0%04x00004000".formatted(20 + transport.length() / 2) + "40%02x0000".formatted(protocol) + "0a000001"
                + "0a000002" + transport;
    }

    /** Writes a capture file and gives its name. */
    private String capture(int linkType, byte[]... frames) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(ByteBuffer.allocate(24)
                .putInt(0xA1B2C3D4)
                .putShort((short) 2)
                .putShort((short) 4)
                .putInt(16, 65535)
                .putInt(20, linkType)
                .array());
        for (byte[] frame : frames) {
            bytes.write(ByteBuffer.allocate(16)
                    .putInt(1_795_345_913)
                    .putInt(0)
                    .putInt(frame.length)
                    .putInt(frame.length)
                    .array());
            bytes.write(frame);
        }
        return Files.write(Files.createTempFile(folder, "made", ".pcap"), bytes.toByteArray())
                .toString();
    }
}
