package io.homa4j.cli;

import io.homa4j.cli.PublishedSlowdowns.Point;
import io.homa4j.sim.Port;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** The result of a fabric simulation as text: slowdowns beside the published ones, and what the links carried. */
final class FabricText {
    private FabricText() {}

    static void print(FabricCase done, PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "%s: %s messages in %s, %s events in %s (%s)%n",
                done.label(),
                Amount.count(done.messages()),
                done.runs() == 1 ? "one run" : done.runs() + " runs",
                Amount.count(done.events()),
                Amount.duration(done.wallSeconds()),
                Amount.rate(done.events() / done.wallSeconds()));
        if (done.unfinished() > 0) {
            out.println(
                    "  " + Amount.count(done.unfinished()) + " messages were not complete in the end and do not count");
        }
        List<Point> published = published(done, "homa");
        out.println("  messages to        bytes      count    mean  median     p99"
                + (done.runs() > 1 ? "  +-95 %" : "")
                + (published.isEmpty() ? "" : "   published: mean  median     p99   p99 by"));
        for (FabricCase.Row row : done.rows()) {
            out.printf(
                    Locale.ROOT,
                    "         p%-3d %12d %10d %7.2f %7.2f %7.2f",
                    row.percent(),
                    row.bytes(),
                    row.messages(),
                    row.mean(),
                    row.p50(),
                    row.p99());
            if (done.runs() > 1) {
                out.printf(Locale.ROOT, " %7.2f", row.p99Within());
            }
            for (Point point : published) {
                if (point.percent() == row.percent()) {
                    out.printf(
                            Locale.ROOT,
                            "            %7.2f %7.2f %7.2f  %+6.1f %%",
                            point.mean(),
                            point.median(),
                            point.p99(),
                            100 * (row.p99() / point.p99() - 1));
                }
            }
            out.println();
        }
        printLinks(done, out);
        out.flush();
    }

    private static void printLinks(FabricCase done, PrintWriter out) {
        out.printf(Locale.ROOT, "  links used: host to TOR %.1f %%", 100 * done.hostUse());
        for (FabricCase.Links links : FabricCase.Links.values()) {
            out.printf(Locale.ROOT, ", %s %.1f %%", name(links), 100 * done.use(links));
        }
        out.printf(Locale.ROOT, "; %.2f %% of TOR to host idle while a sender waits for grants%n", 100 * done.wasted());
        out.println("  queues, KB, mean / maximum, packets being sent not counted:");
        for (FabricCase.Links links : FabricCase.Links.values()) {
            out.printf(
                    Locale.ROOT,
                    "    %-13s %6.2f / %6.1f  by level 7 to 0:",
                    name(links),
                    done.meanQueueKb(links),
                    done.maxQueueKb(links));
            for (int level = Port.LEVELS - 1; level >= 0; level--) {
                out.printf(Locale.ROOT, " %.2f/%.0f", done.meanQueueKb(links, level), done.maxQueueKb(links, level));
            }
            out.println();
        }
        out.print("  use of TOR to host by level 7 to 0, %:");
        double[] share = done.shareByLevel();
        for (int level = Port.LEVELS - 1; level >= 0; level--) {
            out.printf(Locale.ROOT, " %.1f", 100 * share[level]);
        }
        out.println();
    }

    static String name(FabricCase.Links links) {
        return switch (links) {
            case TOR_UP -> "TOR to spine";
            case SPINE -> "spine to TOR";
            case TOR_DOWN -> "TOR to host";
        };
    }

    /** A published curve for the case's workload and load; empty if none is known. */
    static List<Point> published(FabricCase done, String curve) {
        return PublishedSlowdowns.curve(done.plan().workload.name(), (int) Math.round(100 * done.plan().load), curve);
    }
}
