package io.homa4j.cli;

import io.homa4j.Homa;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What can be seen of a Homa while a command uses it: options of the commands that open one for all their time. */
final class ObservationOptions {
    /** One counter for each size of message; most of them are never counted. */
    private static final String MESSAGE_SIZES = "msg_bytes_";

    @Option(
            names = "--pcap",
            paramLabel = "FILE",
            description = "Write all packets to FILE, to be read by homa decode, Wireshark or tcpdump.")
    private @Nullable Path pcap;

    @Option(
            names = "--metrics",
            description = "Print all counters at the end; those of message sizes if there were any. JSON has all.")
    boolean metrics;

    /** The builder, with what is to be seen. */
    Homa.Builder applied(Homa.Builder builder) {
        if (pcap == null) {
            return builder;
        }
        ReportFiles.checkFile("--pcap", pcap.toString(), "");
        return builder.pcap(pcap);
    }

    /** Counters with their values, one a line. */
    static String text(Map<String, Long> counters) {
        StringBuilder out = new StringBuilder();
        counters.forEach((name, value) -> {
            if (value != 0 || !name.startsWith(MESSAGE_SIZES)) {
                out.append(String.format(Locale.ROOT, "%-35s %20d%n", name, value));
            }
        });
        return out.toString();
    }
}
