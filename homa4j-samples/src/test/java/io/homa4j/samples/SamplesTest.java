package io.homa4j.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** That every sample does what it shows. */
class SamplesTest {
    private interface Sample {
        void main(String[] arguments) throws Exception;
    }

    /** What the sample prints. */
    private static String run(Sample sample) throws Exception {
        PrintStream before = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        try (PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
            System.setOut(capture);
            sample.main(new String[0]);
        } finally {
            System.setOut(before);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }

    @Test
    void echoSaysHello() throws Exception {
        assertThat(run(Echo::main)).matches("\\S+:\\d+ says: hello, Homa\\R");
    }

    @Test
    void theServerOnVirtualThreadsAnswersEverybody() throws Exception {
        assertThat(run(VirtualThreadServer::main)).isEqualToIgnoringNewLines("1000 answers, the last one: in stock: 5");
    }

    @Test
    void theAsynchronousClientCombinesFailsAndGivesUp() throws Exception {
        assertThat(run(AsynchronousClient::main))
                .isEqualToIgnoringNewLines("sum of squares: 1425the silent server: DEADLINEgiven up: true");
    }

    @Test
    void theInvokerLoopServesItself() throws Exception {
        assertThat(run(InvokerLoop::main)).isEqualToIgnoringNewLines("1000 requests answered by one thread");
    }

    @Test
    void grpcSaysHello() throws Exception {
        assertThat(run(GrpcHello::main)).isEqualToIgnoringNewLines("hello, Homa");
    }

    @Test
    void inTheChatEverybodyHearsEverybody() throws Exception {
        assertThat(run(GrpcChat::main))
                .isEqualToIgnoringNewLines("Ada hears: here is BobBob hears: here is BobBob hears: hello, Bob");
    }

    @Test
    void theBalancedClientAsksAllServersEquallyOften() throws Exception {
        assertThat(run(GrpcBalanced::main)).isEqualToIgnoringNewLines("answers: {north=10, south=10, west=10}");
    }
}
