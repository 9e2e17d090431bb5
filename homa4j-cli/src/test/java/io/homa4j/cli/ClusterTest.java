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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A controller and agents, real ones, on the loopback interface. */
class ClusterTest {
    private static final long MS = 1_000_000;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final List<HomaAddress> agents = new ArrayList<>();
    private final StringWriter lines = new StringWriter();
    private Duration lease = Duration.ofHours(1);

    @AfterEach
    void close() throws Exception {
        for (int i = opened.size() - 1; i >= 0; i--) {
            opened.get(i).close();
        }
    }

    private Agent agent() {
        Agent agent = new Agent(InetAddress.getLoopbackAddress(), lease, new PrintWriter(lines));
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
                outcome[0] = Objects.requireNonNull(
                        cluster.run(load, agents.size(), stop, (isWarmUp, rate, outstanding, failed) -> {}));
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
    void messageThatComesTwiceChangesNothing() {
        agent();
        agent();
        ControlMessage open =
                endless(LabTransport.HOMA_UDP).message().put("do", "open").put("run", "x");
        ControlMessage start = new ControlMessage()
                .put("do", "start")
                .put("run", "x")
                .put("host", 0)
                .put("target", List.of("127.0.0.1:9"));
        ControlMessage watch = new ControlMessage().put("do", "watch").put("run", "x");
        ControlMessage close = new ControlMessage().put("do", "close").put("run", "x");
        try (Homa homa = Homa.open()) {
            ControlMessage first = ask(homa, open);
            assertThat(ask(homa, start).has("error")).isFalse();
            assertThat(ask(homa, open).whole("port")).isEqualTo(first.whole("port"));
            // What was started goes on: nothing was opened anew.
            assertThat(ask(homa, start).has("error")).isFalse();
            assertThat(ask(homa, watch).text("state")).isEqualTo("running");
            assertThat(ask(homa, close).has("error")).isFalse();
            assertThat(ask(homa, close).has("error")).isFalse();
            assertThat(error(homa, open)).contains("run x is over");
        }
    }

    @Test
    void agentServesOneControllerAtATime() {
        agent();
        ControlMessage open =
                load(LabTransport.TCP_1).message().put("do", "open").put("run", "x");
        ControlMessage close = new ControlMessage().put("do", "close");
        try (Homa homa = Homa.open()) {
            assertThat(ask(homa, open).has("error")).isFalse();
            assertThat(error(homa, open.put("run", "y"))).contains("busy");
            // What another controller closes is not this run.
            assertThat(ask(homa, close.put("run", "y")).has("error")).isFalse();
            assertThat(error(homa, open.put("run", "y"))).contains("busy");
            assertThat(ask(homa, close.put("run", "x")).has("error")).isFalse();
            assertThat(ask(homa, open.put("run", "z")).has("error")).isFalse();
        }
    }

    @Test
    void runOfALostControllerIsClosedAndTheNextOneServed() {
        lease = Duration.ZERO;
        Agent agent = agent();
        ControlMessage open =
                load(LabTransport.HOMA_UDP).message().put("do", "open").put("run", "x");
        try (Homa homa = Homa.open()) {
            assertThat(ask(homa, open).has("error")).isFalse();
            agent.lookAtLease();
            assertThat(lines.toString()).contains("run x: the controller was not heard of");
            assertThat(error(homa, new ControlMessage().put("do", "watch").put("run", "x")))
                    .contains("no run x");
            assertThat(ask(homa, open.put("run", "y")).has("error")).isFalse();
        }
    }

    @Test
    void runWithinItsLeaseGoesOn() {
        Agent agent = agent();
        ControlMessage open =
                load(LabTransport.HOMA_UDP).message().put("do", "open").put("run", "x");
        try (Homa homa = Homa.open()) {
            long port = ask(homa, open).whole("port");
            agent.lookAtLease();
            assertThat(ask(homa, open).whole("port")).isEqualTo(port);
        }
    }

    @Test
    void loadThatCannotRunIsAnErrorAndNotForEverRunning() {
        agent();
        ControlMessage open =
                load(LabTransport.TCP_1).message().put("do", "open").put("run", "x");
        ControlMessage start = new ControlMessage()
                .put("do", "start")
                .put("run", "x")
                .put("host", 0)
                .put("target", List.of("127.0.0.1:1:0"));
        try (Homa homa = Homa.open()) {
            assertThat(ask(homa, open).has("error")).isFalse();
            assertThat(ask(homa, start).has("error")).isFalse();
            assertThat(error(homa, new ControlMessage().put("do", "watch").put("run", "x")))
                    .contains("no connection to /127.0.0.1:1");
        }
    }

    @Test
    void closedHostOwesNoResult() {
        for (LabTransport transport : new LabTransport[] {LabTransport.HOMA_UDP, LabTransport.TCP_1}) {
            LoadedHost host = LoadedHost.open(endless(transport), InetAddress.getLoopbackAddress());
            CompletableFuture<LoadResult> result =
                    host.start(0, List.of("127.0.0.1:9" + (transport.isHoma() ? "" : ":0")));
            host.close();
            assertThat(result).isDone();
        }
    }

    @Test
    void hostThatHasFailedFailsItsLoads() {
        try (LoadedHost host = LoadedHost.open(endless(LabTransport.HOMA_UDP), InetAddress.getLoopbackAddress())) {
            CompletableFuture<LoadResult> underWay = host.start(0, List.of("127.0.0.1:9"));
            assertThat(underWay).isNotDone();
            host.failed().completeExceptionally(new IllegalStateException("its thread has ended"));
            assertThat(underWay).isCompletedExceptionally();
            assertThat(host.start(0, List.of("127.0.0.1:9"))).isCompletedExceptionally();
        }
    }

    private static LabLoad endless(LabTransport transport) {
        return new LabLoad(transport, false, Workload.fixed(100), 0, 100, 0, 86_400_000 * MS, 7, Map.of());
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
            assertThat(error(homa, open.put("response_bytes", -5))).contains("response_bytes");
            assertThat(error(homa, open.put("response_bytes", 0).put("rate", "NaN")))
                    .contains("rate");
            assertThat(error(homa, open.put("rate", 1e300))).contains("makes no sense");
            assertThat(error(homa, new ControlMessage().put("do", "watch").put("run", "y")))
                    .contains("no run y");
            assertThat(error(homa, new ControlMessage().put("do", "format disk")))
                    .contains("does not know");
            assertThat(ask(homa, open.put("rate", 1)).has("error")).isFalse();
            ControlMessage start =
                    new ControlMessage().put("do", "start").put("run", "x").put("host", 0);
            assertThat(error(homa, start.put("target", List.of()))).contains("no targets");
            assertThat(error(homa, start.put("target.count", 1 << 30))).contains("target.count");
            assertThat(error(homa, start.put("target", List.of("x y")))).contains("x y");
        }
        agent.lookAtLease();
    }

