package io.homa4j.conformance;

import io.homa4j.conformance.Marks.Mark;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The conformance table: every row of the specification with the tests that pin it, or the reason why none does. Its
 * {@link #problems} are whatever would make it lie.
 */
final class Table {
    private static final Pattern CASE = Pattern.compile("([PS]-\\d{3}) (\\S.*)");
    private static final Pattern REASON = Pattern.compile("([PS]-\\d{3}) (kernel|better): (\\S.*)");

    /** Why a row needs no test. */
    private enum Kind {
        /** Mechanics of the kernel without a counterpart here; such a row cannot be pinned. */
        KERNEL,
        /** Different on purpose; tests may pin what homa4j does instead. */
        BETTER
    }

    private record Reason(Kind kind, String text) {}

    private final Map<String, String> topics = new LinkedHashMap<>();
    private final Map<String, Reason> reasons = new LinkedHashMap<>();
    private final Map<String, TreeSet<String>> tests = new LinkedHashMap<>();
    private final List<String> problems = new ArrayList<>();

    /**
     * @param cases lines of docs/conformance-cases.txt: {@code P-001 topic}
     * @param reasonLines lines of docs/conformance-reasons.txt: {@code P-001 kernel|better: reason}
     * @param marks all marks on tests
     */
    Table(List<String> cases, List<String> reasonLines, List<Mark> marks) {
        content(cases).forEach(this::addCase);
        content(reasonLines).forEach(this::addReason);
        marks.forEach(this::addMark);
        for (String row : topics.keySet()) {
            Reason reason = reasons.get(row);
            if (reason == null && !tests.containsKey(row)) {
                problems.add(row + " (" + topics.get(row) + ") has neither a test nor a reason");
            } else if (reason != null && reason.kind == Kind.KERNEL && tests.containsKey(row)) {
                problems.add(row + " is said to be mechanics of the kernel, yet it is pinned by " + testsOf(row));
            }
        }
    }

    /** What is wrong, one line each; empty for a table that tells the truth. */
    List<String> problems() {
        return List.copyOf(problems);
    }

    /** Rows of the table in order. */
    List<String> rows() {
        return List.copyOf(topics.keySet());
    }

    /** The document. */
    String markdown() {
        long pinned = topics.keySet().stream().filter(tests::containsKey).count();
        StringBuilder text = new StringBuilder("""
                # Conformance

                Generated from the `@Pins` marks on tests, [conformance-cases.txt](conformance-cases.txt) and
                [conformance-reasons.txt](conformance-reasons.txt); the build fails when this file is not what they say. To write it anew:

                    ./mvnw -q test -Dtest=ConformanceTest -Dsurefire.failIfNoSpecifiedTests=false -Dhoma.conformance.write=true

                P rows are those of the specification's protocol part, S rows those of its second list of edge cases. *Kernel* marks
                mechanics of the kernel module that have no counterpart here, *better* a deliberate difference.

                """);
        text.append("%d rows: %d pinned by tests, %d better, %d kernel.%n%n"
                .formatted(topics.size(), pinned, count(Kind.BETTER), count(Kind.KERNEL)));
        text.append("| Row | What it is about | Pinned by, or why not |\n|---|---|---|\n");
        topics.forEach((row, topic) -> text.append("| %s | %s | %s |%n".formatted(row, topic, verdict(row))));
        return text.toString();
    }

    private String verdict(String row) {
        Reason reason = reasons.get(row);
        String why = reason == null
                ? ""
                : (reason.kind == Kind.KERNEL ? "*Kernel*: " : "*Better*: ") + reason.text.replace("|", "\\|");
        String pinned = testsOf(row);
        return why.isEmpty() || pinned.isEmpty() ? why + pinned : why + "; " + pinned;
    }

    private String testsOf(String row) {
        return tests.containsKey(row) ? "`" + String.join("`, `", tests.get(row)) + "`" : "";
    }

    private long count(Kind kind) {
        return reasons.values().stream().filter(reason -> reason.kind == kind).count();
    }

    private void addCase(String line) {
        Matcher parts = CASE.matcher(line);
        if (!parts.matches()) {
            problems.add("not a case (P-001 topic): " + line);
        } else if (topics.put(parts.group(1), parts.group(2).replace("|", "\\|")) != null) {
            problems.add(parts.group(1) + " is listed twice");
        }
    }

    private void addReason(String line) {
        Matcher parts = REASON.matcher(line);
        if (!parts.matches()) {
            problems.add("not a reason (P-001 kernel|better: why): " + line);
            return;
        }
        String row = parts.group(1);
        Kind kind = parts.group(2).equals("kernel") ? Kind.KERNEL : Kind.BETTER;
        if (!topics.containsKey(row)) {
            problems.add("a reason names " + row + ", which is no row");
        } else if (reasons.put(row, new Reason(kind, parts.group(3))) != null) {
            problems.add(row + " has two reasons");
        }
    }

    private void addMark(Mark mark) {
        if (!topics.containsKey(mark.row())) {
            problems.add(mark.test() + " pins " + mark.row() + ", which is no row");
        } else {
            tests.computeIfAbsent(mark.row(), row -> new TreeSet<>()).add(mark.test());
        }
    }

    private static List<String> content(List<String> lines) {
        return lines.stream()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .toList();
    }
}
