package io.homa4j.cli;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.DataFormatException;
import org.HdrHistogram.Histogram;

/** The result of a host's load in a {@link ControlMessage}: histograms as their own compressed form in base 64. */
final class LabResult {
    private static final int MAX_CLASSES = 10_000;
    private static final int MAX_INTERVALS = 1_000;

    private LabResult() {}

    static void put(ControlMessage message, LoadResult result) {
        message.put("measured_ns", result.measuredNs)
                .put("answers", result.answersInTime)
                .put("request_bytes", result.requestBytesInTime)
                .put("response_bytes", result.responseBytesInTime)
                .put("mismatches", result.mismatches)
                .put("unstarted", result.unstarted)
                .put("unfinished", result.unfinished())
                .put("all", text(result.rttNs))
                .put("short", text(result.details.ofShort()));
        List<String> errors = new ArrayList<>();
        result.errors.forEach((kind, count) -> errors.add(kind + "=" + count));
        message.put("errors", errors);
        List<String> sizes = new ArrayList<>();
        for (int size = 0; size < result.details.sizes(); size++) {
            Histogram histogram = result.details.ofSize(size);
            sizes.add(histogram == null ? "" : text(histogram));
        }
        message.put("size", sizes);
        message.put(
                "interval",
                result.details.shortByInterval().stream().map(LabResult::text).toList());
    }

    /** Adds what a message holds to a result that has that of other hosts. */
    static void addTo(LoadResult sum, ControlMessage message) {
        sum.measuredNs = Math.max(sum.measuredNs, message.natural("measured_ns"));
        sum.answersInTime += message.natural("answers");
        sum.requestBytesInTime += message.natural("request_bytes");
        sum.responseBytesInTime += message.natural("response_bytes");
        sum.mismatches += message.natural("mismatches");
        sum.unstarted += message.natural("unstarted");
        sum.started += message.natural("unfinished");
        sum.rttNs.add(histogram(message.text("all")));
        LoadDetails details = new LoadDetails();
        details.ofShort().add(histogram(message.text("short")));
        List<String> sizes = message.list("size", MAX_CLASSES);
        for (int size = 0; size < sizes.size(); size++) {
            if (!sizes.get(size).isEmpty()) {
                details.putSize(size, histogram(sizes.get(size)));
            }
        }
        message.list("interval", MAX_INTERVALS)
                .forEach(text -> details.shortByInterval().add(histogram(text)));
        sum.details.add(details);
        for (Map.Entry<String, Long> error : counts(message, "errors").entrySet()) {
            sum.errors.merge(error.getKey(), error.getValue(), Long::sum);
        }
    }

    /** Counters by name. */
    static Map<String, Long> counts(ControlMessage message, String name) {
        Map<String, Long> counts = new TreeMap<>();
        for (String pair : message.list(name, MAX_CLASSES)) {
            int equals = pair.indexOf('=');
            try {
                counts.put(pair.substring(0, Math.max(0, equals)), Long.valueOf(pair.substring(equals + 1)));
            } catch (NumberFormatException e) {
                throw unreadable("'" + pair + "' among its " + name, e);
            }
        }
        return counts;
    }

    static String text(Histogram histogram) {
        ByteBuffer buffer = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
        int length = histogram.encodeIntoCompressedByteBuffer(buffer);
        byte[] bytes = new byte[length];
        buffer.get(0, bytes);
        return Base64.getEncoder().encodeToString(bytes);
    }

    static Histogram histogram(String text) {
        try {
            return Histogram.decodeFromCompressedByteBuffer(
                    ByteBuffer.wrap(Base64.getDecoder().decode(text)), 0);
        } catch (DataFormatException | RuntimeException e) {
            // The decoder runs into damage in many ways, of which only the first is its own.
            throw unreadable("a histogram that cannot be read (" + e + ")", e);
        }
    }

    private static CliException unreadable(String what, Exception e) {
        return new CliException(
                "an agent's result has " + what, "use the same version of homa on controller and agents", e);
    }
}
