package io.homa4j;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * Where a Homa server is: an IP address and a port. A name is resolved once, when the object is made; the object never
 * changes. IPv4-mapped IPv6 addresses count as IPv4.
 */
public final class HomaAddress {
    private static final String FORMS = "write host:port, 192.0.2.1:4000 or [2001:db8::1]:4000";

    private final String host;
    private final InetAddress address;
    private final int port;
    private final long hi;
    private final long lo;
    private final Config.@Nullable Encapsulation encapsulation;

    private HomaAddress(String host, InetAddress address, int port) {
        this(host, address, port, null);
    }

    private HomaAddress(String host, InetAddress address, int port, Config.@Nullable Encapsulation encapsulation) {
        if (port < 1 || port > 65_535) {
            throw new HomaAddressException(
                    "port " + port + " of " + host + " is not between 1 and 65535", "correct the port", null);
        }
        byte[] bytes = address.getAddress();
        this.host = host;
        this.address = address;
        this.port = port;
        this.hi = Address.hi(bytes);
        this.lo = Address.lo(bytes);
        this.encapsulation = encapsulation;
    }

    /**
     * An address by name or number.
     *
     * @param host a name, or an IPv4 or IPv6 address with or without brackets
     * @throws HomaAddressException if the name is unknown or the port is not between 1 and 65535
     */
    public static HomaAddress of(String host, int port) {
        return of(host, port, Family.ANY);
    }

    /**
     * An address by name or number, of one family.
     *
     * @throws HomaAddressException if the name is unknown or has no address of this family, or the port is not between 1 and
     *     65535
     */
    public static HomaAddress of(String host, int port, Family family) {
        String bare = host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
        if (bare.isBlank()) {
            throw new HomaAddressException("the host is missing", FORMS, null);
        }
        return new HomaAddress(bare, resolve(bare, family), port);
    }

    /**
     * The same address.
     *
     * @throws HomaAddressException if it is not resolved
     */
    public static HomaAddress of(InetSocketAddress address) {
        InetAddress inet = address.getAddress();
        if (inet == null) {
            throw new HomaAddressException(
                    "the name " + address.getHostString() + " is not resolved", "resolve it first", null);
        }
        return new HomaAddress(inet.getHostAddress(), inet, address.getPort());
    }

    /**
     * Reads {@code host:port}, {@code 192.0.2.1:4000} or {@code [2001:db8::1]:4000}, also behind {@code homa://}, or behind the
     * encapsulation that the server has: {@code homa+udp://}, {@code homa+udp-tunnel://} or {@code homa+ip://}.
     *
     * @throws HomaAddressException saying what is wrong with the text
     */
    public static HomaAddress parse(String text) {
        return parse(text, Family.ANY);
    }

    /** As {@link #parse(String)}, with one family. */
    public static HomaAddress parse(String text, Family family) {
        String rest = text.strip();
        int scheme = rest.indexOf("://");
        Config.Encapsulation named = null;
        if (scheme >= 0) {
            named = named(rest.substring(0, scheme), text);
            rest = rest.substring(scheme + 3);
        }
        int colon = rest.lastIndexOf(':');
        String host = colon < 0 ? "" : rest.substring(0, colon);
        if (host.isEmpty() || (host.indexOf(':') >= 0 && !(host.startsWith("[") && host.endsWith("]")))) {
            throw new HomaAddressException("\"" + text + "\" is no address", FORMS, null);
        }
        int port;
        try {
            port = Integer.parseInt(rest.substring(colon + 1));
        } catch (NumberFormatException e) {
            throw new HomaAddressException("the port of \"" + text + "\" is no number", FORMS, e);
        }
        HomaAddress plain = of(host, port, family);
        return named == null ? plain : new HomaAddress(plain.host, plain.address, port, named);
    }

    private static Config.@Nullable Encapsulation named(String scheme, String text) {
        return switch (scheme) {
            case "homa" -> null;
            case "homa+udp" -> Config.Encapsulation.UDP;
            case "homa+udp-tunnel" -> Config.Encapsulation.UDP_TUNNEL;
            case "homa+ip" -> Config.Encapsulation.IP;
            default ->
                throw new HomaAddressException(
                        "the encapsulation of " + text + " is unknown",
                        "use homa://, homa+udp://, homa+udp-tunnel:// or homa+ip://",
                        null);
        };
    }

    static HomaAddress of(long hi, long lo, int port) {
        try {
            InetAddress address = InetAddress.getByAddress(Address.bytes(hi, lo));
            return new HomaAddress(address.getHostAddress(), address, port);
        } catch (UnknownHostException e) {
            throw new AssertionError("4 and 16 bytes are always an address", e);
        }
    }

    private static InetAddress resolve(String host, Family family) {
        try {
            for (InetAddress candidate : InetAddress.getAllByName(host)) {
                boolean fits = switch (family) {
                    case ANY -> true;
                    case IPV4 -> candidate instanceof Inet4Address;
                    case IPV6 -> candidate instanceof Inet6Address;
                };
                if (fits) {
                    return candidate;
                }
            }
        } catch (UnknownHostException e) {
            throw new HomaAddressException(
                    "the host " + host + " is unknown", "check the name and the name service", e);
        }
        throw new HomaAddressException(
                "the host " + host + " has no " + (family == Family.IPV4 ? "IPv4" : "IPv6") + " address",
                "use the other family",
                null);
    }

    /** The host as it was given: a name or an address. */
    public String host() {
        return host;
    }

    public int port() {
        return port;
    }

    public InetAddress address() {
        return address;
    }

    public boolean isIpv6() {
        return !Address.isIpv4(hi, lo);
    }

    /** The encapsulation that the address names; null if it is that of whichever {@link Homa} uses it. */
    public Config.@Nullable Encapsulation encapsulation() {
        return encapsulation;
    }

    /**
     * @throws HomaAddressException if it names an encapsulation that this engine does not have
     */
    void checkFits(Config config) {
        if (encapsulation != null && encapsulation != config.encapsulation) {
            throw new HomaAddressException(
                    "the address " + this + " is not for this Homa, whose encapsulation is "
                            + Encapsulation.name(config.encapsulation),
                    "open one with encapsulation " + Encapsulation.name(encapsulation),
                    null);
        }
    }

    /** High half of the address as {@link Address} has it. */
    public long hi() {
        return hi;
    }

    /** Low half of the address as {@link Address} has it. */
    public long lo() {
        return lo;
    }

    /** Equal if address and port are; name and encapsulation do not count. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof HomaAddress that && hi == that.hi && lo == that.lo && port == that.port;
    }

    @Override
    public int hashCode() {
        return (Long.hashCode(hi) * 31 + Long.hashCode(lo)) * 31 + port;
    }

    /** In the form {@link #parse} reads. */
    @Override
    public String toString() {
        String scheme = encapsulation == null ? "" : "homa+" + Encapsulation.name(encapsulation) + "://";
        return scheme + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
