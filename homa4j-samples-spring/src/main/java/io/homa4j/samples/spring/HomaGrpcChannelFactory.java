package io.homa4j.samples.spring;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.homa4j.grpc.HomaChannelBuilder;
import java.util.List;
import org.springframework.grpc.client.ClientInterceptorsConfigurer;
import org.springframework.grpc.client.DefaultGrpcChannelFactory;
import org.springframework.grpc.client.GrpcChannelBuilderCustomizer;

/** Spring's channels over Homa. Customizers see the {@link HomaChannelBuilder}, with whatever Homa has to be set. */
public final class HomaGrpcChannelFactory extends DefaultGrpcChannelFactory<HomaChannelBuilder> {
    /**
     * @param customizers called for each channel, in their order
     * @param interceptors which interceptors a channel gets
     */
    public HomaGrpcChannelFactory(
            List<GrpcChannelBuilderCustomizer<HomaChannelBuilder>> customizers,
            ClientInterceptorsConfigurer interceptors) {
        super(customizers, interceptors);
    }

    /** @throws IllegalArgumentException if the credentials ask for encryption, which there is none of */
    @Override
    protected HomaChannelBuilder newChannelBuilder(String target, ChannelCredentials credentials) {
        if (!(credentials instanceof InsecureChannelCredentials)) {
            throw new IllegalArgumentException("no encryption over Homa yet: " + target + " has "
                    + credentials.getClass().getSimpleName());
        }
        return HomaChannelBuilder.forTarget(target);
    }
}
