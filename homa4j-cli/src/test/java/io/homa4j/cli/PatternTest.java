package io.homa4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class PatternTest {
    @Test
    void aRequestSaysWhatItWantsAndFollowsTheRuleBehind() {
        byte[] request = Pattern.request(1_000_000, 77, 1234);
        assertThat(request).startsWith(0, 0, 0, 77, 0, 0, 1234 >> 8, (byte) 1234);
        for (int i = Pattern.HEADER; i < request.length; i++) {
            if (request[i] != (byte) ((31 * i + (i >> 8)) % 256)) {
                throw new AssertionError("byte " + i + " is " + request[i]);
            }
        }
        MemorySegment segment = MemorySegment.ofArray(request);
        assertThat(Pattern.responseLength(segment)).isEqualTo(77);
        assertThat(Pattern.delayMs(segment)).isEqualTo(1234);
        assertThat(Pattern.isIntact(segment)).isTrue();
    }

    @Test
    void everyDamagedByteBehindTheHeaderIsFound() {
        for (int at : new int[] {8, 9, 255, 256, 70_000, 99_999}) {
            byte[] message = Pattern.request(100_000, 1, 0);
            message[at]++;
            assertThat(Pattern.isIntact(MemorySegment.ofArray(message)))
                    .as("byte " + at)
                    .isFalse();
        }
    }

    @Test
    void shortMessagesHaveAsMuchHeaderAsFits() {
        assertThat(Pattern.request(3, 0x01020304, 0)).containsExactly(1, 2, 3);
        assertThat(Pattern.isIntact(MemorySegment.ofArray(new byte[] {9, 9, 9})))
                .isTrue();
    }

    @Test
    void responsesFollowTheRuleFromTheFirstByteOn() {
        MemorySegment response = Pattern.response(1000);
        for (int i = 0; i < 1000; i++) {
            assertThat(response.get(java.lang.foreign.ValueLayout.JAVA_BYTE, i)).isEqualTo(Pattern.byteAt(i));
        }
        assertThat(Pattern.isIntact(response)).isTrue();
    }
}
