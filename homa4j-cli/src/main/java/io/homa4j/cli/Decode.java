package io.homa4j.cli;

import io.homa4j.driver.PcapFile;
import io.homa4j.driver.PcapFrame;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code homa decode}: prints a capture, packet by packet. */
@Command(
        name = "decode",
        description = {
            "Prints the Homa packets of a capture.",
            "Understands pcap and pcapng with Ethernet (VLAN tags included), raw IP, Linux cooked and BSD loopback "
                    + "frames; Homa over IP (protocol 146), in hijacked TCP packets, and over UDP."
        },
        mixinStandardHelpOptions = true)
final class Decode implements Callable<Integer> {
    private static final String STANDARD_INPUT = "-";
    private static final int BUFFER_CHARS = 1 << 16;

    /** At most one of these. */
    static final class Format {
        @Option(names = "--tsv", description = "A table: one row per frame, columns separated by tabs.")
        private boolean tsv;

        @Option(names = "--json", description = "A JSON array with one object per frame, each on its own line.")
        private boolean json;
    }

    @Parameters(paramLabel = "FILE", description = "The capture, as tcpdump -w writes it; - reads standard input.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String file;

    @ArgGroup
    private @Nullable Format format;

    @Option(
            names = "--udp-port",
            paramLabel = "N",
            split = ",",
            description = "Read UDP datagrams from or to this port as Homa packets; more ports after commas.")
    private Set<Integer> udpPorts = Set.of();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() {
        for (int port : udpPorts) {
            if (port < 1 || port > 65535) {
                throw CliException.usage("--udp-port " + port + " is no UDP port", "ports are 1 to 65535");
            }
        }
        try (PcapFile pcap = open()) {
            print(pcap);
            if (pcap.cut().isPresent()) {
                throw new CliException(file + " " + pcap.cut().get(), "all before that is printed");
            }
        } catch (PcapFile.FormatException e) {
            throw new CliException(
                    "cannot read " + file + ": " + e.getMessage(), "give a capture as tcpdump -w writes it", e);
        } catch (AccessDeniedException e) {
            throw new CliException("no right to read " + file, "ask its owner, or read it as one who may", e);
        } catch (IOException e) {
            throw new CliException("cannot read " + file + ": " + e.getMessage(), "check the disk it is on", e);
        }
        return 0;
    }

    private PcapFile open() throws IOException {
        if (file.equals(STANDARD_INPUT)) {
            return PcapFile.from(System.in);
        }
        Path path = Path.of(file);
        if (!Files.exists(path)) {
            throw new CliException("no such file: " + file, "check the path");
        }
        if (Files.isDirectory(path)) {
            throw new CliException(file + " is a directory", "name a capture file in it");
        }
        return PcapFile.open(path);
    }

    /** Whatever happens in mid-file, what was read before is printed. */
    private void print(PcapFile pcap) throws IOException {
        PrintWriter target = spec.commandLine().getOut();
        PrintWriter out = new PrintWriter(new BufferedWriter(target, BUFFER_CHARS));
        DecodedLines lines = lines(pcap);
        boolean live = file.equals(STANDARD_INPUT);
        try {
            out.print(lines.head());
            for (PcapFrame frame = pcap.next(); frame != null; frame = pcap.next()) {
                out.print(lines.of(DecodedFrame.of(frame, udpPorts)));
                if (live) {
                    out.flush();
                }
                if (target.checkError()) {
                    return; // nobody reads on, as with "| head"
                }
            }
        } finally {
            out.print(lines.tail());
            out.flush();
            target.flush();
        }
    }

    private DecodedLines lines(PcapFile pcap) {
        if (format != null && format.tsv) {
            return new DecodedTable(pcap::isNanoseconds);
        }
        return format != null && format.json ? new DecodedJson() : new DecodedText();
    }
}
