package io.homa4j.cli;

import io.homa4j.Encapsulation;
import io.homa4j.Family;
import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One host of an experiment: it answers requests from the moment it is opened, makes its own load when told to, and sleeps
 * whenever there is nothing to do. Loads and turns are made on a thread of its own.
 */
abstract class LoadedHost implements AutoCloseable {
    /** How far a load is, as known once a second. */
    record Progress(boolean isWarmUp, double answersPerSecond, long outstanding, long failed) {}

    private volatile Progress progress = new Progress(true, 0, 0, 0);

    private volatile boolean isClosing;
    private volatile @Nullable LoadGenerator generator;
    private final CompletableFuture<Void> failed = new CompletableFuture<>();
    private volatile CompletableFuture<LoadResult> result = new CompletableFuture<>();
    private final LabLoad load;

    LoadedHost(LabLoad load) {
        this.load = load;
    }

    static LoadedHost open(LabLoad load, InetAddress local) {
        return load.transport().isHoma() ? new OverHoma(load, local) : new OverTcp(load, local);
    }

    /** Where requests are answered. */
    abstract int port();

    /** Where those are answered that shall be answered in the most urgent class; 0 = nowhere. */
    abstract int urgentPort();

    /**
     * Starts the load.
     *
     * @param host the number of this host
     * @param targets as HOST:PORT, or HOST:PORT:URGENT_PORT
     */
    abstract CompletableFuture<LoadResult> start(int host, List<String> targets);

    /** Counters of the transport, empty if it has none. */
    abstract Map<String, Long> counters();

    /** What else there is to say about the transport, by name. */
    abstract Map<String, String> facts();

    LoadResult run(LoadTransport transport, int host, int targets) {
        LoadGenerator own = new LoadGenerator(
                load.plan(host, targets),
                () -> isClosing,
                (isWarmUp, elapsedNs, answersPerSecond, bytesPerSecond, outstanding, failed) ->
                        progress = new Progress(isWarmUp, answersPerSecond, outstanding, failed));
        generator = own;
        if (isClosing) {
            own.abandon();
        }
        return own.run(transport);
    }

    Progress progress() {
        return progress;
    }

    LabLoad load() {
        return load;
    }

    /** Completes, always by an exception, when this host can answer requests no longer though it was not closed. */
    CompletableFuture<Void> failed() {
        return failed;
    }

    /** Ends the load at once; what is under way is given up. */
    void abandon() {
        isClosing = true;
        LoadGenerator own = generator;
        if (own != null) {
            own.abandon();
        }
    }

    @Override
    public abstract void close();

    /** The result of a load that begins: an exception as soon as this host has failed. */
    CompletableFuture<LoadResult> begin() {
        CompletableFuture<LoadResult> begun = new CompletableFuture<>();
        result = begun;
        var _ = failed.whenComplete((nothing, e) -> begun.completeExceptionally(e));
        return begun;
    }

    /** Gives up a load that never came to its turn. */
    void end() {
        result.completeExceptionally(new CliException("the run was closed", "begin another"));
    }

