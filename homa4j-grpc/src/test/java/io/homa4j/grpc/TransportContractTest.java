package io.homa4j.grpc;

import static io.homa4j.grpc.Harness.await;
import static io.homa4j.grpc.Harness.get;
import static io.homa4j.grpc.Harness.streaming;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ClientStreamTracer;
import io.grpc.Grpc;
import io.grpc.InternalChannelz.SocketStats;
import io.grpc.Metadata;
import io.grpc.SecurityLevel;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.internal.ClientStreamListener.RpcProgress;
import io.grpc.internal.ClientTransport;
import io.grpc.internal.GrpcAttributes;
import io.grpc.internal.GrpcUtil;
import io.grpc.internal.ServerTransport;
import io.homa4j.grpc.Harness.Call;
import io.homa4j.grpc.Harness.Client;
import io.homa4j.grpc.Harness.Listening;
import io.homa4j.grpc.Harness.Served;
import io.homa4j.grpc.Harness.Session;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What gRPC's documentation of its transport interfaces asks for: order of events, refusal, shutdown, flow control, cancellation, statistics. */
@Timeout(120)
final class TransportContractTest {
    private static final Metadata.Key<String> TEXT = Metadata.Key.of("text", Metadata.ASCII_STRING_MARSHALLER);
    private static final Metadata.Key<byte[]> BINARY = Metadata.Key.of("binary-bin", Metadata.BINARY_BYTE_MARSHALLER);
    private static final int WINDOW = HomaChannelBuilder.DEFAULT_WINDOW_BYTES;

    // ---- sessions

    @Test
    void attributesAreFilteredBeforeReadyAndReadyComesOnce() throws Exception {
        try (Harness harness = new Harness()) {
            Client client = harness.connect(harness.listen(0));
            client.transport.shutdown(Status.UNAVAILABLE);
            client.awaitEvent("terminated");
            assertThat(client.events).containsExactly("filter", "ready", "shutdown", "terminated");
        }
    }

