package io.homa4j.cli;

import io.homa4j.Handler;
import io.homa4j.Homa;
import io.homa4j.HomaBuffer;
import io.homa4j.HomaServer;
import io.homa4j.Request;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The server of a soak: one Homa port that executes requests, and a second one that is asked about them. Both are RPCs of
 * the same Homa, so a soak needs no other connection than the one it tests.
 *
 * <pre>
 * question        B runSeed(8) rpcs(8)   a new run begins; its ledger is empty
 *                 R sent(8)              what happened up to now
 * answer to B     1 byte
 * answer to R     {@link Status}, as longs
 * </pre>
 *
 * Numbers are big-endian.
 */
final class SoakServer implements AutoCloseable {
    private static final byte BEGIN = 'B';
    private static final byte REPORT = 'R';

    /** What the engine's counter of DATA packets sent again is called (spec metrics 4). */
    private static final String RETRANSMITTED = "resent_packets";

    /** A run, its ledger, and what was counted before it. */
    private record Run(SoakPlan plan, SoakLedger ledger, long retransmittedBefore, SoakFaults faultsBefore) {}

    /** The answer to {@link #REPORT}. */
    record Status(SoakLedger.Report report, long retransmitted, SoakFaults faults) {
        byte[] bytes() {
            byte[] bytes = new byte[8 * (8 + report.examples().size())];
            ByteBuffer out = ByteBuffer.wrap(bytes);
            out.putLong(report.executions())
                    .putLong(report.corrupted())
                    .putLong(report.executedTwice())
                    .putLong(report.neverExecuted())
                    .putLong(retransmitted)
                    .putLong(faults.lost())
                    .putLong(faults.duplicated())
                    .putLong(faults.reordered());
            report.examples().forEach(out::putLong);
            return bytes;
        }

        static Status parse(byte[] bytes) {
            ByteBuffer in = ByteBuffer.wrap(bytes);
            long executions = in.getLong();
            long corrupted = in.getLong();
            long twice = in.getLong();
            long never = in.getLong();
            long retransmitted = in.getLong();
            SoakFaults faults = new SoakFaults(in.getLong(), in.getLong(), in.getLong());
            List<Long> examples = new ArrayList<>();
            while (in.hasRemaining()) {
                examples.add(in.getLong());
            }
            return new Status(
                    new SoakLedger.Report(executions, corrupted, twice, never, examples), retransmitted, faults);
        }
    }

    private final Homa homa;
    private final AtomicReference<@Nullable Run> run = new AtomicReference<>();
    private final HomaServer server;
    private final HomaServer questions;

    /**
     * @param homa closed with this object
     * @param port of the server; 0 for free ones. Questions go to the next port
     * @param receiveRegion of the server, bytes
     */
    SoakServer(Homa homa, int port, long receiveRegion) {
        this.homa = homa;
        Handler execute = this::execute;
        this.server = homa.server(port).receiveRegion(receiveRegion).open(execute);
        this.questions = homa.serve(port == 0 ? 0 : port + 1, this::answer);
    }

    Map<String, Long> counters() {
        return homa.counters();
    }

    int port() {
        return server.port();
    }

    int questionPort() {
        return questions.port();
    }

    void awaitClosed() throws InterruptedException {
        server.awaitClosed();
    }

    private void execute(Request request) throws InterruptedException {
        Run now = run.get();
        if (now == null) {
            request.dismiss();
            return;
        }
        SoakPlan plan = now.plan;
        MemorySegment message = request.segment();
        int length = request.length();
        long seed = SoakPlan.seed(message);
        if (length >= SoakPlan.NUMBERED) {
            long number = plan.number(seed);
            boolean isIntact = plan.requestLength(number) == length && plan.isIntact(message, seed);
            now.ledger.executed(number, isIntact);
        } else {
            now.ledger.executedShort(request.id(), length, seed);
        }
        HomaBuffer response = homa.buffers().take(plan.responseLength(seed, length));
        plan.fill(response.segment(), plan.responseSeed(seed, length));
        request.reply(response);
    }

    private void answer(Request request) {
        ByteBuffer question = ByteBuffer.wrap(request.bytes());
        byte what = question.get();
        if (what == BEGIN && question.remaining() == 16) {
            SoakPlan plan = new SoakPlan(question.getLong());
            SoakLedger ledger = new SoakLedger(plan, (int) question.getLong());
            run.set(new Run(plan, ledger, retransmitted(homa), SoakFaults.of(homa)));
            request.reply(new byte[] {BEGIN});
        } else if (what == REPORT && question.remaining() == 8) {
            Run now = run.get();
            if (now != null) {
                SoakLedger.Report report = now.ledger.report(question.getLong());
                long retransmitted = retransmitted(homa) - now.retransmittedBefore;
                SoakFaults faults = SoakFaults.of(homa).minus(now.faultsBefore);
                request.reply(new Status(report, retransmitted, faults).bytes());
            }
        } else {
            request.dismiss();
        }
    }

    /** The question that begins a run. */
    static byte[] begin(long runSeed, int rpcs) {
        byte[] question = new byte[17];
        ByteBuffer.wrap(question).put(BEGIN).putLong(runSeed).putLong(rpcs);
        return question;
    }

    /** The question what became of the first {@code sent} requests. */
    static byte[] report(long sent) {
        byte[] question = new byte[9];
        ByteBuffer.wrap(question).put(REPORT).putLong(sent);
        return question;
    }

    static long retransmitted(Homa homa) {
        return homa.counters().getOrDefault(RETRANSMITTED, 0L);
    }

    @Override
    public void close() {
        questions.close();
        server.close();
        homa.close();
    }
}
