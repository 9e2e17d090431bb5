package io.homa4j.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ChannelLogger;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.grpc.internal.ClientStream;
import io.grpc.internal.ClientStreamListener;
import io.grpc.internal.ClientTransportFactory;
import io.grpc.internal.ConnectionClientTransport;
import io.grpc.internal.DisconnectError;
import io.grpc.internal.InternalServer;
import io.grpc.internal.ManagedClientTransport;
import io.grpc.internal.ServerListener;
import io.grpc.internal.ServerStream;
import io.grpc.internal.ServerStreamListener;
import io.grpc.internal.ServerTransport;
import io.grpc.internal.ServerTransportListener;
import io.grpc.internal.StreamListener;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Both ends of the transport as gRPC sees them, without gRPC's channel and server above: what happens is recorded, in order. */
final class Harness implements AutoCloseable {
    private static final long WAIT_S = 30;
    private static final long LOOK_AGAIN_NS = 1_000_000;
    private static final Attributes.Key<String> GIVEN = Attributes.Key.create("given");

    static final Attributes EAG = Attributes.newBuilder().set(GIVEN, "eag").build();

    final List<ServerStreamTracer.Factory> tracerFactories = new ArrayList<>();
    private final List<Client> clients = new ArrayList<>();
    private final List<Listening> servers = new ArrayList<>();
    private final ClientTransportFactory factory;
    private final UnaryOperator<HomaServerBuilder> serverOptions;

    Harness() {
        this(UnaryOperator.identity(), UnaryOperator.identity());
    }

    Harness(UnaryOperator<HomaChannelBuilder> clientOptions, UnaryOperator<HomaServerBuilder> serverOptions) {
        this.factory =
                clientOptions.apply(HomaChannelBuilder.forAddress("unused", 1)).buildTransportFactory();
        this.serverOptions = serverOptions;
    }

    static MethodDescriptor<byte[], byte[]> streaming() {
        return Bytes.BIDI;
    }

    // ---- making ends

    Listening listen(int port) throws IOException {
        Listening listening = new Listening(
                serverOptions.apply(HomaServerBuilder.forPort(port)).buildTransportServers(tracerFactories));
        listening.server.start(listening);
        servers.add(listening);
        return listening;
    }

    /** A started session, ready or not. */
    Client start(int port) {
        Client client = new Client(factory.newClientTransport(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                new ClientTransportFactory.ClientTransportOptions()
                        .setAuthority("authority:" + port)
                        .setEagAttributes(EAG)
                        .setUserAgent("harness"),
                new ChannelLogger() {
                    @Override
                    public void log(ChannelLogLevel level, String message) {}

                    @Override
                    public void log(ChannelLogLevel level, String messageFormat, Object... args) {}
                }));
        clients.add(client);
        Runnable later = client.transport.start(client);
        if (later != null) {
            later.run();
        }
        return client;
    }

    /** A session that is ready. */
    Client connect(Listening server) {
        Client client = start(server.port());
        client.awaitEvent("ready");
        return client;
    }

    @Override
    public void close() {
        for (Client client : clients) {
            client.transport.shutdownNow(Status.UNAVAILABLE.withDescription("the test is over"));
            client.awaitEvent("terminated");
        }
        for (Listening server : servers) {
            for (Session session : server.all) {
                session.transport.shutdownNow(Status.UNAVAILABLE.withDescription("the test is over"));
                get(session.terminated);
            }
            if (!server.isShutdown.isDone()) {
                server.server.shutdown();
            }
            get(server.isShutdown);
        }
        factory.close();
    }

    // ---- waiting

    static <T> T take(BlockingQueue<T> queue) {
        try {
            T next = queue.poll(WAIT_S, TimeUnit.SECONDS);
            if (next == null) {
                throw new AssertionError("nothing came within " + WAIT_S + " s");
            }
            return next;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    static <T extends @Nullable Object> T get(CompletableFuture<T> future) {
        try {
            return future.get(WAIT_S, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("it does not come", e);
        }
    }

    static void await(String what, BooleanSupplier condition) {
        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_S);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - endNs > 0) {
                throw new AssertionError("not within " + WAIT_S + " s: " + what);
            }
            LockSupport.parkNanos(LOOK_AGAIN_NS);
        }
    }

