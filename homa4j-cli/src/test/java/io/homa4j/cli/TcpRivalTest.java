package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.sim.Workload;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Homa's rival is an honest one: it works, with every size and under back-pressure. */
class TcpRivalTest {
    private static final long POLL_NS = 1_000_000;

    @Test
    void carriesEveryLengthThereAndBack() throws IOException {
        int[] lengths = {8, 9, 100, 65_535, 65_536, 1_000_000};
        Outcomes outcomes = new Outcomes();
        try (TcpServer server = server();
                TcpTransport transport = transport(server, lengths.length)) {
            for (int request : lengths) {
                for (int response : new int[] {1, 77, 1_000_000}) {
                    outcomes.lengths.clear();
                    assertThat(transport.start(Pattern.request(request, response, 0), new LoadTransport.Call()))
                            .isTrue();
                    await(transport, outcomes, 1);
                    assertThat(outcomes.lengths).containsExactly(response);
                }
            }
        }
        assertThat(outcomes.damaged).isZero();
    }

    @Test
    void requestsWaitWhenTheBuffersAreFull() throws IOException {
        int calls = 40;
        byte[] request = Pattern.request(1_000_000, 1_000_000, 0);
        Outcomes outcomes = new Outcomes();
        try (TcpServer server = server();
                TcpTransport transport = transport(server, calls)) {
            // 40 MB do not fit into the buffer of 4 MB.
            for (int started = 0; started < calls; started++) {
                assertThat(transport.start(request, new LoadTransport.Call())).isTrue();
            }
            assertThat(transport.start(request, new LoadTransport.Call()))
                    .as("one more than may be outstanding")
                    .isFalse();
            await(transport, outcomes, calls);
        }
        assertThat(outcomes.lengths).hasSize(calls).allMatch(length -> length == 1_000_000);
        assertThat(outcomes.damaged).isZero();
    }

    @Test
    void takesASecondConnectionWhenTheFirstIsGone() throws IOException {
        try (TcpServer server = server()) {
            for (int i = 0; i < 3; i++) {
                Outcomes outcomes = new Outcomes();
                try (TcpTransport transport = transport(server, 1)) {
                    transport.start(Pattern.request(100, 100, 0), new LoadTransport.Call());
                    await(transport, outcomes, 1);
                }
                assertThat(outcomes.lengths).containsExactly(100);
            }
        }
    }

    @Test
    void theLoadGeneratorCountsEveryAnswer() throws IOException {
        LoadPlan plan =
                new LoadPlan(Workload.named("w3"), 0, 0, true, 0, 20, 0, 300_000_000L, POLL_NS, 5_000_000_000L, 1);
        try (TcpServer server = server();
                TcpTransport transport = transport(server, 20)) {
            LoadResult result = new LoadGenerator(plan, () -> false, (w, e, a, b, o, f) -> {}).run(transport);
            assertThat(result.isClean()).isTrue();
            assertThat(result.rpcs())
                    .isEqualTo(result.started)
                    .isEqualTo(result.completed)
                    .isPositive();
            assertThat(result.rttUs(50)).isPositive();
        }
    }

    private static TcpServer server() throws IOException {
        return new TcpServer(InetAddress.getLoopbackAddress(), POLL_NS);
    }

    private static TcpTransport transport(TcpServer server, int outstanding) {
        return new TcpTransport(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()), outstanding);
    }

    private static void await(TcpTransport transport, Outcomes outcomes, int answers) {
        long endNs = System.nanoTime() + 20_000_000_000L;
        while (outcomes.lengths.size() < answers) {
            transport.await(POLL_NS, outcomes);
            assertThat(System.nanoTime() - endNs).as("answers still missing").isNegative();
        }
    }

    private static final class Outcomes implements LoadTransport.Outcomes {
        final List<Integer> lengths = new ArrayList<>();
        int damaged;

        @Override
        public void answered(LoadTransport.Call call, MemorySegment response) {
            lengths.add((int) response.byteSize());
            damaged += Pattern.isIntact(response) ? 0 : 1;
        }

        @Override
        public void failed(LoadTransport.Call call, String kind) {
            throw new AssertionError(kind);
        }
    }
}
