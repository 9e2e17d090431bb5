package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.homa4j.conformance.Pins;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Which memory may hold incoming messages, and how it is divided (spec api 4, 12; design 3). */
class ReceiveRegionTest {
    private static final int MIB = 1 << 20;

    private static ReceiveRegion region(long bytes) {
        return new ReceiveRegion(MemorySegment.ofArray(new byte[(int) bytes]), 0);
    }

    private static Status open(MemorySegment memory) {
        return Status.of(new Endpoint(Rig.config(), 42, 0).openSocket(0, false, memory));
    }

    // ---- which memory

    @Test
    @Pins("S-206")
    void regionMustHoldALongMessageWithRoomForOthers() {
        try (Arena arena = Arena.ofConfined()) {
            assertThat(open(arena.allocate(Endpoint.MIN_REGION_BYTES - 1))).isEqualTo(Status.INVALID_ARGUMENT);
            assertThat(open(arena.allocate(Endpoint.MIN_REGION_BYTES))).isEqualTo(Status.OK);
        }
    }

    @Test
    @Pins("S-326")
    void readOnlyRegionIsRefused() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(2 * MIB);
            assertThat(open(memory.asReadOnly())).isEqualTo(Status.INVALID_ARGUMENT);
        }
    }

    @Test
    @Pins("S-205")
    void regionMayBeginAnywhere() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(2 * MIB + 64, 64).asSlice(1, 2 * MIB);
            Rig rig = new Rig();
            int socket = rig.node.engine.openSocket(7, true, memory);
            assertThat(socket).isGreaterThanOrEqualTo(0);
            Injector caller = new Injector(rig.node, "10.0.0.2", Rig.CALLER_PORT, 7);
            rig.node.receive(caller.message(1000, 5000, 1400));
            Message message = new Message();
            assertThat(rig.node.engine.receive(socket, message, rig.node.nowNs)).isTrue();
            assertThat(memory.asSlice(message.regionOffset, 5000).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE))
                    .isEqualTo(Node.message(5000));
            rig.node.engine.closeSocket(socket, rig.node.nowNs);
        }
    }

    @Test
    @Pins("S-210")
    void endThatFillsNoUnitIsNotUsed() {
        try (Arena arena = Arena.ofConfined()) {
            Endpoint engine = new Endpoint(Rig.config(), 42, 0);
            int socket = engine.openSocket(0, false, arena.allocate(3 * MIB + 300));
            SocketInfo info = engine.socketInfo(socket);
            assertThat(info).isNotNull();
            assertThat(info.receiveRegionBytes()).isEqualTo(3 * MIB + 256);
        }
    }

    // ---- how it is divided

    @Test
    @Pins({"S-209", "S-327"})
    void allOfAFreshRegionIsFreeAndCanBeUsed() {
        for (int pages : new int[] {64, 78}) {
            ReceiveRegion region = region(pages * 65_536L);
            assertThat(region.freeBytes()).isEqualTo(pages * 65_536L);
            for (int i = 0; i < pages; i++) {
                assertThat(region.allocate(65_536, Host.NONE)).isNotEqualTo(ReceiveRegion.NONE);
            }
            assertThat(region.freeBytes()).isZero();
            assertThat(region.allocate(1, Host.NONE)).isEqualTo(ReceiveRegion.NONE);
        }
    }

    @Test
    @Pins({"S-224", "S-228"})
    void messageTakesThePowerOfTwoThatHoldsIt() {
        ReceiveRegion region = region(2 * MIB);
        int[][] pieces = {{65_536, 65_536}, {65_537, 131_072}, {2000, 2048}, {3000, 4096}, {1, 256}, {1_000_000, MIB}};
        for (int[] piece : pieces) {
            long before = region.freeBytes();
            long at = region.allocate(piece[0], Host.NONE);
            assertThat(before - region.freeBytes()).isEqualTo(piece[1]);
            assertThat(at % piece[1]).isZero();
        }
    }

    /** Nothing in use is given away, nothing is lost, and free neighbours grow together again. */
    @Test
    @Pins("S-216")
    void piecesInUseAreNeverGivenAgain() {
        long seed = 20_260_701;
        Random random = new Random(seed);
        ReceiveRegion region = region(4 * MIB);
        TreeMap<Long, Long> used = new TreeMap<>();
        List<Long> taken = new ArrayList<>();
        for (int step = 0; step < 20_000; step++) {
            if (taken.isEmpty() || random.nextInt(5) < 3) {
                int length = 1 + random.nextInt(1 << (1 + random.nextInt(20)));
                long at = region.allocate(length, Host.NONE);
                if (at == ReceiveRegion.NONE) {
                    continue;
                }
                long end = at + ReceiveRegion.pieceBytes(length);
                assertThat(end - at).isGreaterThanOrEqualTo(length);
                assertThat(at >= 0 && end <= 4 * MIB).as("seed " + seed).isTrue();
                var below = used.lowerEntry(end);
                assertThat(below == null || below.getValue() <= at)
                        .as("seed " + seed)
                        .isTrue();
                used.put(at, end);
                taken.add(at);
            } else {
                long at = taken.remove(random.nextInt(taken.size()));
                used.remove(at);
                region.free(at);
            }
            long usedBytes = used.entrySet().stream()
                    .mapToLong(e -> e.getValue() - e.getKey())
                    .sum();
            assertThat(region.freeBytes()).as("seed " + seed).isEqualTo(4 * MIB - usedBytes);
        }
        taken.forEach(region::free);
        for (int i = 0; i < 4; i++) {
            assertThat(region.allocate(1_000_000, Host.NONE)).as("seed " + seed).isNotEqualTo(ReceiveRegion.NONE);
        }
    }

    @Test
    @Pins("S-233")
    void bytesAtOrBehindTheEndOfTheMessageAreDropped() {
        Rig rig = new Rig();
        rig.caller.data(1000, 5000).bytes(1400).go();
        rig.caller.data(1000, 5000).at(5000).bytes(1).go();
        rig.caller.data(1000, 5000).at(4000).bytes(1001).go();
        rig.caller.data(1000, 5000).at(-1).bytes(1).go();
        assertThat(rig.node.count("packet_discards")).isEqualTo(3);
        assertThat(rig.info(1001).receiveRemaining()).isEqualTo(3600);
        rig.node.receive(rig.caller.message(1000, 5000, 1400));
        assertThat(rig.node.take(rig.server).bytes()).isEqualTo(Node.message(5000));
    }
}
