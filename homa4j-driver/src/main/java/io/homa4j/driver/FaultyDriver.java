package io.homa4j.driver;

import io.homa4j.protocol.PacketBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;

/**
 * A driver that treats arriving packets as a bad network would: loses, duplicates, reorders and delays them, each with its
 * own probability. What happens to the n-th packet follows from the seed alone, so a failure seen with one seed can be
 * sought with the same seed again. Sending is left alone: to harm both directions, wrap both ends.
 *
 * <p>Reordered means: let through after one to {@link #MAX_OVERTAKEN} later packets, or after a millisecond when no more
 * come. At most {@link #HELD} packets are held back at a time; when there are that many, packets that should join them pass.
 */
public final class FaultyDriver implements Driver {
    /** Most packets that overtake a reordered one. */
    public static final int MAX_OVERTAKEN = 8;
    /** Most packets held back at a time. */
    public static final int HELD = 256;

    private static final long REORDER_LIMIT_NS = 1_000_000;
    private static final int NONE = -1;

    /**
     * How bad the network is.
     *
     * @param loss share of packets lost, 0 to 1
     * @param duplicate share of packets that arrive twice
     * @param reorder share of packets overtaken by later ones
     * @param delay share of packets held back for up to {@code delayNs}
     * @param delayNs longest delay, ns
     */
    public record Faults(double loss, double duplicate, double reorder, double delay, long delayNs) {
        public Faults {
            check("loss", loss);
            check("duplicate", duplicate);
            check("reorder", reorder);
            check("delay", delay);
            if (delayNs < 0) {
                throw new IllegalArgumentException("delayNs " + delayNs + " is negative");
            }
        }

        /** Losses, duplicates and reordering, no delays. */
        public Faults(double loss, double duplicate, double reorder) {
            this(loss, duplicate, reorder, 0, 0);
        }

        private static void check(String name, double share) {
            if (!(share >= 0 && share <= 1)) {
                throw new IllegalArgumentException(name + " " + share + " is not between 0 and 1");
            }
        }
    }

    private final Driver inner;
    private final Faults faults;
    private final RandomGenerator random;
    private final Arena arena = Arena.ofShared();

    /** What the inner driver received and has not been looked at: from {@link #next} on. */
    private @Nullable PacketBatch arrived;

    private int next;
    /** Packets held back, each in the slot of the same number. */
    private final PacketBatch held;

    private final boolean[] isHeld = new boolean[HELD];
    /** Held packets leave when so many packets have arrived in all, or at that time. */
    private final long[] dueCount = new long[HELD];

    private final long[] dueNs = new long[HELD];
    private int heldCount;
    private boolean isClosed;

    private long arrivedCount;
    private long passed;
    private long lost;
    private long duplicated;
    private long reordered;
    private long delayed;

    /**
     * @param inner the driver whose packets suffer; closed with this one
     * @param seed decides what happens to which packet
     */
    public FaultyDriver(Driver inner, Faults faults, long seed) {
        this.inner = inner;
        this.faults = faults;
        this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        int slotBytes = inner.maxDatagramBytes() + 1;
        this.held = new PacketBatch(HELD, arena.allocate((long) HELD * slotBytes, 64), slotBytes);
    }

    @Override
    public int receive(PacketBatch batch) {
        batch.clear();
        PacketBatch source = arrived(batch);
        takeDue(batch, System.nanoTime());
        // A packet may come out together with its duplicate and with others that waited for it.
        while (batch.count + 2 <= batch.capacity) {
            if (next == source.count) {
                next = 0;
                if (inner.receive(source) == 0) {
                    break;
                }
            }
            meet(source, next++, batch);
        }
        return batch.count;
    }

    private void meet(PacketBatch source, int i, PacketBatch batch) {
        arrivedCount++;
        // Always the same number of draws, so that one packet's fate does not depend on another's.
        double fate = random.nextDouble();
        double twice = random.nextDouble();
        int overtakenBy = random.nextInt(1, MAX_OVERTAKEN + 1);
        long delayNs = faults.delayNs == 0 ? 0 : random.nextLong(faults.delayNs);
        if (fate < faults.loss) {
            lost++;
        } else {
            if (twice < faults.duplicate) {
                duplicated++;
                copy(source, i, batch, batch.count++);
            }
            long nowNs = System.nanoTime();
            if (fate < faults.loss + faults.reorder && hold(source, i, overtakenBy, nowNs + REORDER_LIMIT_NS)) {
                reordered++;
            } else if (fate < faults.loss + faults.reorder + faults.delay
                    && hold(source, i, Integer.MAX_VALUE, nowNs + delayNs)) {
                delayed++;
            } else {
                passed++;
                copy(source, i, batch, batch.count++);
            }
        }
        if (heldCount > 0 && batch.count < batch.capacity) {
            takeDue(batch, System.nanoTime());
        }
    }

