package io.homa4j.grpc;

import io.homa4j.Homa;
import io.homa4j.HomaBuffer;
import io.homa4j.Request;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** How a server answers Homa requests without ever waiting: when all send memory is in use, it tries again soon. Any thread. */
final class Answers {
    private static final long RETRY_MS = 1;

    private final Homa homa;
    private final ScheduledExecutorService timer;

    Answers(Homa homa, ScheduledExecutorService timer) {
        this.homa = homa;
        this.timer = timer;
    }

    /** Answers with a kind and nothing more. */
    void small(Request request, int kind) {
        bytes(request, new byte[] {Frames.VERSION, (byte) kind});
    }

    void bytes(Request request, byte[] answer) {
        if (homa.isClosed()) {
            return;
        }
        HomaBuffer buffer = homa.buffers().tryTake(answer.length);
        if (buffer == null) {
            later(() -> bytes(request, answer));
            return;
        }
        MemorySegment.copy(answer, 0, buffer.segment(), ValueLayout.JAVA_BYTE, 0, answer.length);
        request.reply(buffer);
    }

    void later(Runnable task) {
        var _ = timer.schedule(task, RETRY_MS, TimeUnit.MILLISECONDS);
    }
}
