package io.homa4j.samples.spring;

import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.List;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.grpc.client.ClientInterceptorsConfigurer;
import org.springframework.grpc.client.GrpcChannelFactory;
import org.springframework.grpc.server.GrpcServerFactory;
import org.springframework.grpc.server.lifecycle.GrpcServerLifecycle;

/**
 * A Spring application whose gRPC server and channels are over Homa. Where Spring Boot configures gRPC, the beans {@link #servers} and
 * {@link #channels} are enough: Boot's own step back. Channels name their scheme, since Spring makes {@code static://} of a bare
 * {@code host:port}.
 */
@Configuration(proxyBeanMethods = false)
public class SpringHello {
    /** Also called by Spring. */
    public SpringHello() {}

    public static void main(String[] arguments) {
        try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext(SpringHello.class)) {
            int port = context.getBean(GrpcServerLifecycle.class).getPort();
            ManagedChannel channel =
                    context.getBean(GrpcChannelFactory.class).createChannel("homa:///localhost:" + port);
            System.out.println(ClientCalls.blockingUnaryCall(channel, Greeter.GREET, CallOptions.DEFAULT, "Spring"));
        }
    }

    @Bean
    BindableService greeter() {
        return new Greeter();
    }

    @Bean
    GrpcServerFactory servers(List<BindableService> services) {
        HomaGrpcServerFactory factory =
                new HomaGrpcServerFactory("*:0", List.of(builder -> builder.sessionLease(Duration.ofSeconds(10))));
        services.forEach(service -> factory.addService(service.bindService()));
        return factory;
    }

    @Bean
    GrpcServerLifecycle server(GrpcServerFactory servers, ApplicationEventPublisher events) {
        return new GrpcServerLifecycle(servers, Duration.ofSeconds(5), events);
    }

    @Bean
    ClientInterceptorsConfigurer interceptors(ApplicationContext context) {
        return new ClientInterceptorsConfigurer(context);
    }

    @Bean
    GrpcChannelFactory channels(ClientInterceptorsConfigurer interceptors) {
        return new HomaGrpcChannelFactory(List.of(), interceptors);
    }
}
