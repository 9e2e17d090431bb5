package io.homa4j.grpc;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.function.UnaryOperator;

/** A service whose messages are bytes, with a method of each kind. */
final class Bytes {
    static final MethodDescriptor<byte[], byte[]> UNARY = method("unary", MethodType.UNARY);
    static final MethodDescriptor<byte[], byte[]> SERVER = method("server", MethodType.SERVER_STREAMING);
    static final MethodDescriptor<byte[], byte[]> CLIENT = method("client", MethodType.CLIENT_STREAMING);
    static final MethodDescriptor<byte[], byte[]> BIDI = method("bidi", MethodType.BIDI_STREAMING);

    private Bytes() {}

    private static MethodDescriptor<byte[], byte[]> method(String name, MethodType type) {
        return MethodDescriptor.<byte[], byte[]>newBuilder()
                .setType(type)
                .setFullMethodName(MethodDescriptor.generateFullMethodName("homa4j.test.Bytes", name))
                .setRequestMarshaller(new Marshaller())
                .setResponseMarshaller(new Marshaller())
                .build();
    }

    /** Answers a unary call with what the function makes of it, and streams as the methods say. */
    static ServerServiceDefinition service(UnaryOperator<byte[]> unary) {
        return ServerServiceDefinition.builder("homa4j.test.Bytes")
                .addMethod(UNARY, ServerCalls.asyncUnaryCall((request, responses) -> {
                    responses.onNext(unary.apply(request));
                    responses.onCompleted();
                }))
                // As many messages as the first byte says, each like the request.
                .addMethod(SERVER, ServerCalls.asyncServerStreamingCall((request, responses) -> {
                    for (int i = 0; i < request[0]; i++) {
                        responses.onNext(request);
                    }
                    responses.onCompleted();
                }))
                // The last message.
                .addMethod(CLIENT, ServerCalls.asyncClientStreamingCall(responses -> new StreamObserver<>() {
                    private byte[] last = {};

                    @Override
                    public void onNext(byte[] message) {
                        last = message;
                    }

                    @Override
                    public void onError(Throwable error) {
                        last = new byte[0];
                    }

                    @Override
                    public void onCompleted() {
                        responses.onNext(last);
                        responses.onCompleted();
                    }
                }))
                // Every message as it comes.
                .addMethod(BIDI, ServerCalls.asyncBidiStreamingCall(responses -> new StreamObserver<>() {
                    @Override
                    public void onNext(byte[] message) {
                        responses.onNext(message);
                    }

                    @Override
                    public void onError(Throwable error) {
                        responses.onError(error);
                    }

                    @Override
                    public void onCompleted() {
                        responses.onCompleted();
                    }
                }))
                .build();
    }

    static byte[] pattern(int length, int seed) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 31 + seed + (i >> 8));
        }
        return bytes;
    }

    private static final class Marshaller implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
