package io.homa4j.driver;

import io.homa4j.protocol.Address;
import java.io.IOException;
import java.lang.System.Logger;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.util.ArrayList;
import java.util.List;

/**
 * How large a packet may be towards a peer, from the host's interfaces as they were when the driver was opened: its own
 * addresses are reached through the loopback interface, addresses on a link through that link, all others through the
 * interface the routing table names for a distant host. Larger packets than some router on the way takes are found out by
 * {@link Driver.Feedback#pathMtu}.
 */
final class LocalLinks {
    private static final Logger LOG = System.getLogger(LocalLinks.class.getName());
    /** An IP packet has at most this many bytes (IPv4 total length); some loopback interfaces claim one more. */
    private static final int MAX_IP_PACKET = 65_535;

    private static final int ETHERNET_MTU = 1500;
    private static final int MIN_MTU = 1280;

    // Own addresses and prefixes on a link, longest first: the first match decides.
    private final long[] maskHi;
    private final long[] maskLo;
    private final long[] prefixHi;
    private final long[] prefixLo;
    private final int[] mtu;
    private final int mtuElsewhereIpv4;
    private final int mtuElsewhereIpv6;

    private record Prefix(InetAddress address, int bits, int mtu) {}

    LocalLinks() {
        List<Prefix> prefixes = new ArrayList<>();
        int loopbackMtu = MAX_IP_PACKET;
        int smallest = Integer.MAX_VALUE;
        try {
            for (NetworkInterface link : NetworkInterface.networkInterfaces().toList()) {
                if (!link.isUp()) {
                    continue;
                }
                int bytes = Math.clamp(link.getMTU() > 0 ? link.getMTU() : ETHERNET_MTU, MIN_MTU, MAX_IP_PACKET);
                if (link.isLoopback()) {
                    loopbackMtu = Math.min(loopbackMtu, bytes);
                } else {
                    smallest = Math.min(smallest, bytes);
                }
                for (InterfaceAddress address : link.getInterfaceAddresses()) {
                    prefixes.add(new Prefix(address.getAddress(), address.getNetworkPrefixLength(), bytes));
                }
            }
        } catch (IOException e) {
            LOG.log(Logger.Level.WARNING, "the interfaces cannot be listed, packets are cut for an MTU of 1500", e);
        }
        int elsewhere = smallest == Integer.MAX_VALUE ? ETHERNET_MTU : smallest;
        // Addresses reserved for documentation: nothing is sent, the kernel only looks for a route.
        mtuElsewhereIpv4 = routeMtu("198.51.100.1", elsewhere);
        mtuElsewhereIpv6 = routeMtu("2001:db8::1", elsewhere);

        List<Prefix> byLength = new ArrayList<>();
        for (Prefix link : prefixes) {
            int own = link.address.getAddress().length * 8;
            byLength.add(new Prefix(link.address, own, loopbackMtu));
            if (link.bits > 0 && link.bits < own) {
                byLength.add(link);
            }
        }
        byLength.sort((a, b) -> Integer.compare(mappedBits(b), mappedBits(a)));
        int count = byLength.size();
        maskHi = new long[count];
        maskLo = new long[count];
        prefixHi = new long[count];
        prefixLo = new long[count];
        mtu = new int[count];
        for (int i = 0; i < count; i++) {
            Prefix link = byLength.get(i);
            byte[] address = link.address.getAddress();
            int bits = mappedBits(link);
            maskHi[i] = mask(bits);
            maskLo[i] = mask(bits - 64);
            prefixHi[i] = Address.hi(address) & maskHi[i];
            prefixLo[i] = Address.lo(address) & maskLo[i];
            mtu[i] = link.mtu;
        }
    }

    /** Bytes of the largest IP packet towards the peer. */
    int mtu(long hi, long lo) {
        for (int i = 0; i < mtu.length; i++) {
            if ((hi & maskHi[i]) == prefixHi[i] && (lo & maskLo[i]) == prefixLo[i]) {
                return mtu[i];
            }
        }
        return Address.isIpv4(hi, lo) ? mtuElsewhereIpv4 : mtuElsewhereIpv6;
    }

    private static int mappedBits(Prefix link) {
        return link.address.getAddress().length == 4 ? link.bits + 96 : link.bits;
    }

    /** The leading {@code bits} of a long. */
    private static long mask(int bits) {
        return bits <= 0 ? 0 : bits >= 64 ? -1 : -1L << (64 - bits);
    }

    private static int routeMtu(String distantHost, int otherwise) {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(new InetSocketAddress(InetAddress.getByName(distantHost), 9));
            NetworkInterface link = NetworkInterface.getByInetAddress(socket.getLocalAddress());
            return link == null || link.getMTU() <= 0 ? otherwise : Math.clamp(link.getMTU(), MIN_MTU, MAX_IP_PACKET);
        } catch (IOException | RuntimeException e) {
            LOG.log(Logger.Level.DEBUG, () -> "no route to distant hosts like " + distantHost, e);
            return otherwise;
        }
    }
}
