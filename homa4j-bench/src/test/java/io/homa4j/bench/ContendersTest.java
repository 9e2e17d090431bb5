package io.homa4j.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.cli.Contender;
import io.homa4j.cli.Contender.Waiting;
import io.homa4j.cli.MixedLoad;
import io.homa4j.cli.PeerLoad;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every rival of {@code homa bench peers} and {@code homa bench grpc} carries what it is asked to carry, server and client in this process. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ContendersTest {
    private static final InetAddress LOCAL = InetAddress.getLoopbackAddress();

    private static final List<Contender> RIVALS = List.of(
            new UdpFloor(),
            new UdpFloorInC(),
            new NettyContender(),
            new GrpcContender.AsUsersRunIt(),
            new GrpcContender.Direct(),
            new GrpcContender.OverHoma(),
            new GrpcContender.OverHomaDirect(),
            new AeronContender());

    record Case(Contender contender, Waiting waiting) {
        @Override
        public String toString() {
            return contender.id() + ", " + waiting.text();
        }
    }

    static Stream<Case> everyCase() {
        return RIVALS.stream()
                .flatMap(contender -> contender.waitings().stream().map(waiting -> new Case(contender, waiting)));
    }

    static Stream<Case> casesWithLongMessages() {
        return everyCase().filter(each -> !each.contender.id().startsWith("udp-floor"));
    }

    @ParameterizedTest
    @MethodSource("everyCase")
    void answersOneShortRequestAfterTheOther(Case each) throws Exception {
        check(each, new PeerLoad(100, 100, 1, 0.1));
    }

    @ParameterizedTest
    @MethodSource("casesWithLongMessages")
    void answersManyShortRequestsAtATime(Case each) throws Exception {
        check(each, new PeerLoad(100, 300, 100, 0.1));
    }

    @ParameterizedTest
    @MethodSource("casesWithLongMessages")
    void answersLongRequests(Case each) throws Exception {
        check(each, new PeerLoad(500_000, 100, 8, 0.1));
    }

    @ParameterizedTest
    @MethodSource("casesWithLongMessages")
    void givesLongAnswers(Case each) throws Exception {
        check(each, new PeerLoad(100, 500_000, 8, 0.1));
    }

    static Stream<Case> casesWithStreams() {
        return everyCase().filter(each -> each.contender instanceof GrpcContender);
    }

    @ParameterizedTest
    @MethodSource("casesWithStreams")
    void answersShortCallsBesideBulk(Case each) throws Exception {
        MixedLoad load = new MixedLoad(20, 200, 0.2);
        try (Contender.Server server = each.contender.serve(LOCAL, each.waiting);
                Contender.Client client =
                        each.contender.connect(LOCAL, new InetSocketAddress(LOCAL, server.port()), each.waiting)) {
            load.shorts().begin();
            client.run(load);
        }
        assertThat(load.shorts().answers()).isPositive();
        assertThat(load.shorts().errors()).isZero();
        assertThat(load.isDone()).isTrue();
        assertThat(load.unitsDone()).isPositive();
    }

    private static void check(Case each, PeerLoad load) throws Exception {
        try (Contender.Server server = each.contender.serve(LOCAL, each.waiting);
                Contender.Client client =
                        each.contender.connect(LOCAL, new InetSocketAddress(LOCAL, server.port()), each.waiting)) {
            load.begin();
            client.run(load);
        }
        assertThat(load.answers()).isPositive();
        assertThat(load.errors()).isZero();
    }
}