    /** Moves held packets whose time has come to the batch, as far as there is room. */
    private void takeDue(PacketBatch batch, long nowNs) {
        for (int slot = 0; slot < HELD && heldCount > 0 && batch.count < batch.capacity; slot++) {
            if (isHeld[slot] && (dueCount[slot] <= arrivedCount || dueNs[slot] - nowNs <= 0)) {
                isHeld[slot] = false;
                heldCount--;
                copy(held, slot, batch, batch.count++);
            }
        }
    }

    private boolean hold(PacketBatch source, int i, int packets, long untilNs) {
        int slot = freeSlot();
        if (slot == NONE) {
            return false;
        }
        copy(source, i, held, slot);
        isHeld[slot] = true;
        heldCount++;
        dueCount[slot] = arrivedCount + packets;
        dueNs[slot] = untilNs;
        return true;
    }

    private int freeSlot() {
        if (heldCount < HELD) {
            for (int slot = 0; slot < HELD; slot++) {
                if (!isHeld[slot]) {
                    return slot;
                }
            }
        }
        return NONE;
    }

    private static void copy(PacketBatch from, int i, PacketBatch to, int j) {
        MemorySegment.copy(from.packet[i], from.packetAt[i], to.packet[j], to.packetAt[j], from.length[i]);
        to.length[j] = from.length[i];
        to.socket[j] = from.socket[i];
        to.localHi[j] = from.localHi[i];
        to.localLo[j] = from.localLo[i];
        to.peerHi[j] = from.peerHi[i];
        to.peerLo[j] = from.peerLo[i];
        to.peerPort[j] = from.peerPort[i];
        to.level[j] = from.level[i];
    }

    private PacketBatch arrived(PacketBatch like) {
        PacketBatch batch = arrived;
        if (batch == null) {
            MemorySegment slab = arena.allocate((long) like.capacity * like.slotBytes, 64);
            batch = new PacketBatch(like.capacity, slab, like.slotBytes);
            arrived = batch;
        }
        return batch;
    }

    @Override
    public void await(long timeoutNs) {
        inner.await(Math.min(timeoutNs, heldWaitNs()));
    }

    private long heldWaitNs() {
        PacketBatch batch = arrived;
        if (batch != null && next < batch.count) {
            return 0;
        }
        long waitNs = FOREVER;
        long nowNs = System.nanoTime();
        for (int slot = 0; slot < HELD && heldCount > 0; slot++) {
            if (isHeld[slot]) {
                waitNs = Math.min(waitNs, Math.max(0, dueNs[slot] - nowNs));
            }
        }
        return waitNs;
    }

    /** Packets that passed unharmed, apart from a possible duplicate. */
    public long passed() {
        return passed;
    }

    public long lost() {
        return lost;
    }

    public long duplicated() {
        return duplicated;
    }

    public long reordered() {
        return reordered;
    }

    public long delayed() {
        return delayed;
    }

    @Override
    public Map<String, Long> counters() {
        Map<String, Long> counters = new LinkedHashMap<>(inner.counters());
        counters.put("faults_passed", passed);
        counters.put("faults_lost", lost);
        counters.put("faults_duplicated", duplicated);
        counters.put("faults_reordered", reordered);
        counters.put("faults_delayed", delayed);
        return counters;
    }

    @Override
    public void close() {
        if (!isClosed) {
            isClosed = true;
            inner.close();
            arena.close();
        }
    }

    // ---- the rest is the inner driver's

    @Override
    public void feedback(Feedback feedback) {
        inner.feedback(feedback);
    }

    @Override
    public int bind(@Nullable InetAddress local, int port) throws DriverException {
        return inner.bind(local, port);
    }

    @Override
    public void attach(int port, int socket) {
        inner.attach(port, socket);
    }

    @Override
    public void unbind(int port) {
        inner.unbind(port);
    }

    @Override
    public int send(PacketBatch batch) {
        return inner.send(batch);
    }

    @Override
    public int sendRoomBytes() {
        return inner.sendRoomBytes();
    }

    @Override
    public void wake() {
        inner.wake();
    }

    @Override
    public long awaitSlackNs() {
        return inner.awaitSlackNs();
    }

    @Override
    public int maxDatagramBytes() {
        return inner.maxDatagramBytes();
    }

    @Override
    public int mtu(long peerHi, long peerLo) {
        return inner.mtu(peerHi, peerLo);
    }

    @Override
    public long sendQueue(long bytes) {
        return inner.sendQueue(bytes);
    }

    @Override
    public int linkMbps() {
        return inner.linkMbps();
    }

    @Override
    public long receiveCapacityBytes() {
        return inner.receiveCapacityBytes();
    }
}
