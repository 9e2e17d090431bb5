package io.homa4j.cli;

import io.homa4j.Encapsulation;
import io.homa4j.Family;
import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.Profile;
import io.homa4j.driver.Datapath;
import io.homa4j.driver.XdpOptions;
import io.homa4j.protocol.Config;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that opens a Homa of its own. */
final class EngineOptions {
    private static final String POLL_USECS = "poll_usecs";
    private static final String PARAMETERS = "docs/operating.md has all parameters and their ranges";

    @Option(names = "--ipv6", description = "Use IPv6 (servers take both in any case).")
    boolean ipv6;

    @Option(
            names = "--profile",
            paramLabel = "PROFILE",
            description = "default (homa4j's own behaviour) or module (the kernel module's).")
    Profile profile = Profile.DEFAULT;

    @Option(
            names = "--poll-usecs",
            paramLabel = "N",
            description = "Poll for so many microseconds after the last packet, then sleep.")
    @Nullable
    Integer pollUsecs;

    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE",
            description = "Set a parameter of the engine, by the kernel module's name; may be repeated.")
    Map<String, String> parameters = new LinkedHashMap<>();

    @Option(
            names = "--datapath",
            paramLabel = "PATH",
            description =
                    "auto (the best that works here), portable (plain Java), syscalls (Linux) or xdp (Linux, past the"
                            + " kernel's network stack).")
    String datapath = "auto";

    @Option(
            names = "--xdp",
            paramLabel = "INTERFACE[,NAME=VALUE...]",
            description =
                    "Where datapath xdp meets the network, so that auto tries it first: the interface (default: the one"
                            + " towards distant hosts), queue=N, mode=native|generic, zero-copy=required|off, busy-poll=USECS,"
                            + " frames=N.")
    @Nullable
    String xdp;

    @Option(
            names = "--encapsulation",
            paramLabel = "KIND",
            description =
                    "What is on the wire, the same on both sides: udp (default), udp-tunnel:PORT (one UDP port for all)"
                            + " or ip (protocol 146, as kernel hosts).")
    @Nullable
    String encapsulation;

    @Option(names = "--bind", paramLabel = "ADDRESS", description = "Use this local address only.")
    @Nullable
    String bind;

    /** Opens it; values out of range are the user's mistake. */
    static Homa open(Homa.Builder builder) {
        try {
            return builder.open();
        } catch (IllegalArgumentException e) {
            throw CliException.usage(e.getMessage() + ", which makes no sense", PARAMETERS);
        }
    }

    /** A builder with all these options applied. */
    Homa.Builder builder() {
        Homa.Builder builder =
                Homa.builder().profile(profile).datapath(wantedDatapath()).encapsulation(wantedEncapsulation());
        if (xdp != null) {
            builder.xdp(wantedXdp(xdp));
        }
        if (pollUsecs != null) {
            set(builder, POLL_USECS, String.valueOf(pollUsecs), "--poll-usecs " + pollUsecs);
        }
        parameters.forEach((name, value) -> set(builder, name, value, "--set " + name + "=" + value));
        InetAddress local = localAddress();
        if (local != null) {
            builder.bind(local);
        }
        return builder;
    }

    /** These options as words of a command line, for a process that this one starts. */
    List<String> words() {
        List<String> words = new ArrayList<>();
        if (ipv6) {
            words.add("--ipv6");
        }
        words.addAll(List.of("--profile", profile.name().toLowerCase(Locale.ROOT)));
        if (pollUsecs != null) {
            words.addAll(List.of("--poll-usecs", String.valueOf(pollUsecs)));
        }
        parameters.forEach((name, value) -> words.addAll(List.of("--set", name + "=" + value)));
        words.addAll(List.of("--datapath", datapath));
        if (xdp != null) {
            words.addAll(List.of("--xdp", xdp));
        }
        if (encapsulation != null) {
            words.addAll(List.of("--encapsulation", encapsulation));
        }
        if (bind != null) {
            words.addAll(List.of("--bind", bind));
        }
        return words;
    }

    /**
     * Reads HOST:PORT; with {@code --ipv6} the host's IPv6 address is taken. An address that names its encapsulation, such as
     * {@code homa+ip://HOST:PORT}, is as good as the option.
     */
    HomaAddress address(String text) {
        HomaAddress address = HomaAddress.parse(text, ipv6 ? Family.IPV6 : Family.ANY);
        if (encapsulation == null && address.encapsulation() == Config.Encapsulation.IP) {
            encapsulation = Encapsulation.IP.toString();
        }
        return address;
    }

    /** The loopback address of the family in use, as text. */
    String loopback() {
        return ipv6 ? "::1" : "127.0.0.1";
    }

    /** Whether a Homa port is a UDP port. */
    boolean isUdp() {
        return wantedEncapsulation().equals(Encapsulation.UDP);
    }

    private Datapath wantedDatapath() {
        Datapath wanted = Datapath.of(datapath);
        if (wanted == null) {
            throw CliException.usage("there is no datapath '" + datapath + "'", "use auto, portable, syscalls or xdp");
        }
        return wanted;
    }

    private static XdpOptions wantedXdp(String text) {
        try {
            return XdpOptions.parse(text);
        } catch (IllegalArgumentException e) {
            throw CliException.usage("--xdp " + text + " makes no sense (" + e.getMessage() + ")", "see --help");
        }
    }

    private Encapsulation wantedEncapsulation() {
        try {
            return encapsulation == null ? Encapsulation.UDP : Encapsulation.parse(encapsulation);
        } catch (IllegalArgumentException e) {
            throw CliException.usage("--encapsulation makes no sense (" + e.getMessage() + ")", "see --help");
        }
    }

    private @Nullable InetAddress localAddress() {
        if (bind == null) {
            return null;
        }
        try {
            InetAddress local = InetAddress.getByName(bind);
            if (ipv6 && local instanceof Inet4Address) {
                throw CliException.usage(
                        "--bind " + bind + " with --ipv6 makes no sense", "name an IPv6 address, or leave out --ipv6");
            }
            return local;
        } catch (UnknownHostException e) {
            throw new CliException(
                    "the address '" + bind + "' of --bind is unknown", "name an address of this host (ip address)", e);
        }
    }

    private static void set(Homa.Builder builder, String name, String value, String words) {
        try {
            builder.set(name, value);
        } catch (IllegalArgumentException e) {
            throw CliException.usage(words + " makes no sense (" + e.getMessage() + ")", PARAMETERS);
        }
    }
}
