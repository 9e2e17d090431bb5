package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.homa4j.driver.libc.FfmLibc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Two hosts that are network namespaces, joined by a cable that is a veth pair: the left one 10.94.0.1 and fd94::1, the right one
 * 10.94.0.2 and fd94::2. Needs root, iproute2 and native access; tests are skipped without them.
 */
final class VethPair {
    static final String LEFT4 = "10.94.0.1";
    static final String RIGHT4 = "10.94.0.2";
    static final String LEFT6 = "fd94::1";
    static final String RIGHT6 = "fd94::2";

    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final int CLONE_NEWNET = 0x4000_0000;

    private final String prefix = "hx" + ProcessHandle.current().pid() % 100_000 + "n" + NUMBER.incrementAndGet();
    final String left = prefix + "l";
    final String right = prefix + "r";
    /** Names of the interfaces. */
    static final String LEFT_LINK = "left0";

    static final String RIGHT_LINK = "right0";

    VethPair(int queues) throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root for network namespaces");
        assumeTrue(FfmLibc.obstacle() == null, "needs system calls");
        assumeTrue(succeeds("ip", "netns", "add", left), "needs iproute2 and the right to make namespaces");
        boolean isDone = false;
        try {
            run("ip", "netns", "add", right);
            String count = Integer.toString(queues);
            run(
                    "ip",
                    "link",
                    "add",
                    LEFT_LINK,
                    "netns",
                    left,
                    "numrxqueues",
                    count,
                    "numtxqueues",
                    count,
                    "type",
                    "veth",
                    "peer",
                    "name",
                    RIGHT_LINK,
                    "netns",
                    right,
                    "numrxqueues",
                    count,
                    "numtxqueues",
                    count);
            host(left, LEFT_LINK, LEFT4, LEFT6);
            host(right, RIGHT_LINK, RIGHT4, RIGHT6);
            isDone = true;
        } finally {
            if (!isDone) {
                close();
            }
        }
    }

    private static void host(String namespace, String link, String ipv4, String ipv6) throws Exception {
        run("ip", "-n", namespace, "address", "add", ipv4 + "/24", "dev", link);
        run("ip", "-n", namespace, "address", "add", ipv6 + "/64", "dev", link, "nodad");
        run("ip", "-n", namespace, "link", "set", "lo", "up");
        run("ip", "-n", namespace, "link", "set", link, "up");
    }

    /** Does something as a process of the left host would; descriptors it opens stay there. */
    <T> T onLeft(Callable<T> action) throws Exception {
        return on(left, action);
    }

    <T> T onRight(Callable<T> action) throws Exception {
        return on(right, action);
    }

    private static <T> T on(String namespace, Callable<T> action) throws Exception {
        FutureTask<T> task = new FutureTask<>(() -> {
            enter(namespace);
            return action.call();
        });
        // A thread of its own, which ends with the action: nobody else may find itself on the other host.
        Thread thread = Thread.ofPlatform().start(task);
        thread.join();
        try {
            return task.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }

    @SuppressWarnings("restricted") // only tests are on several hosts at once
    private static void enter(String namespace) throws Exception {
        Linker linker = Linker.nativeLinker();
        MethodHandle open = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("open"),
                FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
                Linker.Option.firstVariadicArg(2));
        MethodHandle setns = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("setns"), FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            int descriptor = (int) open.invokeExact(arena.allocateFrom("/run/netns/" + namespace), 0);
            assertThat(descriptor).isNotNegative();
            assertThat((int) setns.invokeExact(descriptor, CLONE_NEWNET)).isZero();
            new FfmLibc().close(descriptor);
        } catch (Exception | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as("%s: %s", String.join(" ", command), output)
                .isZero();
        return output;
    }

    static boolean succeeds(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    void close() throws Exception {
        for (String namespace : List.of(left, right)) {
            if (Files.exists(Path.of("/run/netns", namespace))) {
                run("ip", "netns", "del", namespace);
            }
        }
    }
}
