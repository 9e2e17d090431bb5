package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaServer;
import io.homa4j.sim.Workload;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A controller and agents, real ones, on the loopback interface. */
class ClusterTest {
    private static final long MS = 1_000_000;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final List<HomaAddress> agents = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (int i = opened.size() - 1; i >= 0; i--) {
            opened.get(i).close();
        }
    }

    private Agent agent() {
        Agent agent = new Agent(InetAddress.getLoopbackAddress(), new PrintWriter(new StringWriter()));
        Homa homa = Homa.builder().set("poll_usecs", "0").open();
        HomaServer server = homa.serve(0, agent);
        opened.add(agent);
        opened.add(homa);
        opened.add(server);
        agents.add(HomaAddress.of("127.0.0.1", server.port()));
        return agent;
    }

    private static LabLoad load(LabTransport transport) {
        return new LabLoad(transport, false, Workload.mix(), 0, 200, 100 * MS, 500 * MS, 7, Map.of());
    }

    private Cluster.Outcome run(LabLoad load) throws Exception {
        Cluster.Outcome[] outcome = new Cluster.Outcome[1];
        int code = StopSignal.during(stop -> {
            try (Cluster cluster = new Cluster(agents)) {
                outcome[0] = cluster.run(load, stop, (isWarmUp, rate, outstanding, failed) -> {});
            }
            return 0;
        });
        assertThat(code).isZero();
        return outcome[0];
    }

    @ParameterizedTest
    @EnumSource(names = {"HOMA_UDP", "TCP_1", "TCP_4", "TCP_PRIO"})
    void everyHostSendsToAllOthersAndTheResultsOfAllAreMerged(LabTransport transport) throws Exception {
        for (int i = 0; i < 3; i++) {
            agent();
        }
        LoadResult result = run(load(transport)).result();
        assertThat(result.errors).isEmpty();
        assertThat(result.unfinished()).isZero();
        assertThat(result.mismatches).isZero();
        // Three hosts with 100 requests each on average.
        assertThat(result.rpcs()).isBetween(200L, 420L);
        long bySize = 0;
        for (int size = 0; size < result.details.sizes(); size++) {
            var histogram = result.details.ofSize(size);
            bySize += histogram == null ? 0 : histogram.getTotalCount();
        }
        assertThat(bySize).isEqualTo(result.rpcs());
        assertThat(result.details.ofShort().getTotalCount()).isBetween(100L, result.rpcs());
    }

    @Test
    void agentIsFreeAgainAfterARun() throws Exception {
        agent();
        agent();
        run(load(LabTransport.HOMA_UDP));
        assertThat(run(load(LabTransport.TCP_1)).result().rpcs()).isPositive();
    }

    @Test
    void agentThatIsNotThereIsNamedWithTheCommandToStartIt() {
        agent();
        agents.add(HomaAddress.of("127.0.0.1", 9));
        assertThatThrownBy(() -> run(load(LabTransport.HOMA_UDP)))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("127.0.0.1:9")
                .satisfies(e -> assertThat(((CliException) e).remedy()).contains("homa agent --port 9"));
    }

    @Test
    void hostileControlMessagesAreRefusedInWords() {
        Agent agent = agent();
        agent();
        ControlMessage open =
                load(LabTransport.HOMA_UDP).message().put("do", "open").put("run", "x");
        try (Homa homa = Homa.open()) {
            assertThat(ask(homa, open.put("response_bytes", -5))).contains("response_bytes");
            assertThat(ask(homa, open.put("response_bytes", 0).put("rate", "NaN")))
                    .contains("makes no sense");
            assertThat(ask(homa, new ControlMessage().put("do", "watch").put("run", "y")))
                    .contains("no run y");
            assertThat(ask(homa, new ControlMessage().put("do", "format disk"))).contains("does not know");
        }
        agent.lookAtLease();
    }

    private String ask(Homa homa, ControlMessage message) {
        try (var reply = homa.callAsync(agents.getFirst(), message.bytes()).join()) {
            return ControlMessage.parse(reply.bytes()).text("error");
        }
    }

    @Test
    void loadIsReadAsItWasWritten() {
        LabLoad load = new LabLoad(
                LabTransport.TCP_PRIO, true, Workload.fixed(300), 17, 12.5, 1, 2, 3, Map.of("num_priorities", "4"));
        LabLoad read = LabLoad.parse(ControlMessage.parse(load.message().bytes()));
        assertThat(read.transport()).isEqualTo(LabTransport.TCP_PRIO);
        assertThat(read.sizes().name()).isEqualTo("300");
        assertThat(read.parameters()).isEqualTo(load.parameters());
        assertThat(read.ratePerSecond()).isEqualTo(12.5);
        assertThat(read.responseBytes()).isEqualTo(17);
    }

    /** 0.75 of 100 Mbit/s in packets of 1416 bytes with 98 bytes of headers. */
    @Test
    void offeredLoadCountsRequestsResponsesAndHeaders() {
        LabLinks links = new LabLinks(100, 1500);
        assertThat(links.wireBytes(100)).isEqualTo(198);
        assertThat(links.wireBytes(1417)).isEqualTo(1417 + 2 * 98);
        LabLoad load = new LabLoad(LabTransport.HOMA_UDP, false, Workload.fixed(1416), 0, 1, 0, 1, 1, Map.of());
        assertThat(links.requestsPerSecond(0.75, load)).isEqualTo(0.75 * 12_500_000 / (2 * 1514));
        // Each way the packet crosses two links.
        assertThat(links.idealNs(1416, 1416)).isEqualTo(4 * 1514 * 80.0);
    }
}
