package io.homa4j.sim;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A distribution of message sizes: a number of classes, each with one size and a share of all messages. A draw gives the
 * size of a class and nothing between two classes, so that statistics per size are possible (spec tools 7).
 */
public final class Workload {
    private final String name;
    private final int[] bytes;
    /** Share of messages in this class and those before it; the last is 1. */
    private final double[] cumulative;

    private Workload(String name, int[] bytes, double[] cumulative) {
        this.name = name;
        this.bytes = bytes;
        this.cumulative = cumulative;
    }

    /** Every message has this size. */
    public static Workload fixed(int bytes) {
        return new Workload(Integer.toString(bytes), new int[] {bytes}, new double[] {1});
    }

    /** Name of {@link #mix}. */
    public static final String MIX = "mix";

    /**
     * What services of a datacenter send to each other, roughly: 70 % of 100 to 1000 bytes in ten equal classes, 25 % of 10,000
     * and 5 % of 500,000 bytes.
     */
    public static Workload mix() {
        int[] bytes = new int[12];
        double[] cumulative = new double[12];
        for (int i = 0; i < 10; i++) {
            bytes[i] = 100 * (i + 1);
            cumulative[i] = 0.07 * (i + 1);
        }
        bytes[10] = 10_000;
        cumulative[10] = 0.95;
        bytes[11] = 500_000;
        cumulative[11] = 1;
        return new Workload(MIX, bytes, cumulative);
    }

    /**
     * One of the published workloads as the kernel module's tools draw it: at most 1,000,000 bytes, in fewer classes.
     *
     * @param name w1 to w5
     * @throws IllegalArgumentException if there is none of this name
     */
    public static Workload named(String name) {
        return read("workloads.txt", name);
    }

    /**
     * One of the published workloads as the simulations of SIGCOMM 2018 drew it.
     *
     * @param name w1 to w5
     * @throws IllegalArgumentException if there is none of this name
     */
    public static Workload sigcomm18(String name) {
        return read("sigcomm18-workloads.txt", name);
    }

    private static Workload read(String resource, String name) {
        List<Integer> bytes = new ArrayList<>();
        List<Double> cumulative = new ArrayList<>();
        boolean inside = false;
        for (String line : text(resource).lines().toList()) {
            if (line.startsWith("w")) {
                inside = line.equals(name);
            } else if (inside) {
                for (String pair : line.strip().split(", *", -1)) {
                    if (pair.isEmpty()) {
                        continue;
                    }
                    String[] parts = pair.split(" ", -1);
                    bytes.add(Integer.valueOf(parts[0]));
                    cumulative.add(Double.valueOf(parts[1]));
                }
            }
        }
        if (bytes.isEmpty()) {
            throw new IllegalArgumentException("there is no workload " + name);
        }
        return new Workload(
                name,
                bytes.stream().mapToInt(Integer::intValue).toArray(),
                cumulative.stream().mapToDouble(Double::doubleValue).toArray());
    }

    /** The same classes, each as frequent as any other. */
    public Workload evenly() {
        double[] even = new double[bytes.length];
        for (int i = 0; i < even.length; i++) {
            even[i] = (i + 1.0) / even.length;
        }
        return new Workload(name, bytes, even);
    }

    /** What was asked for: the name, or the fixed size as a number. */
    public String name() {
        return name;
    }

    public int classes() {
        return bytes.length;
    }

    /** The size of the messages of a class. */
    public int bytes(int index) {
        return bytes[index];
    }

    /** Share of the messages that are in this class or one before it. */
    public double cumulative(int index) {
        return cumulative[index];
    }

    /** Mean size, bytes. */
    public double meanBytes() {
        double mean = 0;
        double before = 0;
        for (int i = 0; i < bytes.length; i++) {
            mean += bytes[i] * (cumulative[i] - before);
            before = cumulative[i];
        }
        return mean;
    }

    /** A class at random. */
    public int draw(RandomGenerator random) {
        if (bytes.length == 1) {
            return 0;
        }
        int found = Arrays.binarySearch(cumulative, random.nextDouble());
        return found >= 0 ? Math.min(found + 1, bytes.length - 1) : -found - 1;
    }

    private static String text(String resource) {
        try (InputStream in = Workload.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException(resource + " is missing beside " + Workload.class);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
