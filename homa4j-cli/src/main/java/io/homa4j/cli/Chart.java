package io.homa4j.cli;

import java.util.List;
import java.util.Locale;

/** A line chart as SVG that needs nothing else; the legend stands beside it. Colours are those of {@link SlowdownPlot}. */
final class Chart {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 400;
    private static final int LEFT = 66;
    private static final int RIGHT = 210;
    private static final int TOP = 40;
    private static final int BOTTOM = 58;

    /** A mark on an axis. */
    record Tick(double at, String label) {
        /** The values themselves as labels. */
        static List<Tick> of(double... values) {
            return java.util.Arrays.stream(values)
                    .mapToObj(value -> new Tick(
                            value,
                            value == Math.rint(value)
                                    ? String.format(Locale.ROOT, "%,d", (long) value)
                                    : Double.toString(value)))
                    .toList();
        }
    }

    /**
     * An axis.
     *
     * @param from value at its beginning, above 0 if it is logarithmic
     */
    record Axis(String title, double from, double to, boolean isLogarithmic, List<Tick> ticks) {
        /** Where a value lies, 0 to 1; what lies outside counts as the end. */
        double place(double value) {
            double part = isLogarithmic
                    ? Math.log(Math.max(value, from) / from) / Math.log(to / from)
                    : (value - from) / (to - from);
            return Math.clamp(part, 0, 1);
        }
    }

    record Point(double x, double y) {}

    private final StringBuilder svg = new StringBuilder();
    private final Axis horizontal;
    private final Axis vertical;
    private int solid;
    private int legend;

    Chart(String title, Axis horizontal, Axis vertical) {
        this.horizontal = horizontal;
        this.vertical = vertical;
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
                SlowdownPlot.escape(title),
                WIDTH,
                HEIGHT));
        line(String.format(
                Locale.ROOT,
                "<text x=\"%d\" y=\"22\" font-size=\"15\" font-weight=\"bold\">%s</text>",
                LEFT,
                SlowdownPlot.escape(title)));
        for (Tick tick : vertical.ticks) {
            double y = y(tick.at);
            line(String.format(
                    Locale.ROOT,
                    "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
                    LEFT,
                    y,
                    WIDTH - RIGHT,
                    LEFT - 7,
                    y + 4,
                    SlowdownPlot.escape(tick.label)));
        }
        for (Tick tick : horizontal.ticks) {
            double x = x(tick.at);
            line(String.format(
                    Locale.ROOT,
                    "<path d=\"M%.1f %dv6\" stroke=\"#333\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                    x,
                    HEIGHT - BOTTOM,
                    x,
                    HEIGHT - BOTTOM + 20,
                    SlowdownPlot.escape(tick.label)));
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
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                (LEFT + WIDTH - RIGHT) / 2,
                HEIGHT - 10,
                SlowdownPlot.escape(horizontal.title)));
        line(String.format(
                Locale.ROOT,
                "<text transform=\"translate(16 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>",
                (TOP + HEIGHT - BOTTOM) / 2,
                SlowdownPlot.escape(vertical.title)));
    }

    /** Adds a measured curve. */
    void curve(String name, List<Point> points) {
        draw(name, points, SlowdownPlot.COLOURS.get(solid++ % SlowdownPlot.COLOURS.size()), "none", true);
    }

    /** Adds what is published or a bound, dashed. */
    void reference(String name, List<Point> points) {
        draw(name, points, "#555555", "7 4", false);
    }

    private void draw(String name, List<Point> points, String colour, String dash, boolean hasMarks) {
        StringBuilder path = new StringBuilder();
        for (Point point : points) {
            path.append(path.isEmpty() ? "M" : "L")
                    .append(String.format(Locale.ROOT, "%.1f %.1f", x(point.x), y(point.y)));
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
                        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>",
                        x(point.x),
                        y(point.y),
                        colour));
            }
        }
        int top = TOP + 14 + 20 * legend++;
        line(String.format(
                Locale.ROOT,
                "<path d=\"M%d %dh26\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>"
                        + "<text x=\"%d\" y=\"%d\">%s</text>",
                WIDTH - RIGHT + 12,
                top - 4,
                colour,
                dash,
                WIDTH - RIGHT + 44,
                top,
                SlowdownPlot.escape(name)));
    }

    /** The finished picture. */
    String svg() {
        return svg + "</svg>\n";
    }

    private void line(String text) {
        svg.append(text).append('\n');
    }

    private double x(double value) {
        return LEFT + horizontal.place(value) * (WIDTH - LEFT - RIGHT);
    }

    private double y(double value) {
        return HEIGHT - BOTTOM - vertical.place(value) * (HEIGHT - BOTTOM - TOP);
    }
}
