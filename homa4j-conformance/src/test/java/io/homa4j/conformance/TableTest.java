package io.homa4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Marks.Mark;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whatever would make the table lie is a problem. */
class TableTest {
    private static final List<String> CASES = List.of("# comment", "", "P-001 first", "P-002 second", "S-001 third");

    @Test
    void completeTableHasOneLinePerRow() {
        Table table = new Table(
                CASES,
                List.of("# comment", "P-002 kernel: locks", "S-001 better: contiguous"),
                List.of(new Mark("P-001", "BTest.b"), new Mark("P-001", "ATest.a"), new Mark("S-001", "CTest.c")));
        assertThat(table.problems()).isEmpty();
        assertThat(table.rows()).containsExactly("P-001", "P-002", "S-001");
        assertThat(table.markdown())
                .contains("3 rows: 2 pinned by tests, 1 better, 1 kernel.")
                .contains("\n| P-001 | first | `ATest.a`, `BTest.b` |\n")
                .contains("\n| P-002 | second | *Kernel*: locks |\n")
                .contains("\n| S-001 | third | *Better*: contiguous; `CTest.c` |\n");
    }

    @Test
    void rowWithoutTestAndReasonIsAProblem() {
        assertThat(problems(List.of("P-002 kernel: locks"), new Mark("P-001", "ATest.a")))
                .containsExactly("S-001 (third) has neither a test nor a reason");
    }

    @Test
    void markOfAnUnknownRowIsAProblem() {
        assertThat(problems(ALL_REASONS, new Mark("P-003", "ATest.a")))
                .containsExactly("ATest.a pins P-003, which is no row");
    }

    @Test
    void pinnedKernelRowIsAProblem() {
        assertThat(problems(ALL_REASONS, new Mark("P-002", "ATest.a")))
                .containsExactly("P-002 is said to be mechanics of the kernel, yet it is pinned by `ATest.a`");
    }

    @Test
    void wrongReasonsAreProblems() {
        assertThat(problems(List.of(
                        "P-001 better: so",
                        "P-001 better: again",
                        "P-002 because: so",
                        "P-002 kernel:",
                        "P-002 kernel: locks",
                        "S-001 better: so",
                        "S-009 kernel: locks")))
                .containsExactly(
                        "P-001 has two reasons",
                        "not a reason (P-001 kernel|better: why): P-002 because: so",
                        "not a reason (P-001 kernel|better: why): P-002 kernel:",
                        "a reason names S-009, which is no row");
    }

    @Test
    void wrongCasesAreProblems() {
        Table table =
                new Table(List.of("P-001 first", "P-001 first", "Q-001 x"), List.of("P-001 better: so"), List.of());
        assertThat(table.problems()).containsExactly("P-001 is listed twice", "not a case (P-001 topic): Q-001 x");
    }

    private static final List<String> ALL_REASONS =
            List.of("P-001 better: so", "P-002 kernel: locks", "S-001 better: so");

    private static List<String> problems(List<String> reasons, Mark... marks) {
        return new Table(CASES, reasons, List.of(marks)).problems();
    }
}
