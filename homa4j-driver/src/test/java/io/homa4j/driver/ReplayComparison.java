package io.homa4j.driver;

import io.homa4j.wire.Common;
import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.PacketType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Compares what a replayed host sent with what the captured host sent, conversation by conversation. Exact: DATA (first
 * transmissions and retransmissions, each in order), ACK, BUSY, CUTOFFS, RPC_UNKNOWN, with every field that means
 * something, and the level; and none may come much later than it did. RESEND and NEED_ACK repeat on a timer: the same packets
 * in the same order, and as many times, up to one more or less, since a timer's phase is not known. So must normal
 * GRANTs, which repeat with each batch; FIFO grants hang on microseconds and need not be the same, but all grants must
 * end at the same offset and keep the bounds that {@link ReplayedHost} checks when they are sent. Scripts can be
 * stricter or looser about grants.
 */
final class ReplayComparison {
    private final ReplayScript script;
    private final ReplayScript.Side side;
    private final ReplayedHost host;
    private final List<String> differences = new ArrayList<>();
    private final List<ReplayPacket> expected;
    private final List<ReplayPacket> produced;

    private ReplayComparison(ReplayScript script, ReplayScript.Side side, ReplayedHost host) {
        this.script = script;
        this.side = side;
        this.host = host;
        expected = host.expected();
        produced = new ArrayList<>(host.produced());
    }

    /** Everything that differs, for people; empty if nothing does. */
    static List<String> differences(ReplayScript script, ReplayScript.Side side, ReplayedHost host) {
        ReplayComparison comparison = new ReplayComparison(script, side, host);
        comparison.compare();
        return comparison.differences;
    }

    private void compare() {
        differences.addAll(host.complaints());
        side.hidden.forEach(this::takeOut);
        side.more.forEach(this::takeOutAll);
        Set<String> conversations = new LinkedHashSet<>();
        expected.forEach(packet -> conversations.add(packet.conversation()));
        produced.forEach(packet -> conversations.add(packet.conversation()));
        for (String conversation : conversations) {
            int before = differences.size();
            compareConversation(conversation);
            if (differences.size() > before) {
                differences.add(sideBySide(
                        conversation,
                        of(expected, packet -> packet.conversation().equals(conversation)),
                        of(produced, packet -> packet.conversation().equals(conversation))));
            }
        }
        compareErrors();
        if (script.grants == ReplayScript.Grants.STEPS) {
            compareSteps();
        }
    }

    private void takeOut(ReplayScript.Hidden hidden) {
        if (!hidden.type().isEmpty()) {
            takeOutAll(hidden);
            return;
        }
        for (ReplayPacket packet : produced) {
            if (packet.is(PacketType.DATA)
                    && packet.id() == hidden.id()
                    && packet.from() == hidden.from()
                    && packet.to() == hidden.to()
                    && packet.level() == hidden.level()
                    && packet.again() == hidden.again()) {
                produced.remove(packet);
                return;
            }
        }
        differences.add("not sent: the packet [" + hidden.from() + "," + hidden.to() + ") of RPC " + hidden.id()
                + " that was dropped before the capture");
    }

    /** Packets of a type that the capture does not show must have been sent as well, however many. */
    private void takeOutAll(ReplayScript.Hidden hidden) {
        if (!produced.removeIf(packet ->
                packet.id() == hidden.id() && PacketType.name(packet.type()).equals(hidden.type()))) {
            differences.add("not sent: " + hidden.type() + " of RPC " + hidden.id() + ", which is not in the capture");
        }
    }

    private void compareConversation(String conversation) {
        compareExact(conversation, "DATA", ReplayPacket::isFirstTransmission);
        compareExact(conversation, "retransmitted DATA", packet -> packet.is(PacketType.DATA) && packet.again());
        compareExact(conversation, "ACK", packet -> packet.is(PacketType.ACK));
        compareExact(conversation, "CUTOFFS", packet -> packet.is(PacketType.CUTOFFS));
        compareExact(conversation, "RPC_UNKNOWN", packet -> packet.is(PacketType.RPC_UNKNOWN));
        compareExact(conversation, "BUSY", packet -> packet.is(PacketType.BUSY));
        compareRepeats(conversation, "RESEND", packet -> packet.is(PacketType.RESEND));
        compareRepeats(conversation, "NEED_ACK", packet -> packet.is(PacketType.NEED_ACK));
        if (script.grants == ReplayScript.Grants.BATCHES) {
            compareRepeats(conversation, "normal GRANT", this::isNormalGrant);
        }
        compareFinalGrant(conversation);
    }

