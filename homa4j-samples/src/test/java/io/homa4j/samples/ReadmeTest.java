package io.homa4j.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README tells people to write compiles. */
class ReadmeTest {
    private static final String CLASS = """
            import io.grpc.*;
            import io.homa4j.*;
            import io.homa4j.grpc.*;
            import java.time.Duration;
            import java.util.concurrent.CompletableFuture;
            abstract class Snippet {
                static final class Greeter implements BindableService {
                    @Override
                    public ServerServiceDefinition bindService() {
                        return ServerServiceDefinition.builder("greeter").build();
                    }
                }
                byte[] question = {1};
                abstract byte[] answer(byte[] request);
                abstract void use(byte[] reply);
                void snippet() throws Exception {
            // snippet
                }
            }
            """;

    @Test
    void javaOfTheReadmeCompiles(@TempDir Path classes) throws IOException {
        String readme = Files.readString(Path.of(System.getProperty("homa.root"), "README.md"));
        List<String> snippets = Pattern.compile("(?s)```java\n(.*?)```")
                .matcher(readme)
                .results()
                .map(block -> block.group(1))
                .toList();
        assertThat(snippets).hasSizeGreaterThanOrEqualTo(3);
        for (String snippet : snippets) {
            StringWriter problems = new StringWriter();
            List<String> options =
                    List.of("-d", classes.toString(), "-cp", System.getProperty("java.class.path"), "-proc:none");
            boolean compiles = ToolProvider.getSystemJavaCompiler()
                    .getTask(problems, null, null, options, null, List.of(source(CLASS.replace("// snippet", snippet))))
                    .call();
            assertThat(compiles).as(problems.toString()).isTrue();
        }
    }

    private static JavaFileObject source(String code) {
        return new SimpleJavaFileObject(URI.create("string:///Snippet.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return code;
            }
        };
    }
}
