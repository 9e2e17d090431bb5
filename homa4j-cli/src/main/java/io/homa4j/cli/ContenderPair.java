package io.homa4j.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Server and client of one {@link Contender}, each a process of its own, which measure when they are told to. */
record ContenderPair(ChildProcess server, ChildProcess client) implements AutoCloseable {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration SLACK = Duration.ofSeconds(30);

    /**
     * Where a process runs.
     *
     * @param address its own
     * @param before words of the command line before those that start Java
     */
    record Place(String address, List<String> before) {}

    /** @throws CliException if a process cannot be started */
    static ContenderPair start(Contender contender, Contender.Waiting waiting, Place server, Place client) {
        List<String> who = List.of("--id", contender.id(), "--waiting", waiting.text(), "--local");
        List<String> serverWords = new ArrayList<>(List.of("bench-contender", "server"));
        serverWords.addAll(who);
        serverWords.add(server.address);
        List<String> clientWords = new ArrayList<>(List.of("bench-contender", "client"));
        clientWords.addAll(who);
        clientWords.addAll(List.of(client.address, "--server", server.address));
        ChildProcess first =
                ChildProcess.start(contender.id() + " server", java(contender, server.before), serverWords);
        try {
            return new ContenderPair(
                    first, ChildProcess.start(contender.id() + " client", java(contender, client.before), clientWords));
        } catch (CliException e) {
            first.close();
            throw e;
        }
    }

    private static List<String> java(Contender contender, List<String> before) {
        List<String> words = new ArrayList<>(before);
        List<String> java = ChildProcess.javaCommand();
        boolean hasCollector = contender.jvmOptions().stream().anyMatch(ContenderPair::isCollector);
        words.add(java.getFirst());
        java.subList(1, java.size()).stream()
                .filter(word -> !(hasCollector && isCollector(word)))
                .forEach(words::add);
        int mainAt = Math.max(words.indexOf("-m"), words.indexOf("-cp"));
        words.addAll(mainAt, contender.jvmOptions());
        return words;
    }

    private static boolean isCollector(String option) {
        return option.matches("-XX:\\+Use\\w+GC");
    }

    /** Measures short or long RPCs for a while. @throws CliException if that is not possible */
    PeersRound run(PeersLoad load, double seconds) throws InterruptedException {
        String work = String.format(
                Locale.ROOT, "%d %d %d %.3f", load.requestBytes, load.responseBytes, load.outstanding, seconds);
        return measure("run", work, seconds, load);
    }

    /**
     * Measures short calls beside a bulk load for a while; the throughput is the bulk's, all else the short calls'.
     *
     * @param unitsPerSecond of the bulk ({@link MixedLoad}); 0: as many as go
     * @param shortsPerSecond 0: none
     * @throws CliException if that is not possible
     */
    PeersRound mix(double unitsPerSecond, double shortsPerSecond, double seconds) throws InterruptedException {
        String work = String.format(Locale.ROOT, "%.6f %.3f %.3f", unitsPerSecond, shortsPerSecond, seconds);
        return measure("mix", work, seconds, PeersLoad.RTT);
    }

    private PeersRound measure(String how, String work, double seconds, PeersLoad load) throws InterruptedException {
        String port = answer(server, "open", START_TIMEOUT)[1];
        try {
            String[] before = answer(server, "usage", SLACK);
            String line = how + " " + port + " " + work;
            String[] result = answer(client, line, SLACK.plusMillis((long) (1000 * seconds)));
            String[] after = answer(server, "usage", SLACK);
            return PeersRound.parse(
                    result,
                    Long.parseLong(after[1]) - Long.parseLong(before[1]),
                    Long.parseLong(after[2]) - Long.parseLong(before[2]),
                    load);
        } finally {
            answer(server, "close", SLACK);
        }
    }

    private static String[] answer(ChildProcess child, String line, Duration patience) throws InterruptedException {
        child.say(line);
        String answer = child.expectLine(patience);
        if (answer.startsWith("failed ")) {
            throw new CliException(answer.substring("failed ".length()), "see homa bench --help");
        }
        return answer.split(" ", -1);
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }
}
