package io.homa4j.cli;

import io.homa4j.cli.PeersCase.Link;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;

/** The results of {@code homa bench peers} as a table: each load with its cases, then the ratios that count. */
final class PeersText {
    private final PeersResults results;
    private final Map<String, Object> conditions;

    PeersText(PeersResults results, Map<String, Object> conditions) {
        this.results = results;
        this.conditions = conditions;
    }

    void print(PrintWriter out) {
        out.println("Median of the rounds (lowest - highest); CPU time and allocation of both processes together");
        conditions.forEach((name, value) -> out.printf("  %-12s %s%n", name, value));
        for (PeersLoad load : PeersLoad.values()) {
            List<PeersCase> cases = results.cases().stream()
                    .filter(each -> !results.rounds(each, load).isEmpty())
                    .toList();
            if (cases.isEmpty()) {
                continue;
            }
            out.println();
            out.println(load.title);
            for (Link link : Link.values()) {
                cases.stream().filter(each -> each.link() == link).forEach(each -> row(out, each, load));
            }
        }
        printRatios(out);
        if (!results.absent().isEmpty()) {
            out.println();
            out.println("left out");
            results.absent().forEach((of, reason) -> out.printf("  %-38s %s%n", of.label(), reason));
        }
        out.println();
        out.println("set-ups");
        results.setUps().forEach((id, text) -> out.printf("  %-24s %s%n", id, text));
        out.flush();
    }

    private void row(PrintWriter out, PeersCase of, PeersLoad load) {
        Rounds<PeersRound> rounds = results.rounds(of, load);
        out.printf("  %-36s", of.label());
        if (load == PeersLoad.RTT) {
            out.printf("%32s", ranged(rounds, PeersRound::p50, Amount::time));
            out.printf("   99 %% %-9s", Amount.time(rounds.median(PeersRound::p99)));
            out.printf(" 99.9 %% %-9s", Amount.time(rounds.median(PeersRound::p999)));
        } else if (load.isLong()) {
            out.printf("%40s", ranged(rounds, PeersRound::gbit, gbit -> Amount.digits(gbit) + " Gbit/s"));
        } else {
            out.printf("%40s", ranged(rounds, PeersRound::rpcsPerSecond, Amount::rate));
        }
        out.printf("   CPU %9s/RPC", Amount.time(rounds.median(PeersRound::cpuUsPerRpc)));
        if (load.isLong()) {
            out.printf(" %7s s/GB", Amount.digits(rounds.median(PeersRound::cpuSecondsPerGigabyte)));
        }
        out.printf("   %9s B/RPC", Amount.count(Math.round(rounds.median(PeersRound::allocatedPerRpc))));
        long errors = (long) rounds.sum(PeersRound::errors);
        out.println(errors == 0 ? "" : "   errors " + Amount.count(errors));
    }

    private static String ranged(
            Rounds<PeersRound> rounds, ToDoubleFunction<PeersRound> figure, DoubleFunction<String> text) {
        double[] sorted = rounds.sorted(figure);
        String range = sorted.length < 2
                ? ""
                : " (" + text.apply(sorted[0]) + " - " + text.apply(sorted[sorted.length - 1]) + ")";
        return text.apply(rounds.median(figure)) + range;
    }

    private void printRatios(PrintWriter out) {
        out.println();
        out.printf("%-84s%10s%12s%12s%n", "ratios", "measured", "must", "aim");
        for (PeersRatio ratio : PeersRatio.all(results)) {
            out.printf(
                    "  %-82s%10s%12s%12s   %s%n",
                    ratio.title(),
                    ratio.isKnown() ? String.format(Locale.ROOT, "%.2f", ratio.value()) : "-",
                    ratio.bound(ratio.must()),
                    ratio.bound(ratio.aim()),
                    ratio.verdict());
        }
    }
}
