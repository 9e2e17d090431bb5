package io.homa4j.cli;

import io.homa4j.cli.Contender.Waiting;
import java.util.ArrayList;
import java.util.List;

/**
 * A contender under conditions that can be compared: only cases with the same link and waiting are.
 *
 * @param id the contender's
 * @param waiting what both ends do when there is nothing to do
 * @param link what lies between them
 * @param isWhole whether all loads are measured, or the round trip alone
 */
record PeersCase(String id, Waiting waiting, Link link, boolean isWhole) {
    enum Link {
        LOOPBACK,
        /** Two network namespaces joined by a pair of virtual interfaces. */
        VETH
    }

    /** All cases, in the order in which they are measured. */
    static List<PeersCase> all() {
        List<PeersCase> all = new ArrayList<>();
        for (String whole : List.of("homa-udp", "homa-ip", "tcp-nio", "netty", "aeron")) {
            all.add(new PeersCase(whole, Waiting.POLLING, Link.LOOPBACK, true));
        }
        for (String whole : List.of("grpc", "grpc/direct")) {
            all.add(new PeersCase(whole, Waiting.DEFAULT, Link.LOOPBACK, true));
        }
        for (String polling : List.of("udp-floor", "udp-floor/c", "homa-udp/engine-thread")) {
            all.add(new PeersCase(polling, Waiting.POLLING, Link.LOOPBACK, false));
        }
        for (String byDefault : List.of("homa-udp", "homa-udp/virtual-thread")) {
            all.add(new PeersCase(byDefault, Waiting.DEFAULT, Link.LOOPBACK, false));
        }
        for (String sleeping : List.of("udp-floor", "udp-floor/c", "homa-udp", "homa-ip", "tcp-nio", "netty")) {
            all.add(new PeersCase(sleeping, Waiting.SLEEPING, Link.LOOPBACK, false));
        }
        for (String overVeth : List.of("homa-udp", "homa-ip", "homa-xdp")) {
            all.add(new PeersCase(overVeth, Waiting.POLLING, Link.VETH, true));
        }
        all.add(new PeersCase("tcp-nio", Waiting.POLLING, Link.VETH, true));
        return all;
    }

    /** The entry it belongs to: the id without its variant. */
    String name() {
        int slash = id.indexOf('/');
        return slash < 0 ? id : id.substring(0, slash);
    }

    boolean has(PeersLoad load) {
        return isWhole || load == PeersLoad.RTT;
    }

    /** As in tables. */
    String label() {
        return id + ", " + waiting.text() + (link == Link.VETH ? ", veth" : "");
    }
}