    static String text(InputStream message) {
        try (message) {
            return new String(message.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static InputStream message(String text) {
        return new java.io.ByteArrayInputStream(text.getBytes(UTF_8));
    }

    static InputStream message(int length) {
        return new java.io.ByteArrayInputStream(new byte[length]);
    }

    // ---- what gRPC's channel would be

    static final class Client implements ManagedClientTransport.Listener {
        final ConnectionClientTransport transport;
        final List<String> events = new CopyOnWriteArrayList<>();
        private final CompletableFuture<Status> shutdownStatus = new CompletableFuture<>();

        Client(ConnectionClientTransport transport) {
            this.transport = transport;
        }

        @Override
        public void transportShutdown(Status status, DisconnectError error) {
            shutdownStatus.complete(status);
            events.add("shutdown");
        }

        @Override
        public void transportTerminated() {
            events.add("terminated");
        }

        @Override
        public void transportReady() {
            events.add("ready");
        }

        @Override
        public void transportInUse(boolean inUse) {
            events.add(inUse ? "used" : "unused");
        }

        @Override
        public Attributes filterTransport(Attributes attributes) {
            events.add("filter");
            return attributes;
        }

        Status shutdownStatus() {
            return get(shutdownStatus);
        }

        void awaitEvent(String event) {
            await(event + " of " + events, () -> events.contains(event));
        }

        Call call() {
            return call(streaming(), new Metadata(), CallOptions.DEFAULT);
        }

        Call call(MethodDescriptor<?, ?> method, Metadata headers, CallOptions options, ClientStreamTracer... tracers) {
            ClientStreamTracer[] all =
                    tracers.length == 0 ? new ClientStreamTracer[] {new ClientStreamTracer() {}} : tracers;
            Call call = new Call(transport.newStream(method, headers, options, all));
            call.stream.start(call);
            return call;
        }
    }

    /** Messages as they come, in a queue. */
    abstract static class Messages implements StreamListener {
        final BlockingQueue<String> messages = new LinkedBlockingQueue<>();
        final List<String> events = new CopyOnWriteArrayList<>();

        @Override
        public void messagesAvailable(MessageProducer producer) {
            for (InputStream next = producer.next(); next != null; next = producer.next()) {
                events.add("message");
                messages.add(text(next));
                onMessage();
            }
        }

        void onMessage() {}

        @Override
        public void onReady() {
            events.add("onReady");
        }

        String message() {
            return take(messages);
        }

        long count(String event) {
            return events.stream().filter(event::equals).count();
        }

        /** Without those that tell of room to write. */
        List<String> eventsInOrder() {
            return events.stream().filter(event -> !event.equals("onReady")).toList();
        }
    }

    static final class Call extends Messages implements ClientStreamListener {
        final ClientStream stream;
        final CompletableFuture<Metadata> headers = new CompletableFuture<>();
        final CompletableFuture<Status> closed = new CompletableFuture<>();
        private final CompletableFuture<Metadata> trailers = new CompletableFuture<>();
        volatile @Nullable RpcProgress progress;
        volatile @Nullable Runnable onMessage;

        Call(ClientStream stream) {
            this.stream = stream;
        }

        @Override
        void onMessage() {
            Runnable action = onMessage;
            if (action != null) {
                action.run();
            }
        }

        @Override
        public void headersRead(Metadata headers) {
            events.add("headers");
            this.headers.complete(headers);
        }

        @Override
        public void closed(Status status, RpcProgress progress, Metadata trailers) {
            events.add("closed");
            this.trailers.complete(trailers);
            this.progress = progress;
            closed.complete(status);
        }

        Status status() {
            return get(closed);
        }

        /** Whether the end comes before so many milliseconds are over. */
        boolean isClosedWithin(long ms) {
            try {
                closed.get(ms, TimeUnit.MILLISECONDS);
                return true;
            } catch (TimeoutException e) {
                return false;
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted", e);
            }
        }

        Metadata trailers() {
            return get(trailers);
        }

        void send(String text) {
            stream.writeMessage(Harness.message(text));
            stream.flush();
        }

        void send(int length) {
            stream.writeMessage(Harness.message(length));
            stream.flush();
        }
    }

    // ---- what gRPC's server would be

    static final class Listening implements ServerListener {
        final InternalServer server;
        final CompletableFuture<@Nullable Void> isShutdown = new CompletableFuture<>();
        final List<Session> all = new CopyOnWriteArrayList<>();
        private final BlockingQueue<Session> sessions = new LinkedBlockingQueue<>();
        /** What is done with a session that begins, before gRPC's listener is known to it. */
        volatile Consumer<ServerTransport> beginning = transport -> {};

        Listening(InternalServer server) {
            this.server = server;
        }

        int port() {
            return ((InetSocketAddress) server.getListenSocketAddress()).getPort();
        }

        @Override
        public ServerTransportListener transportCreated(ServerTransport transport) {
            Session session = new Session(transport);
            all.add(session);
            sessions.add(session);
            beginning.accept(transport);
            return session;
        }

        @Override
        public void serverShutdown() {
            isShutdown.complete(null);
        }

        Session session() {
            return take(sessions);
        }
    }

    static final class Session implements ServerTransportListener {
        final ServerTransport transport;
        final CompletableFuture<@Nullable Void> terminated = new CompletableFuture<>();
        private final BlockingQueue<Served> calls = new LinkedBlockingQueue<>();

        Session(ServerTransport transport) {
            this.transport = transport;
        }

        @Override
        public void streamCreated(ServerStream stream, String method, Metadata headers) {
            Served served = new Served(stream, method, headers);
            stream.setListener(served);
            calls.add(served);
        }

        @Override
        public Attributes transportReady(Attributes attributes) {
            return attributes.toBuilder().set(GIVEN, "server").build();
        }

        @Override
        public void transportTerminated() {
            terminated.complete(null);
        }

        Served call() {
            return take(calls);
        }

        boolean isWithoutCalls() {
            return calls.isEmpty();
        }
    }

    static final class Served extends Messages implements ServerStreamListener {
        final ServerStream stream;
        final String method;
        final Metadata headers;
        final CompletableFuture<@Nullable Void> halfClosed = new CompletableFuture<>();
        final CompletableFuture<Status> closed = new CompletableFuture<>();

        Served(ServerStream stream, String method, Metadata headers) {
            this.stream = stream;
            this.method = method;
            this.headers = headers;
        }

        @Override
        public void halfClosed() {
            events.add("halfClosed");
            halfClosed.complete(null);
        }

        @Override
        public void closed(Status status) {
            events.add("closed");
            closed.complete(status);
        }

        /** Asked for by later versions of gRPC: hence no override. */
        @SuppressWarnings({"MissingOverride", "unused"})
        public void triggerEvent(Object event) {
            events.add("triggered " + event);
        }

        Status status() {
            return get(closed);
        }

        void send(String text) {
            stream.writeMessage(Harness.message(text));
            stream.flush();
        }

        void send(int length) {
            stream.writeMessage(Harness.message(length));
            stream.flush();
        }

        void headers() {
            stream.writeHeaders(new Metadata(), true);
        }

        void close(Status status) {
            stream.close(status, new Metadata());
        }
    }
}
