package io.homa4j.cli;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * What a controller and its agents say to each other: named values, as the text of a properties file in UTF-8. What comes from
 * the network is read as data and nothing else; a value that is missing or is no number is a {@link CliException}.
 */
final class ControlMessage {
    private final Properties values = new Properties();

    ControlMessage() {}

    static ControlMessage parse(byte[] message) {
        ControlMessage parsed = new ControlMessage();
        try {
            parsed.values.load(new StringReader(new String(message, StandardCharsets.UTF_8)));
        } catch (IOException | IllegalArgumentException e) {
            throw new CliException(
                    "a control message cannot be read (" + e.getMessage() + ")",
                    "use the same version of homa on all hosts",
                    e);
        }
        return parsed;
    }

    byte[] bytes() {
        StringWriter text = new StringWriter();
        try {
            values.store(text, null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    ControlMessage put(String name, Object value) {
        values.setProperty(name, value.toString());
        return this;
    }

    ControlMessage put(String name, List<?> list) {
        put(name + ".count", list.size());
        for (int i = 0; i < list.size(); i++) {
            put(name + "." + i, list.get(i));
        }
        return this;
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    String text(String name) {
        String value = values.getProperty(name);
        if (value == null) {
            throw new CliException(
                    "a control message lacks " + name, "use the same version of homa on controller and agents");
        }
        return value;
    }

    double number(String name) {
        double value;
        try {
            value = Double.parseDouble(text(name));
        } catch (NumberFormatException e) {
            throw noNumber(name, e);
        }
        if (!Double.isFinite(value)) {
            throw noNumber(name, null);
        }
        return value;
    }

    long whole(String name) {
        try {
            return Long.parseLong(text(name));
        } catch (NumberFormatException e) {
            throw noNumber(name, e);
        }
    }

    /** A whole number that counts something. */
    long natural(String name) {
        long value = whole(name);
        if (value < 0) {
            throw new CliException("a control message has " + name + " = " + value, "it must not be negative");
        }
        return value;
    }

    /** @param most as a bound of what the network may ask for */
    int count(String name, int most) {
        long value = whole(name);
        if (value < 0 || value > most) {
            throw new CliException("a control message has " + name + " = " + value, "it must be from 0 to " + most);
        }
        return (int) value;
    }

    List<String> list(String name, int most) {
        int count = count(name + ".count", most);
        List<String> list = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            list.add(text(name + "." + i));
        }
        return list;
    }

    private static CliException noNumber(String name, @Nullable NumberFormatException e) {
        return new CliException(
                "a control message has a " + name + " that is no number",
                "use the same version of homa on controller and agents",
                e);
    }

    @Override
    public String toString() {
        return values.toString();
    }
}
