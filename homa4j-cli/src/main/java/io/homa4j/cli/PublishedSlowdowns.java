package io.homa4j.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The slowdowns of the paper's figures 12 and 13, as far as they are known as numbers; what a simulation is compared with. */
final class PublishedSlowdowns {
    private static final String RESOURCE = "published-sigcomm18.txt";

    /**
     * Slowdown of the messages up to a size and above the next smaller size measured.
     *
     * @param percent messages of at most so many bytes, percent of all
     */
    record Point(int percent, int bytes, double mean, double median, double p99) {}

    private PublishedSlowdowns() {}

    /**
     * A curve in order of size; empty if it is not known.
     *
     * @param workload w1 to w5
     * @param loadPercent 50 or 80
     * @param curve homa, pfabric, or srpt for the ideal
     */
    static List<Point> curve(String workload, int loadPercent, String curve) {
        List<Point> points = new ArrayList<>();
        String wanted = workload + " " + loadPercent + " " + curve;
        boolean inside = false;
        for (String line : text().lines().toList()) {
            if (line.startsWith("w")) {
                inside = line.equals(wanted);
            } else if (inside) {
                String[] parts = line.strip().split(" ", -1);
                points.add(new Point(
                        Integer.parseInt(parts[0]),
                        Integer.parseInt(parts[1]),
                        Double.parseDouble(parts[2]),
                        Double.parseDouble(parts[3]),
                        Double.parseDouble(parts[4])));
            }
        }
        return points;
    }

    private static String text() {
        try (InputStream in = PublishedSlowdowns.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(RESOURCE + " is missing beside " + PublishedSlowdowns.class);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
