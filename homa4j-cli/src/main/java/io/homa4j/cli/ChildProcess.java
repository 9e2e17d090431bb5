package io.homa4j.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A homa command in a process of its own, on the same Java with the same options as this one. It talks in lines on its
 * standard output, and it lives no longer than this process, however that one ends: the child holds the reading end of a
 * pipe to its parent and goes away when the pipe breaks ({@link #runWithParent}).
 */
final class ChildProcess implements AutoCloseable {
    private static final String MAIN_CLASS = "io.homa4j.cli.Homa";
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    /** Exit code of a child whose parent is gone; nobody is left to see it. */
    private static final int ORPHANED = 3;

    private final String name;
    private final Process process;
    private final BlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();
    /** What the child said last on its standard error. */
    private volatile @Nullable String lastError;

    private final Thread errors;

    private ChildProcess(String name, Process process) {
        this.name = name;
        this.process = process;
        Thread.ofPlatform().daemon().name(name + "-output").start(this::readOutput);
        errors = Thread.ofPlatform().daemon().name(name + "-errors").start(this::readErrors);
    }

    /**
     * Starts a homa command.
     *
     * @param name what it is, for error messages
     */
    static ChildProcess start(String name, List<String> command) {
        return start(name, javaCommand(), command);
    }

    /** As {@link #start(String, List)}, with the words that start the {@code homa} command in place of {@link #javaCommand}. */
    static ChildProcess start(String name, List<String> homa, List<String> command) {
        List<String> words = new ArrayList<>(homa);
        words.addAll(command);
        try {
            return new ChildProcess(name, new ProcessBuilder(words).start());
        } catch (IOException e) {
            throw new CliException(
                    "cannot start " + words.getFirst() + " (" + e.getMessage() + ")",
                    "check that this Java is still installed and that there is memory left",
                    e);
        }
    }

    /**
     * For the child: runs its work so that the process ends as soon as its parent has, and not before it. A Ctrl-C at the
     * terminal goes to both; the parent alone decides what it means, and may still need its child for that.
     */
    static int runWithParent(Callable<Integer> work) throws Exception {
        return runWithParent(
                line -> {
                    // Nothing is ever said; only the end counts.
                },
                work);
    }

    /** As {@link #runWithParent(Callable)}, with what the parent says ({@link #say}). Words are told on a thread of their own. */
    static int runWithParent(Consumer<String> words, Callable<Integer> work) throws Exception {
        return runWithParent(
                words,
                () -> {
                    // What it used goes with the process.
                },
                work);
    }

    /** As {@link #runWithParent(Consumer, Callable)}, with what is to be done if the parent ends first, by a kill. */
    static int runWithParent(Consumer<String> words, Runnable orphaned, Callable<Integer> work) throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> awaitUninterruptibly(done), "parent-wait"));
        Thread.ofPlatform().daemon().name("parent-watch").start(() -> {
            try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    words.accept(line);
                }
            } catch (IOException e) {
                // A broken pipe says the same.
                assert e != null;
            }
            try {
                orphaned.run();
            } finally {
                Runtime.getRuntime().halt(ORPHANED);
            }
        });
        try {
            return work.call();
        } finally {
            done.countDown();
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        while (latch.getCount() > 0) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                // The only way out is the one described above.
                assert latch.getCount() >= 0 : e;
            }
        }
    }

    /** The command line of this process up to homa's own arguments. */
    static List<String> javaCommand() {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            // Agents and debuggers are for the process they were given to; the main module is named below.
            if (!option.startsWith("-javaagent:")
                    && !option.startsWith("-agent")
                    && !option.startsWith("-Djdk.module.main")) {
                words.add(option);
            }
        }
        String module = System.getProperty("jdk.module.main");
        if ("io.homa4j.cli".equals(module)) {
            words.addAll(List.of("-m", module + "/" + MAIN_CLASS));
        } else {
            words.addAll(List.of("-cp", System.getProperty("java.class.path"), MAIN_CLASS));
        }
        return words;
    }

    /** Says a line to a child that listens ({@link #runWithParent(Consumer, Callable)}). @throws CliException if it has ended */
    void say(String line) {
        try {
            OutputStream out = process.getOutputStream();
            out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
        } catch (IOException e) {
            // A broken pipe: the child says why itself.
            assert e != null;
            throw ended();
        }
    }

    /** @throws CliException if the child has ended */
    void checkAlive() {
        if (!process.isAlive()) {
            throw ended();
        }
    }

    /**
     * The next line of the child's standard output.
     *
     * @return null when the time is over
     * @throws CliException if the child has ended
     */
    @Nullable
    String readLine(Duration timeout) throws InterruptedException {
        Optional<String> line = lines.poll(timeout.toNanos(), TimeUnit.NANOSECONDS);
        if (line == null) {
            return null;
        }
        return line.orElseThrow(this::ended);
    }

    /** As {@link #readLine}, for a line that must come. @throws CliException if it does not */
    String expectLine(Duration timeout) throws InterruptedException {
        String line = readLine(timeout);
        if (line == null) {
            throw new CliException(
                    "the " + name + " process said nothing for " + timeout.toSeconds() + " s",
                    "try again when the machine has less to do");
        }
        return line;
    }

    private CliException ended() {
        try {
            errors.join(PATIENCE);
            process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        String said = lastError;
        return new CliException(
                "the " + name + " process ended"
                        + (process.isAlive() ? "" : " with exit code " + process.exitValue())
                        + (said == null ? "" : " (" + said + ")"),
                "run again with HOMA_DEBUG=1 if this does not say enough");
    }

    private void readOutput() {
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            in.lines().forEach(line -> lines.add(Optional.of(line)));
        } catch (IOException | UncheckedIOException e) {
            lastError = e.getMessage();
        } finally {
            lines.add(Optional.empty());
        }
    }

    private void readErrors() {
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
            boolean debug = System.getenv("HOMA_DEBUG") != null;
            in.lines().forEach(line -> {
                lastError = line;
                if (debug) {
                    System.err.println(name + ": " + line);
                }
            });
        } catch (IOException | UncheckedIOException e) {
            lastError = e.getMessage();
        }
    }

    /** Ends the child: gently by closing the pipe, by force if it does not react. */
    @Override
    public void close() {
        try {
            process.getOutputStream().close();
            if (!process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
