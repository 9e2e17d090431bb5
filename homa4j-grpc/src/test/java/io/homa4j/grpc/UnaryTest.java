package io.homa4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.stub.ClientCalls;
import io.homa4j.Homa;
import org.junit.jupiter.api.Test;

/** What a unary call costs on the wire, and what sizes it takes. */
final class UnaryTest {
    private static final int CALLS = 100;

    @Test
    void unaryCallIsOneRpcWithOneMessageEachWay() throws Exception {
        // Nothing is lost here, and nobody may think so on a busy machine: repeated packets would be counted too.
        try (World world = new World(patient(), patient(), Bytes.service(request -> request))) {
            byte[] request = Bytes.pattern(100, 1);
            // Opens the session; afterwards nothing but its LISTEN is open.
            call(world, request);
            long clientData = world.clientHoma.counter("packets_sent_DATA");
            long serverData = world.serverHoma.counter("packets_sent_DATA");
            long requests = world.clientHoma.counter("client_requests_started");
            for (int i = 0; i < CALLS; i++) {
                assertThat(call(world, request)).isEqualTo(request);
            }
            assertThat(world.clientHoma.counter("packets_sent_DATA") - clientData)
                    .isEqualTo(CALLS);
            assertThat(world.serverHoma.counter("packets_sent_DATA") - serverData)
                    .isEqualTo(CALLS);
            assertThat(world.clientHoma.counter("client_requests_started") - requests)
                    .isEqualTo(CALLS);
        }
    }

    @Test
    void messagesOfAllSizesArriveWhole() throws Exception {
        int[] sizes = {0, 1, 1_400, 50_000, 999_900, 999_990, 1_000_000, 1_000_001, 2_000_000, 5_000_001};
        try (World world = new World(Bytes.service(request -> request))) {
            for (int size : sizes) {
                byte[] request = Bytes.pattern(size, size);
                assertThat(call(world, request)).isEqualTo(request);
            }
        }
    }

    @Test
    void messageOf64MegabytesArrivesWholeBothWays() throws Exception {
        try (World world = new World(Bytes.service(request -> request))) {
            byte[] request = Bytes.pattern(64 << 20, 7);
            assertThat(call(world, request)).isEqualTo(request);
        }
    }

    static Homa patient() {
        return Homa.builder()
                .shortCompletions()
                .set("resend_ticks", "30000")
                .set("timeout_ticks", "60000")
                .open();
    }

    private static byte[] call(World world, byte[] request) {
        return ClientCalls.blockingUnaryCall(world.channel, Bytes.UNARY, CallOptions.DEFAULT, request);
    }
}
