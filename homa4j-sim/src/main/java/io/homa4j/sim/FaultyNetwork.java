package io.homa4j.sim;

import io.homa4j.protocol.Address;
import io.homa4j.protocol.Config;
import io.homa4j.protocol.Status;
import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.DataHeader;
import io.homa4j.wire.GrantHeader;
import io.homa4j.wire.PacketType;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What lies between hosts: from each uplink to each downlink a link of its own, with the faults its plan gives it, and the
 * partitions, clogs and narrow paths of the moment. What happens to each packet is decided when it comes, is counted, and
 * is in the trace.
 */
final class FaultyNetwork implements Hop {
    private final FuzzRun run;
    private final Prng chance;
    private final Port[] downlinks;
    private final Deque<Detour> spare = new ArrayDeque<>();

    /** Cuts that are in force, per direction. */
    private final int[][] cuts;
    /** Until when a link holds everything back, ps. */
    private final long[][] cloggedUntilPs;
    /** Bytes of the largest IP packet that passes; 0 = any. */
    private final int[][] pathMtu;

    private final boolean[][] tellsMtu;
    private boolean isHealed;

    long lost;
    long duplicated;

    FaultyNetwork(FuzzRun run, Port[] downlinks, Prng chance) {
        this.run = run;
        this.downlinks = downlinks;
        this.chance = chance;
        int hosts = downlinks.length;
        cuts = new int[hosts][hosts];
        cloggedUntilPs = new long[hosts][hosts];
        pathMtu = new int[hosts][hosts];
        tellsMtu = new boolean[hosts][hosts];
    }

    // ---- faults that last

    /** One more or one less reason for nothing to pass in this direction. */
    void cut(int from, int to, int reasons) {
        cuts[from][to] += reasons;
    }

    void clog(int from, int to, long untilPs) {
        cloggedUntilPs[from][to] = Math.max(cloggedUntilPs[from][to], untilPs);
    }

    /** The path takes packets of this size only, 0 = any; whether it says so to the sender. */
    void narrow(int from, int to, int mtu, boolean tells) {
        pathMtu[from][to] = mtu;
        tellsMtu[from][to] = tells;
    }

    /** No faults from now on. */
    void heal() {
        isHealed = true;
        for (int from = 0; from < cuts.length; from++) {
            for (int to = 0; to < cuts.length; to++) {
                cuts[from][to] = 0;
                pathMtu[from][to] = 0;
            }
        }
    }

    // ---- packets

    @Override
    public void arrive(SimPacket packet) {
        int from = packet.source;
        FuzzHost sender = run.host(from);
        int to = run.hostAt(packet.targetHi, packet.targetLo);
        if (to < 0) {
            run.sendError(sender, packet, Status.HOST_UNREACHABLE);
            lose(packet, "no such host");
            return;
        }
        packet.target = to;
        if (isHealed) {
            pass(packet, 0);
            return;
        }
        if (cuts[from][to] > 0) {
            lose(packet, "cut off");
            return;
        }
        if (pathMtu[from][to] > 0 && ipBytes(packet) > pathMtu[from][to]) {
            if (tellsMtu[from][to]) {
                int mtu = pathMtu[from][to];
                long hi = packet.targetHi;
                long lo = packet.targetLo;
                run.coverage.count(Fault.MTU_TOLD);
                run.later(sender, 2 * run.plan.delayNs, () -> sender.engine().pathMtu(hi, lo, mtu));
            } else {
                run.coverage.count(Fault.MTU_BLACK_HOLE);
            }
            lose(packet, "too big");
            return;
        }
        trouble(packet, run.plan.links[from][to]);
    }

    /** Bytes of the IP packet around it. */
    private int ipBytes(SimPacket packet) {
        int udp = run.plan.encapsulation == Config.Encapsulation.IP ? 0 : 8;
        return packet.length + udp + (Address.isIpv4(packet.targetHi, packet.targetLo) ? 20 : 40);
    }

