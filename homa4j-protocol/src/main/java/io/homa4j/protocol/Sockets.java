package io.homa4j.protocol;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The engine's sockets by number and by port (spec protocol 1.3). */
final class Sockets {
    static final int FIRST_AUTOMATIC_PORT = 32_768;
    private static final int LAST_PORT = 65_535;
    private static final int PAGE_PORTS = 256;
    private static final int[] NO_PORTS = {};

    private final Config config;
    private final List<Sock> byNumber = new ArrayList<>();
    /** Number of the socket plus one, by port: pages of neighbouring ports, made when the first of them is taken. */
    private final int[][] byPort = new int[(LAST_PORT + 1) / PAGE_PORTS][];

    private int lastAutomaticPort = LAST_PORT;

    Sockets(Config config) {
        this.config = config;
        Arrays.fill(byPort, NO_PORTS);
    }

    /** The socket with this number, also if it is shut down; null if there is none. */
    @Nullable
    Sock get(int number) {
        return number >= 0 && number < byNumber.size() && byNumber.get(number) != Sock.NONE
                ? byNumber.get(number)
                : null;
    }

    int numbers() {
        return byNumber.size();
    }

    /** The open socket at a port, or null. */
    @Nullable
    Sock at(int port) {
        int number = numberPlusOne(port & 0xFFFF) - 1;
        return number < 0 ? null : byNumber.get(number);
    }

    private int numberPlusOne(int port) {
        int[] page = byPort[port / PAGE_PORTS];
        return page.length == 0 ? 0 : page[port % PAGE_PORTS];
    }

    /** The open socket a packet is for: the one it came in on, or that of its header's port (design 6, ports and NAT). */
    @Nullable
    Sock target(int arrivedOn, int headerPort) {
        if (config.encapsulation != Config.Encapsulation.UDP) {
            return at(headerPort);
        }
        Sock socket = get(arrivedOn);
        return socket == null || socket.isShutdown ? null : socket;
    }

    /** The next free automatic port, in rising order with wrap-around (S-253); 0 if all are taken. */
    int automaticPort() {
        for (int i = FIRST_AUTOMATIC_PORT; i <= LAST_PORT; i++) {
            lastAutomaticPort = lastAutomaticPort == LAST_PORT ? FIRST_AUTOMATIC_PORT : lastAutomaticPort + 1;
            if (numberPlusOne(lastAutomaticPort) == 0) {
                return lastAutomaticPort;
            }
        }
        return 0;
    }

    Sock open(int port) {
        int number = byNumber.indexOf(Sock.NONE);
        if (number < 0) {
            number = byNumber.size();
            byNumber.add(Sock.NONE);
        }
        Sock socket = new Sock(number);
        byNumber.set(number, socket);
        socket.isShutdown = false;
        link(socket, port);
        return socket;
    }

    /** Gives the socket this port; its old one is free at once (S-257). */
    void link(Sock socket, int port) {
        unlink(socket);
        socket.port = port;
        int page = port / PAGE_PORTS;
        if (byPort[page].length == 0) {
            byPort[page] = new int[PAGE_PORTS];
        }
        byPort[page][port % PAGE_PORTS] = socket.number + 1;
    }

    /** The socket's port is unknown from now on. */
    void unlink(Sock socket) {
        if (numberPlusOne(socket.port) == socket.number + 1) {
            byPort[socket.port / PAGE_PORTS][socket.port % PAGE_PORTS] = 0;
        }
    }

    void forget(Sock socket) {
        byNumber.set(socket.number, Sock.NONE);
    }
}
