package io.homa4j.protocol;

/**
 * Keeps the queue below the engine short: an estimate of when everything handed over will have left the link (spec
 * scheduling 19 to 21). It only answers whether more may leave now, and when it may.
 */
final class Pacer {
    /** Ethernet with VLAN tag, preamble, delimiter, CRC and gap (spec protocol 1.5, HOMA_ETH_OVERHEAD). */
    static final int ETHERNET_BYTES = 42;

    private final Config config;
    private final Turn turn;
    private final int ipBytesV4;
    private final int ipBytesV6;

    /** Estimated time at which the link is idle, ns. */
    private long idleNs;

    /** Rate of the link; 0 = not paced. */
    private double linkMbps;
    /** Factor by which the rate is exceeded on purpose ({@link LinkRate}). */
    private double gain = 1;
    /** How late wake-ups are: so much must be queued below, or the link would stand still meanwhile. */
    private long latenessNs;

    private double nsPerByte;
    private long backlogLimitNs;

    Pacer(Config config, Turn turn) {
        this.config = config;
        this.turn = turn;
        idleNs = turn.nowNs;
        int udpBytes = config.encapsulation == Config.Encapsulation.IP ? 0 : 8;
        ipBytesV4 = 20 + udpBytes;
        ipBytesV6 = 40 + udpBytes;
        linkMbps(config.linkMbps);
    }

    /** Rate of the link, Mbit/s; 0 = not paced. */
    void linkMbps(double mbps) {
        linkMbps = mbps;
        derive();
    }

    /** Data leave so many times as fast as the rate says. */
    void gain(double factor) {
        gain = factor;
        derive();
    }

    /** Wake-ups are so late, all but a few. */
    void lateness(long ns) {
        if (latenessNs != ns) {
            latenessNs = ns;
            derive();
        }
    }

    private void derive() {
        nsPerByte = linkMbps == 0 ? 0 : 8_000.0 * 100 / (linkMbps * config.maxLinkUsage * gain);
        long packetNs = config.moduleProfile ? 0 : (long) (nsPerByte * 1538);
        backlogLimitNs = Math.max(Math.max(config.maxNicEstBacklogUsecs * 1_000L, packetNs), latenessNs);
    }

    /** So many bytes are known to be queued below. */
    void queued(long bytes) {
        long untilNs = turn.nowNs + (long) (bytes * nsPerByte);
        idleNs = idleNs - untilNs > 0 ? idleNs : untilNs;
    }

    boolean isOn() {
        return nsPerByte > 0;
    }

    /** Bytes a packet of so many Homa bytes occupies on the link. */
    int linkBytes(int homaBytes, boolean ipv4) {
        return homaBytes + ipBytes(ipv4) + ETHERNET_BYTES;
    }

    /** IP and UDP header bytes towards an address. */
    int ipBytes(boolean ipv4) {
        return ipv4 ? ipBytesV4 : ipBytesV6;
    }

    /** Whether a message with so many bytes left may send a packet now (spec scheduling 20). */
    boolean maySend(int bytesLeft) {
        return nsPerByte == 0 || bytesLeft <= config.deferMinBytes || idleNs - turn.nowNs <= backlogLimitNs;
    }

    /** When the estimate will allow the next packet. */
    long maySendNs() {
        return idleNs - backlogLimitNs;
    }

    /** Charges a packet of so many Homa bytes. */
    void charge(int homaBytes, boolean ipv4) {
        if (nsPerByte > 0) {
            long costNs = costNs(homaBytes, ipv4);
            idleNs = (idleNs - turn.nowNs > 0 ? idleNs : turn.nowNs) + costNs;
        }
    }

    /** Takes back the charge of a packet that was not handed over. */
    void takeBack(int homaBytes, boolean ipv4) {
        if (nsPerByte > 0) {
            idleNs -= costNs(homaBytes, ipv4);
        }
    }

    private long costNs(int homaBytes, boolean ipv4) {
        return (long) (linkBytes(homaBytes, ipv4) * nsPerByte);
    }
}
