package io.homa4j.protocol;

/**
 * Rules that parameters alone do not express, as one value: what the kernel module does and what the simulator behind the
 * paper of 2018 did (Montazeri, Li, Alizadeh, Ousterhout: "Homa", SIGCOMM 2018, section 5.2). Both are the same protocol on
 * the wire, and hosts with different policies understand each other.
 *
 * @param name for people
 * @param grantsPerPacket scheduled bytes are granted one packet at a time: a GRANT when a packet of that sender arrives,
 *     while less than {@code window} of the message is granted and not received, one message per sender at a time, the
 *     best {@code max_overcommit} senders ({@link PacketGranter}); else by windows of bytes ({@link WindowGranter})
 * @param grantsShortestFirst of the former the order: fewest bytes left to grant, or first come
 * @param grantIntervalNs of the former the least time between two GRANTs to a sender: a packet at the link's rate
 * @param levelsByRemaining the level of each unscheduled packet follows from the bytes its message has left, packet by
 *     packet; else from the message's length
 * @param tailBytes scheduled packets with fewer bytes of their message to come may use the unscheduled level for so many
 *     bytes if it is higher; 0 = never
 * @param unscheduledPacketBytes data in an unscheduled packet at most, where the path would carry more; 0 = what it carries
 */
public record Policy(
        String name,
        boolean grantsPerPacket,
        boolean grantsShortestFirst,
        long grantIntervalNs,
        boolean levelsByRemaining,
        int tailBytes,
        int unscheduledPacketBytes) {
    /** The kernel module's rules, and homa4j's own. */
    public static final Policy MODULE = new Policy("module", false, true, 0, false, 0, 0);

    /** The rules of the paper's simulator, for links of 10 Gbit/s. */
    public static final Policy SIGCOMM18 = new Policy("sigcomm18", true, true, 1_230, true, 10_000, 1_442);

    @Override
    public String toString() {
        return name;
    }
}