    static void join(Thread thread) {
        boolean isInterrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** One thread is the engine, the server and the load. */
    private static final class OverHoma extends LoadedHost {
        private static final Duration LOOK = Duration.ofMillis(10);
        /** Room for what a host that is behind may have begun to receive. */
        private static final long REGION_BYTES = 128 << 20;

        private record Start(int host, List<HomaAddress> targets, CompletableFuture<LoadResult> result) {}

        private final Responder responder;
        private final CompletableFuture<Integer> opened = new CompletableFuture<>();
        private final Thread thread;
        private volatile @Nullable Start start;
        private volatile boolean isClosed;
        private volatile Map<String, Long> counters = Map.of();
        private volatile Map<String, String> facts = Map.of();

        OverHoma(LabLoad load, InetAddress local) {
            super(load);
            responder = new Responder(load.replies());
            Homa.Builder builder = Homa.builder().invoker().bind(local).receiveRegion(REGION_BYTES);
            if (load.transport() == LabTransport.HOMA_IP) {
                builder.encapsulation(Encapsulation.IP);
            }
            builder.set("poll_usecs", "0");
            load.parameters().forEach(builder::set);
            thread = Thread.ofPlatform().name("homa-host").start(() -> work(builder));
            try {
                opened.join();
            } catch (RuntimeException e) {
                responder.close();
                throw e.getCause() instanceof RuntimeException cause ? cause : e;
            }
        }

        private void work(Homa.Builder builder) {
            try (Homa homa = builder.open();
                    HomaServer server = homa.server(0).shortHandler().open(responder)) {
                opened.complete(server.port());
                while (!isClosed) {
                    Start now = start;
                    if (now != null) {
                        start = null;
                        run(homa, now);
                    }
                    homa.doWork(LOOK);
                }
            } catch (RuntimeException | Error e) {
                opened.completeExceptionally(e);
                failed().completeExceptionally(e);
            }
        }

        private void run(Homa homa, Start now) {
            try (HomaTransport transport = new HomaTransport(homa, now.targets)) {
                LoadResult result = run(transport, now.host, now.targets.size());
                counters = new TreeMap<>(homa.counters());
                facts = Map.of(
                        "datapath",
                        homa.datapath(),
                        "link_mbps",
                        Amount.digits(homa.linkMbps()),
                        "mismatches",
                        String.valueOf(responder.mismatches.sum()));
                now.result.complete(result);
            } catch (RuntimeException e) {
                now.result.completeExceptionally(e);
            }
        }

        @Override
        int port() {
            return opened.join();
        }

        @Override
        int urgentPort() {
            return 0;
        }

        @Override
        CompletableFuture<LoadResult> start(int host, List<String> targets) {
            boolean isIp = load().transport() == LabTransport.HOMA_IP;
            List<HomaAddress> addresses = targets.stream()
                    .map(text -> HomaAddress.parse((isIp ? "homa+ip://" : "") + text, Family.ANY))
                    .toList();
            CompletableFuture<LoadResult> result = begin();
            start = new Start(host, addresses, result);
            return result;
        }

        @Override
        Map<String, Long> counters() {
            return counters;
        }

        @Override
        Map<String, String> facts() {
            return facts;
        }

        @Override
        public void close() {
            abandon();
            isClosed = true;
            join(thread);
            end();
            responder.close();
        }
    }

    /** One thread answers, and one makes the load. */
    private static final class OverTcp extends LoadedHost {
        private static final Pattern TARGET = Pattern.compile("(.+:\\d+):(\\d{1,5})");

        private final TcpServer server;
        private @Nullable Thread thread;

        OverTcp(LabLoad load, InetAddress local) {
            super(load);
            try {
                server = new TcpServer(new InetSocketAddress(local, 0), 0, load.replies(), failed());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        int port() {
            return server.port();
        }

        @Override
        int urgentPort() {
            return load().transport().hasUrgent ? server.urgentPort() : 0;
        }

        @Override
        CompletableFuture<LoadResult> start(int host, List<String> targets) {
            List<TcpTransport.Server> servers =
                    targets.stream().map(this::server).toList();
            CompletableFuture<LoadResult> result = begin();
            thread = Thread.ofPlatform().name("tcp-load").start(() -> {
                LoadPlan plan = load().plan(host, servers.size());
                try (TcpTransport transport = new TcpTransport(servers, plan.outstanding())) {
                    result.complete(run(transport, host, servers.size()));
                } catch (RuntimeException | Error e) {
                    result.completeExceptionally(e);
                }
            });
            return result;
        }

        private TcpTransport.Server server(String target) {
            // The last colon is that of the urgent port, the one before it that of the port.
            Matcher parts = TARGET.matcher(target);
            if (!parts.matches()) {
                throw new CliException(
                        "'" + target + "' is no target for TCP", "use the same version of homa on all hosts");
            }
            HomaAddress address = HomaAddress.parse(parts.group(1), Family.ANY);
            int urgent = Integer.parseInt(parts.group(2));
            return new TcpTransport.Server(
                    new InetSocketAddress(address.address(), address.port()),
                    load().transport().connections,
                    urgent == 0 ? null : new InetSocketAddress(address.address(), urgent));
        }

        @Override
        Map<String, Long> counters() {
            return Map.of();
        }

        @Override
        Map<String, String> facts() {
            return Map.of();
        }

        @Override
        public void close() {
            abandon();
            if (thread != null) {
                // It may be waiting for a connection.
                thread.interrupt();
                join(thread);
            }
            try {
                server.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
