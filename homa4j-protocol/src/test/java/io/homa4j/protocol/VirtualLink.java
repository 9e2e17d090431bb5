package io.homa4j.protocol;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.Predicate;

/**
 * A network of real engines under virtual time: what one sends reaches the other after the latency, unless a test drops
 * or delays it. Every packet is logged as {@code client>server DATA 1400@0} when it leaves. The same calls always give
 * the same run.
 */
final class VirtualLink {
    /** A packet in flight. */
    private record Flight(long arrivesNs, long sequence, Node target, Datagram packet) implements Comparable<Flight> {
        @Override
        public int compareTo(Flight other) {
            int byTime = Long.compare(arrivesNs, other.arrivesNs);
            return byTime != 0 ? byTime : Long.compare(sequence, other.sequence);
        }
    }

    private final Map<List<Long>, Node> nodes = new HashMap<>();
    private final List<Node> order = new ArrayList<>();
    private final PriorityQueue<Flight> flights = new PriorityQueue<>();
    private long sequences;

    long nowNs;
    long latencyNs = 10_000;
    /** One packet may take longer: reordering. */
    Predicate<Sent> slow = packet -> false;

    long slowNs = 100_000;
    /** Packets that never arrive; asked once per packet, in the order of sending. */
    Predicate<Sent> drop = packet -> false;
    /** Packets since the last clear, in the order of sending; dropped ones end with {@code LOST}. */
    final List<String> log = new ArrayList<>();
    /** The same as values. */
    final List<Sent> sent = new ArrayList<>();

    VirtualLink(Node... hosts) {
        for (Node node : hosts) {
            order.add(node);
            nodes.put(List.of(node.hi, node.lo), node);
            nowNs = node.nowNs;
        }
    }

    /** Sends what the engines have to send now, without letting time pass. */
    void flush() {
        for (Node node : order) {
            node.nowNs = nowNs;
            for (Sent packet : node.send()) {
                launch(node, packet);
            }
        }
    }

    /** Runs until the condition holds; it must come true within a virtual second. */
    void until(String what, java.util.function.BooleanSupplier condition) {
        long endNs = nowNs + 1_000 * Node.MS;
        while (!condition.getAsBoolean()) {
            if (!step(endNs)) {
                throw new AssertionError("not within a virtual second: " + what + "; log: " + log);
            }
        }
    }

    /** Runs for so long a virtual time. */
    void run(long ns) {
        long endNs = nowNs + ns;
        while (step(endNs)) {
            // each step does one turn of the engines it concerns
        }
        nowNs = endNs;
        for (Node node : order) {
            node.nowNs = nowNs;
        }
    }

    /** Goes to the next arrival or deadline and does one turn there; false if there is none before the end. */
    private boolean step(long endNs) {
        flush();
        long nextNs = flights.isEmpty() ? Long.MAX_VALUE : flights.peek().arrivesNs;
        for (Node node : order) {
            nextNs = Math.min(nextNs, Math.max(nowNs, node.engine.nextDeadlineNs(nowNs)));
        }
        if (nextNs == Long.MAX_VALUE || nextNs > endNs) {
            return false;
        }
        // a turn at the same instant again and again would never end
        nowNs = Math.max(nowNs + 1, nextNs);
        for (Node node : order) {
            node.nowNs = nowNs;
            List<Datagram> arrived = new ArrayList<>();
            List<Flight> others = new ArrayList<>();
            while (!flights.isEmpty() && flights.peek().arrivesNs <= nowNs) {
                Flight flight = flights.poll();
                if (flight.target == node) {
                    arrived.add(flight.packet);
                } else {
                    others.add(flight);
                }
            }
            flights.addAll(others);
            node.receive(arrived);
        }
        flush();
        return true;
    }

    private void launch(Node from, Sent packet) {
        boolean lost = drop.test(packet);
        Node target = nodes.get(List.of(packet.hi(), packet.lo()));
        sent.add(packet);
        log.add(from.name + ">" + (target == null ? "?" : target.name) + " " + packet.word() + (lost ? " LOST" : ""));
        if (lost || target == null) {
            return;
        }
        byte[] bytes = new byte[packet.packet().length()];
        packet.packet().encode(MemorySegment.ofArray(bytes), 0);
        int socket =
                target.config.encapsulation == Config.Encapsulation.UDP ? target.engine.socketAt(packet.port()) : -1;
        Datagram datagram =
                new Datagram(bytes, from.hi, from.lo, from.engine.port(packet.socket()), target.hi, target.lo, socket);
        if (target.config.encapsulation == Config.Encapsulation.UDP && socket < 0) {
            // no socket has this UDP port: the host's kernel drops the datagram
            return;
        }
        flights.add(new Flight(nowNs + (slow.test(packet) ? slowNs : latencyNs), sequences++, target, datagram));
    }

    /** Whether the bytes are those of a message sent by {@link Node}. */
    static boolean isIntact(Received received) {
        return Arrays.equals(received.bytes(), Node.message(received.length()));
    }
}
