package io.homa4j.cli;

import io.homa4j.protocol.Config;
import io.homa4j.sim.Workload;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads what {@code --workload} is given. */
final class WorkloadConverter implements ITypeConverter<Workload> {
    /** The same for commands that take mixed loads and fixed sizes as well. */
    static final class WithSizes implements ITypeConverter<Workload> {
        @Override
        public Workload convert(String value) {
            if (value.matches("\\d{1,7}")) {
                int bytes = Integer.parseInt(value);
                if (bytes < 1 || bytes > Config.MAX_MESSAGE_BYTES) {
                    throw new TypeConversionException(value + " bytes is no message; name 1 to 1000000");
                }
                return Workload.fixed(bytes);
            }
            return value.equalsIgnoreCase(Workload.MIX) ? Workload.mix() : named(value, ", mix, a number of bytes");
        }
    }

    @Override
    public Workload convert(String value) {
        return named(value, "");
    }

    private static Workload named(String value, String others) {
        try {
            return Workload.named(value.toLowerCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException("'" + value + "' is none of w1, w2, w3, w4, w5" + others);
        }
    }
}
