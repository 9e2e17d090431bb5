package io.homa4j.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;

/**
 * A line chart as SVG that needs nothing else; the legend stands beside it. Colours are those of Okabe and Ito, which everybody
 * can tell apart; marks differ as well, so that it can be read without colours. Margins fit the labels.
 */
final class Chart {
    private static final List<String> COLOURS =
            List.of("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000");
    private static final int WIDTH = 760;
    private static final int HEIGHT = 400;
    private static final int TOP = 40;
    private static final int BOTTOM = 58;
    private static final int BOTTOM_ROTATED = 82;
    /** Of the font, about; a little too wide rather than too narrow. */
    private static final double CHARACTER = 7.3;
    /** On a curve of more points marks would hide it; only some of them have one then. */
    private static final int MOST_MARKS = 24;

    private static final double MARK = 3.4;

    /** A mark on an axis. */
    record Tick(double at, String label) {
        /** The values themselves as labels. */
        static List<Tick> of(double... values) {
            return Arrays.stream(values)
                    .mapToObj(value -> new Tick(
                            value,
                            value == Math.rint(value)
                                    ? String.format(Locale.ROOT, "%,d", (long) value)
                                    : Double.toString(value)))
                    .toList();
        }

        /** For a logarithmic axis: 1, 2, 5, 10 where these are few, else powers of ten. */
        static List<Tick> logarithmic(double from, double to, DoubleFunction<String> label) {
            int[] steps = to / from <= 300 ? new int[] {1, 2, 5} : new int[] {1};
            List<Tick> ticks = new ArrayList<>();
            for (int exponent = (int) Math.floor(Math.log10(from)); Math.pow(10, exponent) <= to; exponent++) {
                for (int step : steps) {
                    double at = step * Math.pow(10, exponent);
                    if (at >= from * 0.999 && at <= to * 1.001) {
                        ticks.add(new Tick(at, label.apply(at)));
                    }
                }
            }
            return ticks;
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

        private double longestLabel() {
            return CHARACTER
                    * ticks.stream().mapToInt(tick -> tick.label.length()).max().orElse(0);
        }

        /** Whether the labels would run into each other on so many pixels. */
        private boolean isCrowded(double pixels) {
            for (int i = 1; i < ticks.size(); i++) {
                Tick left = ticks.get(i - 1);
                Tick right = ticks.get(i);
                double room = (place(right.at) - place(left.at)) * pixels;
                if ((left.label.length() + right.label.length() + 2) * CHARACTER / 2 > room) {
                    return true;
                }
            }
            return false;
        }
    }

    record Point(double x, double y) {}

    /** @param mark which of the kinds of marks; negative = none */
    private record Curve(String name, List<Point> points, String colour, String dash, int mark) {}

    private final String title;
    private final Axis horizontal;
    private final Axis vertical;
    private final List<Curve> curves = new ArrayList<>();
    private int measured;
    private int references;
    // The edges of the drawing area; known when all is there.
    private double left;
    private double right;
    private double bottom;

    Chart(String title, Axis horizontal, Axis vertical) {
        this.title = title;
        this.horizontal = horizontal;
        this.vertical = vertical;
    }

    /** Adds a measured curve. */
    void curve(String name, List<Point> points) {
        int number = measured++;
        curves.add(new Curve(
                name, points, COLOURS.get(number % COLOURS.size()), number < COLOURS.size() ? "none" : "9 3", number));
    }

    /** Adds what is published or a bound: grey, the first dashed and others dotted. */
    void reference(String name, List<Point> points) {
        boolean isFirst = references++ == 0;
        curves.add(new Curve(name, points, isFirst ? "#444444" : "#888888", isFirst ? "7 4" : "2 3", -1));
    }

    /** The finished picture. */
    String svg() {
        double legend = CHARACTER
                * curves.stream().mapToInt(curve -> curve.name.length()).max().orElse(0);
        left = Math.max(62, 34 + vertical.longestLabel());
        right = WIDTH - 56 - legend;
        boolean isRotated = horizontal.isCrowded(right - left);
        bottom = HEIGHT - (isRotated ? BOTTOM_ROTATED : BOTTOM);
        Formatter svg = new Formatter(Locale.ROOT);
        svg.format(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\""
                        + " font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n",
                WIDTH, HEIGHT, WIDTH, HEIGHT);
        svg.format(
                "<title>%s</title><rect width=\"%d\" height=\"%d\" fill=\"white\"/>"
                        + "<text x=\"%.0f\" y=\"22\" font-size=\"15\" font-weight=\"bold\">%s</text>\n",
                HtmlPage.escape(title), WIDTH, HEIGHT, left, HtmlPage.escape(title));
        axes(svg, isRotated);
        for (int i = 0; i < curves.size(); i++) {
            draw(svg, curves.get(i), TOP + 14 + 20 * i);
        }
        return svg.format("</svg>\n").toString();
    }

