package io.homa4j;

import io.homa4j.driver.Datapath;
import io.homa4j.driver.Driver;
import io.homa4j.driver.DriverException;
import io.homa4j.driver.PcapDriver;
import io.homa4j.driver.PortableDriver;
import io.homa4j.driver.XdpOptions;
import io.homa4j.protocol.Config;
import io.homa4j.protocol.ConfigParameters;
import io.homa4j.protocol.Counters;
import io.homa4j.protocol.Endpoint;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One Homa engine with what turns it and carries its packets: the way in. Calls to servers, servers, sockets. Usually one per
 * process. Any thread, except where said.
 *
 * <pre>{@code
 * try (Homa homa = Homa.open(); HomaServer server = homa.serve(4000, request -> request.reply(lookup(request.bytes())))) {
 *     server.awaitClosed();
 * }
 *
 * try (Homa homa = Homa.open(); Reply reply = homa.call(HomaAddress.of("db7", 4000), query)) {
 *     use(reply.bytes());
 * }
 * }</pre>
 *
 * <p><b>Memory.</b> What is sent is copied once, on the caller's thread, into pooled memory outside the heap (or lent by
 * {@link #buffers}, without a copy); what is received is lent to the application until it closes it.
 *
 * <p><b>Threads.</b> A call blocks its thread; a virtual thread parks. A platform thread that finds the engine idle turns it
 * itself until its reply is there. No code of the application runs on the thread that turns the engine unless it was declared
 * short ({@link HomaServer.Builder#shortHandler}, {@link Builder#shortCompletions}, {@link HomaSocket#onReadable}).
 */
public final class Homa implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Homa.class.getName());
    private static final AtomicBoolean SAID_BUFFER_IS_SMALL = new AtomicBoolean();
    private static final AtomicBoolean SAID_DATAPATH = new AtomicBoolean();
    /** Below this SO_RCVBUF, bytes, a burst of a few messages overflows it. */
    private static final int SMALL_RECEIVE_BUFFER = 1 << 20;

    /** Options; to be finished with {@link #open}. */
    public static final class Builder {
        private static final String POLL_USECS = "poll_usecs";
        private static final long NS_PER_US = 1_000;

        private Profile profile = Profile.DEFAULT;
        private final Map<String, String> parameters = new LinkedHashMap<>();
        private ThreadMode mode = ThreadMode.DEFAULT;
        private Duration deadline = Duration.ofSeconds(30);
        private long regionBytes = 32 << 20;
        private long sendMemoryBytes = 256 << 20;
        private int receiveBufferBytes = PortableDriver.DEFAULT_RECEIVE_BUFFER;
        private Datapath datapath = Datapath.AUTO;
        private @Nullable XdpOptions xdp;
        private Encapsulation encapsulation = Encapsulation.UDP;
        private @Nullable InetAddress local;
        private @Nullable Long seed;
        private Executor completions = Thread::startVirtualThread;
        private Duration closeLinger = Duration.ofSeconds(1);
        private boolean closesOnExit;
        private final List<UnaryOperator<Driver>> wrappers = new ArrayList<>();
        private boolean isDebug;

        private Builder() {}

        /** Whose behaviour the engine shows; parameters set by name come on top. */
        public Builder profile(Profile wanted) {
            profile = given(wanted, "profile");
            return this;
        }

        /**
         * Sets a parameter by the name it has in the kernel module ({@code unsched_bytes}, {@code link_mbps}, ...; docs/operating.md
         * has all), or {@code poll_usecs}: how long to poll after the last packet before sleeping (default 50).
         *
         * @throws IllegalArgumentException if there is no such parameter or the value cannot be read
         */
        public Builder set(String name, String value) {
            given(name, "the name of a parameter");
            given(value, name);
            if (!name.equals(POLL_USECS)) {
                ConfigParameters.set(profile.config(), name, value);
            } else if (!value.strip().matches("\\d{1,9}")) {
                throw new IllegalArgumentException(name + " = " + value + ": is not a number of microseconds");
            }
            parameters.put(name, value);
            return this;
        }

        /** Who turns the engine. */
        public Builder threads(ThreadMode wanted) {
            mode = given(wanted, "threads");
            return this;
        }

        /** {@link ThreadMode#POLLING}. */
        public Builder polling() {
            return threads(ThreadMode.POLLING);
        }

        /** {@link ThreadMode#INVOKER}. */
        public Builder invoker() {
            return threads(ThreadMode.INVOKER);
        }

        /** Deadline of calls that name none; default 30 s. */
        public Builder deadline(Duration ofCalls) {
            HomaSocket.deadlineNs(given(ofCalls, "deadline"));
            deadline = ofCalls;
            return this;
        }

        /** Bytes of each socket's receive region, at least 2 MiB; default 32 MiB. */
        public Builder receiveRegion(long bytes) {
            regionBytes = checkRegion(bytes);
            return this;
        }

        /** Most bytes of pooled send memory, taken from the system as needed; default 256 MiB. */
        public Builder sendMemory(long bytes) {
            if (bytes < 1 << 20) {
                throw new IllegalArgumentException("sendMemory " + bytes + ": the largest message needs 1048576 bytes");
            }
            sendMemoryBytes = bytes;
            return this;
        }

        /** SO_RCVBUF to ask for, bytes; default 4 MiB. The system may grant less. */
        public Builder receiveBuffer(int bytes) {
            receiveBufferBytes = bytes;
            return this;
        }

        /** How packets reach the wire; default: the best that works here ({@link Homa#datapath} says which). */
        public Builder datapath(Datapath wanted) {
            datapath = given(wanted, "datapath");
            return this;
        }

        /**
         * The interface and queue for {@link Datapath#XDP}; default: the interface towards distant hosts. With {@link Datapath#AUTO}
         * that datapath is tried first, and only then.
         */
        public Builder xdp(XdpOptions options) {
            xdp = given(options, "xdp");
            return this;
        }

        /** What is on the wire; default: UDP. Both ends must have the same. */
        public Builder encapsulation(Encapsulation wanted) {
            encapsulation = given(wanted, "encapsulation");
            return this;
        }

        /** The local address of all sockets; default: all addresses, IPv4 and IPv6. */
        public Builder bind(InetAddress address) {
            local = given(address, "bind");
            return this;
        }

        /** Where RPC ids and secrets come from; default: a secure random number. For tests only: it must not be guessable. */
        public Builder seed(long value) {
            seed = value;
            return this;
        }

        /** Where futures of {@link #callAsync} complete; default: a new virtual thread each. */
        public Builder completions(Executor executor) {
            completions = given(executor, "completions");
            return this;
        }

        /**
         * Futures of {@link #callAsync} complete on the thread that turns the engine: fastest, and only for continuations that take
         * microseconds and never block.
         */
        public Builder shortCompletions() {
            completions = Runnable::run;
            return this;
        }

        /** How long closing waits for what is in progress; default 1 s. */
        public Builder closeLinger(Duration linger) {
            closeLinger = given(linger, "closeLinger");
            return this;
        }

        /** Whether the JVM closes this Homa when it ends (on SIGTERM too); default no. */
        public Builder closeOnExit(boolean on) {
            closesOnExit = on;
            return this;
        }

        /**
         * Puts a driver around the one used so far, such as {@link io.homa4j.driver.FaultyDriver}; may be given several times.
         */
        public Builder driver(UnaryOperator<Driver> wrapper) {
            wrappers.add(given(wrapper, "driver"));
            return this;
        }

        /** Writes all packets to this file. */
        public Builder pcap(Path file) {
            given(file, "pcap");
            return driver(inner -> new PcapDriver(inner, file, encapsulation.kind(), encapsulation.tunnelPort()));
        }

        /** Overwrites received memory when it is given back, and remembers who took it; slow. */
        public Builder debug(boolean on) {
            isDebug = on;
            return this;
        }

        /**
         * Opens it. No port is taken yet.
         *
         * @throws IllegalArgumentException if parameters are out of range
         * @throws UncheckedIOException if the file of {@link #pcap} cannot be created
         * @throws HomaOpenException if the datapath that was asked for is not to be had here
         */
        public Homa open() {
            return new Homa(this);
        }

        /** Refuses null where it is given and not where it is used, much later and on another thread. */
        static <T> T given(T value, String option) {
            return Objects.requireNonNull(
                    value, () -> option + " must not be null; leave the option out to have its default");
        }

        static long checkRegion(long bytes) {
            if (bytes < Endpoint.MIN_REGION_BYTES) {
                throw new IllegalArgumentException(
                        "receiveRegion " + bytes + ": it must have at least " + Endpoint.MIN_REGION_BYTES + " bytes");
            }
            return bytes;
        }

        private Config config() {
            Config config = profile.config();
            config.encapsulation = encapsulation.kind();
            parameters.forEach((name, value) -> {
                if (!name.equals(POLL_USECS)) {
                    ConfigParameters.set(config, name, value);
                }
            });
            return config;
        }

        private long pollNs() {
            return Long.parseLong(parameters.getOrDefault(POLL_USECS, "50").strip()) * NS_PER_US;
        }
    }

    private final EngineLoop loop;
    private final Driver driver;
    private final String datapath;
    private final HomaBuffers buffers;
    private final Duration deadline;
    private final Duration closeLinger;
    private final long regionBytes;
    private final @Nullable InetAddress local;
    private final @Nullable Thread exitHook;
    /** The socket of calls; opened with the first one. */
    private volatile @Nullable HomaSocket callSocket;

    private Homa(Builder options) {
        this.deadline = options.deadline;
        this.closeLinger = options.closeLinger;
        this.regionBytes = options.regionBytes;
        this.local = options.local;
        Datapath.Choice chosen = choose(options);
        this.datapath = chosen.reason();
        this.driver = wrapped(chosen.driver(), options.wrappers);
        SendMemory memory = new SendMemory(options.sendMemoryBytes);
        boolean isOpen = false;
        try {
            Long seed = options.seed;
            this.loop = new EngineLoop(
                    options.config(),
                    seed == null ? new SecureRandom().nextLong() : seed,
                    driver,
                    options.mode,
                    options.pollNs(),
                    memory,
                    options.completions,
                    options.parameters.containsKey("mtu"),
                    options.isDebug);
            isOpen = true;
        } finally {
            if (!isOpen) {
                driver.close();
                memory.close();
            }
        }
        this.buffers = new HomaBuffers(loop);
        this.exitHook =
                options.closesOnExit ? Thread.ofPlatform().name("homa-exit").unstarted(this::closeAtExit) : null;
        if (exitHook != null) {
            Runtime.getRuntime().addShutdownHook(exitHook);
        }
        loop.start();
    }

    /** Closes the driver if one of them fails. */
    private static Driver wrapped(Driver innermost, List<UnaryOperator<Driver>> wrappers) {
        Driver outermost = innermost;
        boolean isWhole = false;
        try {
            for (UnaryOperator<Driver> wrapper : wrappers) {
                outermost = wrapper.apply(outermost);
            }
            isWhole = true;
            return outermost;
        } finally {
            if (!isWhole) {
                outermost.close();
            }
        }
    }

    private static Datapath.Choice choose(Builder options) {
        try {
            Datapath.Choice chosen = options.datapath.open(
                    options.encapsulation.kind(),
                    options.encapsulation.tunnelPort(),
                    options.receiveBufferBytes,
                    options.xdp);
            if (SAID_DATAPATH.compareAndSet(false, true)) {
                // A user who gets less than there is shall see it; who gets the best need not.
                boolean isLess = options.datapath == Datapath.AUTO && chosen.driver() instanceof PortableDriver;
                LOG.log(isLess ? Logger.Level.INFO : Logger.Level.DEBUG, chosen.reason());
            }
            return chosen;
        } catch (DriverException e) {
            throw new HomaOpenException(e);
        }
    }

    /** UDP, a thread of its own, defaults that suit most. */
    public static Homa open() {
        return builder().open();
    }

    /** Options. */
    public static Builder builder() {
        return new Builder();
    }

    // ---- level 1: calls and servers

    /**
     * Sends a request and waits for the response, up to the default deadline.
     *
     * @param request 1 to 1,000,000 bytes, copied
     * @return the response; to be closed
     * @throws HomaRpcException if the RPC failed
     * @throws HomaLimitException if the send limit was reached all the time, or a table is full
     * @throws HomaClosedException if this is or gets closed
     * @throws InterruptedException if the thread is interrupted; the RPC is forgotten then
     * @throws IllegalArgumentException if the request is empty or too long
     * @throws IllegalStateException on the thread that turns the engine, that is in short handlers and callbacks
     */
    public Reply call(HomaAddress to, byte[] request) throws InterruptedException {
        return callSocket().call(to, request, deadline);
    }

    /** As {@link #call(HomaAddress, byte[])}, with this deadline. */
    public Reply call(HomaAddress to, byte[] request, Duration deadline) throws InterruptedException {
        return callSocket().call(to, request, deadline);
    }

    /** As {@link #call(HomaAddress, byte[])}, from heap or native memory, which is copied. */
    public Reply call(HomaAddress to, MemorySegment request, Duration deadline) throws InterruptedException {
        return callSocket().call(to, request, deadline);
    }

    /** As {@link #call(HomaAddress, byte[])}, without a copy. */
    public Reply call(HomaAddress to, HomaBuffer request, Duration deadline) throws InterruptedException {
        return callSocket().call(to, request, deadline);
    }

    /**
     * Sends a request and returns at once. The future completes with the response, which its taker closes, or with the
     * exceptions of {@link #call(HomaAddress, byte[])}; it completes on a virtual thread of its own unless {@link
     * Builder#completions} says otherwise. Cancelling it, or completing it in any other way, forgets the RPC.
     *
     * <p>When all send memory is in use the future fails with {@link Reason#SEND_LIMIT}; while merely the socket's limit is
     * reached, the request waits.
     */
    public CompletableFuture<Reply> callAsync(HomaAddress to, byte[] request) {
        return callSocket().callAsync(to, request, deadline);
    }

    /** As {@link #callAsync(HomaAddress, byte[])}, with this deadline. */
    public CompletableFuture<Reply> callAsync(HomaAddress to, byte[] request, Duration deadline) {
        return callSocket().callAsync(to, request, deadline);
    }

    /** As {@link #callAsync(HomaAddress, byte[])}, from heap or native memory, which is copied. */
    public CompletableFuture<Reply> callAsync(HomaAddress to, MemorySegment request, Duration deadline) {
        return callSocket().callAsync(to, request, deadline);
    }

    /** As {@link #callAsync(HomaAddress, byte[])}, without a copy. */
    public CompletableFuture<Reply> callAsync(HomaAddress to, HomaBuffer request, Duration deadline) {
        return callSocket().callAsync(to, request, deadline);
    }

    /**
     * Serves a port: the handler gets every request on a virtual thread of its own.
     *
     * @param port 1 to 65535; 0 for a free one ({@link HomaServer#port})
     * @throws HomaOpenException if the port cannot be had
     */
    public HomaServer serve(int port, Handler handler) {
        return server(port).open(handler);
    }

    /** A server with options. */
    public HomaServer.Builder server(int port) {
        return new HomaServer.Builder(this, port, regionBytes);
    }

    // ---- level 2

    /** A socket on a free port that takes no requests. */
    public HomaSocket openSocket() {
        return new HomaSocket(openCore(0, false, regionBytes), deadline, closeLinger);
    }

    /**
     * A socket that takes requests.
     *
     * @param port 1 to 65535; 0 for a free one ({@link HomaSocket#port})
     * @throws HomaOpenException if the port cannot be had
     */
    public HomaSocket openSocket(int port) {
        SocketCore core = openCore(port, true, regionBytes);
        HomaSocket socket = new HomaSocket(core, deadline, closeLinger);
        socket.acceptRequests(true);
        return socket;
    }

    /** Send memory to build messages in. */
    public HomaBuffers buffers() {
        return buffers;
    }

    // ---- invoker mode

    /**
     * One turn of the engine; invoker mode only. To be called again and again by one thread.
     *
     * @return how much was done; 0 if there was nothing to do, or another thread is just at it
     */
    public int doWork() {
        return doWork(0);
    }

    /** As {@link #doWork()}, but when there is nothing to do the thread sleeps in the kernel up to that long. */
    public int doWork(Duration wait) {
        return doWork(wait.toNanos());
    }

    private int doWork(long waitNs) {
        if (loop.mode != ThreadMode.INVOKER) {
            throw new IllegalStateException("doWork needs Homa.builder().invoker(): this one has a thread of its own");
        }
        return loop.doWork(waitNs);
    }

    // ---- looking at it

    /** Who turns the engine. */
    public ThreadMode threads() {
        return loop.mode;
    }

    /** Which datapath is used and why, in one line. */
    public String datapath() {
        return datapath;
    }

    /** A copy of the parameters. */
    public Config config() {
        return loop.config.copy();
    }

    /** Bytes of the largest IP packet to this peer, as far as is known: what the interface takes, or less; 0 when closed. */
    public int mtu(HomaAddress peer) {
        return loop.ask(() -> loop.endpoint.pathMtu(peer.hi(), peer.lo()), 0);
    }

    /** Rate of the uplink, Mbit/s: set by hand, else found under load, else the driver's; 0 while unknown or when closed. */
    public double linkMbps() {
        return loop.ask(loop.endpoint::linkMbps, 0.0);
    }

    /** The counters of engine, driver and application errors, by name, as they are now; empty when closed. */
    public Map<String, Long> counters() {
        return loop.ask(
                () -> {
                    Map<String, Long> snapshot = new LinkedHashMap<>();
                    Counters counters = loop.endpoint.counters();
                    for (int i = 0; i < counters.count(); i++) {
                        snapshot.put(counters.name(i), counters.value(i));
                    }
                    snapshot.putAll(driver.counters());
                    loop.applicationErrors.putInto(snapshot);
                    return snapshot;
                },
                Map.of());
    }

    /**
     * One counter, as it is now; 0 when closed.
     *
     * @throws IllegalArgumentException if there is none of this name
     */
    public long counter(String name) {
        Map<String, Long> all = counters();
        Long value = all.get(name);
        if (value == null && !all.isEmpty()) {
            throw new IllegalArgumentException("there is no counter " + name);
        }
        return value == null ? 0 : value;
    }

    public boolean isClosed() {
        return loop.isClosed();
    }

    // ---- the end

    /**
     * Takes no more calls and requests, lets those in progress finish, responses be acknowledged and acknowledgements leave for
     * up to {@link Builder#closeLinger}, then ends: threads still waiting fail with {@link HomaClosedException}. Idempotent. From
     * within a short handler or callback it returns at once.
     */
    @Override
    public void close() {
        close(closeLinger);
    }

    /** Ends at once. */
    public void closeNow() {
        close(Duration.ZERO);
    }

    private void close(Duration linger) {
        long lingerNs = linger.toNanos();
        loop.ask(
                () -> {
                    loop.beginClose(lingerNs);
                    return null;
                },
                null);
        if (!loop.isOwner()) {
            loop.awaitEnd(loop.closed);
        }
        Thread hook = exitHook;
        if (hook != null && Thread.currentThread() != hook) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                LOG.log(Logger.Level.DEBUG, "closed while the JVM shuts down", e);
            }
        }
    }

    private void closeAtExit() {
        close();
    }

    // ---- for the other classes

    SocketCore openCore(int port, boolean acceptsRequests, long bytes) {
        SocketCore core = SocketCore.open(loop, local, port, acceptsRequests, bytes);
        long granted = driver.receiveCapacityBytes();
        if (granted > 0 && granted < SMALL_RECEIVE_BUFFER && SAID_BUFFER_IS_SMALL.compareAndSet(false, true)) {
            LOG.log(
                    Logger.Level.INFO,
                    "the system grants only " + granted
                            + " bytes of UDP receive buffer, which limits the throughput of large"
                            + " messages; on Linux: sysctl -w net.core.rmem_max="
                            + PortableDriver.DEFAULT_RECEIVE_BUFFER);
        }
        return core;
    }

    Duration linger() {
        return closeLinger;
    }

    @Nullable
    InetAddress local() {
        return local;
    }

    private HomaSocket callSocket() {
        HomaSocket socket = callSocket;
        return socket == null ? openCallSocket() : socket;
    }

    private synchronized HomaSocket openCallSocket() {
        HomaSocket socket = callSocket;
        if (socket == null) {
            socket = openSocket();
            callSocket = socket;
        }
        return socket;
    }
}
