package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The documents people read say what the code is, wherever that can be checked. */
class DocumentsTest {
    private static final Path ROOT = Path.of(System.getProperty("homa.root"));
    private static final String OPERATING = read(ROOT.resolve("docs/operating.md"));
    private static final String DEFECTS = read(ROOT.resolve("docs/defects.md"));

    @Test
    void operatingHasEveryParameterWithItsDefaults() {
        Config byItself = Config.defaults();
        Config module = Config.module();
        List<String> expected = parameters()
                .map(field ->
                        "| `" + name(field) + "` | " + text(field, byItself) + " | " + text(field, module) + " | ")
                .toList();
        assertThat(expected).hasSizeGreaterThan(50);
        assertThat(OPERATING).contains(expected);
    }

    @Test
    void everyNameThatCanBeSetIsAField() {
        assertThat(parameters().map(DocumentsTest::name)).containsAll(ConfigParameters.names());
    }

    @Test
    void operatingSaysWhichParametersHaveNoName() {
        List<String> withoutName = parameters()
                .map(DocumentsTest::name)
                .filter(name -> !ConfigParameters.names().contains(name))
                .sorted()
                .toList();
        List<String> fixed = matches(OPERATING, "\\| `(\\w+)` \\|[^|]*\\|[^|]*\\| fixed \\|")
                .map(row -> row.group(1))
                .sorted()
                .toList();
        assertThat(fixed).isEqualTo(withoutName);
    }

    @Test
    void operatingHasEveryCounterOfTheEngineOnce() {
        Counters counters = new Counters();
        List<String> rows = counterRows();
        List<String> documented =
                rows.stream().flatMap(DocumentsTest::namesOfRow).sorted().toList();
        List<String> counted = IntStream.range(0, counters.count())
                .mapToObj(counters::name)
                .filter(name -> !name.startsWith("msg_bytes_"))
                .sorted()
                .toList();
        assertThat(documented.stream().filter(name -> !isOutsideEngine(name) && !name.startsWith("msg_bytes_")))
                .containsExactlyElementsOf(counted);
        assertThat(documented).contains("msg_bytes_64", "msg_bytes_4096", "msg_bytes_5120", "msg_bytes_131072");
    }

    @Test
    void operatingHasEveryCounterOfDriversAndShell() {
        String names = "counters\\.put\\(\\s*\"(\\w+)\"";
        List<String> counted = Stream.of("homa4j-driver", "homa4j")
                .flatMap(module -> walk(ROOT.resolve(module).resolve("src/main/java")))
                .filter(file -> file.toString().endsWith(".java"))
                .flatMap(file -> matches(read(file), names).map(put -> put.group(1)))
                .distinct()
                .sorted()
                .toList();
        assertThat(counted).isNotEmpty();
        assertThat(counterRows().stream()
                        .flatMap(DocumentsTest::namesOfRow)
                        .filter(DocumentsTest::isOutsideEngine)
                        .sorted())
                .containsExactlyElementsOf(counted);
    }

    @Test
    void defectsHasOneRowForEachOfThe23() {
        assertThat(matches(DEFECTS, "(?m)^\\| (D-\\d+) \\|").map(row -> row.group(1)))
                .containsExactlyElementsOf(IntStream.rangeClosed(1, 23)
                        .mapToObj(number -> "D-" + number)
                        .toList());
    }

    @Test
    void everyTestNamedInADocumentExists() throws IOException {
        for (Path document : documents()) {
            for (MatchResult named :
                    matches(read(document), "`(\\w+Test)\\.(\\w+)`").toList()) {
                assertThat(sourcesOf(named.group(1)))
                        .as("%s names %s", document, named.group())
                        .anyMatch(source -> source.contains("void " + named.group(2) + "("));
            }
        }
    }

    @Test
    void everyLinkLeadsSomewhere() throws IOException {
        for (Path document : documents()) {
            for (MatchResult link : matches(read(document), "\\]\\((?!https?:)([^)#]*)(#[^)]*)?\\)")
                    .toList()) {
                Path target = link.group(1).isEmpty() ? document : document.resolveSibling(link.group(1));
                assertThat(target).as("%s links to %s", document, link.group()).exists();
                String heading = link.group(2);
                if (heading != null) {
                    assertThat(matches(read(target), "(?m)^#+ (.*)$").map(title -> "#" + anchor(title.group(1))))
                            .as("%s links to %s", document, link.group())
                            .contains(heading);
                }
            }
        }
    }

    // ---- parameters

    private static Stream<Field> parameters() {
        return Arrays.stream(Config.class.getFields()).filter(field -> !Modifier.isStatic(field.getModifiers()));
    }

    /** The module's name where it has one: underscores instead of capitals. */
    private static String name(Field field) {
        return field.getName().equals("firstId")
                ? "next_id"
                : field.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    private static String text(Field field, Config config) {
        try {
            Object value = field.get(config);
            return value instanceof int[] numbers
                    ? Arrays.stream(numbers).mapToObj(Integer::toString).collect(Collectors.joining(" "))
                    : value.toString();
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    // ---- counters

    /** First columns of the tables under "Counters". */
    private static List<String> counterRows() {
        String section = OPERATING.substring(OPERATING.indexOf("\n## Counters\n"));
        int end = section.indexOf("\n## ", 1);
        return matches(end < 0 ? section : section.substring(0, end), "(?m)^\\| ([^|]*) \\|")
                .map(row -> row.group(1))
                .toList();
    }

    /** The names in a row's first column; "`priority0_bytes` to `priority7_bytes`" are eight. */
    private static Stream<String> namesOfRow(String row) {
        String levels = "`priority0_(\\w+)` to `priority7_\\w+`";
        return Stream.concat(
                matches(row, levels)
                        .flatMap(range ->
                                IntStream.range(0, 8).mapToObj(level -> "priority" + level + "_" + range.group(1))),
                matches(row.replaceAll(levels, ""), "`(\\w+)`").map(name -> name.group(1)));
    }

    private static boolean isOutsideEngine(String counter) {
        return counter.startsWith("driver_") || counter.startsWith("faults_") || counter.startsWith("application_");
    }

    // ---- files

    private static List<Path> documents() throws IOException {
        try (Stream<Path> top = Files.list(ROOT);
                Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
            return Stream.concat(top, docs)
                    .filter(file -> file.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        }
    }

    private static List<String> sourcesOf(String testClass) throws IOException {
        try (Stream<Path> modules = Files.list(ROOT)) {
            return modules.map(module -> module.resolve("src/test/java"))
                    .filter(Files::isDirectory)
                    .flatMap(DocumentsTest::walk)
                    .filter(file -> file.endsWith(testClass + ".java"))
                    .map(DocumentsTest::read)
                    .toList();
        }
    }

    private static Stream<Path> walk(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<MatchResult> matches(String text, String pattern) {
        return Pattern.compile(pattern).matcher(text).results();
    }

    /** The anchor GitHub gives a heading. */
    private static String anchor(String heading) {
        return heading.toLowerCase(Locale.ROOT).replaceAll("[^\\w\\- ]", "").replace(' ', '-');
    }
}
