package io.homa4j.cli;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;

/**
 * What one run of {@code homa bench grpc} has measured, by contender: as table, as ratios, and as JSON:
 *
 * <pre>{@code
 * {unary: {homa: {p50, p99, rate}, netty: {...}}, mixed: {homa: {p50, p99, ...}, netty: {...}}, direct: {unary, mixed}, ratios, ...}
 * }</pre>
 *
 * Times in microseconds, rates in calls per second, throughput of the bulk in Gbit/s each way; medians of the rounds. The first two are
 * for builders' defaults, {@code direct} for direct executors.
 */
final class GrpcResults {
    private static final String HOMA = "grpc-homa";
    private static final String NETTY = "grpc";
    private static final String DIRECT = "/direct";

    private final Map<String, Map<GrpcLoad, Rounds<PeersRound>>> measured = new LinkedHashMap<>();

    /** All contenders, in the order in which they take turns. */
    static List<String> contenders(boolean withDirect) {
        return withDirect ? List.of(HOMA, NETTY, HOMA + DIRECT, NETTY + DIRECT) : List.of(HOMA, NETTY);
    }

    void add(String contender, GrpcLoad load, PeersRound round) {
        measured.computeIfAbsent(contender, ignored -> new EnumMap<>(GrpcLoad.class))
                .computeIfAbsent(load, ignored -> new Rounds<>())
                .add(round);
    }

    /** Empty if there are none. */
    Rounds<PeersRound> rounds(String contender, GrpcLoad load) {
        return measured.getOrDefault(contender, Map.of()).getOrDefault(load, new Rounds<>());
    }

    /** What must be, for each set-up that was measured. */
    List<PeersRatio> ratios() {
        return measured.keySet().stream()
                .filter(each -> each.startsWith(HOMA))
                .flatMap(homa -> ratios(homa.substring(HOMA.length())).stream())
                .toList();
    }

    private List<PeersRatio> ratios(String variant) {
        String how = variant.isEmpty() ? "" : ", direct executors";
        return List.of(
                ratio("unary p50, Homa : Netty" + how, variant, GrpcLoad.ONE, PeersRound::p50, true, 0.75),
                ratio(
                        "unary rate, 100 outstanding, Homa : Netty" + how,
                        variant,
                        GrpcLoad.MANY,
                        PeersRound::rpcsPerSecond,
                        false,
                        1.3),
                ratio(
                        "short calls beside bulk p99, Homa : Netty" + how,
                        variant,
                        GrpcLoad.MIXED,
                        PeersRound::p99,
                        true,
                        0.1));
    }

    private PeersRatio ratio(
            String title,
            String variant,
            GrpcLoad load,
            ToDoubleFunction<PeersRound> figure,
            boolean isUpperBound,
            double must) {
        double value = rounds(HOMA + variant, load).ratio(rounds(NETTY + variant, load), figure);
        return new PeersRatio(title, value, isUpperBound, must, must);
    }

    Map<String, Object> json(Map<String, Object> conditions) {
        Map<String, Object> json = bothSides("");
        if (measured.containsKey(HOMA + DIRECT)) {
            json.put("direct", bothSides(DIRECT));
        }
        json.put("ratios", PeersJson.ratios(ratios()));
        Map<String, Object> all = new LinkedHashMap<>();
        measured.forEach((contender, loads) -> {
            Map<String, Object> rounds = new LinkedHashMap<>();
            loads.forEach((load, each) -> rounds.put(load.name().toLowerCase(Locale.ROOT), roundsJson(each)));
            all.put(contender, rounds);
        });
        json.put("rounds", all);
        json.put("bulk_share", GrpcLoad.BULK_SHARE);
        json.put("shorts_per_s", GrpcLoad.SHORTS_PER_SECOND);
        json.putAll(conditions);
        return json;
    }