    private void compareExact(String conversation, String name, Predicate<ReplayPacket> kind) {
        Predicate<ReplayPacket> wanted = packet -> packet.conversation().equals(conversation) && kind.test(packet);
        List<ReplayPacket> left = of(expected, wanted);
        List<ReplayPacket> right = of(produced, wanted);
        for (int i = 0; i < Math.max(left.size(), right.size()); i++) {
            if (i >= left.size()) {
                differences.add(conversation + ": " + name + " that was not captured: "
                        + right.get(i).line());
                return;
            }
            if (i >= right.size()) {
                differences.add(
                        conversation + ": " + name + " not sent: " + left.get(i).line());
                return;
            }
            if (!agree(left.get(i), right.get(i))) {
                differences.add(conversation + ": " + name + "\n    expected "
                        + left.get(i).line() + "\n    produced " + right.get(i).line());
                return;
            }
            compareBytes(left.get(i), right.get(i));
            if (right.get(i).atNs() > left.get(i).atNs() + script.maxLatenessNs) {
                differences.add(conversation + ": " + name + " too late: "
                        + left.get(i).line() + ", here at " + right.get(i).atNs() / 1e6);
            }
        }
    }

    /** The application's bytes, as far as they were captured. */
    private void compareBytes(ReplayPacket left, ReplayPacket right) {
        if (left.is(PacketType.DATA)) {
            int bytes = left.to() - left.from();
            int header = left.bytes().length - bytes;
            int known = left.kept() - header;
            int mismatch = known <= 0
                    ? -1
                    : Arrays.mismatch(
                            left.bytes(),
                            header,
                            header + known,
                            right.bytes(),
                            right.bytes().length - bytes,
                            right.bytes().length - bytes + known);
            if (mismatch >= 0) {
                differences.add(left.line() + ": byte " + (left.from() + mismatch) + " differs");
            }
        }
    }

    private static boolean agree(ReplayPacket left, ReplayPacket right) {
        return left.what(left.kept()).equals(right.what(left.kept()));
    }

    private void compareRepeats(String conversation, String name, Predicate<ReplayPacket> kind) {
        Predicate<ReplayPacket> wanted = packet -> packet.conversation().equals(conversation) && kind.test(packet);
        List<Run> left = runs(of(expected, wanted));
        List<Run> right = runs(of(produced, wanted));
        boolean same = left.size() == right.size();
        for (int i = 0; same && i < left.size(); i++) {
            same = left.get(i).round.equals(right.get(i).round)
                    && Math.abs(left.get(i).count - right.get(i).count) <= 1;
        }
        if (!same) {
            differences.add(conversation + ": " + name + "\n    expected " + left + "\n    produced " + right);
        }
    }

    /** What was sent in one pass of the timer, and how many times in a row. */
    private static final class Run {
        final List<String> round;
        int count = 1;

        Run(List<String> round) {
            this.round = round;
        }

        @Override
        public String toString() {
            return count + " times " + round;
        }
    }

    /** Rounds of ascending ranges, equal ones counted. */
    private static List<Run> runs(List<ReplayPacket> packets) {
        List<Run> runs = new ArrayList<>();
        List<String> round = new ArrayList<>();
        for (int i = 0; i < packets.size(); i++) {
            ReplayPacket packet = packets.get(i);
            round.add(packet.what());
            boolean last = i + 1 == packets.size() || packets.get(i + 1).from() <= packet.from();
            if (last) {
                if (!runs.isEmpty() && runs.getLast().round.equals(round)) {
                    runs.getLast().count++;
                } else {
                    runs.add(new Run(round));
                }
                round = new ArrayList<>();
            }
        }
        return runs;
    }

    private void compareFinalGrant(String conversation) {
        Predicate<ReplayPacket> wanted =
                packet -> packet.conversation().equals(conversation) && packet.is(PacketType.GRANT);
        int left =
                of(expected, wanted).stream().mapToInt(ReplayPacket::from).max().orElse(0);
        int right =
                of(produced, wanted).stream().mapToInt(ReplayPacket::from).max().orElse(0);
        if (left != right) {
            differences.add(conversation + ": granted up to " + left + " in the capture, to " + right + " here");
        }
    }

