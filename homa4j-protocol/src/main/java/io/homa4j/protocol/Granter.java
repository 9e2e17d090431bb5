package io.homa4j.protocol;

/**
 * Decides which senders may transmit scheduled bytes, how many and at which level. It is asked after each group of packets
 * of one RPC and when an RPC ends, and sends nothing but GRANTs. Which rules it follows is part of the {@link Policy}.
 */
abstract class Granter {
    /** Whether message {@code a} outranks {@code b}: fewer bytes to come, then earlier birth (spec scheduling 6). */
    static boolean outranks(Rpc a, Rpc b) {
        int remainingA = a.in.remaining;
        int remainingB = b.in.remaining;
        return remainingA != remainingB ? remainingA < remainingB : a.in.birthNs - b.in.birthNs < 0;
    }

    /** Looks at a message after a group of its packets has been processed (spec scheduling 12). */
    abstract void check(Rpc rpc);

    /** Forgets the message of an RPC that ends; what it held is granted to others at once. */
    abstract void forget(Rpc rpc);

    /** The rate of the link, Mbit/s; 0 = unknown. */
    abstract void linkMbps(double mbps);

    /** Packets of so many bytes have arrived, of whatever kind; to be told before they are processed. */
    abstract void arrived(long bytes);

    /**
     * Changes {@code max_incoming}.
     *
     * @param bytes target for bytes granted and not received
     * @param limitBytes what they must not exceed for the sake of shorter messages either; at least as much
     */
    abstract void maxIncoming(int bytes, int limitBytes);

    abstract int maxIncoming();

    /** Limit for bytes granted and not received by normal grants. */
    abstract int mostIncoming();

    /** Bytes expected to arrive without further grants. */
    abstract long totalIncoming();

    /** Messages, or senders of such, that want grants and get none because others come first. */
    abstract int passedOver();

    /** Issues what is due by the clock. */
    abstract void onTime();

    /** When something is due by the clock; Long.MAX_VALUE = never. */
    abstract long nextDeadlineNs();

    /** Says what contradicts itself. */
    abstract void audit(Audit audit, RpcTable rpcs, PeerTable peers);
}