    private void axes(Formatter svg, boolean isRotated) {
        for (Tick tick : vertical.ticks) {
            double y = y(tick.at);
            svg.format(
                    "<path d=\"M%.0f %.1fH%.0f\" stroke=\"#ddd\"/><text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                    left, y, right, left - 7, y + 4, HtmlPage.escape(tick.label));
        }
        for (Tick tick : horizontal.ticks) {
            double x = x(tick.at);
            String place = isRotated
                    ? String.format(
                            Locale.ROOT,
                            "transform=\"translate(%.1f %.0f) rotate(-35)\" text-anchor=\"end\"",
                            x + 4,
                            bottom + 18)
                    : String.format(Locale.ROOT, "x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\"", x, bottom + 20);
            svg.format(
                    "<path d=\"M%.1f %.0fv6\" stroke=\"#333\"/><text %s>%s</text>\n",
                    x, bottom, place, HtmlPage.escape(tick.label));
        }
        svg.format("<path d=\"M%.0f %dV%.0fH%.0f\" fill=\"none\" stroke=\"#333\"/>\n", left, TOP, bottom, right);
        svg.format(
                "<text x=\"%.0f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                (left + right) / 2, HEIGHT - 8, HtmlPage.escape(horizontal.title));
        svg.format(
                "<text transform=\"translate(16 %.0f) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
                (TOP + bottom) / 2, HtmlPage.escape(vertical.title));
    }

    private void draw(Formatter svg, Curve curve, int legendY) {
        StringBuilder path = new StringBuilder();
        for (Point point : curve.points) {
            path.append(path.isEmpty() ? "M" : "L")
                    .append(String.format(Locale.ROOT, "%.1f %.1f", x(point.x), y(point.y)));
        }
        svg.format(
                "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\""
                        + " stroke-dasharray=\"%s\"/>\n",
                path, curve.colour, curve.dash);
        if (curve.mark >= 0) {
            int step = curve.points.size() <= MOST_MARKS ? 1 : 2 * curve.points.size() / MOST_MARKS;
            for (int i = 0; i < curve.points.size(); i += step) {
                Point point = curve.points.get(i);
                mark(svg, curve, x(point.x), y(point.y));
            }
        }
        svg.format(
                "<path d=\"M%.0f %dh26\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>"
                        + "<text x=\"%.0f\" y=\"%d\">%s</text>\n",
                right + 12, legendY - 4, curve.colour, curve.dash, right + 44, legendY, HtmlPage.escape(curve.name));
        if (curve.mark >= 0) {
            mark(svg, curve, right + 25, legendY - 4);
        }
    }

    private static void mark(Formatter svg, Curve curve, double x, double y) {
        String shape = switch (curve.mark % 5) {
            case 0 -> circle(x, y);
            case 1 -> polygon(x, y, -1, -1, 1, -1, 1, 1, -1, 1);
            case 2 -> polygon(x, y, 0, -1.3, 1.2, 0.9, -1.2, 0.9);
            case 3 -> polygon(x, y, 0, -1.4, 1.4, 0, 0, 1.4, -1.4, 0);
            default -> polygon(x, y, 0, 1.3, 1.2, -0.9, -1.2, -0.9);
        };
        // The marks of the second half are hollow.
        boolean isHollow = curve.mark / 5 % 2 == 1;
        svg.format(
                "<%s fill=\"%s\" stroke=\"%s\" stroke-width=\"1.5\"/>\n",
                shape, isHollow ? "white" : curve.colour, curve.colour);
    }

    private static String circle(double x, double y) {
        return String.format(Locale.ROOT, "circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", x, y, MARK);
    }

    private static String polygon(double x, double y, double... corners) {
        StringBuilder points = new StringBuilder();
        for (int i = 0; i < corners.length; i += 2) {
            points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x + MARK * corners[i], y + MARK * corners[i + 1]));
        }
        return "polygon points=\"" + points.toString().strip() + "\"";
    }

    private double x(double value) {
        return left + horizontal.place(value) * (right - left);
    }

    private double y(double value) {
        return bottom - vertical.place(value) * (bottom - TOP);
    }
}
