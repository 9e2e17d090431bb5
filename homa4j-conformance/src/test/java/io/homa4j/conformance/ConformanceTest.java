package io.homa4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/conformance.md is complete and true: see {@link Marks} and {@link Table}. */
class ConformanceTest {
    private static final Path ROOT = Path.of(System.getProperty("homa.root"));
    private static final Path DOCS = ROOT.resolve("docs");

    @Test
    void everyRowIsPinnedOrExplainedAndTheDocumentSaysSo() throws IOException {
        Marks marks = new Marks();
        try (Stream<Path> modules = Files.list(ROOT)) {
            modules.filter(module -> Files.exists(module.resolve("pom.xml")))
                    // its own tests mark made-up rows
                    .filter(module -> !module.endsWith("homa4j-conformance"))
                    .sorted()
                    .forEach(marks::readModule);
        }
        Table table = new Table(
                Files.readAllLines(DOCS.resolve("conformance-cases.txt")),
                Files.readAllLines(DOCS.resolve("conformance-reasons.txt")),
                marks.marks());
        Path document = DOCS.resolve("conformance.md");
        if (Boolean.getBoolean("homa.conformance.write")) {
            Files.writeString(document, table.markdown());
        }

        assertThat(marks.problems()).isEmpty();
        assertThat(table.problems()).isEmpty();
        assertThat(table.rows()).isEqualTo(allRows());
        assertThat(Files.readString(document))
                .as("docs/conformance.md is stale; it says itself how to write it anew")
                .isEqualTo(table.markdown());
    }

    private static List<String> allRows() {
        return Stream.concat(
                        IntStream.rangeClosed(1, 271).mapToObj("P-%03d"::formatted),
                        IntStream.rangeClosed(1, 401).mapToObj("S-%03d"::formatted))
                .toList();
    }
}
