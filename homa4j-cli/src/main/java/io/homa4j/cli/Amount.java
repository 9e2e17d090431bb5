package io.homa4j.cli;

import java.util.Locale;

/** Measured numbers as people read them: three significant digits, a unit that fits, the same in every locale. */
final class Amount {
    private static final String[] PREFIXES = {"", " k", " M", " G"};

    private Amount() {}

    /** A count per second, as 812/s or 1.23 M/s. */
    static String rate(double perSecond) {
        int prefix = 0;
        double value = perSecond;
        while (value >= 999.5 && prefix < PREFIXES.length - 1) {
            value /= 1000;
            prefix++;
        }
        return digits(value) + (prefix == 0 ? "" : PREFIXES[prefix]) + "/s";
    }

    /** Microseconds below ten thousand, else milliseconds or seconds; {@code none} where nothing was measured (NaN). */
    static String time(double us) {
        if (Double.isNaN(us)) {
            return "none";
        }
        if (us < 10_000) {
            return digits(us) + " us";
        }
        return us < 10_000_000 ? digits(us / 1000) + " ms" : digits(us / 1e6) + " s";
    }

    /** Bits per second from bytes and nanoseconds. */
    static String throughput(long bytes, long ns) {
        return ns <= 0 ? "0 Gbit/s" : digits(bytes * 8.0 / ns) + " Gbit/s";
    }

    /** A whole number with its thousands apart. */
    static String count(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    /** Bytes of a message as 315, 6.40 K or 10 M. */
    static String size(double bytes) {
        if (bytes < 1_000) {
            return trimmed(bytes);
        }
        return bytes < 1_000_000 ? trimmed(bytes / 1e3) + " K" : trimmed(bytes / 1e6) + " M";
    }

    private static String trimmed(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : digits(value);
    }

    /** Seconds as 42 s, 3 min 20 s or 2 h 5 min. */
    static String duration(double seconds) {
        long whole = Math.round(seconds);
        if (whole < 60) {
            return whole + " s";
        }
        return whole < 3600
                ? whole / 60 + " min " + whole % 60 + " s"
                : whole / 3600 + " h " + whole % 3600 / 60 + " min";
    }

    /** Three significant digits, without exponent. */
    static String digits(double value) {
        double size = Math.abs(value);
        int places = size == 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
        return String.format(Locale.ROOT, "%." + places + "f", value);
    }
}
