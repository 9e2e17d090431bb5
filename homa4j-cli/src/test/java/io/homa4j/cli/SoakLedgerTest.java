package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SoakLedgerTest {
    private static final int RPCS = 20_000;

    private final SoakPlan plan = new SoakPlan(11);
    private final SoakLedger ledger = new SoakLedger(plan, RPCS);

    @Test
    void everythingOnceIsClean() {
        LongStream.range(0, RPCS).forEach(number -> execute(number, number));
        assertThat(ledger.report(RPCS)).isEqualTo(report(RPCS, 0, 0, 0));
    }

    @Test
    void aNumberedRequestTwiceIsFound() {
        LongStream.range(0, RPCS).forEach(number -> execute(number, number));
        long number = numbered();
        execute(number, number);
        execute(number, number);
        assertThat(ledger.report(RPCS).executedTwice()).isOne();
        assertThat(ledger.report(RPCS).examples()).containsExactly(number);
    }

    @Test
    void aShortRequestTwiceIsFoundByItsId() {
        LongStream.range(0, RPCS).forEach(number -> execute(number, number));
        long number = shortOne();
        execute(number, number);
        assertThat(ledger.report(RPCS)).isEqualTo(report(RPCS + 1, 0, 1, 0));
    }

    @Test
    void aShortRequestTwiceUnderTwoIdsIsFoundByItsKind() {
        LongStream.range(0, RPCS).forEach(number -> execute(number, number));
        execute(shortOne(), 1_000_000);
        assertThat(ledger.report(RPCS)).isEqualTo(report(RPCS + 1, 0, 1, 0));
    }

    @Test
    void requestsThatWereSentAndNeverExecutedAreFound() {
        LongStream.range(0, RPCS)
                .filter(number -> number != numbered() && number != shortOne())
                .forEach(number -> execute(number, number));
        assertThat(ledger.report(RPCS).neverExecuted()).isEqualTo(2);
        assertThat(ledger.report(RPCS).examples()).containsExactly(numbered());
    }

    @Test
    void requestsThatWereNotSentYetAreNotMissed() {
        LongStream.range(0, 100).forEach(number -> execute(number, number));
        assertThat(ledger.report(100)).isEqualTo(report(100, 0, 0, 0));
    }

    @Test
    void damagedAndForeignRequestsAreCorrupted() {
        ledger.executed(numbered(), false);
        ledger.executed(RPCS, true);
        ledger.executed(-1, true);
        assertThat(ledger.report(0)).isEqualTo(report(3, 3, 0, 0));
    }

    private void execute(long number, long id) {
        int length = plan.requestLength(number);
        if (length < SoakPlan.NUMBERED) {
            ledger.executedShort(id, length, plan.requestSeed(number));
        } else {
            ledger.executed(number, true);
        }
    }

    private long numbered() {
        return LongStream.range(0, RPCS)
                .filter(number -> plan.requestLength(number) >= SoakPlan.NUMBERED)
                .findFirst()
                .orElseThrow();
    }

    private long shortOne() {
        return LongStream.range(0, RPCS)
                .filter(number -> plan.requestLength(number) < SoakPlan.NUMBERED)
                .findFirst()
                .orElseThrow();
    }

    private static SoakLedger.Report report(long executions, long corrupted, long twice, long never) {
        return new SoakLedger.Report(executions, corrupted, twice, never, java.util.List.of());
    }
}
