package io.homa4j.cli;

import io.homa4j.cli.Contender.Waiting;
import io.homa4j.cli.PeersCase.Link;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * A ratio of Homa to another that was measured under the same conditions, with what it must be and what is aimed at.
 *
 * @param title what is compared
 * @param value median over the rounds; NaN if a side was not measured
 * @param isUpperBound whether less is better
 */
record PeersRatio(String title, double value, boolean isUpperBound, double must, double aim) {
    private record Side(PeersCase of, PeersLoad load) {}

    static List<PeersRatio> all(PeersResults results) {
        Ratios of = new Ratios(results);
        Side polling = of.side("homa-udp", Waiting.POLLING, Link.LOOPBACK, PeersLoad.RTT);
        Side sleeping = of.side("homa-udp", Waiting.SLEEPING, Link.LOOPBACK, PeersLoad.RTT);
        Side byDefault = of.side("homa-udp", Waiting.DEFAULT, Link.LOOPBACK, PeersLoad.RTT);
        Side tcpPolling = of.side("tcp-nio", Waiting.POLLING, Link.LOOPBACK, PeersLoad.RTT);
        Side tcpSleeping = of.side("tcp-nio", Waiting.SLEEPING, Link.LOOPBACK, PeersLoad.RTT);
        Side rate = of.side("homa-udp", Waiting.POLLING, Link.LOOPBACK, PeersLoad.RATE);
        return List.of(
                of.atMost(
                        "round trip p50, Homa/UDP : UDP floor, both polling",
                        polling,
                        of.side("udp-floor", Waiting.POLLING, Link.LOOPBACK, PeersLoad.RTT),
                        PeersRound::p50,
                        1.35,
                        1.15),
                of.atMost(
                        "round trip p50, Homa/UDP : TCP NIO, both polling",
                        polling,
                        tcpPolling,
                        PeersRound::p50,
                        0.80,
                        0.65),
                of.atMost(
                        "round trip p50, Homa/UDP polling : gRPC unary as users run it",
                        polling,
                        of.side("grpc", Waiting.DEFAULT, Link.LOOPBACK, PeersLoad.RTT),
                        PeersRound::p50,
                        0.12,
                        0.08),
                of.atMost(
                        "round trip p50, Homa/UDP sleeping : TCP NIO blocking",
                        sleeping,
                        tcpSleeping,
                        PeersRound::p50,
                        1.15,
                        1.0),
                of.atMost(
                        "round trip p50, Homa/UDP default waiting : TCP NIO blocking",
                        byDefault,
                        tcpSleeping,
                        PeersRound::p50,
                        0.9,
                        0.3),
                of.atMost(
                        "round trip p50, AF_XDP : system calls, Homa/UDP over veth, both polling",
                        of.side("homa-xdp", Waiting.POLLING, Link.VETH, PeersLoad.RTT),
                        of.side("homa-udp", Waiting.POLLING, Link.VETH, PeersLoad.RTT),
                        PeersRound::p50,
                        0.85,
                        0.7),
                of.atLeast(
                        "500 kB requests, Homa/UDP : one TCP NIO stream, Gbit/s",
                        of.better("homa-udp", PeersLoad.OUT_1, PeersLoad.OUT_8),
                        of.better("tcp-nio", PeersLoad.OUT_1, PeersLoad.OUT_8),
                        PeersRound::gbit,
                        1.3,
                        2.5),
                of.atLeast(
                        "500 kB responses, Homa/UDP : one TCP NIO stream, Gbit/s",
                        of.better("homa-udp", PeersLoad.IN_1, PeersLoad.IN_8),
                        of.better("tcp-nio", PeersLoad.IN_1, PeersLoad.IN_8),
                        PeersRound::gbit,
                        1.3,
                        2.5),
                of.atLeast(
                        "100 B RPCs/s, 100 outstanding, Homa/UDP polling : gRPC, the better of its two",
                        rate,
                        of.faster("grpc", "grpc/direct"),
                        PeersRound::rpcsPerSecond,
                        12,
                        40),
                of.atLeast(
                        "100 B RPCs/s, 100 outstanding, Homa/UDP : Aeron, both polling",
                        rate,
                        of.side("aeron", Waiting.POLLING, Link.LOOPBACK, PeersLoad.RATE),
                        PeersRound::rpcsPerSecond,
                        1.5,
                        4),
                of.atLeast(
                        "100 B RPCs/s, 100 outstanding, Homa/UDP : Netty pipelined, both polling",
                        rate,
                        of.side("netty", Waiting.POLLING, Link.LOOPBACK, PeersLoad.RATE),
                        PeersRound::rpcsPerSecond,
                        0.4,
                        1.0));
    }

    boolean isKnown() {
        return Double.isFinite(value);
    }

    /** Only of a ratio that is known. */
    boolean isMet() {
        return isUpperBound ? value <= must : value >= must;
    }

    boolean isAimed() {
        return isUpperBound ? value <= aim : value >= aim;
    }

    /** The bound as text, with its direction. */
    String bound(double figure) {
        return (isUpperBound ? "<= " : ">= ") + String.format(Locale.ROOT, figure >= 10 ? "%.0f" : "%.2f", figure);
    }

    String verdict() {
        return !isKnown() ? "not measured" : isAimed() ? "as aimed" : isMet() ? "met" : "MISSED";
    }

    private record Ratios(PeersResults results) {
        Side side(String id, Waiting waiting, Link link, PeersLoad load) {
            return new Side(results.find(id, waiting, link), load);
        }

        Side better(String id, PeersLoad one, PeersLoad other) {
            PeersCase of = results.find(id, Waiting.POLLING, Link.LOOPBACK);
            return new Side(of, results.better(of, one, other));
        }

        Side faster(String one, String other) {
            Side first = side(one, Waiting.DEFAULT, Link.LOOPBACK, PeersLoad.RATE);
            Side second = side(other, Waiting.DEFAULT, Link.LOOPBACK, PeersLoad.RATE);
            double rate = rounds(first).median(PeersRound::rpcsPerSecond);
            return rounds(second).median(PeersRound::rpcsPerSecond) > rate || Double.isNaN(rate) ? second : first;
        }

        PeersRatio atMost(
                String title, Side homa, Side rival, ToDoubleFunction<PeersRound> figure, double must, double aim) {
            return new PeersRatio(title, rounds(homa).ratio(rounds(rival), figure), true, must, aim);
        }

        PeersRatio atLeast(
                String title, Side homa, Side rival, ToDoubleFunction<PeersRound> figure, double must, double aim) {
            return new PeersRatio(title, rounds(homa).ratio(rounds(rival), figure), false, must, aim);
        }

        private Rounds<PeersRound> rounds(Side side) {
            return results.rounds(side.of, side.load);
        }
    }
}
