package io.homa4j.cli;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How the hosts of an experiment talk to each other. */
enum LabTransport {
    /** Homa over UDP. */
    HOMA_UDP(0, false),
    /** Homa over IP protocol 146. */
    HOMA_IP(0, false),
    /** One TCP connection from each host to each other. */
    TCP_1(1, false),
    /** Four, taking turns. */
    TCP_4(4, false),
    /** One for long messages, and one for short ones in the most urgent class of traffic: the strongest plain competitor. */
    TCP_PRIO(1, true);

    /** Ordinary connections from each host to each other; 0 = not TCP. */
    final int connections;
    /** Whether short messages have a connection of their own. */
    final boolean hasUrgent;

    LabTransport(int connections, boolean hasUrgent) {
        this.connections = connections;
        this.hasUrgent = hasUrgent;
    }

    boolean isHoma() {
        return connections == 0;
    }

    /** As on the command line and in results: homa-udp, tcp-4. */
    String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static LabTransport of(String text) {
        return Arrays.stream(values())
                .filter(transport -> transport.text().equals(text))
                .findFirst()
                .orElseThrow(() -> CliException.usage(
                        "there is no transport '" + text + "'",
                        "use " + Arrays.stream(values()).map(LabTransport::text).collect(Collectors.joining(", "))));
    }
}
