package io.homa4j.protocol;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The Homa protocol engine: a value that is given packets, commands and the time, and is asked for packets, events and
 * its next deadline. It opens nothing, starts no thread, reads no clock and draws no random number it was not seeded
 * with. This class only dispatches; the rules are in its collaborators (ARCHITECTURE.md has the map).
 *
 * <p><b>Threads:</b> one owner at a time; ownership may pass from thread to thread with a happens-before edge.
 *
 * <p><b>A turn</b> of the owner, in this order: {@link #onPackets} for what has arrived, commands (all other methods),
 * {@link #onTime}, then {@link #pollPackets} and {@link #onSent} until nothing comes or the driver is full, then
 * {@link #pollEvent} until nothing comes. {@link #nextDeadlineNs} says when the next turn is due if nothing arrives.
 * Between {@code pollPackets} and {@code onSent} nothing else may be called.
 *
 * <p><b>Time</b> is monotonic nanoseconds of any origin.
 *
 * <p><b>Results:</b> methods that return {@code int} or {@code long} give a {@link Status#code()} (negative) on failure.
 */
public final class Endpoint {
    /** Smallest receive region: any message of a million bytes fits, with room for others. */
    public static final long MIN_REGION_BYTES = 2 << 20;

    private final Config config;
    private final Counters counters = new Counters();
    private final Turn turn;
    private final TimerWheel wheel = new TimerWheel();
    private final DeferredResends deferred = new DeferredResends();
    private final Sockets sockets;
    private final PeerTable peers;
    private final RpcTable rpcs;
    private final Priorities priorities;
    private final ControlQueue control;
    private final Silence silence;
    private final Granter granter;
    private final Pacer pacer;
    private final Paths paths;
    private final Transmitter transmitter;
    private final Lifecycle lifecycle;
    private final FinishedRpcs finished;
    private final Acks acks;
    private final PathMtuSearch mtus;
    private final RpcTimers timers;
    private final Arrivals arrivals;
    private final EventQueue events = new EventQueue();

    private long nextId;
    /** Tick at which peers were last collected and cutoffs tuned. */
    private long housekeepingTick;
    /** Batch between pollPackets and onSent. */
    private @Nullable PacketBatch polled;

    /**
     * An engine without sockets.
     *
     * @param config its parameters; copied
     * @param seed source of RPC ids, of the secret behind cutoff versions and of table hashes; must be unpredictable in
     *     production and may be fixed in tests
     * @param nowNs present time
     * @throws IllegalArgumentException if a parameter is out of range, naming it
     */
    public Endpoint(Config config, long seed, long nowNs) {
        this.config = config.copy();
        this.config.normalize();
        KeyedHash hash = new KeyedHash(seed);
        turn = new Turn(this.config, nowNs);
        sockets = new Sockets(this.config);
        peers = new PeerTable(this.config, counters, turn, hash);
        rpcs = new RpcTable(hash);
        priorities = new Priorities(this.config, counters, hash, nowNs);
        control = new ControlQueue(this.config, counters, priorities);
        ArrivalRate arrivalRate = new ArrivalRate(turn);
        silence = new Silence(this.config, turn, wheel, deferred, arrivalRate);
        granter = this.config.policy.grantsPerPacket()
                ? new PacketGranter(this.config, turn, priorities, control, silence)
                : new WindowGranter(this.config, counters, turn, priorities, control, silence);
        pacer = new Pacer(this.config, turn);
        paths = new Paths(this.config, turn, pacer, granter, arrivalRate);
        mtus = new PathMtuSearch(this.config, counters, turn, pacer);
        RetransmitQueue retransmits = new RetransmitQueue();
        Incast incast = new Incast(this.config, counters, rpcs, granter);
        transmitter = new Transmitter(this.config, counters, turn, pacer, paths, control, retransmits, incast);
        finished = new FinishedRpcs(this.config, hash, counters);
        lifecycle = new Lifecycle(
                this.config,
                counters,
                turn,
                rpcs,
                peers,
                granter,
                transmitter,
                retransmits,
                silence,
                priorities,
                control,
                finished,
                events,
                paths,
                mtus);
        acks = new Acks(this.config, counters, turn, control);
        timers = new RpcTimers(this.config, counters, turn, wheel, deferred, silence, priorities, control, lifecycle);
        transmitter.tell(timers);
        arrivals = new Arrivals(
                this.config,
                counters,
                turn,
                sockets,
                peers,
                rpcs,
                lifecycle,
                granter,
                transmitter,
                silence,
                timers,
                priorities,
                control,
                finished,
                new UnknownAnswers(this.config, counters, turn, hash),
                new ProofGuesses(turn, hash),
                paths,
                mtus,
                incast);
        nextId = this.config.firstId != 0 ? this.config.firstId : Math.max(2, (hash.number(1) >>> 2) & ~1L);
    }

    /** The next tick at which something may be due; Long.MAX_VALUE if nothing waits. */
    private long nextTick() {
        return deferred.isEmpty() ? Math.min(wheel.nextTick(turn.tick), acks.nextTick()) : turn.tick + 1;
    }

    /**
     * The present of a call. Ticks at which nothing is due pass here, before anything counts from the present one;
     * else an RPC that begins after an idle time would be charged with it.
     */
    private void begin(long nowNs) {
        turn.now(nowNs);
        long reached = turn.reachedTick();
        if (turn.tick < reached) {
            long due = nextTick();
            turn.tick = Math.max(turn.tick, Math.min(reached, due - 1));
        }
    }

    // ---- sockets

    /**
     * Opens a socket.
     *
     * @param port its Homa port; over direct UDP the port the driver has bound; 0 = the next automatic one
     * @param acceptsRequests whether it is a server
     * @param receiveRegion off-heap memory for incoming messages, at least {@link #MIN_REGION_BYTES}; the caller's again
     *     after {@link #closeSocket}
     * @return the socket's number, or {@code INVALID_ARGUMENT} (region too small or read-only, port out of range),
     *     {@code ADDRESS_IN_USE}, {@code NO_PORT_LEFT}
     */
    public int openSocket(int port, boolean acceptsRequests, MemorySegment receiveRegion) {
        if (receiveRegion.byteSize() < MIN_REGION_BYTES || receiveRegion.isReadOnly()) {
            return Status.INVALID_ARGUMENT.code();
        }
        return open(port, acceptsRequests, receiveRegion, 0);
    }

    /**
     * Opens a socket whose receive region is only accounted: messages take space in it and are delivered with a place, but
     * their bytes are neither read from packets nor kept. For simulations that need no payload.
     *
     * @param regionBytes size it pretends to have, at least {@link #MIN_REGION_BYTES}
     * @return as {@link #openSocket}
     */
    public int openPhantomSocket(int port, boolean acceptsRequests, long regionBytes) {
        if (regionBytes < MIN_REGION_BYTES) {
            return Status.INVALID_ARGUMENT.code();
        }
        return open(port, acceptsRequests, null, regionBytes);
    }

    private int open(int port, boolean acceptsRequests, @Nullable MemorySegment memory, long phantomBytes) {
        if (port < 0 || port > 65_535) {
            return Status.INVALID_ARGUMENT.code();
        }
        if (port != 0 && sockets.at(port) != null) {
            return Status.ADDRESS_IN_USE.code();
        }
        int actual = port == 0 ? sockets.automaticPort() : port;
        if (actual == 0) {
            return Status.NO_PORT_LEFT.code();
        }
        Sock socket = sockets.open(actual);
        socket.acceptsRequests = acceptsRequests;
        socket.region = memory == null
                ? new PhantomRegion(phantomBytes, socket.number)
                : new ReceiveRegion(memory, socket.number);
        return socket.number;
    }

    /**
     * Moves a socket to another port and makes it a server (spec api 3). Port 0 and the socket's own port change nothing
     * (the latter makes it a server only below 32768). Profile {@code module} refuses ports of the automatic range.
     */
    public int bind(int socket, int port) {
        Sock sock = sockets.get(socket);
        if (sock == null || sock.isShutdown) {
            return Status.SHUTDOWN.code();
        }
        if (port == 0) {
            return 0;
        }
        if (port < 0 || port > 65_535) {
            return Status.INVALID_ARGUMENT.code();
        }
        if (config.moduleProfile && port >= Sockets.FIRST_AUTOMATIC_PORT) {
            return port == sock.port ? 0 : Status.INVALID_ARGUMENT.code();
        }
        Sock owner = sockets.at(port);
        if (owner != null && owner != sock) {
            return Status.ADDRESS_IN_USE.code();
        }
        sockets.link(sock, port);
        sock.acceptsRequests = true;
        return 0;
    }

    /** Port of a socket, or {@code INVALID_ARGUMENT}. */
    public int port(int socket) {
        Sock sock = sockets.get(socket);
        return sock == null ? Status.INVALID_ARGUMENT.code() : sock.port;
    }

    /** Number of the open socket at a port, -1 if none. */
    public int socketAt(int port) {
        Sock sock = port < 0 || port > 65_535 ? null : sockets.at(port);
        return sock == null ? -1 : sock.number;
    }

    /** Switches the server role; off, it cuts off RPCs in progress too (spec protocol 1.3 item 5). */
    public void acceptRequests(int socket, boolean accept) {
        Sock sock = sockets.get(socket);
        if (sock != null) {
            sock.acceptsRequests = accept;
        }
    }

    /** No new RPCs in either direction; what is going on goes on, buffered acks leave (design 6, close loses nothing). */
    public void beginClose(int socket, long nowNs) {
        begin(nowNs);
        Sock sock = sockets.get(socket);
        if (sock != null) {
            sock.isClosing = true;
            acks.flush(sock);
        }
    }

    /** Whether a closing socket has nothing more to say: no request in service, no response unacknowledged. */
    public boolean isDrained(int socket) {
        Sock sock = sockets.get(socket);
        if (sock == null) {
            return true;
        }
        for (Rpc rpc = sock.rpcs; rpc != null; rpc = rpc.socketNext) {
            if (!rpc.isClient() && (rpc.state != Rpc.State.INCOMING || rpc.in.isComplete())) {
                return false;
            }
        }
        return control.isEmpty();
    }

    /** Ends all RPCs of the socket silently; its port is unknown from now on (spec protocol 6.7). Idempotent. */
    public void shutdown(int socket, long nowNs) {
        begin(nowNs);
        Sock sock = sockets.get(socket);
        if (sock == null || sock.isShutdown) {
            return;
        }
        sockets.unlink(sock);
        sock.isShutdown = true;
        for (Rpc rpc = sock.rpcs; rpc != null; rpc = sock.rpcs) {
            lifecycle.end(rpc);
        }
    }

    /** Forgets a socket, shutting it down if need be. Its region and all messages in it are the caller's to free. */
    public void closeSocket(int socket, long nowNs) {
        shutdown(socket, nowNs);
        Sock sock = sockets.get(socket);
        if (sock != null) {
            sock.region.abandon();
            peers.forgetSocket(sock);
            peers.forgetUnusedHosts();
            sockets.forget(sock);
        }
    }

    // ---- application side

    /**
     * Sends a request.
     *
     * @param peerPort the server's port, 1 to 65535
     * @param payload the message's memory, lent until the RELEASED event with {@code attachment}
     * @param length 1 to 1,000,000 bytes
     * @param isPrivate the outcome is received by {@link #receivePrivate} instead of {@link #receive}
     * @param attachment any object, returned with the outcome and with RELEASED
     * @return the RPC's id, or {@code SHUTDOWN}, {@code INVALID_LENGTH}, {@code INVALID_ARGUMENT}, {@code SEND_LIMIT},
     *     {@code TOO_MANY}, {@code MTU_TOO_SMALL}; then nothing was lent
     */
    public long request(
            int socket,
            long peerHi,
            long peerLo,
            int peerPort,
            MemorySegment payload,
            long payloadAt,
            int length,
            boolean isPrivate,
            @Nullable Object attachment,
            long nowNs) {
        begin(nowNs);
        Sock sock = sockets.get(socket);
        if (sock == null || sock.isShutdown || sock.isClosing) {
            return Status.SHUTDOWN.code();
        }
        if (length < 1 || length > config.maxMessageBytes) {
            return Status.INVALID_LENGTH.code();
        }
        if (peerPort < 1 || peerPort > 65_535) {
            return Status.INVALID_ARGUMENT.code();
        }
        if (!lifecycle.hasSendSpace(sock)) {
            sock.wantsSpace = true;
            return Status.SEND_LIMIT.code();
        }
        if (rpcs.clients() >= config.maxClientRpcs) {
            return Status.TOO_MANY.code();
        }
        boolean isUdp = config.encapsulation == Config.Encapsulation.UDP;
        int keyPort = config.encapsulation == Config.Encapsulation.IP ? 0 : peerPort;
        Peer peer = peers.findOrCreate(isUdp ? sock.number : 0, peerHi, peerLo, keyPort, true);
        if (peer == null) {
            return Status.TOO_MANY.code();
        }
        int cut = mtus.cut(peer, length);
        if (cut <= 0) {
            return Status.MTU_TOO_SMALL.code();
        }
        // We choose to talk to this address; nobody else made us.
        if (!peer.isProven) {
            peers.prove(peer);
            lifecycle.proved(peer);
        }
        long id = nextId;
        nextId += 2;
        Rpc rpc = lifecycle.beginClient(id, sock, peer, peerPort, isPrivate, attachment);
        int unscheduled = Math.min(paths.unscheduledBytes(peer.host, cut), length);
        lifecycle.beginTransmission(rpc, payload, payloadAt, length, unscheduled, cut, attachment);
        return id;
    }

    /**
     * Answers a request.
     *
     * @param handle from {@link Message#handle}
     * @return 0, or {@code UNKNOWN_RPC} (the client has gone), {@code WRONG_STATE} (answered already),
     *     {@code INVALID_LENGTH}, {@code SEND_LIMIT}, {@code MTU_TOO_SMALL}; then nothing was lent and, unlike in the
     *     module, the request can still be answered
     */
    public int reply(
            long handle, MemorySegment payload, long payloadAt, int length, @Nullable Object attachment, long nowNs) {
        begin(nowNs);
        Rpc rpc = rpcs.byHandle(handle);
        if (rpc == null || rpc.isClient()) {
            return Status.UNKNOWN_RPC.code();
        }
        if (rpc.state != Rpc.State.IN_SERVICE) {
            return Status.WRONG_STATE.code();
        }
        if (length < 1 || length > config.maxMessageBytes) {
            return Status.INVALID_LENGTH.code();
        }
        if (!lifecycle.hasResponseSpace(rpc.socket)) {
            rpc.socket.wantsResponseSpace = true;
            return Status.SEND_LIMIT.code();
        }
        int cut = mtus.cut(rpc.peer, length);
        if (cut <= 0) {
            return Status.MTU_TOO_SMALL.code();
        }
        rpc.state(Rpc.State.OUTGOING);
        lifecycle.leaveService(rpc);
        rpc.lastContactTick = turn.tick;
        int unscheduled = Math.min(paths.unscheduledBytes(rpc.peer.host, cut), length);
        if (rpc.responseLimit > 0) {
            unscheduled = Math.min(unscheduled, rpc.responseLimit);
        }
        lifecycle.beginTransmission(rpc, payload, payloadAt, length, unscheduled, cut, attachment);
        return 0;
    }

    /** Ends a server RPC that will not be answered; the client fails within its timeout. 0 or {@code UNKNOWN_RPC}. */
    public int dismiss(long handle, long nowNs) {
        begin(nowNs);
        Rpc rpc = rpcs.byHandle(handle);
        if (rpc == null || rpc.isClient()) {
            return Status.UNKNOWN_RPC.code();
        }
        counters.add(Counters.SERVER_RPC_DISCARDS, 1);
        lifecycle.end(rpc);
        return 0;
    }

    /**
     * Takes the oldest shared message that is ready. A response ends its RPC and is acknowledged; a request is in service
     * from now on. Requests stay while {@code maxInService} of the socket are in service; those that complete meanwhile are
     * then given shortest first, the hosts in turn.
     *
     * @return false if there is none
     */
    public boolean receive(int socket, Message out, long nowNs) {
        begin(nowNs);
        Sock sock = sockets.get(socket);
        if (sock == null) {
            return false;
        }
        Rpc rpc = sock.nextReady(sock.inService < config.maxInService);
        if (rpc == null) {
            return false;
        }
        deliver(rpc, out);
        return true;
    }

    /** Takes the outcome of a private RPC; false if it is not ready or does not exist. */
    public boolean receivePrivate(long id, Message out, long nowNs) {
        begin(nowNs);
        Rpc rpc = rpcs.client(id);
        if (rpc == null || !rpc.isPrivate || !rpc.isReady) {
            return false;
        }
        deliver(rpc, out);
        return true;
    }

    private void deliver(Rpc rpc, Message out) {
        out.isRequest = !rpc.isClient();
        out.id = rpc.id;
        out.handle = rpc.handle();
        out.attachment = rpc.attachment;
        out.status = rpc.error;
        out.abortCode = rpc.abortCode;
        out.peerHi = rpc.peer.hi;
        out.peerLo = rpc.peer.lo;
        out.peerPort = rpc.remotePort;
        out.length = rpc.error == Status.OK ? rpc.in.length : 0;
        out.regionOffset = rpc.error == Status.OK ? rpc.in.regionAt : InboundMessage.NO_SPACE;
        if (out.isRequest) {
            lifecycle.takeRequest(rpc);
            return;
        }
        if (rpc.error == Status.OK) {
            rpc.socket.region.handOver(rpc.in.regionAt);
            rpc.in.regionAt = InboundMessage.NO_SPACE;
            acks.add(rpc);
        }
        lifecycle.end(rpc);
    }

    /** Gives the memory of a received message back. 0, or {@code INVALID_ARGUMENT} if it is not the application's. */
    public int release(int socket, long regionOffset, long nowNs) {
        begin(nowNs);
        Sock sock = sockets.get(socket);
        if (sock == null || !sock.region.isWithApplication(regionOffset)) {
            return Status.INVALID_ARGUMENT.code();
        }
        lifecycle.free(sock, regionOffset);
        return 0;
    }

    /**
     * Ends a client RPC with an error that is delivered like a response, even if the response has arrived (spec api 9).
     * 0, or {@code UNKNOWN_RPC}.
     */
    public int abort(long id, Status error, int code, long nowNs) {
        begin(nowNs);
        Rpc rpc = rpcs.client(id);
        if (rpc == null || !rpc.isClient()) {
            return Status.UNKNOWN_RPC.code();
        }
        lifecycle.abort(rpc, error, code);
        return 0;
    }

    /** Ends a client RPC without delivering anything (spec api 9, error 0). 0, or {@code UNKNOWN_RPC}. */
    public int forget(long id, long nowNs) {
        begin(nowNs);
        Rpc rpc = rpcs.client(id);
        if (rpc == null || !rpc.isClient()) {
            return Status.UNKNOWN_RPC.code();
        }
        lifecycle.end(rpc);
        return 0;
    }

    /** Aborts all client RPCs of the socket; server RPCs go on (P-182). Returns how many. */
    public int abortAll(int socket, Status error, int code, long nowNs) {
        begin(nowNs);
        Sock sock = sockets.get(socket);
        int aborted = 0;
        for (Rpc rpc = sock == null ? null : sock.rpcs; rpc != null; rpc = rpc.socketNext) {
            if (rpc.isClient()) {
                lifecycle.abort(rpc, error, code);
                aborted++;
            }
        }
        return aborted;
    }

    // ---- network side

    /** Processes the packets of a batch, in the order of spec protocol 3.2. */
    public void onPackets(PacketBatch batch, long nowNs) {
        assert polled == null : "onSent must follow pollPackets";
        begin(nowNs);
        turn.turned();
        paths.arrived(batch);
        arrivals.onPackets(batch);
    }

    /**
     * A network error about a peer (spec protocol 2.13): client RPCs fail with it, server RPCs end. Outside profile
     * {@code module} a response that has arrived is delivered all the same: a server that closes has answered before.
     *
     * @param port only RPCs with this remote port; 0 = any
     * @param kind {@code NO_SERVER}, {@code PROTOCOL_UNSUPPORTED} or {@code HOST_UNREACHABLE}
     */
    public void unreachable(long peerHi, long peerLo, int port, Status kind, long nowNs) {
        begin(nowNs);
        Host host = peers.findHost(peerHi, peerLo);
        for (Peer peer = host == null ? null : host.firstPeer; peer != null; peer = peer.hostNext) {
            if (port == 0 || peer.port == 0 || peer.port == port) {
                abortAll(peer, port, kind);
            }
        }
    }

    private void abortAll(Peer peer, int port, Status kind) {
        for (Rpc rpc = peer.firstRpc; rpc != null; ) {
            Rpc next = rpc.peerNext;
            boolean isHere = rpc.isClient() && rpc.in.isComplete() && !config.moduleProfile;
            if ((port == 0 || rpc.remotePort == port) && !isHere) {
                lifecycle.abort(rpc, kind, 0);
            }
            rpc = next;
        }
    }

    /**
     * The path to a host carries IP packets of at most this size. New messages are cut to it; of messages being sent the
     * packets not yet sent and those sent again are subdivided, which every receiver accepts (design 6, MTU). Nothing below
     * what every path carries (552 bytes for IPv4, 1280 for IPv6) is believed, but in profile module. After a while larger
     * packets are tried again.
     */
    public void pathMtu(long peerHi, long peerLo, int mtuTold) {
        if (config.encapsulation == Config.Encapsulation.IP) {
            // Anybody can forge the message: it proves nothing.
            peers.findOrCreate(0, peerHi, peerLo, 0, false);
        }
        Host host = peers.findHost(peerHi, peerLo);
        if (host != null) {
            mtus.told(host, mtuTold);
        }
    }

    /** Bytes of the largest IP packet to a host, as far as is known. */
    public int pathMtu(long peerHi, long peerLo) {
        Host host = peers.findHost(peerHi, peerLo);
        return host == null ? peers.interfaceMtu(peerHi, peerLo) : host.mtu;
    }

    /** Says how large packets may be towards peers met from now on; until told, {@code mtu} bytes. */
    public void pathMtus(PathMtus known) {
        peers.pathMtus(known);
    }

    /**
     * What the driver knows of the host's link.
     *
     * @param mbps its rate, 0 = unknown or not to be paced (loopback)
     * @param receiveCapacityBytes bytes that may arrive before they are read, 0 = unknown; grants stay below half of it
     */
    public void link(int mbps, long receiveCapacityBytes) {
        paths.link(mbps, receiveCapacityBytes);
    }

    /**
     * What the driver's queue holds before it takes fewer packets than it is offered. While it is full, what it takes tells
     * the rate of the link, if none is set by hand.
     *
     * @param bytes with all headers; 0 = unknown
     */
    public void sendQueue(long bytes) {
        paths.sendQueue(bytes);
    }

    /**
     * What the driver's queue should hold now, bytes: enough to keep the link busy, no more than messages can wait for; 0 = as
     * it likes, because no rate is to be found.
     */
    public long wantedSendQueueBytes() {
        return paths.wantedSendQueueBytes();
    }

    /** Rate of the uplink, Mbit/s: by hand, else found, else the driver's; 0 = unknown, then nothing is paced. */
    public double linkMbps() {
        return paths.linkMbps();
    }

    /** Fires timers. Call after {@link #onPackets} of the same turn: what has arrived counts before silence does. */
    public void onTime(long nowNs) {
        begin(nowNs);
        turn.turned();
        paths.measureArrivals();
        long reached = turn.reachedTick();
        while (turn.tick < reached) {
            turn.tick = Math.clamp(nextTick(), turn.tick + 1, reached);
            timers.fire();
            acks.flushDue();
        }
        granter.onTime();
        if (housekeepingTick != turn.tick) {
            housekeepingTick = turn.tick;
            peers.collect();
            priorities.tune(config.unschedBytes, nowNs);
        }
    }

    /**
     * Fills the batch with what may leave now: all control packets there is room for, then retransmissions and data of up
     * to about {@code maxBytes}.
     *
     * @return packets in the batch; if not 0, {@link #onSent} must follow before anything else
     */
    public int pollPackets(PacketBatch batch, int maxBytes, long nowNs) {
        assert polled == null : "onSent must follow pollPackets";
        begin(nowNs);
        int count = transmitter.poll(batch, maxBytes);
        polled = count > 0 ? batch : null;
        return count;
    }

    /** The driver has taken the first {@code sent} packets of the polled batch; the others count as never chosen. */
    public void onSent(int sent, long nowNs) {
        begin(nowNs);
        PacketBatch batch = polled;
        polled = null;
        if (batch != null) {
            transmitter.onSent(batch, sent);
        }
    }

    /**
     * The driver has room for no data now, so that none were polled: as if it had been offered some and refused them.
     *
     * @return whether data would have been offered
     */
    public boolean refused(long nowNs) {
        begin(nowNs);
        boolean isRefused = transmitter.mayGoOn();
        if (isRefused) {
            paths.taken(0, 0, true);
        }
        return isRefused;
    }

    /** Gives the next event; false if there is none. */
    public boolean pollEvent(Event out) {
        return events.poll(out);
    }

    /**
     * When the next turn is due if nothing arrives: at or before {@code nowNs} = at once, {@code Long.MAX_VALUE} = only
     * packets and commands matter. Turns later than this count as pauses of the process, not as silence of peers.
     */
    public long nextDeadlineNs(long nowNs) {
        begin(nowNs);
        long tick = nextTick();
        long deadlineNs = tick == Long.MAX_VALUE ? Long.MAX_VALUE : turn.timeOfTick(tick);
        long sendNs = transmitter.nextDeadlineNs();
        if (sendNs != Long.MAX_VALUE && (deadlineNs == Long.MAX_VALUE || sendNs - deadlineNs < 0)) {
            deadlineNs = sendNs;
        }
        long grantNs = granter.nextDeadlineNs();
        if (grantNs != Long.MAX_VALUE && (deadlineNs == Long.MAX_VALUE || grantNs - deadlineNs < 0)) {
            deadlineNs = grantNs;
        }
        if (!events.isEmpty()) {
            deadlineNs = turn.nowNs;
        }
        turn.planned(deadlineNs, sendNs);
        return deadlineNs;
    }

    // ---- parameters and figures

    /**
     * Changes parameters while running, as a write to the module's sysctl does. Encapsulation, tick length and sizes of
     * tables stay what they were. A changed table of cutoffs or number of levels is a new version (spec scheduling 16.1).
     *
     * @throws IllegalArgumentException if a parameter is out of range
     */
    public void reconfigure(Config changed, long nowNs) {
        begin(nowNs);
        Config next = changed.copy();
        next.normalize();
        boolean newTable = next.numPriorities != config.numPriorities
                || !java.util.Arrays.equals(next.unschedCutoffs, config.unschedCutoffs);
        next.encapsulation = config.encapsulation;
        next.moduleProfile = config.moduleProfile;
        next.policy = config.policy;
        next.tickNs = config.tickNs;
        config.assign(next);
        if (newTable) {
            priorities.install(config.unschedCutoffs);
        }
        paths.reconfigured();
    }

    /** Installs a table of unscheduled cutoffs as a new version, also if it is the present one (spec scheduling 16.1). */
    public void installCutoffs(int[] cutoffs) {
        priorities.install(cutoffs);
    }

    /** This engine's counters, live. */
    public Counters counters() {
        return counters;
    }

    /** The state of a socket and its RPCs; allocates. Null if there is no such socket or it is shut down. */
    public @Nullable SocketInfo socketInfo(int socket) {
        Sock sock = sockets.get(socket);
        if (sock == null || sock.isShutdown) {
            return null;
        }
        List<RpcInfo> infos = new ArrayList<>(sock.rpcCount);
        for (Rpc rpc = sock.rpcs; rpc != null; rpc = rpc.socketNext) {
            infos.add(RpcInfo.of(rpc));
        }
        return new SocketInfo(
                sock.port,
                sock.acceptsRequests,
                sock.region.freeBytes(),
                sock.region.size(),
                sock.outgoingBytes,
                sock.inService,
                sock.waitingCount,
                sock.readyCount,
                List.copyOf(infos));
    }

    /** Live RPCs of both roles. */
    public int rpcCount() {
        return rpcs.size();
    }

    /** Peers known. */
    public int peerCount() {
        return peers.size();
    }

    /** Incoming messages (or their senders, by {@link Policy}) that want grants and get none because others come first. */
    public int passedOver() {
        return granter.passedOver();
    }

    /** Bytes expected to arrive without further grants. */
    public long totalIncomingBytes() {
        return granter.totalIncoming();
    }

    /**
     * What {@link #totalIncomingBytes} is kept below by normal grants: {@code max_incoming}, or what follows from the path. Bytes
     * of messages that shorter ones have overtaken do not count, up to {@link #mostIncomingBytes}.
     */
    public long maxIncomingBytes() {
        return granter.maxIncoming();
    }

    /** What {@link #totalIncomingBytes} is kept below by normal grants in any case. */
    public long mostIncomingBytes() {
        return granter.mostIncoming();
    }

    /**
     * Walks every structure of the engine and says what contradicts itself. For simulations and tests: it costs in
     * proportion to all there is, allocates, and may be asked between turns only.
     *
     * @return one sentence for each contradiction; empty if there is none
     */
    public String audit() {
        Audit audit = new Audit(config);
        rpcs.audit(audit);
        peers.audit(audit);
        granter.audit(audit, rpcs, peers);
        transmitter.audit(audit);
        control.audit(audit);
        finished.audit(audit);
        int ofSockets = 0;
        for (int i = 0; i < sockets.numbers(); i++) {
            Sock sock = sockets.get(i);
            if (sock != null) {
                sock.audit(audit);
                ofSockets += sock.rpcCount;
            }
        }
        audit.equal("RPCs of all sockets", ofSockets, rpcs.size());
        return audit.text();
    }
}
