package io.homa4j.cli;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A homa command in a process of its own, as a person starts it; killed when the test is over. */
final class HomaProcess implements AutoCloseable {
    /** Far longer than anything here takes on an idle machine. */
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(60);

    private static final Pattern PORT = Pattern.compile("(?:port |ready )(\\d+)");

    private final String name;
    private final Process process;
    private final List<String> out = new ArrayList<>();
    private final List<String> err = new ArrayList<>();
    private final Thread outReader;
    private final Thread errReader;

    private HomaProcess(String name, Process process) {
        this.name = name;
        this.process = process;
        this.outReader = Thread.ofVirtual().start(() -> read(process.getInputStream(), out));
        this.errReader = Thread.ofVirtual().start(() -> read(process.getErrorStream(), err));
    }

    static HomaProcess start(String... command) throws IOException {
        return new HomaProcess(String.join(" ", command), new ProcessBuilder(words(command)).start());
    }

    /** Starts it with its standard output in a file. */
    static HomaProcess startWithOutput(File output, String... command) throws IOException {
        return new HomaProcess(
                String.join(" ", command),
                new ProcessBuilder(words(command)).redirectOutput(output).start());
    }

    private static List<String> words(String... command) {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx600m", "-ea"));
        words.add("--enable-native-access=ALL-UNNAMED");
        words.addAll(List.of("-cp", System.getProperty("java.class.path"), "io.homa4j.cli.Homa"));
        words.addAll(List.of(command));
        return words;
    }

    private void read(InputStream from, List<String> lines) {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(from, StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                synchronized (this) {
                    lines.add(line);
                    notifyAll();
                }
            }
        } catch (IOException e) {
            synchronized (this) {
                lines.add("(output broken off: " + e.getMessage() + ")");
            }
        }
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    synchronized String out() {
        return String.join("\n", out);
    }

    synchronized String err() {
        return String.join("\n", err);
    }

    /** Waits for a line with this text on either output, from line number {@code after} of the standard output on. */
    synchronized String awaitLine(int after, String text) throws InterruptedException {
        long endNs = System.nanoTime() + PATIENCE_NS;
        while (true) {
            for (List<String> lines : List.of(out.subList(Math.min(after, out.size()), out.size()), err)) {
                for (String line : lines) {
                    if (line.contains(text)) {
                        return line;
                    }
                }
            }
            long leftNs = endNs - System.nanoTime();
            if (leftNs <= 0 || !process.isAlive() && !outReader.isAlive() && !errReader.isAlive()) {
                throw new AssertionError(
                        "no line with '" + text + "' from homa " + name + ":\n" + out() + "\n" + err());
            }
            TimeUnit.NANOSECONDS.timedWait(this, Math.min(leftNs, TimeUnit.MILLISECONDS.toNanos(100)));
        }
    }

    String awaitLine(String text) throws InterruptedException {
        return awaitLine(0, text);
    }

    synchronized int lineCount() {
        return out.size();
    }

    /** Waits until a server is there, and says at which port. */
    int awaitPort() throws InterruptedException {
        Matcher matcher = PORT.matcher(awaitLine("ready"));
        if (!matcher.find()) {
            throw new AssertionError("no port in " + out());
        }
        return Integer.parseInt(matcher.group(1));
    }

    /** Waits for the end; the exit code. */
    int awaitExit() throws InterruptedException {
        if (!process.waitFor(PATIENCE_NS, TimeUnit.NANOSECONDS)) {
            throw new AssertionError("homa " + name + " does not end:\n" + out() + "\n" + err());
        }
        outReader.join();
        errReader.join();
        return process.exitValue();
    }

    void signal(String signal) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", "-" + signal, String.valueOf(pid())).start();
        if (kill.waitFor() != 0) {
            throw new AssertionError("kill -" + signal + " failed");
        }
    }

    /** The processes this one has started. */
    List<ProcessHandle> children() {
        return process.children().collect(Collectors.toList());
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    /** The number behind a name in JSON. */
    static double number(String json, String name) {
        Matcher matcher = Pattern.compile("\"" + name + "\": (-?[0-9.E]+)").matcher(json);
        if (!matcher.find()) {
            throw new AssertionError("no number " + name + " in " + json);
        }
        return Double.parseDouble(matcher.group(1));
    }
}
