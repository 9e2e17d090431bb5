package io.homa4j.bench;

import io.homa4j.cli.Contender;
import io.homa4j.cli.PeerLoad;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@link UdpFloor} in C, where there is a compiler: what the language costs. CPU time is not that of the C processes. */
public final class UdpFloorInC implements Contender {
    private static final double NS = 1e9;

    /** For the service loader. */
    public UdpFloorInC() {}

    @Override
    public String id() {
        return "udp-floor/c";
    }

    @Override
    public String setUp() {
        return "the same in C (cc -O2); its CPU time is not counted";
    }

    @Override
    public List<Waiting> waitings() {
        return List.of(Waiting.POLLING, Waiting.SLEEPING);
    }

    @Override
    public Server serve(InetAddress local, Waiting waiting) throws IOException, InterruptedException {
        Process process;
        String port;
        try (Program program = new Program()) {
            process = new ProcessBuilder(program.path(), "server", waits(waiting))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            port = process.inputReader(StandardCharsets.UTF_8).readLine();
        }
        if (port == null) {
            throw new IOException("the floor's server did not start");
        }
        return new Server() {
            @Override
            public int port() {
                return Integer.parseInt(port);
            }

            @Override
            public void close() {
                process.destroy();
                try {
                    process.waitFor();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        };
    }

    @Override
    public Client connect(InetAddress local, InetSocketAddress server, Waiting waiting)
            throws IOException, InterruptedException {
        Program program = new Program();
        return new Client() {
            @Override
            public void run(PeerLoad load) throws IOException, InterruptedException {
                if (load.outstanding() != 1 || load.request().length != load.responseBytes()) {
                    throw new IOException("a floor for one short message at a time");
                }
                ask(load, List.of(program.path(), "client", waits(waiting), String.valueOf(server.getPort())));
            }

            @Override
            public void close() {
                try {
                    program.close();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
    }

    private static void ask(PeerLoad load, List<String> command) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(command);
        words.add(String.valueOf(load.responseBytes()));
        words.add(String.valueOf(load.measureNs() / NS));
        Process process = new ProcessBuilder(words)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        boolean isWhole = false;
        // It has a ramp of its own, as long as the load's.
        long startedNs = load.measureStartNs();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                String[] pair = line.split(" ", -1);
                if (pair[0].equals("end")) {
                    isWhole = true;
                    load.failed(Long.parseLong(pair[1]));
                } else {
                    load.answered(
                            startedNs,
                            startedNs + Long.parseLong(pair[0]),
                            load.responseBytes(),
                            Long.parseLong(pair[1]));
                }
            }
        }
        if (process.waitFor() != 0 || !isWhole) {
            throw new IOException("the floor's client failed");
        }
    }

    private static String waits(Waiting waiting) {
        return waiting == Waiting.POLLING ? "poll" : "block";
    }

    /** The compiled program; a process may outlive its file. */
    private static final class Program implements AutoCloseable {
        private final Path folder = Files.createTempDirectory("homa-floor");
        private final Path source = folder.resolve("floor.c");
        private final Path binary = folder.resolve("floor");

        Program() throws IOException, InterruptedException {
            boolean isDone = false;
            try (InputStream text = UdpFloorInC.class.getResourceAsStream("floor.c")) {
                if (text == null) {
                    throw new IOException("floor.c is missing");
                }
                Files.copy(text, source);
                compile();
                isDone = true;
            } finally {
                if (!isDone) {
                    close();
                }
            }
        }

        private void compile() throws IOException, InterruptedException {
            Process compiler;
            try {
                compiler = new ProcessBuilder("cc", "-O2", "-pthread", "-o", path(), source.toString())
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
            } catch (IOException e) {
                throw new IOException("there is no C compiler (cc)", e);
            }
            if (compiler.waitFor() != 0) {
                throw new IOException("cc could not compile floor.c");
            }
        }

        String path() {
            return binary.toString();
        }

        @Override
        public void close() throws IOException {
            Files.deleteIfExists(binary);
            Files.deleteIfExists(source);
            Files.deleteIfExists(folder);
        }
    }
}
