package io.homa4j.driver;

import io.homa4j.driver.DriverException.Kind;
import io.homa4j.protocol.Address;
import java.io.IOException;
import java.lang.System.Logger;
import java.net.BindException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.util.Locale;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;

/**
 * One bound UDP port of the {@link PortableDriver}: its channel, and what is remembered about it from one packet to the
 * next. Belongs to the owner, except where said.
 */
final class UdpPort {
    private static final Logger LOG = System.getLogger(UdpPort.class.getName());
    /** Traffic classes of the eight levels as objects, so that none is boxed per change. */
    private static final Integer[] TRAFFIC_CLASS = new Integer[8];

    static {
        for (int level = 0; level < TRAFFIC_CLASS.length; level++) {
            TRAFFIC_CLASS[level] = level << 5;
        }
    }

    final DatagramChannel channel;
    final int number;
    final boolean takesIpv6;
    /** Halves of the local address; both 0 when bound to every address. */
    final long localHi;

    final long localLo;
    /** SO_RCVBUF as granted, bytes. */
    final int receiveBufferBytes;

    int socket = -1;

    @Nullable
    SelectionKey key;
    /** Set by whoever sleeps in the selector: a packet is there. */
    volatile boolean isReadable;
    /** Polls in a row that found nothing. */
    int emptyPolls;
    /** The source of the last packet as the JDK gave it; it gives the same object again while the source is the same. */
    @Nullable
    SocketAddress lastSource;

    long lastHi;
    long lastLo;
    int lastPort;

    private int level;
    private boolean setsLevel;

    private UdpPort(DatagramChannel channel, InetSocketAddress bound, boolean takesIpv6) throws IOException {
        this.channel = channel;
        this.takesIpv6 = takesIpv6;
        this.number = bound.getPort();
        byte[] local = bound.getAddress().getAddress();
        boolean any = bound.getAddress().isAnyLocalAddress();
        this.localHi = any ? 0 : Address.hi(local);
        this.localLo = any ? 0 : Address.lo(local);
        this.receiveBufferBytes = channel.getOption(StandardSocketOptions.SO_RCVBUF);
        this.setsLevel = channel.supportedOptions().contains(StandardSocketOptions.IP_TOS);
    }

    /**
     * Binds a port. Without a local address one IPv6 channel takes both families, because the JDK cannot restrict a
     * channel to IPv6, and so cannot bind one of each to the same port; where IPv6 is switched off, IPv4 only.
     */
    static UdpPort bind(@Nullable InetAddress local, int port, int receiveBufferBytes, int sendBufferBytes)
            throws DriverException {
        ProtocolFamily family =
                local instanceof Inet4Address ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6;
        try {
            return bind(local, port, receiveBufferBytes, sendBufferBytes, family);
        } catch (UnsupportedOperationException e) {
            if (local != null) {
                throw new DriverException(
                        Kind.BAD_ADDRESS,
                        "cannot bind " + local.getHostAddress() + ": IPv6 is switched off",
                        "use an IPv4 address, or switch IPv6 on (also java.net.preferIPv4Stack=false)",
                        e);
            }
            return bind(null, port, receiveBufferBytes, sendBufferBytes, StandardProtocolFamily.INET);
        }
    }

    private static UdpPort bind(
            @Nullable InetAddress local, int port, int receiveBufferBytes, int sendBufferBytes, ProtocolFamily family)
            throws DriverException {
        DatagramChannel channel = null;
        try {
            channel = DatagramChannel.open(family);
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.SO_RCVBUF, receiveBufferBytes);
            channel.setOption(StandardSocketOptions.SO_SNDBUF, sendBufferBytes);
            setIfPossible(channel, ExtendedSocketOptions.IP_DONTFRAGMENT, true);
            channel.bind(local == null ? new InetSocketAddress(port) : new InetSocketAddress(local, port));
            return new UdpPort(
                    channel, (InetSocketAddress) channel.getLocalAddress(), family == StandardProtocolFamily.INET6);
        } catch (IOException e) {
            closeQuietly(channel);
            throw describe(local, port, e);
        } catch (RuntimeException e) {
            closeQuietly(channel);
            throw e;
        }
    }

    /** Changes SO_SNDBUF; what the system granted, 0 if it did not say. */
    int sendBuffer(int bytes) {
        try {
            channel.setOption(StandardSocketOptions.SO_SNDBUF, bytes);
            return channel.getOption(StandardSocketOptions.SO_SNDBUF);
        } catch (IOException e) {
            LOG.log(Logger.Level.DEBUG, "SO_SNDBUF cannot be set", e);
            return 0;
        }
    }

    /** Makes the next packet leave with this level (0 to 7). A platform that refuses once is not asked again. */
    void level(int wanted) {
        if (wanted == level || !setsLevel) {
            return;
        }
        try {
            channel.setOption(StandardSocketOptions.IP_TOS, TRAFFIC_CLASS[wanted]);
            level = wanted;
        } catch (IOException e) {
            setsLevel = false;
            LOG.log(
                    Logger.Level.INFO,
                    "this platform does not let the traffic class be set; packets carry no priority",
                    e);
        }
    }

    private static <T> void setIfPossible(DatagramChannel channel, SocketOption<T> option, T value) throws IOException {
        if (channel.supportedOptions().contains(option)) {
            channel.setOption(option, value);
        }
    }

    private static DriverException describe(@Nullable InetAddress local, int port, IOException e) {
        String where = (local == null ? "" : local.getHostAddress() + " ") + "UDP port " + port;
        String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        if (message.contains("permission")) {
            return new DriverException(
                    Kind.PERMISSION,
                    "cannot bind " + where + ": permission denied",
                    "use a port from 1024 on, or grant CAP_NET_BIND_SERVICE",
                    e);
        }
        if (message.contains("assign") || e.getCause() instanceof UnsupportedOperationException) {
            return new DriverException(
                    Kind.BAD_ADDRESS,
                    "cannot bind " + where + ": this host does not have that address",
                    "use one of its own addresses, or none for all",
                    e);
        }
        if (message.contains("too many open files")) {
            return new DriverException(
                    Kind.NO_RESOURCES,
                    "cannot bind " + where + ": too many open files",
                    "raise the limit of open files (ulimit -n)",
                    e);
        }
        if (e instanceof BindException) {
            return new DriverException(
                    Kind.PORT_IN_USE,
                    "cannot bind " + where + ": the port is in use",
                    "choose another port, or stop the process that holds it (ss -ulpn)",
                    e);
        }
        return new DriverException(Kind.OTHER, "cannot bind " + where + ": " + e.getMessage(), "see the cause", e);
    }

    static void closeQuietly(@Nullable DatagramChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                LOG.log(Logger.Level.DEBUG, "closing a UDP port", e);
            }
        }
    }
}
