package io.homa4j.sim;

/** The far end of a link: a switch, a host, or a fault in front of either. */
public interface Hop {
    /** The last bit of the packet has arrived, and the hop's fixed delay has passed; the packet is the hop's now. */
    void arrive(SimPacket packet);
}
