package io.homa4j.samples.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.TlsChannelCredentials;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.grpc.client.ClientInterceptorsConfigurer;

/** That the sample does what it shows. */
class SpringHelloTest {
    @Test
    void springSaysHelloOverHoma() {
        PrintStream before = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        try (PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
            System.setOut(capture);
            SpringHello.main(new String[0]);
        } finally {
            System.setOut(before);
        }
        assertThat(printed.toString(StandardCharsets.UTF_8)).isEqualToIgnoringNewLines("hello, Spring");
    }

    @Test
    void encryptionIsRefusedInsteadOfLeftOut() {
        try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
            HomaGrpcChannelFactory factory =
                    new HomaGrpcChannelFactory(List.of(), new ClientInterceptorsConfigurer(context));
            factory.setCredentialsProvider(path -> TlsChannelCredentials.create());
            assertThatThrownBy(() -> factory.createChannel("homa:///localhost:1"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("no encryption over Homa");
        }
    }
}
