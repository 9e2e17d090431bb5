package io.homa4j.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.Annotation;
import java.lang.classfile.AnnotationElement;
import java.lang.classfile.AnnotationValue;
import java.lang.classfile.AttributedElement;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.reflect.AccessFlag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The {@code @Pins} marks of compiled tests, read from their class files, so that only what really runs counts: a mark
 * on a method that is no test, on a disabled one, or in a class the runner does not look at, is a problem.
 */
final class Marks {
    private static final String PINS = "Lio/homa4j/conformance/Pins;";
    private static final String DISABLED = "Lorg/junit/jupiter/api/Disabled;";
    private static final Set<String> TESTS = Set.of(
            "Lorg/junit/jupiter/api/Test;",
            "Lorg/junit/jupiter/api/RepeatedTest;",
            "Lorg/junit/jupiter/api/TestFactory;",
            "Lorg/junit/jupiter/params/ParameterizedTest;");

    /** A row and a test that pins it, as {@code SomethingTest.method}. */
    record Mark(String row, String test) {}

    private final List<Mark> marks = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();

    List<Mark> marks() {
        return List.copyOf(marks);
    }

    /** What is wrong with the marks themselves, one line each. */
    List<String> problems() {
        return List.copyOf(problems);
    }

    /**
     * Reads the compiled tests of one Maven module, if it has any. Classes whose source is gone are leftovers of an
     * earlier build and do not count.
     */
    void readModule(Path module) {
        Path sources = module.resolve("src/test/java");
        if (!Files.isDirectory(sources)) {
            return;
        }
        Path classes = module.resolve("target/test-classes");
        if (!Files.isDirectory(classes)) {
            problems.add(module.getFileName() + ": its tests are not compiled; build all modules (./mvnw verify)");
            return;
        }
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".class")).sorted().toList()) {
                String name = classes.relativize(file).toString().replaceFirst("(\\$.*)?\\.class$", ".java");
                if (Files.exists(sources.resolve(name))) {
                    read(ClassFile.of().parse(file));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads the marks of one class. */
    void read(ClassModel type) {
        String internal = type.thisClass().asInternalName();
        String name = internal.substring(internal.lastIndexOf('/') + 1).replace('$', '.');
        String topLevel = name.replaceFirst("\\..*", "");
        for (MethodModel method : type.methods()) {
            for (Annotation annotation : annotations(method)) {
                if (annotation.className().equalsString(PINS)) {
                    String test = name + "." + method.methodName().stringValue();
                    if (!has(method, TESTS)) {
                        problems.add(test + " is marked but is no test");
                    } else if (has(method, Set.of(DISABLED)) || has(type, Set.of(DISABLED))) {
                        problems.add(test + " is marked but disabled");
                    } else if (!topLevel.endsWith("Test") || type.flags().has(AccessFlag.ABSTRACT)) {
                        problems.add(test + " is marked but the runner does not find it (concrete class named *Test)");
                    } else {
                        rows(annotation).forEach(row -> marks.add(new Mark(row, test)));
                    }
                }
            }
        }
    }

    private static List<String> rows(Annotation pins) {
        List<String> rows = new ArrayList<>();
        for (AnnotationElement element : pins.elements()) {
            if (element.value() instanceof AnnotationValue.OfArray array) {
                for (AnnotationValue value : array.values()) {
                    rows.add(((AnnotationValue.OfString) value).stringValue());
                }
            }
        }
        return rows;
    }

    private static boolean has(AttributedElement element, Set<String> types) {
        return annotations(element).stream()
                .anyMatch(annotation -> types.contains(annotation.className().stringValue()));
    }

    private static List<Annotation> annotations(AttributedElement element) {
        return element.findAttribute(Attributes.runtimeVisibleAnnotations())
                .map(attribute -> attribute.annotations())
                .orElse(List.of());
    }
}
