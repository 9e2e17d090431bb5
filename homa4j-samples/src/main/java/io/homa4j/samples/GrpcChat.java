package io.homa4j.samples;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.homa4j.grpc.HomaChannelBuilder;
import io.homa4j.grpc.HomaServerBuilder;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Streams in both directions: whoever is in the room hears what anybody says. A participant that only listens costs nothing but an open
 * RPC, and needs no port that could be reached.
 */
public final class GrpcChat {
    private GrpcChat() {}

    public static void main(String[] arguments) throws Exception {
        Server server = HomaServerBuilder.forPort(0)
                .addService(new Room().service())
                .build()
                .start();
        ManagedChannel channel =
                HomaChannelBuilder.forAddress("localhost", server.getPort()).build();

        Participant ada = new Participant(channel);
        ada.say("here is Ada");
        ada.hear();
        Participant bob = new Participant(channel);
        bob.say("here is Bob");
        System.out.println("Ada hears: " + ada.hear());
        System.out.println("Bob hears: " + bob.hear());
        ada.say("hello, Bob");
        System.out.println("Bob hears: " + bob.hear());
        ada.leave();
        bob.leave();

        channel.shutdown();
        server.shutdown().awaitTermination();
    }

    /** The server's side. */
    private static final class Room {
        /** Guarded by itself; one thread at a time may use an observer. */
        private final Set<StreamObserver<String>> present = new LinkedHashSet<>();

        ServerServiceDefinition service() {
            return ServerServiceDefinition.builder(Texts.SERVICE)
                    .addMethod(Texts.TALK, ServerCalls.asyncBidiStreamingCall(this::enter))
                    .build();
        }

        private StreamObserver<String> enter(StreamObserver<String> participant) {
            synchronized (present) {
                present.add(participant);
            }
            return new StreamObserver<>() {
                @Override
                public void onNext(String text) {
                    synchronized (present) {
                        present.forEach(each -> each.onNext(text));
                    }
                }

                @Override
                public void onError(Throwable failure) {
                    // Cancelled, or the client is gone: nobody is left to be told.
                    synchronized (present) {
                        present.remove(participant);
                    }
                }

                @Override
                public void onCompleted() {
                    synchronized (present) {
                        present.remove(participant);
                        participant.onCompleted();
                    }
                }
            };
        }
    }

    /** A client's side. */
    private static final class Participant {
        private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
        private final StreamObserver<String> mouth;

        Participant(ManagedChannel channel) {
            mouth = ClientCalls.asyncBidiStreamingCall(
                    channel.newCall(Texts.TALK, CallOptions.DEFAULT), new StreamObserver<>() {
                        @Override
                        public void onNext(String text) {
                            heard.add(text);
                        }

                        @Override
                        public void onError(Throwable failure) {
                            heard.add("the room is gone: " + failure.getMessage());
                        }

                        @Override
                        public void onCompleted() {
                            heard.add("bye");
                        }
                    });
        }

        void say(String text) {
            mouth.onNext(text);
        }

        String hear() throws InterruptedException {
            return heard.take();
        }

        void leave() {
            mouth.onCompleted();
        }
    }
}
