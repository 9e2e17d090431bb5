package io.homa4j.driver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The script of one golden capture: what the two hosts of the capture were set to and what their applications did, so
 * that the engine can take the place of either host. Plain text, one file per capture, {@code replay/NAME.script} for
 * {@code golden/NAME.pcap}. One statement per line, words separated by blanks, {@code #} starts a comment. Times are
 * milliseconds from the first frame of the capture and may be negative. Ids are the ids on the wire: even at the
 * client, odd at the server. Frames are named by their number in the capture, from 1.
 *
 * <p>About the capture as a whole:
 *
 * <pre>
 * about TEXT                     what the capture shows (may be repeated)
 * host A ADDRESS...              addresses of a host; what is neither host is a bystander, its frames are not replayed
 * tick MS                        the usual length of a timer tick
 * set PARAMETER VALUE...         a parameter of the replaced host, in the module's names (before any side: of both)
 * late MS                        how much later than in the capture a packet may leave (default 2)
 * lost FRAME...                  recorded, then dropped: the other host did not see them (5..9 for a range)
 * tail FRAME HEX                 the bytes of a packet that the capture cut off, where they matter
 * tie FRAME LEVEL                a GRANT whose level hangs on a tie of two messages, which the module decides at random
 * artefact FRAME...              made by the emulated network card: neither expected nor delivered
 * grants steps|batches|bounds    how the replaced host got its packets, which decides how its grants are compared:
 *                                steps = one packet at a time: every reaction, packet by packet in order, of
 *                                whatever type;
 *                                batches (the default) = in batches, which its grants tell: normal grants one by one;
 *                                bounds = in batches it took much later than they came: only what holds for any batch
 * </pre>
 *
 * <p>Then a part for each side that is replaced, or one line that says why it cannot be:
 *
 * <pre>
 * side A none REASON
 * side A
 *   set PARAMETER VALUE...       a parameter of this host
 *   clock TIME TICKS             at TIME so many ticks of this host had passed (see ReplayClock); jiffies, by which
 *                                CUTOFFS are limited, begin at every fourth
 *   version N ENTRY*8            its own table of cutoffs, after N - 1 changes
 *   knows ADDRESS N ENTRY*8      the table of cutoffs it had from a peer
 *   acks ADDRESS PORT ID...      acks of finished RPCs it held for that peer and server port, oldest first
 *   next-id ID                   the id of its next RPC
 *   mtu ADDRESS BYTES            path MTU towards a peer
 *   until TIME                   how long to go on (default: a little longer than the capture)
 *   socket PORT [server] [region BYTES]
 *   at TIME request ID PORT ADDRESS SERVER-PORT LENGTH [want BYTES] [delay MS]
 *                                send a request from the socket of PORT; the application's data says how long the
 *                                response shall be and how long the server shall take
 *   at TIME reply ID LENGTH      answer a request (when it is complete, if that is later)
 *   at TIME abort ID             give up a request; its outcome is not wanted
 *   at TIME pause PORT           the application stops taking messages from a socket ...
 *   at TIME resume PORT          ... and goes on; until then it takes each as soon as it is there
 *   at TIME release ID PORT      the application gives back the memory of a message (else: when it takes it)
 *   at TIME open PORT server     open a socket
 *   at TIME shutdown PORT        shut a socket down and close it
 *   at TIME write PARAMETER VALUE...   change a parameter
 *   at TIME earlier-grant ADDRESS PORT  a message came and was granted and acked, before the capture began
 *   outcome ID STATUS            how a request must end: OK (the default), an error, or "none" if its application
 *                                has heard nothing by the end of the capture
 *   hidden TIME ID FROM TO LEVEL [again]
 *                                a DATA packet (again: a retransmission) that this host sent and the capture does not
 *                                show, because it was dropped before the capture point
 *   hidden TIME ID TYPE          likewise packets of this type of this RPC, at least one
 *   errors N|any                 the host sent no more than so many ICMP errors (its rate limit); any = not compared
 *   without ID                   leave out this RPC (its client id), see the comment beside it
 *   more TYPE ID                 a packet of this type and RPC that homa4j sends besides, see the comment beside it
 * </pre>
 */
final class ReplayScript {
    /** ICMP errors are not compared. */
    static final int ANY = -1;

    /** How the grants of the replaced host are compared. */
    enum Grants {
        STEPS,
        BATCHES,
        BOUNDS
    }

    /** One thing an application does at a time. */
    record Action(long atNs, String verb, List<String> words, int line) {
        String word(int i) {
            if (i >= words.size()) {
                throw new IllegalArgumentException("line " + line + ": " + verb + " needs more words");
            }
            return words.get(i);
        }

        long number(int i) {
            return Long.parseLong(word(i));
        }
    }

    /** What the replaced host had of one peer: a table of cutoffs. */
    @SuppressWarnings("ArrayRecordComponent") // values to read, not to compare
    record Cutoffs(String address, int version, int[] entries) {}

    /** Acks the replaced host held for a peer. */
    record Acks(String address, int port, List<Long> ids) {}

    /** A socket of the replaced host. */
    record Socket(int port, boolean server, long regionBytes) {}

    /** A packet that was sent but is not in the capture; {@code type} is null for a DATA packet given by its range. */
    record Hidden(long atNs, long id, String type, int from, int to, int level, boolean again) {}

    /** A parameter in the module's name. */
    record Parameter(String name, List<String> values) {}

    /** One replaced host. */
    static final class Side {
        final String host;
        final String none;
        final List<Parameter> parameters = new ArrayList<>();
        final List<Cutoffs> knows = new ArrayList<>();
        final List<Acks> acks = new ArrayList<>();
        final List<Socket> sockets = new ArrayList<>();
        final List<Action> actions = new ArrayList<>();
        final Map<Long, String> outcomes = new LinkedHashMap<>();
        final List<ReplayClock.Point> clock = new ArrayList<>();
        final List<Hidden> hidden = new ArrayList<>();
        final List<Hidden> more = new ArrayList<>();
        final Set<Long> without = new HashSet<>();
        final Set<Long> releases = new HashSet<>();
        final Map<String, Integer> mtu = new LinkedHashMap<>();
        int version = 1;
        int[] table = {};
        long nextId;
        int errorLimit = Integer.MAX_VALUE;
        long untilNs;

        Side(String host, String none) {
            this.host = host;
            this.none = none;
        }

        /** Whether the engine can take this host's place. */
        boolean replayable() {
            return none.isEmpty();
        }
    }

    final String name;
    final List<String> about = new ArrayList<>();
    final Map<String, List<String>> hosts = new LinkedHashMap<>();
    final List<Parameter> parameters = new ArrayList<>();
    final Set<Integer> lost = new HashSet<>();
    final Set<Integer> artefacts = new HashSet<>();
    final Map<Integer, byte[]> tails = new LinkedHashMap<>();
    final Map<Integer, Integer> ties = new LinkedHashMap<>();
    final List<Side> sides = new ArrayList<>();
    double tickMs = 1.2;
    long maxLatenessNs = 2_000_000;
    Grants grants = Grants.BATCHES;

    private ReplayScript(String name) {
        this.name = name;
    }

    /** Reads a script; the name of the file without its ending is the name of the capture. */
    static ReplayScript read(Path file) throws IOException {
        String fileName = String.valueOf(file.getFileName());
        ReplayScript script = new ReplayScript(fileName.substring(0, fileName.length() - ".script".length()));
        Side side = null;
        List<String> lines = Files.readAllLines(file);
        for (int number = 1; number <= lines.size(); number++) {
            String text = lines.get(number - 1).replaceFirst("(^|\\s)#.*", "").strip();
            if (text.isEmpty()) {
                continue;
            }
            try {
                side = script.statement(text, List.of(text.split("\\s+")), side, number);
            } catch (RuntimeException e) {
                throw new IllegalArgumentException(fileName + " line " + number + ": " + text, e);
            }
        }
        for (Side each : script.sides) {
            each.actions.stream()
                    .filter(action -> action.verb().equals("release"))
                    .forEach(action -> each.releases.add(action.number(0)));
            each.actions.sort(Comparator.comparingLong(Action::atNs));
        }
        return script;
    }

    private @Nullable Side statement(String text, List<String> words, @Nullable Side side, int line) {
        List<String> rest = words.subList(1, words.size());
        switch (words.getFirst()) {
            case "about" -> about.add(text.substring("about".length()).strip());
            case "host" -> hosts.put(rest.getFirst(), rest.subList(1, rest.size()));
            case "tick" -> tickMs = Double.parseDouble(rest.getFirst());
            case "tail" ->
                tails.put(Integer.valueOf(rest.get(0)), HexFormat.of().parseHex(rest.get(1)));
            case "tie" -> ties.put(Integer.valueOf(rest.get(0)), Integer.valueOf(rest.get(1)));
            case "lost" -> addFrames(lost, rest);
            case "artefact" -> addFrames(artefacts, rest);
            case "late" -> maxLatenessNs = ns(rest.getFirst());
            case "grants" -> grants = Grants.valueOf(rest.getFirst().toUpperCase(Locale.ROOT));
            case "side" -> {
                boolean none = rest.size() > 1 && rest.get(1).equals("none");
                side = new Side(rest.getFirst(), none ? text.replaceFirst("side\\s+\\S+\\s+none\\s+", "") : "");
                sides.add(side);
            }
            case "set" -> {
                Parameter parameter = new Parameter(rest.getFirst(), rest.subList(1, rest.size()));
                (side == null ? parameters : side.parameters).add(parameter);
            }
            default -> {
                if (side == null) {
                    throw new IllegalArgumentException("belongs to a side");
                }
                sideStatement(words.getFirst(), rest, side, line);
            }
        }
        return side;
    }

    private static void sideStatement(String verb, List<String> rest, Side side, int line) {
        switch (verb) {
            case "version" -> {
                side.version = Integer.parseInt(rest.getFirst());
                side.table = entries(rest.subList(1, rest.size()));
            }
            case "clock" ->
                side.clock.add(new ReplayClock.Point(Double.parseDouble(rest.get(0)), Double.parseDouble(rest.get(1))));
            case "knows" ->
                side.knows.add(
                        new Cutoffs(rest.get(0), Integer.parseInt(rest.get(1)), entries(rest.subList(2, rest.size()))));
            case "acks" ->
                side.acks.add(new Acks(
                        rest.get(0),
                        Integer.parseInt(rest.get(1)),
                        rest.subList(2, rest.size()).stream().map(Long::valueOf).toList()));
            case "errors" -> side.errorLimit = rest.getFirst().equals("any") ? ANY : Integer.parseInt(rest.getFirst());
            case "until" -> side.untilNs = ns(rest.getFirst());
            case "next-id" -> side.nextId = Long.parseLong(rest.getFirst());
            case "mtu" -> side.mtu.put(rest.get(0), Integer.parseInt(rest.get(1)));
            case "socket" -> side.sockets.add(socket(rest));
            case "at" -> side.actions.add(new Action(ns(rest.get(0)), rest.get(1), rest.subList(2, rest.size()), line));
            case "outcome" -> side.outcomes.put(Long.valueOf(rest.get(0)), rest.get(1));
            case "hidden" -> side.hidden.add(hidden(rest));
            case "without" -> side.without.add(Long.valueOf(rest.getFirst()));
            case "more" -> side.more.add(new Hidden(0, Long.parseLong(rest.get(1)), rest.get(0), 0, 0, 0, false));
            default -> throw new IllegalArgumentException("unknown statement");
        }
    }

    static Socket socket(List<String> words) {
        int region = words.indexOf("region");
        return new Socket(
                Integer.parseInt(words.getFirst()),
                words.contains("server"),
                region < 0 ? 16 << 20 : Long.parseLong(words.get(region + 1)));
    }

    private static Hidden hidden(List<String> words) {
        long id = Long.parseLong(words.get(1));
        if (words.size() == 3) {
            return new Hidden(ns(words.get(0)), id, words.get(2), 0, 0, 0, false);
        }
        return new Hidden(
                ns(words.get(0)),
                id,
                "",
                Integer.parseInt(words.get(2)),
                Integer.parseInt(words.get(3)),
                Integer.parseInt(words.get(4)),
                words.contains("again"));
    }

    private static int[] entries(List<String> words) {
        if (words.size() != 8) {
            throw new IllegalArgumentException("a table of cutoffs has 8 entries");
        }
        return words.stream().mapToInt(Integer::parseInt).toArray();
    }

    private static void addFrames(Set<Integer> frames, List<String> words) {
        for (String word : words) {
            int dots = word.indexOf("..");
            int from = Integer.parseInt(dots < 0 ? word : word.substring(0, dots));
            int to = dots < 0 ? from : Integer.parseInt(word.substring(dots + 2));
            for (int frame = from; frame <= to; frame++) {
                frames.add(frame);
            }
        }
    }

    private static long ns(String ms) {
        return Math.round(Double.parseDouble(ms) * 1_000_000);
    }
}