    @Test
    void damagedResultsOfAgentsAreRefusedInWords() {
        LoadResult result = new LoadResult();
        result.rttNs.recordValue(5);
        ControlMessage message = new ControlMessage();
        LabResult.put(message, result);
        LabResult.addTo(new LoadResult(), message);
        for (String[] damage : new String[][] {
            {"answers", "-1"}, {"errors.count", "1", "errors.0", "timeout=x"}, {"all", "AAAA"}, {"short", "!"}
        }) {
            ControlMessage damaged = ControlMessage.parse(message.bytes());
            for (int i = 0; i < damage.length; i += 2) {
                damaged.put(damage[i], damage[i + 1]);
            }
            assertThatThrownBy(() -> LabResult.addTo(new LoadResult(), damaged))
                    .as(damage[0])
                    .isInstanceOf(CliException.class);
        }
    }

    private String error(Homa homa, ControlMessage message) {
        return ask(homa, message).text("error");
    }

    private ControlMessage ask(Homa homa, ControlMessage message) {
        try (var reply = homa.callAsync(agents.getFirst(), message.bytes()).join()) {
            return ControlMessage.parse(reply.bytes());
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
        LabLinks links = new LabLinks(100, 1500, false);
        assertThat(new LabLinks(100, 1500, true).wireBytes(100)).isEqualTo(218);
        assertThat(links.wireBytes(100)).isEqualTo(198);
        assertThat(links.wireBytes(1417)).isEqualTo(1417 + 2 * 98);
        LabLoad load = new LabLoad(LabTransport.HOMA_UDP, false, Workload.fixed(1416), 0, 1, 0, 1, 1, Map.of());
        assertThat(links.requestsPerSecond(0.75, load)).isEqualTo(0.75 * 12_500_000 / (2 * 1514));
        // Each way the packet crosses two links.
        assertThat(links.idealNs(1416, 1416)).isEqualTo(4 * 1514 * 80.0);
    }
}
