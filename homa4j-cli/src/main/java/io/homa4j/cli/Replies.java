package io.homa4j.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * What a load server answers.
 *
 * @param kind how the answer is found
 * @param bytes its length, for {@link Kind#FIXED}
 */
record Replies(Kind kind, int bytes) {
    enum Kind {
        /** The request itself. */
        SAME,
        /** Always the same number of bytes. */
        FIXED,
        /** What the request asks for in its header ({@link Pattern}). */
        HEADER
    }

    static final Replies SAME = new Replies(Kind.SAME, 0);
    static final Replies HEADER = new Replies(Kind.HEADER, 0);

    @Override
    public String toString() {
        return switch (kind) {
            case SAME -> "the request itself";
            case FIXED -> Amount.count(bytes) + " bytes";
            case HEADER -> "as the request's header says";
        };
    }

    /** Reads what {@code --reply} is given. */
    static final class Converter implements ITypeConverter<Replies> {
        @Override
        public Replies convert(String value) {
            return switch (value) {
                case "same" -> SAME;
                case "header" -> HEADER;
                default -> {
                    int bytes = value.matches("\\d{1,7}") ? Integer.parseInt(value) : 0;
                    if (bytes < 1 || bytes > 1_000_000) {
                        throw new TypeConversionException(
                                "'" + value + "' is none of same, header, a number of bytes from 1 to 1000000");
                    }
                    yield new Replies(Kind.FIXED, bytes);
                }
            };
        }
    }
}
