package io.homa4j.driver;

import io.homa4j.driver.DriverException.Kind;
import io.homa4j.protocol.Config.Encapsulation;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How packets reach the wire. Never changes what is on the wire, so {@link #AUTO} may choose. */
public enum Datapath {
    /** The best that works here. */
    AUTO,
    /** {@link PortableDriver}: any platform with JDK 25; UDP only. */
    PORTABLE,
    /** {@link SyscallDriver}: Linux, with native access allowed to this module. */
    SYSCALLS,
    /** {@link XdpDriver}: Linux with CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF; one process for each interface. */
    XDP;

    /**
     * A driver, and why it is this one.
     *
     * @param driver to be closed by whoever asked for it
     * @param reason one line: which datapath, and what is in the way of better ones
     */
    public record Choice(Driver driver, String reason) {}

    /**
     * Opens a driver. No port is taken yet.
     *
     * @param encapsulation what is on the wire
     * @param tunnelPort the port of a tunnel; else ignored
     * @param receiveBufferBytes SO_RCVBUF to ask for
     * @param xdp which interface to use for {@link #XDP}; null: it is chosen, and {@link #AUTO} does not take it
     * @throws DriverException if this datapath, or any that can do the encapsulation, is not to be had here
     */
    public Choice open(Encapsulation encapsulation, int tunnelPort, int receiveBufferBytes, @Nullable XdpOptions xdp)
            throws DriverException {
        if (this == XDP) {
            XdpDriver driver = XdpDriver.open(
                    encapsulation, tunnelPort, receiveBufferBytes, xdp == null ? XdpOptions.DEFAULT : xdp);
            return new Choice(driver, "datapath xdp (as asked; " + driver.features() + ")");
        }
        if (this != AUTO || xdp == null) {
            return openOther(encapsulation, tunnelPort, receiveBufferBytes);
        }
        try {
            XdpDriver driver = XdpDriver.open(encapsulation, tunnelPort, receiveBufferBytes, xdp);
            return new Choice(driver, "datapath xdp (the best there is; " + driver.features() + ")");
        } catch (DriverException e) {
            Choice next = openOther(encapsulation, tunnelPort, receiveBufferBytes);
            return new Choice(next.driver, next.reason + "; " + e.getMessage());
        }
    }

    private Choice openOther(Encapsulation encapsulation, int tunnelPort, int receiveBufferBytes)
            throws DriverException {
        String obstacle = SyscallDriver.obstacle(encapsulation);
        boolean isUdp = encapsulation == Encapsulation.UDP;
        if (this == PORTABLE || this == AUTO && isUdp && obstacle != null) {
            if (!isUdp) {
                throw new DriverException(
                        Kind.OTHER,
                        "the datapath portable has no encapsulation " + text(encapsulation),
                        "use datapath auto or syscalls",
                        new UnsupportedOperationException(text(encapsulation)));
            }
            String why = this == PORTABLE ? "as asked" : "not syscalls, because " + obstacle;
            return new Choice(new PortableDriver(receiveBufferBytes), "datapath portable (" + why + ")");
        }
        if (obstacle != null) {
            throw new DriverException(
                    Kind.OTHER,
                    "the datapath syscalls is not available: " + obstacle,
                    isUdp ? "use datapath auto or portable" : "remove the cause, or use encapsulation udp",
                    new UnsupportedOperationException(obstacle));
        }
        SyscallDriver driver = new SyscallDriver(encapsulation, tunnelPort, receiveBufferBytes);
        String why = this == AUTO ? "the best there is" : "as asked";
        return new Choice(driver, "datapath syscalls (" + why + "; " + driver.features() + ")");
    }

    private static String text(Encapsulation encapsulation) {
        return encapsulation.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The datapath of this name, as users write it; null if there is none. */
    public static @Nullable Datapath of(String name) {
        for (Datapath datapath : values()) {
            if (datapath.name().equalsIgnoreCase(name)) {
                return datapath;
            }
        }
        return null;
    }
}
