package io.homa4j.cli;

/** A way to print frames: something before them, a text for each with its line end, and something behind. */
sealed interface DecodedLines permits DecodedTable, DecodedJson, DecodedText {
    default String head() {
        return "";
    }

    String of(DecodedFrame frame);

    default String tail() {
        return "";
    }
}
