package io.homa4j.cli;

import java.util.List;
import java.util.Locale;

/**
 * A plot in the manner of the paper's figures 12 and 13 as SVG: slowdown on a logarithmic axis over message size, whose axis
 * is linear in the number of messages and labelled with sizes. Colours are those of Okabe and Ito, which everybody can
 * tell apart; published curves are dashed.
 */
final class SlowdownPlot {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 400;
    private static final int LEFT = 62;
    private static final int RIGHT = 16;
    private static final int TOP = 38;
    private static final int BOTTOM = 74;
    static final List<String> COLOURS =
            List.of("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000");
    private static final double[] GRID = {1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 500, 1000, 2000, 5000};

    /** A point: percent of the messages that are at most as long, and slowdown. */
    record Point(double percent, double slowdown) {}

    /** A label of the horizontal axis. */
    record Size(double percent, int bytes) {}

    private final StringBuilder svg = new StringBuilder();
    private final double most;
    private int solid;
    private int legend;

    SlowdownPlot(String title, List<Size> sizes, double mostSlowdown) {
        most = Math.max(3, mostSlowdown * 1.1);
        line(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\""
                        + " font-family=\"sans-serif\" font-size=\"13\" role=\"img\">",
                WIDTH,
                HEIGHT,
                WIDTH,
                HEIGHT));
        line(String.format(
                Locale.ROOT,
                "<title>%s</title><rect width=\"%d\" height=\"%d\" fill=\"white\"/>",
                escape(title),
                WIDTH,
                HEIGHT));
        line(String.format(
                Locale.ROOT,
                "<text x=\"%d\" y=\"22\" font-size=\"15\" font-weight=\"bold\">%s</text>",
                LEFT,
                escape(title)));
        for (double value : GRID) {
            if (value <= most) {
                line(String.format(
                        Locale.ROOT,
                        "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
                        LEFT,
                        y(value),
                        WIDTH - RIGHT,
                        LEFT - 7,
                        y(value) + 4,
                        plain(value)));
            }
        }
        for (Size size : sizes) {
            line(String.format(
                    Locale.ROOT,
                    "<path d=\"M%.1f %dv6\" stroke=\"#333\"/><text transform=\"translate(%.1f %d) rotate(-35)\""
                            + " text-anchor=\"end\">%s</text>",
                    x(size.percent),
                    HEIGHT - BOTTOM,
                    x(size.percent) + 4,
                    HEIGHT - BOTTOM + 18,
                    bytes(size.bytes)));
        }
        line(String.format(
                Locale.ROOT,
                "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#333\"/>",
                LEFT,
                TOP,
                HEIGHT - BOTTOM,
                WIDTH - RIGHT));
        line(String.format(
                Locale.ROOT,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">message size, bytes (linear in number of messages)</text>",
                (LEFT + WIDTH - RIGHT) / 2,
                HEIGHT - 8));
        line(String.format(
                Locale.ROOT,
                "<text transform=\"translate(16 %d) rotate(-90)\" text-anchor=\"middle\">slowdown</text>",
                (TOP + HEIGHT - BOTTOM) / 2));
    }

    /** Adds a curve; published ones are dashed. */
    void curve(String name, List<Point> points, boolean isPublished) {
        String colour = isPublished ? "#444444" : COLOURS.get(solid++ % COLOURS.size());
        curve(name, points, colour, isPublished ? "7 4" : "none", isPublished);
    }

    /** Adds another published curve, thin and dotted. */
    void reference(String name, List<Point> points, String colour) {
        curve(name, points, colour, "2 3", false);
    }

    private void curve(String name, List<Point> points, String colour, String dash, boolean hasMarks) {
        StringBuilder path = new StringBuilder();
        for (Point point : points) {
            path.append(String.format(
                    Locale.ROOT,
                    "%s%.1f %.1f",
                    path.isEmpty() ? "M" : "L",
                    x(point.percent),
                    y(Math.min(most, point.slowdown))));
        }
        line(String.format(
                Locale.ROOT,
                "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>",
                path,
                colour,
                dash));
        if (hasMarks) {
            for (Point point : points) {
                line(String.format(
                        Locale.ROOT,
                        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"white\" stroke=\"%s\"/>",
                        x(point.percent),
                        y(Math.min(most, point.slowdown)),
                        colour));
            }
        }
        int top = TOP + 14 + 19 * legend++;
        line(String.format(
                Locale.ROOT,
                "<path d=\"M%d %dh34\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>"
                        + "<text x=\"%d\" y=\"%d\">%s</text>",
                LEFT + 14,
                top - 4,
                colour,
                dash,
                LEFT + 56,
                top,
                escape(name)));
    }

    /** The finished picture. */
    String svg() {
        return svg + "</svg>\n";
    }

    private void line(String text) {
        svg.append(text).append('\n');
    }

    private static double x(double percent) {
        return LEFT + percent / 100 * (WIDTH - LEFT - RIGHT);
    }

    private double y(double slowdown) {
        double part = Math.log(Math.max(0.9, slowdown) / 0.9) / Math.log(most / 0.9);
        return HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP);
    }

    private static String plain(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }

    /** As 315, 6.4 K or 10 M. */
    private static String bytes(int bytes) {
        if (bytes < 1_000) {
            return Integer.toString(bytes);
        }
        return bytes < 1_000_000 ? Amount.digits(bytes / 1e3) + " K" : Amount.digits(bytes / 1e6) + " M";
    }

    static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
