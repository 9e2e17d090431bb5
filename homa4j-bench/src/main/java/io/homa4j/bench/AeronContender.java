package io.homa4j.bench;

import io.aeron.Aeron;
import io.aeron.ControlledFragmentAssembler;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.ControlledFragmentHandler.Action;
import io.homa4j.cli.Contender;
import io.homa4j.cli.Pattern;
import io.homa4j.cli.PeerLoad;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Aeron over UDP: a stream of requests and one of responses, the media driver embedded at either end and turned by the thread that
 * makes or answers requests (invoker), which suits two cores: with threads of its own the driver would share them with its user.
 */
public final class AeronContender implements Contender {
    private static final int REQUESTS = 10;
    private static final int RESPONSES = 11;
    /** Each message begins with the number of its call. */
    private static final int HEADER = 4;
    /** The call that tells the server the port for responses. */
    private static final int HELLO = -1;

    private static final int FRAGMENTS = 64;
    /** A large datagram costs loopback little more than a small one; short messages share it. */
    private static final int MTU = Integer.getInteger("homa.bench.aeronMtu", 8192);

    private static final int WINDOW = Integer.getInteger("homa.bench.aeronWindow", 1 << 20);
    private static final int SOCKET_BUFFER = 4 << 20;
    private static final int TERM = 16 << 20;
    /** Turns of the driver for one of the client's own housekeeping. */
    private static final int HOUSEKEEPING_TURNS = 1024;

    private static final long PATIENCE_NS = 10_000_000_000L;

    /** For the service loader. */
    public AeronContender() {}

    @Override
    public String id() {
        return "aeron";
    }

    @Override
    public String setUp() {
        return "Aeron 1.51 over UDP, embedded media driver in invoker mode at either end, one thread each, MTU " + MTU
                + ", window " + WINDOW + ", exclusive publications, bounds checks off";
    }

    @Override
    public List<Waiting> waitings() {
        return List.of(Waiting.POLLING);
    }

    @Override
    public List<String> jvmOptions() {
        return List.of(
                "--add-opens=java.base/jdk.internal.misc=org.agrona",
                "--add-opens=java.base/sun.nio.ch=org.agrona",
                "--sun-misc-unsafe-memory-access=allow",
                "-Dagrona.disable.bounds.checks=true");
    }

    private static String channel(String host, int port) {
        return "aeron:udp?endpoint=" + host + ":" + port;
    }

    @Override
    public Server serve(InetAddress local, Waiting waiting) throws IOException {
        End end = new End(channel(local.getHostAddress(), 0), REQUESTS);
        int port = end.port();
        Answering answering = new Answering(end);
        Thread thread = Thread.ofPlatform().daemon().name("aeron").start(answering);
        return new Server() {
            @Override
            public int port() {
                return port;
            }

            @Override
            public void close() {
                answering.isClosed = true;
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                end.close();
            }
        };
    }

    @Override
    public Client connect(InetAddress local, InetSocketAddress server, Waiting waiting) throws IOException {
        End end = new End(channel(local.getHostAddress(), 0), RESPONSES);
        end.publish(channel(server.getAddress().getHostAddress(), server.getPort()), REQUESTS);
        UnsafeBuffer hello = new UnsafeBuffer(new byte[local.getHostAddress().length() + 16]);
        int length = hello.putStringAscii(0, local.getHostAddress() + ":" + end.port());
        long startNs = System.nanoTime();
        boolean isSaid = false;
        while (!isSaid || !end.subscription.isConnected()) {
            isSaid = isSaid || end.send(HELLO, hello, length);
            end.turn();
            if (System.nanoTime() - startNs > PATIENCE_NS) {
                end.close();
                throw new IOException("no connection to the Aeron server within 10 s");
            }
        }
        return new Asking(end);
    }

    /** One side: its driver, its client, a stream each way. One thread. */
    private static final class End {
        private static final AtomicInteger ENDS = new AtomicInteger();

        final MediaDriver driver;
        final Aeron aeron;
        final Subscription subscription;
        private final BufferClaim claim = new BufferClaim();
        private final UnsafeBuffer header = new UnsafeBuffer(new byte[HEADER]);
        private @Nullable ExclusivePublication publication;
        private int turns;

        End(String channel, int stream) throws IOException {
            String folder =
                    "/dev/shm/homa-bench-aeron-" + ProcessHandle.current().pid() + "-" + ENDS.incrementAndGet();
            driver = MediaDriver.launch(new MediaDriver.Context()
                    .aeronDirectoryName(folder)
                    .dirDeleteOnStart(true)
                    .dirDeleteOnShutdown(true)
                    .threadingMode(ThreadingMode.INVOKER)
                    .termBufferSparseFile(false)
                    .publicationTermBufferLength(TERM)
                    .mtuLength(MTU)
                    .initialWindowLength(WINDOW)
                    .socketRcvbufLength(SOCKET_BUFFER)
                    .socketSndbufLength(SOCKET_BUFFER));
            aeron = Aeron.connect(new Aeron.Context()
                    .aeronDirectoryName(folder)
                    .useConductorAgentInvoker(true)
                    .driverAgentInvoker(driver.sharedAgentInvoker()));
            subscription = aeron.addSubscription(channel, stream);
            long startNs = System.nanoTime();
            while (subscription.resolvedEndpoint() == null) {
                aeron.conductorAgentInvoker().invoke();
                if (System.nanoTime() - startNs > PATIENCE_NS) {
                    close();
                    throw new IOException("Aeron found no port");
                }
            }
        }

