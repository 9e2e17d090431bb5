package io.homa4j.cli;

import io.homa4j.sim.Workload;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads what {@code --workload} is given. */
final class WorkloadConverter implements ITypeConverter<Workload> {
    @Override
    public Workload convert(String value) {
        try {
            return Workload.named(value.toLowerCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException("'" + value + "' is none of w1, w2, w3, w4, w5");
        }
    }
}
