package io.homa4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How what a stream has to send is cut into messages: sizes stay honest towards those who serve the shortest first. */
final class OutboxTest {
    private static final int PREAMBLE = Frames.REQUEST_RECORDS_AT;

    @Test
    void longMessageLeavesInAsFewPiecesAsPossibleAllOfAboutTheSameSize() {
        for (int bytes : new int[] {999_000, 1_000_000, 1_000_001, 1_999_999, 2_000_000, 10_000_000, 64_000_000}) {
            List<Integer> pieces = pieces(outbox(bytes, Long.MAX_VALUE));
            int fewest = (bytes + Frames.MAX_PIECE_BYTES - 1) / Frames.MAX_PIECE_BYTES;
            assertThat(pieces).as("%d bytes", bytes).hasSize(fewest);
            assertThat(pieces.stream().mapToInt(piece -> piece).sum()).isEqualTo(bytes);
            int least = pieces.stream().mapToInt(piece -> piece).min().orElseThrow();
            int most = pieces.stream().mapToInt(piece -> piece).max().orElseThrow();
            assertThat(most - least).as("%d bytes in %s", bytes, pieces).isLessThan(fewest);
        }
    }

    @Test
    void pieceThatTheReceiverDoesNotTakeWaitsInsteadOfBeingCut() {
        Outbox outbox = outbox(1_900_000, 949_999);
        assertThat(outbox.plan()).isFalse();
        outbox.limit(950_000);
        assertThat(pieces(outbox)).containsExactly(950_000);
        outbox.limit(1_899_999);
        assertThat(outbox.plan()).isFalse();
        outbox.limit(1_900_000);
        assertThat(pieces(outbox)).containsExactly(950_000);
    }

    @Test
    void shortMessagesThatHaveGatheredLeaveTogether() {
        Outbox outbox = new Outbox(PREAMBLE, Long.MAX_VALUE);
        for (int i = 0; i < 100; i++) {
            outbox.frame(frame(100));
        }
        outbox.flush();
        assertThat(pieces(outbox)).containsExactly(10_000);
    }

    @Test
    void whatIsNotFlushedStays() {
        Outbox outbox = new Outbox(PREAMBLE, Long.MAX_VALUE);
        outbox.frame(frame(100));
        assertThat(outbox.plan()).isFalse();
        outbox.flush();
        outbox.frame(frame(50));
        assertThat(pieces(outbox)).containsExactly(100);
        assertThat(outbox.plan()).isFalse();
    }

    private static Outbox outbox(int bytes, long limit) {
        Outbox outbox = new Outbox(PREAMBLE, limit);
        for (int left = bytes; left > 0; left -= Math.min(left, 1 << 20)) {
            outbox.frame(frame(Math.min(left, 1 << 20)));
        }
        outbox.flush();
        return outbox;
    }

    private static HeapBuffer frame(int bytes) {
        HeapBuffer frame = HeapBuffer.allocate(bytes);
        frame.write(new byte[bytes], 0, bytes);
        return frame;
    }

    /** The DATA bytes of each message that leaves now. */
    private static List<Integer> pieces(Outbox outbox) {
        List<Integer> pieces = new ArrayList<>();
        MemorySegment message = MemorySegment.ofArray(new byte[Frames.MAX_MESSAGE_BYTES]);
        while (outbox.plan()) {
            pieces.add(outbox.plannedDataBytes());
            outbox.take(message.asSlice(0, outbox.plannedBytes()));
        }
        return pieces;
    }
}
