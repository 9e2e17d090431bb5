package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonTest {
    @TempDir
    Path folder;

    @Test
    void plainObjectsStandOnOneLineInTheirOwnOrder() {
        Map<String, Object> value = new LinkedHashMap<>();
        value.put("z", 1);
        value.put("a", true);
        value.put("text", "x");
        value.put("nothing", null);
        assertThat(Json.text(value)).isEqualTo("{\"z\": 1, \"a\": true, \"text\": \"x\", \"nothing\": null}");
    }

    @Test
    void nestedValuesAreIndented() {
        Map<String, Object> inner = new LinkedHashMap<>();
        inner.put("p50", 3.25);
        Map<String, Object> outer = new LinkedHashMap<>();
        outer.put("results", List.of(inner, inner));
        outer.put("numbers", List.of(1, 2));
        assertThat(Json.text(outer)).isEqualTo("""
            {
              "results": [
                {"p50": 3.25},
                {"p50": 3.25}
              ],
              "numbers": [1, 2]
            }\
            """);
    }

    @Test
    void numbersAreNeverMoreThanJsonKnows() {
        assertThat(Json.text(
                        Arrays.asList(1.5, 2.0, 0.1 + 0.2, Double.NaN, Double.POSITIVE_INFINITY, 1e-9, 1e300, -3L)))
                .isEqualTo("[1.5, 2, 0.3, null, null, 1.0E-9, 1.0E300, -3]");
    }

    @Test
    void stringsAreEscaped() {
        assertThat(Json.text("a\"b\\c\n\t\u0001\u007fé")).isEqualTo("\"a\\\"b\\\\c\\n\\t\\u0001\\u007fé\"");
    }

    @Test
    void goesToTheFileOrToStandardOutputAlone() throws IOException {
        StringWriter out = new StringWriter();
        Path file = folder.resolve("x.json");
        Json.write(file.toString(), new PrintWriter(out), List.of(1));
        assertThat(Files.readString(file)).isEqualTo("[1]\n");
        assertThat(out.toString()).isEmpty();
        Json.write(Json.STANDARD_OUTPUT, new PrintWriter(out), List.of(2));
        assertThat(out.toString()).isEqualToIgnoringNewLines("[2]");
    }

    @Test
    void aFileThatCannotBeWrittenIsSaidWithARemedy() {
        String target = folder.resolve("missing/x.json").toString();
        assertThatThrownBy(() -> Json.write(target, new PrintWriter(new StringWriter()), List.of()))
                .isInstanceOf(CliException.class)
                .hasMessageContaining(target);
    }
}
