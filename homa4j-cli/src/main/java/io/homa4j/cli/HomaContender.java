package io.homa4j.cli;

import io.homa4j.Encapsulation;
import io.homa4j.Family;
import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaServer;
import io.homa4j.Reply;
import io.homa4j.driver.Datapath;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Homa itself, over one encapsulation and datapath, with the calling thread, an engine thread or virtual threads. */
final class HomaContender implements Contender {
    /** Who turns the client's engine. */
    enum Threads {
        /** The calling thread: never sleeping in invoker mode, or in blocking calls. */
        CALLER,
        /** An engine thread that never sleeps, of which another thread makes blocking calls. */
        ENGINE,
        /** The engine thread, of which a virtual thread makes blocking calls. */
        VIRTUAL
    }

    private final String id;
    private final Encapsulation encapsulation;
    private final String datapath;
    private final Threads threads;

    HomaContender(String id, Encapsulation encapsulation, String datapath, Threads threads) {
        this.id = id;
        this.encapsulation = encapsulation;
        this.datapath = datapath;
        this.threads = threads;
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public String setUp() {
        String who = switch (threads) {
            case CALLER -> "the client's thread turns its engine";
            case ENGINE -> "an engine thread at the client, blocking calls of another thread";
            case VIRTUAL -> "an engine thread at the client, blocking calls of a virtual thread";
        };
        return "encapsulation " + encapsulation + ", datapath " + datapath + ", " + who
                + "; short handler on the server's engine thread";
    }

    @Override
    public List<Waiting> waitings() {
        return switch (threads) {
            case CALLER -> List.of(Waiting.POLLING, Waiting.DEFAULT, Waiting.SLEEPING);
            case ENGINE -> List.of(Waiting.POLLING);
            case VIRTUAL -> List.of(Waiting.DEFAULT);
        };
    }

    private Homa.Builder builder(InetAddress local, Waiting waiting) {
        Datapath wanted = Datapath.of(datapath);
        if (wanted == null) {
            throw new CliException("this build has no datapath " + datapath, "take another");
        }
        Homa.Builder builder =
                Homa.builder().encapsulation(encapsulation).datapath(wanted).bind(local);
        return waiting == Waiting.SLEEPING ? builder.set("poll_usecs", "0") : builder;
    }

    @Override
    public Server serve(InetAddress local, Waiting waiting) {
        Homa.Builder builder = builder(local, waiting);
        Homa homa = (waiting == Waiting.POLLING ? builder.polling() : builder).open();
        HomaServer server = homa.server(0).shortHandler().open(request -> {
            MemorySegment message = request.segment();
            request.reply(Pattern.response(Pattern.responseLength(message)));
        });
        return new Server() {
            @Override
            public int port() {
                return server.port();
            }

            @Override
            public void close() {
                server.close();
                homa.close();
            }
        };
    }

    @Override
    public Client connect(InetAddress local, InetSocketAddress server, Waiting waiting) {
        HomaAddress address = HomaAddress.of(server.getAddress().getHostAddress(), server.getPort(), Family.ANY);
        Homa.Builder builder = builder(local, waiting);
        if (waiting == Waiting.POLLING && threads == Threads.CALLER) {
            return new TransportLoop(new HomaTransport(builder.invoker().open(), address));
        }
        return new Blocking((waiting == Waiting.POLLING ? builder.polling() : builder).open(), address, threads);
    }

    /** One call after the other. */
    private record Blocking(Homa homa, HomaAddress server, Threads threads) implements Client {
        @Override
        public void run(PeerLoad load) throws InterruptedException {
            if (load.outstanding() != 1) {
                throw new IllegalArgumentException("blocking calls are made one at a time");
            }
            if (threads == Threads.VIRTUAL) {
                Failure failure = new Failure();
                Thread caller = Thread.ofVirtual().start(() -> failure.run(() -> callUntilOver(load)));
                caller.join();
                failure.rethrow();
            } else {
                callUntilOver(load);
            }
        }

        private void callUntilOver(PeerLoad load) {
            byte[] request = load.request();
            long startNs = System.nanoTime();
            while (!load.isOver(startNs)) {
                try (Reply reply = homa.call(server, request)) {
                    long nowNs = System.nanoTime();
                    load.answered(startNs, nowNs, reply.length());
                    startNs = nowNs;
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    load.failed(1);
                    return;
                }
            }
        }

        @Override
        public void close() {
            homa.close();
        }
    }

    /** What another thread died of. */
    private static final class Failure {
        private volatile @Nullable RuntimeException seen;

        void run(Runnable work) {
            try {
                work.run();
            } catch (RuntimeException e) {
                seen = e;
            }
        }

        void rethrow() {
            RuntimeException e = seen;
            if (e != null) {
                throw e;
            }
        }
    }
}