    @Test
    void clientAttributesSayWhatTheTransportIs() throws Exception {
        try (Harness harness = new Harness()) {
            Client client = harness.connect(harness.listen(0));
            Attributes attributes = client.transport.getAttributes();
            assertThat(attributes.get(GrpcAttributes.ATTR_SECURITY_LEVEL)).isEqualTo(SecurityLevel.NONE);
            assertThat(attributes.get(GrpcAttributes.ATTR_CLIENT_EAG_ATTRS)).isSameAs(Harness.EAG);
            assertThat(attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR)).isNotNull();
            assertThat(attributes.get(Grpc.TRANSPORT_ATTR_LOCAL_ADDR)).isNotNull();
        }
    }

    @Test
    void endsNameEachOtherAlike() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            client.call();
            Attributes seen = server.session().call().stream.getAttributes();
            Attributes own = client.transport.getAttributes();
            assertThat(seen.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR)).isEqualTo(own.get(Grpc.TRANSPORT_ATTR_LOCAL_ADDR));
            assertThat(seen.get(Grpc.TRANSPORT_ATTR_LOCAL_ADDR)).isEqualTo(own.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR));
        }
    }

    @Test
    void absentServerShutsTheSessionDown() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            int port = server.port();
            server.server.shutdown();
            get(server.isShutdown);
            Client client = harness.start(port);
            client.awaitEvent("terminated");
            assertThat(client.events).containsExactly("shutdown", "terminated");
            assertThat(client.shutdownStatus().getCode()).isEqualTo(Code.UNAVAILABLE);
        }
    }

    @Test
    void shutdownWhileConnectingEnds() throws Exception {
        try (Harness harness = new Harness()) {
            Client client = harness.start(harness.listen(0).port());
            Status why = Status.UNAVAILABLE.withDescription("changed my mind");
            client.transport.shutdown(why);
            client.awaitEvent("terminated");
            assertThat(client.shutdownStatus()).isSameAs(why);
        }
    }

    @Test
    void shutdownWaitsForStreams() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Call call = client.call();
            Served served = server.session().call();
            client.transport.shutdown(Status.UNAVAILABLE);
            client.awaitEvent("shutdown");
            served.headers();
            get(call.headers);
            assertThat(client.events).doesNotContain("terminated");
            served.close(Status.OK);
            assertThat(call.status().getCode()).isEqualTo(Code.OK);
            client.awaitEvent("terminated");
        }
    }

    @Test
    void shutdownNowEndsStreamsWithItsReason() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Call call = client.call();
            Session session = server.session();
            Served served = session.call();
            Status why = Status.UNKNOWN.withDescription("now");
            client.transport.shutdownNow(why);
            assertThat(call.status()).isSameAs(why);
            assertThat(served.status().isOk()).isFalse();
            client.awaitEvent("terminated");
            get(session.terminated);
        }
    }

    @Test
    void onlyTheFirstShutdownCounts() throws Exception {
        try (Harness harness = new Harness()) {
            Client client = harness.connect(harness.listen(0));
            Status first = Status.UNAVAILABLE.withDescription("first");
            client.transport.shutdown(first);
            client.transport.shutdownNow(Status.UNAVAILABLE.withDescription("second"));
            client.awaitEvent("terminated");
            assertThat(client.shutdownStatus()).isSameAs(first);
            assertThat(client.events.stream().filter("shutdown"::equals)).hasSize(1);
        }
    }

    @Test
    void newStreamAfterShutdownFailsWithItsReason() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            client.call();
            client.transport.shutdown(Status.UNAVAILABLE.withDescription("closed for today"));
            Status status = client.call().status();
            assertThat(status.getCode()).isEqualTo(Code.UNAVAILABLE);
            assertThat(status.getDescription()).contains("closed for today");
        }
    }

    @Test
    void serversShutdownSendsClientsAwayAndLetsStreamsFinish() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Call call = client.call();
            Session session = server.session();
            Served served = session.call();
            session.transport.shutdown();
            client.awaitEvent("shutdown");
            assertThat(client.shutdownStatus().getCode()).isEqualTo(Code.UNAVAILABLE);
            served.headers();
            served.close(Status.OK);
            assertThat(call.status().getCode()).isEqualTo(Code.OK);
            client.awaitEvent("terminated");
            get(session.terminated);
        }
    }

    @Test
    void serversShutdownSendsIdleClientsAway() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Session session = server.session();
            session.transport.shutdown();
            client.awaitEvent("terminated");
            get(session.terminated);
        }
    }

    @Test
    void sessionThatIsShutDownWhileItBeginsEnds() throws Exception {
        Status reason = Status.UNAVAILABLE.withDescription("no");
        List<Consumer<ServerTransport>> ways = List.of(ServerTransport::shutdown, each -> each.shutdownNow(reason));
        for (Consumer<ServerTransport> way : ways) {
            try (Harness harness = new Harness()) {
                Listening server = harness.listen(0);
                server.beginning = way;
                Client client = harness.connect(server);
                client.awaitEvent("terminated");
                get(server.session().terminated);
            }
        }
    }

    @Test
    void streamsEndWithTheFirstReasonForShutdownNow() throws Exception {
        CompletableFuture<Session> begun = new CompletableFuture<>();
        try (Harness harness = new Harness()) {
            harness.tracerFactories.add(new ServerStreamTracer.Factory() {
                @Override
                public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
                    return new ServerStreamTracer() {
                        @Override
                        public void streamClosed(Status status) {
                            get(begun).transport.shutdownNow(Status.ABORTED);
                        }
                    };
                }
            });
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            client.call();
            client.call();
            Session session = server.session();
            begun.complete(session);
            Served one = session.call();
            Served other = session.call();
            Status reason = Status.UNKNOWN.withDescription("power cut");
            session.transport.shutdownNow(reason);
            assertThat(one.status()).isSameAs(reason);
            assertThat(other.status()).isSameAs(reason);
        }
    }

    @Test
    void serversShutdownNowEndsStreamsAtBothEnds() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Call call = client.call();
            Session session = server.session();
            Served served = session.call();
            Status why = Status.UNKNOWN.withDescription("power cut");
            session.transport.shutdownNow(why);
            assertThat(served.status()).isSameAs(why);
            assertThat(call.status().getCode()).isEqualTo(Code.UNAVAILABLE);
            client.awaitEvent("terminated");
            get(session.terminated);
        }
    }

    @Test
    void newServerTakesThePortWhileTheOldOneDrains() throws Exception {
        try (Harness harness = new Harness()) {
            Listening old = harness.listen(0);
            Client first = harness.connect(old);
            Call call = first.call();
            Session session = old.session();
            Served served = session.call();
            old.server.shutdown();
            get(old.isShutdown);
            session.transport.shutdown();
            Listening fresh = harness.listen(old.port());
            Client second = harness.connect(fresh);
            Call other = second.call();
            Served otherServed = fresh.session().call();
            served.close(Status.OK.withDescription("old"));
            otherServed.close(Status.OK.withDescription("new"));
            assertThat(call.status().getDescription()).isEqualTo("old");
            assertThat(other.status().getDescription()).isEqualTo("new");
            first.awaitEvent("terminated");
        }
    }

    @Test
    void secondServerOnThePortIsRefused() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            assertThatThrownBy(() -> harness.listen(server.port()))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(Integer.toString(server.port()));
        }
    }

    @Test
    void portIsFreeWhenServerAndSessionsAreOver() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            client.transport.shutdown(Status.UNAVAILABLE);
            get(server.session().terminated);
            server.server.shutdown();
            Listening again = harness.listen(server.port());
            assertThat(again.port()).isEqualTo(server.port());
            harness.connect(again);
        }
    }

    @Test
    void sessionsDoNotTouchEachOther() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client first = harness.connect(server);
            Session firstSession = server.session();
            Client second = harness.connect(server);
            Session secondSession = server.session();
            first.call();
            firstSession.call();
            Call call = second.call();
            Served served = secondSession.call();
            first.transport.shutdownNow(Status.CANCELLED);
            get(firstSession.terminated);
            served.close(Status.OK);
            assertThat(call.status().getCode()).isEqualTo(Code.OK);
            assertThat(second.events).doesNotContain("shutdown");
        }
    }

    // ---- in use

    @Test
    void sessionIsInUseFromTheFirstStreamToTheLast() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Session session = server.session();
            Call first = client.call();
            Served firstServed = session.call();
            Call second = client.call();
            Served secondServed = session.call();
            firstServed.close(Status.OK);
            first.status();
            secondServed.close(Status.OK);
            second.status();
            client.awaitEvent("unused");
            assertThat(client.events).containsExactly("filter", "ready", "used", "unused");
        }
    }

    @Test
    void streamsOfBalancersDoNotCountAsUse() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            CallOptions owned =
                    CallOptions.DEFAULT.withOption(GrpcUtil.CALL_OPTIONS_RPC_OWNED_BY_BALANCER, Boolean.TRUE);
            Call call = client.call(streaming(), new Metadata(), owned);
            server.session().call().close(Status.OK);
            call.status();
            assertThat(client.events).doesNotContain("used", "unused");
        }
    }

    @Test
    void cancelEndsTheUse() throws Exception {
        try (Harness harness = new Harness()) {
            Client client = harness.connect(harness.listen(0));
            client.call().stream.cancel(Status.CANCELLED);
            client.awaitEvent("unused");
        }
    }

    // ---- ping

    @Test
    void pingIsAnsweredAndIsNoUse() throws Exception {
        try (Harness harness = new Harness()) {
            Client client = harness.connect(harness.listen(0));
            assertThat(ping(client)).isEqualTo("ok");
            assertThat(client.events).doesNotContain("used");
        }
    }

    @Test
    void pingIsAnsweredWhileStreamsDrain() throws Exception {
        try (Harness harness = new Harness()) {
            Client client = harness.connect(harness.listen(0));
            client.call();
            client.transport.shutdown(Status.UNAVAILABLE);
            assertThat(ping(client)).isEqualTo("ok");
        }
    }

    @Test
    void pingAfterTheEndFailsWithItsReason() throws Exception {
        try (Harness harness = new Harness()) {
            Client client = harness.connect(harness.listen(0));
            client.transport.shutdown(Status.UNAVAILABLE.withDescription("gone"));
            client.awaitEvent("terminated");
            assertThat(ping(client)).isEqualTo("gone");
        }
    }

    private static String ping(Client client) {
        CompletableFuture<String> outcome = new CompletableFuture<>();
        client.transport.ping(
                new ClientTransport.PingCallback() {
                    @Override
                    public void onSuccess(long roundTripTimeNanos) {
                        outcome.complete(roundTripTimeNanos > 0 ? "ok" : "no time");
                    }

                    @Override
                    public void onFailure(Status cause) {
                        outcome.complete(String.valueOf(cause.getDescription()));
                    }
                },
                Runnable::run);
        return get(outcome);
    }

    // ---- streams

    @Test
    void serverMaySpeakFirst() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Call call = harness.connect(server).call();
            call.stream.request(1);
            Served served = server.session().call();
            served.headers();
            served.send("me first");
            assertThat(call.message()).isEqualTo("me first");
        }
    }

    @Test
    void callWithOneRequestBeginsWithItsEnd() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Session session = server.session();
            Call call = client.call(Bytes.UNARY, new Metadata(), CallOptions.DEFAULT);
            call.send("whole");
            // Goes the same way, so what the first call had sent would be there before it.
            Call later = client.call();
            assertThat(session.call().method).isEqualTo(streaming().getFullMethodName());
            assertThat(session.isWithoutCalls()).isTrue();
            call.stream.halfClose();
            Served served = session.call();
            assertThat(served.method).isEqualTo(Bytes.UNARY.getFullMethodName());
            served.stream.request(2);
            get(served.halfClosed);
            assertThat(served.eventsInOrder()).containsExactly("message", "halfClosed");
            later.stream.cancel(Status.CANCELLED);
        }
    }

    @Test
    void metadataArrivesAsItWasGiven() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Call call = harness.connect(server).call(streaming(), metadata(), CallOptions.DEFAULT);
            Served served = server.session().call();
            assertMetadata(served.headers);
            served.stream.writeHeaders(metadata(), true);
            assertMetadata(get(call.headers));
            served.stream.close(Status.OK, metadata());
            call.status();
            assertMetadata(call.trailers());
        }
    }

    private static Metadata metadata() {
        Metadata metadata = new Metadata();
        metadata.put(TEXT, "one, two");
        metadata.put(TEXT, "one, two");
        metadata.put(TEXT, "");
        metadata.put(BINARY, new byte[] {0, -1, 44, 10});
        metadata.put(BINARY, new byte[0]);
        return metadata;
    }

    private static void assertMetadata(Metadata metadata) {
        assertThat(metadata.getAll(TEXT)).containsExactly("one, two", "one, two", "");
        List<byte[]> binary = new ArrayList<>();
        Objects.requireNonNull(metadata.getAll(BINARY)).forEach(binary::add);
        assertThat(binary).hasSize(2);
        assertThat(binary.get(0)).containsExactly(0, -1, 44, 10);
        assertThat(binary.get(1)).isEmpty();
    }

    @Test
    void authorityAndUserAgentArrive() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            harness.connect(server).call();
            Served served = server.session().call();
            assertThat(served.stream.getAuthority()).isEqualTo("authority:" + server.port());
            assertThat(served.headers.get(GrpcUtil.USER_AGENT_KEY)).startsWith("harness grpc-java-homa/");
        }
    }

    @Test
    void messagesOfAllSizesArriveInOrder() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Call call = harness.connect(server).call();
            Served served = server.session().call();
            served.headers();
            served.stream.request(300);
            call.stream.request(300);
            for (int i = 0; i < 300; i++) {
                String text = i + "x".repeat(i * i);
                call.send(text);
                served.send(text);
            }
            for (int i = 0; i < 300; i++) {
                assertThat(served.message()).hasSize((i + "").length() + i * i).startsWith(i + "");
                assertThat(call.message()).hasSize((i + "").length() + i * i).startsWith(i + "");
            }
        }
    }

    @Test
    void eventsComeInOrder() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Call call = harness.connect(server).call();
            call.stream.request(5);
            call.send("a");
            call.send("b");
            call.stream.halfClose();
            Served served = server.session().call();
            served.stream.request(5);
            get(served.halfClosed);
            served.headers();
            served.send("c");
            served.close(Status.OK);
            call.status();
            served.status();
            assertThat(served.eventsInOrder()).containsExactly("message", "message", "halfClosed", "closed");
            assertThat(call.eventsInOrder()).containsExactly("headers", "message", "closed");
        }
    }

    @Test
    void statusArrivesWithItsDescriptionAndWithoutItsCause() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Call call = harness.connect(server).call();
            Served served = server.session().call();
            Status status = Status.DATA_LOSS.withDescription("naïve — ☃").withCause(new IllegalStateException());
            served.headers();
            served.close(status);
            assertThat(call.status().getCode()).isEqualTo(Code.DATA_LOSS);
            assertThat(call.status().getDescription()).isEqualTo("naïve — ☃");
            assertThat(call.status().getCause()).isNull();
            assertThat(served.status().isOk()).isTrue();
        }
    }

    @Test
    void trailersMayComeWithoutHeaders() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Call call = harness.connect(server).call();
            server.session().call().close(Status.NOT_FOUND);
            assertThat(call.status().getCode()).isEqualTo(Code.NOT_FOUND);
            assertThat(call.eventsInOrder()).containsExactly("closed");
        }
    }

    @Test
    void serverMayEndWhileTheClientSends() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Call call = client.call();
            Session session = server.session();
            session.call().close(Status.OK);
            for (int i = 0; i < 100; i++) {
                call.send("unheard");
            }
            assertThat(call.status().getCode()).isEqualTo(Code.OK);
            assertWorks(client, session);
        }
    }

    @Test
    void onlyRequestedMessagesAreDelivered() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Call call = client.call();
            Session session = server.session();
            Served served = session.call();
            served.headers();
            for (int i = 0; i < 4; i++) {
                call.send("up" + i);
                served.send("down" + i);
            }
            served.stream.request(2);
            call.stream.request(1);
            assertThat(served.message() + served.message()).isEqualTo("up0up1");
            assertThat(call.message()).isEqualTo("down0");
            assertWorks(client, session);
            assertThat(served.count("message")).isEqualTo(2);
            assertThat(call.count("message")).isEqualTo(1);
        }
    }

    @Test
    void closedWaitsForMessagesNotYetRequested() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Call call = client.call();
            Session session = server.session();
            Served served = session.call();
            served.headers();
            served.send("wait for me");
            served.close(Status.OK);
            served.status();
            assertWorks(client, session);
            assertThat(call.closed).isNotDone();
            call.stream.request(1);
            assertThat(call.status().getCode()).isEqualTo(Code.OK);
            assertThat(call.eventsInOrder()).containsExactly("headers", "message", "closed");
        }
    }

    // ---- cancellation

    @Test
    void clientsCancelReachesTheServerWithoutItsCause() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Call call = client.call();
            Session session = server.session();
            Served served = session.call();
            Status why = Status.CANCELLED.withDescription("enough").withCause(new IllegalStateException());
            call.stream.cancel(why);
            call.stream.cancel(Status.UNKNOWN);
            assertThat(call.status()).isSameAs(why);
            assertThat(served.status().getCode()).isEqualTo(Code.CANCELLED);
            assertThat(served.status().getCause()).isNull();
            assertThat(call.count("closed")).isEqualTo(1);
            assertWorks(client, session);
        }
    }

    @Test
    void cancelWithinAMessageStopsDelivery() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Call call = harness.connect(server).call();
            call.onMessage = () -> call.stream.cancel(Status.CANCELLED);
            call.stream.request(10);
            Served served = server.session().call();
            served.headers();
            served.stream.writeMessage(Harness.message("first"));
            served.stream.writeMessage(Harness.message("second"));
            served.stream.flush();
            assertThat(call.status().getCode()).isEqualTo(Code.CANCELLED);
            assertThat(call.message()).isEqualTo("first");
            assertThat(served.status().isOk()).isFalse();
        }
    }

    @Test
    void cancelOfWhatWasNotSentTellsNobody() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Session session = server.session();
            Call call = client.call(Bytes.UNARY, new Metadata(), CallOptions.DEFAULT);
            call.stream.cancel(Status.CANCELLED);
            assertThat(call.status().getCode()).isEqualTo(Code.CANCELLED);
            client.call();
            assertThat(session.call().method).isEqualTo(streaming().getFullMethodName());
            assertThat(session.isWithoutCalls()).isTrue();
        }
    }

    @Test
    void serversCancelReachesTheClientAsCancelled() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Call call = client.call();
            Session session = server.session();
            Served served = session.call();
            Status why = Status.DEADLINE_EXCEEDED.withDescription("secret");
            served.stream.cancel(why);
            served.stream.cancel(Status.UNKNOWN);
            assertThat(served.status()).isSameAs(why);
            assertThat(call.status().getCode()).isEqualTo(Code.CANCELLED);
            assertThat(call.status().getDescription()).doesNotContain("secret");
            assertThat(served.count("closed")).isEqualTo(1);
            assertWorks(client, session);
        }
    }

    @Test
    void whateverRacesEveryStreamEndsAtBothEnds() throws Exception {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Session session = server.session();
            for (int i = 0; i < 300; i++) {
                Call call = client.call();
                call.stream.request(5);
                Served served = session.call();
                int clients = random.nextInt(4);
                int servers = random.nextInt(4);
                Thread other = Thread.ofVirtual().start(() -> {
                    switch (servers) {
                        case 0 -> served.close(Status.OK);
                        case 1 -> served.stream.cancel(Status.ABORTED);
                        case 2 -> {
                            served.headers();
                            served.send("late");
                            served.close(Status.INTERNAL);
                        }
                        default -> {
                            served.stream.request(3);
                            served.send(200_000);
                            served.close(Status.OK);
                        }
                    }
                });
                switch (clients) {
                    case 0 -> call.stream.cancel(Status.CANCELLED);
                    case 1 -> {
                        call.send("hello");
                        call.stream.halfClose();
                    }
                    case 2 -> {
                        call.send(300_000);
                        call.stream.cancel(Status.CANCELLED);
                    }
                    default -> call.stream.halfClose();
                }
                other.join();
                call.status();
                served.status();
                assertThat(call.count("closed"))
                        .as("seed %d, stream %d", seed, i)
                        .isEqualTo(1);
                assertThat(served.count("closed"))
                        .as("seed %d, stream %d", seed, i)
                        .isEqualTo(1);
            }
            client.awaitEvent("unused");
            assertWorks(client, session);
        }
    }

    @Test
    void writesAfterTheEndAreNoops() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Call call = client.call();
            Session session = server.session();
            Served served = session.call();
            served.close(Status.INTERNAL);
            call.status();
            served.headers();
            served.send("too late");
            served.close(Status.OK);
            call.send("too late");
            call.stream.halfClose();
            call.stream.cancel(Status.CANCELLED);
            assertWorks(client, session);
            assertThat(call.count("closed")).isEqualTo(1);
        }
    }

    // ---- flow control

    @Test
    void clientIsHeldUpWhileTheServerDoesNotRead() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Call call = client.call();
            Session session = server.session();
            Served served = session.call();
            await("room to write", () -> call.stream.isReady());
            int count = 1_000;
            for (int i = 0; i < count; i++) {
                call.send(10_000);
            }
            assertWorks(client, session);
            assertThat(call.stream.isReady()).isFalse();
            served.stream.request(count);
            await("all messages", () -> served.count("message") == count);
            await("room to write", () -> call.stream.isReady());
            assertThat(call.count("onReady")).isGreaterThan(1);
        }
    }

    @Test
    void serverIsHeldUpWhileTheClientDoesNotRead() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Call call = client.call();
            Session session = server.session();
            Served served = session.call();
            served.headers();
            await("room to write", () -> served.stream.isReady());
            int count = 1_000;
            for (int i = 0; i < count; i++) {
                served.send(10_000);
            }
            get(call.headers);
            assertWorks(client, session);
            assertThat(served.stream.isReady()).isFalse();
            call.stream.request(count);
            await("all messages", () -> call.count("message") == count);
            await("room to write", () -> served.stream.isReady());
            assertThat(served.count("onReady")).isGreaterThan(1);
        }
    }

    @Test
    void messagesBeyondTheWindowPass() throws Exception {
        UnaryOperator<HomaChannelBuilder> client = builder -> builder.maxInboundMessageSize(20_000_000);
        UnaryOperator<HomaServerBuilder> server = builder -> builder.maxInboundMessageSize(20_000_000);
        try (Harness harness = new Harness(client, server)) {
            Listening listening = harness.listen(0);
            Call call = harness.connect(listening).call();
            Served served = listening.session().call();
            served.headers();
            served.stream.request(1);
            call.stream.request(1);
            call.send(5 * WINDOW + 1);
            served.send(5 * WINDOW + 1);
            assertThat(served.message()).hasSize(5 * WINDOW + 1);
            assertThat(call.message()).hasSize(5 * WINDOW + 1);
        }
    }

    // ---- limits

    @Test
    void tooLargeRequestMetadataIsRefusedWithoutAStream() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Session session = server.session();
            Call call = client.call(streaming(), large(), CallOptions.DEFAULT);
            assertThat(call.status().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
            assertThat(call.status().getDescription()).contains("maxInboundMetadataSize");
            assertThat(session.isWithoutCalls()).isTrue();
            assertWorks(client, session);
        }
    }

    @Test
    void tooLargeResponseMetadataEndsTheStream() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Session session = server.session();
            Call headers = client.call();
            Served served = session.call();
            served.stream.writeHeaders(large(), true);
            assertThat(headers.status().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
            assertThat(headers.eventsInOrder()).containsExactly("closed");
            assertThat(served.status().isOk()).isFalse();
            Call trailers = client.call();
            session.call().stream.close(Status.OK, large());
            assertThat(trailers.status().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
            assertWorks(client, session);
        }
    }

    @Test
    void metadataThatNoMessageHoldsIsRefusedBySenders() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Session session = server.session();
            Metadata huge = new Metadata();
            huge.put(BINARY, new byte[2_000_000]);
            Call call = client.call(streaming(), huge, CallOptions.DEFAULT);
            assertThat(call.status().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
            Call other = client.call();
            Metadata hugeTrailers = new Metadata();
            hugeTrailers.put(BINARY, new byte[2_000_000]);
            session.call().stream.close(Status.OK, hugeTrailers);
            assertThat(other.status().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
            assertWorks(client, session);
        }
    }

    private static Metadata large() {
        Metadata metadata = new Metadata();
        metadata.put(BINARY, new byte[GrpcUtil.DEFAULT_MAX_HEADER_LIST_SIZE]);
        return metadata;
    }

    @Test
    void streamsBeyondTheLimitAreRefusedForAnotherTry() throws Exception {
        try (Harness harness =
                new Harness(UnaryOperator.identity(), builder -> builder.maxConcurrentCallsPerConnection(1))) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            client.call();
            server.session().call();
            Call refused = client.call();
            assertThat(refused.status().getCode()).isEqualTo(Code.UNAVAILABLE);
            assertThat(refused.progress).isEqualTo(RpcProgress.REFUSED);
        }
    }

    @Test
    void sessionsBeyondTheLimitAreRefused() throws Exception {
        try (Harness harness = new Harness(UnaryOperator.identity(), builder -> builder.maxSessions(1))) {
            Listening server = harness.listen(0);
            harness.connect(server);
            server.session();
            Client second = harness.start(server.port());
            second.awaitEvent("terminated");
            assertThat(second.shutdownStatus().getCode()).isEqualTo(Code.UNAVAILABLE);
        }
    }

    @Test
    void tooLargeMessageEndsTheStream() throws Exception {
        try (Harness harness = new Harness(UnaryOperator.identity(), builder -> builder.maxInboundMessageSize(1_000))) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Call call = client.call();
            Session session = server.session();
            Served served = session.call();
            served.stream.request(1);
            call.send(1_001);
            assertThat(served.status().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
            assertThat(call.status().isOk()).isFalse();
            assertWorks(client, session);
        }
    }

    @Test
    void silentClientLosesItsSession() throws Exception {
        // A HELLO and a LISTEN by hand, and then no sign of life.
        try (Harness harness = new Harness(
                UnaryOperator.identity(), builder -> builder.sessionLease(java.time.Duration.ofMillis(100)))) {
            Listening server = harness.listen(0);
            try (io.homa4j.Homa homa = io.homa4j.Homa.open()) {
                io.homa4j.HomaAddress to = io.homa4j.HomaAddress.of("127.0.0.1", server.port());
                java.nio.ByteBuffer hello = java.nio.ByteBuffer.allocate(20);
                hello.put((byte) Frames.VERSION)
                        .put((byte) Frames.HELLO)
                        .putLong(0)
                        .putLong(WINDOW)
                        .putShort((short) 0);
                long number;
                try (io.homa4j.Reply welcome = homa.call(to, hello.array())) {
                    number = java.nio.ByteBuffer.wrap(welcome.bytes()).getLong(Frames.SESSION_AT);
                }
                java.nio.ByteBuffer listen = java.nio.ByteBuffer.allocate(10);
                listen.put((byte) Frames.VERSION).put((byte) Frames.LISTEN).putLong(number);
                try (io.homa4j.Reply last = homa.call(to, listen.array())) {
                    assertThat(last.byteAt(1)).isEqualTo((byte) Frames.NO_SESSION);
                }
            }
            get(server.session().terminated);
        }
    }

    @Test
    void nonsenseIsDroppedAndHarmsNobody() throws Exception {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        try (Harness harness = new Harness();
                io.homa4j.Homa homa = io.homa4j.Homa.open()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Session session = server.session();
            io.homa4j.HomaAddress to = io.homa4j.HomaAddress.of("127.0.0.1", server.port());
            List<CompletableFuture<io.homa4j.Reply>> calls = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                byte[] nonsense = new byte[1 + random.nextInt(60)];
                random.nextBytes(nonsense);
                nonsense[0] = random.nextInt(10) == 0 ? nonsense[0] : Frames.VERSION;
                if (nonsense.length > 1) {
                    nonsense[1] = (byte) random.nextInt(7);
                }
                calls.add(homa.callAsync(to, nonsense));
            }
            assertWorks(client, session);
            calls.forEach(call -> call.cancel(false));
        } catch (AssertionError e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    // ---- statistics

    @Test
    void streamsAndMessagesAreCounted() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            Session session = server.session();
            Call call = client.call();
            Served served = session.call();
            call.stream.request(1);
            served.stream.request(2);
            call.send("one");
            call.send("two");
            served.message();
            served.message();
            served.headers();
            served.send("three");
            call.message();
            served.close(Status.OK);
            call.status();
            served.status();
            Call second = client.call();
            // Cancelled earlier it might never leave the client.
            Served cancelled = session.call();
            second.stream.cancel(Status.CANCELLED);
            cancelled.status();
            SocketStats clientStats = client.transport.getStats().get();
            SocketStats serverStats = session.transport.getStats().get();
            assertThat(clientStats.data.streamsStarted).isEqualTo(2);
            assertThat(clientStats.data.streamsSucceeded).isEqualTo(1);
            assertThat(clientStats.data.streamsFailed).isEqualTo(1);
            assertThat(clientStats.data.messagesSent).isEqualTo(2);
            assertThat(clientStats.data.messagesReceived).isEqualTo(1);
            assertThat(serverStats.data.streamsStarted).isEqualTo(2);
            assertThat(serverStats.data.streamsSucceeded).isEqualTo(1);
            assertThat(serverStats.data.streamsFailed).isEqualTo(1);
            assertThat(serverStats.data.messagesSent).isEqualTo(1);
            assertThat(serverStats.data.messagesReceived).isEqualTo(2);
        }
    }

    @Test
    void socketStatsNameBothEnds() throws Exception {
        try (Harness harness = new Harness()) {
            Listening server = harness.listen(0);
            Client client = harness.connect(server);
            SocketStats clientStats = client.transport.getStats().get();
            SocketStats serverStats = server.session().transport.getStats().get();
            assertThat(clientStats.local).isNotNull().isEqualTo(serverStats.remote);
            assertThat(clientStats.remote).isNotNull().isEqualTo(serverStats.local);
            assertThat(clientStats.socketOptions.others).containsKey("SO_SNDBUF");
        }
    }

    @Test
    void tracersSeeAStreamFromBeginningToEnd() throws Exception {
        List<String> seen = new CopyOnWriteArrayList<>();
        List<String> served = new CopyOnWriteArrayList<>();
        ClientStreamTracer tracer = new ClientStreamTracer() {
            @Override
            public void outboundHeaders() {
                seen.add("headers out");
            }

            @Override
            public void inboundHeaders() {
                seen.add("headers in");
            }

            @Override
            public void outboundMessage(int number) {
                seen.add("message out");
            }

            @Override
            public void inboundMessage(int number) {
                seen.add("message in");
            }

            @Override
            public void inboundTrailers(Metadata trailers) {
                seen.add("trailers in");
            }

            @Override
            public void streamClosed(Status status) {
                seen.add(status.getCode().name());
            }
        };
        try (Harness harness = new Harness()) {
            harness.tracerFactories.add(new ServerStreamTracer.Factory() {
                @Override
                public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
                    served.add(method);
                    return new ServerStreamTracer() {
                        @Override
                        public void streamClosed(Status status) {
                            served.add(status.getCode().name());
                        }
                    };
                }
            });
            Listening server = harness.listen(0);
            Call call = harness.connect(server).call(streaming(), new Metadata(), CallOptions.DEFAULT, tracer);
            call.stream.request(1);
            call.send("there");
            Served other = server.session().call();
            other.stream.request(1);
            other.message();
            other.headers();
            other.send("back");
            call.message();
            other.close(Status.ALREADY_EXISTS);
            call.status();
            other.status();
            assertThat(seen)
                    .containsExactly(
                            "headers out", "message out", "headers in", "message in", "trailers in", "ALREADY_EXISTS");
            assertThat(served).containsExactly(streaming().getFullMethodName(), "ALREADY_EXISTS");
        }
    }

    @Test
    void serversTracersSeeTheEndBeforeTheClientDoes() throws Exception {
        CompletableFuture<Call> made = new CompletableFuture<>();
        CompletableFuture<Boolean> isLate = new CompletableFuture<>();
        try (Harness harness = new Harness()) {
            harness.tracerFactories.add(new ServerStreamTracer.Factory() {
                @Override
                public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
                    return new ServerStreamTracer() {
                        @Override
                        public void streamClosed(Status status) {
                            isLate.complete(get(made).isClosedWithin(200));
                        }
                    };
                }
            });
            Listening server = harness.listen(0);
            Call call = harness.connect(server).call();
            made.complete(call);
            Served served = server.session().call();
            served.close(Status.ABORTED);
            assertThat(call.status().getCode()).isEqualTo(Code.ABORTED);
            assertThat(get(isLate)).isFalse();
        }
    }

    /** A whole call, which takes the way that everything before it has taken. */
    private static void assertWorks(Client client, Session session) {
        Call call = client.call(streaming(), new Metadata(), CallOptions.DEFAULT);
        call.stream.request(1);
        Served served = session.call();
        served.stream.request(1);
        call.send("still there?");
        assertThat(served.message()).isEqualTo("still there?");
        served.headers();
        served.send("yes");
        assertThat(call.message()).isEqualTo("yes");
        served.close(Status.OK);
        assertThat(call.status().getCode()).isEqualTo(Code.OK);
        served.status();
    }
}
