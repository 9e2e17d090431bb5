package io.homa4j.driver;

import java.io.IOException;
import java.lang.System.Logger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;

/**
 * Which Homa ports of IP protocol 146 somebody on this host owns. To own one is to hold a UDP socket bound to the same
 * number: the kernel gives a number to one process at a time and takes it back when that dies.
 */
final class HeldPorts {
    private static final Logger LOG = System.getLogger(HeldPorts.class.getName());
    /** "sl  local_address rem_address ...": the second word ends with the port in hexadecimal. */
    private static final int LOCAL_ADDRESS = 1;

    private HeldPorts() {}

    /**
     * All of them now, as the kernel lists its UDP sockets; asks without binding anything, so that nobody finds a port taken
     * while this looks.
     *
     * @param proc where the proc file system is
     */
    static BitSet now(Path proc) {
        BitSet held = new BitSet();
        addAll(proc.resolve("net/udp"), held);
        addAll(proc.resolve("net/udp6"), held);
        return held;
    }

    private static void addAll(Path file, BitSet held) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            LOG.log(Logger.Level.DEBUG, () -> "no " + file, e);
            return;
        }
        for (String line : lines) {
            String[] words = line.strip().split("\\s+", 3);
            int colon = words.length > LOCAL_ADDRESS ? words[LOCAL_ADDRESS].lastIndexOf(':') : -1;
            if (colon >= 0) {
                int port = port(words[LOCAL_ADDRESS].substring(colon + 1));
                if (port > 0) {
                    held.set(port);
                }
            }
        }
    }

    /** 0 for the heading. */
    private static int port(String hexadecimal) {
        try {
            return Integer.parseInt(hexadecimal, 16);
        } catch (NumberFormatException e) {
            LOG.log(Logger.Level.TRACE, "not a port", e);
            return 0;
        }
    }

    /** Whether the kernel module owns IP protocol 146 in this namespace. */
    static boolean isKernelModuleThere(Path proc) {
        return Files.exists(proc.resolve("sys/net/homa")) || Files.exists(proc.resolve("net/homa_metrics"));
    }
}
