package io.homa4j.cli;

import io.homa4j.Handler;
import io.homa4j.HomaClosedException;
import io.homa4j.HomaLimitException;
import io.homa4j.Request;
import io.homa4j.protocol.Config;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * Answers the requests of load clients. It is a short handler: it runs on the engine's thread and never waits. An answer
 * that must wait, for its time or for room to send, is given by another thread.
 */
final class Responder implements Handler, AutoCloseable {
    private final Replies replies;
    private final MemorySegment fixed;
    private final ScheduledExecutorService later;

    final LongAdder requests = new LongAdder();
    final LongAdder bytesIn = new LongAdder();
    final LongAdder answers = new LongAdder();
    final LongAdder bytesOut = new LongAdder();
    /** Requests with a byte that the {@link Pattern} does not have there. */
    final LongAdder mismatches = new LongAdder();
    /** Requests that do not say what they want: too short, or wanting what no message can have. */
    final LongAdder malformed = new LongAdder();
    /** Answers nobody takes: the socket is closed. */
    final LongAdder unsent = new LongAdder();

    Responder(Replies replies) {
        this.replies = replies;
        this.fixed = Pattern.response(replies.bytes());
        this.later = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("homa-delays").daemon().factory());
    }

    @Override
    public void handle(Request request) {
        int length = request.length();
        requests.increment();
        bytesIn.add(length);
        switch (replies.kind()) {
            case SAME -> answer(request, request.segment());
            case FIXED -> answer(request, fixed);
            case HEADER -> answerAsWished(request, length);
        }
    }

    private void answerAsWished(Request request, int length) {
        MemorySegment message = request.segment();
        if (!Pattern.isIntact(message)) {
            mismatches.increment();
        }
        int wanted = length < Pattern.HEADER ? -1 : Pattern.responseLength(message);
        int delayMs = length < Pattern.HEADER ? -1 : Pattern.delayMs(message);
        if (wanted < 1 || wanted > Config.MAX_MESSAGE_BYTES || delayMs < 0) {
            malformed.increment();
            request.dismiss();
            return;
        }
        MemorySegment response = Pattern.response(wanted);
        if (delayMs == 0) {
            answer(request, response);
        } else {
            // The answer needs nothing of the request, whose memory may be wanted meanwhile.
            request.close();
            var _ = later.schedule(() -> answerOnItsOwnThread(request, response), delayMs, TimeUnit.MILLISECONDS);
        }
    }

    private void answer(Request request, MemorySegment response) {
        try {
            request.reply(response);
            count(response);
        } catch (HomaLimitException e) {
            // The send limit is reached, and this thread must not wait for it.
            answerOnItsOwnThread(request, response);
        } catch (HomaClosedException e) {
            unsent.increment();
        }
    }

    private void answerOnItsOwnThread(Request request, MemorySegment response) {
        Thread.startVirtualThread(() -> {
            try {
                request.reply(response);
                count(response);
            } catch (HomaClosedException | HomaLimitException e) {
                unsent.increment();
            }
        });
    }

    private void count(MemorySegment response) {
        answers.increment();
        bytesOut.add(response.byteSize());
    }

    /** Answers that still wait for their time are not given any more. */
    @Override
    public void close() {
        later.shutdownNow();
    }
}
