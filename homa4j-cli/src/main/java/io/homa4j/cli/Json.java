package io.homa4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes JSON: values as {@link Map} (objects, in their own order), {@link Iterable} (arrays), strings, booleans, numbers
 * and null. Numbers that are no JSON, as NaN, become null. Objects that hold only plain values stand on one line.
 */
final class Json {
    /** The file name that stands for standard output. */
    static final String STANDARD_OUTPUT = "-";

    private Json() {}

    /** The value as text without a line break at the end. */
    static String text(@Nullable Object value) {
        StringBuilder out = new StringBuilder();
        append(out, value, 0);
        return out.toString();
    }

    /**
     * Writes a value to where {@code --json} says.
     *
     * @param target a file, or {@link #STANDARD_OUTPUT}
     * @throws CliException if the file cannot be written
     */
    static void write(String target, PrintWriter standardOutput, Object value) {
        if (target.equals(STANDARD_OUTPUT)) {
            standardOutput.println(text(value));
            standardOutput.flush();
            return;
        }
        try {
            Files.writeString(Path.of(target), text(value) + "\n", StandardCharsets.UTF_8);
        } catch (IOException | InvalidPathException e) {
            throw new CliException(
                    "cannot write " + target + " (" + e.getClass().getSimpleName() + ")",
                    "name a file in a folder that exists and is yours, or - for standard output",
                    e);
        }
    }

    /** Complains before the work about what {@link #write} could not do after it. */
    static void check(@Nullable String target) {
        if (target != null && !target.equals(STANDARD_OUTPUT)) {
            ReportFiles.checkFile("--json", target, "or - for standard output");
        }
    }

    private static void append(StringBuilder out, @Nullable Object value, int depth) {
        switch (value) {
            case null -> out.append("null");
            case Map<?, ?> map -> appendObject(out, map, depth);
            case Iterable<?> list -> appendArray(out, list, depth);
            case Double number -> out.append(number(number));
            case Float number -> out.append(number(number.doubleValue()));
            case Number number -> out.append(number);
            case Boolean truth -> out.append(truth);
            default -> appendString(out, value.toString());
        }
    }

    private static void appendObject(StringBuilder out, Map<?, ?> map, int depth) {
        boolean plain = map.values().stream().noneMatch(Json::isContainer);
        String separator = "";
        out.append('{');
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            out.append(separator);
            separator = plain ? ", " : ",";
            if (!plain) {
                newLine(out, depth + 1);
            }
            appendString(out, String.valueOf(entry.getKey()));
            out.append(": ");
            append(out, entry.getValue(), depth + 1);
        }
        if (!plain) {
            newLine(out, depth);
        }
        out.append('}');
    }

    private static void appendArray(StringBuilder out, Iterable<?> list, int depth) {
        String separator = "";
        boolean nested = false;
        out.append('[');
        for (Object element : list) {
            out.append(separator);
            separator = isContainer(element) ? "," : ", ";
            if (isContainer(element)) {
                nested = true;
                newLine(out, depth + 1);
            }
            append(out, element, depth + 1);
        }
        if (nested) {
            newLine(out, depth);
        }
        out.append(']');
    }

    private static boolean isContainer(@Nullable Object value) {
        return value instanceof Map || value instanceof Iterable;
    }

    private static void newLine(StringBuilder out, int depth) {
        out.append('\n').repeat("  ", depth);
    }

    /** At most six digits behind the point: measured values have no more. */
    private static String number(double value) {
        if (!Double.isFinite(value)) {
            return "null";
        }
        if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            return Long.toString((long) value);
        }
        if (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e15) {
            return Double.toString(value);
        }
        return String.format(Locale.ROOT, "%.6f", value).replaceAll("0+$", "");
    }

    private static void appendString(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c < 0x20 || c >= 0x7F && c < 0xA0 || Character.isSurrogate(c)) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
