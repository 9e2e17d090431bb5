package io.homa4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Marks.Mark;
import java.io.IOException;
import java.lang.classfile.Annotation;
import java.lang.classfile.AnnotationElement;
import java.lang.classfile.AnnotationValue;
import java.lang.classfile.ClassFile;
import java.lang.classfile.attribute.RuntimeVisibleAnnotationsAttribute;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Only marks on tests that really run count. */
class MarksTest {
    private static final ClassDesc TEST = ClassDesc.of("org.junit.jupiter.api.Test");
    private static final ClassDesc PARAMETERIZED = ClassDesc.of("org.junit.jupiter.params.ParameterizedTest");
    private static final ClassDesc DISABLED = ClassDesc.of("org.junit.jupiter.api.Disabled");

    private final Marks marks = new Marks();

    @Test
    void marksOfTestsAreRead() {
        read("x.OneTest", 0, List.of("P-001", "S-002"), TEST);
        read("x.OneTest$Inner", 0, List.of("P-003"), PARAMETERIZED);
        assertThat(marks.marks())
                .containsExactly(
                        new Mark("P-001", "OneTest.method"),
                        new Mark("S-002", "OneTest.method"),
                        new Mark("P-003", "OneTest.Inner.method"));
        assertThat(marks.problems()).isEmpty();
    }

    @Test
    void markOnNoTestIsAProblem() {
        read("x.OneTest", 0, List.of("P-001"));
        assertThat(marks.marks()).isEmpty();
        assertThat(marks.problems()).containsExactly("OneTest.method is marked but is no test");
    }

    @Test
    void markOnADisabledTestIsAProblem() {
        read("x.OneTest", 0, List.of("P-001"), TEST, DISABLED);
        assertThat(marks.marks()).isEmpty();
        assertThat(marks.problems()).containsExactly("OneTest.method is marked but disabled");
    }

    @Test
    void markWhereTheRunnerDoesNotLookIsAProblem() {
        read("x.Helper", 0, List.of("P-001"), TEST);
        read("x.AbstractTest", ClassFile.ACC_ABSTRACT, List.of("P-001"), TEST);
        assertThat(marks.marks()).isEmpty();
        assertThat(marks.problems())
                .allMatch(problem -> problem.contains("the runner does not find it"))
                .hasSize(2);
    }

    @Test
    void classesWithoutSourceDoNotCount(@TempDir Path module) throws IOException {
        Path sources = Files.createDirectories(module.resolve("src/test/java/x"));
        Path classes = Files.createDirectories(module.resolve("target/test-classes/x"));
        Files.writeString(sources.resolve("OneTest.java"), "");
        Files.write(classes.resolve("OneTest.class"), compile("x.OneTest", 0, List.of("P-001"), TEST));
        Files.write(classes.resolve("GoneTest.class"), compile("x.GoneTest", 0, List.of("P-002"), TEST));
        marks.readModule(module);
        assertThat(marks.marks()).containsExactly(new Mark("P-001", "OneTest.method"));
        assertThat(marks.problems()).isEmpty();
    }

    @Test
    void moduleWhoseTestsAreNotCompiledIsAProblem(@TempDir Path module) throws IOException {
        Files.createDirectories(module.resolve("src/test/java"));
        marks.readModule(module);
        assertThat(marks.problems()).singleElement().asString().contains("not compiled");
    }

    private void read(String className, int flags, List<String> rows, ClassDesc... annotations) {
        marks.read(ClassFile.of().parse(compile(className, flags, rows, annotations)));
    }

    /** A class with one method that pins the rows and has the other annotations. */
    private static byte[] compile(String className, int flags, List<String> rows, ClassDesc... annotations) {
        List<Annotation> all = new ArrayList<>();
        Arrays.stream(annotations).forEach(type -> all.add(Annotation.of(type)));
        all.add(Annotation.of(
                ClassDesc.of("io.homa4j.conformance.Pins"),
                AnnotationElement.of(
                        "value",
                        AnnotationValue.ofArray(
                                rows.stream().map(AnnotationValue::ofString).toArray(AnnotationValue[]::new)))));
        return ClassFile.of()
                .build(
                        ClassDesc.of(className),
                        type -> type.withFlags(ClassFile.ACC_SUPER | flags)
                                .withMethod(
                                        "method",
                                        ConstantDescs.MTD_void,
                                        0,
                                        method -> method.with(RuntimeVisibleAnnotationsAttribute.of(all))
                                                .withCode(code -> code.return_())));
    }
}