    /** One ICMP error for each batch; batches are not known, so which RPCs' packets of which type drew one. */
    private void compareErrors() {
        if (side.errorLimit == ReplayScript.ANY) {
            return;
        }
        List<byte[]> quoted = host.expectedErrors().stream()
                .map(error -> Objects.requireNonNull(error.quoted()).transport())
                .toList();
        // Where not even the quoted Homa header was captured, its ports have to do.
        boolean isWhole = quoted.stream().allMatch(packet -> packet.length >= CommonHeader.LENGTH);
        Set<String> left = new LinkedHashSet<>();
        quoted.forEach(packet -> left.add(quotedText(packet, isWhole)));
        Set<String> right = new LinkedHashSet<>();
        host.producedErrors().stream()
                .limit(side.errorLimit)
                .forEach(packet -> right.add(quotedText(packet.bytes(), isWhole)));
        if (!left.equals(right)) {
            differences.add("ICMP port unreachable\n    expected for " + left + "\n    produced for " + right);
        }
    }

    private static String quotedText(byte[] packet, boolean isWhole) {
        Common common = Common.read(MemorySegment.ofArray(Arrays.copyOf(packet, CommonHeader.LENGTH)), 0);
        return (isWhole ? PacketType.name(common.type()) + " id " + common.senderId() + " " : "") + common.sourcePort()
                + ">" + common.targetPort();
    }

    private boolean isNormalGrant(ReplayPacket packet) {
        return packet.is(PacketType.GRANT) && packet.grantLevel() < host.fifoLevel();
    }

    /** Every reaction by itself, in order. */
    private void compareSteps() {
        List<Capture.Frame> inputs = host.inputs();
        for (int i = 0; i < inputs.size(); i++) {
            long fromNs = inputs.get(i).atNs();
            long toNs = i + 1 < inputs.size() ? inputs.get(i + 1).atNs() : Long.MAX_VALUE;
            Predicate<ReplayPacket> within = packet ->
                    packet.atNs() >= fromNs - ReplayClock.ROUNDING_NS && packet.atNs() < toNs - ReplayClock.ROUNDING_NS;
            List<ReplayPacket> left = of(expected, within);
            List<ReplayPacket> right = of(produced, within);
            boolean same = left.size() == right.size();
            for (int j = 0; same && j < left.size(); j++) {
                same = agree(left.get(j), right.get(j)) || isTie(left.get(j), right.get(j));
            }
            if (!same) {
                differences.add(sideBySide("after frame " + inputs.get(i).number(), left, right));
            }
        }
    }

    private boolean isTie(ReplayPacket left, ReplayPacket right) {
        Integer level = script.ties.get(left.frame());
        return level != null
                && right.is(PacketType.GRANT)
                && left.id() == right.id()
                && left.from() == right.from()
                && right.grantLevel() == level;
    }

    private static List<ReplayPacket> of(List<ReplayPacket> packets, Predicate<ReplayPacket> wanted) {
        return packets.stream().filter(wanted).toList();
    }

    // ---- for people

    private static final int CONTEXT = 4;
    private static final int MAX_ROWS = 120;

    /** Two columns, equal packets beside each other; far from differences only dots. */
    private static String sideBySide(String title, List<ReplayPacket> left, List<ReplayPacket> right) {
        int[][] common = new int[left.size() + 1][right.size() + 1];
        for (int i = left.size() - 1; i >= 0; i--) {
            for (int j = right.size() - 1; j >= 0; j--) {
                common[i][j] = agree(left.get(i), right.get(j))
                        ? common[i + 1][j + 1] + 1
                        : Math.max(common[i + 1][j], common[i][j + 1]);
            }
        }
        List<String> rows = new ArrayList<>();
        List<Boolean> differs = new ArrayList<>();
        int i = 0;
        int j = 0;
        while (i < left.size() || j < right.size()) {
            boolean both = i < left.size() && j < right.size();
            if (both && agree(left.get(i), right.get(j))) {
                rows.add(row("  ", left.get(i++).line(), right.get(j++).line()));
                differs.add(false);
            } else if (j == right.size() || (i < left.size() && common[i + 1][j] >= common[i][j + 1])) {
                rows.add(row("- ", left.get(i++).line(), ""));
                differs.add(true);
            } else {
                rows.add(row("+ ", "", right.get(j++).line()));
                differs.add(true);
            }
        }
        StringBuilder table = new StringBuilder(title).append('\n').append(row("  ", "  expected", "  produced"));
        int shown = 0;
        boolean dots = false;
        for (int k = 0; k < rows.size() && shown < MAX_ROWS; k++) {
            boolean near = differs.subList(Math.max(0, k - CONTEXT), Math.min(rows.size(), k + CONTEXT + 1))
                    .contains(true);
            if (near) {
                table.append(rows.get(k));
                shown++;
            } else if (!dots) {
                table.append("  ...\n");
            }
            dots = !near;
        }
        return table.toString();
    }

    private static String row(String mark, String left, String right) {
        return String.format("%s%-90s | %s%n", mark, left, right);
    }
}