        int port() {
            String endpoint = subscription.resolvedEndpoint();
            return Integer.parseInt(endpoint.substring(endpoint.lastIndexOf(':') + 1));
        }

        void publish(String channel, int stream) {
            if (publication != null) {
                publication.close();
            }
            publication = aeron.addExclusivePublication(channel, stream);
        }

        int turn() {
            if (++turns % HOUSEKEEPING_TURNS == 0) {
                aeron.conductorAgentInvoker().invoke();
            }
            return driver.sharedAgentInvoker().invoke();
        }

        /** @return false if there is no room at present */
        boolean send(int call, DirectBuffer body, int length) {
            ExclusivePublication to = publication;
            if (to == null) {
                return false;
            }
            if (HEADER + length <= to.maxPayloadLength()) {
                if (to.tryClaim(HEADER + length, claim) < 0) {
                    return false;
                }
                claim.buffer().putInt(claim.offset(), call);
                claim.buffer().putBytes(claim.offset() + HEADER, body, 0, length);
                claim.commit();
                return true;
            }
            header.putInt(0, call);
            return to.offer(header, 0, HEADER, body, 0, length, null) >= 0;
        }

        void close() {
            aeron.close();
            driver.close();
        }
    }

    private static final class Answering implements Runnable {
        private final End end;
        private final UnsafeBuffer body =
                new UnsafeBuffer(Pattern.response(1_000_000).asByteBuffer());
        private @Nullable String answerTo;
        volatile boolean isClosed;

        Answering(End end) {
            this.end = end;
        }

        @Override
        public void run() {
            ControlledFragmentAssembler assembler =
                    new ControlledFragmentAssembler((buffer, offset, length, header) -> answer(buffer, offset));
            while (!isClosed) {
                String fresh = answerTo;
                if (fresh != null) {
                    end.publish("aeron:udp?endpoint=" + fresh, RESPONSES);
                    answerTo = null;
                }
                if (end.turn() + end.subscription.controlledPoll(assembler, FRAGMENTS) == 0) {
                    Thread.onSpinWait();
                }
            }
        }

        private Action answer(DirectBuffer buffer, int offset) {
            int call = buffer.getInt(offset);
            if (call == HELLO) {
                answerTo = buffer.getStringAscii(offset + HEADER);
                return Action.BREAK;
            }
            int wanted = buffer.getInt(offset + HEADER, ByteOrder.BIG_ENDIAN);
            return end.send(call, body, wanted) ? Action.CONTINUE : Action.ABORT;
        }
    }

    private static final class Asking implements Client {
        private final End end;
        private final UnsafeBuffer request = new UnsafeBuffer();
        private long[] startedNs = {};
        private int[] free = {};
        private int freeCount;

        Asking(End end) {
            this.end = end;
        }

        @Override
        public void run(PeerLoad load) {
            request.wrap(load.request());
            startedNs = new long[load.outstanding()];
            free = new int[load.outstanding()];
            freeCount = 0;
            for (int call = 0; call < free.length; call++) {
                free[freeCount++] = call;
            }
            ControlledFragmentAssembler assembler = new ControlledFragmentAssembler(
                    (buffer, offset, length, header) -> answered(load, buffer, offset, length));
            while (true) {
                long nowNs = System.nanoTime();
                boolean isOver = load.isOver(nowNs);
                while (!isOver && freeCount > 0 && send(free[freeCount - 1], nowNs)) {
                    freeCount--;
                }
                if (end.turn() + end.subscription.controlledPoll(assembler, FRAGMENTS) == 0) {
                    Thread.onSpinWait();
                }
                if (isOver && (freeCount == free.length || load.isGivenUp(nowNs))) {
                    load.failed(free.length - freeCount);
                    return;
                }
            }
        }

        private boolean send(int call, long nowNs) {
            startedNs[call] = nowNs;
            return end.send(call, request, request.capacity());
        }

        private Action answered(PeerLoad load, DirectBuffer buffer, int offset, int length) {
            int call = buffer.getInt(offset);
            long nowNs = System.nanoTime();
            load.answered(startedNs[call], nowNs, length - HEADER);
            free[freeCount++] = call;
            if (!load.isOver(nowNs) && send(call, nowNs)) {
                freeCount--;
            }
            return Action.CONTINUE;
        }

        @Override
        public void close() {
            end.close();
        }
    }
}
