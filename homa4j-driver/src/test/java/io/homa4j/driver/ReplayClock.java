package io.homa4j.driver;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The clock of a captured host against that of the capture. The hosts were emulated: a timer tick took 1.1 to 2 ms of
 * the capture's time, and not always the same. So the engine's clock, whose ticks are 1 ms, runs through the points a
 * script gives, straight between them, and outside them at the script's usual length of a tick.
 */
final class ReplayClock {
    /** At a time of the capture so many ticks had passed; whole numbers are timer passes. */
    record Point(double captureMs, double ticks) {}

    /** A time that went to the engine's clock and back can be wrong by less than this. */
    static final long ROUNDING_NS = 1_000;

    private static final double TICK_NS = 1_000_000;

    private final List<Point> points;
    private final double tickMs;
    private final long originNs;

    ReplayClock(List<Point> known, double tickMs, long originNs) {
        points = new ArrayList<>(known.isEmpty() ? List.of(new Point(0, 0.5)) : known);
        points.sort(Comparator.comparingDouble(Point::captureMs));
        for (int i = 1; i < points.size(); i++) {
            if (points.get(i).ticks <= points.get(i - 1).ticks) {
                throw new IllegalArgumentException("the clock goes back at " + points.get(i));
            }
        }
        this.tickMs = tickMs;
        this.originNs = originNs;
    }

    /** The engine's time at a time of the capture. */
    long engineNs(long captureNs) {
        double ms = captureNs / 1e6;
        Point a = points.getFirst();
        Point b = points.getLast();
        double ticks;
        if (ms <= a.captureMs) {
            ticks = a.ticks + (ms - a.captureMs) / tickMs;
        } else if (ms >= b.captureMs) {
            ticks = b.ticks + (ms - b.captureMs) / tickMs;
        } else {
            int i = 1;
            while (points.get(i).captureMs < ms) {
                i++;
            }
            a = points.get(i - 1);
            b = points.get(i);
            ticks = a.ticks + (ms - a.captureMs) * (b.ticks - a.ticks) / (b.captureMs - a.captureMs);
        }
        return originNs + Math.round(ticks * TICK_NS);
    }

    /** The time of the capture at a time of the engine. */
    long captureNs(long engineNs) {
        double ticks = (engineNs - originNs) / TICK_NS;
        Point a = points.getFirst();
        Point b = points.getLast();
        double ms;
        if (ticks <= a.ticks) {
            ms = a.captureMs + (ticks - a.ticks) * tickMs;
        } else if (ticks >= b.ticks) {
            ms = b.captureMs + (ticks - b.ticks) * tickMs;
        } else {
            int i = 1;
            while (points.get(i).ticks < ticks) {
                i++;
            }
            a = points.get(i - 1);
            b = points.get(i);
            ms = a.captureMs + (ticks - a.ticks) * (b.captureMs - a.captureMs) / (b.ticks - a.ticks);
        }
        return Math.round(ms * 1e6);
    }
}
