package io.homa4j;

import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A null option is refused where it is given, naming it; not by the engine's thread, with the first message. */
@SuppressWarnings("NullAway") // what Java callers without NullAway can do
class NullOptionsTest {
    private final Loopback net = new Loopback();

    @AfterEach
    void close() {
        net.close();
    }

    private static void refuses(String option, Runnable call) {
        assertThatNullPointerException().isThrownBy(call::run).withMessageContaining(option);
    }

    @Test
    void everyOptionOfAHoma() {
        record Option(String name, Consumer<Homa.Builder> give) {}
        List<Option> all = List.of(
                new Option("profile", b -> b.profile(null)),
                new Option("name", b -> b.set(null, "1")),
                new Option("mtu", b -> b.set("mtu", null)),
                new Option("threads", b -> b.threads(null)),
                new Option("deadline", b -> b.deadline(null)),
                new Option("datapath", b -> b.datapath(null)),
                new Option("xdp", b -> b.xdp(null)),
                new Option("encapsulation", b -> b.encapsulation(null)),
                new Option("bind", b -> b.bind(null)),
                new Option("completions", b -> b.completions(null)),
                new Option("closeLinger", b -> b.closeLinger(null)),
                new Option("driver", b -> b.driver(null)),
                new Option("pcap", b -> b.pcap(null)));
        for (Option option : all) {
            refuses(option.name, () -> option.give.accept(Homa.builder()));
        }
    }

    @Test
    void everyOptionOfAServer() {
        Homa homa = net.homa();
        refuses("executor", () -> homa.server(0).executor((Executor) null));
        refuses("serviceTimeLimit", () -> homa.server(0).serviceTimeLimit(null));
        refuses("handler", () -> homa.server(0).open(null));
        refuses("handler", () -> homa.serve(0, null));
    }
}
