package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What {@code homa bench grpc} makes of its measurements; that they can be made is tested where the contenders are. */
class GrpcCommandTest {
    @Test
    void jsonHasBothSidesOfUnaryAndMixed() {
        Map<String, Object> json = results().json(Map.of("link", "loopback"));
        assertThat(Json.text(json.get("unary")))
                .contains("\"homa\": {\"p50\": 30, \"p99\": 60, \"p999\": 90, \"rate\": 1000,")
                .contains("\"netty\": {\"p50\": 60, \"p99\": 120, \"p999\": 180, \"rate\": 500,");
        assertThat(Json.text(json.get("mixed")))
                .contains("\"homa\": {\"p50\": 30, \"p99\": 60, \"p999\": 90, \"bulk_gbit_per_s\": 1.5,")
                .contains("\"netty\": {\"p50\": 60, \"p99\": 120, \"p999\": 180, \"bulk_gbit_per_s\": 1.5,");
        assertThat(json).containsEntry("link", "loopback").doesNotContainKey("direct");
    }

    @Test
    void ratiosAreThoseThatMustBeMet() {
        assertThat(results().ratios())
                .extracting(PeersRatio::value, PeersRatio::must, PeersRatio::isMet)
                .containsExactly(tuple(0.5, 0.75, true), tuple(2.0, 1.3, true), tuple(0.5, 0.1, false));
    }

    @Test
    void whatWasNotMeasuredIsNoRatioAndHarmsNoTable() {
        GrpcResults results = new GrpcResults();
        results.add("grpc-homa", GrpcLoad.ONE, round(30));
        assertThat(results.ratios()).noneMatch(PeersRatio::isKnown);
        StringWriter text = new StringWriter();
        results.print(new PrintWriter(text), Map.of());
        assertThat(text.toString()).contains("30.0 us").contains("not measured");
    }

    @Test
    void bulkIsBoundedByWhatIsOnItsWay() {
        MixedLoad closed = new MixedLoad(0, 0, 1);
        closed.shorts().begin();
        long nowNs = System.nanoTime();
        int begun = 0;
        while (closed.beginUnit(nowNs)) {
            begun++;
        }
        assertThat(begun).isEqualTo(4);
        closed.callDone(nowNs, MixedLoad.CALL_BYTES);
        assertThat(closed.beginUnit(nowNs)).as("the stream's part is still out").isFalse();
        for (int i = 0; i < MixedLoad.STREAM_MESSAGES; i++) {
            closed.messageDone(nowNs, MixedLoad.STREAM_BYTES);
        }
        assertThat(closed.unitsDone()).isEqualTo(1);
        assertThat(closed.beginUnit(nowNs)).isTrue();
        assertThat(closed.isDone()).isFalse();
    }

    private static GrpcResults results() {
        GrpcResults results = new GrpcResults();
        for (GrpcLoad load : GrpcLoad.values()) {
            results.add("grpc-homa", load, round(30));
            results.add("grpc", load, round(60));
        }
        return results;
    }

    private static PeersRound round(double p50) {
        return new PeersRound(100, 0, 30_000 / p50, 1.5, 0, p50, 2 * p50, 3 * p50, 1, 1, 1);
    }
}
