package io.homa4j;

import io.homa4j.protocol.Config;

/**
 * What is on the wire around a Homa packet. Both ends must agree, so nothing ever chooses it but the user.
 *
 * @param kind UDP, a tunnel of UDP, or IP protocol 146
 * @param tunnelPort the UDP port that a tunnel has on both sides; 0 otherwise
 */
public record Encapsulation(Config.Encapsulation kind, int tunnelPort) {
    /** {@code udp}: one UDP port per Homa port. The default. */
    public static final Encapsulation UDP = new Encapsulation(Config.Encapsulation.UDP, 0);
    /** {@code ip}: IP protocol 146, as kernel hosts have it. Needs CAP_NET_RAW. */
    public static final Encapsulation IP = new Encapsulation(Config.Encapsulation.IP, 0);

    /**
     * @throws IllegalArgumentException if a tunnel's port is not between 1 and 65535
     */
    public Encapsulation {
        boolean isTunnel = kind == Config.Encapsulation.UDP_TUNNEL;
        if (isTunnel ? tunnelPort < 1 || tunnelPort > 65_535 : tunnelPort != 0) {
            throw new IllegalArgumentException("tunnel port " + tunnelPort + ": a tunnel has one from 1 to 65535");
        }
    }

    /** {@code udp-tunnel:PORT}: all Homa ports of this process over one UDP port, the same on both sides. */
    public static Encapsulation udpTunnel(int port) {
        return new Encapsulation(Config.Encapsulation.UDP_TUNNEL, port);
    }

    /**
     * Reads what {@link #toString} writes.
     *
     * @throws IllegalArgumentException if the text is none of these
     */
    public static Encapsulation parse(String text) {
        if (text.equals("udp")) {
            return UDP;
        }
        if (text.equals("ip")) {
            return IP;
        }
        String tunnel = "udp-tunnel:";
        if (text.startsWith(tunnel)) {
            try {
                return udpTunnel(Integer.parseInt(text.substring(tunnel.length())));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("the port of \"" + text + "\" is no number", e);
            }
        }
        throw new IllegalArgumentException("\"" + text + "\" is no encapsulation: udp, udp-tunnel:PORT or ip");
    }

    @Override
    public String toString() {
        return tunnelPort == 0 ? name(kind) : name(kind) + ":" + tunnelPort;
    }

    /** The name without a tunnel's port. */
    static String name(Config.Encapsulation kind) {
        return switch (kind) {
            case UDP -> "udp";
            case UDP_TUNNEL -> "udp-tunnel";
            case IP -> "ip";
        };
    }
}
