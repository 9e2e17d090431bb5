package io.homa4j.sim;

/**
 * Passes packets on: down to the port their host lies behind, else up through a port drawn for each packet (packet
 * spraying). It has no queue of its own; its ports have. Its fixed delay is part of that of the links that lead to it.
 */
public final class Switch implements Hop {
    private final int firstHost;
    private final int hostsPerPort;
    private final Port[] down;
    private final Port[] up;
    private final Prng spray;

    /**
     * @param firstHost number of the first host below; those from here on lie below, {@code hostsPerPort} behind each port
     * @param down ports towards hosts
     * @param up ports towards the rest, all equally good; empty if all hosts lie below
     */
    public Switch(int firstHost, int hostsPerPort, Port[] down, Port[] up, Prng spray) {
        this.firstHost = firstHost;
        this.hostsPerPort = hostsPerPort;
        this.down = down.clone();
        this.up = up.clone();
        this.spray = spray;
    }

    @Override
    public void arrive(SimPacket packet) {
        int below = packet.target - firstHost;
        if (below >= 0 && below < hostsPerPort * down.length) {
            down[below / hostsPerPort].enqueue(packet);
        } else {
            up[up.length == 1 ? 0 : spray.nextInt(up.length)].enqueue(packet);
        }
    }
}
