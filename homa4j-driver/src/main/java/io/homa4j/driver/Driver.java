package io.homa4j.driver;

import io.homa4j.protocol.PacketBatch;
import io.homa4j.protocol.Status;
import java.net.InetAddress;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The world of packets: takes them to the network and from it, for all sockets of one engine. A driver decides nothing
 * about Homa.
 *
 * <p><b>Threads.</b> Methods marked <i>owner</i> are called only by the thread that owns the engine, one at a time, with
 * a happens-before edge between owners. {@link #await} may run in one other thread meanwhile. {@link #bind} and
 * {@link #wake} are safe from any thread.
 *
 * <p><b>Ports.</b> A UDP port is bound first, then an engine socket is opened with the port really bound, then the two are
 * joined with {@link #attach}; until then arriving packets wait in the kernel.
 */
public interface Driver extends AutoCloseable {
    /** {@link #await} without an end. */
    long FOREVER = Long.MAX_VALUE;

    /** What a driver learns from the operating system beside packets. Called on the owner, from within its methods. */
    interface Feedback {
        /**
         * The operating system refuses to send to this peer.
         *
         * @param port the peer's port; 0 for every port
         */
        void unreachable(long peerHi, long peerLo, int port, Status kind);

        /** A packet was too big for the path; at most {@code mtu} bytes of IP packet fit. */
        void pathMtu(long peerHi, long peerLo, int mtu);
    }

    /** Sets who is told; to be called once, before the first packet. */
    void feedback(Feedback feedback);

    /**
     * Binds a UDP port, for IPv4 and IPv6 where the platform has both. Any thread.
     *
     * @param local the address to bind to; null for every address of the host
     * @param port 1 to 65535; 0 for a free one
     * @return the port bound
     * @throws DriverException saying what is wrong and what to do about it
     */
    int bind(@Nullable InetAddress local, int port) throws DriverException;

    /** Joins a bound port with the engine's socket number: from now on its packets are received. Owner. */
    void attach(int port, int socket);

    /** Closes a port; packets still in the kernel are lost. Unknown ports are ignored. Owner. */
    void unbind(int port);

    /**
     * Fills the batch with what has arrived, without waiting. Owner.
     *
     * @param batch cleared first; a full batch means that more may wait
     * @return packets in the batch
     */
    int receive(PacketBatch batch);

    /**
     * Sends packets of a batch in order, without waiting. Owner.
     *
     * @return how many were handed over (or were refused by the operating system for good, which counts as lost on the
     *     way); fewer than {@code batch.count} when its queue is full
     */
    int send(PacketBatch batch);

    /**
     * How many bytes of packets it makes sense to take from the engine now, because what is handed over can no longer be put
     * in a better order; 0 when enough waits below. Owner.
     */
    int sendRoomBytes();

    /**
     * Sleeps until a packet is there, a refused {@link #send} can go on, {@link #wake} was called since the last return, or
     * the time is over; may also return early. An interrupted thread returns at once and stays interrupted. Any thread,
     * one at a time: a second one waits until the first has returned.
     *
     * @param timeoutNs nanoseconds; 0 or less does not sleep; {@link #FOREVER} has no end
     */
    void await(long timeoutNs);

    /** Lets the present or the next {@link #await} return. Any thread. */
    void wake();

    /** Nanoseconds by which {@link #await} may oversleep: who must be more exact has to poll instead. */
    long awaitSlackNs();

    /** Bytes of the largest datagram that can arrive: the least {@code slotBytes} of a batch for {@link #receive}. */
    int maxDatagramBytes();

    /** Bytes of the largest IP packet the interface towards this peer takes. Owner; asks no one, allocates nothing. */
    int mtu(long peerHi, long peerLo);

    /**
     * Makes the queue of every port hold about so many bytes of packets before {@link #send} takes fewer than it is offered.
     * The engine finds out the rate of the link from what a full queue takes, so a driver whose queue drops packets instead
     * of refusing them, or that cannot tell how much it holds, returns 0. Owner.
     *
     * @param bytes with all headers
     * @return what a port's queue holds now; 0 if that is unknown
     */
    default long sendQueue(long bytes) {
        return 0;
    }

    /** Rate of the uplink, Mbit/s; 0 if unknown. */
    int linkMbps();

    /** Bytes of packets the kernel really keeps for one port before it drops; 0 if unknown. Any thread. */
    long receiveCapacityBytes();

    /** What the driver counted, by name; a snapshot. Owner. */
    Map<String, Long> counters();

    /** Closes all ports and lets {@link #await} return. Owner; idempotent. */
    @Override
    void close();
}
