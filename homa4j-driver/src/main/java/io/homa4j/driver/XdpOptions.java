package io.homa4j.driver;

import org.jspecify.annotations.Nullable;

/**
 * Where and how {@link XdpDriver} meets the network.
 *
 * @param interfaceName null: the one towards distant hosts
 * @param queue of the interface, from 0 on
 * @param mode where the program runs
 * @param zeroCopy whether the interface reads and writes frames itself
 * @param busyPollUsecs how long the kernel looks for packets at the interface on each call of ours; 0: never
 * @param frames for packets that have arrived, a power of two
 */
public record XdpOptions(
        @Nullable String interfaceName, int queue, Mode mode, ZeroCopy zeroCopy, int busyPollUsecs, int frames) {

    /** Where the program runs. */
    public enum Mode {
        /** In the interface's driver if that can do it, else above it. */
        AUTO,
        /** In the driver. */
        NATIVE,
        /** Above the driver: works with every interface, and costs more. */
        GENERIC
    }

    /** Whether the interface reads and writes frames itself. */
    public enum ZeroCopy {
        /** If it can. */
        AUTO,
        /** Or not at all. */
        REQUIRED,
        /** The kernel copies. */
        OFF
    }

    /** What is taken where nothing is said. */
    public static final XdpOptions DEFAULT = new XdpOptions(null, 0, Mode.AUTO, ZeroCopy.AUTO, 0, 4096);

    private static final int MIN_FRAMES = 64;
    private static final int MAX_FRAMES = 1 << 16;

    public XdpOptions {
        if (queue < 0) {
            throw new IllegalArgumentException("queue " + queue + ": must be 0 or more");
        }
        if (busyPollUsecs < 0) {
            throw new IllegalArgumentException("busy-poll " + busyPollUsecs + ": must be 0 or more");
        }
        if (Integer.bitCount(frames) != 1 || frames < MIN_FRAMES || frames > MAX_FRAMES) {
            throw new IllegalArgumentException(
                    "frames " + frames + ": must be a power of two from " + MIN_FRAMES + " to " + MAX_FRAMES);
        }
    }

    /**
     * Reads {@code [INTERFACE][,queue=N][,mode=native|generic][,zero-copy=required|off][,busy-poll=USECS][,frames=N]}.
     *
     * @throws IllegalArgumentException saying what makes no sense
     */
    public static XdpOptions parse(String text) {
        String[] parts = text.split(",", -1);
        XdpOptions options = DEFAULT;
        for (int i = 0; i < parts.length; i++) {
            String part = parts[i].strip();
            int equals = part.indexOf('=');
            if (i == 0 && equals < 0) {
                options = part.isEmpty() ? options : options.on(part);
                continue;
            }
            String name = equals < 0 ? part : part.substring(0, equals);
            options = options.with(name, equals < 0 ? "" : part.substring(equals + 1));
        }
        return options;
    }

    private XdpOptions on(String name) {
        return new XdpOptions(name, queue, mode, zeroCopy, busyPollUsecs, frames);
    }

    private XdpOptions with(String name, String value) {
        return switch (name) {
            case "queue" -> new XdpOptions(interfaceName, number(name, value), mode, zeroCopy, busyPollUsecs, frames);
            case "mode" ->
                new XdpOptions(
                        interfaceName,
                        queue,
                        switch (value) {
                            case "native" -> Mode.NATIVE;
                            case "generic" -> Mode.GENERIC;
                            default -> throw new IllegalArgumentException("mode " + value + ": is native or generic");
                        },
                        zeroCopy,
                        busyPollUsecs,
                        frames);
            case "zero-copy" ->
                new XdpOptions(
                        interfaceName,
                        queue,
                        mode,
                        switch (value) {
                            case "required" -> ZeroCopy.REQUIRED;
                            case "off" -> ZeroCopy.OFF;
                            default ->
                                throw new IllegalArgumentException("zero-copy " + value + ": is required or off");
                        },
                        busyPollUsecs,
                        frames);
            case "busy-poll" -> new XdpOptions(interfaceName, queue, mode, zeroCopy, number(name, value), frames);
            case "frames" -> new XdpOptions(interfaceName, queue, mode, zeroCopy, busyPollUsecs, number(name, value));
            default ->
                throw new IllegalArgumentException(
                        "there is no '" + name + "'; there are queue, mode, zero-copy, busy-poll and frames");
        };
    }

    private static int number(String name, String value) {
        if (!value.matches("\\d{1,9}")) {
            throw new IllegalArgumentException(name + " " + value + ": is not a number");
        }
        return Integer.parseInt(value);
    }
}
