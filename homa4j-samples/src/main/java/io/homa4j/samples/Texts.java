package io.homa4j.samples;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * gRPC methods whose messages are text, for the samples: what the compiler makes of a {@code .proto} file elsewhere. How a method
 * travels is no matter of its description, so code generated for TCP serves Homa as it is.
 */
final class Texts {
    static final String SERVICE = "homa4j.samples.Texts";

    private static final MethodDescriptor.Marshaller<String> UTF_8 = new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(String text) {
            return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream bytes) {
            try {
                return new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    };

    /** One text in, one out. */
    static final MethodDescriptor<String, String> ASK = method("Ask", MethodType.UNARY);
    /** Texts in both directions at any time. */
    static final MethodDescriptor<String, String> TALK = method("Talk", MethodType.BIDI_STREAMING);

    private Texts() {}

    private static MethodDescriptor<String, String> method(String name, MethodType type) {
        return MethodDescriptor.<String, String>newBuilder()
                .setType(type)
                .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, name))
                .setRequestMarshaller(UTF_8)
                .setResponseMarshaller(UTF_8)
                .build();
    }
}