    private void trouble(SimPacket packet, FuzzPlan.LinkPlan link) {
        if (chance.chance(link.loss())) {
            run.coverage.count(Fault.LOSS);
            lose(packet, "lost");
            return;
        }
        if (chance.chance(link.corrupt())) {
            run.coverage.count(Fault.CORRUPTION);
            lose(packet, "damaged");
            return;
        }
        if (run.sabotages(Sabotage.LOSES_UNCOUNTED)) {
            run.simulation.free(packet);
            return;
        }
        if (run.sabotage == Sabotage.FLIPS_PAYLOAD
                && packet.length > DataHeader.LENGTH
                && run.sabotages(run.sabotage)) {
            flip(packet, DataHeader.LENGTH + chance.nextInt(packet.length - DataHeader.LENGTH));
        }
        if (run.sabotage == Sabotage.INFLATES_GRANTS
                && CommonHeader.type(packet.bytes, packet.at) == PacketType.GRANT) {
            flip(packet, GrantHeader.OFFSET + 1);
        }
        if (chance.chance(link.hostile())) {
            damage(packet);
        }
        long extraPs = 0;
        if (chance.chance(link.reorder())) {
            run.coverage.count(Fault.REORDERING);
            extraPs = link.reorderNs() * Simulation.NS;
        }
        if (link.jitterNs() > 0) {
            run.coverage.count(Fault.JITTER);
            extraPs += chance.nextLong(link.jitterNs() * Simulation.NS);
        }
        if (chance.chance(link.duplicate())) {
            SimPacket copy = run.simulation.packet();
            copy.copyFrom(packet, run.simulation.bytesInMemory(packet));
            duplicated++;
            run.coverage.count(Fault.DUPLICATION);
            run.trace.packet("twice", copy);
            pass(copy, extraPs + chance.nextLong(Simulation.US << chance.nextInt(12)));
        }
        pass(packet, extraPs);
    }

    /** What a checksum did not notice: some bits of the header are others, or it is somebody else's. */
    private void damage(SimPacket packet) {
        run.coverage.count(Fault.HOSTILE_CORRUPTION);
        int flips = 1 + chance.nextInt(3);
        for (int i = 0; i < flips; i++) {
            // Most of it where the numbers are.
            int bound = chance.oneIn(4) ? packet.length : Math.min(packet.length, DataHeader.LENGTH);
            flip(packet, chance.nextInt(bound));
        }
        if (chance.oneIn(8)) {
            packet.length = chance.nextInt(packet.length + 1);
        }
        run.trace.packet("forged", packet);
    }

    private void flip(SimPacket packet, int offset) {
        long at = packet.at + offset;
        byte old = packet.bytes.get(ValueLayout.JAVA_BYTE, at);
        packet.bytes.set(ValueLayout.JAVA_BYTE, at, (byte) (old ^ 1 << chance.nextInt(8)));
    }

    private void lose(SimPacket packet, String why) {
        lost++;
        run.trace.packet(why, packet);
        run.simulation.free(packet);
    }

    private void pass(SimPacket packet, long extraPs) {
        long nowPs = run.simulation.nowPs();
        long untilPs = nowPs + extraPs;
        if (!isHealed) {
            untilPs = Math.max(untilPs, cloggedUntilPs[packet.source][packet.target]);
        }
        if (untilPs <= nowPs) {
            downlinks[packet.target].enqueue(packet);
            return;
        }
        Detour detour = spare.isEmpty() ? new Detour() : spare.pop();
        detour.packet = packet;
        run.simulation.at(untilPs, detour.self, 0);
    }

    /** Where a packet waits that is late. */
    private final class Detour implements Actor {
        final int self = run.simulation.add(this);
        SimPacket packet = run.nowhere;

        @Override
        public void act(int code) {
            SimPacket late = packet;
            packet = run.nowhere;
            spare.push(this);
            downlinks[late.target].enqueue(late);
        }
    }
}