    private Map<String, Object> bothSides(String variant) {
        Map<String, Object> unary = new LinkedHashMap<>();
        Map<String, Object> mixed = new LinkedHashMap<>();
        Map.of("homa", HOMA, "netty", NETTY).entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(side -> {
                    String contender = side.getValue() + variant;
                    Map<String, Object> calls = latencies(rounds(contender, GrpcLoad.ONE));
                    Rounds<PeersRound> many = rounds(contender, GrpcLoad.MANY);
                    calls.put("rate", many.median(PeersRound::rpcsPerSecond));
                    calls.put("p50_100_outstanding", many.median(PeersRound::p50));
                    calls.put("p99_100_outstanding", many.median(PeersRound::p99));
                    unary.put(side.getKey(), calls);
                    Map<String, Object> shorts = latencies(rounds(contender, GrpcLoad.MIXED));
                    shorts.put(
                            "bulk_gbit_per_s", rounds(contender, GrpcLoad.MIXED).median(PeersRound::gbitOut));
                    shorts.put(
                            "capacity_gbit_per_s",
                            rounds(contender, GrpcLoad.CAPACITY).median(PeersRound::gbitOut));
                    mixed.put(side.getKey(), shorts);
                });
        Map<String, Object> both = new LinkedHashMap<>();
        both.put("unary", unary);
        both.put("mixed", mixed);
        return both;
    }

    private static Map<String, Object> latencies(Rounds<PeersRound> rounds) {
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("p50", rounds.median(PeersRound::p50));
        figures.put("p99", rounds.median(PeersRound::p99));
        figures.put("p999", rounds.median(PeersRound::p999));
        return figures;
    }

    /** All rounds, the smallest figure first. */
    private static Map<String, Object> roundsJson(Rounds<PeersRound> rounds) {
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("p50_us", list(rounds, PeersRound::p50));
        figures.put("p99_us", list(rounds, PeersRound::p99));
        figures.put("p999_us", list(rounds, PeersRound::p999));
        figures.put("calls_per_s", list(rounds, PeersRound::rpcsPerSecond));
        figures.put("gbit_per_s", list(rounds, PeersRound::gbitOut));
        figures.put("errors", rounds.sum(PeersRound::errors));
        return figures;
    }

    private static List<Double> list(Rounds<PeersRound> rounds, ToDoubleFunction<PeersRound> figure) {
        return Arrays.stream(rounds.sorted(figure)).boxed().toList();
    }

    void print(PrintWriter out, Map<String, Object> conditions) {
        out.println("Median of the rounds (lowest - highest)");
        conditions.forEach((name, value) -> out.printf("  %-12s %s%n", name, value));
        for (GrpcLoad load : GrpcLoad.values()) {
            out.println();
            out.println(load.title);
            for (String contender : measured.keySet()) {
                row(out, contender, load);
            }
        }
        out.println();
        out.printf("%-68s%10s%12s%n", "ratios", "measured", "must");
        for (PeersRatio ratio : ratios()) {
            out.printf(
                    "  %-66s%10s%12s   %s%n",
                    ratio.title(),
                    ratio.isKnown() ? String.format(Locale.ROOT, "%.2f", ratio.value()) : "-",
                    ratio.bound(ratio.must()),
                    !ratio.isKnown() ? "not measured" : ratio.isMet() ? "met" : "MISSED");
        }
        out.flush();
    }

    private void row(PrintWriter out, String contender, GrpcLoad load) {
        Rounds<PeersRound> rounds = rounds(contender, load);
        if (rounds.isEmpty()) {
            return;
        }
        out.printf("  %-20s", contender);
        if (load != GrpcLoad.CAPACITY) {
            out.printf("%34s", ranged(rounds, PeersRound::p50, Amount::time));
            out.printf("   99 %% %-28s", ranged(rounds, PeersRound::p99, Amount::time));
            out.printf(" %14s", Amount.rate(rounds.median(PeersRound::rpcsPerSecond)));
        }
        if (load == GrpcLoad.CAPACITY || load == GrpcLoad.MIXED) {
            out.printf("   bulk %s", ranged(rounds, PeersRound::gbitOut, gbit -> Amount.digits(gbit) + " Gbit/s"));
        }
        long errors = (long) rounds.sum(PeersRound::errors);
        out.println(errors == 0 ? "" : "   errors " + Amount.count(errors));
    }

    private static String ranged(
            Rounds<PeersRound> rounds, ToDoubleFunction<PeersRound> figure, DoubleFunction<String> text) {
        double[] sorted = rounds.sorted(figure);
        return text.apply(rounds.median(figure)) + " (" + text.apply(sorted[0]) + " - "
                + text.apply(sorted[sorted.length - 1]) + ")";
    }
}
